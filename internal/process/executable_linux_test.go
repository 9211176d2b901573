package process

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

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

// TestReaderWithItsOwnTemporaryFolder runs a reader as systemd does with
// PrivateTmp, and has it look at a program in the host's folder. The host is a
// pid namespace whose first process the test may look at.
func TestReaderWithItsOwnTemporaryFolder(t *testing.T) {
	needRoot(t)
	folder := folderIn(t, os.TempDir())
	program := copyTo(t, filepath.Join(folder, "tool"), 0o755)
	if err := os.Chmod(folder, 0o777); err != nil { //nolint:gosec // so that everyone may write to it
		t.Fatal(err)
	}
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

// TestExecutionLoop reads a process that does nothing but execute one program
// after the other, which are the same file under two names. What is known of it
// must not be of both, unless it is not trusted.
func TestExecutionLoop(t *testing.T) {
	needRoot(t)
	folder := folderIn(t, "/usr/lib")
	one, other, script := filepath.Join(folder, "one"), filepath.Join(folder, "other"), filepath.Join(folder, "script")
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Skip(err)
	}
	loop := "if [ $1 = 1 ]; then exec " + other + " " + script + " 2; fi\nexec " + one + " " + script + " 1\n"
	for name, content := range map[string]string{one: string(shell), other: string(shell), script: loop} {
		if err := os.WriteFile(name, []byte(content), 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), one, script, "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	r, h := realReader(t), openHandle(t, cmd.Process.Pid)
	seen := map[string]int{}
	for range 300 {
		for what, facts := range map[string]*Facts{"snapshot": look(t, r, cmd.Process.Pid).Facts, "handle": factsOf(t, h)} {
			if facts == nil {
				continue
			}
			seen[facts.Name]++
			if facts.File.Trusted && facts.Argv0 != facts.Exe {
				t.Errorf("%s: executes %s, called %s", what, facts.Exe, facts.Argv0)
			}
		}
	}
	if seen["one"] == 0 || seen["other"] == 0 {
		t.Errorf("saw %v", seen)
	}
}

// factsOf are the facts of a handle, nil where it found none that hold together.
func factsOf(t *testing.T, h *Handle) *Facts {
	t.Helper()
	live, err := h.Facts()
	if errors.Is(err, ErrUnsteady) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if live.Argv0 != live.Exe {
		t.Errorf("handle: executes %s, called %s", live.Exe, live.Argv0)
	}
	return live.Facts
}
