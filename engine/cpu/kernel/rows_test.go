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
				{"maxRow", maxRow(a.x), maxRowGeneric(a.x)},
				{"sumExp", sumExp(a.x, m), sumExpGeneric(a.x, m)},
				{"sumProducts", sumProducts(a.x, b.x), sumProductsGeneric(a.x, b.x)},
				{"sumTriples", sumTriples(a.x, b.x, c.x, m), sumTriplesGeneric(a.x, b.x, c.x, m)},
			} {
				if !sameBits(f.got, f.want) {
					t.Fatalf("%s is %v, want %v", what(f.name, n), f.got, f.want)
				}
			}
		}
	})
}

// TestSeveralRows does the same for kernels of several rows, which may grow.
func TestSeveralRows(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(29, 30))
		for trial := range 400 {
			rows, n, more := 1+r.IntN(5), r.IntN(70), r.IntN(2)
			most := n + r.IntN(rows+1)
			stride := n + rows + r.IntN(4)
			draw := func(n int) *guarded {
				g := randomGuarded(r, n)
				for i := range g.x {
					if trial%3 > 0 {
						g.x[i] = float32(r.NormFloat64())
					}
				}
				return g
			}
			a, b, s := draw(rows*stride), draw(rows*stride), draw(rows)
			for _, k := range []struct {
				name      string
				got, want func(x, s []float32)
			}{
				{"softmaxRows", func(x, s []float32) { softmaxRows(x, s, rows, stride, n, more, most) },
					func(x, s []float32) { softmaxRowsGeneric(x, s, rows, stride, n, more, most) }},
				{"scaleRows", func(x, s []float32) { scaleRows(x, b.x, s, rows, n, stride, stride) },
					func(x, s []float32) { scaleRowsGeneric(x, b.x, s, rows, n, stride, stride) }},
				{"dotRows", func(x, s []float32) { dotRows(s, x, b.x, rows, n, stride, stride) },
					func(x, s []float32) { dotRowsGeneric(s, x, b.x, rows, n, stride, stride) }},
				{"slopeRows", func(x, s []float32) { slopeRows(x, b.x, s, rows, stride, n, more, most) },
					func(x, s []float32) { slopeRowsGeneric(x, b.x, s, rows, stride, n, more, most) }},
			} {
				x, sums := newGuarded(len(a.x)), newGuarded(rows)
				wantX, wantSums := append([]float32(nil), a.x...), append([]float32(nil), s.x...)
				copy(x.x, a.x)
				copy(sums.x, s.x)
				k.got(x.x, sums.x)
				k.want(wantX, wantSums)
				checkSame(t, what(k.name, n), x.x, wantX)
				checkSame(t, what(k.name, n), sums.x, wantSums)
				x.check(t, what(k.name, n))
				sums.check(t, what(k.name, n))
			}
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
	if SoftmaxRow(x) < 1 {
		t.Error("the largest element of a long row is not 1")
	}
}
