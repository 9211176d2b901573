package collector

import (
	"context"
	"log/slog"
	"regexp"
	"testing"
	"time"
)

func TestFilesystemOfThisMachine(t *testing.T) {
	config := FilesystemConfig{
		MountPointsExclude: regexp.MustCompile(DefaultMountPointsExclude),
		FSTypesExclude:     regexp.MustCompile(DefaultFSTypesExclude),
	}
	c := made(t)(NewFilesystem(thisMachine(), config, slog.New(slog.DiscardHandler)))
	if _, err := gather(t.Context(), c); err != nil {
		t.Skipf("no file system to look at: %v", err)
	}
	if errors := values(t, c, "filesystem_device_error"); len(errors) == 0 {
		t.Error("no file system")
	}
	lintExposition(t, c)
}

// fakeFilesystem makes a collector of the given mounts.
func fakeFilesystem(mounts []mount, timeout time.Duration, statfs func(string) (usage, error)) *filesystemCollector {
	logger := slog.New(slog.DiscardHandler)
	return &filesystemCollector{
		list:   func(context.Context) ([]mount, error) { return mounts, nil },
		asker:  newUsageAsker(statfs, timeout, logger),
		logger: logger,
	}
}

func TestFilesystemWithoutMounts(t *testing.T) {
	wantFailure(t, fakeFilesystem(nil, time.Second, nil), ErrNoData)
}

func TestFilesystemWithoutInodes(t *testing.T) {
	mounts := []mount{{device: "C:", fsType: "NTFS", point: "C:", path: "C:"}}
	c := fakeFilesystem(mounts, time.Second, func(string) (usage, error) {
		return usage{size: 100, available: 40, used: 60}, nil
	})
	compareExposition(t, c, `
# HELP server_monitor_filesystem_available_bytes Space that users other than root can still fill, in bytes.
# TYPE server_monitor_filesystem_available_bytes gauge
server_monitor_filesystem_available_bytes{device="C:",fstype="NTFS",mountpoint="C:"} 40
# HELP server_monitor_filesystem_device_error 1 if the file system gave no numbers in this scrape (stuck, denied, gone), else 0.
# TYPE server_monitor_filesystem_device_error gauge
server_monitor_filesystem_device_error{device="C:",fstype="NTFS",mountpoint="C:"} 0
# HELP server_monitor_filesystem_readonly 1 if nothing can be written through this mount, be it so configured or after an error, else 0.
# TYPE server_monitor_filesystem_readonly gauge
server_monitor_filesystem_readonly{device="C:",fstype="NTFS",mountpoint="C:"} 0
# HELP server_monitor_filesystem_size_bytes Size of the file system, in bytes.
# TYPE server_monitor_filesystem_size_bytes gauge
server_monitor_filesystem_size_bytes{device="C:",fstype="NTFS",mountpoint="C:"} 100
# HELP server_monitor_filesystem_used_bytes Space in use, in bytes; used + available is less than the size where space is kept for root.
# TYPE server_monitor_filesystem_used_bytes gauge
server_monitor_filesystem_used_bytes{device="C:",fstype="NTFS",mountpoint="C:"} 60
`)
}
