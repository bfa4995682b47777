package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

var unaryTable = []struct {
	name       string
	f, generic func(dst, x []float32)
}{
	{"Neg", Neg, negGeneric}, {"Abs", Abs, absGeneric}, {"Square", Square, squareGeneric},
	{"Sqrt", Sqrt, sqrtGeneric}, {"Rsqrt", Rsqrt, rsqrtGeneric}, {"Recip", Recip, recipGeneric},
	{"Sign", Sign, signGeneric}, {"Relu", Relu, reluGeneric}, {"Exp", Exp, expGeneric},
	{"Log", Log, logGeneric}, {"Log1p", Log1p, log1pGeneric}, {"Tanh", Tanh, tanhGeneric},
	{"Sigmoid", Sigmoid, sigmoidGeneric}, {"Erf", Erf, erfGeneric}, {"Sin", Sin, sinGeneric}, {"Cos", Cos, cosGeneric}, {"Softplus", Softplus, softplusGeneric},
	{"Gelu", Gelu, geluGeneric}, {"GeluTanh", GeluTanh, geluTanhGeneric}, {"Silu", Silu, siluGeneric},
	{"Copy", Copy, func(dst, x []float32) { copy(dst, x) }},
}

var binaryTable = []struct {
	name       string
	f, generic func(dst, a, b []float32)
}{
	{"Add", Add, addGeneric}, {"Sub", Sub, subGeneric}, {"Mul", Mul, mulGeneric}, {"Div", Div, divGeneric},
	{"Max", Max, maximumGeneric}, {"Min", Min, minimumGeneric}, {"Greater", Greater, greaterGeneric},
	{"GreaterEqual", GreaterEqual, greaterEqualGeneric}, {"Equal", Equal, equalGeneric}, {"Gate", Gate, gateGeneric},
	{"AddRelu", AddRelu, addReluGeneric}, {"GeluGrad", GeluGrad, geluGradGeneric}, {"GeluTanhGrad", GeluTanhGrad, geluTanhGradGeneric}, {"SiluGrad", SiluGrad, siluGradGeneric},
}

var scalarTable = []struct {
	name       string
	f, generic func(dst, a []float32, s float32)
}{
	{"AddS", AddS, addSGeneric}, {"SubS", SubS, subSGeneric}, {"CutS", CutS, cutSGeneric}, {"RSubS", RSubS, rsubSGeneric},
	{"MulS", MulS, mulSGeneric}, {"DivS", DivS, divSGeneric}, {"RDivS", RDivS, rdivSGeneric},
	{"MaxS", MaxS, maxSGeneric}, {"MinS", MinS, minSGeneric},
	{"Fill", func(dst, _ []float32, s float32) { Fill(dst, s) }, func(dst, _ []float32, s float32) { fillGeneric(dst, s) }},
}

// TestElementwise compares every implementation with the specification, into
// a slice of its own and in place.
func TestElementwise(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range lengths() {
			a, b, c := randomGuarded(r, n), randomGuarded(r, n), randomGuarded(r, n)
			want := make([]float32, n)
			// check runs a kernel into a slice of its own and into each input.
			check := func(name string, in []*guarded, f func(dst []float32, in [][]float32)) {
				for place := -1; place < len(in); place++ {
					dst := newGuarded(n)
					args := make([][]float32, len(in))
					for i, g := range in {
						args[i] = g.x
					}
					if place >= 0 {
						copy(dst.x, in[place].x)
						args[place] = dst.x
					}
					f(dst.x, args)
					checkSame(t, what(name, n), dst.x, want)
					dst.check(t, what(name, n))
				}
			}
			for _, k := range unaryTable {
				k.generic(want, a.x)
				check(k.name, []*guarded{a}, func(dst []float32, in [][]float32) { k.f(dst, in[0]) })
			}
			for _, k := range binaryTable {
				k.generic(want, a.x, b.x)
				check(k.name, []*guarded{a, b}, func(dst []float32, in [][]float32) { k.f(dst, in[0], in[1]) })
			}
			for _, k := range scalarTable {
				s := number(r)
				k.generic(want, a.x, s)
				check(k.name, []*guarded{a}, func(dst []float32, in [][]float32) { k.f(dst, in[0], s) })
			}
			chooseGeneric(want, a.x, b.x, c.x)
			check("Select", []*guarded{a, b, c}, func(dst []float32, in [][]float32) { Select(dst, in[0], in[1], in[2]) })
		}
	})
}

// TestLongCopies: what is copied or filled in several pieces.
func TestLongCopies(t *testing.T) {
	for _, n := range []int{atOnce - 1, atOnce, 3*atOnce + 5} {
		x, dst := make([]float32, n+3), make([]float32, n+1)
		for i := range x {
			x[i] = float32(i)
		}
		Copy(dst[:n], x)
		checkSame(t, "Copy", dst, append(x[:n:n], 0))
		Fill(dst[:n], 2)
		for i, v := range dst {
			if want := []float32{2, 0}[i/n]; v != want {
				t.Fatalf("Fill of %d: element %d is %v", n, i, v)
			}
		}
	}
}

// TestSpecialPairs runs the functions of two numbers over all pairs of special
// ones.
func TestSpecialPairs(t *testing.T) {
	var a, b []float32
	for _, x := range special {
		for _, y := range special {
			a, b = append(a, x), append(b, y)
		}
	}
	got, want := make([]float32, len(a)), make([]float32, len(a))
	onEachPath(t, func(t *testing.T) {
		for _, k := range binaryTable {
			k.f(got, a, b)
			k.generic(want, a, b)
			checkSame(t, k.name, got, want)
		}
		for _, k := range scalarTable {
			for _, s := range special {
				k.f(got, a, s)
				k.generic(want, a, s)
				checkSame(t, k.name, got, want)
			}
		}
	})
}

// TestElementwiseAllocatesNothing: slices on the caller's stack stay there.
func TestElementwiseAllocatesNothing(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		if n := testing.AllocsPerRun(10, func() {
			x, y := [3]float32{1, 2, 3}, [3]float32{4, 5, 6}
			Log(x[:], x[:])
			Add(x[:], x[:], y[:])
			MulS(x[:], x[:], Sum(y[:]))
			Normal(y[:], 1, 2, 3, 4)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// FuzzElementwise compares every implementation with the specification on any
// three numbers.
func FuzzElementwise(f *testing.F) {
	for _, x := range special {
		f.Add(math.Float32bits(x), math.Float32bits(-x), uint32(0x3f800000))
	}
	f.Fuzz(func(t *testing.T, x, y, z uint32) {
		a, b, c := []float32{math.Float32frombits(x)}, []float32{math.Float32frombits(y)}, []float32{math.Float32frombits(z)}
		got, want := []float32{0}, []float32{0}
		onEachPath(t, func(t *testing.T) {
			for _, k := range unaryTable {
				k.f(got, a)
				k.generic(want, a)
				checkSame(t, k.name, got, want)
			}
			for _, k := range binaryTable {
				k.f(got, a, b)
				k.generic(want, a, b)
				checkSame(t, k.name, got, want)
			}
			for _, k := range scalarTable {
				k.f(got, a, b[0])
				k.generic(want, a, b[0])
				checkSame(t, k.name, got, want)
			}
			Select(got, a, b, c)
			chooseGeneric(want, a, b, c)
			checkSame(t, "Select", got, want)
		})
	})
}
