package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sequenceOrder is what the first process of the namespaces is told.
type sequenceOrder struct {
	Seed          uint64
	Sequences     int
	ControlGroups []string // folders to which processes can be moved
}

// What a run of sequences consists of: so many groups change at the same time, so
// often.
const (
	groupsAtOnce  = 40
	stepsOfGroup  = 8
	settleLooks   = max(factsTurn, searchTurn) + countTurn
	sequenceOuter = "/opt" // a folder of programs, with a file system of its own
)

// stage is the namespaces in which groups act, with all that looks on.
type stage struct {
	order         sequenceOrder
	master        string // the program of which theirs are links
	controlGroups []string
	groups        []*group
	views         []*onlooker
	looks, steps  int
	terminals     []int
}

// runSequences is what the first process does. It answers with what was compared.
func runSequences(text string) (string, error) {
	var order sequenceOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return "", err
	}
	s := &stage{order: order, controlGroups: order.ControlGroups, master: filepath.Join(sequenceOuter, "master")}
	if err := s.set(); err != nil {
		return "", fmt.Errorf("set the stage: %w", err)
	}
	begin := time.Now()
	compared := 0
	for round := 0; round*groupsAtOnce < order.Sequences; round++ {
		n := min(groupsAtOnce, order.Sequences-round*groupsAtOnce)
		if err := s.round(order.Seed+uint64(round), n); err != nil { // which has many lines
			fmt.Fprintln(os.Stderr, err)
			return "", fmt.Errorf("see above; -sequences.seed=%d -sequences=%d is that round alone", order.Seed+uint64(round), n)
		}
		compared += n
	}
	return fmt.Sprintf("%d sequences, %d steps, %d snapshots compared in %v", compared, s.steps, s.looks, time.Since(begin).Round(time.Millisecond)), nil
}

// set makes the places where the groups act.
func (s *stage) set() error {
	_ = os.Unsetenv(helperVariable) // actors get their own
	for _, m := range [...]struct{ kind, at, data string }{{"proc", "/proc", ""}, {"tmpfs", sequenceOuter, "mode=755"}, {"devpts", "/dev/pts", "newinstance,ptmxmode=0666"}} {
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.data); err != nil && m.kind != "devpts" {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	content, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.master, content, 0o755); err != nil { //nolint:gosec // a program
		return err
	}
	return loopbackUp()
}

// loopbackUp brings up the interface lo of our network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// terminal opens the slave of a new terminal, -1 where there is none to be had.
func (s *stage) terminal() int {
	master, err := unix.Open("/dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	s.terminals = append(s.terminals, master)
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil || unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0) != nil {
		return -1
	}
	slave, err := unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return slave
}

// round lets some groups act, and compares after each step and once all has had
// its turn.
func (s *stage) round(seed uint64, n int) error {
	defer s.clear()
	if err := s.cast(seed, n); err != nil {
		return err
	}
	if err := s.openViews(seed); err != nil {
		return err
	}
	if err := s.compare(); err != nil {
		return err
	}
	for i := range stepsOfGroup {
		changes := sequenceChanges
		if i%3 == 1 {
			changes = quietChanges
		}
		for _, g := range s.groups {
			if err := g.step(changes); err != nil {
				return g.failure(err)
			}
		}
		s.steps += len(s.groups)
		if err := s.compare(); err != nil {
			return err
		}
	}
	return s.settle()
}

// cast starts the groups.
func (s *stage) cast(seed uint64, n int) error {
	for i := range n {
		g := &group{Rand: rand.New(rand.NewPCG(seed, uint64(i))), stage: s, number: i, folder: fmt.Sprintf("%s/g%d", sequenceOuter, i)}
		if err := os.MkdirAll(filepath.Join(g.folder, "bin"), 0o755); err != nil {
			return err
		}
		for _, name := range programNames {
			if err := g.link(name); err != nil {
				return err
			}
		}
		if err := g.start(nil, 0, "alpha"); err != nil {
			return err
		}
		var flags uintptr
		if i%3 == 0 { // more networks than are read every time
			flags = unix.CLONE_NEWNET
		}
		if err := g.start(nil, flags, "beta"); err != nil {
			return err
		}
		s.groups = append(s.groups, g)
	}
	return nil
}

// step makes some changes.
func (g *group) step(changes []func(*actor) error) error {
	for _, a := range g.actors {
		a.opened, a.closed = 0, 0
	}
	for _, a := range g.livings() {
		if a.left && g.IntN(3) == 0 { // which takes the place of the first thread
			if err := executeProgram(a); err != nil {
				return err
			}
		}
	}
	for range 1 + g.IntN(3) {
		livings := g.livings()
		if err := oneOf(g, changes...)(oneOf(g, livings...)); err != nil {
			return err
		}
	}
	for _, a := range g.livings() {
		// The number of descriptors is the only sign that a foreign network gives.
		g.blurred = g.blurred || a.network && a.opened > 0 && a.opened == a.closed
	}
	g.note("--")
	return nil
}

// failure tells what a group did before something was wrong with it.
func (g *group) failure(err error) error {
	return fmt.Errorf("sequence %d of the round: %w, after\n  %s", g.number, err, strings.Join(g.done, "\n  "))
}

// clear ends all processes but ourselves.
func (s *stage) clear() {
	for _, v := range s.views {
		v.reader.Close()
	}
	for _, g := range s.groups {
		for _, a := range g.livings() {
			unix.Close(a.control)
		}
		_ = os.Chmod(g.folder, 0o755)
		os.RemoveAll(g.folder)
	}
	for _, fd := range s.terminals {
		unix.Close(fd)
	}
	s.views, s.groups, s.terminals = nil, nil, nil
	_ = unix.Kill(-1, unix.SIGKILL) // of this pid namespace
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// fresh reads everything as if for the first time.
func (s *stage) fresh() (*Snapshot, error) {
	r, err := NewReader(Config{Proc: "/proc", Root: "/"})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.boot = s.views[0].reader.boot // which each finds a little different
	return r.Snapshot(context.Background())
}
