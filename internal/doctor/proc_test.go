package doctor

import (
	"slices"
	"strings"
	"testing"
)

const mountinfo = `22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
23 28 0:22 / /sys rw,nosuid - sysfs sysfs rw
90 28 0:21 / /proc rw,nosuid - proc proc rw,hidepid=invisible,gid=4
91 28 0:40 / /srv/a\040b ro - proc none rw,subset=pid
92 28 0:41 / /mnt rw - proc proc rw
93 92 0:42 / /mnt rw - tmpfs tmpfs rw
truncated
94 1 0:1 / /short rw - proc
`

func TestMountOptions(t *testing.T) {
	for path, want := range map[string]string{
		"/proc":    "rw nosuid rw hidepid=invisible gid=4", // the later covers the earlier
		"/srv/a b": "ro rw subset=pid",
		"/short":   "rw",
		"/sys":     "", // no procfs
		"/mnt":     "", // covered by something else
		"/nowhere": "",
	} {
		options, ok := mountOptions(mountinfo, path)
		if got := strings.Join(options, " "); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", path, got, ok, want)
		}
	}
}

func FuzzMountOptions(f *testing.F) {
	f.Add(mountinfo, "/proc")
	f.Add("1 1 0:1 / \\1 rw - proc", "\\1")
	f.Fuzz(func(t *testing.T, text, path string) {
		options, ok := mountOptions(text, path)
		if ok != (len(options) > 0) {
			t.Errorf("%q %v", options, ok)
		}
		if slices.ContainsFunc(options, func(o string) bool { return strings.Contains(o, ",") }) {
			t.Errorf("%q", options)
		}
	})
}

func TestEffectiveOf(t *testing.T) {
	for text, want := range map[string]uint64{
		"Name:\tx\nCapPrm:\t1\nCapEff:\t0000000000080024\nCapBnd:\t9\n": 1<<19 | 1<<5 | 1<<2,
		"CapEff:\tzz\n": 0, "Name:\tCapEff: 1\n": 0, "": 0,
	} {
		if got, ok := effectiveOf(text); got != want || ok != (want != 0) {
			t.Errorf("%q: %x %v", text, got, ok)
		}
	}
}

func TestOpenFilesOf(t *testing.T) {
	for text, want := range map[string]uint64{
		"Limit  Soft Limit  Hard Limit  Units\nMax processes  5 5\nMax open files            1024                 524288               files\n": 1024,
		"Max open files  unlimited unlimited files\n": 1<<64 - 1,
		"Max open files\n":                            0, "": 0, "Max open files -1 2 files\n": 0,
	} {
		if got, ok := openFilesOf(text); got != want || ok != (want != 0) {
			t.Errorf("%q: %d %v", text, got, ok)
		}
	}
}

func FuzzEffectiveOf(f *testing.F) {
	f.Add("CapEff:\t1\n")
	f.Add("Max open files 1 2 files\n")
	f.Fuzz(func(t *testing.T, text string) {
		if n, ok := effectiveOf(text); !ok && n != 0 && !strings.Contains(text, "CapEff:") {
			t.Errorf("%d of nothing", n)
		}
		if n, ok := openFilesOf(text); ok && !strings.Contains(text, "Max open files") {
			t.Errorf("%d of nothing", n)
		}
	})
}
