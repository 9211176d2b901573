package process

import (
	"bytes"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// users turns uids into names by the host's /etc/passwd, which is read again
// when it changes. On the host itself the name services of the C library are
// asked too, where the program was built with it.
type users struct {
	path    string
	onHost  bool
	version passwdVersion
	names   map[int]string
	short   bool // nothing is known for want of a descriptor to read it with
}

// passwdVersion tells one state of the file from another.
type passwdVersion struct {
	inode            uint64
	size             int64
	written, changed unix.Timespec
}

func newUsers(root string) *users {
	return &users{path: filepath.Join(root, "etc/passwd"), onHost: filepath.Clean(root) == "/"}
}

// refresh reads the file again if it is another than last time, and tells
// whether it was.
func (u *users) refresh() bool {
	var st unix.Stat_t
	if err := unix.Stat(u.path, &st); err != nil {
		if u.names == nil {
			u.names = make(map[int]string)
		}
		return false
	}
	version := passwdVersion{st.Ino, st.Size, st.Mtim, st.Ctim}
	if u.names != nil && version == u.version {
		return false
	}
	text, err := os.ReadFile(u.path)
	u.short = u.version == passwdVersion{} && shortOfDescriptors(err)
	if err != nil {
		if u.names == nil {
			u.names = make(map[int]string)
		}
		return false // the names of last time are the best there are
	}
	u.version, u.names = version, parsePasswd(text)
	return true
}

// parsePasswd reads the names of the users (passwd(5)). The first of several
// lines for one uid holds; lines of another form are passed over.
func parsePasswd(text []byte) map[int]string {
	names := make(map[int]string)
	for line := range bytes.Lines(text) {
		fields := bytes.SplitN(bytes.TrimSuffix(line, []byte("\n")), []byte(":"), 4)
		if len(fields) < 4 || len(fields[0]) == 0 || fields[0][0] == '#' {
			continue
		}
		uid, err := strconv.ParseUint(string(fields[2]), 10, 32)
		if _, taken := names[int(uid)]; err == nil && !taken {
			names[int(uid)] = string(fields[0])
		}
	}
	return names
}

// name is the user's name, or the digits of the uid.
func (u *users) name(uid int) string {
	if name, ok := u.names[uid]; ok {
		return name
	}
	name := strconv.Itoa(uid)
	if u.onHost {
		found, err := user.LookupId(name)
		if _, unknown := errors.AsType[user.UnknownUserIdError](err); err != nil && !unknown {
			return name // that nobody could be asked now is no answer
		}
		if err == nil {
			name = found.Username
		}
	}
	u.names[uid] = name
	return name
}
