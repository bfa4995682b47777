package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestRandomTransformers: the gradients of small language models, whose logits
// make room for their own gradient, are those of a program that keeps every value;
// with places that are filled up, labels that are none and no rows at all.
func TestRandomTransformers(t *testing.T) {
	for seed := range uint64(40) {
		s := graph.NewState()
		r := rand.New(rand.NewPCG(seed, 1))
		T, V, H := 1+r.IntN(9), 2+r.IntN(40), 1+r.IntN(3)
		d := H * (1 + r.IntN(9))
		rows := []int{0, 1, 3, 17}[r.IntN(4)]
		x, y, n := tensor.New(tensor.Int32, rows, T), tensor.New(tensor.Int32, rows*T), tensor.New(tensor.Int32, rows)
		for i := range x.Ints() {
			x.Ints()[i], y.Ints()[i] = int32(r.IntN(V+1)-1), int32(r.IntN(V+1)-1)
		}
		for i := range n.Ints() {
			n.Ints()[i] = int32(r.IntN(T + 1))
		}
		asAlone(t, fmt.Sprint("seed ", seed, ","), func(b *graph.Builder) {
			X, Y, L := b.Input("x", tensor.Int32, graph.Rows, graph.N(T)), b.Input("y", tensor.Int32, graph.Dim{N: T, PerRow: true}), b.Input("n", tensor.Int32, graph.Rows)
			var wrt []*graph.Node
			param := func(name string, dims ...int) *graph.Node {
				v, err := s.Add(name, normals(r, dims...), true)
				if err != nil {
					t.Fatal(err)
				}
				wrt = append(wrt, b.Read(v))
				return b.Read(v)
			}
			table := param("table", V, d)
			h := graph.GatherDense(table, X)
			flat := func(x *graph.Node) *graph.Node {
				return graph.Reshape(x, graph.Dim{N: T, PerRow: true}, x.Shape()[len(x.Shape())-1])
			}
			h = graph.LayerNorm(h, param("g", d), param("s", d), 1e-5)
			qkv := graph.Linear(flat(h), param("w", d, 3*d), param("b", 3*d), false)
			o := graph.AttentionOptions{Heads: H, Causal: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				o.Lengths = L
			} else {
				h = graph.Mul(h, graph.Reshape(graph.Within(L, T), graph.Rows, graph.N(T), graph.N(1)))
			}
			a := graph.SelfAttention(graph.Reshape(qkv, graph.Rows, graph.N(T), graph.N(3*d)), o)
			h = graph.Add(h, a)
			f := graph.Linear(flat(h), param("w1", d, 2*d), param("b1", 2*d), r.IntN(2) == 0)
			if r.IntN(2) == 0 {
				f = graph.GeluTanh(f)
			}
			h = graph.RMSNorm(graph.Add(flat(h), graph.MatMul(f, param("w2", 2*d, d))), param("g2", d), 1e-5)
			logits := graph.Apply(graph.Product{TransB: true}, h, table)
			loss := graph.Sum(graph.SoftmaxCrossEntropy(logits, Y, []float64{0, 0.1}[r.IntN(2)]))
			if r.IntN(4) == 0 {
				loss = graph.Add(loss, graph.Sum(graph.Square(graph.Softmax(logits))))
			}
			b.Output("loss", loss)
			for _, g := range graph.Gradients(loss, wrt) {
				b.Output("g", g.Dense)
			}
		}, x, y, n)
	}
}
