package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	tilesSignature = "func(c, a, b, soon []float32, pace, tiles, rows, n, k, rowC, rowA, colA, nextA, rowB, nextB int, accumulate bool)"
	rowSignature   = "func(c, a, b []float32, n, k, colA, rowB, nextB int, accumulate bool)"
)

// A tile's sums are in registers while k runs: at most 6 rows of two vectors
// with AVX2, 14 with AVX-512, so that 12 or 28 of the 16 or 32 registers are
// sums, two hold numbers of B and one a number of A.
func (t *target) tileRows() int {
	if t.wide {
		return 14
	}
	return 6
}

func emitGemm() {
	emitTiles()
	emitPackingTile()
	emitBlockTiles()
	emitRow()
	emitAlong()
}

const alongSignature = "func(c, a, b []float32, k, colA, rowB int, accumulate bool)"

// emitAlong writes the product of one row of A and a B that is read once, row
// after row, as memory likes it: a block of eight rows at a time is added to C.
func emitAlong() {
	text("gemmAlong", alongSignature, "for k > 0",
		"\tfor j := range c {", "\t\tsum := c[j] if accumulate else 0",
		"\t\tfor l := range k {", "\t\t\tsum = fma(a[l*colA], b[l*rowB+j], sum)", "\t\t}",
		"\t\tc[j] = sum", "\t}")
	a, b := Load(Param("a").Base(), GP64()), Load(Param("b").Base(), GP64())
	colA, rowB := bytes("colA"), bytes("rowB")
	c, n, p := GP64(), GP64(), GP64()
	var x [8]vec
	for i := range x {
		x[i] = register()
	}
	row := newRows(rowB, 8)
	row.base[0] = p

	rows := func(rows int, next string) {
		label := func(s string) string { return fmt.Sprintf("%s%d", s, rows) }
		part := func(name string, vectors int, mask Op) {
			acc := make([]vec, vectors)
			for i := range acc {
				acc[i] = zero()
			}
			CMPB(argument("accumulate"), U8(0))
			JE(LabelRef(label(name + "Start")))
			for i, v := range acc {
				at := Mem{Base: c, Disp: to.size * i}
				if mask != nil {
					loadFirst(at, mask, v)
				} else {
					VMOVUPS(at, v)
				}
			}
			Label(label(name + "Start"))
			for l := range rows {
				for i, v := range acc {
					at := row.row(l)
					at.Disp = to.size * i
					if mask != nil {
						y := register()
						loadFirst(at, mask, y)
						VFMADD231PS(y, x[l], v)
					} else {
						VFMADD231PS(at, x[l], v)
					}
				}
			}
			for i, v := range acc {
				at := Mem{Base: c, Disp: to.size * i}
				if mask != nil {
					storeFirst(v, mask, at)
				} else {
					VMOVUPS(v, at)
				}
			}
		}
		loop := func(name string, vectors int, next string) {
			Label(label(name))
			CMPQ(n, U32(vectors*to.lanes))
			JL(LabelRef(label(next)))
			part(name, vectors, nil)
			ADDQ(U32(vectors*to.size), c)
			ADDQ(U32(vectors*to.size), p)
			SUBQ(U32(vectors*to.lanes), n)
			JMP(LabelRef(label(name)))
		}
		Label(label("block"))
		CMPQ(argument("k"), U32(rows))
		JL(LabelRef(next))
		for i := range rows {
			VBROADCASTSS(Mem{Base: a}, x[i])
			ADDQ(colA, a)
		}
		Load(Param("c").Base(), c)
		Load(Param("c").Len(), n)
		MOVQ(b, p)
		loop("wide", 4, "narrow")
		loop("narrow", 1, "tail")
		Label(label("tail"))
		TESTQ(n, n)
		JE(LabelRef(label("next")))
		part("rest", 1, firstOf(n))
		Label(label("next"))
		MOVB(U8(1), argument("accumulate"))
		if rows > 1 {
			LEAQ(Mem{Base: b, Index: rowB, Scale: 8}, b)
		} else {
			ADDQ(rowB, b)
		}
		SUBQ(U32(rows), argument("k"))
		JMP(LabelRef(label("block")))
	}
	rows(8, "block1")
	rows(1, "done")
	Label("done")
	VZEROUPPER()
	RET()
}

