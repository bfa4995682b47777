package kernel

// The functions of this file work element by element on contiguous slices.
// All inputs have at least the length of dst. dst may be one of the inputs;
// it must not overlap one otherwise.

// fit returns the first n elements of x, which must be there.
func fit(x []float32, n int) []float32 { return x[:n:len(x)] }

// Add sets dst = a + b.
func Add(dst, a, b []float32) { add(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Sub sets dst = a − b.
func Sub(dst, a, b []float32) { sub(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Mul sets dst = a·b.
func Mul(dst, a, b []float32) { mul(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Div sets dst = a / b.
func Div(dst, a, b []float32) { div(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Max sets dst to the larger of a and b: NaN if either is, and +0 is larger
// than −0.
func Max(dst, a, b []float32) { maximum(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Min sets dst to the smaller of a and b: NaN if either is, and −0 is smaller
// than +0.
func Min(dst, a, b []float32) { minimum(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Greater sets dst to 1 where a > b, else 0.
func Greater(dst, a, b []float32) { greater(dst, fit(a, len(dst)), fit(b, len(dst))) }

// GreaterEqual sets dst to 1 where a ≥ b, else 0.
func GreaterEqual(dst, a, b []float32) { greaterEqual(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Equal sets dst to 1 where a = b, else 0.
func Equal(dst, a, b []float32) { equal(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Gate sets dst to b where a > 0, else 0.
func Gate(dst, a, b []float32) { gate(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Select sets dst to a where cond is not 0 (NaN is not), else to b.
func Select(dst, cond, a, b []float32) {
	choose(dst, fit(cond, len(dst)), fit(a, len(dst)), fit(b, len(dst)))
}

// AddS sets dst = a + s.
func AddS(dst, a []float32, s float32) { addS(dst, fit(a, len(dst)), s) }

// SubS sets dst = a − s.
func SubS(dst, a []float32, s float32) { subS(dst, fit(a, len(dst)), s) }

// CutS sets dst = a where a is at least s, and 0 elsewhere; NaN stays NaN.
func CutS(dst, a []float32, s float32) { cutS(dst, fit(a, len(dst)), s) }

// RSubS sets dst = s − a.
func RSubS(dst, a []float32, s float32) { rsubS(dst, fit(a, len(dst)), s) }

// MulS sets dst = a·s.
func MulS(dst, a []float32, s float32) { mulS(dst, fit(a, len(dst)), s) }

// DivS sets dst = a / s.
func DivS(dst, a []float32, s float32) { divS(dst, fit(a, len(dst)), s) }

// RDivS sets dst = s / a.
func RDivS(dst, a []float32, s float32) { rdivS(dst, fit(a, len(dst)), s) }

// MaxS sets dst to the larger of a and s, as Max does.
func MaxS(dst, a []float32, s float32) { maxS(dst, fit(a, len(dst)), s) }

// MinS sets dst to the smaller of a and s, as Min does.
func MinS(dst, a []float32, s float32) { minS(dst, fit(a, len(dst)), s) }

// Neg sets dst = −x.
func Neg(dst, x []float32) { neg(dst, fit(x, len(dst))) }

// Abs sets dst = |x|.
func Abs(dst, x []float32) { abs(dst, fit(x, len(dst))) }

// Square sets dst = x².
func Square(dst, x []float32) { square(dst, fit(x, len(dst))) }

// Sqrt sets dst = √x, correctly rounded.
func Sqrt(dst, x []float32) { sqrt(dst, fit(x, len(dst))) }

// Rsqrt sets dst = 1/√x, each of the two operations correctly rounded.
func Rsqrt(dst, x []float32) { rsqrt(dst, fit(x, len(dst))) }

// Recip sets dst = 1/x, correctly rounded.
func Recip(dst, x []float32) { recip(dst, fit(x, len(dst))) }

// Sign sets dst to 1 or −1, or to x where it is ±0 or NaN.
func Sign(dst, x []float32) { sign(dst, fit(x, len(dst))) }

// Relu sets dst to 0 where x < 0, else to x.
func Relu(dst, x []float32) { relu(dst, fit(x, len(dst))) }

// Exp sets dst = eˣ. For the error of this and the functions below see the
// table in the tests.
func Exp(dst, x []float32) { exp(dst, fit(x, len(dst))) }

// Log sets dst = log x, the natural logarithm.
func Log(dst, x []float32) { log(dst, fit(x, len(dst))) }

// Log1p sets dst = log(1+x), exact near 0.
func Log1p(dst, x []float32) { log1p(dst, fit(x, len(dst))) }

// Tanh sets dst = tanh x.
func Tanh(dst, x []float32) { tanh(dst, fit(x, len(dst))) }

// Sigmoid sets dst = 1/(1+e⁻ˣ).
func Sigmoid(dst, x []float32) { sigmoid(dst, fit(x, len(dst))) }

// Erf sets dst to the error function of x.
func Erf(dst, x []float32) { erf(dst, fit(x, len(dst))) }

// Sin sets dst to the sine of x in radians. Beyond ±2²⁸, where neighbouring
// float32 are whole periods apart, x is taken for 0; of ±Inf it is NaN.
func Sin(dst, x []float32) { sin(dst, fit(x, len(dst))) }

// Cos sets dst to the cosine of x, with the bounds of Sin.
func Cos(dst, x []float32) { cos(dst, fit(x, len(dst))) }

// Softplus sets dst = log(1+eˣ).
func Softplus(dst, x []float32) { softplus(dst, fit(x, len(dst))) }

// Gelu sets dst = x·Φ(x), Φ the normal distribution by Erf.
func Gelu(dst, x []float32) { gelu(dst, fit(x, len(dst))) }

// GeluGrad sets dst to dy times the derivative of Gelu at x.
func GeluGrad(dst, x, dy []float32) { geluGrad(dst, fit(x, len(dst)), fit(dy, len(dst))) }

// GeluTanh sets dst = x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
func GeluTanh(dst, x []float32) { geluTanh(dst, fit(x, len(dst))) }

// GeluTanhGrad sets dst to dy times the derivative of GeluTanh at x.
func GeluTanhGrad(dst, x, dy []float32) { geluTanhGrad(dst, fit(x, len(dst)), fit(dy, len(dst))) }

// Silu sets dst = x/(1+e⁻ˣ).
func Silu(dst, x []float32) { silu(dst, fit(x, len(dst))) }

// SiluGrad sets dst to dy times the derivative of Silu at x.
func SiluGrad(dst, x, dy []float32) { siluGrad(dst, fit(x, len(dst)), fit(dy, len(dst))) }

// AddRelu sets dst to 0 where a+b < 0, else to a+b.
func AddRelu(dst, a, b []float32) { addRelu(dst, fit(a, len(dst)), fit(b, len(dst))) }

// Copy sets dst to the first elements of x, in pieces: a garbage collection has to
// wait for a copy of the language's own too.
func Copy(dst, x []float32) {
	x = fit(x, len(dst))
	for len(dst) > atOnce {
		copy(dst[:atOnce], x)
		dst, x = dst[atOnce:], x[atOnce:]
	}
	copy(dst, x)
}

// Fill sets all of dst to v, in pieces.
func Fill(dst []float32, v float32) {
	for len(dst) > atOnce {
		fill(dst[:atOnce], v)
		dst = dst[atOnce:]
	}
	fill(dst, v)
}
