package cpu

import (
	"fmt"
	"strings"

	"github.com/hone-ml/hone/engine/graph"
)

// What a profile tells of a step beside its time. A step need not say anything:
// it then has no arithmetic, and reads its inputs and writes its outputs once. A
// step that comes before another has then no bytes either.

// A computing step tells how many floating-point operations it does, a fused
// multiply-add being two.
type computing interface{ flops(rows int) float64 }

// A moving step tells how many bytes it goes through, where they are not its
// inputs and outputs: who looks up rows of a table does not read it all.
type moving interface{ bytes(rows int) float64 }

func (s *matmulStep) flops(rows int) float64 {
	g := s.gemm(rows)
	return 2 * float64(g.M) * float64(g.N) * float64(g.K)
}

func (s *stackStep) flops(rows int) float64 {
	g, count := s.gemm(rows)
	return 2 * float64(g.M) * float64(g.N) * float64(g.K) * float64(count)
}

// A packing step reads and writes what it packs.
func (s packStep) bytes(rows int) float64         { return 8 * elements(s.of.b, rows) }
func (s stackPackStep) bytes(rows int) float64    { return 8 * elements(s.of.b, rows) }
func (s forwardPackStep) bytes(rows int) float64  { return 8 * elements(s.of.k, rows) }
func (s backwardPackStep) bytes(rows int) float64 { return 8 * elements(s.of.k, rows) }

// flops are those of the convolution and of each of its two gradients, borders as
// if they were inside.
func (c *convolution) flops(rows int) float64 {
	return 2 * elements(c.y, rows) * float64(c.k.Shape()[:3].Size().Factor)
}

// The gradient of the kernels is computed by groups of images, and then added up.
func (s groupsStep) flops(rows int) float64 { return s.of.convolution.flops(rows) }
func (s groupsStep) bytes(rows int) float64 {
	return 4 * (elements(s.of.x, rows) + elements(s.of.y, rows))
}
func (s *weightsStep) flops(rows int) float64 { return 0 }

// flops are two products of queries and keys, of what is seen.
func (s *attentionHeads) flops(rows int) float64 {
	seen := float64(s.queries * s.keys)
	if s.op.Causal {
		seen -= float64(s.queries*(s.queries-1)) / 2
	}
	return 2 * 2 * float64(s.outer.Of(rows)) * seen * float64(s.width)
}

// The gradient has five, as it computes the scores again.
func (s *attentionGradStep) flops(rows int) float64 { return 2.5 * s.attentionHeads.flops(rows) }

// flops are the products with the kernel, of whole sequences.
func (s *recurrentStep) flops(rows int) float64     { return s.products(rows) }
func (s *recurrentGradStep) flops(rows int) float64 { return s.products(rows) }

func (s *recurrence) products(rows int) float64 {
	return 2 * elements(s.x, rows) * float64(s.units)
}

// A normalised row is read for its mean, its deviation and its result.
func (s *rowNormStep) flops(rows int) float64     { return 7 * elements(s.y, rows) }
func (s *rowNormGradStep) flops(rows int) float64 { return 12 * elements(s.y, rows) }
func (s rowNormBlocks) flops(rows int) float64    { return 8 * elements(s.of.x, rows) }
func (s rowNormBlocks) bytes(rows int) float64 {
	return 4 * (elements(s.of.x, rows) + elements(s.of.dy, rows))
}

// A bag reads one row of its table for each index.
func (s *bagStep) flops(rows int) float64 { return elements(s.idx, rows) * float64(s.width.Of(rows)) }
func (s *bagStep) bytes(rows int) float64 {
	return 4 * (elements(s.idx, rows)*(1+float64(s.width.Of(rows))) + elements(s.y, rows))
}

// The sums of a sparse gradient add one row of values for each index.
func (s *collectStep) flops(rows int) float64 {
	return elements(s.idx, rows) * float64(s.width.Of(rows))
}

func (s *reduceStep) flops(rows int) float64 { return elements(s.x, rows) }

// A softmax is a maximum, a subtraction, an exponential, a sum and a division.
const softmaxFlops = 4 + expFlops

func (s *softmaxStep) flops(rows int) float64          { return softmaxFlops * elements(s.y, rows) }
func (s *crossEntropyStep) flops(rows int) float64     { return softmaxFlops * elements(s.logits, rows) }
func (s *crossEntropyGradStep) flops(rows int) float64 { return softmaxFlops * elements(s.y, rows) }

func (s *gatherStep) bytes(rows int) float64 { return 4*elements(s.idx, rows) + 8*elements(s.y, rows) }

// In place, as where a table is updated.
func (s *putStep) bytes(rows int) float64 {
	return 4*elements(s.idx, rows) + 8*elements(s.values, rows)
}

func elements(n *graph.Node, rows int) float64 { return float64(n.Shape().Size().Of(rows)) }

// unaryFlops are the operations of an element-wise function's kernel on one
// element, comparisons included; those that are not listed have one.
var unaryFlops = map[graph.UnaryKind]float64{
	graph.OpIdentity: 0,
	graph.OpExp:      expFlops, graph.OpLog: 25, graph.OpLog1p: 30, graph.OpTanh: 40, graph.OpSigmoid: expFlops + 3,
	graph.OpErf: erfFlops, graph.OpSin: 22, graph.OpCos: 22, graph.OpSoftplus: expFlops + 32, graph.OpRsqrt: 2,
	graph.OpGelu: erfFlops + 4, graph.OpGeluTanh: expFlops + 9, graph.OpSilu: expFlops + 4,
}

