package process

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of this file are made for every process in every snapshot, and none
// of them waits for anything but the processor: procfs answers from memory. So
// they are made without telling Go's scheduler, which would cost a tenth of a
// microsecond and more each, as much as the kernel's way in and out.

// preadNow is pread(2) from the beginning of a file of procfs.
func preadNow(fd int, buffer []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_PREAD64,
			uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buffer))), uintptr(len(buffer)), 0, 0, 0) //nolint:gosec // as unix.Pread does it
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// getdentsNow is getdents64(2).
func getdentsNow(dir int, buffer []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_GETDENTS64,
			uintptr(dir), uintptr(unsafe.Pointer(unsafe.SliceData(buffer))), uintptr(len(buffer))) //nolint:gosec // as unix.Getdents does it
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// statxNow is statx(2) on a descriptor of procfs, for those fields that the mask
// names. Where the kernel or a filter refuses it, it is fstat(2).
func statxNow(fd int, mask uint32, st *unix.Statx_t) error {
	var empty [1]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_STATX,
		uintptr(fd), uintptr(unsafe.Pointer(&empty[0])), unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, //nolint:gosec // as unix.Statx does it
		uintptr(mask), uintptr(unsafe.Pointer(st)), 0) //nolint:gosec // the same
	switch errno {
	case 0:
		return nil
	case unix.ENOSYS, unix.EPERM:
		var old unix.Stat_t
		if err := unix.Fstat(fd, &old); err != nil {
			return err
		}
		st.Uid, st.Size = old.Uid, uint64(old.Size)
		return nil
	}
	return errno
}
