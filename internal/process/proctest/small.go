package proctest

import "net/netip"

// rockyUsers are the users of the ready-made trees.
func rockyUsers() []User {
	return []User{
		{"root", 0}, {"bin", 1}, {"daemon", 2}, {"nobody", 65534}, {"postgres", 26}, {"sshd", 74}, {"nginx", 990},
		{"redis", 991}, {"chrony", 992}, {"rocky", 1000}, {"mallory", 1001},
	}
}

// Small is a Rocky Linux server: its system services, a web server with a
// worker, a database on loopback, somebody logged in who runs a tool of their
// own, kernel threads and a zombie.
func Small() Tree {
	web := []uint64{20011, 20012, 20013}
	return Tree{
		Users: rockyUsers(),
		Processes: []Process{
			{PID: 1, Exe: "/usr/lib/systemd/systemd", StartTicks: 2, RSS: 14 << 20, CPUTicks: 412, Descriptors: 91, Cgroup: "/init.scope",
				Args: []string{"/usr/lib/systemd/systemd", "--switched-root", "--system", "--deserialize=31"}},
			{PID: 2, Comm: "kthreadd", Kernel: true, State: 'S', StartTicks: 2},
			{PID: 11, PPID: 2, Comm: "kworker/0:1-events", Kernel: true, StartTicks: 2, CPUTicks: 31},
			{PID: 634, PPID: 1, Exe: "/usr/lib/systemd/systemd-journald", StartTicks: 301, RSS: 12 << 20, CPUTicks: 95, Descriptors: 24,
				Cgroup: "/system.slice/systemd-journald.service"},
			{PID: 801, PPID: 1, Exe: "/usr/sbin/chronyd", UID: 992, StartTicks: 412, RSS: 4 << 20, Sockets: []uint64{20001, 20002},
				Args: []string{"/usr/sbin/chronyd", "-F", "2"}, Cgroup: "/system.slice/chronyd.service"},
			{PID: 902, PPID: 1, Exe: "/usr/sbin/sshd", StartTicks: 520, RSS: 9 << 20, Sockets: []uint64{20003, 20004},
				Args: []string{"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"}, Cgroup: "/system.slice/sshd.service"},
			{PID: 915, PPID: 1, Exe: "/usr/sbin/rsyslogd", StartTicks: 533, RSS: 6 << 20, Threads: 3, CPUTicks: 77, Descriptors: 8,
				Args: []string{"/usr/sbin/rsyslogd", "-n"}, Cgroup: "/system.slice/rsyslog.service"},
			{PID: 1020, PPID: 1, Exe: "/usr/sbin/nginx", StartTicks: 640, RSS: 3 << 20, Sockets: web,
				Args: []string{"nginx: master process /usr/sbin/nginx"}, Cgroup: "/system.slice/nginx.service"},
			{PID: 1021, PPID: 1020, Exe: "/usr/sbin/nginx", UID: 990, Session: 1020, StartTicks: 641, RSS: 8 << 20, CPUTicks: 1504, Sockets: web, Descriptors: 12,
				Args: []string{"nginx: worker process"}, Cgroup: "/system.slice/nginx.service"},
			{PID: 1100, PPID: 1, Exe: "/usr/bin/postgres", UID: 26, StartTicks: 702, RSS: 28 << 20, CPUTicks: 260, Sockets: []uint64{20021, 20022},
				Args: []string{"/usr/bin/postgres", "-D", "/var/lib/pgsql/data"}, Cgroup: "/system.slice/postgresql.service"},
			{PID: 2200, PPID: 902, Exe: "/usr/sbin/sshd", StartTicks: 90210, RSS: 11 << 20,
				Args: []string{"sshd: rocky [priv]"}, Cgroup: "/user.slice/user-1000.slice/session-3.scope"},
			{PID: 2205, PPID: 1, Exe: "/usr/lib/systemd/systemd", UID: 1000, StartTicks: 90215, RSS: 13 << 20,
				Args: []string{"/usr/lib/systemd/systemd", "--user"}, Cgroup: "/user.slice/user-1000.slice/user@1000.service/init.scope"},
			{PID: 2215, PPID: 2200, Exe: "/usr/sbin/sshd", UID: 1000, Session: 2200, StartTicks: 90240, RSS: 7 << 20,
				Args: []string{"sshd: rocky@pts/0"}, Cgroup: "/user.slice/user-1000.slice/session-3.scope"},
			{PID: 2216, PPID: 2215, Exe: "/usr/bin/bash", UID: 1000, TTY: PTS(0), StartTicks: 90241, RSS: 5 << 20,
				Args: []string{"-bash"}, Cgroup: "/user.slice/user-1000.slice/session-3.scope"},
			{PID: 2301, PPID: 2216, Exe: "/home/rocky/bin/report", UID: 1000, Session: 2216, TTY: PTS(0), StartTicks: 91000, RSS: 40 << 20, CPUTicks: 5120, Threads: 4,
				Args: []string{"./bin/report", "--password=hunter2"}, Cgroup: "/user.slice/user-1000.slice/session-3.scope"},
			{PID: 2302, PPID: 2301, Comm: "helper", State: 'Z', UID: 1000, Session: 2216, TTY: PTS(0), StartTicks: 91020,
				Cgroup: "/user.slice/user-1000.slice/session-3.scope"},
		},
		Sockets: []Socket{
			UDP("127.0.0.1:323", 20001), UDP("[::1]:323", 20002),
			TCP("0.0.0.0:22", 20003), TCP("[::]:22", 20004),
			TCP("0.0.0.0:80", 20011), TCP("[::]:80", 20012), TCP("0.0.0.0:443", 20013),
			TCP("127.0.0.1:5432", 20021), TCP("[::1]:5432", 20022),
			{Addr: netip.MustParseAddrPort("10.0.0.5:22"), Inode: 20031, Connected: true},
		},
	}
}
