package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const panelSignature = "func(c, a, b []float32, m, n, k, rowC, rowA, colA, rowB int, accumulate bool)"

func emitGemm() {
	emitPanel("gemmPanel", false)
	emitPanel("gemmTail", true)
	emitRow()
}

const rowSignature = "func(c, a, b []float32, n, k, colA, rowB, nextB int, accumulate bool)"

// emitRow writes the product of one row of A and 64 columns of B at a time:
// with fewer sums in flight each would wait for its last addition.
func emitRow() {
	TEXT("gemmRowAVX2", NOSPLIT, rowSignature)
	Pragma("noescape")
	Doc("gemmRowAVX2 is, for n a multiple of 64 and k > 0,", "",
		"\tfor j := range n {", "\t\tsum := c[j] if accumulate else 0",
		"\t\tfor l := range k {", "\t\t\tsum = fma(a[l*colA], b[j/16*nextB+l*rowB+j%16], sum)", "\t\t}",
		"\t\tc[j] = sum", "\t}")
	c := Load(Param("c").Base(), GP64())
	b := Load(Param("b").Base(), GP64())
	n := Load(Param("n"), GP64())
	colA := bytes("colA")
	rowB := bytes("rowB")
	nextB := bytes("nextB")
	a, p, q, k := GP64(), GP64(), GP64(), GP64() // q is two panels on
	var acc [8]vec
	for i := range acc {
		acc[i] = YMM()
	}
	x := YMM()

	Label("block")
	CMPQ(n, U32(64))
	JL(LabelRef("done"))
	CMPB(argument("accumulate"), U8(0))
	JNE(LabelRef("load"))
	for _, v := range acc {
		VXORPS(v, v, v)
	}
	JMP(LabelRef("start"))
	Label("load")
	for i, v := range acc {
		VMOVUPS(Mem{Base: c, Disp: 32 * i}, v)
	}
	Label("start")
	MOVQ(argument("a"), a)
	MOVQ(argument("k"), k)
	MOVQ(b, p)
	LEAQ(Mem{Base: b, Index: nextB, Scale: 2}, q)
	Label("step")
	VBROADCASTSS(Mem{Base: a}, x)
	for i, v := range acc {
		at := Mem{Base: p, Disp: i % 2 * 32}
		if i >= 4 {
			at.Base = q
		}
		if i/2%2 == 1 {
			at.Index, at.Scale = nextB, 1
		}
		VFMADD231PS(at, x, v)
	}
	ADDQ(colA, a)
	ADDQ(rowB, p)
	ADDQ(rowB, q)
	DECQ(k)
	JNE(LabelRef("step"))
	for i, v := range acc {
		VMOVUPS(v, Mem{Base: c, Disp: 32 * i})
	}
	ADDQ(U32(256), c)
	LEAQ(Mem{Base: b, Index: nextB, Scale: 4}, b)
	SUBQ(U32(64), n)
	JMP(LabelRef("block"))
	Label("done")
	VZEROUPPER()
	RET()
}

// bytes loads a distance and turns it from elements into bytes.
func bytes(parameter string) Register {
	r := Load(Param(parameter), GP64())
	SHLQ(U8(2), r)
	return r
}

// argument is where a parameter lies, of a slice its base.
func argument(parameter string) Mem {
	c, err := Param(parameter).Resolve()
	if err != nil {
		c, err = Param(parameter).Base().Resolve()
	}
	if err != nil {
		panic(err)
	}
	return c.Addr
}

