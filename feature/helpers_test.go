package feature

import (
	"math"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

var nan = math.NaN()

// withDefaults returns options with their defaults, changed.
func withDefaults[T any](t testing.TB, change func(*T)) *T {
	t.Helper()
	o := new(T)
	if err := config.Defaults(o); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(o)
	}
	return o
}

func numbers(xs ...float64) *data.Column {
	return &data.Column{Name: "c", Type: data.Number, Numbers: xs}
}

func dates(xs ...float64) *data.Column {
	return &data.Column{Name: "c", Type: data.Datetime, Numbers: xs}
}

// coded returns a column of values; "" is missing.
func coded(typ data.Type, values ...string) *data.Column {
	c := &data.Column{Name: "c", Type: typ}
	code := map[string]int32{"": -1}
	for _, v := range values {
		k, ok := code[v]
		if !ok {
			k = int32(len(c.Dict))
			code[v] = k
			c.Dict = append(c.Dict, v)
		}
		c.Codes = append(c.Codes, k)
	}
	return c
}

func categories(values ...string) *data.Column { return coded(data.Category, values...) }

// booleans is a column spelt no and yes; '?' is missing.
func booleans(values string) *data.Column {
	c := &data.Column{Name: "c", Type: data.Boolean, Dict: []string{"no", "yes"}}
	for _, v := range values {
		c.Codes = append(c.Codes, map[rune]int32{'n': 0, 'y': 1, '?': -1}[v])
	}
	return c
}

func fitInput(t testing.TB, o InputOptions, c *data.Column) Input {
	t.Helper()
	f, err := o.Fit(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func fitOutput(t testing.TB, o OutputOptions, c *data.Column) Output {
	t.Helper()
	f, err := o.Fit(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// transform returns the tensors of a column.
func transform(t testing.TB, f Input, c *data.Column) []*tensor.Tensor {
	t.Helper()
	var out []*tensor.Tensor
	for _, s := range f.Specs() {
		x := s.New(c.Len())
		for i := range x.Raw() {
			x.Raw()[i] = 77 // what was there before is overwritten
		}
		out = append(out, x)
	}
	if err := f.Transform(c, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// defaults sets options to their defaults.
func defaults(t testing.TB, o any) {
	t.Helper()
	if err := config.Defaults(o); err != nil {
		t.Fatal(err)
	}
}

// encodeAt runs the network of a sequence, built for a length, with given weights.
func encodeAt(t testing.TB, f Input, c *data.Column, length int, state *graph.State) *tensor.Tensor {
	t.Helper()
	s, err := f.(Sequence).Sequences(c)
	if err != nil {
		t.Fatal(err)
	}
	b := graph.New("encode")
	var in []*graph.Node
	var feeds []*tensor.Tensor
	for k, spec := range f.Specs() {
		dtype, dims := spec.At(length).Type()
		in = append(in, b.Input(string(rune('a'+k)), dtype, dims...))
		if k == len(s.Values) {
			feeds = append(feeds, s.Lengths())
			continue
		}
		x := spec.At(length).New(c.Len())
		for i := range c.Len() {
			s.Fill(k, i, x, i)
		}
		feeds = append(feeds, x)
	}
	b.Output("encoded", f.Encode(&nn.Context{B: b, State: state}, in, false))
	return run(t, b, feeds)
}

// encode runs the input's network on a column.
func encode(t testing.TB, f Input, c *data.Column, linear bool) (*tensor.Tensor, *graph.State) {
	t.Helper()
	b, state := graph.New("encode"), graph.NewState()
	var in []*graph.Node
	for i, s := range f.Specs() {
		dtype, dims := s.Type()
		in = append(in, b.Input(string(rune('a'+i)), dtype, dims...))
	}
	b.Output("encoded", f.Encode(&nn.Context{B: b, State: state}, in, linear))
	return run(t, b, transform(t, f, c)), state
}

// run runs a program of one output.
func run(t testing.TB, b *graph.Builder, feeds []*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := cpu.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	out := tensor.Zeros(0)
	if err := exe.Run(feeds, []*tensor.Tensor{out}); err != nil {
		t.Fatal(err)
	}
	return out
}

func near(t testing.TB, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %v, expected %v", what, got, want)
		return
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tolerance) {
			t.Errorf("%s: element %d is %v, expected %v", what, i, got[i], w)
		}
	}
}
