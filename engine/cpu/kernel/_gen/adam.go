package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The passes of an optimiser over its parameters. momentSquare and momentum are
// those of moments, adam that of the parameters.

const (
	momentSignature = "func(dst, old, x []float32, keep, take, least float32)"
	adamSignature   = "func(dst, p, m, v []float32, rate, root, epsilon float32)"

	// adamPass is the three in one. of has the numbers of kernel.AdamNumbers in
	// their order.
	adamPassSignature = "func(p, m, v, oldP, oldM, oldV, g []float32, of []float32)"
)

func init() {
	signatures = append(signatures, [2]string{"moment", momentSignature}, [2]string{"momentSquare", momentSignature}, [2]string{"adam", adamSignature}, [2]string{"adamPass", adamPassSignature})
}

func emitAdam() {
	emitAdamPass()
	emitMap("moment", momentSignature, []string{"old", "x"}, []string{"keep", "take", "least"},
		"dst[i] = settle(old[i]*keep + x[i]*take, least)", 2, func(x []vec) vec {
			return settled(add(mul(x[0], x[2]), mul(x[1], x[3])), x[4])
		})
	emitMap("momentSquare", momentSignature, []string{"old", "x"}, []string{"keep", "take", "least"},
		"dst[i] = settle(old[i]*keep + x[i]*x[i]*take, least)", 2, func(x []vec) vec {
			return settled(add(mul(x[0], x[2]), mul(mul(x[1], x[1]), x[3])), x[4])
		})
	emitMap("adam", adamSignature, []string{"p", "m", "v"}, []string{"rate", "root", "epsilon"},
		"dst[i] = p[i] - m[i]*rate/(sqrt(v[i])*root+epsilon)", 1, func(x []vec) vec {
			return sub(x[0], div(mul(x[1], x[3]), add(mul(sqrt(x[2]), x[4]), x[5])))
		})
}

// settled is y if |y| ≥ least, else y·0.
func settled(y, least vec) vec {
	return mul(y, and(compare(greaterOrEqual, abs(y), least), float(1)))
}

// emitAdamPass writes the loop whose roots and quotients take so long that the
// rest is for nothing.
func emitAdamPass() {
	text("adamPass", adamPassSignature, "", "\tfor i := range p {",
		"\t\tm[i] = settle(oldM[i]*of[0] + g[i]*of[1], of[2])",
		"\t\tv[i] = settle(oldV[i]*of[3] + g[i]*g[i]*of[4], of[5])",
		"\t\tp[i] = oldP[i] - m[i]*of[6]/(sqrt(v[i])*of[7]+of[8])", "\t}")
	var at [7]Register
	for i, name := range []string{"p", "m", "v", "oldP", "oldM", "oldV", "g"} {
		at[i] = Load(Param(name).Base(), GP64())
	}
	n, of, i := Load(Param("p").Len(), GP64()), Load(Param("of").Base(), GP64()), GP64()
	XORQ(i, i)
	number := func(k int) vec {
		v := register()
		VBROADCASTSS(Mem{Base: of, Disp: 4 * k}, v)
		return v
	}
	var held [9]vec // with AVX2 there are too few registers to hold them
	if to.wide {
		for k := range held {
			held[k] = number(k)
		}
	}
	get := func(k int) vec {
		if to.wide {
			return held[k]
		}
		return number(k)
	}
	vectors := func(mask Op) {
		read := func(k int) vec {
			v := register()
			if from := (Mem{Base: at[k], Index: i, Scale: 4}); mask == nil {
				VMOVUPS(from, v)
			} else {
				loadFirst(from, mask, v)
			}
			return v
		}
		write := func(v vec, k int) {
			if into := (Mem{Base: at[k], Index: i, Scale: 4}); mask == nil {
				VMOVUPS(v, into)
			} else {
				storeFirst(v, mask, into)
			}
		}
		g := read(6)
		m := settled(add(mul(read(4), get(0)), mul(g, get(1))), get(2))
		write(m, 1)
		v := settled(add(mul(read(5), get(3)), mul(mul(g, g), get(4))), get(5))
		write(v, 2)
		step := div(mul(m, get(6)), add(mul(sqrt(v), get(7)), get(8)))
		write(sub(read(3), step), 0)
	}
	Label("loop")
	CMPQ(n, U32(to.lanes))
	JL(LabelRef("tail"))
	vectors(nil)
	ADDQ(U32(to.lanes), i)
	SUBQ(U32(to.lanes), n)
	JMP(LabelRef("loop"))
	Label("tail")
	TESTQ(n, n)
	JE(LabelRef("done"))
	vectors(firstOf(n))
	Label("done")
	VZEROUPPER()
	RET()
}
