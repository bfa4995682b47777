package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(_ graph.Swap, n *graph.Node) (step, error) { return &transposeStep{n.In[0], n}, nil })
	register(func(op graph.Join, n *graph.Node) (step, error) {
		s := &joinStep{y: n, outer: n.Shape()[:op.Axis].Size(), total: n.Shape()[op.Axis:].Size()}
		for _, x := range n.In {
			s.parts = append(s.parts, x)
			s.lengths = append(s.lengths, x.Shape()[op.Axis:].Size())
		}
		return s, nil
	})
	register(func(op graph.Cut, n *graph.Node) (step, error) {
		x := n.In[0].Shape()
		before := append(graph.Shape{{N: op.Lo, PerRow: x[op.Axis].PerRow}}, x[op.Axis+1:]...)
		return &cutStep{
			x: n.In[0], y: n, outer: x[:op.Axis].Size(),
			from: before.Size(), length: n.Shape()[op.Axis:].Size(), total: x[op.Axis:].Size(),
		}, nil
	})
}

type transposeStep struct{ x, y *graph.Node }

const transposeBlock = 64

func (s *transposeStep) tasks(rows int) int { return chunks(s.x.Shape()[0].Of(rows), transposeBlock) }

func (s *transposeStep) run(in *instance, task int, _ *worker) {
	m, n := s.x.Shape()[0].Of(in.rows), s.x.Shape()[1].Of(in.rows)
	lo, hi := chunk(m, transposeBlock, task)
	kernel.Transpose(in.floats(s.y)[min(lo, len(in.floats(s.y))):], in.floats(s.x)[lo*n:hi*n], hi-lo, n, m)
}

// joinStep copies from each part, outer index by outer index. Words are
// copied whatever they stand for, so it serves int32 too.
type joinStep struct {
	y       *graph.Node
	parts   []*graph.Node
	lengths []graph.Size // of a part, and of them all, under one outer index
	outer   graph.Size
	total   graph.Size
}

func (s *joinStep) perTask(rows int) int { return max(1, taskWork/max(1, s.total.Of(rows))) }

func (s *joinStep) tasks(rows int) int { return chunks(s.outer.Of(rows), s.perTask(rows)) }

func (s *joinStep) run(in *instance, task int, _ *worker) {
	lo, hi := chunk(s.outer.Of(in.rows), s.perTask(in.rows), task)
	y, total, at := in.floats(s.y), s.total.Of(in.rows), 0
	for i, part := range s.parts {
		x, n := in.floats(part), s.lengths[i].Of(in.rows)
		for o := lo; o < hi; o++ {
			kernel.Copy(y[o*total+at:][:n], x[o*n:])
		}
		at += n
	}
}

type cutStep struct {
	x, y                       *graph.Node
	outer, from, length, total graph.Size
}

func (s *cutStep) perTask(rows int) int { return max(1, taskWork/max(1, s.length.Of(rows))) }

func (s *cutStep) tasks(rows int) int { return chunks(s.outer.Of(rows), s.perTask(rows)) }

func (s *cutStep) run(in *instance, task int, _ *worker) {
	lo, hi := chunk(s.outer.Of(in.rows), s.perTask(in.rows), task)
	from, n, total := s.from.Of(in.rows), s.length.Of(in.rows), s.total.Of(in.rows)
	for o := lo; o < hi; o++ {
		kernel.Copy(in.floats(s.y)[o*n:(o+1)*n], in.floats(s.x)[o*total+from:])
	}
}
