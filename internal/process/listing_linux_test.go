package process

import "testing"

func TestParsePID(t *testing.T) {
	cases := []struct {
		name string
		pid  int
		ok   bool
	}{
		{"1\x00", 1, true},
		{"4194304\x00\x00\x00", 4194304, true},
		{"0123\x00", 123, true},
		{"\x00", 0, false},
		{"", 0, false},
		{"12", 0, false}, // without an end
		{"self\x00", 0, false},
		{"1a\x00", 0, false},
		{".ns\x00", 0, false},
		{"12345678901\x00", 0, false},
		{"-1\x00", 0, false},
	}
	for _, c := range cases {
		if pid, ok := parsePID([]byte(c.name)); ok != c.ok || ok && pid != c.pid {
			t.Errorf("parsePID(%q) = %d, %v", c.name, pid, ok)
		}
	}
}

func FuzzParsePID(f *testing.F) {
	f.Add([]byte("4194304\x00"))
	f.Fuzz(func(t *testing.T, name []byte) {
		if pid, ok := parsePID(name); ok && pid < 0 {
			t.Errorf("parsePID(%q) = %d", name, pid)
		}
	})
}

func FuzzBracketed(f *testing.F) {
	f.Add([]byte("socket:[123]"))
	f.Add([]byte("mnt:[4026531841]"))
	f.Fuzz(func(_ *testing.T, link []byte) {
		bracketed(link)
		isSocket(link)
	})
}

func TestBracketed(t *testing.T) {
	for link, want := range map[string]uint64{
		"mnt:[4026531841]": 4026531841, "socket:[123]": 123, "pipe:[7]": 7, "anon_inode:[eventpoll]": 0, "/dev/null": 0, "": 0, "[": 0, "[]": 0, "x[-1]": 0,
	} {
		if got := bracketed([]byte(link)); got != want {
			t.Errorf("bracketed(%q) = %d, want %d", link, got, want)
		}
	}
	for link, want := range map[string]bool{"socket:[1]": true, "socket:[]": false, "socket:": false, "socket:[": false, "pipe:[12345]": false, "/tmp/socket:[1]": false} {
		if got := isSocket([]byte(link)); got != want {
			t.Errorf("isSocket(%q) = %v", link, got)
		}
	}
}
