package cpu_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// lengthsUpTo declares lengths of 0 to n.
func (g *generator) lengthsUpTo(n int, outer ...graph.Dim) *graph.Node {
	x := g.ints(n, false, outer...)
	last := len(g.fill) - 1
	fill := g.fill[last]
	g.fill[last] = func(r *rand.Rand, t *tensor.Tensor) {
		fill(r, t)
		for i := range t.Ints() {
			t.Ints()[i]++
		}
	}
	return x
}

// recurrent draws a recurrence and its gradient; kernels are within ±0.5, so that
// errors do not grow from place to place.
func (g *generator) recurrent() {
	n := []graph.Dim{graph.Rows, graph.N(2)}[g.below(2, "leading")]
	length, units := 1+g.below(4, "length"), 1+g.below(3, "units")
	o := graph.Recurrent{Kind: graph.RecurrentKind(g.below(2, "kind")), Reverse: g.below(2, "reverse") == 0}
	gates := 4 - 1 + int(o.Kind)
	x := g.input(n, graph.N(length), graph.N(gates*units)).Node
	kernel := graph.Scale(g.input(graph.Fixed(units, gates*units)...).Node, 0.25)
	lengths := g.lengthsUpTo(length, n)
	y := graph.Apply(o, x, kernel, lengths)
	g.add(y, float64(length))
	p := graph.Scale(g.input(x.Shape()...).Node, 0.5)
	dy := graph.Scale(g.input(y.Shape()...).Node, 0.5)
	g.add(graph.Apply(graph.RecurrentGrad{Of: o}, x, p, graph.Transpose(kernel), lengths, y, dy), 100)
}

var (
	recurrent = tolerance{func(c *comparison, _ int) float64 { return float64(c.in[0].Shape[1]) * (64 + 16*c.classes()) },
		"gates of rounded sums; an error of a state comes to the next one smaller than it was, times the units at the most"}
	recurrentGrad = tolerance{func(c *comparison, _ int) float64 {
		return 16 * float64(c.in[0].Shape[1]*c.in[0].Shape[1]) * (64 + 16*c.classes())
	}, "products of gates and slopes, added up over the places behind"}
)

// TestRecurrentKeepsToItself: a sequence's states and gradients have the same bits in
// any batch and however far it is filled up, whatever stands there.
func TestRecurrentKeepsToItself(t *testing.T) {
	const rows, length, units = 61, 19, 20
	r := rand.New(rand.NewPCG(4, 2))
	draw := func(shape ...int) *tensor.Tensor {
		x := tensor.Zeros(shape...)
		for i := range x.Floats() {
			x.Floats()[i] = r.Float32()*2 - 1
		}
		return x
	}
	for _, o := range []graph.Recurrent{{}, {Reverse: true}, {Kind: graph.OpLSTM}, {Kind: graph.OpLSTM, Reverse: true}} {
		gates, states := 3+int(o.Kind), o.Kind.States()
		x, kernel, dy := draw(rows, length, gates*units), draw(units, gates*units), draw(rows, length, states*units)
		lengths := tensor.New(tensor.Int32, rows)
		for i := range lengths.Ints() {
			lengths.Ints()[i] = int32(i % (length + 1))
		}
		// run gives states and the gradient of x, for some rows, cut or filled up to n.
		run := func(lo, hi, n int) (y, dx *tensor.Tensor) {
			t.Helper()
			b := graph.New("recurrent")
			xs := b.Input("x", tensor.Float32, graph.Rows, graph.N(n), graph.N(gates*units))
			k := b.Input("kernel", tensor.Float32, graph.Fixed(units, gates*units)...)
			ls := b.Input("lengths", tensor.Int32, graph.Rows)
			d := b.Input("dy", tensor.Float32, graph.Rows, graph.N(n), graph.N(states*units))
			out := graph.Apply(o, xs, k, ls)
			b.Output("y", out)
			b.Output("dx", graph.Gradients(graph.Sum(graph.Mul(out, d)), []*graph.Node{xs})[0].Dense)
			p, err := b.Program()
			if err != nil {
				t.Fatal(err)
			}
			exe, err := cpu.Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			fit := func(x *tensor.Tensor) *tensor.Tensor {
				y := tensor.Zeros(hi-lo, n, x.Shape()[2])
				for i := range y.Floats() {
					y.Floats()[i] = 1e6 // filled up with
				}
				w := x.Shape()[2]
				for i := range hi - lo {
					copy(y.Floats()[i*n*w:(i+1)*n*w], x.Floats()[(lo+i)*length*w:(lo+i+1)*length*w])
				}
				return y
			}
			y, dx = tensor.Zeros(0), tensor.Zeros(0)
			if err := exe.Run([]*tensor.Tensor{fit(x), kernel, lengths.Rows(lo, hi), fit(dy)}, []*tensor.Tensor{y, dx}); err != nil {
				t.Fatal(err)
			}
			return y, dx
		}
		y, dx := run(0, rows, length)
		for _, c := range [][3]int{{0, 61, 24}, {7, 8, length}, {9, 10, 9}, {30, 60, 32}} {
			gotY, gotX := run(c[0], c[1], c[2])
			for _, pair := range [][2]*tensor.Tensor{{gotY, y}, {gotX, dx}} {
				w := pair[0].Shape()[2]
				for i := c[0]; i < c[1]; i++ {
					n := int(lengths.Ints()[i])
					got := pair[0].Floats()[(i-c[0])*c[2]*w:][:n*w]
					if want := pair[1].Floats()[i*length*w:][:n*w]; !slices.Equal(got, want) {
						t.Fatalf("%s, reverse %v: row %d differs in rows %d to %d filled up to %d", o.Name(), o.Reverse, i, c[0], c[1], c[2])
					}
					for _, v := range pair[0].Floats()[(i-c[0])*c[2]*w:][n*w : c[2]*w] {
						if v != 0 {
							t.Fatalf("%s: %v beyond the length of row %d", o.Name(), v, i)
						}
					}
				}
			}
		}
	}
}
