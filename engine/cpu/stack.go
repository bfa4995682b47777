package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Products, n *graph.Node) (step, error) {
		return &stackStep{op, n, n.In[0], n.In[1]}, nil
	})
}

// stackStep is a product of stacks of matrices: one product after the other,
// each cut into tasks as if it were alone.
type stackStep struct {
	op      graph.Products
	n, a, b *graph.Node
}

// gemm describes one of the products, without the data, and how many there are.
func (s *stackStep) gemm(rows int) (g kernel.Gemm, count int) {
	last := len(s.n.Shape()) - 1
	a, b, c := s.a.Shape(), s.b.Shape(), s.n.Shape()
	g = kernel.Gemm{
		M: c[last-1].Of(rows), N: c[last].Of(rows), K: a[last].Of(rows),
		TransA: s.op.TransA, TransB: s.op.TransB,
		LDA: a[last].Of(rows), LDB: b[last].Of(rows), LDC: c[last].Of(rows),
	}
	if s.op.TransA {
		g.K = a[last-1].Of(rows)
	}
	return g, c[:last-1].Size().Of(rows)
}

// bound is the product at a place.
func (s *stackStep) bound(in *instance, i int) kernel.Gemm {
	g, _ := s.gemm(in.rows)
	g.A, g.B, g.C = in.floats(s.a)[i*g.M*g.K:], in.floats(s.b)[i*g.K*g.N:], in.floats(s.n)[i*g.M*g.N:]
	return g
}

func (s *stackStep) tasks(rows int) int {
	g, count := s.gemm(rows)
	return max(1, count*g.Tasks())
}

func (s *stackStep) run(in *instance, task int, w *worker) {
	g, count := s.gemm(in.rows)
	if count == 0 {
		return
	}
	each, shared := g.Tasks(), g.Shared()
	i := task / each
	g = s.bound(in, i)
	g.Run(task%each, in.common[i*shared:], w.floats(g.Scratch()))
}

// before implements preparing.
func (s *stackStep) before() step { return stackPackStep{s} }

type stackPackStep struct{ of *stackStep }

func (s stackPackStep) tasks(rows int) int {
	g, count := s.of.gemm(rows)
	return count * g.Preparations()
}

func (s stackPackStep) commonFloats(rows int) int {
	g, count := s.of.gemm(rows)
	return count * g.Shared()
}

func (s stackPackStep) run(in *instance, task int, _ *worker) {
	g, _ := s.of.gemm(in.rows)
	each, shared := g.Preparations(), g.Shared()
	i := task / each
	g = s.of.bound(in, i)
	g.Prepare(task%each, in.common[i*shared:])
}
