package process

import (
	"os"
	"slices"
	"testing"
)

func TestParseStatus(t *testing.T) {
	text := "Name:\tx\\nTgid:\\t1\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t902\nNgid:\t0\nPid:\t902\nPPid:\t1\n" +
		"Uid:\t1000\t0\t33\t1001\nGid:\t0\t0\t0\t0\nFDSize:\t64\nNStgid:\t902\t17\t1\nNSpid:\t902\t17\t1\n"
	s, err := parseStatus([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if s.threadGroup != 902 || s.uids != (UIDs{1000, 0, 33, 1001}) || !slices.Equal(s.pids, []int{902, 17, 1}) {
		t.Errorf("%+v", s)
	}
	for _, text := range []string{"", "Tgid:\t1\n", "Uid:\t0\t0\t0\t0\n", "Tgid:\tx\nUid:\t0\t0\t0\t0\n", "Tgid:\t1\nUid:\t0\t0\t0\n", "Tgid:\t1\nUid:\t0\t-1\t0\t0\n", "Tgid:\t1 2\nUid:\t0\t0\t0\t0\n"} {
		if s, err := parseStatus([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, s)
		}
	}
}

func TestParseOwnStatus(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseStatus(text)
	if err != nil || s.threadGroup != os.Getpid() || s.uids.Real != os.Getuid() || len(s.pids) == 0 || s.pids[0] != os.Getpid() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestUIDs(t *testing.T) {
	root := func(uid int) bool { return uid == 0 }
	cases := []struct {
		uids     UIDs
		all, any bool
	}{
		{UIDs{0, 0, 0, 0}, true, true},
		{UIDs{1, 1, 1, 1}, false, false},
		{UIDs{0, 1, 1, 1}, false, true},
		{UIDs{1, 0, 1, 1}, false, true},
		{UIDs{1, 1, 0, 1}, false, true},
		{UIDs{1, 1, 1, 0}, false, true},
		{UIDs{0, 0, 0, 1}, false, true},
	}
	for _, c := range cases {
		if c.uids.All(root) != c.all || c.uids.Any(root) != c.any {
			t.Errorf("%v: all %v, any %v", c.uids, c.uids.All(root), c.uids.Any(root))
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte("Name:\tx\nTgid:\t902\nUid:\t0\t0\t0\t0\nNStgid:\t902\t1\n"))
	f.Add([]byte("Uid:\t4294967295 4294967296 1 1\nTgid:99999999999999999999"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseStatus(text)
		if err == nil && (s.threadGroup <= 0 || s.uids.Any(func(uid int) bool { return uid < 0 || uid >= 1<<32 })) {
			t.Errorf("%q: %+v", text, s)
		}
	})
}
