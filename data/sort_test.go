package data

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hone-ml/hone/internal/splitmix"
)

// Every way of sorting gives what comparing gives, bit for bit.
func TestSortFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() float64{
		"few whole":   func() float64 { return float64(r.IntN(50) - 20) },
		"whole":       func() float64 { return float64(r.IntN(5_000_000) - 2_500_000) },
		"large":       func() float64 { return float64(r.Int64()) },
		"cents":       func() float64 { return math.Round(math.Exp(4+2*r.NormFloat64())*100) / 100 },
		"decimals":    func() float64 { return math.Round(r.Float64()*1e4) / 1e4 },
		"degrees":     func() float64 { return math.Round((180*r.Float64()-90)*1e6) / 1e6 },
		"any":         r.NormFloat64,
		"wide":        func() float64 { return math.Exp(300 * r.NormFloat64()) },
		"times":       func() float64 { return float64(1_700_000_000 + r.IntN(1e8)) },
		"nearly all":  func() float64 { return []float64{1, 2, 2.5, 1e-7}[r.IntN(1000)/333] },
		"far apart":   func() float64 { return []float64{0, 1e15, -1e15, 0.25}[r.IntN(4)] },
		"with a zero": func() float64 { return max(-0.5, math.Round(r.NormFloat64()*10)/10) + 0 },
	} {
		for _, n := range []int{1, 300, 20_000} {
			got := make([]float64, n)
			for i := range got {
				got[i] = draw()
			}
			want := slices.Clone(got)
			slices.Sort(want)
			got = sortedNumbers(&Column{Type: Number, Numbers: got})
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%s, %d values: number %d is %v, expected %v", name, n, i, got[i], want[i])
				}
			}
		}
	}
}

// Numbers kept once each are counted and found as if all were there.
func TestOrdered(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, draw := range map[string]func() float64{
		"few":      func() float64 { return float64(r.IntN(40)) / 10 },
		"some":     func() float64 { return float64(r.IntN(1e6)) },
		"any":      func() float64 { return float64(math.Float32frombits(r.Uint32N(1<<12) << 20)) },
		"distinct": r.Float64,
	} {
		c := &Column{Type: Number}
		var want []float64
		for range 3000 {
			v := draw()
			if c.Numbers = append(c.Numbers, v); v == v {
				want = append(want, v+0)
			}
		}
		slices.Sort(want)
		all := orderOf(c)
		if len(all.values) < 4 {
			t.Fatalf("%s: %d distinct values", name, len(all.values))
		}
		for _, cut := range []int{0, 1, len(all.values) / 2} {
			o := all.part(cut, len(all.values)-1)
			want := want[all.start(cut) : len(want)-all.times(len(all.values)-1)]
			if o.n() != len(want) {
				t.Fatalf("%s: %d numbers, expected %d", name, o.n(), len(want))
			}
			for i, v := range want {
				if o.at(i) != v {
					t.Fatalf("%s: number %d is %v, expected %v", name, i, o.at(i), v)
				}
			}
			k := len(o.values) / 2
			if at, _ := slices.BinarySearch(want, o.values[k]); o.start(k) != at {
				t.Fatalf("%s: value %d starts at %d, expected %d", name, k, o.start(k), at)
			}
		}
	}
}

func TestFirstOf(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 10, 5000, 100_000} {
		for _, most := range []uint64{3, 1000, math.MaxUint64} {
			hashes := make([]uint64, n)
			at := map[uint64]int32{}
			want, again := make([]int32, n), false
			for i := range hashes {
				hashes[i] = splitmix.Next(r.Uint64N(most))
				f, ok := at[hashes[i]]
				if !ok {
					f = int32(i)
					at[hashes[i]] = f
				}
				want[i], again = f, again || ok
			}
			got, repeated := firstOf(hashes)
			if !slices.Equal(got, want) || repeated != again {
				t.Fatalf("%d of %d hashes: repeated %v, expected %v", n, most, repeated, again)
			}
		}
	}
}
