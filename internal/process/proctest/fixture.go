package proctest

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Fixture is a tree on disk. It goes away with the test.
type Fixture struct {
	// Proc is the folder like /proc, Root the one like / of its host.
	Proc, Root string

	tb       testing.TB
	networks map[uint64]bool // the network namespaces that have tables
}

// Write makes the tree on disk, or ends the test.
func (t Tree) Write(tb testing.TB) *Fixture {
	tb.Helper()
	dir := tb.TempDir()
	f := &Fixture{Proc: filepath.Join(dir, "proc"), Root: filepath.Join(dir, "root"), tb: tb, networks: make(map[uint64]bool)}
	f.machine(&t)
	f.files(&t)
	f.users(t.Users)
	f.SetSockets(t.Sockets...)
	for _, p := range t.Processes {
		f.Put(p)
	}
	return f
}

// machine writes what is of the machine and of no process.
func (f *Fixture) machine(t *Tree) {
	f.tb.Helper()
	setDefault(&t.BootID, bootID)
	setDefault(&t.BootTime, BootTime)
	setDefault(&t.MemoryTotal, MemoryTotal)
	f.file(filepath.Join(f.Proc, "sys/kernel/random/boot_id"), t.BootID+"\n", 0o444)
	f.file(filepath.Join(f.Proc, "stat"), fmt.Sprintf("cpu  0 0 0 0 0 0 0 0 0 0\nintr 0\nbtime %d\nprocesses 1\n", t.BootTime), 0o444)
	f.file(filepath.Join(f.Proc, "meminfo"), fmt.Sprintf("MemTotal:       %8d kB\nMemFree:               0 kB\n", t.MemoryTotal/1024), 0o444)
}

// files makes the executables of the processes, and what the tree says of files.
func (f *Fixture) files(t *Tree) {
	f.tb.Helper()
	f.mkdir(f.Root)
	for _, open := range [...]string{"/tmp", "/var/tmp", "/dev/shm"} {
		f.mkdir(f.Root + open)
		f.chmod(f.Root+open, 0o1777)
	}
	type place struct {
		mount uint64
		path  string
	}
	said := make(map[place]bool)
	for _, file := range t.Files {
		setDefault(&file.Mount, HostMount)
		said[place{file.Mount, file.Path}] = true
		if !file.Absent {
			f.PutFile(file)
		}
	}
	for _, p := range t.Processes {
		p = p.withDefaults()
		at := place{p.Mount, p.Exe}
		if !strings.HasPrefix(p.Exe, "/") || strings.HasSuffix(p.Exe, " (deleted)") || said[at] {
			continue
		}
		said[at] = true
		f.PutFile(File{Path: p.Exe, Mount: p.Mount})
	}
}

// PutFile makes a file of the host, or changes its mode.
func (f *Fixture) PutFile(file File) {
	f.tb.Helper()
	at := f.Path(file.Mount, file.Path)
	if file.Link != "" {
		f.mkdir(filepath.Dir(at))
		f.link(f.Path(file.Mount, file.Link), at)
		return
	}
	setDefault(&file.Mode, defaultMode(file.Path))
	f.file(at, "#!"+file.Path+"\n", file.Mode)
	if file.FolderMode != 0 {
		f.chmod(filepath.Dir(at), file.FolderMode)
	}
}

// defaultMode is that of a program in a folder of programs. What users make, as
// the umask of Rocky Linux has it, is open to their group.
func defaultMode(name string) uint32 {
	for _, folder := range [...]string{"/home/", "/tmp/", "/var/tmp/", "/dev/shm/"} {
		if strings.HasPrefix(name, folder) {
			return 0o775
		}
	}
	return 0o755
}

// Path is where a file of the host is on disk; 0 and [HostMount] are the
// host's own mount namespace.
func (f *Fixture) Path(mount uint64, name string) string {
	if mount != 0 && mount != HostMount {
		return f.Root + fmt.Sprintf("/mnt:[%d]", mount) + path.Clean("/"+name)
	}
	return f.Root + path.Clean("/"+name)
}

// users writes etc/passwd.
func (f *Fixture) users(users []User) {
	f.tb.Helper()
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintf(&b, "%s:x:%d:%d::/:/bin/sh\n", u.Name, u.UID, u.UID)
	}
	f.file(filepath.Join(f.Root, "etc/passwd"), b.String(), 0o644)
}

// SetSockets replaces the tables of all network namespaces.
func (f *Fixture) SetSockets(sockets ...Socket) {
	f.tb.Helper()
	spaces := map[uint64][]Socket{HostNet: nil}
	for net := range f.networks {
		spaces[net] = nil // somebody may still live there
	}
	for _, s := range sockets {
		setDefault(&s.Net, HostNet)
		spaces[s.Net] = append(spaces[s.Net], s)
	}
	for net, sockets := range spaces {
		f.network(net, sockets)
	}
}

// network writes the tables of a network namespace.
func (f *Fixture) network(net uint64, sockets []Socket) {
	f.tb.Helper()
	f.networks[net] = true
	for _, table := range [...]string{"tcp", "tcp6", "udp", "udp6"} {
		var b strings.Builder
		b.WriteString("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n")
		number := 0
		for _, s := range sockets {
			if s.table() == table {
				b.WriteString(s.line(number))
				number++
			}
		}
		f.file(filepath.Join(f.Proc, ".net", strconv.FormatUint(net, 10), table), b.String(), 0o444)
	}
}

