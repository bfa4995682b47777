package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Convolution, n *graph.Node) (step, error) {
		return &forwardStep{convolution{op.Window, n.In[0], n.In[1], n}}, nil
	})
	register(func(op graph.ConvolutionInput, n *graph.Node) (step, error) {
		return &backwardStep{convolution{op.Window, n, n.In[1], n.In[0]}}, nil
	})
	register(func(op graph.ConvolutionKernel, n *graph.Node) (step, error) {
		return &weightsStep{convolution{op.Window, n.In[0], n, n.In[1]}}, nil
	})
}

// A convolution of x with k gives y. One of the three is the result.
type convolution struct {
	window  graph.Window
	x, k, y *graph.Node
}

// of describes the convolution for a number of rows, without the data.
func (c *convolution) of(rows int) kernel.Convolution {
	x, k, y := c.x.Shape(), c.k.Shape(), c.y.Shape()
	return kernel.Convolution{
		Rows: x[0].Of(rows), Height: x[1].N, Width: x[2].N, In: x[3].N,
		KH: k[0].N, KW: k[1].N, Out: k[3].N, OutHeight: y[1].N, OutWidth: y[2].N,
		StrideH: c.window.StrideH, StrideW: c.window.StrideW, Top: c.window.Top, Left: c.window.Left,
	}
}

func (c *convolution) bound(in *instance) kernel.Convolution {
	v := c.of(in.rows)
	v.X, v.K, v.Y = in.floats(c.x), in.floats(c.k), in.floats(c.y)
	return v
}

type forwardStep struct{ convolution }

func (s *forwardStep) tasks(rows int) int {
	c := s.of(rows)
	return c.ForwardTasks()
}

func (s *forwardStep) run(in *instance, task int, w *worker) {
	c := s.bound(in)
	c.Forward(task, in.common, w.floats(c.ForwardScratch()))
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
	c := s.of.bound(in)
	c.PrepareForward(task, in.common)
}

type backwardStep struct{ convolution }

func (s *backwardStep) tasks(rows int) int {
	c := s.of(rows)
	return c.BackwardTasks()
}

func (s *backwardStep) run(in *instance, task int, w *worker) {
	c := s.bound(in)
	c.Backward(task, in.common, w.floats(c.BackwardScratch()))
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
	c := s.of.bound(in)
	c.PrepareBackward(task, in.common)
}

// weightsStep adds up what groups of images gave, which the step before it
// computes.
type weightsStep struct{ convolution }

func (s *weightsStep) tasks(rows int) int {
	c := s.of(rows)
	return c.WeightsFinishes()
}

func (s *weightsStep) run(in *instance, task int, _ *worker) {
	c := s.bound(in)
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
	c := s.of.bound(in)
	c.Weights(task, in.common, w.floats(c.WeightsScratch()))
}
