package collector

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// fixtureFilesystem makes a collector of a fixture's mounts, all of them of
// the same size, with the default exclusions.
func fixtureFilesystem(t *testing.T, paths Paths) *filesystemCollector {
	t.Helper()
	config := FilesystemConfig{
		MountPointsExclude: regexp.MustCompile(DefaultMountPointsExclude),
		FSTypesExclude:     regexp.MustCompile(DefaultFSTypesExclude),
	}
	c := made(t)(NewFilesystem(paths, config, slog.New(slog.DiscardHandler))).(*filesystemCollector)
	c.asker.statfs = func(path string) (usage, error) {
		if path == "/boot" {
			return usage{}, unix.EACCES
		}
		return usage{size: 1000, available: 300, used: 600, files: 50, filesFree: 20}, nil
	}
	return c
}

func TestFilesystem(t *testing.T) {
	c := fixtureFilesystem(t, Paths{Proc: "testdata/proc", Root: "/"})
	compareExposition(t, c, `
# HELP server_monitor_filesystem_available_bytes Space that users other than root can still fill, in bytes.
# TYPE server_monitor_filesystem_available_bytes gauge
server_monitor_filesystem_available_bytes{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 300
server_monitor_filesystem_available_bytes{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 300
server_monitor_filesystem_available_bytes{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 300
server_monitor_filesystem_available_bytes{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 300
server_monitor_filesystem_available_bytes{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 300
server_monitor_filesystem_available_bytes{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 300
server_monitor_filesystem_available_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 300
server_monitor_filesystem_available_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 300
# HELP server_monitor_filesystem_device_error 1 if the file system gave no numbers in this scrape (stuck, denied, gone), else 0.
# TYPE server_monitor_filesystem_device_error gauge
server_monitor_filesystem_device_error{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 0
server_monitor_filesystem_device_error{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 0
server_monitor_filesystem_device_error{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 0
server_monitor_filesystem_device_error{device="/dev/sda1",fstype="xfs",mountpoint="/boot"} 1
server_monitor_filesystem_device_error{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 0
server_monitor_filesystem_device_error{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 0
server_monitor_filesystem_device_error{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 0
server_monitor_filesystem_device_error{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 0
server_monitor_filesystem_device_error{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 0
# HELP server_monitor_filesystem_files Inodes of the file system; absent where their number is not fixed.
# TYPE server_monitor_filesystem_files gauge
server_monitor_filesystem_files{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 50
server_monitor_filesystem_files{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 50
server_monitor_filesystem_files{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 50
server_monitor_filesystem_files{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 50
server_monitor_filesystem_files{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 50
server_monitor_filesystem_files{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 50
server_monitor_filesystem_files{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 50
server_monitor_filesystem_files{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 50
# HELP server_monitor_filesystem_files_free Inodes that are free; absent where their number is not fixed.
# TYPE server_monitor_filesystem_files_free gauge
server_monitor_filesystem_files_free{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 20
server_monitor_filesystem_files_free{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 20
server_monitor_filesystem_files_free{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 20
server_monitor_filesystem_files_free{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 20
server_monitor_filesystem_files_free{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 20
server_monitor_filesystem_files_free{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 20
server_monitor_filesystem_files_free{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 20
server_monitor_filesystem_files_free{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 20
# HELP server_monitor_filesystem_readonly 1 if nothing can be written through this mount, be it so configured or after an error, else 0.
# TYPE server_monitor_filesystem_readonly gauge
server_monitor_filesystem_readonly{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 0
server_monitor_filesystem_readonly{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 0
server_monitor_filesystem_readonly{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 0
server_monitor_filesystem_readonly{device="/dev/sda1",fstype="xfs",mountpoint="/boot"} 0
server_monitor_filesystem_readonly{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 1
server_monitor_filesystem_readonly{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 1
server_monitor_filesystem_readonly{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 0
server_monitor_filesystem_readonly{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 0
server_monitor_filesystem_readonly{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 0
# HELP server_monitor_filesystem_size_bytes Size of the file system, in bytes.
# TYPE server_monitor_filesystem_size_bytes gauge
server_monitor_filesystem_size_bytes{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 1000
server_monitor_filesystem_size_bytes{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 1000
server_monitor_filesystem_size_bytes{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 1000
server_monitor_filesystem_size_bytes{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 1000
server_monitor_filesystem_size_bytes{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 1000
server_monitor_filesystem_size_bytes{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 1000
server_monitor_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 1000
server_monitor_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 1000
# HELP server_monitor_filesystem_used_bytes Space in use, in bytes; used + available is less than the size where space is kept for root.
# TYPE server_monitor_filesystem_used_bytes gauge
server_monitor_filesystem_used_bytes{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/home"} 600
server_monitor_filesystem_used_bytes{device="/dev/mapper/rl-home",fstype="xfs",mountpoint="/srv/my files"} 600
server_monitor_filesystem_used_bytes{device="/dev/mapper/rl-root",fstype="xfs",mountpoint="/"} 600
server_monitor_filesystem_used_bytes{device="/dev/sdb1",fstype="ext4",mountpoint="/srv/data"} 600
server_monitor_filesystem_used_bytes{device="/dev/sdc1",fstype="ext4",mountpoint="/srv/broken"} 600
server_monitor_filesystem_used_bytes{device="nas.example.com:/export",fstype="nfs4",mountpoint="/mnt/nfs"} 600
server_monitor_filesystem_used_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 600
server_monitor_filesystem_used_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run/user/1000"} 600
`)
	lintExposition(t, c)
}

