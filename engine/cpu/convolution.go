package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

func init() {
	register(func(op graph.Convolution, n *graph.Node) (step, error) {
		return &forwardStep{convolution{window: op.Window, x: n.In[0], k: n.In[1], y: n}}, nil
	})
	register(func(op graph.ConvolutionInput, n *graph.Node) (step, error) {
		return &backwardStep{convolution{window: op.Window, x: n, k: n.In[1], y: n.In[0]}}, nil
	})
	register(func(op graph.ConvolutionKernel, n *graph.Node) (step, error) {
		return &weightsStep{convolution{window: op.Window, x: n.In[0], k: n, y: n.In[1]}}, nil
	})
}

// A convolution of x with k gives y. One of the three is the result.
type convolution struct {
	window  graph.Window
	x, k, y *graph.Node
	following
	spread *maxSpreadStep // which y is spread by, an image at a time
}

// of describes the convolution for a number of rows, without the data.
func (c *convolution) of(rows int) kernel.Convolution {
	x, k, y := c.x.Shape(), c.k.Shape(), c.y.Shape()
	return kernel.Convolution{
		Rows: x[0].Of(rows), Height: x[1].N, Width: x[2].N, In: x[3].N,
		KH: k[0].N, KW: k[1].N, Out: k[3].N, OutHeight: y[1].N, OutWidth: y[2].N,
		StrideH: c.window.StrideH, StrideW: c.window.StrideW, Top: c.window.Top, Left: c.window.Left, Multiple: c.multiple,
	}
}

// imageFloats is the scratch memory for an image of y, if it is spread.
func (c *convolution) imageFloats() int {
	if c.spread == nil {
		return 0
	}
	return c.y.Shape()[1:].Size().Factor
}

// imageOfY returns image n of y, of which rows i0 to i1 are wanted.
func (c *convolution) imageOfY(in *instance, n, i0, i1 int, scratch []float32) []float32 {
	if c.spread == nil {
		return in.image(c.y, n)
	}
	s := c.spread
	k := s.of(in.rows)
	w0, w1 := max(i0, 0)/k.KH, min((i1+k.KH-1)/k.KH, k.OutHeight)
	image := scratch[:c.imageFloats()]
	size, line := k.OutWidth*k.Channels, k.Width*k.Channels
	if i1 > k.OutHeight*k.KH { // rows that no window reaches
		clear(image[max(i0, k.OutHeight*k.KH)*line:])
	}
	if w0 < w1 {
		at := image[w0*k.KH*line:]
		k.Height, k.OutHeight = (w1-w0)*k.KH, w1-w0
		k.MaxSpread(at, in.image(s.pooled, n)[w0*size:], tensor.Ints(in.image(s.place, n)[w0*size:]))
	}
	return image
}

// A forwardStep computes y.
type forwardStep struct{ convolution }

func (s *forwardStep) tasks(rows int) int {
	c := s.of(rows)
	return c.ForwardTasks()
}

func (s *forwardStep) run(in *instance, task int, w *worker) {
	c := s.of(in.rows)
	width := c.OutWidth * c.Out
	p := c.ForwardPart(task)
	most := min(s.rows(width), p.I1-p.I0)
	b := block{values: w.floats(s.floats(most * width)), size: most * width}
	c.K = in.floats(s.k)
	for n := p.N0; n < p.N1; n++ {
		for i := p.I0; i < p.I1; i += most {
			end := min(i+most, p.I1)
			lo := (n*c.OutHeight + i) * width
			b.base = lo
			s.begin(in, lo, lo+(end-i)*width)
			c.ForwardRows(s.target(in, s.y, lo, &b), in.image(s.x, n), in.common, i, end)
			s.finish(in, b.values[len(s.kept)*b.size:], n, i, end, lo, lo+(end-i)*width, &b)
		}
	}
}

// before implements preparing.
func (s *forwardStep) before() step { return forwardPackStep{s} }

