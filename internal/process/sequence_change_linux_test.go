package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// sequenceChanges are all that an actor can do, or have done to it.
var sequenceChanges = []func(a *actor) error{
	openSocket, openSocket, openSocket, reusePort, closeSocket, closeSocket, dupSocket, moveSocket, passSocket, passSocket, peerSocket,
	openPlain, closePlain, spawn, spawn, executeProgram, executeProgram, changeUser, changeUser, changeGroup, rename, rename, rewriteTitle,
	newSession, newTerminal, renice, unshareNetwork, unshareMounts, comeHome, coverFolder, changeRoot, moreThreads, leaveFirstThread, burn,
	endProcess, waitForProcess, stopProcess, reusePID, removeProgram, replaceProgram, changeModes, linkName, moveControlGroup,
}

// quietChanges make no new socket, so that nothing has a reader look twice at
// anybody.
var quietChanges = []func(a *actor) error{openPlain, openPlain, closePlain, dupSocket, passSocket, moveSocket, rewriteTitle, moveControlGroup, spawn, spawn}

func openSocket(a *actor) error {
	a.group.ports++
	s := &actorSocketState{
		family: oneOf(a.group, unix.AF_INET, unix.AF_INET6), kind: oneOf(a.group, unix.SOCK_STREAM, unix.SOCK_DGRAM),
		port: 10000 + a.group.number*100 + a.group.ports, reuse: a.group.IntN(2) == 0,
	}
	return a.bind(s)
}

// reusePort binds to the port of a socket that somebody else may hold.
func reusePort(a *actor) error {
	for _, other := range a.group.livings() {
		for _, fd := range other.descriptors() {
			s := *other.sockets[fd]
			if s.reuse && s.network == a.network && !a.network && s.euid == a.euid {
				return a.bind(&s)
			}
		}
	}
	return nil
}

// descriptors are those of sockets, in order, so that a seed means the same again.
func (a *actor) descriptors() []int {
	var all []int
	for fd := range a.sockets {
		all = append(all, fd)
	}
	slices.Sort(all)
	return all
}

func (a *actor) bind(s *actorSocketState) error {
	s.network, s.euid, s.listening = a.network, a.euid, s.kind == unix.SOCK_DGRAM
	fd, err := a.number(-1, "socket", strconv.Itoa(s.family), strconv.Itoa(s.kind), strconv.Itoa(s.port), digit(s.reuse), digit(a.group.IntN(3) == 0))
	if err != nil {
		return err
	}
	a.sockets[fd] = s
	a.opened++
	if s.kind == unix.SOCK_STREAM && a.group.IntN(8) > 0 {
		s.listening = true
		return a.tell("listen", strconv.Itoa(fd))
	}
	return nil
}

func digit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// anySocket is a descriptor of a socket, -1 without one.
func (a *actor) anySocket() int {
	if len(a.sockets) == 0 {
		return -1
	}
	return oneOf(a.group, a.descriptors()...)
}

func closeSocket(a *actor) error {
	fd := a.anySocket()
	if fd < 0 {
		return nil
	}
	delete(a.sockets, fd)
	a.closed++
	return a.tell("close", strconv.Itoa(fd))
}

func dupSocket(a *actor) error {
	fd := a.anySocket()
	if fd < 0 {
		return nil
	}
	s := a.sockets[fd]
	fd, err := a.number(-1, "dup", strconv.Itoa(fd))
	a.sockets[fd] = s
	a.opened++
	return err
}

// moveSocket puts a socket on another descriptor, maybe in place of another one.
func moveSocket(a *actor) error {
	from := a.anySocket()
	if from < 0 {
		return nil
	}
	to := oneOf(a.group, a.anySocket(), 200+a.group.IntN(3))
	if to == from {
		return nil
	}
	if _, taken := a.sockets[to]; taken {
		a.closed++
	}
	a.sockets[to] = a.sockets[from]
	delete(a.sockets, from)
	a.opened, a.closed = a.opened+1, a.closed+1
	return a.tell("move", strconv.Itoa(from), strconv.Itoa(to))
}

