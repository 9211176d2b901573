//go:build unix

package token

import (
	"fmt"
	"os"
	"syscall"
)

// checkOwner refuses a file that belongs to anybody but root and ourselves: its
// owner could make himself an admin of a server that runs as another user.
func checkOwner(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return reason(err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: it belongs to uid %d", ErrForeignOwner, st.Uid)
	}
	return nil
}

// accessOf is the owner of a file, which its mode does not tell.
func accessOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(st.Uid, ":", st.Gid)
	}
	return ""
}
