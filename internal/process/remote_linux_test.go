package process

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
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
	disk := mountStuckable(t)
	h := startHelper(t, filepath.Join(disk.folder, "tool"), nil)
	r := realReader(t)
	first := look(t, r, h.pid)
	if first.Exe != filepath.Join(disk.folder, "tool") || first.Name != "tool" || first.File.Trusted || first.File.Deleted {
		t.Errorf("%+v", first.Facts)
	}
	disk.stuck.Store(true)
	done := make(chan *Snapshot, 1)
	go func() {
		for range factsTurn { // each process is read in full once
			if s, err := r.Snapshot(t.Context()); err == nil && len(done) == 0 {
				done <- s
			}
		}
		fresh, err := NewReader(realConfig)
		if err == nil {
			_, _ = fresh.Snapshot(t.Context())
			fresh.Close()
		}
		close(done)
	}()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case s, ok := <-done:
			if !ok {
				return
			}
			if p := find(s, h.pid); p == nil || p.Exe != first.Exe {
				t.Errorf("%+v", p)
			}
		case <-timeout:
			disk.stuck.Store(false)
			t.Fatal("the reader is stuck too")
		}
	}
}

// stuckable is a file system of one program, the test binary called tool.
type stuckable struct {
	folder  string
	fuse    *os.File
	program *os.File
	size    int64
	stuck   atomic.Bool
}

// mountStuckable mounts one by the kernel's FUSE protocol
// (linux/include/uapi/linux/fuse.h).
func mountStuckable(t *testing.T) *stuckable {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	s := &stuckable{folder: t.TempDir(), fuse: os.NewFile(uintptr(fd), "fuse")}
	if s.program, err = os.Open(testBinary(t)); err != nil {
		t.Fatal(err)
	}
	info, err := s.program.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s.size = info.Size()
	options := "fd=" + strconv.Itoa(fd) + ",rootmode=40755,user_id=0,group_id=0,allow_other"
	if err := unix.Mount("stuckable", s.folder, "fuse", unix.MS_NODEV, options); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = unix.Unmount(s.folder, unix.MNT_DETACH)
		s.fuse.Close() // ends the connection, and whoever waits for it
		s.program.Close()
	})
	go s.serve()
	return s
}

// serve answers the requests of the kernel until the file system is unmounted.
func (s *stuckable) serve() {
	request := make([]byte, 1<<20)
	for {
		n, err := s.fuse.Read(request)
		if err != nil {
			return
		}
		if n < 40 {
			continue
		}
		for s.stuck.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		native := binary.NativeEndian
		opcode, unique, node := native.Uint32(request[4:]), native.Uint64(request[8:]), native.Uint64(request[16:])
		body, errno, silent := s.answer(opcode, node, request[40:n])
		if silent {
			continue
		}
		reply := make([]byte, 16, 16+len(body))
		native.PutUint32(reply, uint32(16+len(body)))
		native.PutUint32(reply[4:], uint32(-errno))
		native.PutUint64(reply[8:], unique)
		if _, err := s.fuse.Write(append(reply, body...)); err != nil {
			continue
		}
	}
}

// answer makes the body of a reply.
func (s *stuckable) answer(opcode uint32, node uint64, request []byte) (body []byte, errno int32, silent bool) {
	const noEntry, noCall = int32(unix.ENOENT), int32(unix.ENOSYS)
	native := binary.NativeEndian
	switch opcode {
	case 1: // LOOKUP
		if string(request) != "tool\x00" {
			return nil, noEntry, false
		}
		body = make([]byte, 40) // the node, and no time for which it holds
		native.PutUint64(body, 2)
		return append(body, s.attributes(2)...), 0, false
	case 2, 42: // FORGET, BATCH_FORGET
		return nil, 0, true
	case 3: // GETATTR
		return append(make([]byte, 16), s.attributes(node)...), 0, false
	case 26: // INIT
		body = make([]byte, 64)
		native.PutUint32(body, 7)
		native.PutUint32(body[4:], 31)
		native.PutUint32(body[20:], 1<<17) // the largest write
		return body, 0, false
	case 14, 27: // OPEN, OPENDIR
		return make([]byte, 16), 0, false
	case 15: // READ
		offset, size := native.Uint64(request[8:]), native.Uint32(request[16:])
		body = make([]byte, size)
		n, err := s.program.ReadAt(body, int64(offset))
		if err != nil && err != io.EOF {
			return nil, int32(unix.EIO), false
		}
		return body[:n], 0, false
	case 18, 25, 29: // RELEASE, FLUSH, RELEASEDIR
		return nil, 0, false
	}
	return nil, noCall, false
}

// attributes are a struct fuse_attr.
func (s *stuckable) attributes(node uint64) []byte {
	native := binary.NativeEndian
	b := make([]byte, 88)
	mode, size := uint32(unix.S_IFDIR|0o755), uint64(0)
	if node == 2 {
		mode, size = unix.S_IFREG|0o755, uint64(s.size)
	}
	native.PutUint64(b, node)
	native.PutUint64(b[8:], size)
	native.PutUint32(b[60:], mode)
	native.PutUint32(b[64:], 1) // links
	native.PutUint32(b[80:], 4096)
	return b
}
