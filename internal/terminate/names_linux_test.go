package terminate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A user makes a process look like sshd. None of that gives it a trusted name:
// nobody can name it so, and automation that may end sshd may not end it.
// Where policy protects sshd it is refused under that alias, which is told.
func TestForgedNames(t *testing.T) {
	needRoot(t)
	binary := mustExecutable(t)
	for _, test := range []struct {
		name      string
		behaviour string
		options   []option
		gone      bool // its file is removed
		// alias tells whether the name is one that denials go by.
		alias bool
	}{
		{"by prctl", "rename sshd", nil, false, true},
		{"by the first argument", "obey", []option{program("/proc/self/exe", "sshd")}, false, true},
		{"by the title of its arguments", "obey", []option{program("/proc/self/exe", "sshd: kim@pts/0")}, false, true},
		{"by a copy", "obey", []option{program(copyOf(t, binary, "sshd", 0o755))}, false, true},
		{"by a copy whose file is gone", "obey", []option{program(copyOf(t, binary, "sshd", 0o755))}, true, true},
		{"by a memfd", "obey", []option{memfd(t, "sshd", binary)}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := start(t, test.behaviour, test.options...)
			if test.gone {
				if err := os.Remove(v.cmd.Path); err != nil {
					t.Fatal(err)
				}
			}
			if names := looks(t, v.pid); !strings.Contains(names, "sshd") {
				t.Fatalf("it does not look like sshd: %s", names)
			}
			byName, _ := newRealTerminator(t, patient)
			r := byName.Terminate(t.Context(), Request{PID: v.pid, Name: "sshd"})
			if !slices.Equal(Codes(r.Reasons), []Code{CodeNameMismatch}) {
				t.Errorf("by its name: %s %v", r.Outcome, r.Reasons)
			}
			automatic, _ := newRealTerminator(t, func(c *Config) { c.Policy = fresh(allowing("sshd")) })
			request := v.request()
			request.Actor.Automation = true
			if r = automatic.Terminate(t.Context(), request); !slices.Equal(Codes(r.Reasons), []Code{CodeNotAutomatic}) {
				t.Errorf("by automation: %s %v", r.Outcome, r.Reasons)
			}
			protecting, _ := newRealTerminator(t, func(c *Config) { c.Policy = fresh(protecting("sshd")); patient(c) })
			r = protecting.Terminate(t.Context(), v.request())
			if test.alias && (!slices.Equal(Codes(r.Reasons), []Code{CodePolicyDenied}) || !r.Policy.Untrusted) {
				t.Errorf("where sshd is protected: %s %v, %+v", r.Outcome, r.Reasons, r.Policy)
			}
			if !test.alias && r.Outcome != Terminated {
				t.Errorf("where sshd is protected: %s %v", r.Outcome, r.Reasons)
			}
		})
	}
}

// TestTrustedName is the opposite: a program of the system has the name that
// its file proves.
func TestTrustedName(t *testing.T) {
	v := sleeper(t, "1000")
	terminator, _ := newRealTerminator(t, func(c *Config) { c.Policy = fresh(allowing("sleep")); patient(c) })
	request := Request{PID: v.pid, Name: "sleep", Actor: Actor{Automation: true}}
	if r := terminator.Terminate(t.Context(), request); r.Outcome != Terminated || r.Subject.TrustedName != "sleep" {
		t.Errorf("%s %v, %+v", r.Outcome, r.Reasons, r.Subject)
	}
}

// A user makes namespaces in which a program of their own is at the path of
// one of the system's.
func TestBindMount(t *testing.T) {
	v := start(t, "", program("/usr/bin/unshare", "unshare", "--user", "--map-root-user", "--mount",
		"sh", "-c", "mount --bind "+copyOf(t, "/usr/bin/sleep", "miner", 0o755)+" /usr/bin/dbus-daemon && exec /usr/bin/dbus-daemon 1000"))
	eventually(t, "the program", func() bool {
		exe, err := os.Readlink("/proc/" + strconv.Itoa(v.pid) + "/exe")
		return err == nil && strings.HasSuffix(exe, "dbus-daemon") || !v.living()
	})
	if !v.living() {
		t.Skip("users may not make namespaces here")
	}
	terminator, _ := newRealTerminator(t, func(c *Config) { c.Policy = fresh(allowing("dbus-daemon")) })
	request := v.request()
	request.Actor.Automation = true
	r := terminator.Terminate(t.Context(), request)
	if !slices.Equal(Codes(r.Reasons), []Code{GuardForeignMount}) || r.Subject.TrustedName != "" {
		t.Errorf("%s %v, trusted name %q", r.Outcome, r.Reasons, r.Subject.TrustedName)
	}
}

// A program under /home is one like any other; so is one that only says so.
func TestUnderHome(t *testing.T) {
	needRoot(t)
	folder, err := os.MkdirTemp("/home", "smtest")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := filepath.Join(folder, "tool")
	if err := os.Rename(copyOf(t, mustExecutable(t), "tool", 0o755), path); err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // others run what is in it
		t.Fatal(err)
	}
	terminator, _ := newRealTerminator(t, patient)
	v := start(t, "obey", program(path))
	if r := terminator.Terminate(t.Context(), v.request()); r.Outcome != Terminated || r.Subject.Exe != path {
		t.Errorf("in a session: %s %v, %s", r.Outcome, r.Reasons, r.Subject.Exe)
	}
	v = start(t, "obey", program(path)).moveTo("system.slice/smtest.service")
	if r := terminator.Terminate(t.Context(), v.request()); !slices.Equal(Codes(r.Reasons), []Code{GuardSystemSlice}) {
		t.Errorf("in a service: %s %v", r.Outcome, r.Reasons)
	}
}

// looks are the names of a process that it chose itself.
func looks(t *testing.T, pid int) string {
	t.Helper()
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	comm, err := os.ReadFile(filepath.Join(folder, "comm"))
	if err != nil {
		t.Fatal(err)
	}
	line, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
	exe, _ := os.Readlink(filepath.Join(folder, "exe"))
	return fmt.Sprintf("%q %q %q", comm, line, exe)
}

// memfd runs a file from memory, under a name.
func memfd(t *testing.T, name, path string) option {
	t.Helper()
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		t.Skip(err)
	}
	file := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { file.Close() })
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(text); err != nil {
		t.Fatal(err)
	}
	return func(cmd *exec.Cmd) {
		cmd.ExtraFiles = []*os.File{file}
		cmd.Path = "/proc/self/fd/3"
	}
}
