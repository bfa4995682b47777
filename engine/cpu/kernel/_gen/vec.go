package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A vec is eight float32 in a register. The functions below are one
// instruction each, with the operands in reading order. The last operand may
// be in memory.
type vec = VecVirtual

func binary(f func(...Op), a vec, b Op) vec {
	v := YMM()
	f(b, a, v)
	return v
}

func add(a vec, b Op) vec { return binary(VADDPS, a, b) }
func sub(a vec, b Op) vec { return binary(VSUBPS, a, b) }
func mul(a vec, b Op) vec { return binary(VMULPS, a, b) }
func div(a vec, b Op) vec { return binary(VDIVPS, a, b) }
func and(a vec, b Op) vec { return binary(VANDPS, a, b) }
func or(a vec, b Op) vec  { return binary(VORPS, a, b) }
func xor(a vec, b Op) vec { return binary(VXORPS, a, b) }

// larger is a > b ? a : b; smaller is a < b ? a : b. So both are b if either
// is NaN.
func larger(a vec, b Op) vec  { return binary(VMAXPS, a, b) }
func smaller(a vec, b Op) vec { return binary(VMINPS, a, b) }

// maximum and minimum are symmetric: NaN if either is, and −0 < +0.
func maximum(a, b vec) vec {
	return or(and(larger(a, b), larger(b, a)), compare(unordered, a, b))
}

func minimum(a, b vec) vec { return or(smaller(a, b), smaller(b, a)) }

func sqrt(a vec) vec {
	v := YMM()
	VSQRTPS(a, v)
	return v
}

func load(m Mem) vec {
	v := YMM()
	VMOVUPS(m, v)
	return v
}

func zero() vec {
	v := YMM()
	VXORPS(v, v, v)
	return v
}

// Predicates of compare, none of which signals.
const (
	equalTo        = 0x00
	unordered      = 0x03
	notEqualTo     = 0x04 // or NaN
	equalOrNaN     = 0x08
	lessThan       = 0x11
	notGreater     = 0x1a // or NaN
	greaterOrEqual = 0x1d
	greaterThan    = 0x1e
)

func compare(predicate uint8, a vec, b Op) vec {
	v := YMM()
	VCMPPS(U8(predicate), b, a, v)
	return v
}

// blend is mask ? yes : no.
func blend(mask vec, yes Op, no vec) vec {
	v := YMM()
	VBLENDVPS(mask, yes, no, v)
	return v
}

func abs(a vec) vec { return and(a, bits(noSign)) }

// copysign is y, which is positive or has x's sign, with the sign of x.
func copysign(y, x vec) vec { return or(y, and(x, bits(1<<31))) }

// polynomial is c[0]·xⁿ + c[1]·xⁿ⁻¹ + … with a rounding after each operation.
func polynomial(x vec, c ...string) vec {
	p := load(named(c[0]))
	for _, name := range c[1:] {
		p = add(mul(p, x), named(name))
	}
	return p
}
