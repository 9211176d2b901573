package process

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// A program can end its first thread and go on with others (pthread_exit(3) in
// main). The kernel then shows the process as a zombie without a program and
// without descriptors, which is a way to hide. What the first thread no longer
// has is read of one that goes on: whatever is in /proc/PID is in
// /proc/PID/task/TID too (proc_pid_task(5)).

// throughThread has a process whose first thread has ended be read through
// another, and puts that one's state and memory in place of the zombie's. It
// leaves a process without any living thread as it is.
func (r *Reader) throughThread(t *tracked, raw *rawStat) {
	if t.thread >= 0 {
		if r.threadStat(t.thread, raw) {
			return
		}
		r.leaveThread(t)
	}
	threads, err := r.threads(t)
	if err != nil {
		return
	}
	for _, id := range threads {
		dir, name := r.leaderAt(t, "task/"+strconv.Itoa(id))
		fd, err := r.openat(dir, name, directory)
		if err != nil {
			continue
		}
		if r.threadStat(fd, raw) {
			t.thread = fd
			r.heldDescriptors++
			return
		}
		unix.Close(fd)
	}
}

// leaveThread lets go of the thread through which a process was read.
func (r *Reader) leaveThread(t *tracked) {
	if t.thread >= 0 {
		unix.Close(t.thread)
		t.thread = -1
		r.heldDescriptors--
	}
}

// threadStat takes over what the stat file of a thread says of the program. It
// returns false where that thread has ended too.
func (r *Reader) threadStat(dir int, raw *rawStat) bool {
	line, err := r.readFile(dir, "stat", make([]byte, 1024))
	if err != nil {
		return false
	}
	thread, err := parseStat(line)
	if err != nil || thread.state.ended() {
		return false
	}
	raw.state, raw.rss, raw.image, raw.executing = thread.state, thread.rss, thread.image, thread.executing
	return true
}

// threads lists the ids of the threads of a process.
func (r *Reader) threads(t *tracked) ([]int, error) {
	dir, name := r.leaderAt(t, "task")
	fd, err := r.openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return listPIDs(fd, make([]byte, 4<<10), nil)
}
