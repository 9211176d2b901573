package service

import (
	"strings"
	"testing"

	"server-monitor/internal/process"
)

func TestIs(t *testing.T) {
	cases := []struct {
		comm, name, script string
		program            string
		want               bool
	}{
		{"nginx", "nginx", "", "nginx", true},
		{"nginx", "nginx", "", "ngin", false},
		{"nginx", "nginx", "", "nginx2", false},
		{"nginx", "nginx", "", "", false},
		{"nginx-debug", "nginx-debug", "", "nginx", false},
		// Versions, as distributions write them.
		{"python3.11", "python3.11", "", "python", true},
		{"python3.11", "python3.11", "", "python3", true},
		{"python3.11", "python3.11", "", "python3.11", true},
		{"python3.11", "python3.11", "", "python3.1", false},
		{"python3.11", "python3.11", "", "python2", false},
		{"python3-config", "python3-config", "", "python3", false},
		{"php-fpm8.2", "php-fpm8.2", "", "php-fpm", true},
		{"php-fpm8.2", "php-fpm8.2", "", "php", false},
		{"postgres-15", "postgres-15", "", "postgres", true},
		{"7z", "7z", "", "7z", true},
		{"h2", "h2", "", "h", true},
		// What the kernel calls it: of longer names, the beginning.
		{"worker", "node", "", "worker", true},
		{"very-long-daemo", "launcher", "", "very-long-daemon", true},
		{"very-long-daem", "launcher", "", "very-long-daemon", false},
		// Scripts.
		{"fail2ban-server", "python3.11", "/usr/bin/fail2ban-server", "fail2ban-server", true},
		{"python3", "python3.11", "/opt/app/worker.py", "worker", true},
		{"python3", "python3.11", "/opt/app/worker.py", "worker.py", true},
		{"python3", "python3.11", "worker.py", "worker", true},
		{"python3", "python3.11", "/opt/worker/main.py", "worker", false},
		{"python3", "python3.11", "/opt/app/worker.py", "python", true},
		{"python3", "python3.11", ".", "worker", false},
		// Windows.
		{"nginx.exe", "nginx.exe", "", "nginx", true},
		{"Python.EXE", "Python.EXE", "", "python", true},
		{"Nginx", "Nginx", "", "nginx", false},
		{".exe", ".exe", "", "", false},
	}
	for _, c := range cases {
		p := &process.Process{Comm: c.comm, Facts: &process.Facts{Name: c.name, Script: c.script}}
		if got := is(p, c.program); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestKnownServices(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range knownServices {
		for _, name := range k.names {
			if seen[name] {
				t.Errorf("%s is listed twice", name)
			}
			seen[name] = true
		}
		if len(k.programs) == 0 {
			t.Errorf("%v cannot be found among processes", k.names)
		}
		for _, unit := range k.units {
			if !canBeUnit(unit) {
				t.Errorf("%s cannot be a unit", unit)
			}
		}
	}
	if k := knownAs("haproxy"); len(k.units) != 1 || k.units[0] != "haproxy" || k.programs[0] != "haproxy" {
		t.Errorf("%+v", k)
	}
}

func FuzzIs(f *testing.F) {
	f.Add("python3.11", "python3.11", "/opt/a.py", "python")
	f.Add("very-long-daemo", "x.exe", "..", "very-long-daemon")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, comm, name, script, program string) {
		p := &process.Process{Comm: comm, Facts: &process.Facts{Name: name, Script: script}}
		found := is(p, program)
		if found && program == "" && script == "" && comm != "" {
			t.Errorf("%q is called nothing", comm)
		}
		if isCalled(name, program) && !strings.HasPrefix(withoutExe(name), program) {
			t.Errorf("%q is not %q", name, program)
		}
		if name != "" && withoutExe(name) == name && !isCalled(name, name) {
			t.Errorf("%q is not itself", name)
		}
	})
}

// TestBeginAlikeLosesNothing compares with the full comparison.
func TestBeginAlikeLosesNothing(t *testing.T) {
	names := []string{"", "sshd", "SSHD.EXE", "sshd.exe", "Python3.11", "python3.11", "python", "@x", "`x", "nginx: master", "서버", "a", "unattended-upgr"}
	programs := []string{"sshd", "python", "python3", "nginx", "@x", "서버", "a", "unattended-upgrades"}
	for _, name := range names {
		for _, program := range programs {
			if (isCalled(name, program) || process.IsComm(name, program)) && !beginAlike(name, program) {
				t.Errorf("%q is %q, but does not begin alike", name, program)
			}
		}
	}
}
