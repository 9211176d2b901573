package process

import (
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// tracked is a process that the reader follows from snapshot to snapshot.
type tracked struct {
	Identity

	comm      string
	startTime time.Time
	parent    int
	facts     *Facts
	denied    Denied
	listen    []Socket
	revision  uint64
	young     bool // the facts were read in the first seconds of its life
	ended     bool
	seen      uint64
}

// update takes over what the list tells of a process, and reads its facts where
// they may have changed. It fails with [ErrGone] where a process ended before
// anything was known of it.
func (r *Reader) update(raw *rawProcess, listen []Socket, now time.Time) (Process, error) {
	t := r.processes[raw.pid]
	changed := false
	if t == nil || t.StartTicks != raw.created {
		t = &tracked{
			Identity: Identity{PID: raw.pid, StartTicks: raw.created, Boot: r.boot},
			comm:     nameOfRaw(raw), startTime: timeOf(raw.created),
		}
		r.processes[raw.pid] = t
		changed = true
	}
	t.seen = r.sequence
	if t.parent != raw.parent || !slices.Equal(t.listen, listen) {
		t.parent, t.listen, changed = raw.parent, listen, true
	}
	t.ended = raw.state.ended() && strings.Contains(t.comm, ".") // "Secure System" has no threads, and is no program
	if t.ended {
		raw.state = Zombie
	} else if raw.state.ended() {
		raw.state = Sleeping
	}
	if r.mustRead(t) {
		facts, denied, err := r.readFacts(t, raw)
		if err != nil && t.facts == nil {
			delete(r.processes, t.PID)
			return Process{}, err
		}
		if err != nil {
			facts, denied = t.facts, t.denied // it keeps what it was known by
		}
		t.young = now.Sub(t.startTime) < youngLife
		changed = t.settle(facts, denied, r.denied) || changed
	}
	if t.PID == 0 {
		raw.cpu = 0 // what the idle process takes, nobody uses
	}
	if r.revise(t) || changed {
		r.revision++
		t.revision = r.revision
	}
	return Process{
		Identity: t.Identity, PPID: t.parent, Comm: t.comm, State: raw.state, Kernel: isKernel(t.PID),
		CPUSeconds: float64(raw.cpu) / 1e7, ResidentBytes: raw.workingSet, Threads: raw.threads, OpenFDs: raw.handles,
		StartTime: t.startTime, Facts: t.facts, Listen: t.listen, Denied: t.denied, Revision: t.revision,
	}, nil
}

// nameOfRaw is the name by which the list calls a process.
func nameOfRaw(raw *rawProcess) string {
	if raw.pid == 0 {
		return "System Idle Process"
	}
	if len(raw.name) == 0 && raw.pid == 4 {
		return "System"
	}
	return windows.UTF16ToString(raw.name)
}

// mustRead tells whether the facts are to be read now.
func (r *Reader) mustRead(t *tracked) bool {
	return t.facts == nil || !t.ended && (t.young || (r.sequence+uint64(t.PID/4))%factsTurn == 0)
}

// revise takes over what is known by other means than a handle: the services
// that a process hosts, the state of its file, the name of its user.
func (r *Reader) revise(t *tracked) bool {
	if isKernel(t.PID) {
		return false
	}
	unit, user, file := r.hosted.names[t.PID], t.facts.User, t.facts.File
	if sid := t.facts.Windows.SID; sid != "" {
		user = r.accounts.name(sid)
	}
	if strings.Contains(t.facts.Exe, "/") && !t.ended {
		file = r.file(t.facts.Exe)
	}
	if unit == t.facts.Unit && user == t.facts.User && file == t.facts.File {
		return false
	}
	facts := *t.facts
	facts.Unit, facts.User, facts.File = unit, user, file
	t.facts = &facts
	return true
}

// settle takes over facts, tells whether they differ, and counts those that are
// newly denied.
func (t *tracked) settle(facts *Facts, denied Denied, count map[string]uint64) bool {
	for fact := range (denied &^ t.denied).All() {
		count[fact.String()]++
	}
	if t.facts != nil {
		facts.Unit, facts.User, facts.File = t.facts.Unit, t.facts.User, t.facts.File // revise sees to these
	}
	if t.facts != nil && denied == t.denied && sameFacts(t.facts, facts) {
		return false
	}
	t.facts, t.denied = facts, denied
	return true
}

// sameFacts compares facts, those of Windows by what they hold.
func sameFacts(a, b *Facts) bool {
	left, right := *a, *b
	left.Windows, right.Windows = nil, nil
	return left == right && *a.Windows == *b.Windows
}

// readFacts reads what is slow to read. What may not be seen is left empty and
// noted; of a process that has ended nothing is asked.
func (r *Reader) readFacts(t *tracked, raw *rawProcess) (*Facts, Denied, error) {
	facts := &Facts{Name: t.comm, Root: "/", UID: -1, Windows: &Windows{Session: session(raw.session)}}
	if isKernel(t.PID) {
		facts.Windows.SID, facts.User = SIDSystem, r.accounts.name(SIDSystem)
		return facts, 0, nil
	}
	if t.ended {
		return facts, 0, nil
	}
	h, err := openPID(t.PID, windows.PROCESS_QUERY_LIMITED_INFORMATION)
	if errors.Is(err, ErrGone) {
		return nil, 0, err
	}
	if err != nil {
		return facts, r.describeUnopened(t, facts), nil
	}
	defer func() { _ = windows.CloseHandle(h) }()
	if made, err := createdAt(h); err != nil || made != t.StartTicks {
		return nil, 0, ErrGone // the pid belongs to another process by now
	}
	return facts, r.queries.describe(h, facts, t.comm), nil
}

// describeUnopened takes over what is told of a process that may not be opened:
// where its executable is.
func (r *Reader) describeUnopened(t *tracked, facts *Facts) Denied {
	denied := DeniedUser | DeniedProtection
	if native := r.queries.nativeImage(t.PID); native != "" {
		facts.setExe(r.queries.win32Path(native), t.comm)
	} else {
		denied |= DeniedExe
	}
	facts.Windows.InSystem = r.queries.inSystem(facts.Exe)
	return denied
}

// setExe takes over an executable's path, and its name from that. The path is
// told by the system alone; a process without one is called by its name in the
// list.
func (f *Facts) setExe(exe, comm string) {
	f.Exe = exe
	f.Name = comm
	if end := strings.LastIndexByte(exe, '/'); end >= 0 {
		f.Name = exe[end+1:]
	}
}

// describe reads the facts through a handle.
func (q *queries) describe(h windows.Handle, facts *Facts, comm string) Denied {
	var denied Denied
	if exe, err := q.imageOf(h); err == nil {
		facts.setExe(exe, comm)
	} else {
		denied |= DeniedExe
	}
	if who, err := q.tokenOf(h); err == nil {
		facts.Windows.SID, facts.Windows.Elevated, facts.Windows.Integrity = who.sid, who.elevated, who.integrity
	} else {
		denied |= DeniedUser
	}
	var err error
	if facts.Windows.Protected, facts.Windows.Critical, err = protectionOf(h); err != nil {
		denied |= DeniedProtection
	}
	facts.Windows.InSystem = q.inSystem(facts.Exe)
	if words := q.commandLine(h); len(words) > 0 {
		argv0, script, others := arguments([]byte(strings.Join(words, "\x00")), facts.Exe)
		facts.Argv0, facts.Script, facts.OtherScripts = slashed(string(argv0)), slashed(string(script)), slashed(string(others))
	}
	return denied
}
