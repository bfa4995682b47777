package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func emitReductions() {
	emitReduce("sum", "sum", float(0), func(acc, x vec) vec { return add(acc, x) })
	emitReduce("reduceMax", "max", float(minInfinity), func(acc, x vec) vec { return maximum(acc, x) })
	emitSumRows()
}

// emitReduce writes a loop over 16 lanes in one register or two, which start
// as the neutral element, and the tree that joins them.
func emitReduce(name, join string, neutral Mem, step func(acc, x vec) vec) {
	text(name, "func(x []float32) float32", "", "\tfor i := range x {", "\t\tlane[i%16] = "+join+"(lane[i%16], x[i])", "\t}",
		"\tfor n := 8; n > 0; n /= 2 {", "\t\tlane[:n] = "+join+"(lane[:n], lane[n:2*n])", "\t}")
	x := Load(Param("x").Base(), GP64())
	n := Load(Param("x").Len(), GP64())
	move := func(from, to vec) { VMOVAPS(from, to) }
	parts := 16 / to.lanes
	acc := make([]vec, parts)
	for i := range acc {
		acc[i] = load(neutral)
	}

	Label("loop")
	CMPQ(n, U32(16))
	JL(LabelRef("rest"))
	for i, v := range acc {
		move(step(v, load(Mem{Base: x, Disp: to.size * i})), v)
	}
	ADDQ(U32(64), x)
	SUBQ(U32(16), n)
	JMP(LabelRef("loop"))

	// Of fewer than 16 elements left, the first are in the lower lanes.
	tail := func(acc vec) {
		mask := firstOf(n)
		if to.wide { // the other lanes keep what they have
			v := register()
			loadFirst(Mem{Base: x}, mask, v)
			VMOVAPS(step(acc, v), mask, acc)
			return
		}
		v := register()
		VMASKMOVPS(Mem{Base: x}, mask, v)
		move(step(acc, blend(mask.(vec), v, load(neutral))), acc)
	}
	Label("rest")
	if !to.wide {
		CMPQ(n, U32(8))
		JL(LabelRef("low"))
		move(step(acc[0], load(Mem{Base: x})), acc[0])
		ADDQ(U32(32), x)
		SUBQ(U32(8), n)
		tail(acc[1])
		JMP(LabelRef("tree"))
		Label("low")
	}
	tail(acc[0])

	Label("tree")
	Store(tree(acc, func(a, b vec) vec {
		if join == "max" {
			return maximum(a, b)
		}
		return add(a, b)
	}).AsX(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// tree joins 16 lanes in halves and returns a vector with the result in its
// first element.
func tree(acc []vec, joined func(a, b vec) vec) vec {
	var v, half vec
	if to.wide {
		v, half = acc[0], YMM()
		VEXTRACTF32X8(U8(1), v, half)
		v = v.AsY().(vec)
	} else {
		v, half = acc[0], acc[1]
	}
	narrow(func() {
		v = joined(v, half)
		quarter := YMM()
		VEXTRACTF128(U8(1), v, quarter.AsX())
		v = joined(v, quarter)
		two := YMM()
		VMOVHLPS(v.AsX(), v.AsX(), two.AsX())
		v = joined(v, two)
		one := YMM()
		VMOVSHDUP(v.AsX(), one.AsX())
		v = joined(v, one)
	})
	return v
}

// narrow writes with vectors of eight, which AVX-512 machines have too.
func narrow(f func()) {
	before := to
	to = &target{name: to.name, lanes: 8, size: 32}
	f()
	to = before
}

const sumRowsSignature = "func(dst, x []float32, rows, stride int, accumulate bool)"

func emitSumRows() {
	text("sumRows", sumRowsSignature, "for rows > 0", "\tfor c := range dst {", "\t\tsum := dst[c] if accumulate else 0", "\t\tfor r := range rows {",
		"\t\t\tsum += x[r*stride+c]", "\t\t}", "\t\tdst[c] = sum", "\t}")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	x := Load(Param("x").Base(), GP64())
	stride := Load(Param("stride"), GP64())
	SHLQ(U8(2), stride)
	p, r := GP64(), GP64()

	// columns sums count vectors of columns, or the masked part of one.
	columns := func(name string, count int, mask Op) {
		acc := make([]vec, count)
		for i := range acc {
			acc[i] = zero()
		}
		CMPB(argument("accumulate"), U8(0))
		JE(LabelRef(name + "Start"))
		for i := range acc {
			at := Mem{Base: dst, Disp: to.size * i}
			if mask == nil {
				VMOVUPS(at, acc[i])
			} else {
				loadFirst(at, mask, acc[i])
			}
		}
		Label(name + "Start")
		MOVQ(x, p)
		Load(Param("rows"), r)
		Label(name)
		if count > 1 { // rows lie far apart: the processor does not see the next one coming
			for i := 0; i < count*to.size; i += 64 {
				PREFETCHT0(Mem{Base: p, Index: stride, Scale: 8, Disp: i})
			}
		}
		for i := range acc {
			at := Mem{Base: p, Disp: to.size * i}
			if mask == nil {
				VADDPS(at, acc[i], acc[i])
			} else {
				v := register()
				loadFirst(at, mask, v)
				VADDPS(v, acc[i], acc[i])
			}
		}
		ADDQ(stride, p)
		DECQ(r)
		JNE(LabelRef(name))
		for i := range acc {
			at := Mem{Base: dst, Disp: to.size * i}
			if mask == nil {
				VMOVUPS(acc[i], at)
			} else {
				storeFirst(acc[i], mask, at)
			}
		}
	}
	block := func(name string, count int, next string) {
		Label(name)
		CMPQ(n, U32(to.lanes*count))
		JL(LabelRef(next))
		columns(name+"Rows", count, nil)
		ADDQ(U32(to.size*count), x)
		ADDQ(U32(to.size*count), dst)
		SUBQ(U32(to.lanes*count), n)
		JMP(LabelRef(name))
	}
	block("wide", 8, "narrow")
	block("narrow", 1, "tail")
	Label("tail")
	TESTQ(n, n)
	JE(LabelRef("done"))
	columns("tailRows", 1, firstOf(n))
	Label("done")
	VZEROUPPER()
	RET()
}
