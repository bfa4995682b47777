package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

const uniformSignature = "func(dst []float32, key0, key1, block, stream, step uint32)"

// emitUniform writes Philox: a lane of a vector is a block, a vector one of the
// four words of each.
func emitUniform() {
	text("uniform", uniformSignature, "for len(dst) a multiple of 64",
		"\tfor i := range len(dst) / 4 {", "\t\tw := philox(block+i, 0, stream, step, key0, key1)",
		"\t\tdst[4*i:][:4] = unit(w[0]), unit(w[1]), unit(w[2]), unit(w[3])", "\t}")
	dst, n := Load(Param("dst").Base(), GP64()), Load(Param("dst").Len(), GP64())
	parameter := func(name string) vec {
		v := register()
		VBROADCASTSS(argument(name), v)
		return v
	}
	// The words are turned at the end, four lanes to a block's four words,
	// after which quarter q of vector c has lane 4q+c: it shall be the block
	// that belongs there.
	order := GLOBL("blocks", RODATA|NOPTR)
	for lane := range to.lanes {
		DATA(4*lane, U32(lane%4*(to.lanes/4)+lane/4))
	}
	inOrder := register()
	VMOVUPS(order, inOrder)
	block := addInt(parameter("block"), inOrder)
	var odd, even Op
	if to.wide {
		word := GP32()
		odd, even = K(), K()
		MOVL(U32(0xaaaa), word)
		KMOVW(word, odd)
		MOVL(U32(0x5555), word)
		KMOVW(word, even)
	}

	// product is c times a constant, its upper and lower halves.
	product := func(c vec, m Mem) (high, low vec) {
		factor := load(m)
		other := register()
		VMOVSHDUP(c, other)
		p, q := register(), register() // of even and of odd lanes
		VPMULUDQ(c, factor, p)
		VPMULUDQ(other, factor, q)
		high, low = register(), register()
		if to.wide {
			VMOVAPS(p, low)
			VMOVSLDUP(q, odd, low)
			VMOVAPS(q, high)
			VMOVSHDUP(p, even, high)
			return high, low
		}
		VMOVSLDUP(q, low)
		VPBLENDD(U8(0xaa), low, p, low)
		VMOVSHDUP(p, high)
		VPBLENDD(U8(0xaa), q, high, high)
		return high, low
	}

	Label("loop")
	CMPQ(n, U32(4*to.lanes))
	JL(LabelRef("done"))
	c := [4]vec{block, zero(), parameter("stream"), parameter("step")}
	key := [2]vec{parameter("key0"), parameter("key1")}
	for round := range 10 {
		h0, l0 := product(c[0], bits(0xd2511f53))
		h2, l2 := product(c[2], bits(0xcd9e8d57))
		c = [4]vec{xor(xor(h2, c[1]), key[0]), l2, xor(xor(h0, c[3]), key[1]), l0}
		if round < 9 {
			key[0], key[1] = addInt(key[0], bits(0x9e3779b9)), addInt(key[1], bits(0xbb67ae85))
		}
	}
	for i, w := range c {
		v := register()
		VPSRLD(U8(8), w, v)
		VCVTDQ2PS(v, v)
		c[i] = mul(v, float(0x1p-24))
	}
	a, b := unpackLow(c[0], c[1]), unpackHigh(c[0], c[1])
	d, e := unpackLow(c[2], c[3]), unpackHigh(c[2], c[3])
	for i, v := range []vec{shuffle(0x44, a, d), shuffle(0xee, a, d), shuffle(0x44, b, e), shuffle(0xee, b, e)} {
		VMOVUPS(v, Mem{Base: dst, Disp: to.size * i})
	}
	VMOVAPS(addInt(block, bits(uint32(to.lanes))), block)
	ADDQ(U32(4*to.size), dst)
	SUBQ(U32(4*to.lanes), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
