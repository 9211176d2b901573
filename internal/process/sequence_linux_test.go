package process

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	sequences    = flag.Int("sequences", groupsAtOnce, "how many random sequences of changes TestKnownReadsLikeFresh goes through")
	sequenceSeed = flag.Uint64("sequences.seed", 0, "what the sequences are drawn from, 0 for anything")
)

// TestKnownReadsLikeFresh lets real processes change all that can change between
// two snapshots, and compares what readers that know them tell with what a fresh
// one does, byte for byte. What may be late, and by how much, is what the function
// late and the loops of compare and settle let pass, and nothing else.
func TestKnownReadsLikeFresh(t *testing.T) {
	needRoot(t)
	order := sequenceOrder{Seed: *sequenceSeed, Sequences: *sequences, ControlGroups: controlGroups(t)}
	if order.Seed == 0 {
		order.Seed = uint64(time.Now().UnixNano()) % 1e9
	}
	t.Logf("seed %d", order.Seed)
	if len(order.ControlGroups) == 0 {
		t.Log("no control groups can be made here: moves between them are left out")
	}
	text, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS})
	t.Log(h.do("sequences " + string(text)))
}

// controlGroups makes some below that of the test, in the hierarchy from which
// units are read, none where that cannot be done.
func controlGroups(t *testing.T) []string {
	t.Helper()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	path := string(cgroupPath(own))
	for _, hierarchy := range []string{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		base := filepath.Join(hierarchy, path, "sequences-"+strconv.Itoa(os.Getpid()))
		if os.WriteFile(filepath.Join(hierarchy, path, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0) != nil || os.Mkdir(base, 0o755) != nil {
			continue
		}
		all := []string{base}
		for _, below := range []string{"x.slice", "x.slice/y.service", "docker", "docker/" + hex64} {
			all = append(all, filepath.Join(base, below))
			if err := os.Mkdir(all[len(all)-1], 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			for i := range all {
				folder := all[len(all)-1-i]
				eventually(t, "the end of "+folder, func() bool { return os.Remove(folder) == nil })
			}
		})
		return all
	}
	return nil
}

const hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
