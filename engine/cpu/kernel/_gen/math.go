package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The functions of this file are those of math_generic.go, operation by
// operation.

func exp32(x vec) vec {
	x = smaller(load(named("expHigh")), x)
	x = larger(load(named("expLow")), x)
	t := add(mul(x, named("log2e")), named("roundMagic"))
	n := subInt(t, named32("roundMagicBits"))
	k := sub(t, named("roundMagic"))
	r := sub(x, mul(k, named("ln2Hi")))
	r = sub(r, mul(k, named("ln2Lo")))
	p := polynomial(r, "exp0", "exp1", "exp2", "exp3", "exp4", "exp5")
	p = add(add(mul(p, mul(r, r)), r), float(1))
	half := right(1, n)
	return mul(mul(p, pow2(half)), pow2(subInt(n, half)))
}

// pow2 is 2ⁿ for the whole numbers n.
func pow2(n vec) vec { return left(23, addInt(n, bits(127))) }

func logCore(k, f, c vec) vec {
	s := div(f, add(f, float(2)))
	z := mul(s, s)
	w := mul(z, z)
	t1 := mul(w, add(mul(w, named("lg4")), named("lg2")))
	t2 := mul(z, add(mul(w, named("lg3")), named("lg1")))
	r := add(t2, t1)
	h := mul(mul(f, f), float(0.5))
	y := add(mul(s, add(h, r)), add(mul(k, named("logLn2Lo")), c))
	return add(add(sub(y, h), f), mul(k, named("logLn2Hi")))
}

func split(x vec) (k, m vec) {
	n := right(23, subInt(x, named32("sqrtHalfBits")))
	k = register()
	VCVTDQ2PS(n, k)
	return k, subInt(x, left(23, n))
}

func log32(x vec) vec {
	tiny := compare(lessThan, x, named("minNormal"))
	k, m := split(blend(tiny, mul(x, float(0x1p23)), x))
	k = add(k, and(tiny, float(-23)))
	y := logCore(k, sub(m, float(1)), zero())
	y = blend(compare(notGreater, x, zero()), float(float32(math.NaN())), y)
	y = blend(compare(equalTo, x, zero()), float(minInfinity), y)
	return blend(compare(equalTo, x, float(infinity)), x, y)
}

func log1p32(x vec) vec {
	u := add(x, float(1))
	c := sub(x, sub(u, float(1)))
	c = blend(compare(greaterThan, x, float(1)), sub(load(float(1)), sub(u, x)), c)
	y := log1pCore(u, c)
	y = blend(compare(notGreater, x, float(-1)), float(float32(math.NaN())), y)
	y = blend(compare(equalTo, x, float(-1)), float(minInfinity), y)
	same := or(compare(equalTo, x, zero()), compare(equalTo, x, float(infinity)))
	return blend(same, x, y)
}

func log1pCore(u, c vec) vec {
	k, m := split(u)
	return logCore(k, sub(m, float(1)), div(c, u))
}

func tanh32(x vec) vec {
	a := abs(x)
	z := mul(x, x)
	p := polynomial(z, "tanh0", "tanh1", "tanh2", "tanh3", "tanh4")
	near := add(mul(mul(p, z), x), x)
	y := sub(load(float(1)), div(load(float(2)), add(exp32(add(a, a)), float(1))))
	return copysign(blend(compare(lessThan, a, named("tanhSmall")), near, y), x)
}

func sigmoid32(x vec) vec {
	z := exp32(or(x, bits(1<<31)))
	n := blend(compare(greaterOrEqual, x, zero()), float(1), z)
	return div(n, add(z, float(1)))
}

func erf32(x vec) vec {
	a := smaller(load(named("erfHigh")), abs(x))
	z := mul(a, a)
	p := polynomial(z, "erf0", "erf1", "erf2", "erf3", "erf4", "erf5")
	near := add(mul(p, x), x)
	q := polynomial(a, "erfc0", "erfc1", "erfc2", "erfc3", "erfc4", "erfc5", "erfc6")
	q = sub(mul(q, a), a)
	far := copysign(sub(load(float(1)), exp32(q)), x)
	return blend(compare(lessThan, a, named("erfSmall")), near, far)
}

