package report

import (
	"math"
	"testing"
)

// TestTicksOfNeighbours: metrics of perfect predictions are neighbouring numbers,
// between which counting by steps would never end.
func TestTicksOfNeighbours(t *testing.T) {
	for _, lo := range []float64{0x1.0000000000001p-52, 1, -3e10} {
		s := scale{lo: lo, hi: math.Nextafter(lo, math.Inf(1)), to: 100}
		if got := s.ticks(5); len(got) != 1 || got[0] != lo {
			t.Errorf("%g: ticks %v, expected its lower end alone", lo, got)
		}
	}
	if got := (scale{lo: 1, hi: 1 + 1e-6, to: 100}).ticks(5); len(got) < 3 || len(got) > 7 {
		t.Errorf("a narrow scale has the ticks %v", got)
	}
}