// emitRow writes the product of one row of A and the columns of eight vectors
// at a time: with fewer sums in flight each would wait for its last addition.
func emitRow() {
	columns := 8 * to.lanes
	text("gemmRow", rowSignature, fmt.Sprintf("for n a multiple of %d and k > 0", columns),
		"\tfor j := range n {", "\t\tsum := c[j] if accumulate else 0",
		"\t\tfor l := range k {", "\t\t\tsum = fma(a[l*colA], b[j/16*nextB+l*rowB+j%16], sum)", "\t\t}",
		"\t\tc[j] = sum", "\t}")
	c := Load(Param("c").Base(), GP64())
	b := Load(Param("b").Base(), GP64())
	n := Load(Param("n"), GP64())
	colA := bytes("colA")
	rowB := bytes("rowB")
	nextB := bytes("nextB")
	a, p, q, k := GP64(), GP64(), GP64(), GP64() // q is half of the panels on
	panels := columns / 16
	next3 := GP64()
	LEAQ(Mem{Base: nextB, Index: nextB, Scale: 2}, next3)
	var acc [8]vec
	for i := range acc {
		acc[i] = register()
	}
	x := register()

	Label("block")
	CMPQ(n, U32(columns))
	JL(LabelRef("done"))
	CMPB(argument("accumulate"), U8(0))
	JNE(LabelRef("load"))
	for _, v := range acc {
		VXORPS(v, v, v)
	}
	JMP(LabelRef("start"))
	Label("load")
	for i, v := range acc {
		VMOVUPS(Mem{Base: c, Disp: to.size * i}, v)
	}
	Label("start")
	MOVQ(argument("a"), a)
	MOVQ(argument("k"), k)
	MOVQ(b, p)
	LEAQ(Mem{Base: b, Index: nextB, Scale: uint8(panels / 2)}, q)
	Label("step")
	VBROADCASTSS(Mem{Base: a}, x)
	for i, v := range acc {
		at := Mem{Base: p, Disp: i % (16 / to.lanes) * to.size}
		panel := i / (16 / to.lanes)
		if panel >= panels/2 {
			at.Base = q
			panel -= panels / 2
		}
		switch panel {
		case 1, 2:
			at.Index, at.Scale = nextB, uint8(panel)
		case 3:
			at.Index, at.Scale = next3, 1
		}
		VFMADD231PS(at, x, v)
	}
	ADDQ(colA, a)
	ADDQ(rowB, p)
	ADDQ(rowB, q)
	DECQ(k)
	JNE(LabelRef("step"))
	for i, v := range acc {
		VMOVUPS(v, Mem{Base: c, Disp: to.size * i})
	}
	ADDQ(U32(4*columns), c)
	LEAQ(Mem{Base: b, Index: nextB, Scale: uint8(panels)}, b)
	SUBQ(U32(columns), n)
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

// rows addresses up to 14 rows by few registers: one for each of two groups
// of rows, and the odd multiples of the distance between rows.
type rows struct {
	base     [2]Register // rows 0 and 9
	multiple map[int]Register
}

func newRows(distance Register, n int) *rows {
	r := &rows{base: [2]Register{GP64(), GP64()}, multiple: map[int]Register{1: distance}}
	for _, odd := range []int{3, 5, 7} {
		if odd >= n {
			break
		}
		m := GP64()
		if odd < 7 {
			LEAQ(Mem{Base: distance, Index: distance, Scale: uint8(odd - 1)}, m)
		} else {
			LEAQ(Mem{Base: distance, Index: r.multiple[3], Scale: 2}, m)
		}
		r.multiple[odd] = m
	}
	return r
}

// start points to the first of n rows.
func (r *rows) start(at Op, n int) {
	MOVQ(at, r.base[0])
	if n > 9 {
		LEAQ(Mem{Base: r.base[0], Index: r.multiple[1], Scale: 8}, r.base[1])
		ADDQ(r.multiple[1], r.base[1])
	}
}

func (r *rows) row(i int) Mem {
	at := Mem{Base: r.base[0]}
	if i >= 9 {
		at.Base = r.base[1]
		i -= 9
	}
	for _, scale := range []int{1, 2, 4, 8} {
		if m, ok := r.multiple[i/scale]; ok && i%scale == 0 {
			at.Index, at.Scale = m, uint8(scale)
			break
		}
	}
	return at
}

// step moves on by a distance.
func (r *rows) step(by Op, n int) {
	ADDQ(by, r.base[0])
	if n > 9 {
		ADDQ(by, r.base[1])
	}
}

// emitTiles writes the product of tiles of rows of A and a panel of B of two
// vectors. Numbers of A are broadcast from where they are.
func emitTiles() {
	most := to.tileRows()
	width := 2 * to.lanes
	text("gemmTiles", tilesSignature, fmt.Sprintf("for tiles > 0, 0 < rows <= %d, 0 < n <= %d and k > 0", most, width),
		"\tfor t := range tiles {", "\t\tfor i := range rows {", "\t\t\tfor j := range n {",
		"\t\t\t\tat := (t*rows+i)*rowC + j",
		"\t\t\t\tsum := c[at] if accumulate else 0",
		"\t\t\t\tfor l := range k {", "\t\t\t\t\tsum = fma(a[t*nextA+i*rowA+l*colA], b[j/16*nextB+l*rowB+j%16], sum)", "\t\t\t\t}",
		"\t\t\t\tc[at] = sum", "\t\t\t}", "\t\t}", "\t}")
	for _, p := range []string{"rowC", "rowA", "colA", "nextA", "rowB", "nextB"} {
		SHLQ(U8(2), argument(p))
	}
	tilesOfAnyWidth(plainTile)
}

// tilesOfAnyWidth writes the tiles of up to two vectors of columns.
func tilesOfAnyWidth(kind tileKind) {
	n := Load(Param("n"), GP64())
	if to.wide {
		CMPQ(n, U32(16))
		JLE(LabelRef("half"))
		tileKernels("full", 2, true, kind)
		Label("half")
		tileKernels("half", 1, true, kind)
		return
	}
	CMPQ(n, U32(8))
	JLE(LabelRef("half"))
	CMPQ(n, U32(16))
	JL(LabelRef("part"))
	tileKernels("full", 2, false, kind)
	Label("part")
	tileKernels("part", 2, true, kind)
	Label("half")
	tileKernels("half", 1, true, kind)
}

const blockTilesSignature = "func(c, a, b []float32, tiles, rows, n, k, blocks, rowC, rowA, colA, nextA, blockA, rowB, nextB, blockB int, accumulate bool)"

// emitBlockTiles writes tiles whose sums go on through several blocks of k,
// which lie apart in A and in B: the rows of a convolution's kernel, or of an
// image. A row with k = 1 is a block too.
func emitBlockTiles() {
	text("blockTiles", blockTilesSignature, fmt.Sprintf("for tiles > 0, 0 < rows <= %d, 0 < n <= %d, k > 0 and blocks > 0", to.tileRows(), 2*to.lanes),
		"\tfor t := range tiles {", "\t\tfor i := range rows {", "\t\t\tfor j := range n {",
		"\t\t\t\tat := (t*rows+i)*rowC + j",
		"\t\t\t\tsum := c[at] if accumulate else 0",
		"\t\t\t\tfor q := range blocks {", "\t\t\t\t\tfor l := range k {",
		"\t\t\t\t\t\tsum = fma(a[t*nextA+i*rowA+q*blockA+l*colA], b[j/16*nextB+q*blockB+l*rowB+j%16], sum)",
		"\t\t\t\t\t}", "\t\t\t\t}",
		"\t\t\t\tc[at] = sum", "\t\t\t}", "\t\t}", "\t}")
	for _, p := range []string{"rowC", "rowA", "colA", "nextA", "blockA", "rowB", "nextB", "blockB"} {
		SHLQ(U8(2), argument(p))
	}
	for _, p := range [][2]string{{"blockA", "colA"}, {"blockB", "rowB"}} { // from the end of one to the next
		k := Load(Param("k"), GP64())
		IMULQ(argument(p[1]), k)
		SUBQ(k, argument(p[0]))
	}
	tilesOfAnyWidth(blockedTile)
}

const packingSignature = "func(c, a, b, soon, packed []float32, pace, rows, k, rowC, rowA, colA, rowB int, accumulate bool)"

// emitPackingTile writes the product of one tile and a strip of B, of which it
// leaves a copy with its rows one after the other, for the tiles that follow.
func emitPackingTile() {
	width := 2 * to.lanes
	text("gemmPackingTile", packingSignature, fmt.Sprintf("for 0 < rows <= %d and k > 0", to.tileRows()),
		fmt.Sprintf("\tgemmTiles(c, a, b, soon, pace, 1, rows, %d, k, rowC, rowA, colA, 0, rowB, 16, accumulate)", width),
		"\tfor l := range k {", fmt.Sprintf("\t\tcopy(packed[%d*l:][:%d], b[l*rowB:])", width, width), "\t}")
	for _, p := range []string{"rowC", "rowA", "colA", "rowB"} {
		SHLQ(U8(2), argument(p))
	}
	tileKernels("full", 2, false, packingTile)
}

// A tileKind says what a tile does beside its sums.
type tileKind uint8

const (
	plainTile   tileKind = iota
	packingTile          // leaves a copy of B
	blockedTile          // goes through several blocks of k
)

// tileKernels writes the tiles of one to all rows, of so many vectors of which
// the last is partly used if masked.
func tileKernels(name string, vectors int, masked bool, kind tileKind) {
	packing, blocked := kind == packingTile, kind == blockedTile
	most := to.tileRows()
	label := func(s string, rows int) string { return fmt.Sprintf("%s_%s%d", name, s, rows) }

	// The last vector's mask: with AVX2 in memory, as 16 registers are few.
	var mask Op
	if masked {
		table, count := GP64(), Load(Param("n"), GP64())
		if vectors > 1 {
			SUBQ(U32(to.lanes), count)
		}
		if to.wide {
			mask = firstOf(count)
		} else {
			LEAQ(masks(), table)
			NEGQ(count)
			LEAQ(Mem{Base: table, Index: count, Scale: 4, Disp: 32}, table)
			mask = Mem{Base: table}
		}
	}
	loadVector := func(at Mem, i int, v vec) {
		switch {
		case !masked || i < vectors-1:
			VMOVUPS(at, v)
		case to.wide:
			VMOVUPS_Z(at, mask, v)
		default:
			VMOVUPS(mask, v)
			VMASKMOVPS(at, v, v)
		}
	}
	storeVector := func(v vec, at Mem, i int, spare vec) {
		switch {
		case !masked || i < vectors-1:
			VMOVUPS(v, at)
		case to.wide:
			VMOVUPS(v, mask, at)
		default:
			VMOVUPS(mask, spare)
			VMASKMOVPS(v, spare, at)
		}
	}

	tile := func(n int) {
		Label(label("tile", n))
		acc := make([][2]vec, n)
		for i := range acc {
			for j := range vectors {
				acc[i][j] = register()
			}
		}
		x := register()
		cRow := Load(Param("rowC"), GP64())
		c := newRows(cRow, n)
		c.start(argument("c"), n)
		CMPB(argument("accumulate"), U8(0))
		JNE(LabelRef(label("load", n)))
		for i := range acc {
			for j := range vectors {
				VXORPS(acc[i][j], acc[i][j], acc[i][j])
			}
		}
		JMP(LabelRef(label("start", n)))
		Label(label("load", n))
		for i := range acc {
			for j := range vectors {
				at := c.row(i)
				at.Disp = to.size * j
				loadVector(at, j, acc[i][j])
			}
		}

		Label(label("start", n))
		if vectors > 1 {
			LEAQ(rowAfter(c, n), c.base[0])
			c.base[1] = GP64()
			if n > 9 {
				LEAQ(Mem{Base: c.base[0], Index: c.multiple[1], Scale: 8}, c.base[1])
				ADDQ(c.multiple[1], c.base[1])
			}
			for i := range acc {
				for j := 0; j < vectors*to.size; j += 64 {
					at := c.row(i)
					at.Disp = j
					PREFETCHT0(at)
				}
			}
		}
		aRow := Load(Param("rowA"), GP64())
		a := newRows(aRow, n)
		a.start(argument("a"), n)
		colA, rowB := Load(Param("colA"), GP64()), Load(Param("rowB"), GP64())
		second := func(base Register) Mem { return Mem{Base: base, Disp: to.size} }
		if to.wide && vectors > 1 && !packing {
			nextB := Load(Param("nextB"), GP64())
			second = func(base Register) Mem { return Mem{Base: base, Index: nextB, Scale: 1} }
		}
		packed := GP64()
		if packing {
			Load(Param("packed").Base(), packed)
		}
		b, k := Load(Param("b").Base(), GP64()), Load(Param("k"), GP64())
		var bv [2]vec
		for j := range vectors {
			bv[j] = register()
		}
		var soon, pace, blocks Register
		if blocked {
			blocks = Load(Param("blocks"), GP64())
			Label(label("block", n))
			Load(Param("k"), k)
		} else {
			soon, pace = Load(Param("soon").Base(), GP64()), Load(Param("pace"), GP64())
		}
		Label(label("step", n))
		if vectors > 1 && !blocked {
			PREFETCHT1(Mem{Base: soon})
			if to.wide {
				PREFETCHT1(second(soon))
			}
			ADDQ(pace, soon)
		}
		for j := range vectors {
			at := Mem{Base: b}
			if j > 0 {
				at = second(b)
			}
			loadVector(at, j, bv[j])
			if packing {
				VMOVUPS(bv[j], Mem{Base: packed, Disp: j * to.size})
			}
		}
		if packing {
			ADDQ(U32(2*to.size), packed)
		}
		for i := range acc {
			VBROADCASTSS(a.row(i), x)
			for j := range vectors {
				VFMADD231PS(bv[j], x, acc[i][j])
			}
		}
		a.step(colA, n)
		ADDQ(rowB, b)
		DECQ(k)
		JNE(LabelRef(label("step", n)))
		if blocked {
			a.step(argument("blockA"), n)
			ADDQ(argument("blockB"), b)
			DECQ(blocks)
			JNE(LabelRef(label("block", n)))
		}

		cRow = Load(Param("rowC"), GP64())
		c = newRows(cRow, n)
		c.start(argument("c"), n)
		for i := range acc {
			for j := range vectors {
				at := c.row(i)
				at.Disp = to.size * j
				storeVector(acc[i][j], at, j, x)
			}
		}
		if packing {
			VZEROUPPER()
			RET()
			return
		}
		if !blocked {
			MOVQ(soon, argument("soon"))
		}
		next := GP64()
		Load(Param("nextA"), next)
		ADDQ(next, argument("a"))
		LEAQ(rowAfter(c, n), next)
		MOVQ(next, argument("c"))
		DECQ(argument("tiles"))
		JNE(LabelRef(label("tile", n)))
		VZEROUPPER()
		RET()
	}
	rows := Load(Param("rows"), GP64())
	for n := 1; n < most; n++ {
		CMPQ(rows, U32(n))
		JE(LabelRef(label("tile", n)))
	}
	for n := most; n > 0; n-- {
		tile(n)
	}
}

// rowAfter is where the row after the n-th is.
func rowAfter(r *rows, n int) Mem {
	LEAQ(r.row(n-1), r.base[0])
	return Mem{Base: r.base[0], Index: r.multiple[1], Scale: 1}
}
