package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

const packSignature = "func(dst, x []float32, row, k int)"

// emitPack writes the transposition of 16 rows into a panel, 8×8 at a time.
func emitPack() {
	text("packTransposed", packSignature, "for k a multiple of 8",
		"\tfor l := range k {", "\t\tfor j := range 16 {", "\t\t\tdst[16*l+j] = x[j*row+l]", "\t\t}", "\t}")
	row := Load(Param("row"), GP64())
	SHLQ(U8(2), row)
	row3 := GP64()
	LEAQ(Mem{Base: row, Index: row, Scale: 2}, row3)
	x, dst, k, p, q := GP64(), GP64(), GP64(), GP64(), GP64()
	Load(Param("x").Base(), p)
	Load(Param("dst").Base(), dst)

	// Eight rows for all k, then the other eight: the lines of sixteen would
	// not fit the cache where they are a power of two apart.
	for half, next := range []string{"second", "done"} {
		loop := []string{"first", "second"}[half] + "Loop"
		MOVQ(p, x)
		LEAQ(Mem{Base: p, Index: row, Scale: 4}, q)
		Load(Param("k"), k)
		Label(loop)
		CMPQ(k, U32(8))
		JL(LabelRef(next))
		for column := 0; column < 8; column += 4 {
			// Four numbers of rows i and i+4 share a register, so that
			// nothing has to cross between the register's halves later.
			var r [4]vec
			for i := range r {
				at := []Mem{{Base: x}, {Base: x, Index: row, Scale: 1}, {Base: x, Index: row, Scale: 2}, {Base: x, Index: row3, Scale: 1}}[i]
				at.Disp = 4 * column
				r[i] = YMM()
				VBROADCASTF128(at, r[i]) // its upper half is replaced next
				at.Base = q
				VINSERTF128(U8(1), at, r[i], r[i])
			}
			a, b := unpackLow(r[0], r[1]), unpackHigh(r[0], r[1])
			c, d := unpackLow(r[2], r[3]), unpackHigh(r[2], r[3])
			for i, v := range []vec{shuffle(0x44, a, c), shuffle(0xee, a, c), shuffle(0x44, b, d), shuffle(0xee, b, d)} {
				VMOVUPS(v, Mem{Base: dst, Disp: 64 * (column + i)})
			}
		}
		ADDQ(U32(32), x)
		ADDQ(U32(32), q)
		ADDQ(U32(512), dst)
		SUBQ(U32(8), k)
		JMP(LabelRef(loop))
		Label(next)
		if half == 0 {
			LEAQ(Mem{Base: p, Index: row, Scale: 8}, p)
			Load(Param("dst").Base(), dst)
			ADDQ(U32(32), dst)
		}
	}
	VZEROUPPER()
	RET()
}

func unpackLow(a, b vec) vec  { return binary(instruction{plain: VUNPCKLPS}, a, b) }
func unpackHigh(a, b vec) vec { return binary(instruction{plain: VUNPCKHPS}, a, b) }

// shuffle takes two numbers of a, then two of b, in each half.
func shuffle(pattern uint8, a, b vec) vec {
	v := YMM()
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
