package process

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An actor is a process that changes itself as it is told: the test binary with
// helperVariable set to actorRole. Its first descriptor is a socket of packets, on
// which orders come and answers go, descriptors among them. It knows nothing of
// its past, so that it can go on after execve(2).
const actorRole = "actor"

// act carries out orders until nobody gives any more.
func act() {
	signal.Ignore(unix.SIGHUP) // whose terminal, or the leader of whose session, ends
	rehearse()
	actorSay("ready", -1)
	packet, rights := make([]byte, 4096), make([]byte, 64)
	for {
		n, oobn, _, _, err := unix.Recvmsg(0, packet, rights, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR { //nolint:errorlint // a bare errno
			continue
		}
		if err != nil || n == 0 {
			os.Exit(0)
		}
		words := strings.Split(string(packet[:n]), " ")
		answer, passed, err := actorOrder(words[0], words[1:], receivedDescriptor(rights[:oobn]))
		if err != nil {
			answer = "error: " + err.Error()
		}
		actorSay(answer, passed)
	}
}

// rehearse does what later must leave no trace in the line of stat: what is done for
// the first time touches new memory.
func rehearse() {
	for range 10 {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
			fd, err := unix.Socket(unix.AF_INET, kind, 0)
			if err != nil {
				continue
			}
			_ = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
			_ = unix.Listen(fd, 1)
			other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
			if err == nil {
				unix.Close(other)
			}
			unix.Close(fd)
		}
	}
}

func actorSay(answer string, passed int) {
	var rights []byte
	if passed >= 0 {
		rights = unix.UnixRights(passed)
	}
	if err := unix.Sendmsg(0, []byte(answer), rights, nil, 0); err != nil {
		os.Exit(1)
	}
}

// receivedDescriptor is the descriptor that came with a packet, -1 without one.
func receivedDescriptor(rights []byte) int {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return -1
	}
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil && len(fds) > 0 {
			return fds[0]
		}
	}
	return -1
}

// actorOrder carries out one order. Descriptors are named by their numbers.
func actorOrder(verb string, args []string, came int) (answer string, passed int, err error) {
	numbers := make([]int, len(args))
	for i, arg := range args {
		numbers[i], _ = strconv.Atoi(arg)
	}
	switch verb {
	case "give": // FD
		return "ok", numbers[0], nil
	case "take": // a descriptor that comes with the order
		return strconv.Itoa(came), -1, nil
	case "spawn": // FLAGS PROGRAM: a child, whose orders come on the descriptor that comes along
		answer, err = actorSpawn(uintptr(numbers[0]), args[1], came)
		return answer, -1, err
	case "socket": // FAMILY TYPE PORT REUSEPORT CLOEXEC
		answer, err = actorSocket(numbers[0], numbers[1], numbers[2], numbers[3] != 0, numbers[4] != 0)
		return answer, -1, err
	case "open": // a descriptor of no interest
		fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
		return strconv.Itoa(fd), -1, err
	case "dup": // FD
		fd, err := unix.Dup(numbers[0])
		return strconv.Itoa(fd), -1, err
	}
	return "ok", -1, actorChange(verb, args, numbers, came)
}

// actorChange carries out what answers nothing.
func actorChange(verb string, args []string, n []int, came int) error {
	switch verb {
	case "listen": // FD: which is bound
		return unix.Listen(n[0], 8)
	case "close": // FD
		return unix.Close(n[0])
	case "move": // FD FD
		if err := unix.Dup3(n[0], n[1], 0); err != nil {
			return err
		}
		return unix.Close(n[0])
	case "connect": // FD
		return unix.Connect(n[0], &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
	case "disconnect": // FD
		return disconnect(n[0])
	case "shutdown": // FD
		return unix.Shutdown(n[0], unix.SHUT_RDWR)
	case "name": // NAME
		name, err := unix.BytePtrFromString(args[0])
		if err != nil {
			return err
		}
		return unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0)
	case "title": // TEXT: over the command line
		copy(unsafe.Slice(unsafe.StringData(os.Args[0]), len(os.Args[0])), args[0]+strings.Repeat("\x00", 64))
		return nil
	case "exec": // PROGRAM WORD...
		return syscall.Exec(args[0], args[1:], os.Environ())
	case "euid": // UID
		return syscall.Setresuid(-1, n[0], -1)
	case "uid": // UID: for good
		return syscall.Setresuid(n[0], n[0], n[0])
	case "gid": // GID
		return syscall.Setresgid(n[0], n[0], n[0])
	case "session":
		_, err := unix.Setsid()
		return err
	case "terminal": // that comes with the order
		return unix.IoctlSetInt(came, unix.TIOCSCTTY, 0)
	case "nice": // NUMBER
		return unix.Setpriority(unix.PRIO_PROCESS, 0, n[0])
	}
	return actorWorld(verb, args, n)
}

// actorWorld carries out what changes where the process lives, or its threads.
func actorWorld(verb string, args []string, n []int) error {
	switch verb {
	case "unshare": // FLAGS
		return unix.Unshare(n[0])
	case "home": // NAMESPACE FLAG: back to that of the first process
		fd, err := unix.Open("/proc/1/ns/"+args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Setns(fd, n[1])
	case "cover": // FOLDER: with an empty one
		return unix.Mount("tmpfs", args[0], "tmpfs", 0, "mode=755")
	case "chroot": // FOLDER
		return unix.Chroot(args[0])
	case "threads": // NUMBER: more of them
		for range n[0] {
			go func() {
				runtime.LockOSThread()
				for {
					_ = unix.Pause()
				}
			}()
		}
		return nil
	case "leave": // the first thread ends, the others go on
		go act()
		_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // which lets the others have the processor of Go's scheduler
	case "burn": // MILLISECONDS of processor time
		begin := time.Now()
		for time.Since(begin) < time.Duration(n[0])*time.Millisecond {
			_ = time.Now()
		}
		return nil
	case "exit":
		os.Exit(0)
	case "reap": // PID
		_, err := unix.Wait4(n[0], nil, 0, nil)
		return err
	}
	return fmt.Errorf("unknown order %q", verb)
}

// disconnect takes its peer from a UDP socket (connect(2), AF_UNSPEC).
func disconnect(fd int) error {
	var nobody unix.RawSockaddrInet4 // whose family is AF_UNSPEC
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody))
	if errno != 0 {
		return errno
	}
	return nil
}

// actorSocket binds a socket to the loopback. TCP listens only once it is told to.
func actorSocket(family, kind, port int, reuse, cloexec bool) (string, error) {
	if cloexec {
		kind |= unix.SOCK_CLOEXEC
	}
	fd, err := unix.Socket(family, kind, 0)
	if err != nil {
		return "", err
	}
	if reuse {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return "", err
		}
	}
	var address unix.Sockaddr = &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	if family == unix.AF_INET6 {
		address = &unix.SockaddrInet6{Port: port}
	}
	return strconv.Itoa(fd), unix.Bind(fd, address)
}

// actorSpawn starts a child, which inherits what is not closed by execve(2).
func actorSpawn(flags uintptr, program string, control int) (string, error) {
	pid, err := syscall.ForkExec(program, []string{program}, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{uintptr(control), 1, 2}, Sys: &syscall.SysProcAttr{Cloneflags: flags},
	})
	unix.Close(control)
	return strconv.Itoa(pid), err
}
