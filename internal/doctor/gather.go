package doctor

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/logtail"
	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/process"
	"server-monitor/internal/service"
	"server-monitor/internal/token"
)

// Config says what to look at: the configuration of server-monitor.
type Config struct {
	// Process says where procfs and the root of the machine are.
	Process process.Config
	// PID is the process whose rights and limits are judged, 0 for our own.
	PID int
	// Store is the database of policy, nil without one.
	Store     *mongostore.Store
	CopyFile  string
	TokenFile string
	AuditFile string
	Journal   bool
	// Listeners are the addresses of TCP that are to be served, by the flags
	// that name them; only Flag and Address are set.
	Listeners []Listener
	Language  language.Language
}

// probeTimeout bounds each question that somebody else has to answer.
const probeTimeout = 10 * time.Second

// Gather asks the machine for all facts. It changes nothing.
func Gather(ctx context.Context, c *Config) *Facts {
	f := &Facts{Terminations: c.TokenFile != ""}
	gatherNative(ctx, c, f)
	f.Policy = gatherPolicy(ctx, c)
	f.Tokens = Tokens{Path: c.TokenFile}
	if c.TokenFile != "" {
		f.Tokens.Records, f.Tokens.Err = token.File{Path: c.TokenFile}.Load()
	}
	f.Audit = Audit{Path: c.AuditFile}
	if c.AuditFile != "" {
		f.Audit.Err = canAppend(c.AuditFile)
	}
	snapshot, err := snapshotOf(ctx, c.Process)
	f.Files.Err = cmp.Or(f.Files.Err, err)
	if snapshot != nil {
		f.Files.Processes = len(snapshot.Processes)
	}
	for _, l := range c.Listeners {
		f.Listeners = append(f.Listeners, tryListener(ctx, l, snapshot))
	}
	f.Language = Language{Chosen: c.Language, Locale: cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))}
	return f
}

// snapshotOf reads all processes once.
func snapshotOf(ctx context.Context, where process.Config) (*process.Snapshot, error) {
	reader, err := process.NewReader(where)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return reader.Snapshot(ctx)
}

// gatherPolicy reads the whole database once.
func gatherPolicy(ctx context.Context, c *Config) Policy {
	catalogue := policy.Catalogue()
	p := Policy{Catalogue: len(catalogue), Configured: c.Store != nil, CopyFile: c.CopyFile}
	if c.Store == nil {
		return p
	}
	if c.CopyFile != "" {
		p.CopyErr = canAppend(c.CopyFile)
	}
	p.Address = c.Store.Address()
	ctx, cancel := context.WithTimeout(ctx, 3*probeTimeout)
	defer cancel()
	entries, err := c.Store.All(ctx)
	rules, rulesErr := c.Store.Rules(ctx)
	seeding, seedErr := c.Store.Seed(ctx, catalogue, true) // tells only
	if p.Err = cmp.Or(err, rulesErr, seedErr); p.Err != nil {
		return p
	}
	p.Documents, p.Rules, p.Missing = len(entries), len(rules), seeding.Added
	p.Malformed = malformed(entries, rules)
	p.Indexed, p.IndexErr = c.Store.Indexed(ctx)
	return p
}

// malformed names the documents and rules that are wrong.
func malformed(entries []mongostore.Entry, rules []mongostore.RuleEntry) []string {
	var names []string
	note := func(problems []policy.Problem) {
		if i := slices.IndexFunc(problems, func(p policy.Problem) bool { return p.Grave }); i >= 0 {
			names = append(names, problems[i].Document)
		}
	}
	for i := range entries {
		note(entries[i].Problems)
	}
	for i := range rules {
		note(rules[i].Problems)
	}
	return names
}

// canAppend tells why nothing can be added to a file, or, where there is none,
// why none can be made. It leaves nothing behind.
func canAppend(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		return file.Close()
	}
	if errors.Is(err, fs.ErrNotExist) {
		file, err = os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
		if err == nil {
			return errors.Join(file.Close(), os.Remove(file.Name()))
		}
	}
	if named, ok := errors.AsType[*fs.PathError](err); ok {
		err = named.Err // the path is said anyway
	}
	return err
}

// tryListener opens an address for a moment.
func tryListener(ctx context.Context, l Listener, snapshot *process.Snapshot) Listener {
	opened, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Address)
	if err == nil {
		l.Err = opened.Close()
		return l
	}
	l.Err = err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		l.Err = op.Err // without the address, which is said anyway
	}
	l.InUse = isInUse(err)
	if l.InUse && snapshot != nil {
		l.Owner, l.PID = ownerOf(l.Address, snapshot)
	}
	return l
}

// isInUse tells an address that somebody else serves.
func isInUse(err error) bool {
	const wsaInUse = syscall.Errno(10048) // WSAEADDRINUSE
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaInUse)
}

// ownerOf finds who listens on a port of TCP at an address, or at all of them.
func ownerOf(address string, snapshot *process.Snapshot) (name string, pid int) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return "", 0
	}
	wanted, err := netip.ParseAddr(host)
	anywhere := err != nil || wanted.IsUnspecified()
	for i := range snapshot.Processes {
		p := &snapshot.Processes[i]
		for _, s := range p.Listen {
			there := s.Addr.Addr().Unmap()
			if s.Protocol == process.TCP && !s.Foreign && uint64(s.Addr.Port()) == port &&
				(anywhere || there.IsUnspecified() || there == wanted.Unmap()) {
				return p.Name, p.PID
			}
		}
	}
	return "", 0
}

// readJournal reads the last line of the journal.
func readJournal(ctx context.Context, c *Config) Journal {
	j := Journal{Wanted: c.Journal}
	if !j.Wanted {
		return j
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	lines, err := logtail.NewJournal(c.Process.Root).Last(ctx, 1)
	j.Lines, j.Err = len(lines), err
	return j
}

// askSystemd asks for all services once.
func askSystemd(ctx context.Context, root string, manager service.Manager) Systemd {
	info, err := os.Lstat(filepath.Join(root, "run/systemd/system")) // sd_booted(3)
	if err != nil || !info.IsDir() {
		return Systemd{}
	}
	services, err := manager.Services(ctx)
	return Systemd{Booted: true, Services: len(services), Err: err}
}
