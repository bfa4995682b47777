package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	packSignature = "func(dst, x []float32, row, apart, k int)"
	dotsSignature = "func(c, a, b []float32, n, k, colA, rowB int, accumulate bool)"
)

// A turner reads as many rows as a vector has numbers and gives their columns,
// four or more at a time.
type turner struct {
	fours     []Register // every fourth row
	row, row3 Register   // distances
	lanes     []Op       // AVX-512: masks of the second to the fourth quarter of a vector
}

// newTurner is for rows that lie a distance apart.
func newTurner(row Register) *turner {
	t := &turner{row: row, row3: GP64()}
	LEAQ(Mem{Base: row, Index: row, Scale: 2}, t.row3)
	for range to.lanes / 4 {
		t.fours = append(t.fours, GP64())
	}
	if to.wide {
		word := GP32()
		for i := range 3 {
			k := K()
			MOVL(U32(0xf0<<(4*i)), word)
			KMOVW(word, k)
			t.lanes = append(t.lanes, k)
		}
	}
	return t
}

// another is one for the rows that follow.
func (t *turner) another() *turner {
	u := *t
	u.fours = nil
	for range t.fours {
		u.fours = append(u.fours, GP64())
	}
	return &u
}

// start points to the first row, and returns where the row after the last is.
func (t *turner) start(at Register) Mem {
	MOVQ(at, t.fours[0])
	for i, p := range t.fours[1:] {
		LEAQ(Mem{Base: t.fours[i], Index: t.row, Scale: 4}, p)
	}
	return Mem{Base: t.fours[len(t.fours)-1], Index: t.row, Scale: 4}
}

func (t *turner) step(bytes int) {
	for _, p := range t.fours {
		ADDQ(U32(bytes), p)
	}
}

// columns returns 4·quads columns. Rows i, i+4, … share a register, so that
// nothing has to cross between its quarters later. A line of the cache is read
// at once: sixteen may compete for the same place there.
func (t *turner) columns(quads int) []vec {
	r := make([][4]vec, quads)
	for i := range 4 {
		for f, p := range t.fours {
			for q := range quads {
				at := []Mem{{Base: p}, {Base: p, Index: t.row, Scale: 1}, {Base: p, Index: t.row, Scale: 2}, {Base: p, Index: t.row3, Scale: 1}}[i]
				at.Disp = 16 * q
				switch {
				case f == 0:
					r[q][i] = register()
					if to.wide {
						VBROADCASTF32X4(at, r[q][i]) // the other quarters are replaced next
					} else {
						VBROADCASTF128(at, r[q][i])
					}
				case to.wide:
					VBROADCASTF32X4(at, t.lanes[f-1], r[q][i])
				default:
					VINSERTF128(U8(1), at, r[q][i], r[q][i])
				}
			}
		}
	}
	var columns []vec
	for _, r := range r {
		a, b := unpackLow(r[0], r[1]), unpackHigh(r[0], r[1])
		c, d := unpackLow(r[2], r[3]), unpackHigh(r[2], r[3])
		columns = append(columns, shuffle(0x44, a, c), shuffle(0xee, a, c), shuffle(0x44, b, d), shuffle(0xee, b, d))
	}
	return columns
}

// quads is how many columns, by four, are turned at once.
func (t *target) quads() int {
	if t.wide {
		return 4
	}
	return 2
}

// emitPack writes the transposition of 16 rows: of a vector's
// rows for all k, then of the next.
func emitPack() {
	text("packTransposed", packSignature, "for k a multiple of 4",
		"\tfor l := range k {", "\t\tfor j := range 16 {", "\t\t\tdst[l*apart+j] = x[j*row+l]", "\t\t}", "\t}")
	row, apart := bytes("row"), bytes("apart")
	x, dst, k := Load(Param("x").Base(), GP64()), GP64(), GP64()
	t := newTurner(row)
	for part := range 16 / to.lanes {
		label := func(s string) string { return s + string(rune('0'+part)) }
		next := t.start(x)
		LEAQ(next, x)
		Load(Param("dst").Base(), dst)
		if part > 0 {
			ADDQ(U32(part*to.size), dst)
		}
		Load(Param("k"), k)
		turn := func(name string, quads int, next string) {
			Label(label(name))
			CMPQ(k, U32(4*quads))
			JL(LabelRef(label(next)))
			for _, v := range t.columns(quads) {
				VMOVUPS(v, Mem{Base: dst})
				ADDQ(apart, dst)
			}
			t.step(16 * quads)
			SUBQ(U32(4*quads), k)
			JMP(LabelRef(label(name)))
		}
		turn("wide", to.quads(), "narrow")
		turn("narrow", 1, "done")
		Label(label("done"))
	}
	VZEROUPPER()
	RET()
}

