//go:build !linux

package killapi

// untested are promises that are tested on Linux alone.
var untested = []string{"GET /api/v1/resources 200"}
