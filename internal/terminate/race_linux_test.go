//go:build race

package terminate

// raceDetector tells that all is several times slower.
const raceDetector = true
