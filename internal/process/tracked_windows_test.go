package process

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// TestPartsOfTheKernel takes over what wine does not have: processes that are
// the kernel, and such of its parts as have no threads or no file.
func TestPartsOfTheKernel(t *testing.T) {
	r := newReader(t)
	name := func(text string) []uint16 {
		wide, err := windows.UTF16FromString(text)
		if err != nil {
			t.Fatal(err)
		}
		return wide[:len(wide)-1]
	}
	update := func(raw rawProcess) (Process, error) {
		r.sequence++
		return r.update(&raw, nil, time.Now())
	}
	idle, err := update(rawProcess{pid: 0, threads: 8, cpu: 1e12, state: Running})
	if err != nil || idle.Comm != "System Idle Process" || !idle.Kernel || idle.CPUSeconds != 0 || idle.User == "" || idle.Denied != 0 {
		t.Errorf("%v %+v", err, idle)
	}
	system, err := update(rawProcess{pid: 4, threads: 150, cpu: 5e7, name: name("System"), created: 1, state: Sleeping})
	if err != nil || system.Name != "System" || !system.Kernel || system.CPUSeconds != 5 || system.Windows.SID != SIDSystem || system.Windows.Session != 0 {
		t.Errorf("%v %+v", err, system)
	}
	// Of a process that has ended nothing is asked, though its pid be there.
	ended, err := update(rawProcess{pid: os.Getpid(), name: name("gone.exe"), created: 1, state: Zombie})
	if err != nil || ended.State != Zombie || ended.Exe != "" || ended.Name != "gone.exe" || ended.Denied != 0 {
		t.Errorf("%v %+v", err, ended)
	}
	// Another process that has the pid by now tells nothing of the one in the list.
	if p, err := update(rawProcess{pid: os.Getpid(), name: name("other.exe"), created: 2, threads: 1, state: Sleeping}); err == nil {
		t.Errorf("%+v", p)
	}
	if got := session(int(^uint32(0))); got != -1 {
		t.Errorf("session %d", got)
	}
}

// TestSettleCountsDenied counts a denied fact when it is new.
func TestSettleCountsDenied(t *testing.T) {
	count := map[string]uint64{}
	p := &tracked{}
	for _, step := range []struct {
		denied  Denied
		changed bool
		user    uint64
	}{{0, true, 0}, {DeniedUser, true, 1}, {DeniedUser, false, 1}, {0, true, 1}, {DeniedUser | DeniedExe, true, 2}} {
		changed := p.settle(&Facts{Name: "x.exe", Windows: &Windows{}}, step.denied, count)
		if changed != step.changed || count["user"] != step.user {
			t.Errorf("%v: changed %v, counted %v", step.denied, changed, count)
		}
	}
}
