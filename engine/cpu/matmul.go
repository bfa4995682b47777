package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Product, n *graph.Node) (step, error) {
		return &matmulStep{op: op, n: n, a: n.In[0], b: n.In[1]}, nil
	})
}

type matmulStep struct {
	op      graph.Product
	n, a, b *graph.Node
}

// gemm describes the product for a number of rows, without the data.
func (s *matmulStep) gemm(rows int) kernel.Gemm {
	g := kernel.Gemm{
		M: s.n.Shape()[0].Of(rows), N: s.n.Shape()[1].Of(rows),
		TransA: s.op.TransA, TransB: s.op.TransB,
		LDA: s.a.Shape()[1].Of(rows), LDB: s.b.Shape()[1].Of(rows), LDC: s.n.Shape()[1].Of(rows),
	}
	if s.op.TransA {
		g.K = s.a.Shape()[0].Of(rows)
	} else {
		g.K = s.a.Shape()[1].Of(rows)
	}
	return g
}

func (s *matmulStep) tasks(rows int) int {
	g := s.gemm(rows)
	return g.Tasks()
}

func (s *matmulStep) run(in *instance, task int, w *worker) {
	g := s.bound(in)
	p := g.Product()
	p.Run(task, in.common, w.floats(p.Scratch()))
	if s.op.Bias {
		g.AddBias(task, in.floats(s.n.In[2]), s.op.Relu)
	}
}

func (s *matmulStep) bound(in *instance) kernel.Gemm {
	g := s.gemm(in.rows)
	g.A, g.B, g.C = in.floats(s.a), in.floats(s.b), in.floats(s.n)
	return g
}

// before implements preparing.
func (s *matmulStep) before() step { return packStep{s} }

// A packStep packs the right matrix of a product that uses it often.
type packStep struct{ of *matmulStep }

func (s packStep) tasks(rows int) int {
	g := s.of.gemm(rows)
	return g.Preparations()
}

func (s packStep) commonFloats(rows int) int {
	g := s.of.gemm(rows)
	return g.Shared()
}

func (s packStep) run(in *instance, task int, _ *worker) {
	g := s.of.bound(in)
	g.Prepare(task, in.common)
}
