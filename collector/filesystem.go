package collector

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"server-monitor/internal/process"
)

var (
	filesystemSize = defineFilesystem("filesystem_size_bytes",
		"Size of the file system, in bytes.")
	filesystemAvailable = defineFilesystem("filesystem_available_bytes",
		"Space that users other than root can still fill, in bytes.")
	filesystemUsed = defineFilesystem("filesystem_used_bytes",
		"Space in use, in bytes; used + available is less than the size where space is kept for root.")
	filesystemFiles = defineFilesystem("filesystem_files",
		"Inodes of the file system; absent where their number is not fixed.")
	filesystemFilesFree = defineFilesystem("filesystem_files_free",
		"Inodes that are free; absent where their number is not fixed.")
	filesystemReadonly = defineFilesystem("filesystem_readonly",
		"1 if nothing can be written through this mount, be it so configured or after an error, else 0.")
	filesystemDeviceError = defineFilesystem("filesystem_device_error",
		"1 if the file system gave no numbers in this scrape (stuck, denied, gone), else 0.")
)

func defineFilesystem(name, help string) metric {
	return define("filesystem", name, help, prometheus.GaugeValue, "device", "fstype", "mountpoint")
}

// DefaultMountTimeout is how long file systems are waited for where
// [FilesystemConfig] does not say.
const DefaultMountTimeout = 5 * time.Second

// FilesystemConfig says which file systems are looked at, and for how long. A
// nil pattern excludes nothing.
type FilesystemConfig struct {
	MountPointsExclude *regexp.Regexp
	FSTypesExclude     *regexp.Regexp
	// MountTimeout bounds the wait for all file systems of one scrape.
	MountTimeout time.Duration
}

// mount is a file system at its place in the tree. The names are as they
// come, with any byte that the kernel lets through.
type mount struct {
	device, fsType string
	// point is where the host has it, path where this process reaches it.
	point, path string
	readOnly    bool
	shown       filesystemLabels // of what is published
}

// filesystemLabels are the labels of a mount, safe to show. Two mounts can
// have the same ones.
type filesystemLabels struct{ device, fsType, point string }

func (m mount) labels() filesystemLabels {
	return filesystemLabels{process.Printable(m.device), process.Printable(m.fsType), process.Printable(m.point)}
}

type filesystemCollector struct {
	config FilesystemConfig
	list   func(context.Context) ([]mount, error)
	asker  *usageAsker
	logger *slog.Logger

	mu     sync.Mutex
	listed []mount // what was listed last
	wanted []mount // what is published of it
}

// NewFilesystem makes the collector of mounted file systems.
func NewFilesystem(paths Paths, config FilesystemConfig, logger *slog.Logger) (Collector, error) {
	list, err := newMountLister(paths)
	if err != nil {
		return nil, fmt.Errorf("filesystem collector: %w", err)
	}
	if config.MountTimeout <= 0 {
		config.MountTimeout = DefaultMountTimeout
	}
	return &filesystemCollector{
		config: config,
		list:   list,
		asker:  newUsageAsker(usageOf, config.MountTimeout, logger),
		logger: logger,
	}, nil
}

// Update implements [Collector]. File systems that cannot be asked do not
// keep it from publishing the others.
func (c *filesystemCollector) Update(ctx context.Context, ch chan<- prometheus.Metric) error {
	mounts, err := c.mounts(ctx)
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	if len(mounts) == 0 {
		return ErrNoData
	}
	answers, err := c.asker.ask(ctx, mounts)
	if err != nil {
		return fmt.Errorf("ask file systems: %w", err)
	}
	for i, m := range mounts {
		c.send(ch, m, answers[i])
	}
	return nil
}

// mounts lists what is to be published. A lister that returns a slice again says
// that nothing has changed.
func (c *filesystemCollector) mounts(ctx context.Context) ([]mount, error) {
	all, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(all) == 0 || len(all) != len(c.listed) || &all[0] != &c.listed[0] {
		c.listed, c.wanted = all, c.choose(all)
	}
	return c.wanted, nil
}

// choose picks what is published of a list, each set of labels once: a device may
// be mounted twice at one place, and different names may be escaped alike.
func (c *filesystemCollector) choose(all []mount) []mount {
	seen := make(map[filesystemLabels]bool, len(all))
	var wanted []mount
	for _, m := range all {
		m.shown = m.labels()
		if c.excluded(m) || seen[m.shown] {
			continue
		}
		seen[m.shown] = true
		wanted = append(wanted, m)
	}
	return wanted
}

func (c *filesystemCollector) excluded(m mount) bool {
	return matches(c.config.MountPointsExclude, m.point) || matches(c.config.FSTypesExclude, m.fsType)
}

func matches(pattern *regexp.Regexp, s string) bool {
	return pattern != nil && pattern.MatchString(s)
}

// send publishes one mount. Whether it is read-only is known from the list,
// even where the file system itself does not answer.
func (c *filesystemCollector) send(ch chan<- prometheus.Metric, m mount, a usageAnswer) {
	l := m.shown
	send := func(family metric, value float64) { family.send(ch, value, l.device, l.fsType, l.point) }
	send(filesystemReadonly, number(m.readOnly))
	send(filesystemDeviceError, number(a.err != nil))
	if a.err != nil {
		c.logger.Debug("no numbers from file system", "mountpoint", l.point, "fstype", l.fsType, "err", a.err)
		return
	}
	send(filesystemSize, float64(a.size))
	send(filesystemAvailable, float64(a.available))
	send(filesystemUsed, float64(a.used))
	if a.files > 0 {
		send(filesystemFiles, float64(a.files))
		send(filesystemFilesFree, float64(a.filesFree))
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
