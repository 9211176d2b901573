package process

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

func ptr(b *byte) unsafe.Pointer { return unsafe.Pointer(b) }

func notify(c chan os.Signal) { signal.Notify(c, syscall.SIGTERM) }

// summary is what a helper's own reader saw.
type summary struct {
	Processes  int
	Denied     map[string]uint64
	Unreadable map[int]string // pids and what was denied of them
	Error      string
}

func snapshotSummary() (string, error) {
	var s summary
	r, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return "", err
	}
	defer r.Close()
	snapshot, err := r.Snapshot(context.Background())
	if err != nil {
		return "", err
	}
	s.Processes, s.Denied, s.Unreadable = len(snapshot.Processes), snapshot.Denied, map[int]string{}
	for i := range snapshot.Processes {
		p := &snapshot.Processes[i]
		for fact := range p.Denied.All() {
			s.Unreadable[p.PID] += fact.String() + " "
		}
	}
	text, err := json.Marshal(s)
	return string(text), err
}
