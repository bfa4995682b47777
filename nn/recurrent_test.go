package nn

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestRecurrentAgreesWithPyTorch holds states and gradients of both directions
// against what testdata/record_recurrent.py recorded.
func TestRecurrentAgreesWithPyTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/recurrent.json")
	if err != nil {
		t.Fatal(err)
	}
	type weights struct{ Kernel, Bias, Recurrent []float64 }
	type way struct {
		weights
		Gradients weights
	}
	type recorded struct {
		Forward, Backward way
		Y, Dx             []float64
	}
	var r struct {
		Rows, Length, Width, Units int
		Lengths                    []int32
		X                          []float64
		GRU, LSTM                  recorded
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	floats := func(v []float64, shape ...int) *tensor.Tensor {
		x := tensor.Zeros(shape...)
		for i := range x.Floats() {
			x.Floats()[i] = float32(v[i])
		}
		return x
	}
	for kind, of := range map[string]struct {
		layer Layer
		recorded
	}{"gru": {GRU(r.Units, true), r.GRU}, "lstm": {LSTM(r.Units, true), r.LSTM}} {
		b, state := graph.New(kind), graph.NewState()
		x := b.Input("x", tensor.Float32, graph.Rows, graph.N(r.Length), graph.N(r.Width))
		w := b.Input("w", tensor.Float32, graph.Rows, graph.N(r.Length), graph.N(2*r.Units))
		c := &Context{B: b, State: state, Lengths: b.Input("lengths", tensor.Int32, graph.Rows)}
		y := of.layer.Apply(c, x)
		names := []string{"kernel", "bias", "recurrent"}
		var read []*graph.Node
		var want [][]float64
		for name, way := range map[string]way{"forward": of.Forward, "backward": of.Backward} {
			for i, v := range [][]float64{way.Kernel, way.Bias, way.weights.Recurrent} {
				p := state.Lookup(kind + "_1/" + name + "/" + names[i])
				if p == nil || p.Value.Len() != len(v) {
					t.Fatalf("%s: %s/%s is %v, recorded are %d numbers", kind, name, names[i], p, len(v))
				}
				copy(p.Value.Floats(), floats(v, len(v)).Floats())
				read = append(read, b.Read(p))
				want = append(want, [][]float64{way.Gradients.Kernel, way.Gradients.Bias, way.Gradients.Recurrent}[i])
			}
		}
		b.Output("y", y)
		want = append([][]float64{of.Y}, want...)
		for _, g := range graph.Gradients(graph.Sum(graph.Mul(y, w)), append(read, x)) {
			b.Output("gradient", g.Dense)
		}
		want = append(want, of.Dx)
		p, err := b.Program()
		if err != nil {
			t.Fatal(err)
		}
		exe, err := cpu.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		slope := make([]float64, r.Rows*r.Length*2*r.Units)
		for i := range slope {
			slope[i] = -1 + 2*float64(i)/float64(len(slope)-1)
		}
		lengths, err := tensor.FromInts(r.Lengths, r.Rows)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]*tensor.Tensor, len(want))
		for i := range out {
			out[i] = tensor.Zeros(0)
		}
		if err := exe.Run([]*tensor.Tensor{floats(r.X, r.Rows, r.Length, r.Width), floats(slope, r.Rows, r.Length, 2*r.Units), lengths}, out); err != nil {
			t.Fatal(err)
		}
		for i, v := range want {
			if len(v) != out[i].Len() {
				t.Fatalf("%s: %d numbers of result %d, recorded are %d", kind, out[i].Len(), i, len(v))
			}
			for j, v := range v {
				if got := float64(out[i].Floats()[j]); math.Abs(got-v) > 2e-6 {
					t.Errorf("%s: number %d of result %d is %v, recorded is %v", kind, j, i, got, v)
				}
			}
		}
	}
}

func TestRecurrentErrors(t *testing.T) {
	for want, l := range map[string]Layer{"0 units": GRU(0, false), "no Lengths": LSTM(3, true)} {
		b := graph.New("x")
		l.Apply(&Context{B: b, State: graph.NewState()}, b.Input("x", tensor.Float32, graph.Rows, graph.N(4), graph.N(2)))
		if b.Err() == nil || !strings.Contains(b.Err().Error(), want) {
			t.Errorf("%v, expected %q", b.Err(), want)
		}
	}
}
