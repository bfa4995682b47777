package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Kernels of attention and of normalisation work on one row at a time.

// A rowMap is a map with several numbers.
type rowMap struct {
	mapKernel
	scalars []string
}

var rowMaps = []*rowMap{
	{mapKernel{"addRelu", "a b", false, "0 if a[i] + b[i] < 0 else a[i] + b[i]", 4, func(x []vec) vec { return larger(zero(), add(x[0], x[1])) }}, nil},
	{mapKernel{"gelu", "x", false, "gelu32(x[i])", 1, func(x []vec) vec { return gelu32(x[0]) }}, nil},
	{mapKernel{"geluGrad", "x dy", false, "dy[i] * geluSlope32(x[i])", 1, func(x []vec) vec { return mul(x[1], geluSlope32(x[0])) }}, nil},
	{mapKernel{"geluTanh", "x", false, "geluTanh32(x[i])", 1, func(x []vec) vec { return geluTanh32(x[0]) }}, nil},
	{mapKernel{"geluTanhGrad", "x dy", false, "dy[i] * geluTanhSlope32(x[i])", 1, func(x []vec) vec { return mul(x[1], geluTanhSlope32(x[0])) }}, nil},
	{mapKernel{"silu", "x", false, "x[i] * sigmoid32(x[i])", 1, func(x []vec) vec { return mul(x[0], sigmoid32(x[0])) }}, nil},
	{mapKernel{"siluGrad", "x dy", false, "dy[i] * siluSlope32(x[i])", 1, func(x []vec) vec { return mul(x[1], siluSlope32(x[0])) }}, nil},
	{mapKernel{"normRow", "x gain shift", false, "(x[i] - m) * s * gain[i] + shift[i]", 2, func(x []vec) vec {
		return add(mul(mul(sub(x[0], x[3]), x[4]), x[1]), x[2])
	}}, []string{"m", "s"}},
	{mapKernel{"normGradRow", "x gain dy", false, "(dy[i]*gain[i] - a - (x[i] - m) * c) * s", 2, func(x []vec) vec {
		return mul(sub(sub(mul(x[2], x[1]), x[4]), mul(sub(x[0], x[3]), x[5])), x[6])
	}}, []string{"m", "a", "c", "s"}},
	{mapKernel{"addNormRow", "sum x dy", false, "sum[i] + dy[i] * ((x[i] - m) * s)", 2, func(x []vec) vec {
		return add(x[0], mul(x[2], mul(sub(x[1], x[3]), x[4])))
	}}, []string{"m", "s"}},
}

// A rowSum is the sum of a body over a row, by the tree of 16 lanes.
type rowSum struct {
	name, in string
	scalars  []string
	loop     string
	body     func(x []vec) vec
}

var rowSums = []*rowSum{
	{"sumSquares", "x", []string{"m"}, "(x[i] - m) * (x[i] - m)", func(x []vec) vec {
		d := sub(x[0], x[1])
		return mul(d, d)
	}},
	{"sumExp", "x", []string{"m"}, "exp32(x[i] - m)", func(x []vec) vec { return exp32(sub(x[0], x[1])) }},
	{"sumProducts", "x y", nil, "x[i] * y[i]", func(x []vec) vec { return mul(x[0], x[1]) }},
	{"sumTriples", "x y z", []string{"m"}, "x[i] * y[i] * (z[i] - m)", func(x []vec) vec {
		return mul(mul(x[0], x[1]), sub(x[2], x[3]))
	}},
}

func (k *rowSum) signature() string {
	s := "func(" + strings.Join(strings.Fields(k.in), ", ") + " []float32"
	if len(k.scalars) > 0 {
		s += ", " + strings.Join(k.scalars, ", ") + " float32"
	}
	return s + ") float32"
}

const (
	softmaxSignature = "func(x, sums []float32, rows, stride, n, more, most int)"
	scaleSignature   = "func(dst, x, s []float32, rows, n, apart, row int)"
	dotSignature     = "func(dst, x, y []float32, rows, n, rowX, rowY int)"
	slopeSignature   = "func(dst, e, d []float32, rows, stride, n, more, most int)"
)

