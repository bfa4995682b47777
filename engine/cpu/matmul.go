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
	g := s.gemm(in.rows)
	g.A, g.B, g.C = in.floats(s.a), in.floats(s.b), in.floats(s.n)
	g.Run(task, w.floats(g.Scratch()))
}
