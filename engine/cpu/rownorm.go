package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Standardize, n *graph.Node) (step, error) {
		s := &rowNormStep{op: op, x: n.In[0], gain: n.In[1], y: n, width: lastDim(n)}
		if op.Centre {
			s.shift = n.In[2]
		}
		return s, nil
	})
	register(func(op graph.StandardizeGrad, n *graph.Node) (step, error) {
		return &rowNormGradStep{op, n.In[0], n.In[1], n.In[2], n, lastDim(n)}, nil
	})
	register(func(op graph.StandardizeSums, n *graph.Node) (step, error) {
		return &rowNormSumsStep{op, n.In[0], n.In[1], n, lastDim(n)}, nil
	})
}

type rowNormStep struct {
	op             graph.Standardize
	x, gain, shift *graph.Node // shift is nil without centring
	y              *graph.Node
	width          int
}

func (s *rowNormStep) tasks(rows int) int {
	return chunks(s.y.Shape().Size().Of(rows)/s.width, rowsPerTask(s.width))
}

func (s *rowNormStep) run(in *instance, task int, w *worker) {
	x, gain, y, n := in.floats(s.x), in.floats(s.gain), in.floats(s.y), s.width
	var shift []float32
	if s.shift != nil {
		shift = in.floats(s.shift)
	} else {
		shift = w.floats(n)
		clear(shift)
	}
	lo, hi := chunk(len(y)/n, rowsPerTask(n), task)
	for r := lo; r < hi; r++ {
		row := x[r*n : (r+1)*n]
		mean, scale := kernel.Moments(row, s.op.Epsilon, s.op.Centre)
		kernel.NormRow(y[r*n:(r+1)*n], row, gain, shift, mean, scale)
	}
}

type rowNormGradStep struct {
	op          graph.StandardizeGrad
	x, gain, dy *graph.Node
	y           *graph.Node
	width       int
}

func (s *rowNormGradStep) tasks(rows int) int {
	return chunks(s.y.Shape().Size().Of(rows)/s.width, rowsPerTask(s.width))
}

func (s *rowNormGradStep) run(in *instance, task int, _ *worker) {
	x, gain, dy, y, n := in.floats(s.x), in.floats(s.gain), in.floats(s.dy), in.floats(s.y), s.width
	lo, hi := chunk(len(y)/n, rowsPerTask(n), task)
	for r := lo; r < hi; r++ {
		row := x[r*n : (r+1)*n]
		mean, scale := kernel.Moments(row, s.op.Epsilon, s.op.Centre)
		kernel.NormGradRow(y[r*n:(r+1)*n], row, gain, dy[r*n:(r+1)*n], mean, scale, s.op.Centre)
	}
}

// rowNormSumsStep adds up blocks of rows, each in ascending order, and then the
// blocks.
type rowNormSumsStep struct {
	op    graph.StandardizeSums
	x, dy *graph.Node
	y     *graph.Node
	width int
}

// normBlock is how many rows are added up first.
const normBlock = 64

func (s *rowNormSumsStep) blocks(rows int) int {
	return chunks(s.x.Shape().Size().Of(rows)/s.width, normBlock)
}

func (s *rowNormSumsStep) tasks(int) int { return 1 }

func (s *rowNormSumsStep) run(in *instance, _ int, _ *worker) {
	y := in.floats(s.y)
	kernel.SumRows(y, in.common, s.blocks(in.rows), len(y))
}

// before implements preparing.
func (s *rowNormSumsStep) before() step { return rowNormBlocks{s} }

type rowNormBlocks struct{ of *rowNormSumsStep }

func (s rowNormBlocks) tasks(rows int) int { return s.of.blocks(rows) }

func (s rowNormBlocks) commonFloats(rows int) int {
	return s.of.blocks(rows) * s.of.y.Shape().Size().Factor
}

func (s rowNormBlocks) run(in *instance, task int, _ *worker) {
	x, dy, n := in.floats(s.of.x), in.floats(s.of.dy), s.of.width
	lo, hi := chunk(len(x)/n, normBlock, task)
	sums := in.common[task*len(in.floats(s.of.y)):][:len(in.floats(s.of.y))]
	gain := sums[:n]
	clear(gain)
	for r := lo; r < hi; r++ {
		row := x[r*n : (r+1)*n]
		mean, scale := kernel.Moments(row, s.of.op.Epsilon, s.of.op.Centre)
		kernel.AddNormRow(gain, row, dy[r*n:(r+1)*n], mean, scale)
	}
	if s.of.op.Centre {
		kernel.SumRows(sums[n:], dy[lo*n:hi*n], hi-lo, n)
	}
}
