package collector

// Paths are the roots that collectors read below, so that an exporter in a
// container can look at its host, and a test at a fixture.
type Paths struct {
	// Proc is the mount point of procfs, "/proc" on the host itself.
	Proc string
	// Sys is the mount point of sysfs.
	Sys string
	// Root is where the host's file system is mounted, "/" on the host itself.
	Root string
}