// A forwardPackStep packs the kernel, which many tasks use.
type forwardPackStep struct{ of *forwardStep }

func (s forwardPackStep) tasks(rows int) int {
	c := s.of.of(rows)
	return c.ForwardPreparations()
}

func (s forwardPackStep) commonFloats(rows int) int {
	c := s.of.of(rows)
	return c.ForwardShared()
}

func (s forwardPackStep) run(in *instance, task int, _ *worker) {
	c := s.of.of(in.rows)
	c.K = in.floats(s.of.k)
	c.PrepareForward(task, in.common)
}

// A backwardStep computes x.
type backwardStep struct{ convolution }

func (s *backwardStep) tasks(rows int) int {
	c := s.of(rows)
	return c.BackwardTasks()
}

func (s *backwardStep) run(in *instance, task int, w *worker) {
	c := s.of(in.rows)
	width := c.Width * c.In
	p := c.BackwardPart(task)
	most := min(max(1, s.rows(width)/c.StrideH), p.I1-p.I0)
	image := s.imageFloats()
	scratch := w.floats(image + s.floats(most*c.StrideH*width))
	b := block{values: scratch[image:], size: most * c.StrideH * width}
	for n := p.N0; n < p.N1; n++ {
		y := s.imageOfY(in, n, p.I0-c.KH, p.I1+c.KH, scratch)
		for i := p.I0; i < p.I1; i += most {
			end := min(i+most, p.I1)
			first, last := i*c.StrideH, min(end*c.StrideH, c.Height)
			lo := (n*c.Height + first) * width
			b.base = lo
			s.begin(in, lo, lo+(last-first)*width)
			c.BackwardRows(s.target(in, s.x, lo, &b), y, in.common, i, end)
			s.finish(in, b.values[len(s.kept)*b.size:], n, first, last, lo, lo+(last-first)*width, &b)
		}
	}
}

// before implements preparing.
func (s *backwardStep) before() step { return backwardPackStep{s} }

type backwardPackStep struct{ of *backwardStep }

func (s backwardPackStep) tasks(rows int) int {
	c := s.of.of(rows)
	return c.BackwardPreparations()
}

func (s backwardPackStep) commonFloats(rows int) int {
	c := s.of.of(rows)
	return c.BackwardShared()
}

func (s backwardPackStep) run(in *instance, task int, _ *worker) {
	c := s.of.of(in.rows)
	c.K = in.floats(s.of.k)
	c.PrepareBackward(task, in.common)
}

// A weightsStep computes k: it adds up what groups of images gave, which the
// step before it computes.
type weightsStep struct{ convolution }

func (s *weightsStep) tasks(rows int) int {
	c := s.of(rows)
	return c.WeightsFinishes()
}

func (s *weightsStep) run(in *instance, task int, _ *worker) {
	c := s.of(in.rows)
	c.K = in.floats(s.k)
	c.FinishWeights(task, in.common)
}

// before implements preparing.
func (s *weightsStep) before() step { return groupsStep{s} }

type groupsStep struct{ of *weightsStep }

func (s groupsStep) tasks(rows int) int {
	c := s.of.of(rows)
	return c.WeightsTasks()
}

func (s groupsStep) commonFloats(rows int) int {
	c := s.of.of(rows)
	return c.WeightsShared()
}

func (s groupsStep) run(in *instance, task int, w *worker) {
	c := s.of.of(in.rows)
	c.K = in.floats(s.of.k)
	image := s.of.imageFloats()
	scratch := w.floats(image + c.WeightsScratch())
	p := c.WeightsPart(task)
	sums := c.Sums(p, in.common)
	for n := p.N0; n < p.N1; n++ {
		y := s.of.imageOfY(in, n, 0, c.OutHeight, scratch)
		c.AddWeights(p, sums, in.image(s.of.x, n), y, scratch[image:])
	}
}