// derivativeFlops are those of dy times the derivative.
var derivativeFlops = map[graph.UnaryKind]float64{
	graph.OpGelu: erfFlops + expFlops + 9, graph.OpGeluTanh: expFlops + 18, graph.OpSilu: expFlops + 8,
}

const (
	expFlops = 25
	erfFlops = 50
)

// elementFlops are the operations of an element-wise node on one element.
func elementFlops(op graph.Op) float64 {
	switch op := op.(type) {
	case graph.Unary:
		if n, ok := unaryFlops[op.Kind]; ok {
			return n
		}
	case *graph.Expand:
		return 0
	case graph.Derivative:
		return derivativeFlops[op.Of]
	case graph.LogisticLoss:
		return expFlops + 30 + 6
	case graph.Moment:
		return 4
	case graph.Adam:
		return 6
	case graph.Lookup, graph.Put: // rows of a table, in a unit that updates them
		return 0
	}
	return 1
}

// flopsOf is what the step of a unit computes.
func flopsOf(s step, u *unit, rows int) float64 {
	sum, chain := 0.0, u.nodes
	if c, ok := s.(computing); ok {
		sum, chain = c.flops(rows), u.nodes[1:] // of a convolution: what follows it
	} else if _, own := s.(*fusedStep); !own {
		return 0
	}
	for _, n := range chain {
		sum += elementFlops(n.Op) * elements(n, rows)
	}
	return sum
}

// bytesOf is what the step of a unit goes through.
func (pl *plan) bytesOf(s step, u *unit, rows int) float64 {
	if m, ok := s.(moving); ok {
		return m.bytes(rows)
	}
	if pl.isBefore(s) {
		return 0
	}
	words, seen := 0.0, map[*graph.Node]bool{}
	for _, n := range u.nodes {
		in := pl.inputs(n)
		switch n.Op.(type) { // of a table's rows, not of all of it
		case graph.Lookup:
			words += elements(n, rows)
			in = in[1:]
		case graph.Put:
			words += elements(in[2], rows)
			in = in[1:]
		default:
			if pl.storage[n.ID].place != nowhere {
				words += elements(n, rows)
			}
		}
		for _, x := range in {
			if r := rootOf(x); pl.unitOf[r.ID] != u && !seen[r] {
				seen[r] = true
				words += elements(r, rows)
			}
		}
	}
	return 4 * words
}

// label says what a unit computes and of what size, as in "matmul rows×784×512"
// or "relu·mul·sum rows×512", and which variables it reads or writes.
func (pl *plan) label(s step, u *unit) (what string, variables []string) {
	first, variables := u.nodes[0], variablesOf(pl, u)
	what = first.Op.Name() + " " + extent(first.Shape())
	switch s := s.(type) {
	case *fusedStep:
		what = chain(u) + " " + extent(first.Shape())
	case *matmulStep:
		k := s.a.Shape()[1]
		if s.op.TransA {
			k = s.a.Shape()[0]
		}
		what = fmt.Sprintf("%s %v×%v×%v", first.Op.Name(), first.Shape()[0], k, first.Shape()[1])
	case packStep:
		what = "pack " + extent(s.of.b.Shape())
	case *stackStep:
		last := len(first.Shape()) - 2
		g, _ := s.gemm(1)
		what = fmt.Sprintf("%s %s of %v×%d×%v", first.Op.Name(), extent(first.Shape()[:last]), first.Shape()[last], g.K, first.Shape()[last+1])
	case forwardPackStep:
		what = "pack " + extent(s.of.k.Shape())
	case backwardPackStep:
		what = "pack " + extent(s.of.k.Shape())
	case *weightsStep:
		what = "sum groups " + extent(s.k.Shape())
	case *reduceStep:
		what = first.Op.Name() + " " + extent(s.x.Shape())
	case *crossEntropyStep:
		what = first.Op.Name() + " " + extent(s.logits.Shape())
	default:
		if pl.isBefore(s) {
			what = "before " + what
		}
	}
	return what, variables
}

// isBefore reports whether a step is not its unit's own but what comes before.
func (pl *plan) isBefore(s step) bool { return pl.before[s] }

// chain names the nodes of a fused unit, or how many there are.
func chain(u *unit) string {
	if len(u.nodes) > 3 {
		return fmt.Sprintf("%d element-wise", len(u.nodes))
	}
	var names []string
	for _, n := range u.nodes {
		names = append(names, n.Op.Name())
	}
	return strings.Join(names, "·")
}

// extent writes a shape as rows×512.
func extent(s graph.Shape) string {
	if len(s) == 0 {
		return "1"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return strings.Join(parts, "×")
}

// variablesOf lists the variables that a unit writes, and then those that it
// reads.
func variablesOf(pl *plan, u *unit) (names []string) {
	add := func(v *graph.Variable) {
		for _, name := range names {
			if name == v.Name {
				return
			}
		}
		names = append(names, v.Name)
	}
	for _, n := range u.nodes {
		if s := pl.storage[n.ID]; s.place == inVariable {
			add(s.v)
		}
	}
	for _, n := range u.nodes {
		for _, x := range n.In {
			if r, ok := rootOf(x).Op.(*graph.Read); ok {
				add(r.Variable)
			}
		}
	}
	return names
}
