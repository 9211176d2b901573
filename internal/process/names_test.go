package process

import (
	"strings"
	"testing"
)

func TestIsComm(t *testing.T) {
	cases := []struct {
		comm, name string
		want       bool
	}{
		{"sshd", "sshd", true},
		{"ssh", "sshd", false},
		{"sshd", "ssh", false},
		{"systemd-journal", "systemd-journald", true},
		{"systemd-journal", "systemd-journal", true},
		{"systemd-journa", "systemd-journald", false},
		{"systemd-journax", "systemd-journald", false},
		{"", "", true},
		{"", "sshd", false},
	}
	for _, c := range cases {
		if got := IsComm(c.comm, c.name); got != c.want {
			t.Errorf("IsComm(%q, %q) = %v", c.comm, c.name, got)
		}
	}
}

func TestWithoutVersion(t *testing.T) {
	for name, want := range map[string]string{
		"python3.11": "python", "php-fpm8.2": "php-fpm", "postgres": "postgres", "mongod-7.0": "mongod", "7z": "7z", "3.11": "3.11", "": "", "-": "-", "python": "python",
	} {
		if got := WithoutVersion(name); got != want {
			t.Errorf("WithoutVersion(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNameOf(t *testing.T) {
	cases := []struct{ exe, comm, want string }{
		{"/usr/sbin/sshd", "x", "sshd"},
		{"", "kworker/0:1", "kworker/0:1"},
		{"(path longer than 4096 bytes)", "x", "x"},
		{"(unreachable)/usr/bin/y", "x", "x"},
		{"/memfd:x", "y", "memfd:x"},
		{"/memfd:/usr/sbin/sshd", "sshd", "memfd:sshd"},
		{"/memfd:", "y", "memfd:"},
		{"/home/m/ ", "x", " "},
	}
	for _, c := range cases {
		if got := nameOf(c.exe, c.comm); got != c.want {
			t.Errorf("nameOf(%q, %q) = %q, want %q", c.exe, c.comm, got, c.want)
		}
	}
}

func TestDenied(t *testing.T) {
	var all []string
	for fact := range anyDenied.All() {
		all = append(all, fact.String())
	}
	if got := strings.Join(all, " "); got != "exe namespaces sockets cgroup user protection" {
		t.Errorf("%q", got)
	}
	for fact := range (DeniedSockets | DeniedCgroup).All() {
		if fact != DeniedSockets { // the first; then stop
			t.Errorf("%v", fact)
		}
		break
	}
	for fact := range Denied(0).All() {
		t.Errorf("%v in nothing", fact)
	}
	if got := (DeniedExe | DeniedCgroup).String(); got != "" {
		t.Errorf("two facts have a name: %q", got)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("/usr/sbin/sshd", "sshd")
	f.Add("/memfd:/a/b", "")
	f.Add("(x)/y", "z")
	f.Fuzz(func(t *testing.T, exe, comm string) {
		name := nameOf(exe, comm)
		if name != comm && (!strings.HasPrefix(exe, "/") || strings.Contains(strings.Trim(name, "/"), "/")) {
			t.Errorf("nameOf(%q, %q) = %q", exe, comm, name)
		}
		if short := WithoutVersion(name); !strings.HasPrefix(name, short) || short == "" && name != "" {
			t.Errorf("WithoutVersion(%q) = %q", name, short)
		}
		if !IsComm(name, name) {
			t.Errorf("IsComm(%q, %q) is false", name, name)
		}
	})
}
