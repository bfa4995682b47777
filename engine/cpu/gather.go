package cpu

import (
	"fmt"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(_ graph.Lookup, n *graph.Node) (step, error) {
		return &gatherStep{table: n.In[0], idx: n.In[1], y: n, width: n.In[0].Shape()[1:].Size()}, nil
	})
	register(func(_ graph.Put, n *graph.Node) (step, error) {
		return &putStep{n.In[0], n.In[1], n.In[2], n, n.Shape()[1:].Size()}, nil
	})
	register(func(op graph.Spread, n *graph.Node) (step, error) {
		return &spreadStep{n.In[0], n.In[1], n, op.N, n.Shape()[1:].Size()}, nil
	})
	register(func(op graph.Hot, n *graph.Node) (step, error) { return &hotStep{n.In[0], n, op.Classes}, nil })
}

// outOfRange is for indices that the program computes; those it is fed are
// checked before it runs.
func (in *instance) outOfRange(n *graph.Node, i, limit int) {
	in.fail(fmt.Errorf("%s: %s: index %d, expected −1 to %d", in.exe.program.Name, n.Op.Name(), i, limit-1))
}

type gatherStep struct {
	table, idx, y *graph.Node
	width         graph.Size // of a row
}

func (s *gatherStep) perTask(rows int) int { return max(1, taskWork/max(1, s.width.Of(rows))) }

func (s *gatherStep) tasks(rows int) int {
	return chunks(s.idx.Shape().Size().Of(rows), s.perTask(rows))
}

func (s *gatherStep) run(in *instance, task int, _ *worker) {
	table, idx, y, n := in.floats(s.table), in.ints(s.idx), in.floats(s.y), s.table.Shape()[0].N
	width := s.width.Of(in.rows)
	lo, hi := chunk(len(idx), s.perTask(in.rows), task)
	for i := lo; i < hi; i++ {
		dst := y[i*width : (i+1)*width]
		k := int(idx[i])
		if k < 0 || k >= n {
			if k != -1 {
				in.outOfRange(s.y, k, n)
			}
			kernel.Fill(dst, 0)
			continue
		}
		copy(dst, table[k*width:])
	}
}

type putStep struct {
	table, idx, values, y *graph.Node
	width                 graph.Size
}

func (s *putStep) tasks(int) int { return 1 }

func (s *putStep) run(in *instance, _ int, _ *worker) {
	table, idx, values, y := in.floats(s.table), in.ints(s.idx), in.floats(s.values), in.floats(s.y)
	if len(y) > 0 && &y[0] != &table[0] { // else in place
		kernel.Copy(y, table)
	}
	n, width := s.y.Shape()[0].N, s.width.Of(in.rows)
	for i, v := range idx {
		switch {
		case v == -1:
		case v < 0 || int(v) >= n:
			in.outOfRange(s.y, int(v), n)
		default:
			copy(y[int(v)*width:(int(v)+1)*width], values[i*width:])
		}
	}
}

// A task takes a block of columns, so that every sum keeps its order.
const collectColumns = 64

type spreadStep struct {
	idx, values, y *graph.Node
	n              int
	width          graph.Size
}

func (s *spreadStep) tasks(rows int) int { return chunks(s.width.Of(rows), collectColumns) }

func (s *spreadStep) run(in *instance, task int, _ *worker) {
	idx, values, y := in.ints(s.idx), in.floats(s.values), in.floats(s.y)
	width := s.width.Of(in.rows)
	lo, hi := chunk(width, collectColumns, task)
	for r := range s.n {
		kernel.Fill(y[r*width+lo:r*width+hi], 0)
	}
	for i, v := range idx {
		switch {
		case v == -1:
		case v < 0 || int(v) >= s.n:
			in.outOfRange(s.y, int(v), s.n)
		default:
			dst := y[int(v)*width+lo : int(v)*width+hi]
			kernel.Add(dst, dst, values[i*width+lo:i*width+hi])
		}
	}
}

type hotStep struct {
	idx, y  *graph.Node
	classes int
}

func (s *hotStep) tasks(int) int { return 1 }

func (s *hotStep) run(in *instance, _ int, _ *worker) {
	y := in.floats(s.y)
	kernel.Fill(y, 0)
	for i, v := range in.ints(s.idx) {
		switch {
		case v == -1:
		case v < 0 || int(v) >= s.classes:
			in.outOfRange(s.y, int(v), s.classes)
		default:
			y[i*s.classes+int(v)] = 1
		}
	}
}
