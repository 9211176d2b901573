package process

// String is the state as a word, and as the label of metrics; letters that are
// not listed in proc_pid_stat(5) of today are shown as they are.
func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case Sleeping:
		return "sleeping"
	case Uninterruptible:
		return "uninterruptible"
	case Zombie:
		return "zombie"
	case Stopped:
		return "stopped"
	case Traced:
		return "traced"
	case Idle:
		return "idle"
	case Dead:
		return "dead"
	}
	return Printable(string([]byte{byte(s)}))
}
