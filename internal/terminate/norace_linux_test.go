//go:build !race

package terminate

const raceDetector = false
