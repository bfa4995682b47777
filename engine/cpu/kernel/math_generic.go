package kernel

import "math"

// The polynomials multiply and add with a rounding after each, which plain Go
// and every vector unit can do alike; the conversions around products keep
// the compiler from fusing them. Constants are those of the assembly, which
// reads them from the same names in _gen.

// exp32 is eˣ after Cephes: x = n·log 2 + r, a polynomial in r, and 2ⁿ in two
// factors, so that the largest and the subnormal results are reached with one
// rounding.
func exp32(x float32) float32 {
	if expHigh < x {
		x = expHigh
	}
	if expLow > x {
		x = expLow
	}
	t := float32(x*log2e) + roundMagic
	n := int32(math.Float32bits(t)) - roundMagicBits
	k := t - roundMagic
	r := x - float32(k*ln2Hi)
	r -= float32(k * ln2Lo)
	p := float32(exp0*r) + exp1
	p = float32(p*r) + exp2
	p = float32(p*r) + exp3
	p = float32(p*r) + exp4
	p = float32(p*r) + exp5
	p = float32(float32(p*float32(r*r))+r) + 1
	half := n >> 1
	p = float32(p * pow2(half))
	return float32(p * pow2(n-half))
}

// pow2 is 2ⁿ for n within the exponents of float32.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

const (
	expHigh        = 89   // its result is +Inf
	expLow         = -104 // its result is 0
	log2e          = 1.44269504088896341
	ln2Hi          = 0.693359375 // 9 bits, so that n·ln2Hi is exact
	ln2Lo          = -2.12194440e-4
	roundMagic     = 0x1.8p23 // adding it rounds to a whole number in the low bits
	roundMagicBits = 0x4b400000
	exp0           = 1.9875691500e-4
	exp1           = 1.3981999507e-3
	exp2           = 8.3334519073e-3
	exp3           = 4.1665795894e-2
	exp4           = 1.6666665459e-1
	exp5           = 5.0000001201e-1
)

// logCore is log(2ᵏ·(1+f)) + c after FreeBSD's e_logf.c, for 1+f between √½
// and √2 and a small c.
func logCore(k, f, c float32) float32 {
	s := f / (2 + f)
	z := float32(s * s)
	w := float32(z * z)
	t1 := float32(w * (float32(w*lg4) + lg2))
	t2 := float32(z * (float32(w*lg3) + lg1))
	r := t2 + t1
	h := float32(0.5 * float32(f*f))
	y := float32(s*(h+r)) + (float32(k*logLn2Lo) + c)
	return (y - h + f) + float32(k*logLn2Hi)
}

const (
	sqrtHalfBits = 0x3f3504f3
	logLn2Hi     = 6.9313812256e-01
	logLn2Lo     = 9.0580006145e-06
	lg1          = 0.66666662693
	lg2          = 0.40000972152
	lg3          = 0.28498786688
	lg4          = 0.24279078841
	minNormal    = 0x1p-126
)

// split returns k and m with 2ᵏ·m = x and m between √½ and √2.
func split(x float32) (k int32, m float32) {
	b := int32(math.Float32bits(x))
	k = (b - sqrtHalfBits) >> 23
	return k, math.Float32frombits(uint32(b - k<<23))
}

func log32(x float32) float32 {
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case !(x > 0):
		return float32(math.NaN())
	case x > math.MaxFloat32:
		return x
	}
	var shift float32
	if x < minNormal {
		x *= 0x1p23
		shift = -23
	}
	k, m := split(x)
	return logCore(float32(k)+shift, m-1, 0)
}

// log1p32 is log u + c/u with u = 1+x rounded and c what the rounding lost.
func log1p32(x float32) float32 {
	switch {
	case x == 0 || x > math.MaxFloat32:
		return x
	case x == -1:
		return float32(math.Inf(-1))
	case !(x > -1):
		return float32(math.NaN())
	}
	return log1pCore(x)
}

func log1pCore(x float32) float32 {
	u := 1 + x
	c := x - (u - 1)
	if x > 1 {
		c = 1 - (u - x)
	}
	k, m := split(u)
	return logCore(float32(k), m-1, c/u)
}