// passSocket gives a socket to another actor, which then shares it or has it alone.
func passSocket(a *actor) error {
	fd := a.anySocket()
	others := a.group.livings()
	if fd < 0 || len(others) < 2 {
		return nil
	}
	other := oneOf(a.group, others...)
	if other == a {
		return nil
	}
	_, came, err := a.order(-1, "give", strconv.Itoa(fd))
	if err != nil {
		return err
	}
	defer unix.Close(came)
	taken, err := other.number(came, "take")
	if err != nil {
		return err
	}
	other.sockets[taken] = a.sockets[fd]
	other.opened++
	other.passed = true                       // nothing tells it from a file that was opened
	if err := closePlain(other); err != nil { // in whose place it comes
		return err
	}
	if a.group.IntN(2) == 0 {
		return nil
	}
	delete(a.sockets, fd)
	a.closed++
	return a.tell("close", strconv.Itoa(fd))
}

// peerSocket lets a socket begin or cease to wait for peers.
func peerSocket(a *actor) error {
	fd := a.anySocket()
	if fd < 0 {
		return nil
	}
	s := a.sockets[fd]
	a.opened, a.closed = a.opened+1, a.closed+1 // the number of descriptors tells nothing
	switch {
	case s.kind == unix.SOCK_STREAM && !s.listening:
		if s.reuse {
			return nil // others may share the port
		}
		s.listening = true
		return a.tell("listen", strconv.Itoa(fd))
	case s.kind == unix.SOCK_STREAM:
		s.listening = false
		return a.tell("shutdown", strconv.Itoa(fd))
	case s.family != unix.AF_INET || s.network:
		return nil
	case s.listening:
		s.listening = false
		return a.tell("connect", strconv.Itoa(fd))
	}
	s.listening = true
	return a.tell("disconnect", strconv.Itoa(fd))
}

func openPlain(a *actor) error {
	for range 1 + a.group.IntN(3) {
		fd, err := a.number(-1, "open")
		if err != nil {
			return err
		}
		a.plain = append(a.plain, fd)
		a.opened++
	}
	return nil
}

func closePlain(a *actor) error {
	if len(a.plain) == 0 {
		return nil
	}
	fd := a.plain[0]
	a.plain = a.plain[1:]
	a.closed++
	return a.tell("close", strconv.Itoa(fd))
}

func spawn(a *actor) error {
	if len(a.group.actors) > 4 || a.chrooted {
		return nil
	}
	flags := 0
	if a.privileged() {
		flags = oneOf(a.group, 0, 0, unix.CLONE_NEWNET, unix.CLONE_NEWPID|unix.CLONE_NEWNS, unix.CLONE_NEWUSER)
	}
	name := oneOf(a.group, programNames...)
	if !a.canRun(name) {
		return nil
	}
	return a.group.start(a, uintptr(flags), name)
}

// canRun tells whether the actor sees a program.
func (a *actor) canRun(name string) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d/root%s", a.pid, a.group.program(name)))
	return err == nil && !a.chrooted
}

func executeProgram(a *actor) error {
	name := oneOf(a.group, programNames...)
	if !a.canRun(name) {
		return nil
	}
	words := []string{"exec", a.group.program(name), oneOf(a.group, name, "sshd", "")}
	if name == "python3" {
		words = append(words, oneOf(a.group, "/srv/app.py", "-c", "-m"))
	}
	if err := a.tell(words...); err != nil { // it says that it is ready again
		return err
	}
	a.left, a.opened, a.closed = false, a.opened+1, a.closed+1
	a.executed()
	return nil
}

func changeUser(a *actor) error {
	if a.uid != 0 || a.alien || a.left { // all threads would have to change
		return nil
	}
	to := oneOf(a.group, 0, 1000, 65534)
	if !a.privileged() {
		to = 0 // back to the real one
	} else if a.group.IntN(6) == 0 {
		a.euid, a.uid = to, to
		return a.tell("uid", strconv.Itoa(to))
	}
	a.euid = to
	return a.tell("euid", strconv.Itoa(to))
}

