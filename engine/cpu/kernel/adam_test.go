package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestAdam compares every implementation with the specification, and the
// specification with the functions of one operation that it stands for.
func TestAdam(t *testing.T) {
	settled := func(x []float32, least float32) {
		size, keep := make([]float32, len(x)), make([]float32, len(x))
		Abs(size, x)
		for i, v := range size {
			keep[i] = one(v >= least)
		}
		Mul(x, x, keep)
	}
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(41, 42))
		for _, n := range lengths() {
			a, b, c := randomGuarded(r, n), randomGuarded(r, n), randomGuarded(r, n)
			s := [3]float32{number(r), number(r), number(r)}
			want, x, y := make([]float32, n), make([]float32, n), make([]float32, n)
			check := func(name string, f func(dst, a, b, c []float32)) {
				dst := newGuarded(n)
				f(dst.x, a.x, b.x, c.x)
				checkSame(t, what(name, n), dst.x, want)
				dst.check(t, what(name, n))
				copy(dst.x, a.x)
				f(dst.x, dst.x, b.x, c.x)
				checkSame(t, what(name, n)+" in place", dst.x, want)
			}
			momentGeneric(want, a.x, b.x, s[0], s[1], s[2])
			check("Moment", func(dst, a, b, _ []float32) { Moment(dst, a, b, s[0], s[1], s[2]) })
			MulS(x, a.x, s[0])
			MulS(y, b.x, s[1])
			Add(x, x, y)
			settled(x, s[2])
			checkSame(t, what("Moment in parts", n), x, want)

			momentSquareGeneric(want, a.x, b.x, s[0], s[1], s[2])
			check("MomentSquare", func(dst, a, b, _ []float32) { MomentSquare(dst, a, b, s[0], s[1], s[2]) })
			MulS(x, a.x, s[0])
			Square(y, b.x)
			MulS(y, y, s[1])
			Add(x, x, y)
			settled(x, s[2])
			checkSame(t, what("MomentSquare in parts", n), x, want)

			adamGeneric(want, a.x, b.x, c.x, s[0], s[1], s[2])
			check("Adam", func(dst, p, m, v []float32) { Adam(dst, p, m, v, s[0], s[1], s[2]) })
			MulS(x, b.x, s[0])
			Sqrt(y, c.x)
			MulS(y, y, s[1])
			AddS(y, y, s[2])
			Div(x, x, y)
			Sub(x, a.x, x)
			checkSame(t, what("Adam in parts", n), x, want)
		}
	})
}

// TestAdamPass compares the pass with its three parts, into memory of its own and
// in place.
func TestAdamPass(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(43, 44))
		for _, n := range lengths() {
			p, m, v, g := randomGuarded(r, n), randomGuarded(r, n), randomGuarded(r, n), randomGuarded(r, n)
			of := AdamNumbers{number(r), number(r), number(r), number(r), number(r), number(r), number(r), number(r), number(r)}
			want := [3][]float32{make([]float32, n), make([]float32, n), make([]float32, n)}
			momentGeneric(want[1], m.x, g.x, of.KeepM, of.TakeM, of.LeastM)
			momentSquareGeneric(want[2], v.x, g.x, of.KeepV, of.TakeV, of.LeastV)
			adamGeneric(want[0], p.x, want[1], want[2], of.Rate, of.Root, of.Epsilon)
			got := [3]*guarded{newGuarded(n), newGuarded(n), newGuarded(n)}
			AdamPass(got[0].x, got[1].x, got[2].x, p.x, m.x, v.x, g.x, &of)
			for i := range got {
				checkSame(t, what("AdamPass", n), got[i].x, want[i])
				got[i].check(t, what("AdamPass", n))
			}
			AdamPass(p.x, m.x, v.x, p.x, m.x, v.x, g.x, &of)
			for i, x := range []*guarded{p, m, v} {
				checkSame(t, what("AdamPass in place", n), x.x, want[i])
			}
		}
	})
}
