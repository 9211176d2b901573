package main

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// span is a part of the memory of this program.
type span struct{ from, to uint64 }

// leaveProgramFile takes the pages of the program file out of the resident memory.
// Most of them were needed by the start alone. The kernel keeps them in its cache
// as long as nobody needs the room more, and maps those again that are used: that
// takes 60 µs in the first scrape. What cannot be done is left.
func leaveProgramFile() {
	file, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, s := range programSpans(string(smaps), file) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(s.from), uintptr(s.to-s.from), unix.MADV_DONTNEED)
	}
}

// programSpans finds in smaps (proc_pid_smaps(5)) where a file is mapped that
// cannot be written, and where no page differs from the file: one that a linker
// has changed would lose that.
func programSpans(smaps, file string) []span {
	var found []span
	var at span
	candidate := false
	for line := range strings.Lines(smaps) {
		line = strings.TrimSuffix(line, "\n")
		fields := strings.Fields(line)
		if len(fields) > 5 && strings.Contains(fields[0], "-") {
			at, candidate = spanOf(fields[0])
			candidate = candidate && strings.HasPrefix(fields[1], "r-") && strings.HasSuffix(fields[1], "p") && strings.HasSuffix(line, " "+file)
			continue
		}
		if len(fields) > 0 && strings.Contains(fields[0], "-") { // a mapping without a file
			candidate = false
		}
		if candidate && len(fields) == 3 && fields[0] == "Anonymous:" {
			if fields[1] == "0" {
				found = append(found, at)
			}
			candidate = false
		}
	}
	return found
}

// spanOf reads "00400000-00cf0000".
func spanOf(text string) (span, bool) {
	from, to, _ := strings.Cut(text, "-")
	a, err1 := strconv.ParseUint(from, 16, 64)
	b, err2 := strconv.ParseUint(to, 16, 64)
	return span{a, b}, err1 == nil && err2 == nil && a < b
}
