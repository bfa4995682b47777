package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

func init() {
	register(func(op graph.Pool, n *graph.Node) (step, error) {
		p := pooling{op.Window, op.KH, op.KW, n.In[0], n}
		if op.Kind == graph.OpPoolAverage {
			return &averageStep{p}, nil
		}
		return &maxStep{pooling: p, y: n}, nil
	})
	register(func(op graph.MaxPlace, n *graph.Node) (step, error) {
		return &maxStep{pooling: pooling{op.Window, op.KH, op.KW, n.In[0], n}, place: n}, nil
	})
	register(func(op graph.MaxSpread, n *graph.Node) (step, error) {
		return &maxSpreadStep{pooling{op.Window, op.KH, op.KW, n, n.In[0]}, n.In[1]}, nil
	})
	register(func(op graph.AverageSpread, n *graph.Node) (step, error) {
		return &averageSpreadStep{pooling{op.Window, op.KH, op.KW, n, n.In[0]}}, nil
	})
}

// A pooling goes over images with windows, of which there is a number for each
// channel.
type pooling struct {
	window         graph.Window
	kh, kw         int
	images, pooled *graph.Node
}

func (p *pooling) of(rows int) kernel.Pooling {
	x, y := p.images.Shape(), p.pooled.Shape()
	return kernel.Pooling{
		Rows: x[0].Of(rows), Height: x[1].N, Width: x[2].N, Channels: x[3].N, KH: p.kh, KW: p.kw,
		StrideH: p.window.StrideH, StrideW: p.window.StrideW, Top: p.window.Top, Left: p.window.Left,
		OutHeight: y[1].N, OutWidth: y[2].N,
	}
}

// A task of a pooling takes rows of windows, of one image after the other.
func (p *pooling) tasks(rows int) int {
	k := p.of(rows)
	return chunks(k.Rows*k.OutHeight, perPooling(&k))
}

func perPooling(k *kernel.Pooling) int {
	return max(1, 2*taskWork/(k.OutWidth*k.Channels*k.KH*k.KW))
}

// A portion is rows of windows of images, in turn: i0 to i1 of image n.
type portion struct{ lo, hi, n, i0, i1 int }

func (p *pooling) portion(rows, task int) (kernel.Pooling, portion) {
	k := p.of(rows)
	lo, hi := chunk(k.Rows*k.OutHeight, perPooling(&k), task)
	return k, portion{lo: lo, hi: hi}
}

func (s *portion) next(k *kernel.Pooling) bool {
	s.n, s.i0 = s.lo/k.OutHeight, s.lo%k.OutHeight
	s.i1 = min(s.i0+s.hi-s.lo, k.OutHeight)
	s.lo += s.i1 - s.i0
	return s.i0 < s.i1
}

// image returns the numbers of image n of a node.
func (in *instance) image(n *graph.Node, i int) []float32 {
	size := n.Shape()[1:].Size().Factor
	return in.words[n.ID][i*size : (i+1)*size]
}

// maxStep computes maxima, or their places.
type maxStep struct {
	pooling
	y, place *graph.Node
}

func (s *maxStep) run(in *instance, task int, _ *worker) {
	k, tasks := s.portion(in.rows, task)
	for t := tasks; t.next(&k); {
		var y []float32
		var place []int32
		if s.y != nil {
			y = in.image(s.y, t.n)
		}
		if s.place != nil {
			place = tensor.Ints(in.image(s.place, t.n))
		}
		k.Max(y, place, in.image(s.images, t.n), t.i0, t.i1)
	}
}

type averageStep struct{ pooling }

func (s *averageStep) run(in *instance, task int, _ *worker) {
	k, tasks := s.portion(in.rows, task)
	for t := tasks; t.next(&k); {
		k.Average(in.image(s.pooled, t.n), in.image(s.images, t.n), t.i0, t.i1)
	}
}

// The tasks of a gradient take whole images, whose windows may overlap.
type maxSpreadStep struct {
	pooling
	place *graph.Node
}

func (s *maxSpreadStep) tasks(rows int) int { return s.images.Shape()[0].Of(rows) }

func (s *maxSpreadStep) run(in *instance, n int, _ *worker) {
	k := s.of(in.rows)
	k.MaxSpread(in.image(s.images, n), in.image(s.pooled, n), tensor.Ints(in.image(s.place, n)))
}

type averageSpreadStep struct{ pooling }

func (s *averageSpreadStep) tasks(rows int) int { return s.images.Shape()[0].Of(rows) }

func (s *averageSpreadStep) run(in *instance, n int, w *worker) {
	k := s.of(in.rows)
	k.AverageSpread(in.image(s.images, n), in.image(s.pooled, n), w.floats(k.Channels))
}
