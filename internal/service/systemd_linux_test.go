package service

import (
	"context"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/google/go-cmp/cmp"
)

func TestSystemdStates(t *testing.T) {
	f := newFakeSystemd(t,
		fakeOf("nginx.service", "loaded active running", running(2)),
		fakeOf("boot.service", "loaded active exited", running(3)),
		fakeOf("job.service", "loaded activating start", running(1)),
		fakeOf("loop.service", "loaded activating auto-restart", running(7)),
		fakeOf("last.service", "loaded deactivating stop-sigterm", running(1)),
		fakeOf("hup.service", "loaded reloading reload", running(1)),
		fakeOf("ext.service", "loaded refreshing refresh-extensions", running(1)),
		fakeOf("clean.service", "loaded maintenance cleaning", nil),
		fakeOf("odd.service", "loaded hovering mid-air", nil),
		fakeOf("broken.service", "loaded failed failed", nil),
		fakeOf("timer-job.service", "loaded inactive dead", nil),
		fakeOf("typo.service", "bad-setting inactive dead", nil),
		fakeOf("forbidden.service", "masked inactive dead", nil),
		fakeOf("forbidden-late.service", "masked active running", running(1)),
		fakeOf("removed-late.service", "not-found active running", running(1)),
		fakeOf("removed-failed.service", "not-found failed failed", nil),
		fakeOf("wished-for.service", "not-found inactive dead", nil),
		fakeOf("getty@tty1.service", "loaded active running", running(1)),
		fakeOf(`fsck@dev-disk-by\x2duuid-1.service`, "loaded active exited", running(1)),
		fakeOf("ssh.socket", "loaded active listening", nil),
	)
	got := asked(t, f.manager(Config{}))
	want := map[string]State{
		"nginx": Active, "boot": Active, "job": Activating, "loop": Activating, "last": Deactivating,
		"hup": Reloading, "ext": Reloading, "clean": Inactive, "odd": Unsupported, "broken": Failed,
		"timer-job": Inactive, "typo": Inactive, "forbidden-late": Active, "removed-late": Active,
		"removed-failed": Failed, "getty@tty1": Active, `fsck@dev-disk-by\x2duuid-1`: Active,
	}
	if diff := cmp.Diff(want, states(got)); diff != "" {
		t.Error(diff)
	}
	if sub := got["typo"].Sub; sub != "bad-setting" {
		t.Errorf("sub state of a unit that cannot be loaded: %q", sub)
	}
	for name, s := range got {
		if s.Source != Systemd || s.Configured || s.Health() == Bad != (s.State == Failed) {
			t.Errorf("%s: source %s, configured %v, health %v", name, s.Source, s.Configured, s.Health())
		}
	}
}

