package proctest

import "strings"

// Hostile is a small server on which somebody tries to hide, or to break
// whoever reads names: newlines, quotes, brackets, escape codes, bytes that are
// not UTF-8, paths that end in " (deleted)", memfds with good names, a process
// that calls itself a kernel thread, another root folder, a mount namespace of
// their own, a huge command line and a cgroup that plays the system's.
func Hostile() Tree {
	const session = "/user.slice/user-1001.slice/session-9.scope"
	t := Tree{
		Users: append(rockyUsers(), User{"evil\x1b[2J\"user", 1002}),
		Processes: []Process{
			{PID: 1, Exe: "/usr/lib/systemd/systemd", Cgroup: "/init.scope"},
			{PID: 2, Comm: "kthreadd", Kernel: true},
			{PID: 902, PPID: 1, Exe: "/usr/sbin/sshd", Cgroup: "/system.slice/sshd.service", Sockets: []uint64{30001}},
			// The form of stat and of other texts.
			{PID: 3001, Comm: "x) R 1 1 1 (", Exe: "/home/mallory/x) R 1 1 1 (y"},
			{PID: 3002, Comm: "a\nb", Exe: "/home/mallory/a\nb\"c'\\d{e=\"f\"}"},
			{PID: 3003, Comm: "\x1b[2J\x1b]0;", Exe: "/home/mallory/\x1b[31m\u202egnp.exe"},
			{PID: 3004, Comm: "\xff\xfe\xc0\xaf", Exe: "/home/mallory/\xff\xfe\xc0\xaf"},
			{PID: 3005, Comm: ")", Exe: "/home/mallory/)"},
			{PID: 3006, Comm: "   ", Exe: "/home/mallory/   "},
			{PID: 3007, Comm: strings.Repeat("名", 5), Exe: "/home/mallory/" + strings.Repeat("名", 60)},
			// Files that are gone, and that are not.
			{PID: 3011, Exe: "/home/mallory/gone (deleted)"},
			{PID: 3012, Comm: "tool (deleted)", Exe: "/home/mallory/tool (deleted)"},
			{PID: 3013, Exe: "/usr/sbin/rsyslogd (deleted)"},
			// Files that never were.
			{PID: 3021, Comm: "sshd", Exe: "/memfd:/usr/sbin/sshd (deleted)", Args: []string{"/usr/sbin/sshd", "-D"}},
			{PID: 3022, Comm: "x", Exe: "/memfd:x (deleted)"},
			{PID: 3023, Comm: "shm", Exe: "/dev/shm/shm (deleted)"},
			// Names of others.
			{PID: 3031, Comm: "kworker/0:1", Exe: "/tmp/.x/miner", Args: []string{"[kworker/0:1]"}},
			{PID: 3032, Comm: "systemd", Exe: "/dev/shm/systemd", Args: []string{"/usr/lib/systemd/systemd"}},
			{PID: 3033, Comm: "sshd", Exe: "/usr/bin/python3.9", Args: []string{"sshd", "-u", "/home/mallory/sshd.py", "--token", "secret"}},
			// Other views of the file system.
			{PID: 3041, Exe: "/srv/jail/usr/sbin/nginx", Root: "/srv/jail"},
			{PID: 3042, Exe: "/usr/sbin/sshd", User: 4026532900, Mount: 4026532901},
			// A cgroup folder of their own choice.
			{PID: 3051, Exe: "/home/mallory/service", Cgroup: "/user.slice/user-1001.slice/user@1001.service/app.slice/system.slice/nginx.service"},
			{PID: 3052, Exe: "/home/mallory/docked", Cgroup: session + "/docker-" + strings.Repeat("ab", 32) + ".scope"},
			// Writable programs.
			{PID: 3061, Exe: "/usr/local/bin/writable"},
			{PID: 3062, Exe: "/opt/open/tool"},
			{PID: 3063, Exe: "/tmp/tool"},
			// Sizes.
			{PID: 3071, Exe: "/home/mallory/huge", Args: append([]string{"/home/mallory/huge"}, strings.Repeat("A", 1<<20)), Sockets: []uint64{30002}},
			{PID: 3072, Exe: "/home/mallory/wide", Args: []string{strings.Repeat("B", 1<<17)}, Descriptors: 300},
		},
		Files: []File{
			{Path: "/home/mallory/tool (deleted)"},
			{Path: "/usr/sbin/rsyslogd"},
			{Path: "/usr/local/bin/writable", Mode: 0o757},
			{Path: "/opt/open/tool", FolderMode: 0o777},
		},
		Sockets: []Socket{TCP("0.0.0.0:22", 30001), TCP("0.0.0.0:6379", 30002), TCP("0.0.0.0:9999", 30003)},
	}
	for i := range t.Processes {
		p := &t.Processes[i]
		if p.PID > 3000 {
			p.PPID, p.UID = 1, 1001
			setDefault(&p.Cgroup, session)
		}
	}
	return t
}
