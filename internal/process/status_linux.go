package process

import (
	"bytes"
	"errors"
	"strconv"
)

// statusFacts is what is read of /proc/PID/status (proc_pid_status(5)).
type statusFacts struct {
	threadGroup int
	uids        UIDs
	pids        []int // NStgid; nil where the kernel does not tell
}

var errStatusFormat = errors.New("status: not in the form of proc_pid_status(5)")

// parseStatus reads the lines Tgid, Uid and NStgid. The name, which comes first,
// cannot pass for a line: the kernel escapes newlines in it.
func parseStatus(text []byte) (statusFacts, error) {
	var s statusFacts
	var uids []int
	for line := range bytes.Lines(text) {
		key, rest, _ := bytes.Cut(line, []byte(":"))
		switch string(key) {
		case "Tgid":
			if n := numbers(rest); len(n) == 1 {
				s.threadGroup = n[0]
			}
		case "Uid":
			uids = numbers(rest)
		case "NStgid":
			s.pids = numbers(rest)
		}
	}
	if s.threadGroup <= 0 || len(uids) != 4 {
		return statusFacts{}, errStatusFormat
	}
	s.uids = UIDs{uids[0], uids[1], uids[2], uids[3]}
	return s, nil
}

// numbers reads numbers between blanks, nil where one of them is none.
func numbers(text []byte) []int {
	var all []int
	for field := range bytes.FieldsSeq(text) {
		n, err := strconv.ParseUint(string(field), 10, 32)
		if err != nil {
			return nil
		}
		all = append(all, int(n))
	}
	return all
}
