//go:build !linux && !windows

package collector

// The defaults of the filesystem collector, those of node_exporter.
const (
	DefaultMountPointsExclude = `^/(dev)($|/)`
	DefaultFSTypesExclude     = `^devfs$`
)