func TestFilesystemFailures(t *testing.T) {
	wantFailure(t, fixtureFilesystem(t, Paths{Proc: "testdata/proc_old", Root: "/"}), unix.ENOENT)
	wantFailure(t, fixtureFilesystem(t, Paths{Proc: "testdata/proc_broken", Root: "/"}), nil)
	wantFailure(t, fixtureFilesystem(t, Paths{Proc: "testdata/proc_empty", Root: "/"}), ErrNoData)
}

// TestFilesystemInContainer reads the list of the exporter's own container, as
// there is none of process 1: the host's names, reached below /host.
func TestFilesystemInContainer(t *testing.T) {
	c := fixtureFilesystem(t, Paths{Proc: "testdata/proc_container", Root: "/host/"})
	mounts, err := c.mounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []mount{
		{device: "/dev/mapper/rl-root", fsType: "xfs", point: "/", path: "/host"},
		{device: "/dev/sda1", fsType: "xfs", point: "/boot", path: "/host/boot"},
		{device: "/dev/mapper/vg-hostile", fsType: "xfs", point: "/hostile", path: "/host/hostile"},
	}
	for i := range want {
		want[i].shown = want[i].labels()
	}
	if diff := cmp.Diff(want, mounts, cmp.AllowUnexported(mount{}, filesystemLabels{})); diff != "" {
		t.Error(diff)
	}
}

