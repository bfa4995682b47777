package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var reduceTable = []struct {
	name       string
	f, generic func(x []float32) float32
}{
	{"Sum", Sum, sumGeneric}, {"ReduceMax", ReduceMax, reduceMaxGeneric},
}

func TestReduce(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(15, 16))
		for _, n := range lengths() {
			wild, tame := randomGuarded(r, n), randomGuarded(r, n)
			for i := range tame.x {
				tame.x[i] = float32(r.NormFloat64()) - 10
			}
			for _, k := range reduceTable {
				for _, x := range []*guarded{wild, tame} {
					if got, want := k.f(x.x), k.generic(x.x); !sameBits(got, want) {
						t.Fatalf("%s is %v (%08x), want %v (%08x)", what(k.name, n), got, math.Float32bits(got), want, math.Float32bits(want))
					}
				}
			}
			if n == 0 {
				continue
			}
			if got := ReduceMax(tame.x); got != slices.Max(tame.x) {
				t.Fatalf("%s is %v, want %v", what("ReduceMax", n), got, slices.Max(tame.x))
			}
			tame.x[r.IntN(n)] = nan // wherever it stands
			if got := ReduceMax(tame.x); got == got {
				t.Fatalf("%s with a NaN is %v", what("ReduceMax", n), got)
			}
		}
	})
}

// TestSumTree fixes the tree of the documentation on numbers whose sum depends
// on it.
func TestSumTree(t *testing.T) {
	x := make([]float32, 37)
	for i := range x {
		x[i] = float32(1+i%7) * float32(math.Pow(10, float64(i%5)))
	}
	var lane [16]float32
	for i, v := range x {
		lane[i%16] += v
	}
	for _, n := range []int{8, 4, 2, 1} {
		for j := range n {
			lane[j] += lane[j+n]
		}
	}
	onEachPath(t, func(t *testing.T) {
		if got := Sum(x); got != lane[0] {
			t.Errorf("sum %v, want %v", got, lane[0])
		}
		if Sum(nil) != 0 || ReduceMax(nil) != -inf {
			t.Errorf("of nothing: %v and %v", Sum(nil), ReduceMax(nil))
		}
	})
}

func TestSumRows(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(17, 18))
		for _, n := range lengths() {
			for _, rows := range []int{0, 1, 2, 7} {
				stride := n + r.IntN(3)*5
				x := randomGuarded(r, max(0, (rows-1)*stride+n))
				dst, want := randomGuarded(r, n), make([]float32, n)
				if rows > 0 {
					sumRowsGeneric(want, x.x, rows, stride, false)
				}
				SumRows(dst.x, x.x, rows, stride)
				name := fmt.Sprintf("sum of %d rows of %d, stride %d", rows, n, stride)
				checkSame(t, name, dst.x, want)
				dst.check(t, name)
			}
		}
	})
}

// TestLongReductions: what is cut into several calls gives the same bits.
func TestLongReductions(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 22))
		x := make([]float32, 3*atOnce+17)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		for _, n := range []int{atOnce - 1, atOnce, atOnce + 1, 2*atOnce + 16, len(x)} {
			if got, want := Sum(x[:n]), sumGeneric(x[:n]); !sameBits(got, want) {
				t.Errorf("sum of %d: %v, want %v", n, got, want)
			}
			if got, want := ReduceMax(x[:n]), reduceMaxGeneric(x[:n]); !sameBits(got, want) {
				t.Errorf("maximum of %d: %v, want %v", n, got, want)
			}
		}
		x[7] = nan
		if got := ReduceMax(x); !sameBits(got, nan) {
			t.Errorf("maximum with a NaN in the first part: %v", got)
		}
		x[7] = 0
		for _, n := range []int{1, 16, 19, 200} {
			rows := len(x) / n
			got, want := make([]float32, n), make([]float32, n)
			sumRowsGeneric(want, x, rows, n, false)
			SumRows(got, x, rows, n)
			checkSame(t, fmt.Sprintf("sum of %d rows of %d", rows, n), got, want)
		}
	})
}

func TestTranspose(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for range 200 {
		m, n := r.IntN(40), r.IntN(40)
		ld := max(m, 1) + r.IntN(5)
		x := randomGuarded(r, m*n)
		dst := newGuarded(max(0, (n-1)*ld+m))
		want := slices.Clone(dst.x)
		for i := range m {
			for j := range n {
				want[j*ld+i] = x.x[i*n+j]
			}
		}
		Transpose(dst.x, x.x, m, n, ld)
		checkSame(t, fmt.Sprintf("transpose of %d×%d", m, n), dst.x, want)
		dst.check(t, "transpose")
	}
}

// FuzzReduce compares every implementation of sums and maxima with the
// specification, in rows that lie apart.
func FuzzReduce(f *testing.F) {
	f.Add(uint16(37), uint8(5), uint8(3), true, uint64(1))
	f.Fuzz(func(t *testing.T, n uint16, rows, gap uint8, wild bool, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		columns, stride := int(n%3000), int(n%3000)+int(gap%9)
		x := stored(r, int(rows%40), columns, max(1, stride), wild).x
		want := make([]float32, columns)
		if len(x) > 0 {
			sumRowsGeneric(want, x, int(rows%40), stride, false)
		}
		onEachPath(t, func(t *testing.T) {
			for _, k := range reduceTable {
				if got, want := k.f(x), k.generic(x); !sameBits(got, want) {
					t.Fatalf("%s is %v, want %v", what(k.name, len(x)), got, want)
				}
			}
			if len(x) > 0 {
				dst := newGuarded(columns)
				SumRows(dst.x, x, int(rows%40), stride)
				checkSame(t, fmt.Sprintf("sum of %d rows of %d, stride %d", rows%40, columns, stride), dst.x, want)
				dst.check(t, "sum of rows")
			}
		})
	})
}
