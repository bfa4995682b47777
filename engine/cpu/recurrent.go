package cpu

import (
	"fmt"

	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op graph.Recurrent, n *graph.Node) (step, error) {
		return &recurrentStep{newRecurrence(op, n.In[0], n.In[2], n)}, nil
	})
	register(func(op graph.RecurrentGrad, n *graph.Node) (step, error) {
		return &recurrentGradStep{newRecurrence(op.Of, n.In[0], n.In[3], n.In[4]), n}, nil
	})
}

// recurrentRows is how many sequences are a task: enough for the tiles of a
// product, few enough to share a batch.
const recurrentRows = 28

// recurrence goes through sequences, some at a time, place by place.
type recurrence struct {
	op                    graph.Recurrent
	x, lengths, y         *graph.Node
	length, units, inputs int // inputs: numbers of x at a place
	states                int // of y
}

func newRecurrence(op graph.Recurrent, x, lengths, y *graph.Node) recurrence {
	states := y.Shape()[2].N
	return recurrence{op, x, lengths, y, x.Shape()[1].N, states / op.Kind.States(), x.Shape()[2].N, states}
}

func (s *recurrence) tasks(rows int) int { return chunks(s.x.Shape()[0].Of(rows), recurrentRows) }

// rows returns the sequences of a task and their lengths.
func (s *recurrence) rows(in *instance, task int) (lo, n, longest int, lengths []int32) {
	lengths = in.ints(s.lengths)
	lo, hi := chunk(len(lengths), recurrentRows, task)
	lengths = lengths[lo:hi]
	for i, l := range lengths {
		if l < 0 || int(l) > s.length {
			in.fail(fmt.Errorf("%s: %s: length %d at position %d, expected 0 to %d", in.exe.program.Name, s.op.Name(), l, lo+i, s.length))
			return lo, hi - lo, 0, make([]int32, hi-lo)
		}
		longest = max(longest, int(l))
	}
	return lo, hi - lo, longest, lengths
}

// product runs all of a product in a task.
func runProduct(g *kernel.Gemm, scratch []float32) {
	shared := scratch[:g.Shared()]
	for i := range g.Preparations() {
		g.Prepare(i, shared)
	}
	for i := range g.Tasks() {
		g.Run(i, shared, scratch[len(shared):])
	}
}

func productScratch(g *kernel.Gemm) int { return g.Shared() + g.Scratch() }

type recurrentStep struct{ recurrence }

func (s *recurrentStep) run(in *instance, task int, w *worker) {
	lo, n, longest, lengths := s.rows(in, task)
	h, wide := s.units, s.inputs
	g := kernel.Gemm{M: n, N: wide, K: h, LDA: h, LDB: wide, LDC: wide}
	scratch := w.floats(productScratch(&g) + n*(s.states+wide) + h)
	state, gates, spare := scratch[:n*h], scratch[n*h:][:n*wide], scratch[n*(h+wide):][:h]
	cells := scratch[n*(h+wide)+h:][:n*(s.states-h)]
	rest := scratch[n*(s.states+wide)+h:]
	clear(state)
	clear(cells)
	g.A, g.B, g.C = state, in.floats(s.y.In[1]), gates
	x, y := in.floats(s.x), in.floats(s.y)
	for k := range s.length {
		t := k
		if s.op.Reverse {
			t = s.length - 1 - k
		}
		if t < longest {
			runProduct(&g, rest)
		}
		for i := range n {
			at := (lo+i)*s.length + t
			out := y[at*s.states:][:s.states]
			if t >= int(lengths[i]) {
				clear(out)
				continue
			}
			a, u, hi := gates[i*wide:][:wide], x[at*wide:][:wide], state[i*h:][:h]
			if s.op.Kind == graph.OpLSTM {
				c := cells[i*h:][:h]
				lstmGates(a, u, h)
				kernel.Mul(c, c, a[h:2*h])
				kernel.Mul(spare, a[:h], a[2*h:3*h])
				kernel.Add(c, c, spare)
				kernel.Tanh(spare, c)
				kernel.Mul(hi, a[3*h:], spare)
				copy(out[h:], c)
			} else {
				gruGates(a, u, h)
				n := a[2*h:]
				kernel.Sub(hi, hi, n)
				kernel.Mul(hi, hi, a[h:2*h])
				kernel.Add(hi, hi, n)
			}
			copy(out, hi)
		}
	}
}

// lstmGates makes the four gates of what the state and the input give to them.
func lstmGates(a, x []float32, h int) {
	kernel.Add(a, a, x)
	kernel.Sigmoid(a[:2*h], a[:2*h])
	kernel.Tanh(a[2*h:3*h], a[2*h:3*h])
	kernel.Sigmoid(a[3*h:], a[3*h:])
}

// gruGates makes reset gate, update gate and candidate.
func gruGates(a, x []float32, h int) {
	kernel.Add(a[:2*h], a[:2*h], x[h:])
	kernel.Sigmoid(a[:2*h], a[:2*h])
	kernel.Mul(a[2*h:], a[2*h:], a[:h])
	kernel.Add(a[2*h:], a[2*h:], x[:h])
	kernel.Tanh(a[2*h:], a[2*h:])
}