// tanh32 is a polynomial near 0 and 1 − 2/(e²ˣ+1) elsewhere, after Cephes.
func tanh32(x float32) float32 {
	a := abs32(x)
	if a < tanhSmall {
		z := float32(x * x)
		p := float32(tanh0*z) + tanh1
		p = float32(p*z) + tanh2
		p = float32(p*z) + tanh3
		p = float32(p*z) + tanh4
		return copysign32(float32(float32(p*z)*x)+x, x) // for −0
	}
	y := 1 - 2/(exp32(a+a)+1)
	return copysign32(y, x)
}

const (
	tanhSmall = 0.625
	tanh0     = -5.70498872745e-3
	tanh1     = 2.06390887954e-2
	tanh2     = -5.37397155531e-2
	tanh3     = 1.33314422036e-1
	tanh4     = -3.33332819422e-1
)

// copysign32 is y, which is positive or has x's sign, with the sign of x.
func copysign32(y, x float32) float32 {
	return math.Float32frombits(math.Float32bits(y) | math.Float32bits(x)&(1<<31))
}

func sigmoid32(x float32) float32 {
	z := exp32(-abs32(x))
	n := z
	if x >= 0 {
		n = 1
	}
	return n / (1 + z)
}

// erf32 is a polynomial near 0 and 1 − e^(a polynomial) elsewhere.
func erf32(x float32) float32 {
	a := abs32(x)
	if erfHigh < a {
		a = erfHigh
	}
	if a < erfSmall {
		z := float32(a * a)
		p := float32(erf0*z) + erf1
		p = float32(p*z) + erf2
		p = float32(p*z) + erf3
		p = float32(p*z) + erf4
		p = float32(p*z) + erf5
		return float32(p*x) + x
	}
	p := float32(erfc0*a) + erfc1
	p = float32(p*a) + erfc2
	p = float32(p*a) + erfc3
	p = float32(p*a) + erfc4
	p = float32(p*a) + erfc5
	p = float32(p*a) + erfc6
	p = float32(p*a) - a
	return copysign32(1-exp32(p), x)
}

const (
	erfSmall = 0.921875
	erfHigh  = 10
	erf0     = -5.96761703e-4
	erf1     = 4.99119423e-3
	erf2     = -2.67681349e-2
	erf3     = 1.12819925e-1
	erf4     = -3.76125336e-1
	erf5     = 1.28379166e-1
	erfc0    = -1.72853470e-5
	erfc1    = 3.83197126e-4
	erfc2    = -3.88396438e-3
	erfc3    = 2.42546219e-2
	erfc4    = -1.06777877e-1
	erfc5    = -6.34846687e-1
	erfc6    = -1.28717512e-1
)

// sin32 and cos32 take the nearest multiple of π/2 from x in float64, where
// 25 bits of π/2 times a whole number up to 2²⁸ are exact (Cody and Waite, with
// the constants of FreeBSD's e_rem_pio2f.c), and then go by Cephes' polynomials
// for sine and cosine from −π/4 to π/4.
func sin32(x float32) float32 { return trig(x, 0) }

func cos32(x float32) float32 { return trig(x, 1) }

// trig is the sine of x and so many right angles.
func trig(x float32, quarters int32) float32 {
	if abs32(x) > trigHigh {
		x *= 0 // NaN of an infinity
	}
	d := float64(x)
	t := float64(d*twoOverPi) + roundMagic64
	n := int32(math.Float64bits(t)) + quarters
	k := t - roundMagic64
	d -= float64(k * halfPiHi)
	d -= float64(k * halfPiLo)
	r := float32(d)
	z := float32(r * r)
	var y float32
	if n&1 == 0 {
		p := float32(sin0*z) + sin1
		p = float32(p*z) + sin2
		y = copysign32(float32(float32(p*z)*r)+r, r) // for −0
	} else {
		p := float32(cos0*z) + cos1
		p = float32(p*z) + cos2
		y = float32(float32(p*z)*z) - float32(0.5*z) + 1
	}
	return math.Float32frombits(math.Float32bits(y) ^ uint32(n&2)<<30)
}