// trig is cos32 or sin32. The rest of x after the division by π/2 is found
// in float64, half a vector at a time.
func trig(x vec, cosine bool) vec {
	x = blend(compare(greaterThan, abs(x), named("trigHigh")), mul(x, zero()), x)
	n, r := register(), register()
	if to.wide {
		upper := YMM()
		VEXTRACTF32X8(U8(1), x, upper)
		nLow, rLow := rest(x.AsY())
		nHigh, rHigh := rest(upper)
		VINSERTI32X8(U8(1), nHigh, nLow.AsZ(), n)
		VINSERTF32X8(U8(1), rHigh, rLow.AsZ(), r)
	} else {
		upper := XMM()
		VEXTRACTF128(U8(1), x, upper)
		nLow, rLow := rest(x.AsX())
		nHigh, rHigh := rest(upper)
		VINSERTI128(U8(1), nHigh, nLow.AsY(), n)
		VINSERTF128(U8(1), rHigh, rLow.AsY(), r)
	}
	if cosine {
		n = addInt(n, bits(1))
	}
	z := mul(r, r)
	p := mul(polynomial(z, "sin0", "sin1", "sin2"), z)
	s := copysign(add(mul(p, r), r), r)
	q := mul(mul(polynomial(z, "cos0", "cos1", "cos2"), z), z)
	c := add(sub(q, mul(z, float(0.5))), float(1))
	odd := right(31, left(31, n))
	negative := left(30, and(n, bits(2)))
	return xor(blend(odd, c, s), negative)
}

// rest returns the whole numbers n next to x·2/π, for half a vector of x, and
// x − n·π/2.
func rest(x Register) (n, r vec) {
	d, t, k := register(), register(), register()
	VCVTPS2PD(x, d)
	instruction{VMULPD, VMULPD_BCST}.of(named64("twoOverPi"), d, t)
	if to.wide {
		n, r = YMM(), YMM()
		VCVTPD2DQ(t, n)
	} else {
		n, r = XMM(), XMM()
		VCVTPD2DQY(t, n)
	}
	VCVTDQ2PD(n, k)
	instruction{VMULPD, VMULPD_BCST}.of(named64("halfPiHi"), k, t)
	VSUBPD(t, d, d)
	instruction{VMULPD, VMULPD_BCST}.of(named64("halfPiLo"), k, t)
	VSUBPD(t, d, d)
	if to.wide {
		VCVTPD2PS(d, r)
	} else {
		VCVTPD2PSY(d, r)
	}
	return n, r
}

// softplus32 knows that e^−|x| is at most 1.
func softplus32(x vec) vec {
	z := exp32(or(x, bits(1<<31)))
	u := add(z, float(1))
	y := log1pCore(u, sub(z, sub(u, float(1))))
	return add(y, and(x, compare(greaterThan, x, zero())))
}

func gelu32(x vec) vec {
	return mul(mul(x, float(0.5)), add(erf32(mul(x, named("rootHalf"))), float(1)))
}

func geluSlope32(x vec) vec {
	share := mul(add(erf32(mul(x, named("rootHalf"))), float(1)), float(0.5))
	density := mul(exp32(mul(mul(x, x), float(-0.5))), named("normalDensity"))
	return add(share, mul(x, density))
}

func geluInner(x vec) vec {
	return mul(mul(x, add(mul(mul(x, x), named("geluCubic")), float(1))), named("geluScale"))
}

func geluTanh32(x vec) vec { return mul(x, sigmoid32(geluInner(x))) }

func geluTanhSlope32(x vec) vec {
	s := sigmoid32(geluInner(x))
	square := smaller(load(named("geluFar")), mul(x, x))
	slope := mul(add(mul(square, named("geluCubic3")), float(1)), named("geluScale"))
	return add(s, mul(mul(x, mul(s, sub(load(float(1)), s))), slope))
}

func siluSlope32(x vec) vec {
	s := sigmoid32(x)
	return add(s, mul(x, mul(s, sub(load(float(1)), s))))
}