func rowSignatures() [][2]string {
	list := [][2]string{
		{"softmaxRows", softmaxSignature}, {"maxRow", "func(x []float32) float32"}, {"scaleRows", scaleSignature}, {"dotRows", dotSignature}, {"slopeRows", slopeSignature},
	}
	for _, m := range rowMaps {
		list = append(list, [2]string{m.name, m.signatureWith(m.scalars...)})
	}
	for _, k := range rowSums {
		list = append(list, [2]string{k.name, k.signature()})
	}
	return list
}

func emitRows() {
	for _, m := range rowMaps {
		emitMap(m.name, m.signatureWith(m.scalars...), strings.Fields(m.in), m.scalars, "dst[i] = "+m.loop, m.unroll, m.body)
	}
	for _, k := range rowSums {
		k.emit()
	}
	emitSoftmaxRows()
	emitMaxRow()
	emitScaleRows()
	emitDotRows()
	emitSlopeRows()
}

var addedLanes = []string{"\tfor n := 8; n > 0; n /= 2 {", "\t\tlane[:n] += lane[n:2*n]", "\t}"}

// lanes runs over a row of n elements in steps of 16 that begin at the given
// pointers: whole ones, then what is left, of which the elements not in mask
// read as 0. part is told the accumulator, which is one of two of AVX2, and
// where the vector begins in the step.
func lanes(name string, n Register, pointers []Register, part func(acc, disp int, mask Op)) {
	parts := 16 / to.lanes
	move := func(elements int) {
		for _, p := range pointers {
			ADDQ(U32(4*elements), p)
		}
		SUBQ(U32(elements), n)
	}
	Label(name)
	CMPQ(n, U32(16))
	JL(LabelRef(name + "Rest"))
	for i := range parts {
		part(i, i*to.size, nil)
	}
	move(16)
	JMP(LabelRef(name))
	Label(name + "Rest")
	if !to.wide {
		CMPQ(n, U32(8))
		JL(LabelRef(name + "Low"))
		part(0, 0, nil)
		move(8)
		part(1, 0, firstOf(n))
		JMP(LabelRef(name + "Done"))
		Label(name + "Low")
	}
	part(0, 0, firstOf(n))
	Label(name + "Done")
}

// addFirst adds v to acc in the elements of mask, in all without one.
func addFirst(acc, v vec, mask Op) {
	switch {
	case mask == nil:
		VADDPS(v, acc, acc)
	case to.wide: // the other lanes keep what they have
		VADDPS(v, acc, mask, acc)
	default:
		VADDPS(and(v, mask), acc, acc)
	}
}

func loadSome(at Mem, mask Op) vec {
	if mask == nil {
		return load(at)
	}
	v := register()
	loadFirst(at, mask, v)
	return v
}