func changeGroup(a *actor) error {
	if !a.privileged() || a.alien || a.left {
		return nil
	}
	return a.tell("gid", oneOf(a.group, "0", "1000"))
}

func rename(a *actor) error {
	return a.tell("name", oneOf(a.group, "link", "kworker/0:1", "a)", "sshd", "alpha"))
}

func rewriteTitle(a *actor) error {
	a.silent = true
	return a.tell("title", oneOf(a.group, "sshd", "x", "/usr/sbin/nginx"))
}

func newSession(a *actor) error {
	if a.session || a.terminal {
		return nil
	}
	a.session = true
	return a.tell("session")
}

// newTerminal gives a leader of a session a terminal.
func newTerminal(a *actor) error {
	if !a.session {
		return nil
	}
	terminal := a.group.stage.terminal()
	if terminal < 0 {
		return nil
	}
	defer unix.Close(terminal)
	a.session, a.terminal = false, true // once is enough
	a.group.note("terminal")
	_, _, err := a.order(terminal, "terminal")
	a.opened++ // it keeps what came
	return err
}

// renice makes an actor nicer, which anybody may.
func renice(a *actor) error {
	a.nice = min(a.nice+1, 19)
	return a.tell("nice", strconv.Itoa(a.nice))
}

func unshareNetwork(a *actor) error {
	if !a.privileged() || a.left || a.network {
		return nil
	}
	a.silent, a.network, a.apart, a.group.blurred = true, true, true, true
	return a.tell("unshare", strconv.Itoa(unix.CLONE_NEWNET))
}

func unshareMounts(a *actor) error {
	if !a.privileged() || a.left || a.mounts || a.chrooted {
		return nil
	}
	a.silent, a.mounts, a.apart = true, true, true
	return a.tell("unshare", strconv.Itoa(unix.CLONE_NEWNS))
}

// comeHome goes back to the network of the first process.
func comeHome(a *actor) error {
	if !a.privileged() || a.left || a.chrooted || !a.network || a.alien {
		return nil
	}
	a.silent, a.network, a.apart, a.group.blurred = true, false, true, true
	return a.tell("home", "net", strconv.Itoa(unix.CLONE_NEWNET))
}

// coverFolder hides the programs from an actor, or from all that share its mounts.
func coverFolder(a *actor) error {
	if !a.privileged() || !a.mounts || a.left || a.chrooted || a.alien {
		return nil
	}
	return a.tell("cover", filepath.Join(a.group.folder, "bin"))
}

func changeRoot(a *actor) error {
	if !a.privileged() || a.chrooted || a.group.IntN(3) > 0 || !a.canRun("alpha") || a.alien {
		return nil
	}
	a.silent, a.chrooted = true, true
	return a.tell("chroot", oneOf(a.group, a.group.folder, "/"))
}

func moreThreads(a *actor) error { return a.tell("threads", strconv.Itoa(1+a.group.IntN(4))) }

func leaveFirstThread(a *actor) error {
	if a.left || a.apart {
		return nil
	}
	a.left = true
	return a.tell("leave") // it is another thread that answers
}

func burn(a *actor) error { return a.tell("burn", "25") }

// endProcess ends an actor, by itself or not.
func endProcess(a *actor) error {
	if len(a.group.livings()) < 2 || a.group.isFirst(a) {
		return nil
	}
	if a.group.IntN(2) == 0 {
		a.wake()
		a.group.note("%d exit", a.pid)
		return a.finish(func() error { return unix.Sendmsg(a.control, []byte("exit"), nil, nil, 0) })
	}
	a.group.note("%d killed", a.pid)
	return a.finish(func() error { return unix.Kill(a.pid, unix.SIGKILL) })
}

// waitForProcess lets a parent take note of the end of a child.
func waitForProcess(a *actor) error {
	for _, gone := range a.group.actors {
		if gone.ended {
			return gone.reap()
		}
	}
	return nil
}

