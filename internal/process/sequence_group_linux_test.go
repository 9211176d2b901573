package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// actor is what is known of a process that obeys: it was told so.
type actor struct {
	group   *group
	pid     int
	parent  *actor // nil for the first process of the namespace
	control int
	ended   bool   // but not waited for
	inner   int    // its pid in the namespace of who started it
	first   *actor // the first process of its pid namespace, nil in that of the stage
	nice    int

	euid, uid int
	sockets   map[int]*actorSocketState // by descriptor
	plain     []int                     // descriptors of no interest
	left      bool                      // its first thread has ended
	apart     bool                      // its first thread does not live where the others do
	stopped   bool
	alien     bool // lives in another user namespace
	session   bool // it leads one
	terminal  bool // which has a terminal
	network   bool // lives in another network namespace than the first process
	mounts    bool // lives in another mount namespace
	chrooted  bool

	opened, closed int // descriptors, in this step
	// What a reader may not know yet, and since when nothing tells it.
	silent bool // facts that give no sign
	passed bool // which sockets it holds
}

// actorSocketState is a socket, which several descriptors and actors may share.
type actorSocketState struct {
	family, kind, port int
	reuse              bool
	network            bool // it belongs to another network namespace
	listening          bool // the kernel lists it
	euid               int
}

// group is some actors that have to do with each other, and a folder of programs.
type group struct {
	*rand.Rand
	stage  *stage
	number int
	folder string
	actors []*actor
	ports  int
	// replaced tells that its python3 is a file of its own.
	replaced bool
	// blurred tells that nothing may tell a reader which sockets are there.
	blurred bool
	done    []string // what was ordered, for whoever looks for a mistake
}

func (g *group) note(format string, args ...any) {
	g.done = append(g.done, fmt.Sprintf(format, args...))
}

// oneOf is any of some things.
func oneOf[T any](g *group, from ...T) T { return from[g.IntN(len(from))] }

// program is the path of one of the group's programs.
func (g *group) program(name string) string { return filepath.Join(g.folder, "bin", name) }

// programNames are those of a group: one is an interpreter by its name.
var programNames = []string{"alpha", "beta", "python3"}

// livings are the actors that obey.
func (g *group) livings() []*actor {
	var all []*actor
	for _, a := range g.actors {
		if !a.ended {
			all = append(all, a)
		}
	}
	return all
}

// order has the actor do something. A negative descriptor is none.
func (a *actor) order(fd int, words ...string) (answer string, came int, err error) {
	a.wake()
	text := strings.Join(words, " ")
	a.group.note("%d %s", a.pid, text)
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	if err := unix.Sendmsg(a.control, []byte(text), rights, nil, 0); err != nil {
		return "", -1, fmt.Errorf("tell %d %q: %w", a.pid, text, err)
	}
	answer, came, err = a.answer()
	if err != nil {
		err = fmt.Errorf("%d %q: %w", a.pid, text, err)
	}
	return answer, came, err
}

// wake continues an actor that was stopped.
func (a *actor) wake() {
	if a.stopped {
		a.stopped = false
		_ = unix.Kill(a.pid, unix.SIGCONT)
	}
}

func (a *actor) answer() (string, int, error) {
	packet, rights := make([]byte, 256), make([]byte, 128)
	for {
		n, oobn, _, _, err := unix.Recvmsg(a.control, packet, rights, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return "", -1, err
		case n == 0:
			return "", -1, errors.New("ended")
		}
		a.identify(rights[:oobn])
		text := string(packet[:n])
		if message, bad := strings.CutPrefix(text, "error: "); bad {
			return "", -1, errors.New(message)
		}
		return text, receivedDescriptor(rights[:oobn]), nil
	}
}

// identify takes the pid of an actor from what the kernel says of its packet.
func (a *actor) identify(control []byte) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || a.pid != 0 {
		return
	}
	for i := range messages {
		if credentials, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
			a.pid = int(credentials.Pid)
		}
	}
}

// pidFor is the pid of an actor as its parent sees it.
func (a *actor) pidFor(parent *actor) int {
	if parent.first == nil {
		return a.pid
	}
	return a.inner
}

// isFirst tells an actor with whose end others would end.
func (g *group) isFirst(a *actor) bool {
	for _, other := range g.actors {
		if other != a && other.first == a {
			return true
		}
	}
	return false
}

// tell is order where nothing is passed and the answer says nothing.
func (a *actor) tell(words ...string) error {
	_, _, err := a.order(-1, words...)
	return err
}

