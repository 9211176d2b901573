package service

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// groupUse reads what a unit uses from the files of its control group, version 2
// (Documentation/admin-guide/cgroup-v2.rst), at a tenth of what it costs to ask
// systemd, which reads the same ones.
type groupUse struct {
	folder string
	// memory, tasks and cpu tell what systemd accounts for.
	memory, tasks, cpu bool
	// before is what the group had used before the unit was started, in
	// microseconds: it may outlive an activation.
	before uint64
}

// sameUse is how far the processor time of the group may be from what systemd
// says in the same moment, in microseconds, and be counted from the same start.
const sameUse = 50_000

// groupOf finds the files of a unit, nil where there are none, or none of the
// second version.
func groupOf(mount, group string, said *Service, old *keptFacts) *groupUse {
	if group == "" || group == "/" {
		return nil
	}
	g := &groupUse{
		folder: filepath.Join(mount, group),
		memory: said.MemoryBytes != nil, tasks: said.Tasks != nil, cpu: said.CPUSeconds != nil,
	}
	var now Service
	if !g.read(&now) {
		return nil
	}
	switch {
	case !g.cpu:
	case old.sameActivation(said) && old.group != nil:
		g.before = old.group.before // a counter does not go back
	default:
		if used, said := uint64(*now.CPUSeconds*1e6), uint64(*said.CPUSeconds*1e6); used > said+sameUse {
			g.before = used - said
		}
	}
	return g
}

// read tells a service what it uses, or that this can not be told.
func (g *groupUse) read(s *Service) bool {
	ok := true
	number := func(file string) *uint64 {
		text, err := os.ReadFile(filepath.Join(g.folder, file))
		n, malformed := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
		ok = ok && err == nil && malformed == nil
		return &n
	}
	if g.memory {
		s.MemoryBytes = number("memory.current")
	}
	if g.tasks {
		s.Tasks = number("pids.current")
	}
	if g.cpu && ok {
		text, err := os.ReadFile(filepath.Join(g.folder, "cpu.stat"))
		used, found := usage(text)
		seconds := float64(used-min(used, g.before)) / 1e6
		s.CPUSeconds = &seconds
		ok = err == nil && found
	}
	return ok
}

// usage finds usage_usec in cpu.stat, where it comes first.
func usage(text []byte) (microseconds uint64, ok bool) {
	for line := range bytes.Lines(text) {
		if value, found := bytes.CutPrefix(line, []byte("usage_usec ")); found {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 64)
			if err != nil {
				return 0, false
			}
			return n, true
		}
	}
	return 0, false
}
