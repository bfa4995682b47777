package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// accuracy is the largest error of each function in units in the last place of
// the exact result, rounded up, as found at every 127th float32, of Sin and Cos
// at every third from 0 to 2²⁸; the test looks at fewer. The functions multiply
// and add with a rounding each.
var accuracy = []struct {
	name  string
	f     func(dst, x []float32)
	exact func(float64) float64
	ulps  float64
}{
	{"Exp", Exp, math.Exp, 1},
	{"Log", Log, math.Log, 1},
	{"Log1p", Log1p, math.Log1p, 1},
	{"Tanh", Tanh, math.Tanh, 1.5},
	{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5},
	{"Erf", Erf, math.Erf, 1.25},
	{"Sin", Sin, func(x float64) float64 { return math.Sin(withinTrig(x)) }, 1.75},
	{"Cos", Cos, func(x float64) float64 { return math.Cos(withinTrig(x)) }, 1.75},
	{"Softplus", Softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 1.75},
	{"Sqrt", Sqrt, math.Sqrt, 0},
	{"Recip", Recip, func(x float64) float64 { return 1 / x }, 0},
	{"Rsqrt", Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5},
}

// withinTrig is the angle that Sin and Cos take x for.
func withinTrig(x float64) float64 {
	if math.Abs(x) > trigHigh {
		return x * 0
	}
	return x
}

// ulps is the distance of got from the exact value in units of the last place
// of a float32 of the exact value's size, or 0 if got is the float32 nearest to
// it.
func ulps(got float32, exact float64) float64 {
	if sameBits(got, float32(exact)) {
		return 0
	}
	_, e := math.Frexp(exact)
	unit := math.Ldexp(1, max(e-24, -149))
	g := float64(got)
	if math.IsInf(g, 0) { // as if it were the next number after the largest
		g = math.Copysign(0x1p128, g)
	}
	d := math.Abs(g-exact) / unit
	if d != d {
		return math.Inf(1)
	}
	return d
}

// TestAccuracy looks at every so many float32.
const sweepStep = uint64(8209)

func TestAccuracy(t *testing.T) {
	const block = 4096
	x, y := make([]float32, 0, block), make([]float32, block)
	for _, k := range accuracy {
		worst, at := 0.0, float32(0)
		flush := func() {
			k.f(y[:len(x)], x)
			for i, v := range x {
				if e := ulps(y[i], k.exact(float64(v))); e > worst {
					worst, at = e, v
				}
			}
			x = x[:0]
		}
		for b := uint64(0); b < 1<<32; b += sweepStep {
			if x = append(x, math.Float32frombits(uint32(b))); len(x) == block {
				flush()
			}
		}
		r := rand.New(rand.NewPCG(3, 4)) // ordinary numbers, more densely
		for range 100000 {
			if x = append(x, float32(r.NormFloat64()*4)); len(x) == block {
				flush()
			}
		}
		for i := range 30000 { // next to where sine or cosine is 0
			near := float32(float64(i*i) * (math.Pi / 2))
			x = append(x, near, math.Nextafter32(near, 0), -math.Nextafter32(near, inf))
			if len(x) > block-3 {
				flush()
			}
		}
		flush()
		t.Logf("%-8s %.3f ulp at %v", k.name, worst, at)
		if worst > k.ulps {
			t.Errorf("%s is off by %.3f units in the last place at %v, more than %v", k.name, worst, at, k.ulps)
		}
	}
}

// TestMathSpecial checks the values that the definitions of the functions give
// at their ends.
func TestMathSpecial(t *testing.T) {
	negZero := float32(math.Copysign(0, -1))
	table := []struct {
		name string
		f    func(dst, x []float32)
		x, y float32
	}{
		{"Exp", Exp, 0, 1}, {"Exp", Exp, inf, inf}, {"Exp", Exp, -inf, 0}, {"Exp", Exp, nan, nan},
		{"Exp", Exp, -103.9, math.SmallestNonzeroFloat32}, {"Exp", Exp, 88.73, inf},
		{"Log", Log, 1, 0}, {"Log", Log, 0, -inf}, {"Log", Log, negZero, -inf}, {"Log", Log, -1, nan},
		{"Log", Log, inf, inf}, {"Log", Log, -inf, nan}, {"Log", Log, nan, nan},
		{"Log1p", Log1p, 0, 0}, {"Log1p", Log1p, negZero, negZero}, {"Log1p", Log1p, -1, -inf},
		{"Log1p", Log1p, -2, nan}, {"Log1p", Log1p, inf, inf}, {"Log1p", Log1p, nan, nan}, {"Log1p", Log1p, 1e-30, 1e-30},
		{"Tanh", Tanh, 0, 0}, {"Tanh", Tanh, negZero, negZero}, {"Tanh", Tanh, inf, 1}, {"Tanh", Tanh, -inf, -1}, {"Tanh", Tanh, nan, nan},
		{"Sigmoid", Sigmoid, 0, 0.5}, {"Sigmoid", Sigmoid, inf, 1}, {"Sigmoid", Sigmoid, -inf, 0}, {"Sigmoid", Sigmoid, nan, nan},
		{"Erf", Erf, 0, 0}, {"Erf", Erf, inf, 1}, {"Erf", Erf, -inf, -1}, {"Erf", Erf, nan, nan}, {"Erf", Erf, -5, -1},
		{"Sin", Sin, 0, 0}, {"Sin", Sin, negZero, negZero}, {"Sin", Sin, inf, nan}, {"Sin", Sin, -inf, nan}, {"Sin", Sin, nan, nan},
		{"Sin", Sin, 1e-30, 1e-30}, {"Sin", Sin, math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat32}, {"Sin", Sin, math.Pi / 2, 1},
		{"Sin", Sin, math.MaxFloat32, 0}, {"Sin", Sin, -math.MaxFloat32, negZero}, {"Cos", Cos, math.MaxFloat32, 1},
		{"Cos", Cos, 0, 1}, {"Cos", Cos, negZero, 1}, {"Cos", Cos, inf, nan}, {"Cos", Cos, -inf, nan}, {"Cos", Cos, nan, nan}, {"Cos", Cos, math.Pi, -1},
		{"Softplus", Softplus, inf, inf}, {"Softplus", Softplus, -inf, 0}, {"Softplus", Softplus, nan, nan}, {"Softplus", Softplus, 100, 100},
		{"Sqrt", Sqrt, -1, nan}, {"Sqrt", Sqrt, negZero, negZero}, {"Rsqrt", Rsqrt, 0, inf}, {"Recip", Recip, negZero, -inf},
		{"Sign", Sign, negZero, negZero}, {"Sign", Sign, nan, nan}, {"Sign", Sign, -inf, -1}, {"Sign", Sign, 3, 1},
		{"Relu", Relu, nan, nan}, {"Relu", Relu, -1, 0}, {"Relu", Relu, 2, 2},
	}
	onEachPath(t, func(t *testing.T) {
		for _, k := range table {
			y := []float32{0}
			if k.f(y, []float32{k.x}); !sameBits(y[0], k.y) {
				t.Errorf("%s of %v is %v, want %v", k.name, k.x, y[0], k.y)
			}
		}
	})
}
