package process

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
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

func listens(p *Process, protocol Protocol, address string) bool {
	want := netip.MustParseAddrPort(address)
	return slices.ContainsFunc(p.Listen, func(s Socket) bool {
		return s.Protocol == protocol && s.Addr.Port() == want.Port() && s.Addr.Addr().Unmap() == want.Addr().Unmap()
	})
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

func TestListeners(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	if p := look(t, r, h.pid); len(p.Listen) != 0 {
		t.Fatalf("listens already: %v", p.Listen)
	}
	cases := []struct {
		network, address string
		protocol         Protocol
		scope            Scope
	}{
		{"tcp4", "127.0.0.1:0", TCP, Loopback},
		{"tcp4", "0.0.0.0:0", TCP, Public},
		{"tcp6", "[::1]:0", TCP, Loopback},
		{"tcp6", "[::]:0", TCP, Public},
		{"udp4", "127.0.0.1:0", UDP, Loopback},
		{"udp4", "0.0.0.0:0", UDP, Public},
		{"udp6", "[::1]:0", UDP, Loopback},
		{"udp6", "[::]:0", UDP, Public},
	}
	for _, c := range cases {
		t.Run(c.network+" "+c.address, func(t *testing.T) {
			revision := look(t, r, h.pid).Revision
			bound := h.do("listen " + c.network + " " + c.address)
			p := look(t, r, h.pid)
			if !listens(p, c.protocol, bound) {
				t.Fatalf("not among %v", p.Listen)
			}
			if p.Revision == revision {
				t.Error("the revision is the same")
			}
			for _, s := range p.Listen {
				if s.Addr.Port() == netip.MustParseAddrPort(bound).Port() && s.Protocol == c.protocol && s.Scope() != c.scope {
					t.Errorf("%v has scope %v, want %v", s, s.Scope(), c.scope)
				}
			}
			if again := look(t, r, h.pid); again.Revision != p.Revision || &again.Listen[0] != &p.Listen[0] {
				t.Error("another revision or list though nothing changed")
			}
			h.do("close")
			if p := look(t, r, h.pid); listens(p, c.protocol, bound) {
				t.Errorf("closed, but among %v", p.Listen)
			}
		})
	}
}

func TestReusedPortHasItsOwnOwners(t *testing.T) {
	r := realReader(t)
	a, b := startHelper(t, "", nil), startHelper(t, "", nil)
	take(t, r)
	address := a.do("listen tcp4 127.0.0.1:0")
	b.do("listen tcp4 " + address)
	s := take(t, r)
	one, other := find(s, a.pid), find(s, b.pid)
	if !listens(one, TCP, address) || !listens(other, TCP, address) {
		t.Fatalf("%v and %v, want %s in both", one.Listen, other.Listen, address)
	}
	if one.Listen[0].Inode == other.Listen[0].Inode {
		t.Error("two sockets have one inode")
	}
	b.do("close")
	s = take(t, r)
	if one, other = find(s, a.pid), find(s, b.pid); !listens(one, TCP, address) || listens(other, TCP, address) {
		t.Errorf("after one closed it: %v and %v", one.Listen, other.Listen)
	}
}

func TestInheritedSocketHasTwoOwners(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	address := h.do("listen tcp4 0.0.0.0:0")
	take(t, r)
	child, err := strconv.Atoi(h.do("child"))
	if err != nil {
		t.Fatal(err)
	}
	s := take(t, r)
	parent, heir := find(s, h.pid), find(s, child)
	if !listens(parent, TCP, address) || !listens(heir, TCP, address) {
		t.Fatalf("%v and %v, want %s in both", parent.Listen, heir.Listen, address)
	}
	if parent.Listen[0].Inode != heir.Listen[0].Inode {
		t.Error("a shared socket has two inodes")
	}
	h.do("close")
	s = take(t, r)
	if parent, heir = find(s, h.pid), find(s, child); len(parent.Listen) != 0 || !listens(heir, TCP, address) {
		t.Errorf("after the parent closed it: %v and %v", parent.Listen, heir.Listen)
	}
}

func TestExecution(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	first := look(t, r, h.pid)
	other := copyTo(t, filepath.Join(t.TempDir(), "quite-a-long-name-for-a-program"), 0o755)
	h.do("exec " + other)
	second := look(t, r, h.pid)
	if second.Exe != other || second.Name != filepath.Base(other) || second.Comm != "quite-a-long-na" || second.Argv0 != other {
		t.Errorf("after exec: comm %q, %+v", second.Comm, second.Facts)
	}
	if second.Identity != first.Identity || second.Revision == first.Revision {
		t.Errorf("identity %v was %v, revision %d was %d", second.Identity, first.Identity, second.Revision, first.Revision)
	}
	if !IsComm(second.Comm, second.Name) {
		t.Error("a cut name is not the program's")
	}
}

func TestSameFileExecutedAgain(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	h.do("rename other")
	if p := look(t, r, h.pid); p.Comm != "other" {
		t.Fatalf("comm %q", p.Comm)
	}
	h.do("exec " + testBinary(t))
	if p := look(t, r, h.pid); p.Argv0 != testBinary(t) || p.Comm == "other" {
		t.Errorf("comm %q, argv0 %q", p.Comm, p.Argv0)
	}
}

func TestRename(t *testing.T) {
	r := realReader(t)
	h := startHelper(t, "", nil)
	first := look(t, r, h.pid)
	h.do("rename kworker/0:1")
	p := look(t, r, h.pid)
	if p.Comm != "kworker/0:1" || p.Kernel || p.Name != first.Name || p.Exe != first.Exe || p.Revision == first.Revision {
		t.Errorf("comm %q, name %q, revision %d was %d", p.Comm, p.Name, p.Revision, first.Revision)
	}
}

func TestDeletedExecutable(t *testing.T) {
	r := realReader(t)
	program := copyTo(t, filepath.Join(t.TempDir(), "tool"), 0o755)
	h := startHelper(t, program, nil)
	if p := look(t, r, h.pid); p.File.Deleted {
		t.Fatalf("deleted already: %+v", p.File)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	p := look(t, r, h.pid)
	if !p.File.Deleted || p.File.Memory || p.Exe != program || p.Name != "tool" {
		t.Errorf("after removal: %q %+v", p.Exe, p.File)
	}
	copyTo(t, program, 0o755)
	if p := look(t, r, h.pid); !p.File.Deleted {
		t.Errorf("after replacement: %q %+v", p.Exe, p.File)
	}
}

func TestReplacedExecutable(t *testing.T) {
	r := realReader(t)
	dir := t.TempDir()
	program := copyTo(t, filepath.Join(dir, "tool"), 0o755)
	h := startHelper(t, program, nil)
	look(t, r, h.pid)
	if err := os.Rename(copyTo(t, filepath.Join(dir, "new"), 0o755), program); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); !p.File.Deleted || p.Exe != program {
		t.Errorf("%q %+v", p.Exe, p.File)
	}
}

func TestExecutableCalledDeleted(t *testing.T) {
	r := realReader(t)
	program := copyTo(t, filepath.Join(t.TempDir(), "tool (deleted)"), 0o755)
	h := startHelper(t, program, nil)
	if p := look(t, r, h.pid); p.File.Deleted || p.Exe != program || p.Name != "tool (deleted)" {
		t.Errorf("a file of that name: %q %+v", p.Exe, p.File)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); !p.File.Deleted || p.Exe != program {
		t.Errorf("and removed: %q %+v", p.Exe, p.File)
	}
}

func TestMemoryFile(t *testing.T) {
	r := realReader(t)
	fd, err := unix.MemfdCreate("/usr/sbin/sshd", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "memfd")
	defer f.Close()
	content, err := os.ReadFile(testBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	h := startHelper(t, "/proc/self/fd/"+strconv.Itoa(fd), nil)
	p := look(t, r, h.pid)
	if !p.File.Memory || !p.File.Deleted || p.File.Trusted || p.File.Writable || p.Name != "memfd:sshd" || p.Exe != "/memfd:/usr/sbin/sshd" {
		t.Errorf("name %q, exe %q, %+v", p.Name, p.Exe, p.File)
	}
}

func TestSharedMemoryFile(t *testing.T) {
	dir := folderIn(t, "/dev/shm")
	r := realReader(t)
	program := copyTo(t, filepath.Join(dir, "tool"), 0o755)
	h := startHelper(t, program, nil)
	if p := look(t, r, h.pid); p.File.Memory {
		t.Errorf("still has its name: %+v", p.File)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); !p.File.Memory {
		t.Errorf("unlinked: %+v", p.File)
	}
}

func TestWritableExecutable(t *testing.T) {
	r := realReader(t)
	dir := filepath.Join(t.TempDir(), "bin")
	program := copyTo(t, filepath.Join(dir, "tool"), 0o755)
	h := startHelper(t, program, nil)
	steps := []struct {
		file, folder os.FileMode
		want         bool
	}{
		{0o755, 0o755, false},
		{0o757, 0o755, true},
		{0o755, 0o755, false},
		{0o755, 0o777, true},
		{0o755, 0o777 | os.ModeSticky, false},
		{0o775, 0o775, false},
	}
	for _, step := range steps {
		for name, mode := range map[string]os.FileMode{program: step.file, dir: step.folder} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		if p := look(t, r, h.pid); p.File.Writable != step.want {
			t.Errorf("file %v, folder %v: writable %v, want %v", step.file, step.folder, p.File.Writable, step.want)
		}
	}
}

func TestTrustedExecutable(t *testing.T) {
	needRoot(t)
	r := realReader(t)
	dir := folderIn(t, "/usr/lib")
	program := copyTo(t, filepath.Join(dir, "tool"), 0o755)
	h := startHelper(t, program, nil)
	if p := look(t, r, h.pid); !p.File.Trusted {
		t.Fatalf("a file of root's below /usr/lib: %+v", p.File)
	}
	if err := os.Chown(program, 65534, 0); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); p.File.Trusted {
		t.Error("trusted though another user owns it")
	}
	if err := os.Chown(program, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o775); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); p.File.Trusted {
		t.Error("trusted though a group may write to it")
	}
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); !p.File.Trusted {
		t.Error("not trusted though all is as before")
	}
	temporary := startHelper(t, copyTo(t, filepath.Join(t.TempDir(), "tool"), 0o755), nil)
	if p := look(t, r, temporary.pid); p.File.Trusted {
		t.Error("trusted below a folder that everybody may write to")
	}
}

