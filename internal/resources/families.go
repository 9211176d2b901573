package resources

import (
	"cmp"
	"math"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// The metric families that are read, without the namespace.
const (
	namespace = "server_monitor_"

	cpuSeconds          = "cpu_seconds_total"
	cpuCores            = "cpu_logical_processors"
	load1               = "load1"
	load5               = "load5"
	load15              = "load15"
	memoryTotal         = "memory_total_bytes"
	memoryAvailable     = "memory_available_bytes"
	memoryUsed          = "memory_used_bytes"
	memoryBuffers       = "memory_buffers_bytes"
	memoryCached        = "memory_cached_bytes"
	swapTotal           = "swap_total_bytes"
	swapUsed            = "swap_used_bytes"
	filesystemSize      = "filesystem_size_bytes"
	filesystemAvailable = "filesystem_available_bytes"
	filesystemUsed      = "filesystem_used_bytes"
	filesystemFiles     = "filesystem_files"
	filesystemFilesFree = "filesystem_files_free"
	filesystemReadonly  = "filesystem_readonly"
	filesystemError     = "filesystem_device_error"
	bootTime            = "boot_time_seconds"
)

// Collectors are the names of the collectors whose families are read. One that
// is off leaves nulls.
var Collectors = []string{"boot", "cpu", "filesystem", "load", "memory"}

// families finds metric families by name.
type families map[string]*dto.MetricFamily

func index(all []*dto.MetricFamily) families {
	f := make(families, len(all))
	for _, family := range all {
		f[family.GetName()] = family
	}
	return f
}

// samples are the samples of a family, none where it is absent.
func (f families) samples(name string) []*dto.Metric { return f[namespace+name].GetMetric() }

// number is the value of a family without labels, nil where it is absent.
func (f families) number(name string) *float64 {
	all := f.samples(name)
	if len(all) != 1 {
		return nil
	}
	return known(valueOf(all[0]))
}

// bytes is the value of a family as a whole number.
func (f families) bytes(name string) *uint64 { return whole(f.number(name)) }

// valueOf is the value of a gauge or a counter.
func valueOf(m *dto.Metric) float64 {
	if m.Counter != nil {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

// known turns away what is no number.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// whole is a number of bytes.
func whole(v *float64) *uint64 {
	if v == nil || *v < 0 || *v >= math.MaxUint64 {
		return nil
	}
	n := uint64(*v)
	return &n
}

// label is the value of a label, empty where it is absent.
func label(m *dto.Metric, name string) string {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == name {
			return pair.GetValue()
		}
	}
	return ""
}

// ratio is a part of a whole, nil where one of them is not known or there is no
// whole.
func ratio(part, all *uint64) *float64 {
	if part == nil || all == nil || *all == 0 {
		return nil
	}
	r := min(float64(*part)/float64(*all), 1)
	return &r
}

// load reads the load averages.
func (f families) load() Load {
	l := Load{Load1: f.number(load1), Load5: f.number(load5), Load15: f.number(load15)}
	if cores := f.number(cpuCores); l.Load1 != nil && cores != nil && *cores > 0 {
		perCore := *l.Load1 / *cores
		l.PerCore = &perCore
	}
	l.Health = colour(l.PerCore, WarnLoad, BadLoad)
	return l
}

// memory reads physical memory.
func (f families) memory() Memory {
	m := Memory{
		TotalBytes: f.bytes(memoryTotal), UsedBytes: f.bytes(memoryUsed), AvailableBytes: f.bytes(memoryAvailable),
		BuffersBytes: f.bytes(memoryBuffers), CachedBytes: f.bytes(memoryCached),
	}
	m.Ratio = ratio(m.UsedBytes, m.TotalBytes)
	m.Health = ratioColour(m.Ratio)
	return m
}

// swap reads swap space. A machine without swap is good.
func (f families) swap() Swap {
	s := Swap{TotalBytes: f.bytes(swapTotal), UsedBytes: f.bytes(swapUsed)}
	s.Ratio = ratio(s.UsedBytes, s.TotalBytes)
	s.Health = ratioColour(s.Ratio)
	if s.TotalBytes != nil && *s.TotalBytes == 0 {
		s.Health = Good
	}
	return s
}

// uptime reads when the machine started. A clock that was set back does not make
// it negative.
func (f families) uptime(now time.Time) Uptime {
	boot := f.number(bootTime)
	if boot == nil || *boot <= 0 || *boot > math.MaxInt32*1000 {
		return Uptime{}
	}
	start := time.UnixMilli(int64(math.Round(*boot * 1000))).UTC()
	span := max(0, now.Sub(start))
	seconds := int64(span / time.Second)
	return Uptime{BootTime: &start, Seconds: &seconds, Text: days(span)}
}

// mounted names a file system in the families.
type mounted struct{ mountpoint, device, fstype string }

// fileSystems reads the file systems, ordered by where they are mounted.
func (f families) fileSystems() []FileSystem {
	values := make(map[mounted]map[string]float64)
	for _, name := range [...]string{
		filesystemSize, filesystemAvailable, filesystemUsed, filesystemFiles, filesystemFilesFree, filesystemReadonly, filesystemError,
	} {
		for _, m := range f.samples(name) {
			key := mounted{label(m, "mountpoint"), label(m, "device"), label(m, "fstype")}
			if values[key] == nil {
				values[key] = make(map[string]float64)
			}
			values[key][name] = valueOf(m)
		}
	}
	all := make([]FileSystem, 0, len(values))
	for key, of := range values {
		all = append(all, fileSystem(key, of))
	}
	slices.SortFunc(all, func(a, b FileSystem) int {
		return cmp.Or(cmp.Compare(a.MountPoint, b.MountPoint), cmp.Compare(a.Device, b.Device), cmp.Compare(a.FSType, b.FSType))
	})
	return all
}

// fileSystem makes one of its values by family.
func fileSystem(key mounted, values map[string]float64) FileSystem {
	number := func(name string) *uint64 {
		if v, ok := values[name]; ok {
			return whole(known(v))
		}
		return nil
	}
	s := FileSystem{
		MountPoint: key.mountpoint, Device: key.device, FSType: key.fstype,
		SizeBytes: number(filesystemSize), UsedBytes: number(filesystemUsed), AvailableBytes: number(filesystemAvailable),
		ReadOnly: values[filesystemReadonly] == 1, Answers: values[filesystemError] != 1,
	}
	s.Ratio = partOf(s.UsedBytes, s.AvailableBytes)
	if files, free := number(filesystemFiles), number(filesystemFilesFree); files != nil && free != nil {
		used := *files - min(*free, *files)
		s.FilesRatio = ratio(&used, files)
	}
	switch {
	case !s.Answers:
		s.Health = Warn
	case s.ReadOnly:
		s.Health = Good
	default:
		s.Health = worst(ratioColour(s.Ratio), ratioColour(s.FilesRatio))
	}
	return s
}

// partOf is used of used and available.
func partOf(used, available *uint64) *float64 {
	if used == nil || available == nil {
		return nil
	}
	all := *used + *available
	return ratio(used, &all)
}
