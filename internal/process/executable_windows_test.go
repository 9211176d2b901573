package process

import "testing"

func TestUnderSystem(t *testing.T) {
	for exe, want := range map[string]bool{
		"C:/Windows/System32/svchost.exe":    true,
		"c:/program files/nginx/nginx.exe":   true,
		"C:/Program Files (x86)/App/app.exe": true,
		"C:/Windows/Temp/svchost.exe":        false,
		"C:/WindowsX/svchost.exe":            false,
		"C:/Users/m/svchost.exe":             false,
		"D:/Windows/System32/svchost.exe":    false,
		"":                                   false,
	} {
		if got := underSystem(exe); got != want {
			t.Errorf("underSystem(%q) = %v", exe, got)
		}
	}
}