type recurrentGradStep struct {
	recurrence
	d *graph.Node
}

func (s *recurrentGradStep) run(in *instance, task int, w *worker) {
	lo, n, longest, lengths := s.rows(in, task)
	h, wide := s.units, s.inputs
	// What a state gave to the gates goes back to it.
	g := kernel.Gemm{M: n, N: h, K: wide, LDA: s.length * 4 * h, LDB: h, LDC: h}
	scratch := w.floats(productScratch(&g) + n*2*h + n*(s.states-h) + wide + 4*h)
	take := func(n int) (part []float32) {
		part, scratch = scratch[:n], scratch[n:]
		return part
	}
	dh, back, dc := take(n*h), take(n*h), take(n*(s.states-h))
	a, p, q, r, zero := take(wide), take(h), take(h), take(h), take(h)
	clear(dh)
	clear(back)
	clear(dc)
	clear(zero)
	g.B, g.C = in.floats(s.d.In[2]), back
	x, products, y, dy, d := in.floats(s.x), in.floats(s.d.In[1]), in.floats(s.y), in.floats(s.d.In[5]), in.floats(s.d)
	for k := range s.length {
		t, before := s.length-1-k, -1 // and the place that came before it
		if s.op.Reverse {
			t, before = k, 1
		}
		for i := range n {
			at := (lo+i)*s.length + t
			out := d[at*4*h:][:4*h]
			if t >= int(lengths[i]) {
				clear(out)
				continue
			}
			copy(a, products[at*wide:][:wide])
			// dhi is the gradient of the state after this place, and then what of it goes to
			// the one before without a product, to which the product is added.
			dhi := dh[i*h:][:h]
			kernel.Add(dhi, dhi, back[i*h:][:h])
			kernel.Add(dhi, dhi, dy[at*s.states:][:h])
			old := zero
			if b := t + before; b >= 0 && b < int(lengths[i]) {
				old = y[(at+before)*s.states:][:s.states]
			}
			if s.op.Kind == graph.OpLSTM {
				if len(old) > h {
					old = old[h:]
				}
				lstmGates(a, x[at*wide:][:wide], h)
				s.lstm(out, a, y[at*s.states+h:][:h], old[:h], dhi, dy[at*s.states+h:][:h], dc[i*h:][:h], p, q)
			} else {
				u := r
				copy(u, a[2*h:])
				gruGates(a, x[at*wide:][:wide], h)
				s.gru(out, a, u, old[:h], dhi, p, q)
			}
		}
		if t < longest {
			g.A = d[(lo*s.length+t)*4*h+4*h-wide:]
			runProduct(&g, scratch)
		}
	}
}

// slope sets dst to dst·s·(1−s), the gradient through a sigmoid s.
func slope(dst, s, spare []float32) {
	kernel.RSubS(spare, s, 1)
	kernel.Mul(spare, spare, s)
	kernel.Mul(dst, dst, spare)
}

// slopeTanh sets dst to dst·(1−y²).
func slopeTanh(dst, y, spare []float32) {
	kernel.Square(spare, y)
	kernel.RSubS(spare, spare, 1)
	kernel.Mul(dst, dst, spare)
}

// lstm sets d to the gradients of what goes into the gates a, for the cells c after
// and old before, of those of h and c. It leaves in dh 0, as all of it goes through
// the gates, and in dc that of the cells before.
func (s *recurrentGradStep) lstm(d, a, c, old, dh, dyc, dc, p, q []float32) {
	h := s.units
	i, f, g, o := a[:h], a[h:2*h], a[2*h:3*h], a[3*h:]
	di, df, dg, do := d[:h], d[h:2*h], d[2*h:3*h], d[3*h:]
	kernel.Tanh(p, c)
	kernel.Mul(do, dh, p)
	slope(do, o, q)
	kernel.Mul(dh, dh, o)
	slopeTanh(dh, p, q)
	kernel.Add(dc, dc, dyc)
	kernel.Add(dc, dc, dh)
	kernel.Mul(di, dc, g)
	slope(di, i, q)
	kernel.Mul(df, dc, old)
	slope(df, f, q)
	kernel.Mul(dg, dc, i)
	slopeTanh(dg, g, q)
	kernel.Mul(dc, dc, f)
	clear(dh)
}

// gru sets d to the gradients of candidate, reset gate, update gate and of the
// product u of the candidate, for gates a and the state old before, of dh, in which
// it leaves what goes to that state without a product.
func (s *recurrentGradStep) gru(d, a, u, old, dh, p, q []float32) {
	h := s.units
	r, z, n := a[:h], a[h:2*h], a[2*h:]
	dn, dr, dz, du := d[:h], d[h:2*h], d[2*h:3*h], d[3*h:]
	kernel.Sub(p, old, n)
	kernel.Mul(dz, dh, p)
	slope(dz, z, q)
	kernel.RSubS(p, z, 1)
	kernel.Mul(dn, dh, p)
	slopeTanh(dn, n, q)
	kernel.Mul(dr, dn, u)
	slope(dr, r, q)
	kernel.Mul(du, dn, r)
	kernel.Mul(dh, dh, z)
}
