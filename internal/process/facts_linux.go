package process

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// errEnding says that a process has let go of its program and is about to end.
var errEnding = errors.New("the process is ending")

// reading is what one reading of the facts gave. The reader has but one, which
// each reading fills anew.
type reading struct {
	facts  Facts
	old    Facts    // the last ones, whose strings are used again
	file   *exeFile // nil where the executable has no path
	denied Denied
}

// text is a string of some bytes: one that is there already, if it is the same.
func text(old string, now []byte) string {
	if old == string(now) {
		return old
	}
	return string(now)
}

// readFacts reads what is slow to read. It fails only where the process is
// ending; what may not be seen is left empty and noted.
func (r *Reader) readFacts(t *tracked, state State) (*reading, error) {
	known := &r.reading
	*known = reading{facts: Facts{Name: t.comm, Root: "/", UID: t.euid, User: r.users.name(t.euid)}}
	if t.facts != nil {
		known.old = *t.facts
	}
	if t.kernel || state.ended() {
		return known, nil
	}
	if err := r.readNamespaces(t, known); err != nil {
		return nil, err
	}
	if err := r.readExe(t, known); err != nil {
		return nil, err
	}
	if err := r.readArguments(t, known); err != nil {
		return nil, err
	}
	if err := r.readPlace(t, known); err != nil {
		return nil, err
	}
	return known, nil
}

// readArguments reads of the command line what is kept of it.
func (r *Reader) readArguments(t *tracked, known *reading) error {
	raw, err := r.readAt(t, "cmdline")
	if fatal(err) {
		return err
	}
	if err == nil {
		argv0, script, others := arguments(raw, known.facts.Exe)
		known.facts.Argv0, known.facts.Script = text(known.old.Argv0, argv0), text(known.old.Script, script)
		known.facts.OtherScripts = text(known.old.OtherScripts, others)
	}
	return nil
}

// readPlace reads where in the tree of control groups the process is.
func (r *Reader) readPlace(t *tracked, known *reading) error {
	facts := &known.facts
	raw, err := r.readAt(t, "cgroup")
	switch {
	case err == nil:
		if path := cgroupPath(raw); t.cgroup != string(path) {
			t.cgroup = string(path)
			t.place = place(t.cgroup)
		}
		facts.Slice, facts.Unit, facts.UserUnit, facts.Container = t.place.slice, t.place.unit, t.place.userUnit, t.place.container
	case denied(err):
		known.denied |= DeniedCgroup
	case fatal(err):
		return err
	}
	// Who owns a part of the cgroup tree may call it a container's, and who
	// makes a user namespace may be the first process in it: that must
	// not pass for the harmless init of an engine's container.
	if facts.Container != "" && known.denied&DeniedNamespaces == 0 && !facts.Namespaces.ByUser {
		facts.ContainerInit = r.firstOfNamespace(t)
	}
	return nil
}

// distrust takes back what counts in favour of a process: these facts may be a
// mixture of several programs.
func (f *Facts) distrust() {
	f.File.Trusted, f.File.CommIsLink, f.ContainerInit = false, false, false
}

// fatal tells the errors with which reading further would give facts that are
// not so.
func fatal(err error) bool {
	return errors.Is(err, unix.ESRCH) || shortOfDescriptors(err)
}

// settle takes over what was read, and keeps the old value where nothing
// differs so that whoever compares pointers sees no change.
func (t *tracked) settle(facts *Facts) {
	if t.facts != nil && *t.facts == *facts {
		return
	}
	made := *facts
	t.facts = &made
	t.changed = true
}

// readNamespaces reads the links of /proc/PID/ns (namespaces(7)).
func (r *Reader) readNamespaces(t *tracked, known *reading) error {
	ns := &known.facts.Namespaces
	for _, link := range [...]struct {
		name string
		into *uint64
	}{{"ns/user", &ns.User}, {"ns/mnt", &ns.Mount}, {"ns/net", &ns.Net}, {"ns/pid", &ns.PID}} {
		target, err := r.linkAt(t, link.name)
		switch {
		case err == nil:
			*link.into = bracketed(target)
		case denied(err):
			known.denied |= DeniedNamespaces
			return nil
		case fatal(err):
			return err
		}
	}
	ns.ByUser = ns.User != 0 && ns.User != r.host.User && !r.rootMade(t)
	if target, err := r.linkAt(t, "root"); err == nil {
		known.facts.Root = text(known.old.Root, target)
	}
	return nil
}

// bracketed reads the number of "mnt:[4026531841]" or "socket:[123]".
func bracketed(link []byte) uint64 {
	_, rest, _ := bytes.Cut(link, []byte("["))
	n, err := strconv.ParseUint(string(bytes.TrimSuffix(rest, []byte("]"))), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// rootMade tells whether root owns the user namespace of the process
// (NS_GET_OWNER_UID, ioctl_ns(2)), as where systemd or a container engine made
// it. Doubt counts as no.
func (r *Reader) rootMade(t *tracked) bool {
	dir, name := r.at(t, "ns/user")
	fd, err := r.openat(dir, name, unix.O_RDONLY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	uid, err := unix.IoctlGetUint32(fd, nsGetOwnerUID)
	return err == nil && uid == 0
}

// nsGetOwnerUID is NS_GET_OWNER_UID of linux/include/uapi/linux/nsfs.h.
const nsGetOwnerUID = 0xb704

// firstOfNamespace tells the process that is number 1 of a pid namespace below
// ours.
func (r *Reader) firstOfNamespace(t *tracked) bool {
	text, err := r.readAt(t, "status")
	if err != nil {
		return false
	}
	status, err := parseStatus(text)
	return err == nil && len(status.pids) > 1 && status.pids[len(status.pids)-1] == 1
}