// reap waits for an actor that has ended.
func (a *actor) reap() error {
	a.group.forget(a)
	if a.parent != nil {
		return a.parent.tell("reap", strconv.Itoa(a.pidFor(a.parent)))
	}
	a.group.note("%d reaped", a.pid)
	_, err := syscall.Wait4(a.pid, nil, 0, nil)
	return err
}

// stopProcess stops an actor until the next order.
func stopProcess(a *actor) error {
	a.group.note("%d stopped", a.pid)
	a.stopped = true
	return unix.Kill(a.pid, unix.SIGSTOP)
}

// reusePID ends an actor and starts another one with the same pid.
func reusePID(a *actor) error {
	if a.parent != nil || len(a.group.livings()) < 2 || a.group.isFirst(a) || !a.group.runnable("alpha") {
		return nil
	}
	a.group.note("%d killed, for its pid", a.pid)
	if err := a.finish(func() error { return unix.Kill(a.pid, unix.SIGKILL) }); err != nil {
		return err
	}
	if err := a.reap(); err != nil {
		return err
	}
	err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(a.pid-1)), 0)
	if err != nil && !os.IsNotExist(err) { // a kernel may lack it
		return err
	}
	return a.group.start(nil, 0, "alpha")
}

func (g *group) runnable(name string) bool {
	_, err := os.Stat(g.program(name))
	return err == nil
}

// removeProgram takes away the path of what others run.
func removeProgram(a *actor) error {
	name := oneOf(a.group, "alpha", "beta")
	a.group.note("remove %s", name)
	err := os.Remove(a.group.program(name))
	if os.IsNotExist(err) {
		return a.group.link(name)
	}
	return err
}

// link makes a program of the group, which is the same file for all groups.
func (g *group) link(name string) error { return os.Link(g.stage.master, g.program(name)) }

// replaceProgram puts another file in place of a program, as an update does.
func replaceProgram(a *actor) error {
	if a.group.IntN(3) > 0 {
		return nil
	}
	return a.group.replace(oneOf(a.group, programNames...))
}

func (g *group) replace(name string) error {
	g.note("replace %s", name)
	content, err := os.ReadFile(g.stage.master)
	if err != nil {
		return err
	}
	next := g.program("next")
	if err := os.WriteFile(next, content, 0o755); err != nil { //nolint:gosec // a program
		return err
	}
	return os.Rename(next, g.program(name))
}

// changeModes lets others write to a program, its folder, or one further up.
func changeModes(a *actor) error {
	g := a.group
	name := oneOf(g, g.program("python3"), filepath.Join(g.folder, "bin"), g.folder)
	if name == g.program("python3") && !g.replaced {
		// Else it is the file of all groups, of which some have lost the path by
		// which they would be looked at every time.
		g.replaced = true
		if err := g.replace("python3"); err != nil {
			return err
		}
	}
	mode := oneOf(g, os.FileMode(0o755), 0o777, 0o775, 0o777|os.ModeSticky)
	g.note("chmod %v %s", mode, name)
	if name == g.folder {
		g.allSilent() // only the nearest folder is looked at every time
	}
	return os.Chmod(name, mode)
}

func (g *group) allSilent() {
	for _, a := range g.actors {
		a.silent = true
	}
}

// linkName makes or removes the link by which a program may be called.
func linkName(a *actor) error {
	g := a.group
	g.note("link")
	g.allSilent()
	name := g.program("link")
	if os.Remove(name) == nil {
		return nil
	}
	return os.Symlink(oneOf(g, "alpha", "beta"), name)
}

// moveControlGroup moves an actor to another control group, where there are any.
func moveControlGroup(a *actor) error {
	groups := a.group.stage.controlGroups
	if len(groups) == 0 {
		return nil
	}
	to := oneOf(a.group, groups...)
	a.silent = true
	a.group.note("%d to %s", a.pid, strings.TrimPrefix(to, groups[0]))
	return os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(strconv.Itoa(a.pid)), 0)
}
