package process

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// stuckable is a file system of one program, the test binary called tool, that
// can be made to answer no more. It speaks the kernel's FUSE protocol
// (linux/include/uapi/linux/fuse.h).
type stuckable struct {
	fuse    *os.File
	program *os.File
	size    int64
	stuck   atomic.Bool
}

// mountStuckable mounts one on a folder and serves it from now on.
func mountStuckable(folder string) (*stuckable, error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &stuckable{fuse: os.NewFile(uintptr(fd), "fuse")}
	if s.program, err = os.Open("/proc/self/exe"); err != nil {
		return nil, err
	}
	info, err := s.program.Stat()
	if err != nil {
		return nil, err
	}
	s.size = info.Size()
	options := "fd=" + strconv.Itoa(fd) + ",rootmode=40755,user_id=0,group_id=0,allow_other"
	if err := unix.Mount("stuckable", folder, "fuse", unix.MS_NODEV, options); err != nil {
		return nil, err
	}
	go s.serve()
	return s, nil
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
		if err != nil && !errors.Is(err, io.EOF) {
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