// emitDots writes the product of one row of A and two vectors of rows of a
// transposed B at a time: their columns are turned into registers.
func emitDots() {
	columns := 2 * to.lanes
	text("gemmDots", dotsSignature, fmt.Sprintf("for n a multiple of %d and k a multiple of 4", columns),
		"\tfor j := range n {", "\t\tsum := c[j] if accumulate else 0",
		"\t\tfor l := range k {", "\t\t\tsum = fma(a[l*colA], b[j*rowB+l], sum)", "\t\t}",
		"\t\tc[j] = sum", "\t}")
	colA, row := bytes("colA"), bytes("rowB")
	a := GP64()
	turners := []*turner{newTurner(row)}
	turners = append(turners, turners[0].another())
	acc := []vec{register(), register()}

	Label("block")
	CMPQ(argument("n"), U32(columns))
	JL(LabelRef("done"))
	for i := range acc {
		VXORPS(acc[i], acc[i], acc[i])
	}
	CMPB(argument("accumulate"), U8(0))
	JE(LabelRef("start"))
	c := Load(Param("c").Base(), GP64())
	for i := range acc {
		VMOVUPS(Mem{Base: c, Disp: to.size * i}, acc[i])
	}
	Label("start")
	b := Load(Param("b").Base(), GP64())
	for _, t := range turners {
		next := t.start(b)
		LEAQ(next, b)
	}
	MOVQ(b, argument("b"))
	MOVQ(argument("a"), a)
	left := Load(Param("k"), GP64())
	turn := func(name string, quads int, next string) {
		Label(name)
		CMPQ(left, U32(4*quads))
		JL(LabelRef(next))
		x := GP64()
		for i, t := range turners {
			MOVQ(a, x)
			for _, v := range t.columns(quads) {
				if to.wide {
					VFMADD231PS_BCST(Mem{Base: x}, v, acc[i])
				} else {
					y := register()
					VBROADCASTSS(Mem{Base: x}, y)
					VFMADD231PS(y, v, acc[i])
				}
				ADDQ(colA, x)
			}
			t.step(16 * quads)
		}
		MOVQ(x, a)
		SUBQ(U32(4*quads), left)
		JMP(LabelRef(name))
	}
	turn("wide", to.quads(), "narrow")
	turn("narrow", 1, "store")
	Label("store")
	c = Load(Param("c").Base(), GP64())
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: c, Disp: to.size * i})
	}
	ADDQ(U32(4*columns), c)
	MOVQ(c, argument("c"))
	SUBQ(U32(columns), argument("n"))
	JMP(LabelRef("block"))
	Label("done")
	VZEROUPPER()
	RET()
}

func unpackLow(a, b vec) vec  { return binary(instruction{plain: VUNPCKLPS}, a, b) }
func unpackHigh(a, b vec) vec { return binary(instruction{plain: VUNPCKHPS}, a, b) }

// shuffle takes two numbers of a, then two of b, in each quarter.
func shuffle(pattern uint8, a, b vec) vec {
	v := register()
	VSHUFPS(U8(pattern), b, a, v)
	return v
}

const partsSignature = "func(dst, x []float32, rows, parts, n, row, apart, next int)"

// emitParts writes the cutting of rows into parts of up to 16 numbers.
func emitParts() {
	text("packParts", partsSignature, "for rows > 0, parts > 0 and 0 < n <= 16",
		"\tfor r := range rows {", "\t\tfor p := range parts {", "\t\t\tcopy(dst[p*next+r*apart:][:n], x[r*row+p*n:])", "\t\t}", "\t}")
	n := Load(Param("n"), GP64())
	step := bytes("n")
	row, apart, next := bytes("row"), bytes("apart"), bytes("next")
	rows, parts := Load(Param("rows"), GP64()), GP64()
	x, dst := Load(Param("x").Base(), GP64()), Load(Param("dst").Base(), GP64())
	from, at := GP64(), GP64()
	vectors := 16 / to.lanes
	loop := func(name string, masks []Op) {
		Label(name)
		MOVQ(x, from)
		MOVQ(dst, at)
		Load(Param("parts"), parts)
		Label(name + "Part")
		v := make([]vec, vectors)
		for i := range v {
			v[i] = register()
			m := Mem{Base: from, Disp: to.size * i}
			if masks == nil {
				VMOVUPS(m, v[i])
			} else {
				loadFirst(m, masks[i], v[i])
			}
		}
		for i := range v {
			m := Mem{Base: at, Disp: to.size * i}
			if masks == nil {
				VMOVUPS(v[i], m)
			} else {
				storeFirst(v[i], masks[i], m)
			}
		}
		ADDQ(step, from)
		ADDQ(next, at)
		DECQ(parts)
		JNE(LabelRef(name + "Part"))
		ADDQ(row, x)
		ADDQ(apart, dst)
		DECQ(rows)
		JNE(LabelRef(name))
		VZEROUPPER()
		RET()
	}
	CMPQ(n, U32(16))
	JL(LabelRef("masked"))
	loop("full", nil)
	Label("masked")
	if to.wide {
		loop("some", []Op{firstOf(n)})
		return
	}
	low := GP64()
	MOVQ(U32(8), low)
	CMPQ(n, low)
	CMOVQLT(n, low) // min(n, 8)
	SUBQ(low, n)
	loop("some", []Op{firstOf(low), firstOf(n)})
}
