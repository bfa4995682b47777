package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A target is a set of instructions to write kernels for.
type target struct {
	name  string
	wide  bool // AVX-512 (F, DQ, BW and VL), else AVX2 and FMA
	lanes int  // float32 in a vector
	size  int  // its bytes
}

var targets = map[string]*target{
	"AVX2":   {name: "AVX2", lanes: 8, size: 32},
	"AVX512": {name: "AVX512", wide: true, lanes: 16, size: 64},
}

// to is what is being written for.
var to *target

// A vec is a vector of float32 in a register. The functions below are one
// instruction each, with the operands in reading order. The last operand may
// be in memory; a constant there is one number, which AVX-512 broadcasts, or
// as many as a vector of AVX2 has.
type vec = VecVirtual

func register() vec {
	if to.wide {
		return ZMM()
	}
	return YMM()
}

// isConstant reports whether b is a constant of constants.go.
func isConstant(b Op) bool {
	m, ok := b.(Mem)
	return ok && m.Symbol.Name != ""
}

type instruction struct{ plain, broadcast func(...Op) }

func (f instruction) of(operands ...Op) {
	if to.wide && isConstant(operands[0]) {
		f.broadcast(operands...)
	} else {
		f.plain(operands...)
	}
}

func binary(f instruction, a vec, b Op) vec {
	v := register()
	spread(a)
	spread(b)
	f.of(b, a, v)
	return v
}

func add(a vec, b Op) vec { return binary(instruction{VADDPS, VADDPS_BCST}, a, b) }
func sub(a vec, b Op) vec { return binary(instruction{VSUBPS, VSUBPS_BCST}, a, b) }
func mul(a vec, b Op) vec { return binary(instruction{VMULPS, VMULPS_BCST}, a, b) }
func div(a vec, b Op) vec { return binary(instruction{VDIVPS, VDIVPS_BCST}, a, b) }
func and(a vec, b Op) vec { return binary(instruction{VANDPS, VANDPS_BCST}, a, b) }
func or(a vec, b Op) vec  { return binary(instruction{VORPS, VORPS_BCST}, a, b) }
func xor(a vec, b Op) vec { return binary(instruction{VXORPS, VXORPS_BCST}, a, b) }

// larger is a > b ? a : b; smaller is a < b ? a : b. So both are b if either
// is NaN.
func larger(a vec, b Op) vec  { return binary(instruction{VMAXPS, VMAXPS_BCST}, a, b) }
func smaller(a vec, b Op) vec { return binary(instruction{VMINPS, VMINPS_BCST}, a, b) }

// addInt and subInt are of whole numbers.
func addInt(a vec, b Op) vec {
	if to.wide {
		return binary(instruction{VPADDD, VPADDD_BCST}, a, b)
	}
	return binary(instruction{plain: VPADDD}, a, b)
}

func subInt(a vec, b Op) vec {
	if to.wide {
		return binary(instruction{VPSUBD, VPSUBD_BCST}, a, b)
	}
	return binary(instruction{plain: VPSUBD}, a, b)
}

// left and right shift whole numbers, right with the sign.
func left(n uint8, a vec) vec {
	v := register()
	VPSLLD(U8(n), a, v)
	return v
}

func right(n uint8, a vec) vec {
	v := register()
	VPSRAD(U8(n), a, v)
	return v
}

// maximum and minimum are symmetric: NaN if either is, and −0 < +0.
func maximum(a, b vec) vec {
	return or(and(larger(a, b), larger(b, a)), compare(unordered, a, b))
}

func minimum(a, b vec) vec { return or(smaller(a, b), smaller(b, a)) }

func sqrt(a vec) vec {
	v := register()
	VSQRTPS(a, v)
	return v
}

func load(m Mem) vec {
	v := register()
	if to.wide && isConstant(m) {
		VBROADCASTSS(m, v)
	} else {
		VMOVUPS(m, v)
	}
	return v
}

func zero() vec {
	v := register()
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

// bitsOf holds results of compare of which AVX-512 has one bit an element so
// far, in a register of its own. blend takes them as they are.
var bitsOf = map[Op]Register{}

// spread gives such a result all bits, where it is used as a vector.
func spread(v Op) {
	if k, ok := bitsOf[v]; ok {
		VPMOVM2D(k, v)
		delete(bitsOf, v)
	}
}

// compare gives all bits where the predicate holds, none elsewhere.
func compare(predicate uint8, a vec, b Op) vec {
	v := register()
	if !to.wide {
		VCMPPS(U8(predicate), b, a, v)
		return v
	}
	k := K()
	if isConstant(b) {
		VCMPPS_BCST(U8(predicate), b, a, k)
	} else {
		VCMPPS(U8(predicate), b, a, k)
	}
	bitsOf[v] = k
	return v
}

// blend is mask ? yes : no, for a mask of all bits or none.
func blend(mask vec, yes Op, no vec) vec {
	v := register()
	if !to.wide {
		VBLENDVPS(mask, yes, no, v)
		return v
	}
	if k, ok := bitsOf[mask]; ok {
		if isConstant(yes) {
			VBLENDMPS_BCST(yes, no, k, v)
		} else {
			VBLENDMPS(yes, no, k, v)
		}
		return v
	}
	VMOVAPS(mask, v)
	instruction{VPTERNLOGD, VPTERNLOGD_BCST}.ofImmediate(0xac, yes, no, v) // v ? yes : no
	return v
}

func (f instruction) ofImmediate(i uint8, operands ...Op) {
	g := f.plain
	if isConstant(operands[0]) {
		g = f.broadcast
	}
	g(append([]Op{U8(i)}, operands...)...)
}

// firstOf is the mask of the first n of a vector's elements, for n up to
// their number. It destroys n. With AVX2 it is a vector.
func firstOf(n Register) Op {
	if to.wide {
		ones, mask := GP32(), K()
		MOVL(I32(-1), ones)
		BZHIL(n.(GPVirtual).As32(), ones, ones)
		KMOVW(ones, mask)
		return mask
	}
	table, mask := GP64(), YMM()
	LEAQ(masks(), table)
	NEGQ(n)
	VMOVUPS(Mem{Base: table, Index: n, Scale: 4, Disp: 32}, mask)
	return mask
}

// loadFirst and storeFirst move the elements that a mask of firstOf selects;
// loadFirst gives 0 for the others.
func loadFirst(at Mem, mask Op, v vec) {
	if to.wide {
		VMOVUPS_Z(at, mask, v)
	} else {
		VMASKMOVPS(at, mask, v)
	}
}

func storeFirst(v vec, mask Op, at Mem) {
	if to.wide {
		VMOVUPS(v, mask, at)
	} else {
		VMASKMOVPS(v, mask, at)
	}
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