func (k *rowSum) emit() {
	first := strings.Fields(k.in)[0]
	text(k.name, k.signature(), "", append([]string{"\tfor i := range " + first + " {", "\t\tlane[i%16] += " + k.loop, "\t}"}, addedLanes...)...)
	var in []Register
	for _, name := range strings.Fields(k.in) {
		in = append(in, Load(Param(name).Base(), GP64()))
	}
	n := Load(Param(first).Len(), GP64())
	var numbers []vec
	for _, name := range k.scalars {
		numbers = append(numbers, spreadArgument(name))
	}
	acc := make([]vec, 16/to.lanes)
	for i := range acc {
		acc[i] = zero()
	}
	lanes("loop", n, in, func(i, disp int, mask Op) {
		var x []vec
		for _, p := range in {
			x = append(x, loadSome(Mem{Base: p, Disp: disp}, mask))
		}
		addFirst(acc[i], k.body(append(x, numbers...)), mask)
	})
	Store(tree(acc, func(a, b vec) vec { return add(a, b) }).AsX(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// emitSoftmaxRows writes the exponentials of each of some rows less its largest
// element, and their sums. A row has more elements than the one before, up to
// most.
func emitSoftmaxRows() {
	text("softmaxRows", softmaxSignature, "for rows > 0", append([]string{"\tfor r := range rows {", "\tx := x[r*stride:][:min(n+r*more, most)]",
		"\tm := max(x), of those that are numbers",
		"\tfor i := range x {", "\t\tx[i] = exp32(x[i] - m)", "\t\tlane[i%16] += x[i]", "\t}"}, append(addedLanes, "\tsums[r] = lane[0]", "\t}")...)...)
	x, sums := Load(Param("x").Base(), GP64()), Load(Param("sums").Base(), GP64())
	stride, n := bytes("stride"), Load(Param("n"), GP64())
	p, left := GP64(), GP64()
	Label("row")
	most := make([]vec, 16/to.lanes)
	for i := range most {
		most[i] = load(float(minInfinity))
	}
	MOVQ(x, p)
	MOVQ(n, left)
	lanes("most", left, []Register{p}, func(i, disp int, mask Op) {
		v := loadSome(Mem{Base: p, Disp: disp}, mask)
		switch {
		case mask == nil:
			VMAXPS(most[i], v, most[i])
		case to.wide:
			VMAXPS(most[i], v, mask, most[i])
		default:
			VMAXPS(most[i], blend(mask.(vec), v, load(float(minInfinity))), most[i])
		}
	})
	m := register()
	VBROADCASTSS(tree(most, func(a, b vec) vec { return larger(a, b) }).AsX(), m)
	acc := make([]vec, 16/to.lanes)
	for i := range acc {
		acc[i] = zero()
	}
	MOVQ(x, p)
	MOVQ(n, left)
	lanes("exp", left, []Register{p}, func(i, disp int, mask Op) {
		at := Mem{Base: p, Disp: disp}
		e := exp32(sub(loadSome(at, mask), m))
		if mask == nil {
			VMOVUPS(e, at)
		} else {
			storeFirst(e, mask, at)
		}
		addFirst(acc[i], e, mask)
	})
	VMOVSS(tree(acc, func(a, b vec) vec { return add(a, b) }).AsX(), Mem{Base: sums})
	ADDQ(U32(4), sums)
	ADDQ(stride, x)
	longer(n)
	nextRow()
}

// longer moves on to the length of the next row.
func longer(n Register) {
	ADDQ(argument("more"), n)
	CMPQ(n, argument("most"))
	CMOVQGT(argument("most"), n)
}

// nextRow goes back to the label row, or returns.
func nextRow() {
	DECQ(argument("rows"))
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// along runs over n elements, vector by vector; n is destroyed.
func along(name string, n Register, pointers []Register, part func(mask Op)) {
	Label(name)
	CMPQ(n, U32(to.lanes))
	JL(LabelRef(name + "Rest"))
	part(nil)
	for _, p := range pointers {
		ADDQ(U32(to.size), p)
	}
	SUBQ(U32(to.lanes), n)
	JMP(LabelRef(name))
	Label(name + "Rest")
	TESTQ(n, n)
	JE(LabelRef(name + "Done"))
	part(firstOf(n))
	Label(name + "Done")
}

func storeSome(v vec, mask Op, at Mem) {
	if mask == nil {
		VMOVUPS(v, at)
	} else {
		storeFirst(v, mask, at)
	}
}

func emitScaleRows() {
	text("scaleRows", scaleSignature, "for rows > 0", "\tfor r := range rows {", "\t\tfor i := range n {",
		"\t\t\tdst[r*apart+i] = x[r*row+i] * s[r]", "\t\t}", "\t}")
	dst, x, s := Load(Param("dst").Base(), GP64()), Load(Param("x").Base(), GP64()), Load(Param("s").Base(), GP64())
	apart, row := bytes("apart"), bytes("row")
	p, q, left := GP64(), GP64(), GP64()
	Label("row")
	f := register()
	VBROADCASTSS(Mem{Base: s}, f)
	MOVQ(x, p)
	MOVQ(dst, q)
	MOVQ(argument("n"), left)
	along("part", left, []Register{p, q}, func(mask Op) {
		storeSome(mul(loadSome(Mem{Base: p}, mask), f), mask, Mem{Base: q})
	})
	ADDQ(apart, dst)
	ADDQ(row, x)
	ADDQ(U32(4), s)
	nextRow()
}

func emitDotRows() {
	text("dotRows", dotSignature, "for rows > 0", append([]string{"\tfor r := range rows {", "\tfor i := range n {",
		"\t\tlane[i%16] += x[r*rowX+i] * y[r*rowY+i]", "\t}"}, append(addedLanes, "\tdst[r] = lane[0]", "\t}")...)...)
	dst, x, y := Load(Param("dst").Base(), GP64()), Load(Param("x").Base(), GP64()), Load(Param("y").Base(), GP64())
	rowX, rowY := bytes("rowX"), bytes("rowY")
	p, q, left := GP64(), GP64(), GP64()
	Label("row")
	acc := make([]vec, 16/to.lanes)
	for i := range acc {
		acc[i] = zero()
	}
	MOVQ(x, p)
	MOVQ(y, q)
	MOVQ(argument("n"), left)
	lanes("part", left, []Register{p, q}, func(i, disp int, mask Op) {
		addFirst(acc[i], mul(loadSome(Mem{Base: p, Disp: disp}, mask), loadSome(Mem{Base: q, Disp: disp}, mask)), mask)
	})
	VMOVSS(tree(acc, func(a, b vec) vec { return add(a, b) }).AsX(), Mem{Base: dst})
	ADDQ(rowX, x)
	ADDQ(rowY, y)
	ADDQ(U32(4), dst)
	nextRow()
}

// emitSlopeRows writes the gradient of a softmax, of rows that grow as those of
// softmaxRows.
func emitSlopeRows() {
	text("slopeRows", slopeSignature, "for rows > 0", "\tfor r := range rows {", "\t\tfor i := range min(n+r*more, most) {",
		"\t\t\tdst[r*stride+i] = e[r*stride+i] * (dst[r*stride+i] - d[r])", "\t\t}", "\t}")
	dst, e, d := Load(Param("dst").Base(), GP64()), Load(Param("e").Base(), GP64()), Load(Param("d").Base(), GP64())
	stride, n := bytes("stride"), Load(Param("n"), GP64())
	p, q, left := GP64(), GP64(), GP64()
	Label("row")
	f := register()
	VBROADCASTSS(Mem{Base: d}, f)
	MOVQ(dst, p)
	MOVQ(e, q)
	MOVQ(n, left)
	along("part", left, []Register{p, q}, func(mask Op) {
		at := Mem{Base: p}
		storeSome(mul(loadSome(Mem{Base: q}, mask), sub(loadSome(at, mask), f)), mask, at)
	})
	ADDQ(stride, dst)
	ADDQ(stride, e)
	ADDQ(U32(4), d)
	longer(n)
	nextRow()
}

// emitMaxRow writes the largest element of those that are numbers, in four
// vectors at a time.
func emitMaxRow() {
	text("maxRow", "func(x []float32) float32", "", "\tm := -Inf", "\tfor i := range x {", "\t\tm = x[i] if x[i] > m else m", "\t}")
	x, n := Load(Param("x").Base(), GP64()), Load(Param("x").Len(), GP64())
	most := make([]vec, 4)
	for i := range most {
		most[i] = load(float(minInfinity))
	}
	Label("wide")
	CMPQ(n, U32(4*to.lanes))
	JL(LabelRef("narrow"))
	for i, v := range most {
		VMAXPS(v, load(Mem{Base: x, Disp: i * to.size}), v)
	}
	ADDQ(U32(4*to.size), x)
	SUBQ(U32(4*to.lanes), n)
	JMP(LabelRef("wide"))
	Label("narrow")
	along("part", n, []Register{x}, func(mask Op) {
		v := loadSome(Mem{Base: x}, mask)
		switch {
		case mask == nil:
			VMAXPS(most[0], v, most[0])
		case to.wide:
			VMAXPS(most[0], v, mask, most[0])
		default:
			VMAXPS(most[0], blend(mask.(vec), v, load(float(minInfinity))), most[0])
		}
	})
	both := []vec{larger(most[0], most[1]), larger(most[2], most[3])}
	if to.wide {
		both = []vec{larger(both[0], both[1])}
	}
	m := tree(both, func(a, b vec) vec { return larger(a, b) })
	narrow(func() { m = add(m, zero()) }) // of two zeros either may be left
	Store(m.AsX(), ReturnIndex(0))
	VZEROUPPER()
	RET()
}
