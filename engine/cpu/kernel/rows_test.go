package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestRows holds the kernels of rows against their plain loops.
func TestRows(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(23, 24))
		for _, n := range append(lengths(), lengths()...) {
			wild := n%3 == 0
			draw := func() *guarded {
				g := randomGuarded(r, n)
				if !wild {
					for i := range g.x {
						g.x[i] = float32(r.NormFloat64()) * 3
					}
				}
				return g
			}
			a, b, c, s, dst := draw(), draw(), draw(), draw(), newGuarded(n)
			m, k, u, v := number(r), number(r), number(r), number(r)
			want := make([]float32, n)
			for _, f := range []struct {
				name      string
				got, want func()
			}{
				{"subMul", func() { subMul(dst.x, a.x, b.x, m) }, func() { subMulGeneric(want, a.x, b.x, m) }},
				{"normRow", func() { normRow(dst.x, a.x, b.x, c.x, m, k) }, func() { normRowGeneric(want, a.x, b.x, c.x, m, k) }},
				{"normGradRow", func() { normGradRow(dst.x, a.x, b.x, c.x, m, k, u, v) }, func() { normGradRowGeneric(want, a.x, b.x, c.x, m, k, u, v) }},
				{"addNormRow", func() { addNormRow(dst.x, s.x, a.x, b.x, m, k) }, func() { addNormRowGeneric(want, s.x, a.x, b.x, m, k) }},
			} {
				f.got()
				f.want()
				checkSame(t, what(f.name, n), dst.x, want)
				dst.check(t, what(f.name, n))
			}
			for _, f := range []struct {
				name      string
				got, want float32
			}{
				{"sumSquares", sumSquares(a.x, m), sumSquaresGeneric(a.x, m)},
				{"sumExp", sumExp(a.x, m), sumExpGeneric(a.x, m)},
				{"sumProducts", sumProducts(a.x, b.x), sumProductsGeneric(a.x, b.x)},
				{"sumTriples", sumTriples(a.x, b.x, c.x, m), sumTriplesGeneric(a.x, b.x, c.x, m)},
			} {
				if !sameBits(f.got, f.want) {
					t.Fatalf("%s is %v, want %v", what(f.name, n), f.got, f.want)
				}
			}
			copy(want, a.x)
			if got, sum := softmaxRow(a.x), softmaxRowGeneric(want); !sameBits(got, sum) {
				t.Fatalf("%s is %v, want %v", what("softmaxRow", n), got, sum)
			}
			checkSame(t, what("softmaxRow", n), a.x, want)
			a.check(t, what("softmaxRow", n))
		}
	})
}

// TestLongRows: rows that one call does not go through.
func TestLongRows(t *testing.T) {
	n := rowAtOnce + 37
	r := rand.New(rand.NewPCG(25, 26))
	x, gain, shift, dy := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i], gain[i], shift[i], dy[i] = r.Float32()+2, r.Float32(), r.Float32(), r.Float32()
	}
	mean, scale := Moments(x, 1e-5, true)
	y, dx, sum := make([]float32, n), make([]float32, n), make([]float32, n)
	NormRow(y, x, gain, shift, mean, scale)
	NormGradRow(dx, x, gain, dy, mean, scale, true)
	AddNormRow(sum, x, dy, mean, scale)
	want := make([]float32, n)
	normRowGeneric(want, x, gain, shift, mean, scale)
	checkSame(t, "a long row", y, want)
	addNormRowGeneric(want, make([]float32, n), x, dy, mean, scale)
	checkSame(t, "a long row's part in the gain's gradient", sum, want)
	if s := Sum(dx); s > 1e-2 || s < -1e-2 { // what is centred does not see a shift of x
		t.Errorf("the gradient of a long row adds up to %v", s)
	}
	if softmaxOf(x) < 1 {
		t.Error("the largest element of a long row is not 1")
	}
}