// TestFilesystemHostileNames scrapes mounts whose names aim at the exposition.
// The registry refuses duplicates and labels that are not UTF-8.
func TestFilesystemHostileNames(t *testing.T) {
	got := values(t, fixtureFilesystem(t, Paths{Proc: "testdata/proc_hostile", Root: "/"}), "filesystem_device_error")
	want := map[string]float64{
		"/dev/mapper/rl-root xfs /":                      0,
		`evil fuse.x /home/eve/a\nb`:                     0,
		`evil host:/\u202e fuse.\xff /home/eve/\xff\xfe`: 0,
		`"},} fuse.x /home/eve/\x1b[2J`:                  0,
		"twice fuse.x /home/eve/same":                    0,
		" fuse.x /home/eve/none":                         0,
		"gone fuse.x /home/eve/x//deleted":               0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMountListIsKept changes the list in every way between two readings: the same
// text gives the same list, and any other text is read anew.
func TestMountListIsKept(t *testing.T) {
	proc := t.TempDir()
	if err := os.Mkdir(filepath.Join(proc, "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(proc, "1/mountinfo"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := fixtureFilesystem(t, Paths{Proc: proc, Root: "/"})
	const root, data = "61 1 253:0 / / rw - xfs /dev/root rw\n", "70 61 0:50 / /srv/data rw - ext4 /dev/sdb1 rw\n"
	write(root)
	before, err := c.mounts(t.Context())
	if err != nil || len(before) != 1 {
		t.Fatalf("%v, %v", before, err)
	}
	again, err := c.mounts(t.Context())
	if err != nil || &again[0] != &before[0] {
		t.Errorf("the same text was read anew: %v", err)
	}
	for _, change := range []struct {
		text string
		want []bool // read-only
	}{
		{root + data, []bool{false, false}},
		{root + strings.Replace(data, "/srv/data rw", "/srv/data ro", 1), []bool{false, true}},
		{root + strings.Replace(data, "sdb1 rw", "sdb1 rw,emergency_ro", 1), []bool{false, true}},
		{root + strings.Replace(data, "sdb1", "sdc1", 1), []bool{false, false}},
		{root, []bool{false}},
		{data, []bool{false}},
	} {
		write(change.text)
		mounts, err := c.mounts(t.Context())
		if err != nil || len(mounts) != len(change.want) {
			t.Errorf("%s: %v, %v", change.text, mounts, err)
			continue
		}
		for i, m := range mounts {
			if m.readOnly != change.want[i] || !strings.Contains(change.text, m.device) {
				t.Errorf("%s: %+v", change.text, m)
			}
		}
	}
	write("nonsense\n")
	wantFailure(t, c, errMountInfo)
	write(root)
	if mounts, err := c.mounts(t.Context()); err != nil || len(mounts) != 1 {
		t.Errorf("after nonsense: %v, %v", mounts, err)
	}
}

func TestParseMountInfo(t *testing.T) {
	for line, want := range map[string]mountInfo{
		"61 1 253:0 / / rw,relatime shared:1 master:2 - xfs /dev/root rw,attr2": {"/", "rw,relatime", "xfs", "/dev/root", "rw,attr2"},
		"70 61 0:50 / /mnt rw - fuse.x - rw":                                    {"/mnt", "rw", "fuse.x", "-", "rw"},
		"70 61 0:50 / /mnt rw - fuse.x  rw":                                     {"/mnt", "rw", "fuse.x", "", "rw"},
		"70 61 0:50 / - rw - fuse.x a b c":                                      {},
		"":                                                                      {},
		"70 61 0:50 / /mnt - xfs /dev/x rw":                                     {},
		"70 61 0:50 / /mnt rw - xfs":                                            {},
	} {
		got, err := parseMountInfo(line)
		if got != want || (err != nil) != (want == mountInfo{}) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
}

// TestFilesystemAgainstKernel asks the real kernel for a real directory and a
// missing one.
func TestFilesystemAgainstKernel(t *testing.T) {
	got, err := usageOf(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got.size == 0 || got.used > got.size || got.available > got.size {
		t.Errorf("usage %+v", got)
	}
	if _, err := usageOf("/nonexistent"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("error %v, want ENOENT", err)
	}
}

func TestUsageFromStatfs(t *testing.T) {
	cases := []struct {
		name string
		in   unix.Statfs_t
		want usage
	}{
		{
			name: "fragments smaller than blocks",
			in:   unix.Statfs_t{Bsize: 1 << 20, Frsize: 4096, Blocks: 100, Bfree: 40, Bavail: 30, Files: 9, Ffree: 3},
			want: usage{size: 409600, available: 122880, used: 245760, files: 9, filesFree: 3},
		},
		{
			name: "no fragments",
			in:   unix.Statfs_t{Bsize: 512, Blocks: 100, Bfree: 100, Bavail: 100},
			want: usage{size: 51200, available: 51200},
		},
		{
			name: "more free than there is",
			in:   unix.Statfs_t{Bsize: 1, Blocks: 10, Bfree: 20, Bavail: 5},
			want: usage{size: 10, available: 5},
		},
		{name: "a FUSE that hides from root", want: usage{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := usageFromStatfs(&c.in); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestUnescapeOctal(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"/srv":         "/srv",
		`/my\040files`: "/my files",
		`a\011b\012c`:  "a\tb\nc",
		`a\134040b`:    `a\040b`,
		`\043`:         "#",
		`\377`:         "\xff",
		`\400`:         `\400`,
		`\08`:          `\08`,
		`\0`:           `\0`,
		`\`:            `\`,
		`end\04`:       `end\04`,
		`\040\040`:     "  ",
		`a\/b`:         `a\/b`,
		"서버\\040파일":    "서버 파일",
	} {
		if got := unescapeOctal(in); got != want {
			t.Errorf("unescapeOctal(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestStripRoot(t *testing.T) {
	cases := []struct{ root, point, want string }{
		{"/", "/", "/"},
		{"/", "/boot", "/boot"},
		{"/host", "/host", "/"},
		{"/host", "/host/boot", "/boot"},
		{"/host", "/hostile", "/hostile"},
		{"/host", "/", "/"},
		{"/host", "/boot", "/boot"},
	}
	for _, c := range cases {
		if got := stripRoot(c.root, c.point); got != c.want {
			t.Errorf("stripRoot(%q, %q) = %q, want %q", c.root, c.point, got, c.want)
		}
	}
}

// TestFilesystemExclusions checks that the mounts left out are never touched.
func TestFilesystemExclusions(t *testing.T) {
	cases := []struct {
		name           string
		points, fsType *regexp.Regexp
		want           int
	}{
		{name: "nothing excluded", want: 22},
		{name: "by mount point", points: regexp.MustCompile("^/(proc|sys|dev)"), want: 10},
		{name: "by type", fsType: regexp.MustCompile("^(xfs|ext4)$"), want: 16},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := fixtureFilesystem(t, Paths{Proc: "testdata/proc", Root: "/"})
			f.config.MountPointsExclude, f.config.FSTypesExclude = c.points, c.fsType
			mounts, err := f.mounts(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if len(mounts) != c.want {
				t.Errorf("%d mounts, want %d", len(mounts), c.want)
			}
		})
	}
}
