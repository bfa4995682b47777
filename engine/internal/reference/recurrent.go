package reference

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
)

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// places calls f for each place of each sequence in the order of the recurrence, with
// the place before, or -1.
func places(o graph.Recurrent, length int, lengths []int32, f func(at, before int)) error {
	for i, n := range lengths {
		if n < 0 || int(n) > length {
			return fmt.Errorf("length %d, expected 0 to %d", n, length)
		}
		before := -1
		for k := range int(n) {
			t := k
			if o.Reverse {
				t = int(n) - 1 - k
			}
			f(i*length+t, before)
			before = i*length + t
		}
	}
	return nil
}

// gates returns the gates of a place: of an LSTM i, f, g and o; of a GRU r, z, n and
// the product of the candidate. P are the products of the state before.
func gates(o graph.Recurrent, x, p []float64, h int) [4][]float64 {
	var g [4][]float64
	for j := range h {
		if o.Kind == graph.OpLSTM {
			for k := range 4 {
				v := x[k*h+j] + p[k*h+j]
				if k == 2 {
					v = math.Tanh(v)
				} else {
					v = logistic(v)
				}
				g[k] = append(g[k], v)
			}
			continue
		}
		r := logistic(x[h+j] + p[j])
		g[0], g[1] = append(g[0], r), append(g[1], logistic(x[2*h+j]+p[h+j]))
		g[2], g[3] = append(g[2], math.Tanh(x[j]+r*p[2*h+j])), append(g[3], p[2*h+j])
	}
	return g
}

func recurrent(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(graph.Recurrent)
	h, wide, states := in[1].Shape[0], in[1].Shape[1], out.Shape[2]
	return places(o, in[0].Shape[1], in[2].I, func(at, before int) {
		p, old := make([]float64, wide), make([]float64, states)
		if before >= 0 {
			old = out.F[before*states : (before+1)*states]
		}
		for j := range wide {
			for k := range h {
				p[j] += old[k] * in[1].F[k*wide+j]
			}
		}
		g := gates(o, in[0].F[at*wide:(at+1)*wide], p, h)
		for j := range h {
			y := out.F[at*states:]
			if o.Kind == graph.OpLSTM {
				y[h+j] = g[1][j]*old[h+j] + g[0][j]*g[2][j]
				y[j] = g[3][j] * math.Tanh(y[h+j])
			} else {
				y[j] = g[2][j] + g[1][j]*(old[j]-g[2][j])
			}
		}
	})
}

func recurrentGrad(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(graph.RecurrentGrad).Of
	x, products, turned, y, dy := in[0], in[1], in[2], in[4], in[5]
	wide, h, states := turned.Shape[0], turned.Shape[1], y.Shape[2]
	var order [][2]int
	if err := places(o, x.Shape[1], in[3].I, func(at, before int) { order = append(order, [2]int{at, before}) }); err != nil {
		return err
	}
	dh, dc := make([]float64, h), make([]float64, h)
	for i := len(order) - 1; i >= 0; i-- {
		at, before := order[i][0], order[i][1]
		if i == len(order)-1 || order[i+1][1] < 0 { // the last of a sequence
			clear(dh)
			clear(dc)
		}
		g := gates(o, x.F[at*wide:(at+1)*wide], products.F[at*wide:(at+1)*wide], h)
		old := make([]float64, states)
		if before >= 0 {
			old = y.F[before*states : (before+1)*states]
		}
		d := out.F[at*4*h : (at+1)*4*h]
		for j := range h {
			dh[j] += dy.F[at*states+j]
			if o.Kind == graph.OpLSTM {
				in, forget, new, gate, c := g[0][j], g[1][j], g[2][j], g[3][j], math.Tanh(y.F[at*states+h+j])
				cell := dc[j] + dy.F[at*states+h+j] + dh[j]*gate*(1-c*c)
				d[j], d[h+j] = cell*new*in*(1-in), cell*old[h+j]*forget*(1-forget)
				d[2*h+j], d[3*h+j] = cell*in*(1-new*new), dh[j]*c*gate*(1-gate)
				dc[j], dh[j] = cell*forget, 0
			} else {
				r, z, n, u := g[0][j], g[1][j], g[2][j], g[3][j]
				dn := dh[j] * (1 - z) * (1 - n*n)
				d[j], d[h+j], d[2*h+j], d[3*h+j] = dn, dn*u*r*(1-r), dh[j]*(old[j]-n)*z*(1-z), dn*r
				dh[j] *= z
			}
		}
		for j := range h {
			for k := range wide {
				dh[j] += d[4*h-wide+k] * turned.F[k*h+j]
			}
		}
	}
	return nil
}
