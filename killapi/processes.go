package killapi

import (
	"fmt"
	"net/http"
	"strconv"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/report"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// processRow is a process in the answers of the API.
type processRow struct {
	report.Process
	Termination permission `json:"termination"`
}

// permission tells whether a process may be ended, as far as a snapshot shows;
// a termination looks at the live process.
type permission struct {
	Allowed bool               `json:"allowed"`
	Reasons []terminate.Reason `json:"reasons"`
}

// processPage answers GET /processes.
type processPage struct {
	pageHead
	Processes []processRow `json:"processes"`
}

// pageHead is what goes before the processes of a list.
type pageHead struct {
	page
	Taken         string `json:"taken"`
	PolicyVersion string `json:"policy_version"`
	// Verdicts counts all assessed processes, Excluded those that are not,
	// whatever the list holds.
	Verdicts map[string]int `json:"verdicts"`
	Excluded int            `json:"excluded"`
	// UnownedSockets counts listening sockets whose owner may not be seen.
	UnownedSockets int `json:"unowned_sockets"`
}

// listProcesses answers GET /processes.
func (a *API) listProcesses(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	values := r.URL.Query()
	l, err := a.languageOf(values)
	if err != nil {
		return err
	}
	q, err := parseProcessQuery(values)
	if err != nil {
		return problemBody.with(err.Error())
	}
	taken, err := a.config.Inventories.Take(r.Context())
	if err != nil {
		return fmt.Errorf("take inventory: %w", err)
	}
	all := report.New(taken, l)
	return answer(w, http.StatusOK, a.page(taken, all, q.choose(all.Processes), q.offset, q.limit))
}

// page makes a page of the chosen rows of a report.
func (a *API) page(taken *inventory.Inventory, all *report.Report, rows []report.Process, offset, limit int) processPage {
	p := processPage{
		pageHead: pageHead{
			page:  page{Total: len(rows), Offset: offset, Limit: limit},
			Taken: all.Taken.UTC().Format(timeFormat), PolicyVersion: all.PolicyVersion,
			Verdicts: all.Verdicts, Excluded: all.Excluded, UnownedSockets: all.UnownedSockets,
		},
		Processes: []processRow{},
	}
	host := a.config.Host()
	for _, row := range cut(rows, offset, limit) {
		p.Processes = append(p.Processes, a.row(taken, row, host))
	}
	return p
}

// row adds to a process whether it may be ended.
func (a *API) row(taken *inventory.Inventory, row report.Process, host *terminate.Host) processRow {
	reasons := []terminate.Reason{}
	if a.config.Terminator == nil {
		reasons = append(reasons, reasonOff)
	}
	if index, ok := taken.Index(row.PID); ok {
		p := &taken.Processes[index]
		subject := policy.SubjectOf(p, taken.MemoryTotal)
		subject.Warnings = taken.Assessments[index].Names()
		reasons = append(reasons, terminate.SnapshotReasons(p, host, taken.Policy, subject)...)
	}
	return processRow{row, permission{Allowed: len(reasons) == 0, Reasons: reasons}}
}

// reasonOff stands against every termination where they are switched off.
var reasonOff = terminate.Reason{
	Code: "off", Kind: terminate.Unsupported,
	Text: language.Text{
		English: "Ending processes is off until a token file is configured.",
		Korean:  "토큰 파일을 설정하기 전에는 프로세스 종료 기능이 꺼져 있습니다.",
	},
}

// showProcess answers GET /processes/{pid}.
func (a *API) showProcess(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	l, err := a.languageOf(r.URL.Query())
	if err != nil {
		return err
	}
	pid, err := pathPID(r)
	if err != nil {
		return err
	}
	taken, err := a.config.Inventories.Take(r.Context())
	if err != nil {
		return fmt.Errorf("take inventory: %w", err)
	}
	row, ok := report.One(taken, pid, l)
	if !ok {
		return problemNotFound
	}
	return answer(w, http.StatusOK, a.row(taken, row, a.config.Host()))
}

// pathPID is the pid in the path of a call.
func pathPID(r *http.Request) (int, error) {
	pid, err := strconv.ParseUint(r.PathValue("pid"), 10, 31)
	if err != nil || pid == 0 {
		return 0, problemBody.with("The path must hold a pid.")
	}
	return int(pid), nil
}
