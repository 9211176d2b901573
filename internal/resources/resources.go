// Package resources puts what collectors read of the machine (processors, load,
// memory, swap, file systems, uptime) into what a person wants to see: parts of
// a whole, each with the colour of its dot.
//
// A part is good below 70 %, warns from there on and is bad from 90 % on. The
// load is compared with the number of cores: it warns from one process for each
// core on and is bad from two. What is not known is null, never 0.
package resources

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Resources are the machine's at one moment.
type Resources struct {
	Taken time.Time `json:"taken"`
	// Health is the worst of all that is known.
	Health      Health       `json:"health"`
	CPU         CPU          `json:"cpu"`
	Load        Load         `json:"load"`
	Memory      Memory       `json:"memory"`
	Swap        Swap         `json:"swap"`
	FileSystems []FileSystem `json:"filesystems"`
	Uptime      Uptime       `json:"uptime"`
}

// CPU tells how busy the cores were between the last two readings.
type CPU struct {
	// Ratio is the part of their time in which the cores neither were idle nor
	// waited for a disk; nil until there are two readings.
	Ratio *float64 `json:"ratio"`
	// IntervalSeconds is the time between the two.
	IntervalSeconds *float64 `json:"interval_seconds"`
	Cores           *int     `json:"cores"`
	Health          Health   `json:"health"`
}

// Load are the load averages.
type Load struct {
	Load1  *float64 `json:"load1"`
	Load5  *float64 `json:"load5"`
	Load15 *float64 `json:"load15"`
	// PerCore is the first of them for each core.
	PerCore *float64 `json:"per_core"`
	Health  Health   `json:"health"`
}

// Memory is physical memory, in bytes.
type Memory struct {
	TotalBytes     *uint64  `json:"total_bytes"`
	UsedBytes      *uint64  `json:"used_bytes"`
	AvailableBytes *uint64  `json:"available_bytes"`
	BuffersBytes   *uint64  `json:"buffers_bytes"`
	CachedBytes    *uint64  `json:"cached_bytes"`
	Ratio          *float64 `json:"ratio"`
	Health         Health   `json:"health"`
}

// Swap is swap space, in bytes.
type Swap struct {
	TotalBytes *uint64 `json:"total_bytes"`
	UsedBytes  *uint64 `json:"used_bytes"`
	// Ratio is nil where there is no swap.
	Ratio  *float64 `json:"ratio"`
	Health Health   `json:"health"`
}

// FileSystem is a mounted file system. Of one that does not answer, all but
// where it is and whether it may be written is nil.
type FileSystem struct {
	MountPoint     string  `json:"mountpoint"`
	Device         string  `json:"device"`
	FSType         string  `json:"fstype"`
	SizeBytes      *uint64 `json:"size_bytes"`
	UsedBytes      *uint64 `json:"used_bytes"`
	AvailableBytes *uint64 `json:"available_bytes"`
	// Ratio is used of used and available, as df shows it: what is kept for
	// root is neither.
	Ratio *float64 `json:"ratio"`
	// FilesRatio is the same of inodes, nil where their number is not fixed.
	FilesRatio *float64 `json:"files_ratio"`
	ReadOnly   bool     `json:"read_only"`
	Answers    bool     `json:"answers"`
	// Health is the worse of the two ratios. A read-only file system is full
	// by nature, and good; one that does not answer warns.
	Health Health `json:"health"`
}

// Uptime is how long the machine has been running.
type Uptime struct {
	BootTime *time.Time `json:"boot_time"`
	Seconds  *int64     `json:"seconds"`
	// Text is the same as days, hours and minutes: "12D+03:35".
	Text string `json:"text"`
}

// Health is the colour of a dot: good (green), warn (yellow) or bad (red), empty
// where it is not known.
type Health string

// The colours.
const (
	Unknown Health = ""
	Good    Health = "good"
	Warn    Health = "warn"
	Bad     Health = "bad"
)

// ranks are the colours from the least to the worst.
var ranks = []Health{Unknown, Good, Warn, Bad}

// MarshalJSON writes the word, or null where there is none.
func (h Health) MarshalJSON() ([]byte, error) {
	if h == Unknown {
		return []byte("null"), nil
	}
	return json.Marshal(string(h))
}

// worst is the worst of colours.
func worst(all ...Health) Health {
	return slices.MaxFunc(all, func(a, b Health) int { return slices.Index(ranks, a) - slices.Index(ranks, b) })
}

// The limits from which on something warns or is bad.
const (
	WarnRatio = 0.70
	BadRatio  = 0.90
	// WarnLoad and BadLoad are processes for each core.
	WarnLoad = 1.0
	BadLoad  = 2.0
)

// colour is the colour of a number by two limits.
func colour(value *float64, warn, bad float64) Health {
	switch {
	case value == nil:
		return Unknown
	case *value >= bad:
		return Bad
	case *value >= warn:
		return Warn
	}
	return Good
}

// ratioColour is the colour of a part of a whole.
func ratioColour(ratio *float64) Health { return colour(ratio, WarnRatio, BadRatio) }

// days is a time span as days, hours and minutes.
func days(span time.Duration) string {
	minutes := int64(span / time.Minute)
	return fmt.Sprintf("%dD+%02d:%02d", minutes/(24*60), minutes/60%24, minutes%60)
}
