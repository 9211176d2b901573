package proctest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
	"path"
	"strconv"
	"strings"
)

// withDefaults fills in what a process does not say.
func (p Process) withDefaults() Process {
	setDefault(&p.Comm, comm(p.Exe))
	setDefault(&p.State, 'S')
	setDefault(&p.Cgroup, "/")
	setDefault(&p.Root, "/")
	setDefault(&p.Threads, 1)
	setDefault(&p.StartTicks, uint64(p.PID))
	setDefault(&p.User, HostUser)
	setDefault(&p.Mount, HostMount)
	setDefault(&p.Net, HostNet)
	setDefault(&p.PIDNS, HostPID)
	if p.Kernel && p.State == 'S' {
		p.State = 'I'
	}
	if !p.Kernel {
		setDefault(&p.Session, p.PID)
	}
	if !p.Kernel && p.State != 'Z' {
		setDefault(&p.Descriptors, 3)
	}
	if p.Args == nil && p.Exe != "" {
		p.Args = []string{strings.TrimSuffix(p.Exe, " (deleted)")}
	}
	if p.UIDs == nil {
		p.UIDs = &[4]int{p.UID, p.UID, p.UID, p.UID}
	}
	return p
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// comm is what execve(2) makes of a path.
func comm(exe string) string {
	base := strings.TrimSuffix(path.Base(exe), " (deleted)")
	return base[:min(len(base), 15)]
}

// stat is the text of proc_pid_stat(5).
func (p Process) stat() string {
	flags := 0x400000 // PF_RANDOMIZE
	if p.Kernel {
		flags |= 0x200000 // PF_KTHREAD
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %d", p.Exe, p.Args, p.Image)
	at := h.Sum64()>>24<<12 | 1<<46
	if p.Exe == "" {
		at = 0
	}
	fields := []any{
		p.PPID, p.Session, p.Session, p.TTY, -1, flags, 0, 0, 0, 0, p.CPUTicks, 0, 0, 0, 20, 0, p.Threads, 0, p.StartTicks,
		3 * p.RSS, p.RSS / uint64(os.Getpagesize()), "18446744073709551615", at, at + 4096, at + 1<<20,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, at + 8192, at + 12288, at + 16384, at + 1<<21, at + 1<<21 + 64, at + 1<<21 + 64, at + 1<<21 + 512, 0,
	}
	return fmt.Sprintf("%d (%s) %c %s", p.PID, p.Comm, p.State, fmt.Sprintln(fields...))
}

// status is the part of proc_pid_status(5) that anybody here reads. The kernel
// escapes newlines and backslashes in the name.
func (p Process) status() string {
	name := strings.NewReplacer("\\", `\\`, "\n", `\n`).Replace(p.Comm)
	inner := ""
	if p.NSPID != 0 {
		inner = "\t" + strconv.Itoa(p.NSPID)
	}
	u := p.UIDs
	return fmt.Sprintf("Name:\t%s\nUmask:\t0022\nState:\t%c\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n"+
		"Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nNStgid:\t%d%s\nNSpid:\t%d%s\nThreads:\t%d\n",
		name, p.State, p.PID, p.PID, p.PPID, u[0], u[1], u[2], u[3], u[0], u[1], u[2], u[3], p.PID, inner, p.PID, inner, p.Threads)
}

// cmdline is the command line as proc_pid_cmdline(5) has it.
func (p Process) cmdline() string {
	if len(p.Args) == 0 {
		return ""
	}
	return strings.Join(p.Args, "\x00") + "\x00"
}

func (p Process) cgroup() string {
	if p.CgroupText != "" {
		return p.CgroupText
	}
	return "0::" + p.Cgroup + "\n"
}

// table names the table of a socket.
func (s Socket) table() string {
	name := "tcp"
	if s.UDP {
		name = "udp"
	}
	if s.Addr.Addr().Is6() {
		name += "6"
	}
	return name
}

// line is the socket in its table, proc_net(5).
func (s Socket) line(number int) string {
	state := 0x0A // TCP_LISTEN
	if s.UDP {
		state = 0x07 // TCP_CLOSE
	}
	if s.Connected {
		state = 0x01
	}
	addr := s.Addr.Addr().AsSlice()
	return fmt.Sprintf("%4d: %s:%04X %s:0000 %02X 00000000:00000000 00:00000000 00000000     0        0 %d 1 0000000000000000 100 0 0 10 0\n",
		number, hexWords(addr), s.Addr.Port(), strings.Repeat("0", 2*len(addr)), state, s.Inode)
}

// hexWords prints an address as the kernel does: word by word, each in the
// machine's byte order.
func hexWords(addr []byte) string {
	var b strings.Builder
	for i := 0; i < len(addr); i += 4 {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(addr[i:]))
	}
	return b.String()
}
