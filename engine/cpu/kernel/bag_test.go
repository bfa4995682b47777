package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestSumAt(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 32))
		for _, n := range lengths() {
			for _, k := range []int{0, 1, 2, 7, 30} {
				rows, stride := 1+r.IntN(9), n+r.IntN(3)*5
				x := randomGuarded(r, (rows-1)*stride+n)
				at, scale := make([]int32, k), randomGuarded(r, k)
				for i := range at {
					at[i] = int32(r.IntN(rows+2)) - 1
					at[i] = min(at[i], int32(rows-1))
				}
				dst, want := randomGuarded(r, n), make([]float32, n)
				name := fmt.Sprintf("sum of %d rows of %d, stride %d", k, n, stride)
				sumAtGeneric(want, x.x, at, stride, false)
				SumAt(dst.x, x.x, at, nil, stride)
				checkSame(t, name, dst.x, want)
				dst.check(t, name)
				sumAtScaledGeneric(want, x.x, at, scale.x, stride, false)
				SumAt(dst.x, x.x, at, scale.x, stride)
				checkSame(t, name+", scaled", dst.x, want)
				dst.check(t, name+", scaled")
			}
		}
	})
}

// TestLongSumAt: what is cut into several calls gives the same bits.
func TestLongSumAt(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(33, 34))
		const n = 40
		x := make([]float32, 100*n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		at, scale := make([]int32, 3*atOnce/n+5), make([]float32, 3*atOnce/n+5)
		for i := range at {
			at[i], scale[i] = int32(r.IntN(101))-1, float32(r.NormFloat64())
		}
		got, want := make([]float32, n), make([]float32, n)
		sumAtGeneric(want, x, at, n, false)
		SumAt(got, x, at, nil, n)
		checkSame(t, "long sum", got, want)
		sumAtScaledGeneric(want, x, at, scale, n, false)
		SumAt(got, x, at, scale, n)
		checkSame(t, "long sum, scaled", got, want)
	})
}

func TestSumAtOfRowsThatAreNotThere(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("row 3 of 3 was read")
		}
	}()
	SumAt(make([]float32, 4), make([]float32, 12), []int32{0, 3}, nil, 4)
}
