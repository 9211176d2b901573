package process

import (
	"fmt"
	"strconv"
	"strings"
)

// Identity names one process for as long as the machine runs. A pid alone is
// used again; together with the start time and the boot it practically is not.
type Identity struct {
	PID int
	// StartTicks is the start time in clock ticks since boot
	// (proc_pid_stat(5), field 22).
	StartTicks uint64
	// Boot is the first eight hexadecimal digits of the boot id
	// (/proc/sys/kernel/random/boot_id).
	Boot string
}

// String is the form that lists hand out, "PID-STARTTICKS-BOOT". Callers treat
// it as opaque and send it back as it is.
func (i Identity) String() string {
	b := make([]byte, 0, 40)
	b = strconv.AppendInt(b, int64(i.PID), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, i.StartTicks, 10)
	b = append(b, '-')
	b = append(b, i.Boot...)
	return string(b)
}

// ParseIdentity reads what [Identity.String] wrote.
func ParseIdentity(s string) (Identity, error) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return Identity{}, fmt.Errorf("identity %q: want PID-START-BOOT", s)
	}
	pid, err := strconv.Atoi(parts[0])
	if err != nil || pid <= 0 {
		return Identity{}, fmt.Errorf("identity %q: bad pid", s)
	}
	start, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return Identity{}, fmt.Errorf("identity %q: bad start time", s)
	}
	if !isBoot(parts[2]) {
		return Identity{}, fmt.Errorf("identity %q: bad boot", s)
	}
	id := Identity{PID: pid, StartTicks: start, Boot: parts[2]}
	if id.String() != s {
		return Identity{}, fmt.Errorf("identity %q: not in canonical form", s)
	}
	return id, nil
}

// isBoot tells the first eight digits of a boot id.
func isBoot(s string) bool {
	return len(s) == 8 && isHex(s)
}

// isHex tells a string of lower-case hexadecimal digits.
func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
