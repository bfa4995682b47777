package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	poolMaxSignature   = "func(y []float32, place []int32, x []float32, windows, channels, kh, kw, window, row, from, skip int)"
	maxSpreadSignature = "func(dx, dy []float32, place []int32, windows, channels, kh, kw, window, row, from, skip int)"
)

// A pooling goes through the windows of a row and, for each vector of
// channels, through the window's rows and columns.
type pooling struct {
	image                     Register // where the window and the vector begin in the image
	at                        Register
	column, row, window       Register
	channels, left            Register
	index, one, skip          vec
	windowBegin, inner, outer Register
}

// emitPooling writes both kernels. each is called for every vector; taps writes
// the loop over the window with what to do at each place.
func emitPooling(name string, others []string, each func(p *pooling, others []Register, mask Op, taps func(visit func(at Mem)))) {
	image := "x"
	if name == "maxSpread" {
		image = "dx"
	}
	p := &pooling{windowBegin: Load(Param(image).Base(), GP64())}
	var pointers []Register
	for _, o := range others {
		pointers = append(pointers, Load(Param(o).Base(), GP64()))
	}
	p.channels, p.column = Load(Param("channels"), GP64()), bytes("channels")
	p.row, p.window = bytes("row"), bytes("window")
	p.image, p.at, p.left, p.inner, p.outer = GP64(), GP64(), GP64(), GP64(), GP64()
	p.one, p.skip, p.index = broadcastInt(U32(1)), broadcastInt(argument("skip")), nil

	vector := func(label string, mask Op) {
		p.index = broadcastInt(argument("from"))
		each(p, pointers, mask, func(visit func(at Mem)) {
			MOVQ(p.image, p.at)
			Load(Param("kh"), p.outer)
			Label(label + "Row")
			column := GP64()
			MOVQ(p.at, column)
			Load(Param("kw"), p.inner)
			Label(label + "Column")
			visit(Mem{Base: column})
			VPADDD(p.one, p.index, p.index)
			ADDQ(p.column, column)
			DECQ(p.inner)
			JNE(LabelRef(label + "Column"))
			VPADDD(p.skip, p.index, p.index)
			ADDQ(p.row, p.at)
			DECQ(p.outer)
			JNE(LabelRef(label + "Row"))
		})
	}
	Label("window")
	MOVQ(p.windowBegin, p.image)
	MOVQ(p.channels, p.left)
	Label("whole")
	CMPQ(p.left, U32(to.lanes))
	JL(LabelRef("part"))
	vector("whole", nil)
	for _, r := range append([]Register{p.image}, pointers...) {
		ADDQ(U32(to.size), r)
	}
	SUBQ(U32(to.lanes), p.left)
	JMP(LabelRef("whole"))
	Label("part")
	TESTQ(p.left, p.left)
	JE(LabelRef("next"))
	count := GP64()
	MOVQ(p.left, count)
	vector("part", firstOf(count))
	for _, r := range pointers {
		LEAQ(Mem{Base: r, Index: p.left, Scale: 4}, r)
	}
	Label("next")
	ADDQ(p.window, p.windowBegin)
	DECQ(argument("windows"))
	JNE(LabelRef("window"))
	VZEROUPPER()
	RET()
}

func emitPool() {
	text("poolMax", poolMaxSignature, "for windows > 0, kh > 0 and kw > 0",
		"\tfor w := range windows {", "\t\tfor c := range channels {",
		"\t\t\tbest, where, i := -Inf, from, from",
		"\t\t\tfor p := range kh {", "\t\t\t\tfor q := range kw {",
		"\t\t\t\t\tif v := x[w*window+p*row+q*channels+c]; v > best || v is NaN {", "\t\t\t\t\t\tbest, where = v, i", "\t\t\t\t\t}",
		"\t\t\t\t\ti++", "\t\t\t\t}", "\t\t\t\ti += skip", "\t\t\t}",
		"\t\t\ty[w*channels+c], place[w*channels+c] = best, where // of those that are not empty", "\t\t}", "\t}")
	emitPooling("poolMax", []string{"y", "place"}, func(p *pooling, others []Register, mask Op, taps func(func(Mem))) {
		best, where := register(), register()
		VMOVUPS(load(float(minInfinity)), best)
		VMOVUPS(p.index, where)
		taps(func(at Mem) {
			v := register()
			get(at, mask, v)
			// Not v ≤ best, unless best alone is not a number.
			larger, nan := compare(greaterThan, v, best), compare(unordered, v, v)
			VMOVAPS(blend(larger, v, best), best)
			VMOVAPS(blend(nan, v, best), best)
			VMOVAPS(blend(larger, p.index, where), where)
			VMOVAPS(blend(nan, p.index, where), where)
		})
		part := "whole"
		if mask != nil {
			part = "part"
		}
		for i, v := range []vec{best, where} {
			name := []string{"y", "place"}[i]
			length, err := Param(name).Len().Resolve()
			if err != nil {
				panic(err)
			}
			CMPQ(length.Addr, U8(0))
			JE(LabelRef(part + "Without" + name))
			put(v, mask, Mem{Base: others[i]})
			Label(part + "Without" + name)
		}
	})
	text("maxSpread", maxSpreadSignature, "for windows > 0, kh > 0 and kw > 0",
		"\tfor w := range windows {", "\t\tfor c := range channels {", "\t\t\ti := from",
		"\t\t\tfor p := range kh {", "\t\t\t\tfor q := range kw {",
		"\t\t\t\t\tdx[w*window+p*row+q*channels+c] += dy[w*channels+c] if place[w*channels+c] == i else 0",
		"\t\t\t\t\ti++", "\t\t\t\t}", "\t\t\t\ti += skip", "\t\t\t}", "\t\t}", "\t}")
	emitPooling("maxSpread", []string{"dy", "place"}, func(p *pooling, others []Register, mask Op, taps func(func(Mem))) {
		dy, where := register(), register()
		get(Mem{Base: others[0]}, mask, dy)
		get(Mem{Base: others[1]}, mask, where)
		taps(func(at Mem) {
			v, hit := register(), register()
			get(at, mask, v)
			if to.wide {
				k := K()
				VPCMPEQD(where, p.index, k)
				VMOVAPS_Z(dy, k, hit)
			} else {
				VPCMPEQD(where, p.index, hit)
				VANDPS(dy, hit, hit)
			}
			VADDPS(hit, v, v)
			put(v, mask, at)
		})
	})
}

func broadcastInt(at Op) vec {
	v := register()
	word, x := GP64(), XMM()
	MOVQ(at, word)
	VMOVD(word.As32(), x)
	VPBROADCASTD(x, v)
	return v
}

// get and put move a vector, or the elements that a mask selects.
func get(at Mem, mask Op, v vec) {
	if mask == nil {
		VMOVUPS(at, v)
	} else {
		loadFirst(at, mask, v)
	}
}

func put(v vec, mask Op, at Mem) {
	if mask == nil {
		VMOVUPS(v, at)
	} else {
		storeFirst(v, mask, at)
	}
}
