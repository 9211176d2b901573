//go:build !linux

package collector

// newPressureReader has nothing to read: only Linux keeps such numbers.
func newPressureReader(Paths) (func() ([]pressureSample, error), error) {
	return func() ([]pressureSample, error) { return nil, ErrNoData }, nil
}
