package doctor

import (
	"errors"
	"strings"
	"testing"

	"server-monitor/internal/token"
)

// healthyWindows are the facts of a Windows on which all works.
func healthyWindows() *Facts {
	f := healthy()
	f.Native = false
	f.Windows = &Windows{Elevated: true, Debug: true, Services: 200, Installed: true}
	return f
}

func TestWindows(t *testing.T) {
	refused := errors.New("access is denied")
	for _, test := range []struct {
		name   string
		change func(*Facts)
		check  string
		level  Level
		remedy string
	}{
		{"healthy", func(*Facts) {}, "", OK, ""},
		{"no administrator", func(f *Facts) { f.Windows.Elevated = false }, "windows.elevation", Degraded, "as administrator"},
		{"token", func(f *Facts) { f.Windows.TokenErr = refused }, "windows.elevation", Degraded, "as administrator"},
		{"privilege", func(f *Facts) { f.Windows.Debug = false }, "windows.privilege", Degraded, "sc.exe qprivs"},
		{"services", func(f *Facts) { f.Windows.ServicesErr = refused }, "windows.services", Failed, "sdshow"},
		{"events", func(f *Facts) { f.Windows.EventsErr = refused }, "windows.events", Degraded, "uninstall"},
		{"events of no service", func(f *Facts) { f.Windows.EventsErr, f.Windows.Installed = refused, false }, "", OK, ""},
		{"tokens", func(f *Facts) { f.Tokens.Err = token.ErrReadableByOthers }, "tokens", Failed, "icacls"},
	} {
		f := healthyWindows()
		test.change(f)
		var ill []Finding
		for _, found := range Examine(f) {
			if found.Level != OK {
				ill = append(ill, found)
			}
		}
		switch {
		case test.check == "" && len(ill) == 0:
		case len(ill) != 1 || ill[0].Check != test.check || ill[0].Level != test.level || !strings.Contains(ill[0].Remedy.English, test.remedy) ||
			ill[0].Found.Korean == "" || ill[0].Remedy.Korean == "":
			t.Errorf("%s: %+v", test.name, ill)
		}
	}
	if found := Examine(healthy()); len(found) == 0 || strings.HasPrefix(found[0].Check, "windows.") {
		t.Error("Windows is judged where there is none")
	}
}
