package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParseMounts(t *testing.T) {
	text := `22 1 0:20 / / rw,relatime shared:1 - nfs4 host:/root rw,vers=4.2
23 22 0:21 / /proc rw - proc proc rw
24 22 0:30 / /home rw,nosuid shared:3 master:4 - nfs4 host:/home rw
25 22 259:1 / /data rw - xfs /dev/nvme0n1p1 rw
26 22 0:31 / /mnt/with\040space rw - fuse.sshfs me@host:/ rw
27 22 0:20 /usr /srv/usr rw - nfs4 host:/root rw
28 22 0:32 / /tmp rw - tmpfs tmpfs rw
29 22 0:33 / /lib rw - fuseblk /dev/sdb1 rw
not a line
30 22 x:1 / / rw - nfs a
31 22 0:y / / rw - nfs a
32 22 0:34 / /x rw -
`
	want := map[uint64]bool{
		unix.Mkdev(0, 20): false, unix.Mkdev(0, 21): false, unix.Mkdev(0, 30): true, unix.Mkdev(259, 1): false,
		unix.Mkdev(0, 31): true, unix.Mkdev(0, 32): false, unix.Mkdev(0, 33): false,
	}
	got := map[uint64]bool{}
	parseMounts([]byte(text), func(device uint64, remote bool) { got[device] = remote })
	for device, remote := range want {
		if answer, ok := got[device]; !ok || answer != remote {
			t.Errorf("device %d:%d: remote %v, listed %v", unix.Major(device), unix.Minor(device), answer, ok)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add([]byte("24 22 0:30 / /home rw shared:3 - nfs4 host:/home rw\n"))
	f.Fuzz(func(_ *testing.T, text []byte) { parseMounts(text, func(uint64, bool) {}) })
}

func TestStatCachedIsStat(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o641); err != nil {
		t.Fatal(err)
	}
	var cached, st unix.Stat_t
	if err := statCached(unix.AT_FDCWD, name, &cached); err != nil {
		t.Fatal(err)
	}
	if err := unix.Stat(name, &st); err != nil {
		t.Fatal(err)
	}
	if cached.Dev != st.Dev || cached.Ino != st.Ino || cached.Mode != st.Mode || cached.Uid != st.Uid || cached.Gid != st.Gid || cached.Nlink != st.Nlink {
		t.Errorf("%+v, want %+v", cached, st)
	}
}

// TestStuckFileSystem runs a program from a file system whose server then stops
// to answer, as that of a lost NFS server does.
func TestStuckFileSystem(t *testing.T) {
	needRoot(t)
	folder := t.TempDir()
	// A process that served its own children could wait for itself.
	disk := startHelper(t, "", nil)
	if answer := disk.do("mount " + folder); answer != "ok" {
		t.Skip(answer)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	h := startHelper(t, filepath.Join(folder, "tool"), nil)
	r := realReader(t)
	r.youngLife = 1 << 60 // each snapshot reads all of it
	first := look(t, r, h.pid)
	if first.Exe != filepath.Join(folder, "tool") || first.Name != "tool" || first.File.Trusted || first.File.Deleted {
		t.Errorf("%+v", first.Facts)
	}
	disk.do("stick")
	t.Cleanup(disk.end) // before all others, who would wait for it
	done := make(chan error, 1)
	go func() { done <- readStuck(t.Context(), r, h.pid, first.Exe) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		disk.end()
		<-done
		t.Fatal("the reader was stuck too")
	}
}

// readStuck has a reader that knows a process, and a new one, read it in full.
func readStuck(ctx context.Context, known *Reader, pid int, exe string) error {
	fresh, err := NewReader(realConfig)
	if err != nil {
		return err
	}
	defer fresh.Close()
	for _, r := range []*Reader{known, fresh} {
		s, err := r.Snapshot(ctx)
		if err != nil {
			return err
		}
		if p := find(s, pid); p == nil || p.Exe != exe {
			return fmt.Errorf("%+v", p)
		}
	}
	return nil
}
