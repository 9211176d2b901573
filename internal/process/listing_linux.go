package process

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// listPIDs appends the numeric names of a /proc directory to pids, in the order
// of the directory, which procfs keeps ascending.
func listPIDs(dir int, buf []byte, pids []int) ([]int, error) {
	if _, err := unix.Seek(dir, 0, 0); err != nil {
		return pids, fmt.Errorf("rewind /proc: %w", err)
	}
	for {
		n, err := getdentsNow(dir, buf)
		if err != nil {
			return pids, fmt.Errorf("list /proc: %w", err)
		}
		if n == 0 {
			return pids, nil
		}
		for entry := buf[:n]; len(entry) > 0; {
			// struct linux_dirent64, getdents64(2): ino 8, off 8, reclen 2, type 1.
			size := binary.NativeEndian.Uint16(entry[16:])
			if pid, ok := parsePID(entry[19:size]); ok {
				pids = append(pids, pid)
			}
			entry = entry[size:]
		}
	}
}

// parsePID reads a name that is NUL-terminated and all digits.
func parsePID(name []byte) (int, bool) {
	pid := 0
	for i, c := range name {
		if c == 0 {
			return pid, i > 0
		}
		if c < '0' || c > '9' || i > 9 {
			return 0, false
		}
		pid = pid*10 + int(c-'0')
	}
	return 0, false
}
