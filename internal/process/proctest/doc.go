// Package proctest writes trees like /proc for tests, with the files of the
// host that belongs to it: processes with their stat, status, cmdline, cgroup,
// links to executable, root, namespaces and descriptors, tables of sockets, the
// machine's boot id, boot time and memory, users and executables.
//
// A [Tree] is a plain value that says what there is; [Tree.Write] makes it on
// disk and returns a [Fixture], which says where and can change it afterwards:
//
//	fixture := proctest.Small().Write(t)
//	reader, err := process.NewReader(process.Config{Proc: fixture.Proc, Root: fixture.Root})
//
//	tree := proctest.Small()
//	tree.Processes = append(tree.Processes, proctest.Process{PID: 4000, PPID: 1, Exe: "/usr/bin/redis-server", UID: 991,
//		Cgroup: "/system.slice/redis.service", Sockets: []uint64{40001}})
//	tree.Sockets = append(tree.Sockets, proctest.TCP("0.0.0.0:6379", 40001))
//
//	fixture.Put(p)       // adds a process, or changes it as execve(2), prctl(2) and such would
//	fixture.Remove(pid)  // ends it
//	fixture.SetSockets(sockets...)
//
// Ready made are [Small], a Rocky Linux server of some fifteen processes;
// [Hostile], whose names and paths hold what breaks programs; [Container], a
// host with containers of several engines; and [Many], any number of
// processes, the same ones every time.
//
// What is not said has a sensible value: the zero Process{PID: 7, Exe:
// "/usr/bin/tool"} is called "tool", sleeps, belongs to root, has one thread and
// three descriptors and lives in the namespaces of the host. The executable of
// every process is made below Root, unless [Tree.Files] names it or the link ends
// in " (deleted)"; [File] says with what mode. Whoever runs the test owns all files and
// stands for root: a [process.Reader] of a fixture takes the owner of Proc for
// uid 0, so that results do not depend on who tests.
//
// A fixture cannot say what takes a kernel: facts that are denied, user
// namespaces that root made (each one but the host's counts as made by an
// ordinary user), threads, and signals. On other systems than Linux the package
// compiles, but what it writes is of no use there.
package proctest
