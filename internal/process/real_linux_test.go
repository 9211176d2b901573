package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func realReader(t testing.TB) *Reader {
	t.Helper()
	r, err := NewReader(realConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func take(t testing.TB, r *Reader) *Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// find is a process of a snapshot, nil where it is not there.
func find(s *Snapshot, pid int) *Process {
	i, ok := slices.BinarySearchFunc(s.Processes, pid, func(p Process, pid int) int { return p.PID - pid })
	if !ok {
		return nil
	}
	return &s.Processes[i]
}

// look takes a snapshot and finds one process in it.
func look(t testing.TB, r *Reader, pid int) *Process {
	t.Helper()
	p := find(take(t, r), pid)
	if p == nil {
		t.Fatalf("process %d is not in the snapshot", pid)
	}
	return p
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
}

func TestOwnProcess(t *testing.T) {
	r := realReader(t)
	before := time.Now()
	p := look(t, r, os.Getpid())
	if p.PPID != os.Getppid() || p.Exe != testBinary(t) || p.Name != filepath.Base(p.Exe) || p.Argv0 != os.Args[0] {
		t.Errorf("facts %+v %+v", p, p.Facts)
	}
	if p.UID != os.Geteuid() || p.Kernel || p.State.ended() || p.Threads < 2 {
		t.Errorf("uid %d, kernel %v, state %c, threads %d", p.UID, p.Kernel, p.State, p.Threads)
	}
	if want := ownDescriptors(t) - 1; p.OpenFDs < 3 || p.OpenFDs > want+10 {
		t.Errorf("%d open descriptors, want about %d", p.OpenFDs, want)
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	if p.CPUSeconds < 0 || p.CPUSeconds > cpu+0.1 {
		t.Errorf("%v CPU seconds, used %v", p.CPUSeconds, cpu)
	}
	if p.ResidentBytes < 1<<20 || p.ResidentBytes > 4<<30 {
		t.Errorf("%d resident bytes", p.ResidentBytes)
	}
	if p.StartTime.After(before) || before.Sub(p.StartTime) > time.Hour {
		t.Errorf("started %v, now is %v", p.StartTime, before)
	}
	info, err := os.Stat(testBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	if p.File.Device != st.Dev || p.File.Inode != st.Ino || p.File.Deleted || p.File.Memory {
		t.Errorf("file %+v, want device %d, inode %d", p.File, st.Dev, st.Ino)
	}
}

func TestKernelThreads(t *testing.T) {
	s := take(t, realReader(t))
	p := find(s, 2)
	if p == nil || p.Comm != "kthreadd" {
		t.Skip("no kernel threads in this pid namespace")
	}
	if !p.Kernel || p.Name != "kthreadd" || p.Exe != "" || p.Denied != 0 {
		t.Errorf("kthreadd: %+v %+v", p, p.Facts)
	}
}

func TestUserChanges(t *testing.T) {
	needRoot(t)
	r := realReader(t)
	h := startHelper(t, "", nil)
	first := look(t, r, h.pid)
	if first.UID != 0 || first.User != "root" {
		t.Fatalf("user %d %q", first.UID, first.User)
	}
	h.do("seteuid 65534")
	if p := look(t, r, h.pid); p.UID != 65534 || p.User != "nobody" || p.Revision == first.Revision {
		t.Errorf("user %d %q, revision %d was %d", p.UID, p.User, p.Revision, first.Revision)
	}
}

func TestZombie(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	first := look(t, r, h.pid)
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a zombie", func() bool { return look(t, r, h.pid).State == Zombie })
	p := look(t, r, h.pid)
	if p.Name != first.Name || p.Exe != first.Exe || p.UID != first.UID || p.Identity != first.Identity {
		t.Errorf("a zombie that was known: %+v", p.Facts)
	}
	if p := look(t, realReader(t), h.pid); p.State != Zombie || p.Name != p.Comm || p.Exe != "" || p.Denied != 0 {
		t.Errorf("a zombie that was not known: %+v %+v", p, p.Facts)
	}
	h.end()
	if p := find(take(t, r), h.pid); p != nil {
		t.Errorf("reaped, but %+v", p)
	}
}

// TestFirstThreadEnds sees to it that nobody hides by ending the first thread.
func TestFirstThreadEnds(t *testing.T) {
	known := realReader(t)
	h := startHelper(t, "", nil)
	address := h.do("listen tcp4 127.0.0.1:0")
	before := look(t, known, h.pid)
	h.do("leave")
	unheld := realReader(t)
	unheld.maxDescriptors = 0
	for name, r := range map[string]*Reader{"known": known, "new": realReader(t), "without descriptors": unheld} {
		var p *Process
		eventually(t, "the end of the first thread", func() bool {
			text, err := os.ReadFile("/proc/" + strconv.Itoa(h.pid) + "/stat")
			return err == nil && strings.Contains(string(text), ") Z ")
		})
		for range 3 {
			p = look(t, r, h.pid)
		}
		if p.State.ended() || p.Exe != before.Exe || p.UID != before.UID || p.Namespaces != before.Namespaces || p.ResidentBytes == 0 || p.OpenFDs < 3 {
			t.Errorf("%s: state %c, resident %d, descriptors %d, %+v", name, p.State, p.ResidentBytes, p.OpenFDs, p.Facts)
		}
		if !listens(p, TCP, address) {
			t.Errorf("%s: not among %v", name, p.Listen)
		}
	}
	if n := countHeld(unheld); n != 0 || unheld.heldDescriptors != 0 {
		t.Errorf("%d descriptors held, thought to be %d, want none", n, unheld.heldDescriptors)
	}
	live := liveFacts(t, openHandle(t, h.pid))
	if live.Exited || live.State.ended() || live.Exe != before.Exe || !slices.Equal(live.PIDs, []int{h.pid}) {
		t.Errorf("handle: exited %v, state %c, pids %v, %+v", live.Exited, live.State, live.PIDs, live.Facts)
	}
	h.end()
	if p := find(take(t, known), h.pid); p != nil {
		t.Errorf("ended, but %+v", p)
	}
}

// folderIn makes a folder in another, which everybody may read. It goes away
// with the test.
func folderIn(t *testing.T, parent string) string {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "process-test") //nolint:usetesting // it is in no folder of the test's
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOwnMountNamespace has a process see another file under its own path.
func TestOwnMountNamespace(t *testing.T) {
	needRoot(t)
	r := realReader(t)
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS})
	own, p := look(t, r, os.Getpid()), look(t, r, h.pid)
	if p.Namespaces.Mount == own.Namespaces.Mount || p.Namespaces.PID == own.Namespaces.PID || p.Namespaces.User != own.Namespaces.User {
		t.Errorf("namespaces %+v, own %+v", p.Namespaces, own.Namespaces)
	}
	if p.Exe != own.Exe || p.File.Deleted || p.File.Inode != own.File.Inode {
		t.Errorf("exe %q %+v", p.Exe, p.File)
	}
	if p.ContainerInit {
		t.Error("first of a namespace without a container")
	}
}

// TestUserNamespace tells whose user namespace a process lives in.
func TestUserNamespace(t *testing.T) {
	needRoot(t)
	program := copyTo(t, filepath.Join(folderIn(t, os.TempDir()), "tool"), 0o755)
	r := realReader(t)
	byRoot := startHelper(t, program, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}, GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}})
	if p := look(t, r, byRoot.pid); p.Namespaces.ByUser || p.Namespaces.User == r.host.User {
		t.Errorf("made by root: %+v", p.Namespaces)
	}
	user := startHelper(t, program, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}})
	look(t, r, user.pid)
	user.do("exec /usr/bin/unshare --user --map-root-user --mount " + program)
	p := look(t, r, user.pid)
	if !p.Namespaces.ByUser || p.File.Trusted {
		t.Errorf("made by a user: %+v %+v", p.Namespaces, p.File)
	}
}
