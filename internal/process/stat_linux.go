package process

import (
	"bytes"
	"errors"
	"hash/maphash"
)

// rawStat is what a snapshot needs of /proc/PID/stat (proc_pid_stat(5)).
type rawStat struct {
	comm    []byte // aliases the buffer
	state   State
	ppid    int
	session int
	tty     int32
	kernel  bool
	cpu     uint64 // utime + stime in ticks
	threads int
	start   uint64 // ticks since boot
	rss     uint64 // pages
	// image mixes the addresses that execve(2) moves; they are 0 for those who
	// may not trace the process.
	image uint64
	// executing tells a process in the middle of execve(2): it has the new
	// program, but no command line yet. The kernel sets the start of the code
	// last (load_elf_binary in linux/fs/binfmt_elf.c).
	executing bool
}

const flagKernelThread = 0x00200000 // PF_KTHREAD, linux/include/linux/sched.h

var errStatFormat = errors.New("stat: not in the form of proc_pid_stat(5)")

// parseStat reads one line of /proc/PID/stat without allocating. The name is
// between the first '(' and the last ')': it may hold any byte itself.
func parseStat(line []byte) (rawStat, error) {
	var s rawStat
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || end < open || end+4 > len(line) || line[end+1] != ' ' {
		return s, errStatFormat
	}
	s.comm = line[open+1 : end]
	s.state = State(line[end+2])
	rest := line[end+3:]
	var fields [49]uint64 // fields 4 to 52
	n := 0
	for i := 0; i < len(rest) && n < len(fields); {
		if c := rest[i]; c == ' ' || c == '\n' {
			i++
			continue
		}
		negative := rest[i] == '-'
		if negative {
			i++
		}
		begin := i
		var v uint64
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			v = v*10 + uint64(rest[i]-'0')
		}
		if i == begin {
			return s, errStatFormat
		}
		if negative {
			v = -v
		}
		fields[n] = v
		n++
	}
	if n < 23 { // up to startcode; later fields came with later kernels
		return s, errStatFormat
	}
	field := func(number int) uint64 { return fields[number-4] }
	s.ppid = int(field(4))
	s.session = int(field(6))
	s.tty = int32(field(7))
	s.kernel = field(9)&flagKernelThread != 0
	s.cpu = field(14) + field(15)
	s.threads = int(field(20))
	s.start = field(22)
	s.rss = field(24)
	s.executing = field(26) == 0 && !s.kernel && !s.state.ended()
	for _, number := range [...]int{26, 27, 28, 45, 46, 47, 48, 49, 50, 51} {
		s.image = (s.image ^ field(number)) * 0x100000001b3 // FNV-1a's prime
	}
	return s, nil
}

// lastStat keeps what the last line of stat of a process meant. Most processes
// do nothing between two snapshots: to see that a line is the same takes a tenth
// of the time that parsing takes.
type lastStat struct {
	hash      uint64
	known     rawStat
	comm, end int  // where the name is
	same      bool // the line was the same as the one before
}

// statSeed makes hashes that nobody can foresee.
var statSeed = maphash.MakeSeed()

// parse is parseStat.
func (l *lastStat) parse(line []byte) (rawStat, error) {
	hash := maphash.Bytes(statSeed, line)
	l.same = hash == l.hash && l.end > 0 && l.end <= len(line)
	if l.same {
		known := l.known
		known.comm = line[l.comm:l.end]
		return known, nil
	}
	raw, err := parseStat(line)
	if err != nil {
		return raw, err
	}
	l.hash, l.known = hash, raw
	l.known.comm = nil // it aliases the buffer
	l.comm = bytes.IndexByte(line, '(') + 1
	l.end = l.comm + len(raw.comm)
	return raw, nil
}
