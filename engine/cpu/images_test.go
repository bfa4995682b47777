package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

func normals(r *rand.Rand, dims ...int) *tensor.Tensor {
	x := tensor.Zeros(dims...)
	for i := range x.Floats() {
		x.Floats()[i] = float32(r.NormFloat64())
	}
	return x
}

// asAlone compiles a program as it is and with every value in memory, each
// computed by itself, and compares the outputs bit by bit.
func asAlone(t *testing.T, what string, build func(b *graph.Builder), feeds ...*tensor.Tensor) {
	t.Helper()
	b := graph.New("p")
	build(b)
	p := mustProgram(t, b)
	for _, n := range p.Nodes {
		b.Output("", n)
	}
	q := mustProgram(t, b)
	x, y := blank(p), blank(q)
	if err := mustCompile(t, p).Run(feeds, x); err != nil {
		t.Fatal(err)
	}
	if err := mustCompile(t, q).Run(feeds, y); err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if at := differ(x[i], y[i]); at >= 0 {
			t.Errorf("%s output %d (%s): element %d of %v differs: %v %v", what, i, p.Outputs[i].Name, at, x[i], x[i].Floats()[at], y[i].Floats()[at])
		}
	}
}

// TestRandomImageNetworks: what tasks of convolutions compute block by block has
// the bits of the same values computed one after the other, for images of several
// blocks, windows of all kinds and values that are needed elsewhere too.
func TestRandomImageNetworks(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		rows := []int{0, 1, 2, 5}[r.IntN(4)]
		h, w, c := 5+r.IntN(60), 5+r.IntN(60), 1+r.IntN(6)
		s := graph.NewState()
		n := 0
		what := fmt.Sprint("seed ", seed, " rows ", rows, " image ", h, w, c)
		build := func(b *graph.Builder) {
			r := rand.New(rand.NewPCG(seed, 3))
			x := b.Input("x", tensor.Float32, graph.Rows, graph.N(h), graph.N(w), graph.N(c))
			y := x
			var wrt []*graph.Node
			param := func(dims ...int) *graph.Node {
				n++
				v, err := s.Add(fmt.Sprint("v", n), normals(r, dims...), true)
				if err != nil {
					t.Fatal(err)
				}
				wrt = append(wrt, b.Read(v))
				return b.Read(v)
			}
			var losses []*graph.Node
			for layer := range 1 + r.IntN(3) {
				sh := y.Shape()
				ih, iw, ic := sh[1].N, sh[2].N, sh[3].N
				kh, kw, oc := 1+r.IntN(min(5, ih)), 1+r.IntN(min(5, iw)), 1+r.IntN(40)
				o := graph.Same(ih, iw, kh, kw, 1+r.IntN(3), 1+r.IntN(3))
				if r.IntN(2) == 0 {
					o = graph.Window{StrideH: 1 + r.IntN(2), StrideW: 1 + r.IntN(2), Top: r.IntN(kh), Left: r.IntN(kw)}
				}
				y = graph.Conv2D(y, param(kh, kw, ic, oc), o)
				raw := y
				if r.IntN(3) > 0 {
					y = graph.Add(y, param(oc))
				}
				switch r.IntN(4) {
				case 0:
					y = graph.Relu(y)
				case 1:
					y = graph.Tanh(y)
				case 2:
					y = graph.Gelu(y)
				}
				if r.IntN(4) == 0 {
					losses = append(losses, graph.Sum(graph.Square(raw)))
				}
				if r.IntN(4) == 0 {
					b.Output(fmt.Sprint("act", layer), y)
				}
				before := y
				if sh := y.Shape(); r.IntN(4) > 0 {
					ph, pw := 1+r.IntN(min(4, sh[1].N)), 1+r.IntN(min(4, sh[2].N))
					o := graph.Window{StrideH: ph, StrideW: pw}
					if r.IntN(4) == 0 {
						o.StrideH = 1
					}
					y = graph.MaxPool(y, ph, pw, o)
					if r.IntN(3) == 0 {
						y = graph.Mul(graph.Tanh(y), param(y.Shape()[3].N))
					}
					if r.IntN(4) == 0 {
						ph = 1 + r.IntN(min(3, sh[1].N))
						losses = append(losses, graph.Sum(graph.Square(graph.MaxPool(before, ph, 1, graph.Window{StrideH: ph, StrideW: 1}))))
					}
				}
				if r.IntN(3) == 0 && y.Shape().Equal(before.Shape()) {
					y = graph.Add(y, before)
				}
			}
			loss := graph.Sum(graph.Tanh(y))
			for _, l := range losses {
				loss = graph.Add(loss, l)
			}
			b.Output("loss", loss)
			if r.IntN(2) == 0 {
				wrt = append(wrt, x)
			}
			for i, g := range graph.Gradients(loss, wrt) {
				if g.Dense != nil {
					b.Output(fmt.Sprint("g", i), g.Dense)
				}
			}
		}
		asAlone(t, what, build, normals(r, rows, h, w, c))
	}
}