// number is order where the answer is a number.
func (a *actor) number(fd int, words ...string) (int, error) {
	answer, _, err := a.order(fd, words...)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}

// control makes the two ends of an actor's line of orders.
func control() (ours, theirs int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, err
	}
	timeout := unix.Timeval{Sec: 20}
	if err := unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil { // tells pids as we see them
		return -1, -1, err
	}
	return pair[0], pair[1], unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout)
}

// start starts an actor as a child of the first process, or of another actor.
func (g *group) start(parent *actor, flags uintptr, name string) error {
	ours, theirs, err := control()
	if err != nil {
		return err
	}
	defer unix.Close(theirs)
	a := &actor{group: g, parent: parent, control: ours, sockets: map[int]*actorSocketState{}}
	if raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		a.nice = 20 - raw // setpriority(2), as the kernel tells it
	}
	if parent != nil {
		a.inherit(parent)
	}
	program := g.program(name)
	if parent == nil {
		a.pid, err = syscall.ForkExec(program, []string{program}, &syscall.ProcAttr{
			Env: actorEnvironment(), Files: []uintptr{uintptr(theirs), 1, 2}, Sys: &syscall.SysProcAttr{Cloneflags: flags},
		})
		g.note("%d started", a.pid)
	} else {
		a.inner, err = parent.number(theirs, "spawn", strconv.FormatUint(uint64(flags), 10), program)
	}
	if err != nil {
		unix.Close(ours)
		return fmt.Errorf("start %s: %w", program, err)
	}
	a.network = a.network || flags&unix.CLONE_NEWNET != 0
	a.mounts = a.mounts || flags&unix.CLONE_NEWNS != 0
	a.alien = a.alien || flags&unix.CLONE_NEWUSER != 0
	if flags&unix.CLONE_NEWPID != 0 {
		a.first = a
	}
	if _, _, err := a.answer(); err != nil { // it says that it is ready, and who it is
		return fmt.Errorf("start %s: %w", program, err)
	}
	if parent != nil {
		a.inheritSockets(parent)
	}
	g.actors = append(g.actors, a)
	return nil
}

// actorEnvironment keeps actors quiet.
func actorEnvironment() []string {
	return append(os.Environ(), helperVariable+"="+actorRole, "GOMAXPROCS=1", "GOGC=off")
}

// inherit takes over what a child has of its parent.
func (a *actor) inherit(parent *actor) {
	a.euid, a.uid, a.network, a.mounts, a.alien = parent.euid, parent.euid, parent.network, parent.mounts, parent.alien
	a.first, a.nice = parent.first, parent.nice
}

// inheritSockets takes over those that execve(2) did not close.
func (a *actor) inheritSockets(parent *actor) {
	for fd, s := range parent.sockets {
		if !parent.closesOnExec(fd) {
			a.sockets[fd] = s
		}
	}
}

// closesOnExec tells of a descriptor whether execve(2) closes it, which is how
// they are made: see openSocket.
func (a *actor) closesOnExec(fd int) bool {
	flags, err := descriptorFlags(a.pid, fd)
	return err == nil && flags&unix.O_CLOEXEC != 0
}

// descriptorFlags reads the flags of another process's descriptor
// (proc_pid_fdinfo(5)).
func descriptorFlags(pid, fd int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "flags:\t")
	digits, _, _ := strings.Cut(rest, "\n")
	flags, err := strconv.ParseInt(digits, 8, 64)
	return int(flags), err
}

// executed takes over what execve(2) makes of an actor.
func (a *actor) executed() {
	for fd := range a.sockets {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", a.pid, fd))
		if err != nil || !isSocket([]byte(link)) {
			delete(a.sockets, fd) // or the new program has another file there
		}
	}
	a.plain = nil // all of them close on execve
	a.uid = a.euid
}

// privileged tells an actor that may do what root may.
func (a *actor) privileged() bool { return a.euid == 0 && !a.alien }

// finish ends an actor, which nobody has waited for then.
func (a *actor) finish(how func() error) error {
	if err := how(); err != nil {
		return err
	}
	for { // until its end of the line is closed
		if _, _, err := a.answer(); err != nil {
			break
		}
	}
	unix.Close(a.control)
	a.ended = true
	for _, child := range a.group.actors {
		if child.parent == a {
			child.parent = a.first // in whose namespace it is an orphan
		}
	}
	return nil
}

// forget takes an actor that was waited for out of the group.
func (g *group) forget(gone *actor) {
	var rest []*actor
	for _, a := range g.actors {
		if a != gone {
			rest = append(rest, a)
		}
	}
	g.actors = rest
}