// emitPanel writes the product of m rows of A and a panel of B of 16 columns,
// or with mask of n < 16. Tiles of up to 6 rows keep their sums in 12
// registers while k runs; numbers of A are broadcast from where they are.
func emitPanel(name string, masked bool) {
	TEXT(name+"AVX2", NOSPLIT, panelSignature)
	Pragma("noescape")
	columns := "n = 16"
	if masked {
		columns = "0 < n < 16"
	}
	Doc(name+"AVX2 is, for "+columns+", m > 0 and k > 0,", "",
		"\tfor i := range m {", "\t\tfor j := range n {",
		"\t\t\tsum := c[i*rowC+j] if accumulate else 0",
		"\t\t\tfor l := range k {", "\t\t\t\tsum = fma(a[i*rowA+l*colA], b[l*rowB+j], sum)", "\t\t\t}",
		"\t\t\tc[i*rowC+j] = sum", "\t\t}", "\t}")
	c := Load(Param("c").Base(), GP64())
	a := Load(Param("a").Base(), GP64())
	m := Load(Param("m"), GP64())
	rowC, rowA, colA, rowB := bytes("rowC"), bytes("rowA"), bytes("colA"), bytes("rowB")
	b, k := GP64(), GP64()
	top, bottom := GP64(), GP64() // the first and the fourth row of a tile

	// Masked, the mask is read from memory each time: 16 registers are few.
	var mask [2]Mem
	if masked {
		table, n, second := GP64(), Load(Param("n"), GP64()), GP64()
		LEAQ(masks(), table)
		first := GP64()
		MOVQ(U32(8), first)
		CMPQ(n, first)
		CMOVQLT(n, first) // min(n, 8)
		SUBQ(first, n)
		NEGQ(first)
		NEGQ(n)
		LEAQ(Mem{Base: table, Index: first, Scale: 4, Disp: 32}, first)
		LEAQ(Mem{Base: table, Index: n, Scale: 4, Disp: 32}, second)
		mask = [2]Mem{{Base: first}, {Base: second}}
	}
	loadHalf := func(at Mem, i int, v vec) {
		at.Disp += 32 * i
		if masked {
			VMOVUPS(mask[i], v)
			VMASKMOVPS(at, v, v)
		} else {
			VMOVUPS(at, v)
		}
	}

	// tile computes rows rows.
	tile := func(rows int) {
		label := func(s string) string { return fmt.Sprintf("%s%d", s, rows) }
		row := func(base, stride Register, i int) Mem {
			switch i % 3 {
			case 1:
				return Mem{Base: base, Index: stride, Scale: 1}
			case 2:
				return Mem{Base: base, Index: stride, Scale: 2}
			}
			return Mem{Base: base}
		}
		threeDown := func(from, stride, to Register) {
			LEAQ(Mem{Base: from, Index: stride, Scale: 2}, to)
			ADDQ(stride, to)
		}
		half := func(i int) Register {
			if i < 3 {
				return top
			}
			return bottom
		}
		acc := make([][2]vec, rows)
		for i := range acc {
			acc[i] = [2]vec{YMM(), YMM()}
		}

		CMPB(argument("accumulate"), U8(0))
		JNE(LabelRef(label("load")))
		for i := range acc {
			VXORPS(acc[i][0], acc[i][0], acc[i][0])
			VXORPS(acc[i][1], acc[i][1], acc[i][1])
		}
		JMP(LabelRef(label("start")))
		Label(label("load"))
		MOVQ(c, top)
		if rows > 3 {
			threeDown(c, rowC, bottom)
		}
		for i := range acc {
			loadHalf(row(half(i), rowC, i), 0, acc[i][0])
			loadHalf(row(half(i), rowC, i), 1, acc[i][1])
		}

		Label(label("start"))
		MOVQ(a, top)
		if rows > 3 {
			threeDown(a, rowA, bottom)
		}
		MOVQ(argument("b"), b)
		MOVQ(argument("k"), k)
		Label(label("step"))
		b0, b1, x := YMM(), YMM(), YMM()
		loadHalf(Mem{Base: b}, 0, b0)
		loadHalf(Mem{Base: b}, 1, b1)
		for i := range acc {
			VBROADCASTSS(row(half(i), rowA, i), x)
			VFMADD231PS(b0, x, acc[i][0])
			VFMADD231PS(b1, x, acc[i][1])
		}
		ADDQ(colA, top)
		if rows > 3 {
			ADDQ(colA, bottom)
		}
		ADDQ(rowB, b)
		DECQ(k)
		JNE(LabelRef(label("step")))

		MOVQ(c, top)
		if rows > 3 {
			threeDown(c, rowC, bottom)
		}
		for i := range acc {
			at := row(half(i), rowC, i)
			for h := range 2 {
				if masked {
					VMOVUPS(mask[h], x)
					VMASKMOVPS(acc[i][h], x, at)
				} else {
					VMOVUPS(acc[i][h], at)
				}
				at.Disp += 32
			}
		}
	}

	Label("tiles")
	CMPQ(m, U32(6))
	JL(LabelRef("rest"))
	tile(6)
	for range 3 {
		LEAQ(Mem{Base: c, Index: rowC, Scale: 2}, c)
		LEAQ(Mem{Base: a, Index: rowA, Scale: 2}, a)
	}
	SUBQ(U32(6), m)
	JMP(LabelRef("tiles"))
	Label("rest")
	for rows := 1; rows < 6; rows++ {
		CMPQ(m, U32(rows))
		JE(LabelRef(fmt.Sprintf("rows%d", rows)))
	}
	JMP(LabelRef("done"))
	for rows := 1; rows < 6; rows++ {
		Label(fmt.Sprintf("rows%d", rows))
		tile(rows)
		JMP(LabelRef("done"))
	}
	Label("done")
	VZEROUPPER()
	RET()
}
