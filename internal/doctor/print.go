package doctor

import (
	"encoding/json"
	"fmt"
	"io"

	"server-monitor/internal/language"
)

// marks are the dots of the console.
var marks = map[Level]string{OK: "🟢", Degraded: "🟡", Failed: "🔴"}

// WriteTable writes findings for people: a line each, and below it how to mend
// what is not well.
func WriteTable(w io.Writer, findings []Finding, l language.Language) error {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Check))
	}
	var counts [Failed + 1]int
	for _, f := range findings {
		counts[f.Level]++
		if _, err := fmt.Fprintf(w, "%s %-*s  %s\n", marks[f.Level], width, f.Check, f.Found.In(l)); err != nil {
			return err
		}
		if remedy := f.Remedy.In(l); remedy != "" {
			if _, err := fmt.Fprintf(w, "   %-*s  → %s\n", width, "", remedy); err != nil {
				return err
			}
		}
	}
	sum := language.Text{English: "\n%d ok, %d degraded, %d failed\n", Korean: "\n정상 %d, 기능 저하 %d, 실패 %d\n"}
	_, err := fmt.Fprintf(w, sum.In(l), counts[OK], counts[Degraded], counts[Failed])
	return err
}

// shown is a finding in one language.
type shown struct {
	Check  string `json:"check"`
	Status Level  `json:"status"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// WriteJSON writes findings for scripts.
func WriteJSON(w io.Writer, findings []Finding, l language.Language) error {
	all := struct {
		Status Level   `json:"status"`
		Checks []shown `json:"checks"`
	}{Status: Worst(findings), Checks: make([]shown, 0, len(findings))}
	for _, f := range findings {
		all.Checks = append(all.Checks, shown{f.Check, f.Level, f.Found.In(l), f.Remedy.In(l)})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(&all)
}
