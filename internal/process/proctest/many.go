package proctest

import "fmt"

// Many is a busy server of n processes (at least two): services of several
// users, sessions, kernel threads and zombies. One process in sixteen listens.
func Many(n int) Tree {
	programs := [...]struct {
		exe, unit string
		uid       int
	}{
		{"/usr/sbin/nginx", "nginx.service", 990}, {"/usr/bin/postgres", "postgresql.service", 26},
		{"/usr/bin/redis-server", "redis.service", 991}, {"/usr/sbin/rsyslogd", "rsyslog.service", 0},
		{"/usr/bin/python3.9", "batch.service", 1000}, {"/opt/app/bin/worker", "worker.service", 2},
		{"/usr/sbin/php-fpm", "php-fpm.service", 990}, {"/home/rocky/bin/job", "", 1000},
	}
	t := Tree{Users: rockyUsers(), Processes: []Process{
		{PID: 1, Exe: "/usr/lib/systemd/systemd", StartTicks: 2, Cgroup: "/init.scope"},
		{PID: 2, Comm: "kthreadd", Kernel: true, StartTicks: 2},
	}}
	for i := 2; i < n; i++ {
		program := programs[i%len(programs)]
		p := Process{PID: 1000 + i, PPID: 1, Exe: program.exe, UID: program.uid, RSS: uint64(i%97+1) << 18, CPUTicks: uint64(i % 1009), Threads: 1 + i%7,
			StartTicks: 1000 + uint64(i), Cgroup: "/system.slice/" + program.unit}
		switch {
		case program.unit == "":
			p.Cgroup, p.TTY = fmt.Sprintf("/user.slice/user-%d.slice/session-%d.scope", p.UID, i%11+1), PTS(i%40)
		case i%20 == 3:
			p = Process{PID: p.PID, PPID: 2, Comm: fmt.Sprintf("kworker/%d:%d", i%64, i), Kernel: true, StartTicks: p.StartTicks}
		case i%200 == 9:
			p = Process{PID: p.PID, PPID: 1, Comm: comm(p.Exe), State: 'Z', UID: p.UID, StartTicks: p.StartTicks}
		case i%16 == 0:
			inode := uint64(100000 + i)
			p.Sockets = []uint64{inode}
			t.Sockets = append(t.Sockets, TCP(fmt.Sprintf("127.0.%d.%d:%d", i%200, i/200%200+1, 1024+i%60000), inode))
		}
		t.Processes = append(t.Processes, p)
	}
	return t
}