// Put adds a process, or changes the one of its pid. It does not make its
// executable: see [Fixture.PutFile].
func (f *Fixture) Put(p Process) {
	f.tb.Helper()
	p = p.withDefaults()
	dir := f.dir(p.PID)
	// Readers hold stat open: files are rewritten, not replaced.
	f.file(filepath.Join(dir, "status"), p.status(), 0o444)
	f.file(filepath.Join(dir, "cmdline"), p.cmdline(), 0o444)
	f.file(filepath.Join(dir, "cgroup"), p.cgroup(), 0o444)
	f.file(filepath.Join(dir, "loginuid"), p.loginuid(), 0o444)
	f.link(p.Exe, filepath.Join(dir, "exe"))
	f.link(p.Root, filepath.Join(dir, "root"))
	f.link("../.net/"+strconv.FormatUint(p.Net, 10), filepath.Join(dir, "net"))
	if !f.networks[p.Net] {
		f.network(p.Net, nil)
	}
	f.namespaces(dir, p)
	f.descriptors(dir, p)
	f.file(filepath.Join(dir, "stat"), p.stat(), 0o444)
}

// dir is the folder of a process.
func (f *Fixture) dir(pid int) string { return filepath.Join(f.Proc, strconv.Itoa(pid)) }

// namespaces links the folder ns, which all processes of the same namespaces
// share.
func (f *Fixture) namespaces(dir string, p Process) {
	f.tb.Helper()
	shared := fmt.Sprintf("%d-%d-%d-%d", p.User, p.Mount, p.Net, p.PIDNS)
	folder := filepath.Join(f.Proc, ".ns", shared)
	if _, err := os.Lstat(folder); err != nil {
		f.mkdir(folder)
		f.link(fmt.Sprintf("user:[%d]", p.User), filepath.Join(folder, "user"))
		f.link(fmt.Sprintf("mnt:[%d]", p.Mount), filepath.Join(folder, "mnt"))
		f.link(fmt.Sprintf("net:[%d]", p.Net), filepath.Join(folder, "net"))
		f.link(fmt.Sprintf("pid:[%d]", p.PIDNS), filepath.Join(folder, "pid"))
	}
	f.link("../.ns/"+shared, filepath.Join(dir, "ns"))
}

// descriptors makes the links of fd: null devices, with the sockets from 3 on.
func (f *Fixture) descriptors(dir string, p Process) {
	f.tb.Helper()
	fd := filepath.Join(dir, "fd")
	f.check(os.RemoveAll(fd))
	f.mkdir(fd)
	number := 0
	for range p.Descriptors {
		if number == 3 {
			number += len(p.Sockets)
		}
		f.link("/dev/null", filepath.Join(fd, strconv.Itoa(number)))
		number++
	}
	for i, inode := range p.Sockets {
		f.link(fmt.Sprintf("socket:[%d]", inode), filepath.Join(fd, strconv.Itoa(3+i)))
	}
}

// Remove ends a process. A stat file that is held open reads as nothing from
// then on, where the kernel's would fail: nobody takes either for the process.
func (f *Fixture) Remove(pid int) {
	f.tb.Helper()
	f.file(filepath.Join(f.dir(pid), "stat"), "", 0o444)
	f.check(os.RemoveAll(f.dir(pid)))
}

// file writes a file, in place where it is there already.
func (f *Fixture) file(name, content string, mode uint32) {
	f.tb.Helper()
	err := os.WriteFile(name, []byte(content), 0o600)
	if os.IsNotExist(err) {
		f.mkdir(filepath.Dir(name))
		err = os.WriteFile(name, []byte(content), 0o600)
	}
	if os.IsPermission(err) { // read-only since the last time
		f.chmod(name, 0o600)
		err = os.WriteFile(name, []byte(content), 0o600)
	}
	f.check(err)
	f.chmod(name, mode)
}

// chmod sets a mode whatever the umask, the sticky bit by its number too.
func (f *Fixture) chmod(name string, mode uint32) {
	f.tb.Helper()
	m := os.FileMode(mode & 0o777)
	if mode&0o1000 != 0 {
		m |= os.ModeSticky
	}
	f.check(os.Chmod(name, m))
}

// mkdir makes a folder and those above it, whatever the umask.
func (f *Fixture) mkdir(name string) {
	f.tb.Helper()
	if _, err := os.Stat(name); err == nil {
		return
	}
	if parent := filepath.Dir(name); parent != name {
		f.mkdir(parent)
	}
	f.check(os.Mkdir(name, 0o700))
	f.chmod(name, 0o755)
}

// link makes a symbolic link, or none where it would lead nowhere.
func (f *Fixture) link(target, name string) {
	f.tb.Helper()
	if old, err := os.Readlink(name); err == nil {
		if old == target {
			return
		}
		f.check(os.Remove(name))
	}
	if target != "" {
		f.check(os.Symlink(target, name))
	}
}

func (f *Fixture) check(err error) {
	f.tb.Helper()
	if err != nil {
		f.tb.Fatalf("write fixture: %v", err)
	}
}
