package process

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// errReused says that a pid now belongs to another process.
var errReused = errors.New("the pid belongs to another process")

// update reads what changes all the time, and the facts where they may have
// changed. It fails where the process has gone.
func (r *Reader) update(t *tracked) (Process, error) {
	release, err := r.hold(t)
	if err != nil {
		return Process{}, err
	}
	defer release()
	raw, err := r.readStat(t)
	if err != nil {
		return Process{}, err
	}
	if t.facts == nil {
		t.StartTicks, t.kernel = raw.start, raw.kernel
	}
	t.started(r.boot.Add(time.Duration(raw.start) * (time.Second / userHZ)))
	if t.fdsChanged = false; r.mustCount(t) {
		r.readDescriptorCount(t)
	}
	if err := r.updateFacts(t, &raw); err != nil {
		return Process{}, err
	}
	t.seen = r.sequence
	return Process{
		Identity: t.Identity, PPID: t.ppid, Comm: t.comm, State: raw.state, Session: t.session, TTY: t.tty, Kernel: t.kernel,
		CPUSeconds: float64(raw.cpu) / userHZ, ResidentBytes: raw.rss * r.pageSize, Threads: raw.threads,
		OpenFDs: t.openFDs, StartTime: t.startTime, Facts: t.facts,
	}, nil
}

// updateFacts notes what stat says of who the process is, and reads the facts
// again where one of them may have changed.
func (r *Reader) updateFacts(t *tracked, raw *rawStat) error {
	fresh := t.facts == nil
	changed := t.note(raw)
	if fresh || !t.kernel {
		if euid := r.effectiveUID(t); euid != t.euid || fresh {
			t.euid = euid
			changed = true
		}
	}
	switch {
	case changed:
	case t.kernel:
		return nil
	case t.unsteady:
	case t.file != nil && r.exeChanged(t, t.file):
	case (r.sequence+uint64(t.PID))%factsTurn == 0:
	case t.factsYoung:
	default:
		return nil
	}
	for attempt := 1; ; attempt++ {
		if !fresh && raw.state.ended() {
			return nil // it keeps what it was known by
		}
		known, err := r.readFacts(t, raw.state)
		if errors.Is(err, errEnding) && !fresh {
			return nil
		}
		if err == nil && r.short {
			err = unix.EMFILE
		}
		if err != nil {
			return err
		}
		// The facts are of one program only where none was executed, and the
		// process did not end, while they were read.
		ended := raw.state.ended()
		if *raw, err = r.readStat(t); err != nil {
			return err
		}
		t.unsteady = t.note(raw) || raw.executing || raw.state.ended() != ended
		if !t.unsteady || attempt == maxRereads {
			t.factsYoung = time.Since(t.startTime) < r.youngLife
			r.countDenied(known.denied &^ t.factsDenied)
			t.factsDenied, t.file = known.denied, known.file
			if t.unsteady {
				known.facts.distrust()
			}
			t.settle(&known.facts)
			return nil
		}
	}
}

// maxRereads bounds how often the facts of a process that executes one program
// after the other are read in one snapshot.
const maxRereads = 4

// countDenied counts facts that were found out of reach.
func (r *Reader) countDenied(d Denied) {
	for fact := range d.All() {
		r.denied[fact.String()]++
	}
}

// readStat reads and parses the stat file. It fails where another process bears
// the pid now, which a held descriptor makes impossible.
func (r *Reader) readStat(t *tracked) (rawStat, error) {
	line, err := r.statLine(t)
	if err != nil {
		return rawStat{}, err
	}
	raw, err := t.last.parse(line)
	switch {
	case err != nil:
		return rawStat{}, err
	case t.facts != nil && raw.start != t.StartTicks:
		return rawStat{}, errReused
	case raw.state.ended() && raw.threads > 1:
		r.throughThread(t, &raw)
	case t.thread >= 0:
		r.leaveThread(t)
	}
	return raw, nil
}

// statLine reads the stat file.
func (r *Reader) statLine(t *tracked) ([]byte, error) {
	if !t.held() {
		dir, name := r.leaderAt(t, "stat")
		return r.readFile(dir, name, r.buffer)
	}
	r.calls++
	n, err := preadNow(t.stat, r.buffer)
	if err != nil {
		return nil, err
	}
	return r.buffer[:n], nil
}

// effectiveUID is the owner of /proc/PID (proc(5)); in a fixture it is the second
// number of the line Uid in status.
func (r *Reader) effectiveUID(t *tracked) int {
	if !r.real {
		return r.fixtureUID(t)
	}
	r.calls++
	var st unix.Statx_t
	var err error
	switch {
	case t.thread >= 0:
		err = statxNow(t.thread, unix.STATX_UID, &st)
	case t.dir >= 0:
		err = statxNow(t.dir, unix.STATX_UID, &st)
	default:
		var named unix.Stat_t
		err = unix.Fstatat(r.proc, t.name, &named, 0)
		st.Uid = named.Uid
	}
	if err != nil {
		return t.euid
	}
	return int(st.Uid)
}

// mustCount tells whether the open descriptors are to be counted now. Those of a
// process whose line of stat has not changed, so that it has hardly run, are
// counted in turn, and whenever there is a socket whose owner is looked for. In
// another network than the host's, the number is what tells of a new socket.
func (r *Reader) mustCount(t *tracked) bool {
	return !t.last.same || !t.held() || !r.countFDs || t.factsYoung || (r.sequence+uint64(t.PID))%countTurn == 0 || r.isForeign(t)
}

// isForeign tells a process that, as far as is known, lives in another network
// namespace than the host's.
func (r *Reader) isForeign(t *tracked) bool {
	return t.facts != nil && t.facts.Namespaces.Net != r.host.Net && t.facts.Namespaces.Net != 0 && r.host.Net != 0
}

// readDescriptorCount counts the open descriptors: by the size of /proc/PID/fd
// where the kernel is 6.2 or later (proc_pid_fd(5)), else by listing it.
func (r *Reader) readDescriptorCount(t *tracked) {
	t.counted = r.sequence
	if t.kernel {
		t.openFDs = 0
		return
	}
	var count int
	if r.countFDs {
		count = r.descriptorCount(t)
	} else {
		count, _ = r.listDescriptors(t, nil) // 0 where it has ended
	}
	t.fdsChanged = count != t.openFDs
	t.openFDs = count
}

// descriptorCount is the size of /proc/PID/fd, -1 where that may not be seen.
func (r *Reader) descriptorCount(t *tracked) int {
	if t.fds >= 0 && t.thread < 0 {
		r.calls++
		var st unix.Statx_t
		if statxNow(t.fds, unix.STATX_SIZE, &st) == nil {
			return int(st.Size)
		}
		return -1
	}
	var st unix.Stat_t
	if r.statAt(t, "fd", &st) != nil {
		return -1
	}
	return int(st.Size)
}
