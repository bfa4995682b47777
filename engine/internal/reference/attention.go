package reference

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
)

// A head finds the numbers of one head among the inputs of an Attend.
type head struct {
	q, k, v          []float64 // from its first number on
	ldQ, ldKV, width int       // distances of queries and of keys and values; numbers of each
	queries, keys    int       // keys: those that count
	before           int       // keys that the first query sees beside its own, if causal
	at               [3]int    // where it begins in the gradient
	ldGradient       int
	scale            float64
	causal           bool
}

// heads calls f for each head; number i of all heads begins o at i·width… of its row.
func heads(o graph.Attend, in []*Value, f func(h *head, out, ldo int)) error {
	s := in[0].Shape
	rank := len(s)
	outer, queries, width := size(s[:rank-2]), s[rank-2], s[rank-1]
	keys, ld := queries, width
	if o.Packed {
		width /= 3
	} else {
		keys = in[1].Shape[rank-2]
	}
	d := width / o.Heads
	for r := range outer {
		n := keys
		if o.Lengths {
			n = int(in[len(in)-1].I[r])
			if n < 0 || n > keys {
				return fmt.Errorf("length %d, expected 0 to %d", n, keys)
			}
		}
		for i := range o.Heads {
			h := &head{ldQ: ld, ldKV: ld, width: d, queries: queries, keys: n, before: keys - queries, ldGradient: ld, scale: float64(o.Scale), causal: o.Causal}
			q, kv := r*queries*ld+i*d, r*keys*ld+i*d
			if o.Packed {
				h.q, h.k, h.v = in[0].F[q:], in[0].F[q+width:], in[0].F[q+2*width:]
				h.at = [3]int{q, q + width, q + 2*width}
			} else {
				h.q, h.k, h.v = in[0].F[q:], in[1].F[kv:], in[2].F[kv:]
				h.at = [3]int{q, outer*queries*width + kv, outer*(queries+keys)*width + kv}
			}
			f(h, r*queries*width+i*d, width)
		}
	}
	return nil
}

// weights are those of the keys that query i sees.
func (h *head) weights(i int) []float64 {
	n := h.keys
	if h.causal {
		n = min(n, h.before+i+1)
	}
	s := make([]float64, n)
	for j := range s {
		for l := range h.width {
			s[j] += h.scale * h.q[i*h.ldQ+l] * h.k[j*h.ldKV+l]
		}
	}
	for j, l := range logSoftmax(s) {
		s[j] = math.Exp(l)
	}
	return s
}

func attend(op graph.Op, in []*Value, out *Value, _ int) error {
	return heads(op.(graph.Attend), in, func(h *head, at, ld int) {
		for i := range h.queries {
			for j, w := range h.weights(i) {
				for l := range h.width {
					out.F[at+i*ld+l] += w * h.v[j*h.ldKV+l]
				}
			}
		}
	})
}

func attendGrad(op graph.Op, in []*Value, out *Value, _ int) error {
	dy := in[len(in)-1].F
	return heads(op.(graph.AttendGrad).Of, in[:len(in)-2], func(h *head, at, ld int) {
		for i := range h.queries {
			w := h.weights(i)
			g, mean := make([]float64, len(w)), 0.0
			for j := range w {
				for l := range h.width {
					g[j] += dy[at+i*ld+l] * h.v[j*h.ldKV+l]
				}
				mean += w[j] * g[j]
			}
			for j := range w {
				ds := w[j] * (g[j] - mean) * h.scale
				for l := range h.width {
					out.F[h.at[0]+i*h.ldGradient+l] += ds * h.k[j*h.ldKV+l]
					out.F[h.at[1]+j*h.ldGradient+l] += ds * h.q[i*h.ldQ+l]
					out.F[h.at[2]+j*h.ldGradient+l] += w[j] * dy[at+i*ld+l]
				}
			}
		}
	})
}

// standard returns the standardised numbers of a row, and one over their
// deviation.
func standard(x []float64, epsilon float32, centre bool) (y []float64, scale float64) {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		if centre {
			mean += v / float64(len(x))
		}
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	scale = 1 / math.Sqrt(variance+float64(epsilon))
	for _, v := range x {
		y = append(y, (v-mean)*scale)
	}
	return y, scale
}

func standardize(op graph.Op, in []*Value, out *Value, _ int) error {
	o, n := op.(graph.Standardize), in[1].Shape[0]
	for lo := 0; lo < len(out.F); lo += n {
		y, _ := standard(in[0].F[lo:lo+n], o.Epsilon, o.Centre)
		for j, v := range y {
			out.F[lo+j] = v * in[1].F[j]
			if o.Centre {
				out.F[lo+j] += in[2].F[j]
			}
		}
	}
	return nil
}

func standardizeGrad(op graph.Op, in []*Value, out *Value, _ int) error {
	o, n := op.(graph.StandardizeGrad), in[1].Shape[0]
	for lo := 0; lo < len(out.F); lo += n {
		y, scale := standard(in[0].F[lo:lo+n], o.Epsilon, o.Centre)
		mean, along := 0.0, 0.0
		for j, v := range y {
			g := in[1].F[j] * in[2].F[lo+j] / float64(n)
			mean += g
			along += g * v
		}
		if !o.Centre {
			mean = 0
		}
		for j, v := range y {
			out.F[lo+j] = scale * (in[1].F[j]*in[2].F[lo+j] - mean - v*along)
		}
	}
	return nil
}

func standardizeSums(op graph.Op, in []*Value, out *Value, _ int) error {
	o, n := op.(graph.StandardizeSums), out.Shape[1]
	for lo := 0; lo < len(in[0].F); lo += n {
		y, _ := standard(in[0].F[lo:lo+n], o.Epsilon, o.Centre)
		for j, v := range y {
			out.F[j] += v * in[1].F[lo+j]
			if o.Centre {
				out.F[n+j] += in[1].F[lo+j]
			}
		}
	}
	return nil
}

func products(op graph.Op, in []*Value, out *Value, rows int) error {
	rank := len(out.Shape)
	part := func(v *Value, i int) *Value {
		s := v.Shape[rank-2:]
		return &Value{Shape: s, F: v.F[i*size(s) : (i+1)*size(s)]}
	}
	o := op.(graph.Products)
	for i := range size(out.Shape[:rank-2]) {
		if err := product(graph.Product{TransA: o.TransA, TransB: o.TransB}, []*Value{part(in[0], i), part(in[1], i)}, part(out, i), rows); err != nil {
			return err
		}
	}
	return nil
}

func place(op graph.Op, in []*Value, out *Value, _ int) error {
	n := op.(graph.Place).N
	for i := range out.F {
		out.F[i] = indicator(i%n < int(in[0].I[i/n]))
	}
	return nil
}