const (
	trigHigh     = 0x1p28
	twoOverPi    = 0.636619772367581343
	roundMagic64 = 0x1.8p52              // as roundMagic
	halfPiHi     = 0x1.921fb5p0          // 25 bits
	halfPiLo     = 0x1.110b4611a6263p-26 // π/2 − halfPiHi
	sin0         = -1.9515295891e-4
	sin1         = 8.3321608736e-3
	sin2         = -1.6666654611e-1
	cos0         = 2.443315711809948e-5
	cos1         = -1.388731625493765e-3
	cos2         = 4.166664568298827e-2
)

func softplus32(x float32) float32 {
	y := log1pCore(exp32(-abs32(x)))
	if x > 0 {
		y += x
	}
	return y
}

func mapGeneric(dst, x []float32, f func(float32) float32) {
	for i := range dst {
		dst[i] = f(x[i])
	}
}

func expGeneric(dst, x []float32)      { mapGeneric(dst, x, exp32) }
func logGeneric(dst, x []float32)      { mapGeneric(dst, x, log32) }
func log1pGeneric(dst, x []float32)    { mapGeneric(dst, x, log1p32) }
func tanhGeneric(dst, x []float32)     { mapGeneric(dst, x, tanh32) }
func sigmoidGeneric(dst, x []float32)  { mapGeneric(dst, x, sigmoid32) }
func erfGeneric(dst, x []float32)      { mapGeneric(dst, x, erf32) }
func sinGeneric(dst, x []float32)      { mapGeneric(dst, x, sin32) }
func cosGeneric(dst, x []float32)      { mapGeneric(dst, x, cos32) }
func softplusGeneric(dst, x []float32) { mapGeneric(dst, x, softplus32) }

// gelu32 is x·Φ(x).
func gelu32(x float32) float32 { return float32(x*0.5) * (erf32(x*rootHalf) + 1) }

// geluSlope32 is Φ(x) + x·φ(x).
func geluSlope32(x float32) float32 {
	share := float32((erf32(x*rootHalf) + 1) * 0.5)
	density := float32(exp32(float32(x*x)*-0.5) * normalDensity)
	return share + float32(x*density)
}

// geluInner is u where geluTanh32 is x·(1+tanh(u/2))/2 = x/(1+e⁻ᵘ).
func geluInner(x float32) float32 {
	return float32(x*(float32(float32(x*x)*geluCubic)+1)) * geluScale
}

func geluTanh32(x float32) float32 { return x * sigmoid32(geluInner(x)) }

func geluTanhSlope32(x float32) float32 {
	s := sigmoid32(geluInner(x))
	square := x * x
	if geluFar < square { // where s is 0 or 1, so that 0 times infinity is not asked
		square = geluFar
	}
	slope := float32((float32(square*geluCubic3) + 1) * geluScale)
	return s + float32(float32(x*float32(s*(1-s)))*slope)
}

func siluSlope32(x float32) float32 {
	s := sigmoid32(x)
	return s + float32(x*float32(s*(1-s)))
}

const (
	rootHalf      = 0.70710678118654752
	normalDensity = 0.39894228040143268 // 1/√(2π)
	geluCubic     = 0.044715
	geluCubic3    = 3 * 0.044715
	geluFar       = 1e10
	geluScale     = 1.5957691216057308 // 2·√(2/π)
)

func geluGeneric(dst, x []float32)     { mapGeneric(dst, x, gelu32) }
func geluTanhGeneric(dst, x []float32) { mapGeneric(dst, x, geluTanh32) }
func siluGeneric(dst, x []float32) {
	mapGeneric(dst, x, func(x float32) float32 { return x * sigmoid32(x) })
}

func slopeGeneric(dst, x, dy []float32, slope func(float32) float32) {
	for i := range dst {
		dst[i] = dy[i] * slope(x[i])
	}
}

func geluGradGeneric(dst, x, dy []float32)     { slopeGeneric(dst, x, dy, geluSlope32) }
func geluTanhGradGeneric(dst, x, dy []float32) { slopeGeneric(dst, x, dy, geluTanhSlope32) }
func siluGradGeneric(dst, x, dy []float32)     { slopeGeneric(dst, x, dy, siluSlope32) }
