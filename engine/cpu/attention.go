package cpu

import (
	"fmt"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Place, n *graph.Node) (step, error) { return &placeStep{n.In[0], n, op.N}, nil })
	register(func(op graph.Attend, n *graph.Node) (step, error) {
		return &attentionStep{newHeads(op, n.In), n}, nil
	})
	register(func(op graph.AttendGrad, n *graph.Node) (step, error) {
		k := len(n.In) - 2
		return &attentionGradStep{newHeads(op.Of, n.In[:k]), n.In[k], n.In[k+1], n}, nil
	})
}

// attentionHeads finds each head among the inputs.
type attentionHeads struct {
	op                   graph.Attend
	in                   []*graph.Node
	outer                graph.Size // how many rows of queries there are
	queries, keys, width int        // width of all heads together
}

func newHeads(op graph.Attend, in []*graph.Node) attentionHeads {
	s := in[0].Shape()
	h := attentionHeads{op: op, in: in, outer: s[:len(s)-2].Size()}
	h.queries, h.keys, h.width = op.Widths(in)
	return h
}

// head returns head i of row r, without its data if the run is nil.
func (h *attentionHeads) head(in *instance, r, i int) kernel.Attention {
	d, ld := h.width/h.op.Heads, h.width
	if h.op.Packed {
		ld = 3 * h.width
	}
	a := kernel.Attention{
		Queries: h.queries, Keys: h.keys, Width: d, LDQ: ld, LDK: ld, LDV: ld,
		Scale: h.op.Scale, Causal: h.op.Causal, Before: h.keys - h.queries,
	}
	if in == nil {
		return a
	}
	q, kv := r*h.queries*ld+i*d, r*h.keys*ld+i*d
	if x := in.floats(h.in[0]); h.op.Packed {
		a.Q, a.K, a.V = x[q:], x[q+h.width:], x[q+2*h.width:]
	} else {
		a.Q, a.K, a.V = x[q:], in.floats(h.in[1])[kv:], in.floats(h.in[2])[kv:]
	}
	if h.op.Lengths {
		lengths := h.in[len(h.in)-1]
		n := int(in.ints(lengths)[r])
		if n < 0 || n > h.keys {
			in.fail(fmt.Errorf("%s: %s: length %d at position %d, expected 0 to %d", in.exe.program.Name, h.op.Name(), n, r, h.keys))
			n = 0
		}
		a.Keys = n
	}
	return a
}

// attentionQueries is how many queries of a head are a task: enough to repay
// the packing of its keys and values.
const attentionQueries = 128

type attentionStep struct {
	attentionHeads
	y *graph.Node
}

func (s *attentionStep) tasks(rows int) int {
	if s.y.Shape().Size().Of(rows) == 0 {
		return 1
	}
	return s.outer.Of(rows) * s.op.Heads * chunks(s.queries, attentionQueries)
}

func (s *attentionStep) run(in *instance, task int, w *worker) {
	y := in.floats(s.y)
	if len(y) == 0 {
		return
	}
	parts := chunks(s.queries, attentionQueries)
	lo, hi := chunk(s.queries, attentionQueries, task%parts)
	r, i := task/parts/s.op.Heads, task/parts%s.op.Heads
	a := s.head(in, r, i)
	a.Run(y[r*s.queries*s.width+i*a.Width:], s.width, lo, hi, w.floats(a.Scratch()))
}

type attentionGradStep struct {
	attentionHeads
	o, do *graph.Node
	y     *graph.Node
}

// A task is a head, whose queries add up to the gradients of its keys in order.
func (s *attentionGradStep) tasks(rows int) int { return max(1, s.outer.Of(rows)*s.op.Heads) }

func (s *attentionGradStep) run(in *instance, task int, w *worker) {
	y := in.floats(s.y)
	if len(y) == 0 {
		return
	}
	r, i := task/s.op.Heads, task%s.op.Heads
	a := s.head(in, r, i)
	d, ld := a.Width, a.LDQ
	q, kv := r*s.queries*ld+i*d, r*s.keys*ld+i*d
	var dq, dk, dv []float32
	if s.op.Packed {
		dq, dk, dv = y[q:], y[q+s.width:], y[q+2*s.width:]
	} else {
		outer := s.outer.Of(in.rows)
		queries, keys := outer*s.queries*ld, outer*s.keys*ld
		dq, dk, dv = y[:queries][min(q, queries):], y[queries:][min(kv, keys):keys], y[queries+keys:][min(kv, keys):keys]
	}
	var o, do []float32
	if s.queries > 0 {
		at := r*s.queries*s.width + i*d
		o, do = in.floats(s.o)[at:], in.floats(s.do)[at:]
	}
	a.Gradient(dq, dk, dv, ld, ld, ld, o, do, s.width, s.width, w.floats(a.GradientScratch()))
	for j := a.Keys; j < s.keys; j++ { // filled up
		clear(dk[j*ld:][:d])
		clear(dv[j*ld:][:d])
	}
}

type placeStep struct {
	lengths, y *graph.Node
	n          int
}

func (s *placeStep) tasks(int) int { return 1 }

func (s *placeStep) run(in *instance, _ int, _ *worker) {
	y := in.floats(s.y)
	for i, length := range in.ints(s.lengths) {
		k := max(0, min(int(length), s.n))
		kernel.Fill(y[i*s.n:][:k], 1)
		clear(y[i*s.n+k:][:s.n-k])
	}
}
