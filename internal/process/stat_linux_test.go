package process

import (
	"os"
	"strings"
	"testing"
)

// sshdStat is a line of Linux 5.14.
const sshdStat = "902 (sshd) S 1 902 902 34816 -1 4194560 5823 178634 12 88 31 42 1200 900 20 0 1 0 520 16420864 2304 18446744073709551615 " +
	"94011 94012 140730 0 0 0 0 4096 81925 0 0 0 17 3 0 0 0 0 0 94100 94200 94300 140731 140732 140732 140733 0\n"

func TestParseStat(t *testing.T) {
	s, err := parseStat([]byte(sshdStat))
	if err != nil {
		t.Fatal(err)
	}
	if string(s.comm) != "sshd" || s.state != Sleeping || s.ppid != 1 || s.session != 902 || s.tty != 34816 || s.kernel ||
		s.cpu != 73 || s.threads != 1 || s.start != 520 || s.rss != 2304 || s.image == 0 {
		t.Errorf("%+v", s)
	}
}

func TestParseStatNames(t *testing.T) {
	rest := sshdStat[strings.LastIndexByte(sshdStat, ')')+1:]
	for _, name := range []string{"", "a", ")", "(", "x) R 1 2 3 (", "a b", "a\nb", "\xff\xfe", ") S 1 (", "))))", "kworker/u16:3-events_unbound"} {
		s, err := parseStat([]byte("902 (" + name + ")" + rest))
		if err != nil || string(s.comm) != name || s.state != Sleeping || s.start != 520 {
			t.Errorf("%q: comm %q, state %c, start %d, %v", name, s.comm, s.state, s.start, err)
		}
	}
}

func TestParseStatFields(t *testing.T) {
	fields := strings.Fields(sshdStat)
	line := func(number int, value string) []byte {
		changed := append([]string(nil), fields...)
		changed[number-1] = value
		return []byte(strings.Join(changed, " ") + "\n")
	}
	base, err := parseStat([]byte(sshdStat))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("kernel thread", func(t *testing.T) {
		if s, err := parseStat(line(9, "2129984")); err != nil || !s.kernel {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("negative terminal", func(t *testing.T) {
		if s, err := parseStat(line(7, "-2147483648")); err != nil || s.tty != -1<<31 {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("executing", func(t *testing.T) {
		if s, err := parseStat(line(26, "0")); err != nil || !s.executing || base.executing {
			t.Errorf("%+v, %v", s, err)
		}
	})
	// What execve(2) moves makes another image; what changes all the time does not.
	for number, executed := range map[int]bool{
		4: false, 14: false, 15: false, 20: false, 24: false, 29: false, 30: false, 39: false,
		26: true, 27: true, 28: true, 45: true, 46: true, 47: true, 48: true, 49: true, 50: true, 51: true,
	} {
		s, err := parseStat(line(number, "7"))
		if err != nil || (s.image != base.image) != executed {
			t.Errorf("field %d: another image %v, want %v (%v)", number, s.image != base.image, executed, err)
		}
	}
}

func TestParseStatOfOtherForms(t *testing.T) {
	short := strings.Join(strings.Fields(sshdStat)[:26], " ")
	if s, err := parseStat([]byte(short)); err != nil || s.rss != 2304 || s.start != 520 {
		t.Errorf("a line up to startcode: %+v, %v", s, err)
	}
	for _, line := range []string{
		"", "\n", "902", "902 (sshd)", "902 (sshd) ", "902 (sshd) S", "902 (sshd) S ", "902 sshd S 1 2", "902 )sshd( S 1 2",
		"902 (sshd) S x", "902 (sshd) S 1 -", "902 (sshd)S 1", strings.Join(strings.Fields(sshdStat)[:25], " "),
	} {
		if s, err := parseStat([]byte(line)); err == nil {
			t.Errorf("%q: %+v", line, s)
		}
	}
}

func TestParseOwnStat(t *testing.T) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := parseStat(text); err != nil || s.ppid != os.Getppid() || s.image == 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(sshdStat))
	f.Add([]byte("1 ()) R 1 ("))
	f.Add([]byte("1 (a) S -9223372036854775808 99999999999999999999999999 1"))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := parseStat(line)
		if err == nil && len(s.comm) >= len(line) {
			t.Errorf("name %q of %q", s.comm, line)
		}
		if n := testing.AllocsPerRun(1, func() { _, _ = parseStat(line) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