func TestSystemdFacts(t *testing.T) {
	properties := running(2)
	properties["InactiveExitTimestamp"] = uint64(1_700_000_000_000_000)
	properties["ActiveExitTimestamp"] = uint64(1_700_000_009_000_000)
	properties["InactiveEnterTimestamp"] = uint64(1_700_000_010_000_000)
	entered, restarts, memory, cpu, tasks := time.UnixMicro(1_700_000_000_250_002), uint64(2), uint64(2<<20), 3.0, uint64(2)
	began := time.UnixMicro(1_700_000_000_000_000)
	cases := []struct {
		states string
		want   Service
	}{
		{"loaded active running", Service{State: Active, Since: entered, MainPID: 1002, StartTime: &entered,
			Restarts: &restarts, MemoryBytes: &memory, CPUSeconds: &cpu, Tasks: &tasks}},
		{"loaded reloading reload", Service{State: Reloading, Since: entered, MainPID: 1002, StartTime: &entered,
			Restarts: &restarts, MemoryBytes: &memory, CPUSeconds: &cpu, Tasks: &tasks}},
		{"loaded activating start", Service{State: Activating, Since: began, MainPID: 1002, StartTime: &began,
			Restarts: &restarts, MemoryBytes: &memory, CPUSeconds: &cpu, Tasks: &tasks}},
		{"loaded deactivating stop", Service{State: Deactivating, Since: time.UnixMicro(1_700_000_009_000_000), MainPID: 1002,
			StartTime: &entered, Restarts: &restarts, MemoryBytes: &memory, CPUSeconds: &cpu, Tasks: &tasks}},
		{"loaded failed failed", Service{State: Failed, Since: time.UnixMicro(1_700_000_010_000_000), MainPID: 1002, Restarts: &restarts}},
		{"loaded active exited", Service{State: Active, Since: entered, StartTime: &entered}},
		// Nobody asks for the properties of what does nothing.
		{"loaded inactive dead", Service{State: Inactive}},
	}
	for _, c := range cases {
		t.Run(c.states, func(t *testing.T) {
			f := newFakeSystemd(t, fakeOf("a.service", c.states, properties))
			c.want.Name, c.want.Description, c.want.Source = "a", "the a.service", Systemd
			c.want.Sub = strings.Fields(c.states)[2]
			if diff := cmp.Diff(c.want, asked(t, f.manager(Config{}))["a"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What systemd does not account for is the highest number, and an old systemd
// does not have every property.
func TestSystemdFactsThatAreMissing(t *testing.T) {
	f := newFakeSystemd(t, fakeOf("a.service", "loaded active running", map[string]any{
		"ActiveEnterTimestamp": uint64(0),
		"MemoryCurrent":        uint64(math.MaxUint64),
		"CPUUsageNSec":         uint64(math.MaxUint64),
		"TasksCurrent":         uint64(math.MaxUint64),
		"MainPID":              "a word",
	}))
	want := Service{Name: "a", State: Active, Sub: "running", Description: "the a.service", Source: Systemd}
	if diff := cmp.Diff(want, asked(t, f.manager(Config{}))["a"]); diff != "" {
		t.Error(diff)
	}
}

func TestSystemdConfigured(t *testing.T) {
	stopped := fakeOf("docker.service", "loaded inactive dead", map[string]any{"InactiveEnterTimestamp": uint64(5e15)})
	stopped.onDisk = true
	f := newFakeSystemd(t,
		fakeOf("ssh.service", "loaded active running", running(1)),
		fakeOf("nginx.service", "masked inactive dead", nil),
		fakeOf("mariadb.service", "loaded active running", running(2)),
		fakeOf("rsyslog.service", "loaded active running", running(3)),
		fakeOf("httpd.service", "not-found inactive dead", nil),
		fakeOf("apache2.service", "loaded failed failed", nil),
		fakeOf("getty@tty1.service", "loaded active running", running(1)),
		stopped,
	)
	f.aliases["syslog.service"] = "rsyslog.service"
	got := asked(t, f.manager(Config{
		Exclude: regexp.MustCompile("^.+$"),
		Configured: []string{
			"sshd", "nginx.service", "nginx", "docker", "syslog", "mysql", "httpd", "python", "absent",
			"getty@tty1", "template@", "a b\n", "../../etc", "",
		},
	}))
	want := map[string]State{
		"sshd": Active, "nginx": Inactive, "docker": Inactive, "syslog": Active, "mysql": Active, "httpd": Failed,
		"python": NotFound, "absent": NotFound, "getty@tty1": Active, "template@": NotFound, `a b\n`: NotFound, "../../etc": NotFound,
	}
	if diff := cmp.Diff(want, states(got)); diff != "" {
		t.Error(diff)
	}
	for name, s := range got {
		if !s.Configured || s.Source != Systemd {
			t.Errorf("%s: configured %v, source %s", name, s.Configured, s.Source)
		}
	}
	if s := got["nginx"]; s.Sub != "masked" || s.Health() != Bad {
		t.Errorf("masked: %+v", s)
	}
	if s := got["absent"]; s.Sub != "" || s.Description != "" || s.Health() != Bad {
		t.Errorf("absent: %+v", s)
	}
	if got["docker"].Since.IsZero() || got["sshd"].MainPID != 1001 || got["syslog"].MainPID != 1003 {
		t.Errorf("facts of configured services are missing: %+v", got)
	}
}

// A unit is reported once, under the name that somebody configured; two
// configured names for it are both reported.
func TestSystemdReportsAliasesOnce(t *testing.T) {
	f := newFakeSystemd(t, fakeOf("ssh.service", "loaded active running", running(1)))
	if got := states(asked(t, f.manager(Config{Configured: []string{"sshd"}}))); !cmp.Equal(got, map[string]State{"sshd": Active}) {
		t.Errorf("%v", got)
	}
	got := states(asked(t, f.manager(Config{Configured: []string{"sshd", "ssh", "ssh.service"}})))
	if !cmp.Equal(got, map[string]State{"sshd": Active, "ssh": Active}) {
		t.Errorf("%v", got)
	}
}

func TestSystemdPatterns(t *testing.T) {
	var units []fakeUnit
	for _, name := range []string{"cron", "dbus", "getty@tty1", "getty@tty2", "systemd-journald", "systemd-logind"} {
		units = append(units, fakeOf(name+".service", "loaded active running", running(1)))
	}
	f := newFakeSystemd(t, units...)
	cases := []struct{ include, exclude, want string }{
		{"", "", "cron dbus getty@tty1 getty@tty2 systemd-journald systemd-logind"},
		{"^.+$", "^$", "cron dbus getty@tty1 getty@tty2 systemd-journald systemd-logind"},
		{`^getty@.+\.service$`, "", "getty@tty1 getty@tty2"},
		{"", "^systemd-.*$", "cron dbus getty@tty1 getty@tty2"},
		{"^(cron|getty.*)$", "^getty@tty2$", "cron getty@tty1"},
		{"^ron$", "", ""},
	}
	for _, c := range cases {
		t.Run(c.include+" "+c.exclude, func(t *testing.T) {
			var config Config
			if c.include != "" {
				config.Include = regexp.MustCompile(c.include)
			}
			if c.exclude != "" {
				config.Exclude = regexp.MustCompile(c.exclude)
			}
			f.with(func() { clear(f.asked) })
			services, err := f.manager(config).Services(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range services {
				names = append(names, s.Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			f.with(func() {
				if len(f.asked) != len(services) {
					t.Errorf("properties of %d units were read for %d", len(f.asked), len(services))
				}
			})
		})
	}
}

// One question lists the units; another is asked for a configured name only
// where that does not answer it. What holds until the state changes is asked for
// once.
func TestSystemdAsksLittle(t *testing.T) {
	f := newFakeSystemd(t,
		fakeOf("nginx.service", "loaded active running", dated(running(1), 7, "")),
		fakeOf("idle.service", "loaded inactive dead", nil),
		fakeOf("absent.service", "not-found inactive dead", nil),
	)
	m := f.manager(Config{Configured: []string{"nginx", "absent", "python"}})
	for range 3 {
		asked(t, m)
	}
	want := map[string]int{
		"Hello": 2, "AddMatch": 1, // go-systemd opens two connections, once
		"ListUnitsByPatterns": 3, "StateChangeTimestampMonotonic": 3,
		"ActiveEnterTimestamp": 1, "MainPID": 1, "NRestarts": 1, "ControlGroup": 1,
		"MemoryCurrent": 3, "CPUUsageNSec": 3, "TasksCurrent": 3,
	}
	f.with(func() {
		if diff := cmp.Diff(want, f.calls); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSystemdHostileTexts(t *testing.T) {
	u := fakeOf("evil.service", "loaded active running", running(1))
	u.Description = "red \x1b[31m\n\u202egnp.exe\u200b" + strings.Repeat("가", 5000)
	u.SubState = "run\x07ning"
	u.Name = "evil\n.service"
	f := newFakeSystemd(t, u)
	services := asked(t, f.manager(Config{}))
	s, ok := services[`evil\n`]
	if !ok || s.Sub != `run\x07ning` || !strings.HasPrefix(s.Description, `red \x1b[31m\n\u202egnp.exe\u200b가`) {
		t.Errorf("%+v", services)
	}
}

func TestSystemdManyUnits(t *testing.T) {
	var units []fakeUnit
	for i := range 200 {
		id := "worker@" + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".service"
		units = append(units, fakeOf(id, "loaded active running", running(uint64(i))))
	}
	f := newFakeSystemd(t, units...)
	for name, s := range asked(t, f.manager(Config{Timeout: time.Minute})) {
		if s.MemoryBytes == nil || *s.MemoryBytes>>20 != *s.Tasks || s.MainPID != 1000+int(*s.Tasks) {
			t.Fatalf("%s has facts of several units: %+v", name, s)
		}
	}
}

func TestSystemdWithEndedContext(t *testing.T) {
	f := newFakeSystemd(t, fakeOf("a.service", "loaded active running", running(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.manager(Config{}).Services(ctx); err == nil {
		t.Error("no error")
	}
}

// Whatever systemd says of a unit, it can be shown.
func FuzzUnitOf(f *testing.F) {
	f.Add("nginx.service", "a web server", "loaded", "active", "running")
	f.Add("\xff.service", "\u202e", "not-found", "inactive", "dead\n")
	f.Fuzz(func(t *testing.T, id, description, load, active, sub string) {
		u, ok := unitOf(systemd.UnitStatus{Name: id, Description: description, LoadState: load, ActiveState: active, SubState: sub})
		if ok != (strings.HasSuffix(id, ".service") && id != ".service") {
			t.Errorf("%q: %v", id, ok)
		}
		if ok {
			byName(t, []Service{u.Service})
		}
	})
}
