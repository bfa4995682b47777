package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

const (
	sumAtSignature       = "func(dst, x []float32, at []int32, stride int, accumulate bool)"
	fetchRowsSignature   = "func(x []float32, at []int32, stride, n int)"
	sumAtScaledSignature = "func(dst, x []float32, at []int32, scale []float32, stride int, accumulate bool)"
)

func init() {
	signatures = append(signatures, [2]string{"sumAt", sumAtSignature}, [2]string{"sumAtScaled", sumAtScaledSignature}, [2]string{"fetchRows", fetchRowsSignature})
}

func emitSumAt() {
	emitFetchRows()
	emitSumOfRows("sumAt", sumAtSignature, "x[i*stride+c]", false)
	emitSumOfRows("sumAtScaled", sumAtScaledSignature, "x[i*stride+c] * scale[j]", true)
}

// emitSumOfRows writes the sum of the rows of x whose numbers are in at, each
// times a number of scale or not. The rows lie apart, so the processor fetches as
// many at a time as its queue of instructions reaches.
func emitSumOfRows(name, signature, term string, scaled bool) {
	text(name, signature, "for len(at) > 0", "\tfor c := range dst {", "\t\tsum := dst[c] if accumulate else 0",
		"\t\tfor j, i := range at {", "\t\t\tif i >= 0 {", "\t\t\t\tsum += "+term, "\t\t\t}", "\t\t}", "\t\tdst[c] = sum", "\t}")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	x := Load(Param("x").Base(), GP64())
	stride := bytes("stride")
	at := Load(Param("at").Base(), GP64())
	end := Load(Param("at").Len(), GP64())
	LEAQ(Mem{Base: at, Index: end, Scale: 4}, end)
	p, row, factor := GP64(), GP64(), GP64()

	// columns sums count vectors of columns, or the masked part of one.
	columns := func(name string, count int, mask Op) {
		acc := make([]vec, count)
		for i := range acc {
			acc[i] = zero()
		}
		CMPB(argument("accumulate"), U8(0))
		JE(LabelRef(name + "Start"))
		for i, v := range acc {
			from := Mem{Base: dst, Disp: to.size * i}
			if mask == nil {
				VMOVUPS(from, v)
			} else {
				loadFirst(from, mask, v)
			}
		}
		Label(name + "Start")
		MOVQ(at, p)
		if scaled {
			Load(Param("scale").Base(), factor)
		}
		Label(name)
		MOVLQSX(Mem{Base: p}, row)
		TESTQ(row, row)
		JLT(LabelRef(name + "Next"))
		IMULQ(stride, row)
		var s vec
		if scaled {
			s = register()
			VBROADCASTSS(Mem{Base: factor}, s)
		}
		for i, v := range acc {
			from := Mem{Base: x, Index: row, Scale: 1, Disp: to.size * i}
			if mask == nil && !scaled {
				VADDPS(from, v, v)
				continue
			}
			term := register()
			switch {
			case mask != nil:
				loadFirst(from, mask, term)
				if scaled {
					VMULPS(term, s, term)
				}
			default:
				VMULPS(from, s, term)
			}
			VADDPS(term, v, v)
		}
		Label(name + "Next")
		ADDQ(U8(4), p)
		if scaled {
			ADDQ(U8(4), factor)
		}
		CMPQ(p, end)
		JNE(LabelRef(name))
		for i, v := range acc {
			into := Mem{Base: dst, Disp: to.size * i}
			if mask == nil {
				VMOVUPS(v, into)
			} else {
				storeFirst(v, mask, into)
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
	block("wide", 8, "half")
	block("half", 4, "narrow")
	block("narrow", 1, "tail")
	Label("tail")
	TESTQ(n, n)
	JE(LabelRef("done"))
	columns("tailRows", 1, firstOf(n))
	Label("done")
	VZEROUPPER()
	RET()
}

// emitFetchRows writes the fetching of rows into the first-level cache.
func emitFetchRows() {
	text("fetchRows", fetchRowsSignature, "for len(at) > 0 and n > 0", "\tfor _, i := range at {", "\t\tif i >= 0 {", "\t\t\tfetch(x[i*stride:][:n])", "\t\t}", "\t}")
	x := Load(Param("x").Base(), GP64())
	at := Load(Param("at").Base(), GP64())
	end := Load(Param("at").Len(), GP64())
	stride, n := bytes("stride"), bytes("n")
	LEAQ(Mem{Base: at, Index: end, Scale: 4}, end)
	row, last := GP64(), GP64()
	Label("loop")
	MOVLQSX(Mem{Base: at}, row)
	TESTQ(row, row)
	JLT(LabelRef("next"))
	IMULQ(stride, row)
	ADDQ(x, row)
	LEAQ(Mem{Base: row, Index: n, Scale: 1, Disp: -4}, last)
	Label("line")
	PREFETCHT0(Mem{Base: row})
	ADDQ(U8(64), row)
	CMPQ(row, last)
	JLT(LabelRef("line"))
	PREFETCHT0(Mem{Base: last})
	Label("next")
	ADDQ(U8(4), at)
	CMPQ(at, end)
	JNE(LabelRef("loop"))
	RET()
}
