package nntest

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// Recorded is nn/testdata/pytorch.json.
type Recorded struct {
	Origin     string
	Layers     []Layer
	Losses     []Loss
	Optimizers Optimizers
	Schedules  Schedules
}

// A Layer is a layer's output and the gradients of Σ output·upstream.
type Layer struct {
	Name             string
	Training         bool
	X                Tensor
	Params, Stats    map[string]Tensor
	Upstream, Output Tensor
	Grads            map[string]Tensor
	After            map[string]Tensor // the statistics afterwards
}

// A Loss is the loss of each row and the gradient of their mean.
type Loss struct {
	Name          string
	Pred, Target  Tensor // Pred are logits if there are probabilities
	Smoothing     float64
	Probabilities *Tensor
	Loss, Grad    Tensor
}

// Optimizers is the training of a small network by different optimisers.
type Optimizers struct {
	Indices, Targets Tensor // [steps rows 2]
	Rates            []float64
	First            map[string]Tensor
	Cases            []struct {
		Name    string
		Sparse  bool // whether the embedding's gradient is
		Combine int  // batches per update
		Steps   []map[string]Tensor
	}
}

// Schedules are the factors of some schedules, and the values that the one
// which observes was shown.
type Schedules struct {
	Factors map[string][]float64
	Values  []float64
}

// A Tensor is a tensor in JSON.
type Tensor struct{ *tensor.Tensor }

// UnmarshalJSON reads a shape with floats or ints.
func (t *Tensor) UnmarshalJSON(b []byte) error {
	var v struct {
		Shape  []int
		Floats []float32
		Ints   []int32
	}
	err := json.Unmarshal(b, &v)
	if err != nil {
		return err
	}
	if v.Ints != nil {
		t.Tensor, err = tensor.FromInts(v.Ints, v.Shape...)
	} else {
		t.Tensor, err = tensor.FromFloats(v.Floats, v.Shape...)
	}
	return err
}

// Load reads the recorded values, of which root is the path of nn.
func Load(t *testing.T, root string) *Recorded {
	t.Helper()
	src, err := os.ReadFile(root + "/testdata/pytorch.json")
	if err != nil {
		t.Fatal(err)
	}
	r := &Recorded{}
	if err := json.Unmarshal(src, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Type returns the type of a tensor's node, its first dimension being rows.
func Type(x *tensor.Tensor) graph.Type {
	s := graph.Fixed(x.Shape()...)
	s[0] = graph.Rows
	return graph.Type{DType: x.DType(), Shape: s}
}

// Input declares an input for a tensor, its first dimension being rows.
func Input(b *graph.Builder, name string, x *tensor.Tensor) *graph.Node {
	return b.Input(name, x.DType(), Type(x).Shape...)
}

// A Program is compiled and ready to run.
type Program struct {
	t    testing.TB
	p    *graph.Program
	exec graph.Executable
}

// Compile finishes and compiles a program.
func Compile(t testing.TB, b *graph.Builder) *Program {
	t.Helper()
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := cpu.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return &Program{t, p, exec}
}

// Run feeds the program by the names of its inputs and returns its outputs by
// theirs.
func (p *Program) Run(feeds map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	p.t.Helper()
	var in, out []*tensor.Tensor
	for _, n := range p.p.Inputs {
		in = append(in, feeds[n.Op.(*graph.Input).ID])
	}
	results := map[string]*tensor.Tensor{}
	for _, o := range p.p.Outputs {
		results[o.Name] = tensor.New(o.Node.Type.DType, make([]int, len(o.Node.Shape()))...)
		out = append(out, results[o.Name])
	}
	if err := p.exec.Run(in, out); err != nil {
		p.t.Fatal(err)
	}
	return results
}

// Near reports elements of got that are further from want than tolerance,
// relative to their magnitude where that is above 1.
func Near(t testing.TB, what string, got, want *tensor.Tensor, tolerance float64) {
	t.Helper()
	if got == nil || want == nil || !tensor.SameShape(got.Shape(), want.Shape()) {
		t.Errorf("%s is %v, want %v", what, got, want)
		return
	}
	for i, w := range want.Floats() {
		g := got.Floats()[i]
		if d := math.Abs(float64(g) - float64(w)); !(d <= tolerance*max(1, math.Abs(float64(w)))) {
			t.Errorf("%s[%d] is %g, want %g within %g", what, i, g, w, tolerance)
			return
		}
	}
}

// Restore adds variables with given values to a state.
func Restore(t testing.TB, s *graph.State, values map[string]Tensor, trainable bool) {
	t.Helper()
	for name, v := range values {
		if _, err := s.Add(name, v.Clone(), trainable); err != nil {
			t.Fatal(err)
		}
	}
}
