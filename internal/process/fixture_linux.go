package process

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// ownerOf tells who made a fixture. They stand for root, so that what is
// trusted does not depend on who runs the tests.
func ownerOf(proc int) uint32 {
	var st unix.Stat_t
	if unix.Fstat(proc, &st) != nil {
		return 0
	}
	return st.Uid
}

// fixturePath is where a fixture keeps what another mount namespace shows: below
// a folder of its root called like the link, "mnt:[4026532001]".
func (r *Reader) fixturePath(v view, name string) string {
	return r.config.Root + "/mnt:[" + strconv.FormatUint(v.mount, 10) + "]" + name
}

// fixtureUID reads the effective uid from status. A folder of plain files
// belongs to whoever made it, so that its owner says nothing.
func (r *Reader) fixtureUID(t *tracked) int {
	text, err := r.readAt(t, "status")
	if err != nil {
		return -1
	}
	status, err := parseStatus(text)
	if err != nil {
		return -1
	}
	return status.uids.Effective
}
