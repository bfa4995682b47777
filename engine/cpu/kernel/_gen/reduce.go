package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func emitReductions() {
	emitReduce("sum", "sum", float(0), func(acc, x vec) vec { return add(acc, x) })
	emitReduce("sumSquares", "sum", float(0), func(acc, x vec) vec { return add(acc, mul(x, x)) })
	emitReduce("reduceMax", "max", float(minInfinity), func(acc, x vec) vec { return maximum(acc, x) })
	emitSumRows()
}

// emitReduce writes a loop over 16 lanes in two registers, which start as the
// neutral element, and the tree that joins them.
func emitReduce(name, join string, neutral Mem, step func(acc, x vec) vec) {
	TEXT(name+"AVX2", NOSPLIT, "func(x []float32) float32")
	Pragma("noescape")
	Doc(name+"AVX2 is", "", "\tfor i := range x {", "\t\tlane[i%16] = "+join+"(lane[i%16], x[i])", "\t}",
		"\tfor n := 8; n > 0; n /= 2 {", "\t\tlane[:n] = "+join+"(lane[:n], lane[n:2*n])", "\t}")
	x := Load(Param("x").Base(), GP64())
	n := Load(Param("x").Len(), GP64())
	lo, hi := load(neutral), load(neutral)
	move := func(from, to vec) { VMOVAPS(from, to) }

	Label("loop")
	CMPQ(n, U32(16))
	JL(LabelRef("half"))
	move(step(lo, load(Mem{Base: x})), lo)
	move(step(hi, load(Mem{Base: x, Disp: 32})), hi)
	ADDQ(U32(64), x)
	SUBQ(U32(16), n)
	JMP(LabelRef("loop"))

	// Of fewer than 16 elements left, the first 8 are lanes 0 to 7.
	tail := func(acc vec) {
		mask, v := tailMask(n), YMM()
		VMASKMOVPS(Mem{Base: x}, mask, v)
		move(step(acc, blend(mask, v, load(neutral))), acc)
	}
	Label("half")
	CMPQ(n, U32(8))
	JL(LabelRef("low"))
	move(step(lo, load(Mem{Base: x})), lo)
	ADDQ(U32(32), x)
	SUBQ(U32(8), n)
	tail(hi)
	JMP(LabelRef("tree"))
	Label("low")
	tail(lo)

	Label("tree")
	joined := func(a, b vec) vec {
		if join == "max" {
			return maximum(a, b)
		}
		return add(a, b)
	}
	v := joined(lo, hi)
	upper := YMM()
	VEXTRACTF128(U8(1), v, upper.AsX())
	v = joined(v, upper)
	two := YMM()
	VMOVHLPS(v.AsX(), v.AsX(), two.AsX())
	v = joined(v, two)
	one := YMM()
	VMOVSHDUP(v.AsX(), one.AsX())
	v = joined(v, one)
	Store(v.AsX(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func emitSumRows() {
	TEXT("sumRowsAVX2", NOSPLIT, "func(dst, x []float32, rows, stride int)")
	Pragma("noescape")
	Doc("sumRowsAVX2 is", "", "\tfor c := range dst {", "\t\tdst[c] = 0", "\t\tfor r := range rows {",
		"\t\t\tdst[c] += x[r*stride+c]", "\t\t}", "\t}")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	x := Load(Param("x").Base(), GP64())
	stride := Load(Param("stride"), GP64())
	SHLQ(U8(2), stride)
	p, r := GP64(), GP64()

	// columns sums count vectors of columns, or the masked part of one.
	columns := func(name string, count int, mask vec) {
		acc := make([]vec, count)
		for i := range acc {
			acc[i] = zero()
		}
		MOVQ(x, p)
		Load(Param("rows"), r)
		Label(name)
		for i := range acc {
			at := Mem{Base: p, Disp: 32 * i}
			if mask == nil {
				VADDPS(at, acc[i], acc[i])
			} else {
				v := YMM()
				VMASKMOVPS(at, mask, v)
				VADDPS(v, acc[i], acc[i])
			}
		}
		ADDQ(stride, p)
		DECQ(r)
		JNE(LabelRef(name))
		for i := range acc {
			at := Mem{Base: dst, Disp: 32 * i}
			if mask == nil {
				VMOVUPS(acc[i], at)
			} else {
				VMASKMOVPS(acc[i], mask, at)
			}
		}
	}
	block := func(name string, count int, next string) {
		Label(name)
		CMPQ(n, U32(8*count))
		JL(LabelRef(next))
		columns(name+"Rows", count, nil)
		ADDQ(U32(32*count), x)
		ADDQ(U32(32*count), dst)
		SUBQ(U32(8*count), n)
		JMP(LabelRef(name))
	}
	block("wide", 8, "narrow")
	block("narrow", 1, "tail")
	Label("tail")
	TESTQ(n, n)
	JE(LabelRef("done"))
	columns("tailRows", 1, tailMask(n))
	Label("done")
	VZEROUPPER()
	RET()
}
