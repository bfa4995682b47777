package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func block(ctr [4]uint32, key [2]uint32) (w [4]uint32) {
	w[0], w[1], w[2], w[3] = philox(ctr[0], ctr[1], ctr[2], ctr[3], key[0], key[1])
	return w
}

// TestPhilox checks the known answers of Random123 (tests/kat_vectors) for
// philox4x32 with 10 rounds.
func TestPhilox(t *testing.T) {
	for _, k := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := block(k.ctr, k.key); got != k.want {
			t.Errorf("philox(%08x, %08x) = %08x, want %08x", k.ctr, k.key, got, k.want)
		}
	}
}

// TestRandomLayout: which word of which counter is which element.
func TestRandomLayout(t *testing.T) {
	const seed, step, stream = 0x0123456789abcdef, 7, 9
	x, z := make([]float32, 9), make([]float32, 9)
	Uniform(x, seed, step, stream, 0)
	Normal(z, seed, step, stream, 0)
	for e := range x {
		w := block([4]uint32{uint32(e / 4), 0, stream, step}, [2]uint32{0x89abcdef, 0x01234567})
		if want := float64(w[e%4]>>8) / (1 << 24); float64(x[e]) != want {
			t.Errorf("uniform element %d is %v, want %v", e, x[e], want)
		}
		pair := e % 4 / 2 * 2
		radius := math.Sqrt(-2 * math.Log(float64(w[pair]>>8+1)/(1<<24)))
		sin, cos := math.Sincos(2 * math.Pi * float64(w[pair+1]>>8) / (1 << 24))
		want := radius * cos
		if e%2 == 1 {
			want = radius * sin
		}
		if math.Abs(float64(z[e])-want) > 1e-6 {
			t.Errorf("normal element %d is %v, want %v", e, z[e], want)
		}
	}
}

// TestRandomInPieces: an element is the same wherever its slice begins, and on
// every path.
func TestRandomInPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for name, f := range map[string]func([]float32, uint64, uint32, uint32, uint32){"Uniform": Uniform, "Normal": Normal} {
		whole := make([]float32, 200)
		f(whole, 3, 4, 5, 1000)
		onEachPath(t, func(t *testing.T) {
			for range 200 {
				i := r.IntN(len(whole))
				n := r.IntN(len(whole) - i + 1)
				piece := newGuarded(n)
				f(piece.x, 3, 4, 5, 1000+uint32(i))
				checkSame(t, name, piece.x, whole[i:i+n])
				piece.check(t, name)
			}
		})
		for what, other := range map[string][3]uint64{"seed": {4, 4, 5}, "step": {3, 5, 5}, "stream": {3, 4, 6}, "high seed": {3 + 1<<32, 4, 5}} {
			x := make([]float32, len(whole))
			f(x, other[0], uint32(other[1]), uint32(other[2]), 1000)
			if slices.Equal(x, whole) {
				t.Errorf("%s does not depend on the %s", name, what)
			}
		}
	}
}

// TestUniformPaths holds every implementation against the plain one.
func TestUniformPaths(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(23, 24))
		for range 200 {
			got, want := newGuarded(r.IntN(700)), make([]float32, 700)
			seed, step, stream, offset := r.Uint64(), r.Uint32(), r.Uint32(), r.Uint32N(1<<31)
			want = want[:len(got.x)]
			random(want, seed, step, stream, offset, false)
			Uniform(got.x, seed, step, stream, offset)
			name := fmt.Sprintf("%d uniform numbers from %d on", len(want), offset)
			checkSame(t, name, got.x, want)
			got.check(t, name)
		}
	})
}

func TestRandomMoments(t *testing.T) {
	const n = 1 << 18
	x := make([]float32, n)
	moments := func() (mean, variance, kurtosis float64) {
		for _, v := range x {
			mean += float64(v) / n
		}
		for _, v := range x {
			d := float64(v) - mean
			variance += d * d / n
			kurtosis += d * d * d * d / n
		}
		return mean, variance, kurtosis / (variance * variance)
	}
	near := func(what string, got, want, tolerance float64) {
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s is %v, want %v ± %v", what, got, want, tolerance)
		}
	}
	// Five standard errors; the numbers are fixed, so this cannot flake.
	Uniform(x, 1, 2, 3, 0)
	mean, variance, _ := moments()
	near("mean of the uniform numbers", mean, 0.5, 5*0.289/512)
	near("their variance", variance, 1.0/12, 5*0.075/512)
	if low, high := slices.Min(x), slices.Max(x); low < 0 || high >= 1 {
		t.Errorf("uniform numbers from %v to %v", low, high)
	}
	Normal(x, 1, 2, 3, 0)
	mean, variance, kurtosis := moments()
	near("mean of the normal numbers", mean, 0, 5.0/512)
	near("their variance", variance, 1, 5*1.414/512)
	near("their kurtosis", kurtosis, 3, 5*4.9/512)
}

func TestSinCosTurn(t *testing.T) {
	for i := range 1 << 16 {
		turn := float32(i) / (1 << 16)
		sin, cos := sinCosTurn(turn)
		wantSin, wantCos := math.Sincos(2 * math.Pi * float64(turn))
		if math.Abs(float64(sin)-wantSin) > 1.5e-7 || math.Abs(float64(cos)-wantCos) > 1.5e-7 {
			t.Fatalf("at %v: %v, %v, want %v, %v", turn, sin, cos, wantSin, wantCos)
		}
	}
}
