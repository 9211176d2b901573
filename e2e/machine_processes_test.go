//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// scan runs "scan" on the server with the rights of the service.
func (s *server) scan(t *testing.T, flags ...string) string {
	t.Helper()
	args := []string{
		"systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--property=User=server-monitor",
		"--property=AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH", "--", "server-monitor", "scan",
	}
	return s.Run(t, append(args, flags...)...)
}

func (s *server) report(t *testing.T) *report {
	t.Helper()
	return readReport(t, s.scan(t, "--output=json"))
}

// startListeners opens ports of every kind in a unit of its own.
func (s *server) startListeners(t *testing.T) {
	t.Helper()
	s.StartSample(t, "e2e-listen", nil, "/opt/e2e/sample", "listen",
		"0.0.0.0:27017", "[::1]:7000", "127.0.0.2:7001", ":8443", "udp:0.0.0.0:161", "udp:[::]:1900")
}

// testPorts compares ports and their owners with what ss(8) says.
func (s *server) testPorts(t *testing.T) {
	s.startListeners(t)
	rig.Eventually(t, 20*time.Second, func() error {
		want := s.listSockets(t)
		if len(want) < 12 {
			return fmt.Errorf("ss shows no more than %v", want)
		}
		r := s.report(t)
		if r.UnownedSockets != 0 {
			return fmt.Errorf("%d sockets without an owner", r.UnownedSockets)
		}
		return compareLines("scan", socketLines(r), "ss", want)
	})
	s.checkListenPorts(t)
}

var socketOwner = regexp.MustCompile(`pid=(\d+)`)

// listSockets asks ss for listening sockets: protocol, address and pid.
func (s *server) listSockets(t *testing.T) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(s.Run(t, "ss", "-H", "-lntup")) {
		fields := strings.Fields(line)
		address := strings.Replace(fields[4], "*:", "[::]:", 1) // takes IPv4 too
		for _, owner := range socketOwner.FindAllStringSubmatch(line, -1) {
			lines = append(lines, fields[0]+" "+address+" "+owner[1])
		}
	}
	return sorted(lines)
}

// socketLines lists the sockets of a report as listSockets does.
func socketLines(r *report) []string {
	var lines []string
	for _, p := range r.Processes {
		for _, s := range p.Listen {
			address := netip.AddrPortFrom(netip.MustParseAddr(s.Address), s.Port)
			lines = append(lines, fmt.Sprintf("%s %s %d", s.Protocol, address, p.PID))
		}
	}
	return sorted(lines)
}

// checkListenPorts looks at the ports of the sample in the metrics.
func (s *server) checkListenPorts(t *testing.T) {
	t.Helper()
	scopes := map[string]string{
		"27017": "public", "7000": "loopback", "7001": "loopback", "8443": "public", "161": "public", "1900": "public",
	}
	scrape := s.scrape(t)
	for port, scope := range scopes {
		found := scrape.Find("server_monitor_process_listen_port", rig.Labels{"name": "sample", "port": port, "scope": scope})
		if len(found) != 1 {
			t.Errorf("%d series say that sample listens on %s with scope %s, want 1", len(found), port, scope)
		}
	}
}

// testProcesses compares the processes with what ps(1) says. What starts, ends
// or changes meanwhile is left out: it is not the same in a ps before and one
// after.
func (s *server) testProcesses(t *testing.T) {
	rig.Eventually(t, 20*time.Second, func() error {
		before := s.listProcesses(t)
		r := s.report(t)
		after := s.listProcesses(t)
		stayed := 0
		for pid, line := range before {
			if after[pid] != line {
				continue
			}
			stayed++
			found := r.find(func(p *reported) bool { return p.PID == pid })
			if len(found) != 1 {
				return fmt.Errorf("%d times in the report: %s", len(found), line)
			}
			if got := processLine(found[0]); got != line {
				return fmt.Errorf("scan says %s\nps says   %s", got, line)
			}
		}
		if stayed < 15 {
			return fmt.Errorf("ps shows only %d processes that stay", stayed)
		}
		return nil
	})
	s.checkMemory(t)
}

// listProcesses asks ps for pid, parent, threads, user, terminal, unit and
// executable of everything that runs.
func (s *server) listProcesses(t *testing.T) map[int]string {
	t.Helper()
	processes := make(map[int]string)
	for line := range strings.Lines(s.Run(t, "ps", "-ww", "-e", "-o", "pid=,ppid=,nlwp=,user:32=,tty=,unit:64=,exe:256=")) {
		fields := strings.Fields(line)
		pid, err := strconv.Atoi(fields[0])
		if err != nil || len(fields) != 7 {
			t.Fatalf("ps: %q", line)
		}
		processes[pid] = strings.Join(fields, " ")
	}
	return processes
}

// processLine describes a process of a report as listProcesses does.
func processLine(p *reported) string {
	return fmt.Sprintf("%d %d %d %s %s %s %s", p.PID, p.PPID, p.Threads, p.User, orElse(p.TTY, "?"), orElse(p.Unit, "-"), orElse(p.Exe, "-"))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// checkMemory compares memory and start time of each process with those of ps,
// which is never asked at the same moment.
func (s *server) checkMemory(t *testing.T) {
	t.Helper()
	r := s.report(t)
	compared := 0
	for line := range strings.Lines(s.Run(t, "ps", "-e", "-o", "pid=,rss=,etimes=")) {
		var pid int
		var kib, seconds float64
		if _, err := fmt.Sscan(line, &pid, &kib, &seconds); err != nil {
			t.Fatalf("ps: %q: %v", line, err)
		}
		for _, p := range r.find(func(p *reported) bool { return p.PID == pid }) {
			compared++
			if got := float64(p.ResidentBytes) / 1024; math.Abs(got-kib) > 1024+kib/4 {
				t.Errorf("%s: resident memory %.0f KiB, ps says %.0f", p, got, kib)
			}
			if got := time.Since(p.StartTime).Seconds(); math.Abs(got-seconds) > 5 {
				t.Errorf("%s: started %.0f s ago, ps says %.0f", p, got, seconds)
			}
		}
	}
	if compared < 15 {
		t.Errorf("only %d processes of ps are in the report", compared)
	}
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

// compareLines tells the differences of two lists.
func compareLines(gotName string, got []string, wantName string, want []string) error {
	var differences []error
	for _, line := range want {
		if !slices.Contains(got, line) {
			differences = append(differences, fmt.Errorf("%s has %q, %s lacks it", wantName, line, gotName))
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			differences = append(differences, fmt.Errorf("%s has %q, %s lacks it", gotName, line, wantName))
		}
	}
	return errors.Join(differences...)
}
