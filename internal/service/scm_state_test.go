package service

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSCMState(t *testing.T) {
	for _, c := range []struct {
		state, exit uint32
		want        State
		words       string
	}{
		{4, 0, Active, "running"},
		{2, 0, Activating, "start pending"},
		{3, 0, Deactivating, "stop pending"},
		{5, 0, Activating, "continue pending"},
		{6, 0, Deactivating, "pause pending"},
		{7, 0, Idle, "paused"},
		{1, 0, Inactive, "stopped"},
		{1, 1077, Inactive, "stopped"},
		{1, 1115, Inactive, "stopped"},
		{1, 1067, Failed, "stopped"}, // its process ended without a word
		{1, 1066, Failed, "stopped"}, // an error of its own
		{4, 1067, Active, "running"}, // from an earlier end
		{0, 0, Unsupported, ""},
		{8, 5, Unsupported, ""},
	} {
		if state, words := scmState(c.state, c.exit); state != c.want || words != c.words {
			t.Errorf("state %d, exit code %d: %s %q, want %s %q", c.state, c.exit, state, words, c.want, c.words)
		}
	}
}

func TestSCMStartType(t *testing.T) {
	for kind, want := range map[uint32]string{0: "", 1: "", 2: "auto", 3: "demand", 4: "disabled", 5: ""} {
		if got := scmStartType(kind, false); got != want {
			t.Errorf("%d: %q, want %q", kind, got, want)
		}
	}
	if got := scmStartType(scmAutoStart, true); got != "delayed-auto" {
		t.Errorf("delayed: %q", got)
	}
}

func TestSCMPick(t *testing.T) {
	all := []scmService{
		{name: "Spooler", display: "Print Spooler", state: scmRunning, pid: 7},
		{name: "EventLog", display: "Windows Event Log", state: scmRunning, pid: 9},
		{name: "sshd", display: "OpenSSH \x1b[31mServer", state: scmStopped, exit: 1067},
		{name: "Fax", display: "Fax", state: scmStopped, exit: exitNeverStarted},
	}
	brief := func(config Config) map[string]Service {
		got := make(map[string]Service)
		for _, s := range scmPick(config, all) {
			if _, twice := got[s.Name]; twice {
				t.Errorf("%s twice", s.Name)
			}
			got[s.Name] = s
		}
		return got
	}
	want := map[string]Service{
		"EventLog": {Name: "EventLog", State: Active, Sub: "running", Source: SCM, Description: "Windows Event Log", MainPID: 9, Configured: true},
		"sshd":     {Name: "sshd", State: Failed, Sub: "stopped", Source: SCM, Description: `OpenSSH \x1b[31mServer`, Configured: true},
		"absent":   {Name: "absent", State: NotFound, Source: SCM, Configured: true},
		"Fax":      {Name: "Fax", State: Inactive, Sub: "stopped", Source: SCM, Description: "Fax"},
	}
	config := Config{
		Configured: []string{"eventlog", "EVENTLOG", "ssh", "absent"}, // as people write them
		Exclude:    regexp.MustCompile("^Spool"),
	}
	if diff := cmp.Diff(want, brief(config)); diff != "" {
		t.Error(diff)
	}
	config = Config{Include: regexp.MustCompile("^nothing$")}
	if got := brief(config); len(got) != 0 {
		t.Errorf("%v", got)
	}
	services := scmPick(Config{}, all)
	if len(services) != 4 || services[0].Name != "EventLog" || services[3].Name != "sshd" {
		t.Errorf("%+v", services)
	}
}
