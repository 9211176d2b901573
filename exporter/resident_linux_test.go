package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const someSmaps = `00400000-00cf0000 r-xp 00000000 fe:00 12714113                           /usr/bin/server-monitor
Size:               9152 kB
Rss:                5120 kB
Anonymous:             0 kB
00cf0000-017e9000 r--p 008f0000 fe:00 12714113                           /usr/bin/server-monitor
Anonymous:             4 kB
017e9000-017f0000 r--p 008f0000 fe:00 12714113                           /usr/bin/server-monitor
Anonymous:             0 kB
017f0000-01800000 rw-p 013f0000 fe:00 12714113                           /usr/bin/server-monitor
Anonymous:             0 kB
01800000-01900000 r--s 013f0000 fe:00 12714113                           /usr/bin/server-monitor
Anonymous:             0 kB
01900000-01a00000 r--p 013f0000 fe:00 12714113                           /lib/other/usr/bin/server-monitor
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0 
Anonymous:             0 kB
7ffc00000000-7ffc00021000 r--p 00000000 00:00 0                          [vvar]
Anonymous:             0 kB
`

func TestProgramSpans(t *testing.T) {
	want := []span{{0x400000, 0xcf0000}, {0x17e9000, 0x17f0000}}
	if got := programSpans(someSmaps, "/usr/bin/server-monitor"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	deleted := strings.ReplaceAll(someSmaps, "/usr/bin/server-monitor", "/usr/bin/a b (deleted)")
	if got := programSpans(deleted, "/usr/bin/a b (deleted)"); !slices.Equal(got, want) {
		t.Errorf("deleted: %x, want %x", got, want)
	}
}

// TestLeaveProgramFile does it to the test itself, which then goes on.
func TestLeaveProgramFile(t *testing.T) {
	before := residentFile(t)
	leaveProgramFile()
	if after := residentFile(t); after >= before {
		t.Errorf("%d KiB of files are resident, %d before", after, before)
	}
	want := []span{{0x400000, 0xcf0000}, {0x17e9000, 0x17f0000}}
	if got := programSpans(someSmaps, "/usr/bin/server-monitor"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// residentFile is how much of files is in the resident memory, in KiB.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func FuzzProgramSpans(f *testing.F) {
	f.Add(someSmaps, "/usr/bin/server-monitor")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, smaps, file string) {
		for _, s := range programSpans(smaps, file) {
			if s.from >= s.to {
				t.Errorf("%x", s)
			}
		}
	})
}
