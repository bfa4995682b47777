package main

import (
	"math"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A mapKernel is a loop dst[i] = body(in[0][i], in[1][i], …, s).
type mapKernel struct {
	name   string
	in     string // names of the input slices
	scalar bool   // s, one number for all
	loop   string // the body in pseudo-code
	unroll int    // vectors a turn
	body   func(in []vec) vec
}

func (m *mapKernel) signature() string {
	if m.scalar {
		return m.signatureWith("s")
	}
	return m.signatureWith()
}

func (m *mapKernel) signatureWith(scalars ...string) string {
	slices := strings.Join(append([]string{"dst"}, strings.Fields(m.in)...), ", ")
	if len(scalars) > 0 {
		return "func(" + slices + " []float32, " + strings.Join(scalars, ", ") + " float32)"
	}
	return "func(" + slices + " []float32)"
}

func (m *mapKernel) emit() {
	var scalars []string
	if m.scalar {
		scalars = []string{"s"}
	}
	emitMap(m.name, m.signature(), strings.Fields(m.in), scalars, "dst[i] = "+m.loop, m.unroll, m.body)
}

// spreadArgument loads a parameter into all of a vector.
func spreadArgument(name string) vec {
	v := register()
	VBROADCASTSS(argument(name), v)
	return v
}

// emitMap writes a loop over dst and slices of the same length. body gets a
// vector of each, then one of each scalar.
func emitMap(name, signature string, slices, scalars []string, loop string, unroll int, body func(in []vec) vec) {
	text(name, signature, "", "\tfor i := range dst {", "\t\t"+loop, "\t}")
	dst := Load(Param("dst").Base(), GP64())
	var in []Register
	for _, name := range slices {
		in = append(in, Load(Param(name).Base(), GP64()))
	}
	n := Load(Param("dst").Len(), GP64())
	var same []vec
	for _, name := range scalars {
		same = append(same, spreadArgument(name))
	}

	// vectors computes count vectors and moves on. All are read before the
	// first is written.
	vectors := func(count int, mask Op) {
		args := make([][]vec, count)
		for u := range args {
			for _, p := range in {
				v := register()
				if mask == nil {
					VMOVUPS(Mem{Base: p, Disp: to.size * u}, v)
				} else {
					loadFirst(Mem{Base: p}, mask, v)
				}
				args[u] = append(args[u], v)
			}
			args[u] = append(args[u], same...)
		}
		for u := range args {
			v := body(args[u])
			if mask == nil {
				VMOVUPS(v, Mem{Base: dst, Disp: to.size * u})
			} else {
				storeFirst(v, mask, Mem{Base: dst})
			}
		}
		if mask == nil {
			for _, p := range append(in, dst) {
				ADDQ(U32(to.size*count), p)
			}
			SUBQ(U32(to.lanes*count), n)
		}
	}
	turns := func(name string, count int, next string) {
		Label(name)
		CMPQ(n, U32(to.lanes*count))
		JL(LabelRef(next))
		vectors(count, nil)
		JMP(LabelRef(name))
	}
	if to.wide && unroll < 4 {
		unroll *= 2 // there are twice the registers
	}
	if unroll > 1 {
		turns("wide", unroll, "narrow")
	}
	turns("narrow", 1, "tail")
	Label("tail")
	TESTQ(n, n)
	JE(LabelRef("done"))
	vectors(1, firstOf(n))
	Label("done")
	VZEROUPPER()
	RET()
}

const noSign = 0x7fffffff

var maps = []*mapKernel{
	{"add", "a b", false, "a[i] + b[i]", 4, func(x []vec) vec { return add(x[0], x[1]) }},
	{"sub", "a b", false, "a[i] - b[i]", 4, func(x []vec) vec { return sub(x[0], x[1]) }},
	{"mul", "a b", false, "a[i] * b[i]", 4, func(x []vec) vec { return mul(x[0], x[1]) }},
	{"div", "a b", false, "a[i] / b[i]", 2, func(x []vec) vec { return div(x[0], x[1]) }},
	{"maximum", "a b", false, "max(a[i], b[i])", 2, func(x []vec) vec { return maximum(x[0], x[1]) }},
	{"minimum", "a b", false, "min(a[i], b[i])", 2, func(x []vec) vec { return minimum(x[0], x[1]) }},
	{"greater", "a b", false, "1 if a[i] > b[i] else 0", 2, func(x []vec) vec { return and(compare(greaterThan, x[0], x[1]), float(1)) }},
	{"greaterEqual", "a b", false, "1 if a[i] >= b[i] else 0", 2, func(x []vec) vec { return and(compare(greaterOrEqual, x[0], x[1]), float(1)) }},
	{"equal", "a b", false, "1 if a[i] == b[i] else 0", 2, func(x []vec) vec { return and(compare(equalTo, x[0], x[1]), float(1)) }},
	{"gate", "a b", false, "b[i] if a[i] > 0 else 0", 4, func(x []vec) vec { return blend(compare(greaterThan, x[0], zero()), x[1], zero()) }},
	{"choose", "cond a b", false, "a[i] if cond[i] != 0 else b[i]", 2, func(x []vec) vec { return blend(compare(notEqualTo, x[0], zero()), x[1], x[2]) }},
	{"addS", "a", true, "a[i] + s", 4, func(x []vec) vec { return add(x[0], x[1]) }},
	{"subS", "a", true, "a[i] - s", 4, func(x []vec) vec { return sub(x[0], x[1]) }},
	{"cutS", "a", true, "a[i] * (1 if a[i] >= s else 0)", 2, func(x []vec) vec { return mul(x[0], and(compare(greaterOrEqual, x[0], x[1]), float(1))) }},
	{"rsubS", "a", true, "s - a[i]", 4, func(x []vec) vec { return sub(x[1], x[0]) }},
	{"mulS", "a", true, "a[i] * s", 4, func(x []vec) vec { return mul(x[0], x[1]) }},
	{"divS", "a", true, "a[i] / s", 2, func(x []vec) vec { return div(x[0], x[1]) }},
	{"rdivS", "a", true, "s / a[i]", 2, func(x []vec) vec { return div(x[1], x[0]) }},
	{"maxS", "a", true, "max(a[i], s)", 2, func(x []vec) vec { return maximum(x[0], x[1]) }},
	{"minS", "a", true, "min(a[i], s)", 2, func(x []vec) vec { return minimum(x[0], x[1]) }},
	{"neg", "x", false, "-x[i]", 4, func(x []vec) vec { return xor(x[0], bits(1<<31)) }},
	{"abs", "x", false, "abs(x[i])", 4, func(x []vec) vec { return and(x[0], bits(noSign)) }},
	{"square", "x", false, "x[i] * x[i]", 4, func(x []vec) vec { return mul(x[0], x[0]) }},
	{"sqrt", "x", false, "sqrt(x[i])", 1, func(x []vec) vec { return sqrt(x[0]) }},
	{"rsqrt", "x", false, "1 / sqrt(x[i])", 1, func(x []vec) vec { return div(load(float(1)), sqrt(x[0])) }},
	{"recip", "x", false, "1 / x[i]", 1, func(x []vec) vec { return div(load(float(1)), x[0]) }},
	{"sign", "x", false, "x[i] if x[i] == 0 or NaN else 1 with the sign of x[i]", 1, func(x []vec) vec {
		return blend(compare(equalOrNaN, x[0], zero()), x[0], or(and(x[0], bits(1<<31)), float(1)))
	}},
	{"relu", "x", false, "0 if x[i] < 0 else x[i]", 4, func(x []vec) vec { return larger(zero(), x[0]) }},
	{"fill", "", true, "s", 4, func(x []vec) vec { return x[0] }},
	{"exp", "x", false, "exp32(x[i])", 2, func(x []vec) vec { return exp32(x[0]) }},
	{"log", "x", false, "log32(x[i])", 1, func(x []vec) vec { return log32(x[0]) }},
	{"log1p", "x", false, "log1p32(x[i])", 1, func(x []vec) vec { return log1p32(x[0]) }},
	{"tanh", "x", false, "tanh32(x[i])", 1, func(x []vec) vec { return tanh32(x[0]) }},
	{"sigmoid", "x", false, "sigmoid32(x[i])", 1, func(x []vec) vec { return sigmoid32(x[0]) }},
	{"erf", "x", false, "erf32(x[i])", 1, func(x []vec) vec { return erf32(x[0]) }},
	{"sin", "x", false, "sin32(x[i])", 1, func(x []vec) vec { return trig(x[0], false) }},
	{"cos", "x", false, "cos32(x[i])", 1, func(x []vec) vec { return trig(x[0], true) }},
	{"softplus", "x", false, "softplus32(x[i])", 1, func(x []vec) vec { return softplus32(x[0]) }},
}

var (
	infinity    = float32(math.Inf(1))
	minInfinity = float32(math.Inf(-1))
)
