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
	dir := folder(tb)
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
		target, err := filepath.Rel(filepath.Dir(at), f.Path(file.Mount, file.Link))
		f.check(err)
		f.link(target, at)
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
	f.mkdir(dir)
	if !f.networks[p.Net] {
		f.network(p.Net, nil)
	}
	f.link(p.Exe, dir+"/exe")
	f.link("../.ns/"+f.namespaces(p), dir+"/ns")
	f.link(f.descriptors(p), dir+"/fd")
	// Big fixtures take long to write: what readers can do without is left out.
	root, net := p.Root, ""
	if root == "/" {
		root = ""
	}
	if p.PID == 1 || p.Net != HostNet {
		net = "../.net/" + strconv.FormatUint(p.Net, 10)
	}
	f.link(root, dir+"/root")
	f.link(net, dir+"/net")
	// Readers hold stat open: files are rewritten, not replaced.
	for name, content := range map[string]string{
		"status": p.status(), "cmdline": p.cmdline(), "cgroup": p.cgroup(), "stat": p.stat(),
	} {
		f.check(os.WriteFile(dir+"/"+name, []byte(content), 0o600))
	}
}

// dir is the folder of a process.
func (f *Fixture) dir(pid int) string { return filepath.Join(f.Proc, strconv.Itoa(pid)) }

// namespaces makes the links of a folder ns, which all processes of the same
// namespaces share, and returns its name.
func (f *Fixture) namespaces(p Process) string {
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
	return shared
}

// descriptors makes a folder fd and returns the link to it: null devices, with
// the sockets from 3 on. Processes with the same descriptors share it.
func (f *Fixture) descriptors(p Process) string {
	f.tb.Helper()
	shared := fmt.Sprint(p.Descriptors, p.Sockets)
	folder := filepath.Join(f.Proc, ".fd", shared)
	if _, err := os.Lstat(folder); err == nil {
		return "../.fd/" + shared
	}
	f.mkdir(folder)
	number := 0
	for range p.Descriptors {
		if number == 3 {
			number += len(p.Sockets)
		}
		f.link("/dev/null", folder+"/"+strconv.Itoa(number))
		number++
	}
	for i, inode := range p.Sockets {
		f.link(fmt.Sprintf("socket:[%d]", inode), folder+"/"+strconv.Itoa(3+i))
	}
	return "../.fd/" + shared
}

// Remove ends a process. A stat file that is held open reads as nothing from
// then on, where the kernel's would fail: nobody takes either for the process.
func (f *Fixture) Remove(pid int) {
	f.tb.Helper()
	dir := f.dir(pid)
	if _, err := os.Lstat(dir); os.IsNotExist(err) {
		return
	}
	f.check(os.WriteFile(dir+"/stat", nil, 0o600))
	f.check(os.RemoveAll(dir))
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

// link makes a symbolic link, in place of another, or none where it would lead
// nowhere.
func (f *Fixture) link(target, name string) {
	f.tb.Helper()
	if target == "" {
		if err := os.Remove(name); !os.IsNotExist(err) {
			f.check(err)
		}
		return
	}
	err := os.Symlink(target, name)
	if os.IsExist(err) {
		f.check(os.Remove(name))
		err = os.Symlink(target, name)
	}
	f.check(err)
}

func (f *Fixture) check(err error) {
	f.tb.Helper()
	if err != nil {
		f.tb.Fatalf("write fixture: %v", err)
	}
}
