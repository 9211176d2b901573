package proctest

import (
	"net/netip"
	"strings"
)

// The ids of the containers of [Container].
var (
	DockerID  = strings.Repeat("d0c4e2", 11)[:64]
	PodmanID  = strings.Repeat("90d3a4", 11)[:64]
	ClassicID = strings.Repeat("c1a551", 11)[:64]
)

// Container is a host of containers: one of Docker on the unified hierarchy
// that publishes a port through docker-proxy, a rootless one of Podman, one of
// Docker on version 1 of cgroups, a pod of Kubernetes without systemd's driver, and
// a machine of systemd-nspawn that shares the host's network.
func Container() Tree {
	docker := func(p Process, inner int) Process {
		p.Mount, p.Net, p.PIDNS, p.NSPID = 4026532201, 4026532204, 4026532203, inner
		p.Cgroup = "/system.slice/docker-" + DockerID + ".scope"
		return p
	}
	podman := func(p Process, inner int) Process {
		p.User, p.Mount, p.Net, p.PIDNS, p.NSPID = 4026532300, 4026532301, 4026532304, 4026532303, inner
		p.Cgroup = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + PodmanID + ".scope/container"
		return p
	}
	return Tree{
		Users: rockyUsers(),
		Processes: []Process{
			{PID: 1, Exe: "/usr/lib/systemd/systemd", StartTicks: 2, Cgroup: "/init.scope"},
			{PID: 2, Comm: "kthreadd", Kernel: true, StartTicks: 2},
			{PID: 700, PPID: 1, Exe: "/usr/bin/dockerd", RSS: 80 << 20, Threads: 12, Cgroup: "/system.slice/docker.service"},
			{PID: 710, PPID: 1, Exe: "/usr/bin/containerd-shim-runc-v2", Cgroup: "/system.slice/containerd.service"},
			docker(Process{PID: 720, PPID: 710, Exe: "/usr/sbin/nginx", Args: []string{"nginx: master process nginx -g daemon off;"}, Sockets: []uint64{50001, 50002}}, 1),
			docker(Process{PID: 721, PPID: 720, Exe: "/usr/sbin/nginx", UID: 101, Args: []string{"nginx: worker process"}, Sockets: []uint64{50001, 50002}}, 29),
			{PID: 730, PPID: 700, Exe: "/usr/bin/docker-proxy", Cgroup: "/system.slice/docker.service", Sockets: []uint64{50010},
				Args: []string{"/usr/bin/docker-proxy", "-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", "8080"}},
			podman(Process{PID: 800, PPID: 1, Exe: "/usr/bin/redis-server", UID: 100999, Sockets: []uint64{50021}}, 1),
			{PID: 900, PPID: 710, Exe: "/usr/local/bin/app", UID: 1000, Mount: 4026532401, Net: 4026532404, PIDNS: 4026532403, NSPID: 1, Sockets: []uint64{50031},
				CgroupText: "12:pids:/docker/" + ClassicID + "\n11:memory:/docker/" + ClassicID + "\n1:name=systemd:/docker/" + ClassicID + "\n0::/\n"},
			{PID: 910, PPID: 710, Exe: "/pause", UID: 65535, Mount: 4026532501, Net: 4026532504, PIDNS: 4026532503, NSPID: 1,
				Cgroup: "/kubepods/besteffort/pod0a1b2c3d-0000-4000-8000-000000000001/" + strings.Repeat("fe", 32)},
			{PID: 920, PPID: 1, Exe: "/usr/lib/systemd/systemd", Mount: 4026532601, PIDNS: 4026532603, NSPID: 1,
				Cgroup: "/machine.slice/machine-rocky9.scope/payload/init.scope"},
			{PID: 921, PPID: 920, Exe: "/usr/sbin/sshd", Mount: 4026532601, PIDNS: 4026532603, NSPID: 40, Sockets: []uint64{50041},
				Cgroup: "/machine.slice/machine-rocky9.scope/payload/system.slice/sshd.service"},
		},
		Sockets: []Socket{
			TCP("0.0.0.0:8080", 50010), TCP("0.0.0.0:2222", 50041),
			foreign("0.0.0.0:80", 50001, 4026532204), foreign("[::]:80", 50002, 4026532204),
			foreign("0.0.0.0:6379", 50021, 4026532304), foreign("127.0.0.1:9000", 50031, 4026532404),
		},
	}
}

// foreign is a listening socket of another network namespace.
func foreign(addr string, inode, net uint64) Socket {
	return Socket{Addr: netip.MustParseAddrPort(addr), Inode: inode, Net: net}
}
