package collector

import (
	"errors"
	"testing"
)

func TestPressureOfThisMachine(t *testing.T) {
	c := made(t)(NewPressure(thisMachine()))
	metrics, err := gather(t.Context(), c)
	if errors.Is(err, ErrNoData) {
		t.Skip("this system has no pressure information")
	}
	if err != nil || len(metrics) == 0 {
		t.Errorf("%d metrics, %v", len(metrics), err)
	}
	lintExposition(t, c)
}
