package collector

// The defaults of the filesystem collector: all volumes but optical discs,
// which are full by nature.
const (
	DefaultMountPointsExclude = `^$`
	DefaultFSTypesExclude     = `^(CDFS|UDF)$`
)
