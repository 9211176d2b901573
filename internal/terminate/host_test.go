package terminate

import "testing"

func TestParseLoginDefs(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       UIDRange
	}{
		{"empty", "", DefaultLogin},
		{"of Debian", "# comment\nUID_MIN\t\t\t 1000\nUID_MAX\t\t\t60000\n#SYS_UID_MIN 100\nSUB_UID_MIN 100000\n", DefaultLogin},
		{"lower", "UID_MIN 500\nUID_MAX 999999\n", UIDRange{500, 999999}},
		{"last holds", "UID_MIN 500\nUID_MIN 2000\n", UIDRange{2000, 60000}},
		{"octal as shadow reads it", "UID_MIN 01750\n", UIDRange{1000, 60000}},
		{"zero would make root a person", "UID_MIN 0\n", DefaultLogin},
		{"negative", "UID_MIN -5\n", DefaultLogin},
		{"words", "UID_MIN many\nUID_MAX\n", DefaultLogin},
		{"commented out", "#UID_MIN 5\n", DefaultLogin},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := parseLoginDefs([]byte(test.text)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func FuzzParseLoginDefs(f *testing.F) {
	f.Add([]byte("UID_MIN 1000\nUID_MAX 60000\n"))
	f.Add([]byte("UID_MIN 0x0\nUID_MIN"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r := parseLoginDefs(text); r.Contains(0) || r.Contains(-1) {
			t.Errorf("%q makes root a person: %v", text, r)
		}
	})
}