func TestLinkExplainsComm(t *testing.T) {
	needRoot(t)
	dir := folderIn(t, "/usr/lib")
	program := copyTo(t, filepath.Join(dir, "tool.basic"), 0o755)
	if err := os.Symlink("tool.basic", filepath.Join(dir, "tool")); err != nil {
		t.Fatal(err)
	}
	r := realReader(t)
	h := startHelper(t, filepath.Join(dir, "tool"), nil)
	p := look(t, r, h.pid)
	if p.Exe != program || p.Comm != "tool" || !p.File.CommIsLink {
		t.Errorf("comm %q, exe %q, %+v", p.Comm, p.Exe, p.File)
	}
	h.do("rename sshd")
	if p := look(t, r, h.pid); p.File.CommIsLink {
		t.Error("no link is called sshd")
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
	for name, r := range map[string]*Reader{"known": known, "new": realReader(t)} {
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
	live := liveFacts(t, openHandle(t, h.pid))
	if live.Exited || live.State.ended() || live.Exe != before.Exe || !slices.Equal(live.PIDs, []int{h.pid}) {
		t.Errorf("handle: exited %v, state %c, pids %v, %+v", live.Exited, live.State, live.PIDs, live.Facts)
	}
	h.end()
	if p := find(take(t, known), h.pid); p != nil {
		t.Errorf("ended, but %+v", p)
	}
}

// TestUnprivileged reads as a user who owns nothing.
func TestUnprivileged(t *testing.T) {
	needRoot(t)
	program := copyTo(t, filepath.Join(folderIn(t, os.TempDir()), "reader"), 0o755)
	h := startHelper(t, program, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}})
	var s summary
	if err := json.Unmarshal([]byte(h.do("snapshot")), &s); err != nil {
		t.Fatal(err)
	}
	all := take(t, realReader(t))
	if s.Processes < len(all.Processes)-20 || s.Processes < 3 {
		t.Errorf("%d processes, root sees %d", s.Processes, len(all.Processes))
	}
	for fact, least := range map[string]uint64{"exe": 1, "namespaces": 1, "sockets": 1} {
		if s.Denied[fact] < least {
			t.Errorf("%s was denied %d times", fact, s.Denied[fact])
		}
	}
	if got := s.Unreadable[os.Getpid()]; got != "exe namespaces sockets " {
		t.Errorf("denied of a process of root's: %q", got)
	}
	if got, denied := s.Unreadable[h.pid]; denied {
		t.Errorf("denied of itself: %q", got)
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

// TestHiddenProcesses reads a procfs that shows nobody the processes of others.
func TestHiddenProcesses(t *testing.T) {
	needRoot(t)
	for _, option := range []string{"hidepid=1", "hidepid=2"} {
		t.Run(option, func(t *testing.T) {
			program := copyTo(t, filepath.Join(folderIn(t, os.TempDir()), "reader"), 0o755)
			h := startHelper(t, program, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS})
			h.do("listen tcp4 127.0.0.1:0")
			h.do("child") // of root's
			var s summary
			if err := json.Unmarshal([]byte(h.do("hidepid "+option)), &s); err != nil {
				t.Fatal(err)
			}
			hidden := map[string]int{"hidepid=1": 1, "hidepid=2": 0}[option] // the second does not even list it
			if s.Processes != 1 || s.Hidden != hidden {
				t.Errorf("%d processes, %d hidden, want 1 and %d", s.Processes, s.Hidden, hidden)
			}
		})
	}
}

// TestReaderWithItsOwnTemporaryFolder runs a reader as systemd does with
// PrivateTmp, and has it look at a program in the host's folder. The host is a
// pid namespace whose first process the test may look at.
func TestReaderWithItsOwnTemporaryFolder(t *testing.T) {
	needRoot(t)
	folder := folderIn(t, os.TempDir())
	program := copyTo(t, filepath.Join(folder, "tool"), 0o757)
	host := startHelper(t, program, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS})
	host.do("procfs")
	var want, got Facts
	if err := json.Unmarshal([]byte(host.do("look 1")), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(host.do("private "+folder+" 1")), &got); err != nil {
		t.Fatal(err)
	}
	if got != want || got.Exe != program || !got.File.Writable || got.File.Deleted {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestChroot(t *testing.T) {
	needRoot(t)
	r := realReader(t)
	jail := folderIn(t, os.TempDir())
	program := copyTo(t, filepath.Join(jail, "usr/sbin/sshd"), 0o755)
	h := startHelper(t, program, nil)
	h.do("chroot " + jail)
	p := look(t, r, h.pid)
	if p.Root != jail || p.Exe != program || p.File.Deleted || p.File.Trusted {
		t.Errorf("%+v", p.Facts)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if p := look(t, r, h.pid); !p.File.Deleted || p.Exe != program {
		t.Errorf("after removal: %+v", p.Facts)
	}
}

// TestStatBelow follows links as one does whose root folder it is.
func TestStatBelow(t *testing.T) {
	root := t.TempDir()
	copyTo(t, filepath.Join(root, "usr/bin/tool"), 0o755)
	for link, target := range map[string]string{"absolute": "/usr/bin/tool", "relative": "usr/bin/tool", "above": "../../usr/bin/tool", "outside": "/proc/self/exe"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	r := realReader(t)
	var want unix.Stat_t
	if err := r.statBelow(unix.AT_FDCWD, root, "/usr/bin/tool", &want); err != nil {
		t.Fatal(err)
	}
	for link, found := range map[string]bool{"/absolute": true, "/relative": true, "/above": true, "/outside": false} {
		var st unix.Stat_t
		err := r.statBelow(unix.AT_FDCWD, root, link, &st)
		if (err == nil && st.Ino == want.Ino) != found {
			t.Errorf("%s: %v, inode %d, want %d", link, err, st.Ino, want.Ino)
		}
	}
	r.noOpenat2 = true
	var st unix.Stat_t
	if err := r.statBelow(unix.AT_FDCWD, root, "/usr/bin/tool", &st); err != nil || st.Ino != want.Ino {
		t.Errorf("without openat2: %v", err)
	}
}

// TestNetworkNamespace reads the sockets of a process with a network of its own,
// once by entering it and once from the tables in /proc.
func TestNetworkNamespace(t *testing.T) {
	needRoot(t)
	for _, noSetns := range []bool{false, true} {
		t.Run("tables="+strconv.FormatBool(noSetns), func(t *testing.T) {
			r := realReader(t)
			r.sockets.noSetns = noSetns
			h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
			if p := look(t, r, h.pid); len(p.Listen) != 0 {
				t.Fatalf("listens already: %v", p.Listen)
			}
			address := h.do("listen tcp4 0.0.0.0:0")
			p := look(t, r, h.pid)
			if !listens(p, TCP, address) || !p.Listen[0].Foreign || p.Listen[0].Scope() != Private {
				t.Errorf("%v", p.Listen)
			}
			if own := look(t, r, os.Getpid()); own.Namespaces.Net == p.Namespaces.Net {
				t.Error("the same network namespace")
			}
			if p := look(t, r, h.pid); !listens(p, TCP, address) {
				t.Errorf("nothing happened, but %v", p.Listen)
			}
			h.do("close")
			if p := look(t, r, h.pid); len(p.Listen) != 0 {
				t.Errorf("closed, but %v", p.Listen)
			}
			if r.sockets.noSetns != noSetns {
				t.Error("could not enter the namespace")
			}
		})
	}
}

// TestEnteringNetworksLeavesNothing behind: no thread stays in another network.
func TestEnteringNetworksLeavesNothing(t *testing.T) {
	needRoot(t)
	r := realReader(t)
	h := startHelper(t, "", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET})
	p := look(t, r, h.pid)
	before := ownDescriptors(t)
	for range 50 {
		d, err := r.diagOf(r.processes[h.pid])
		if err != nil {
			t.Fatal(err)
		}
		d.close()
	}
	if after := ownDescriptors(t); after != before {
		t.Errorf("%d descriptors, were %d", after, before)
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	for _, thread := range threads {
		link, err := os.Readlink(thread)
		if err == nil && bracketed([]byte(link)) == p.Namespaces.Net {
			t.Errorf("%s is %s", thread, link)
		}
	}
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

func TestFewDescriptors(t *testing.T) {
	full := realReader(t)
	few := realReader(t)
	few.maxDescriptors = 10
	none := realReader(t)
	none.maxDescriptors = 0
	h := startHelper(t, "", nil)
	address := h.do("listen tcp4 127.0.0.1:0")
	for range 3 {
		want := look(t, full, h.pid)
		for name, r := range map[string]*Reader{"few": few, "none": none} {
			got := look(t, r, h.pid)
			if *got.Facts != *want.Facts || got.Identity != want.Identity || !listens(got, TCP, address) {
				t.Errorf("%s: %+v, want %+v", name, got.Facts, want.Facts)
			}
		}
	}
	if few.heldDescriptors > 10 || none.heldDescriptors != 0 {
		t.Errorf("%d and %d descriptors held", few.heldDescriptors, none.heldDescriptors)
	}
	other := copyTo(t, filepath.Join(t.TempDir(), "other"), 0o755)
	h.do("exec " + other)
	if p := look(t, none, h.pid); p.Name != "other" {
		t.Errorf("after exec: %q", p.Name)
	}
	h.end()
	if p := find(take(t, none), h.pid); p != nil {
		t.Errorf("ended, but %+v", p)
	}
}

// TestDescriptorLimit lets the table of descriptors run full for real.
func TestDescriptorLimit(t *testing.T) {
	h := startHelper(t, "", nil)
	want := take(t, realReader(t))
	var s summary
	if err := json.Unmarshal([]byte(h.do("limited")), &s); err != nil {
		t.Fatal(err)
	}
	if s.Processes < len(want.Processes)-20 {
		t.Errorf("%d processes, want about %d", s.Processes, len(want.Processes))
	}
}

// TestChurn takes many snapshots while processes come and go.
func TestChurn(t *testing.T) {
	r := realReader(t)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
			if err != nil {
				continue
			}
			_, _ = p.Wait()
		}
	}()
	take(t, r)
	goroutines := runtime.NumGoroutine()
	for range 200 {
		s := take(t, r)
		for i := 1; i < len(s.Processes); i++ {
			if s.Processes[i-1].PID >= s.Processes[i].PID {
				t.Fatalf("pids %d, %d", s.Processes[i-1].PID, s.Processes[i].PID)
			}
		}
		for i := range s.Processes {
			if s.Processes[i].Facts == nil || s.Processes[i].Name == "" && !s.Processes[i].State.ended() {
				t.Fatalf("%+v", s.Processes[i])
			}
		}
	}
	close(stop)
	<-done
	take(t, r)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, were %d", n, goroutines)
	}
	if n := countHeld(r); n != r.heldDescriptors || n > 4*len(r.processes) {
		t.Errorf("%d descriptors held for %d processes, thought to be %d", n, len(r.processes), r.heldDescriptors)
	}
}

// countHeld counts the descriptors of processes that a reader keeps.
func countHeld(r *Reader) int {
	n := 0
	for _, t := range r.processes {
		for _, fd := range [...]int{t.stat, t.dir, t.fds, t.thread} {
			if fd >= 0 {
				n++
			}
		}
	}
	return n
}

func TestCloseLeavesNothingOpen(t *testing.T) {
	before := ownDescriptors(t)
	for range 3 {
		r, err := NewReader(realConfig)
		if err != nil {
			t.Fatal(err)
		}
		take(t, r)
		if r.heldDescriptors == 0 {
			t.Error("nothing held")
		}
		r.Close()
		if r.heldDescriptors != 0 {
			t.Errorf("%d still held", r.heldDescriptors)
		}
	}
	if after := ownDescriptors(t); after != before {
		t.Errorf("%d descriptors, were %d", after, before)
	}
}
