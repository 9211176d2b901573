package process

import (
	"encoding/json"
	"flag"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/process/proctest"
)

var largeFull = flag.Bool("large", false, "make the large cases of TestLargeCases as large as docs/performance.md has them")

// large is what a reader did where there is much of one thing.
type large struct {
	// First, Steady and Changed are the first snapshot, one where nothing happens,
	// and one that finds one more of the thing.
	First, Steady, Changed largeSnapshot
	// Found is how many of the things the reader told of.
	Found int
	Held  int // descriptors
}

type largeSnapshot struct {
	Calls     uint64
	CPU, Took time.Duration
}

// TestLargeCases counts the calls of snapshots of which one thing is very large,
// and half as large: they grow no faster than it.
func TestLargeCases(t *testing.T) {
	needRoot(t)
	for _, c := range []struct {
		kind              string
		small, full, most int
		// How many calls one more of them may cost.
		first, steady, changed float64
	}{
		{"sockets", 4000, 8000, 100_000, 2.2, 1.1, 2.5},
		{"descriptors", 4000, 8000, 19_000, 1.1, 0, 1.1},
		{"threads", 1000, 2000, 20_000, 0, 0, 0},
		{"mounts", 1000, 2000, 2000, 0.1, 0, 0.1},
	} {
		t.Run(c.kind, func(t *testing.T) {
			small, full := c.small, c.full
			if *largeFull {
				small, full = c.most/2, c.most
			}
			half, whole := largeCase(t, c.kind, small), largeCase(t, c.kind, full)
			t.Logf("%d: %+v", small, half)
			t.Logf("%d: %+v", full, whole)
			for name, grown := range map[string][3]float64{
				"first":   {float64(half.First.Calls), float64(whole.First.Calls), c.first},
				"steady":  {float64(half.Steady.Calls), float64(whole.Steady.Calls), c.steady},
				"changed": {float64(half.Changed.Calls), float64(whole.Changed.Calls), c.changed},
			} {
				const apart = 150 // processes of the case and their turns
				if grown[1]-grown[0] > grown[2]*float64(full-small)+apart {
					t.Errorf("%s snapshot: %v calls with %d, %v with %d", name, grown[0], small, grown[1], full)
				}
			}
			const more = 3 // threads that Go starts meanwhile
			if half.Found < small || half.Found > small+more || whole.Found < full || whole.Found > full+more {
				t.Errorf("found %d of %d and %d of %d", half.Found, small, whole.Found, full)
			}
		})
	}
}

// largeCase makes one in namespaces of its own.
func largeCase(t *testing.T, kind string, n int) large {
	t.Helper()
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS})
	defer h.end()
	var result large
	if err := json.Unmarshal([]byte(h.do("large "+kind+" "+strconv.Itoa(n))), &result); err != nil {
		t.Fatal(err)
	}
	return result
}

// TestFiftyThousandDescriptors reads a process of a fixture that has more than
// most machines let a test open.
func TestFiftyThousandDescriptors(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 50,000 links")
	}
	const n = 50_000
	tree := proctest.Small()
	p := tree.Process(1020) // which listens to three ports
	p.Descriptors = n
	r := fixtureReader(t, tree.Write(t))
	first := look(t, r, 1020)
	if first.OpenFDs != n+len(p.Sockets) || len(first.Listen) != len(p.Sockets) {
		t.Errorf("%d descriptors and %d sockets, want %d and %d", first.OpenFDs, len(first.Listen), n+len(p.Sockets), len(p.Sockets))
	}
	before := r.calls
	if again := look(t, r, 1020); again.OpenFDs != first.OpenFDs || len(again.Listen) != len(first.Listen) || again.Revision != first.Revision {
		t.Errorf("%+v became %+v", first, again)
	}
	if calls := r.calls - before; calls > n/10 {
		t.Errorf("%d calls where nothing happened", calls)
	}
}
