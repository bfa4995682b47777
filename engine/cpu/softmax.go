package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Normalize, n *graph.Node) (step, error) {
		return &softmaxStep{op.Log, n.In[0], n, lastDim(n)}, nil
	})
	register(func(op graph.CrossEntropy, n *graph.Node) (step, error) {
		return &crossEntropyStep{op.Smoothing, n.In[0], n.In[1], n, lastDim(n.In[0])}, nil
	})
	register(func(op graph.CrossEntropyGrad, n *graph.Node) (step, error) {
		return &crossEntropyGradStep{op.Smoothing, n.In[0], n.In[1], n.In[2], n, lastDim(n)}, nil
	})
}

func lastDim(n *graph.Node) int { return n.Shape()[len(n.Shape())-1].N }

// rowsPerTask is for kernels that spend some 30 operations an element.
func rowsPerTask(width int) int { return max(1, taskWork/16/max(1, width)) }

type softmaxStep struct {
	log   bool
	x, y  *graph.Node
	width int
}

func (s *softmaxStep) tasks(rows int) int {
	return chunks(s.y.Shape().Size().Of(rows)/s.width, rowsPerTask(s.width))
}

func (s *softmaxStep) run(in *instance, task int, w *worker) {
	x, y := in.floats(s.x), in.floats(s.y)
	lo, hi := chunk(len(y)/s.width, rowsPerTask(s.width), task)
	e := w.floats(s.width)
	for r := lo; r < hi; r++ {
		src, dst := x[r*s.width:(r+1)*s.width], y[r*s.width:(r+1)*s.width]
		if s.log {
			m := kernel.ReduceMax(src)
			kernel.SubS(dst, src, m)
			kernel.Exp(e, dst)
			kernel.SubS(dst, dst, log32(kernel.Sum(e), e))
		} else {
			softmaxRow(dst, src)
		}
	}
}

// softmaxRow sets dst to the softmax of src.
func softmaxRow(dst, src []float32) {
	kernel.SubS(dst, src, kernel.ReduceMax(src))
	kernel.Exp(dst, dst)
	kernel.DivS(dst, dst, kernel.Sum(dst))
}

// log32 is the vector kernel on one number, so that all logarithms agree. It
// overwrites the first element of scratch.
func log32(v float32, scratch []float32) float32 {
	scratch[0] = v
	kernel.Log(scratch[:1], scratch[:1])
	return scratch[0]
}

type crossEntropyStep struct {
	smoothing      float32
	logits, labels *graph.Node
	y              *graph.Node
	width          int
}

func (s *crossEntropyStep) tasks(rows int) int {
	return chunks(s.y.Shape().Size().Of(rows), rowsPerTask(s.width))
}

func (s *crossEntropyStep) run(in *instance, task int, w *worker) {
	x, labels, y := in.floats(s.logits), in.ints(s.labels), in.floats(s.y)
	lo, hi := chunk(len(y), rowsPerTask(s.width), task)
	e := w.floats(s.width)
	for r := lo; r < hi; r++ {
		label := int(labels[r])
		if label < 0 || label >= s.width {
			if label != -1 {
				in.outOfRange(s.y, label, s.width)
			}
			y[r] = 0
			continue
		}
		// −Σ t·log p with log p = z − log Σeᶻ, z the logits less their maximum.
		src := x[r*s.width : (r+1)*s.width]
		m := kernel.MaxRow(src)
		loss := log32(kernel.SumExp(src, m), e) - float32((1-s.smoothing)*(src[label]-m))
		if s.smoothing > 0 {
			kernel.SubS(e, src, m)
			loss -= float32(s.smoothing * (kernel.Sum(e) / float32(s.width)))
		}
		y[r] = loss
	}
}

type crossEntropyGradStep struct {
	smoothing          float32
	logits, labels, dy *graph.Node
	y                  *graph.Node
	width              int
}

func (s *crossEntropyGradStep) tasks(rows int) int {
	return chunks(s.labels.Shape().Size().Of(rows), rowsPerTask(s.width))
}

func (s *crossEntropyGradStep) run(in *instance, task int, w *worker) {
	x, labels, dy, y := in.floats(s.logits), in.ints(s.labels), in.floats(s.dy), in.floats(s.y)
	lo, hi := chunk(len(labels), rowsPerTask(s.width), task)
	for r := lo; r < hi; r++ {
		dst := y[r*s.width : (r+1)*s.width]
		label := int(labels[r])
		if label < 0 || label >= s.width {
			if label != -1 {
				in.outOfRange(s.y, label, s.width)
			}
			kernel.Fill(dst, 0)
			continue
		}
		if src := x[r*s.width:]; &dst[0] != &src[0] { // else in place
			copy(dst, src)
		}
		sum := kernel.SoftmaxRow(dst)
		kernel.CutS(dst, dst, graph.Vanishing*sum)
		kernel.MulS(dst, dst, dy[r]/sum)
		if s.smoothing > 0 {
			kernel.SubS(dst, dst, dy[r]*(s.smoothing/float32(s.width)))
		}
		dst[label] -= float32(dy[r] * (1 - s.smoothing))
	}
}
