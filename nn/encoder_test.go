package nn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/optim"
)

var small = EncoderOptions{Vocabulary: 20, Positions: 9, First: 1, Types: 2, Width: 8, Depth: 3, Heads: 2, Hidden: 12, Activation: GELU, Epsilon: 1e-5}

// encoded builds an encoder with a head over a state.
func encoded(t *testing.T, s *graph.State, o EncoderOptions, training bool) (graph.Executable, *graph.Builder) {
	t.Helper()
	b := graph.New("encoder")
	c := &Context{B: b, State: s, InitSeed: 4, Training: training}
	ids, lengths := b.Input("ids", tensor.Int32, graph.Rows, graph.N(5)), b.Input("lengths", tensor.Int32, graph.Rows)
	c.Lengths = lengths
	h := MaxPlace().Apply(c, Encoder(o).Apply(c, ids))
	h = UnitLength().Apply(c, h)
	b.Output("vector", h)
	if training {
		y := Dense(3).Apply(c, h)
		loss := graph.Mean(graph.SoftmaxCrossEntropy(y, b.Input("y", tensor.Int32, graph.Rows), 0))
		optim.Apply(optim.SGD(1), s, loss, b.Scalar(0.1), s.Trainable(), optim.Options{})
	}
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := cpu.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return exe, b
}

func encoderFeeds() []*tensor.Tensor {
	ids, lengths, y := tensor.New(tensor.Int32, 4, 5), tensor.New(tensor.Int32, 4), tensor.New(tensor.Int32, 4)
	copy(lengths.Ints(), []int32{5, 2, 0, 3})
	for i := range ids.Ints() {
		ids.Ints()[i] = int32(i * 7 % 20)
		if i%5 >= int(lengths.Ints()[i/5]) {
			ids.Ints()[i] = -1
		}
	}
	copy(y.Ints(), []int32{0, 1, 2, 1})
	return []*tensor.Tensor{ids, lengths, y}
}

// TestEncoderRates: what has a rate of 0 stays as it is, what has one moves by it, and
// corrections of low rank are trained where the rest is not.
func TestEncoderRates(t *testing.T) {
	moved := func(o EncoderOptions) map[string][]float32 {
		s := graph.NewState()
		exe, _ := encoded(t, s, o, true)
		before := map[string]*tensor.Tensor{}
		for _, v := range s.Variables() {
			before[v.Name] = v.Value.Clone()
		}
		if err := exe.Run(encoderFeeds(), []*tensor.Tensor{tensor.Zeros(0)}); err != nil {
			t.Fatal(err)
		}
		out := map[string][]float32{}
		for _, v := range s.Variables() {
			for i, x := range v.Value.Floats() {
				if d := x - before[v.Name].Floats()[i]; d != 0 {
					if out[v.Name] == nil {
						out[v.Name] = make([]float32, v.Value.Len())
					}
					out[v.Name][i] = d
				}
			}
		}
		return out
	}
	all := moved(small)
	some := small
	some.Rates = []float64{0, 0, 0.5, 1}
	part := moved(some)
	for name := range all {
		want := float32(1)
		switch {
		case strings.HasPrefix(name, "encoder/block_2"):
			want = 0.5
		case strings.HasPrefix(name, "encoder/") && !strings.HasPrefix(name, "encoder/block_3"):
			want = 0
		}
		got := part[name]
		if want == 0 && got != nil || want != 0 && got == nil {
			t.Errorf("%s moved: %v, expected %v", name, got != nil, want != 0)
			continue
		}
		for i := range got {
			if d := math.Abs(float64(got[i] - want*all[name][i])); d > 1e-6+1e-4*math.Abs(float64(all[name][i])) {
				t.Errorf("%s moves by %g, expected %g of %g", name, got[i], want, all[name][i])
				break
			}
		}
	}
	for _, name := range []string{"encoder/embedding_1/table", "encoder/positions", "encoder/types", "encoder/layer_norm_1/gain", "encoder/block_1/transformer_1/dense_1/kernel"} {
		if all[name] == nil {
			t.Errorf("%s did not move", name)
		}
	}
	adapted := small
	adapted.Rates, adapted.LoRA = []float64{0, 0, 0, 0}, LoRA{Rank: 2, Alpha: 4}
	for name := range moved(adapted) {
		if strings.HasPrefix(name, "encoder/") && !strings.Contains(name, "/lora_") {
			t.Errorf("%s moved beside corrections", name)
		}
	}
	if got := moved(adapted); len(got) != 2+2*3 { // the head; lora_in moves from the second step on
		t.Errorf("%d variables moved, expected the head's and two of each block", len(got))
	}
}

// TestEncoderPlaces: what stands behind a row's length makes no difference, a row
// without tokens is zeros, and corrections change nothing at first.
func TestEncoderPlaces(t *testing.T) {
	vectors := func(o EncoderOptions, behind int32) []float32 {
		exe, _ := encoded(t, graph.NewState(), o, false)
		feeds := encoderFeeds()[:2]
		for i, id := range feeds[0].Ints() {
			if id < 0 {
				feeds[0].Ints()[i] = behind
			}
		}
		out := []*tensor.Tensor{tensor.Zeros(0)}
		if err := exe.Run(feeds, out); err != nil {
			t.Fatal(err)
		}
		return out[0].Floats()
	}
	want := vectors(small, -1)
	if !slices.Equal(vectors(small, 3), want) {
		t.Error("tokens behind the length make a difference")
	}
	adapted := small
	adapted.LoRA = LoRA{Rank: 2, Alpha: 4}
	if !slices.Equal(vectors(adapted, -1), want) {
		t.Error("corrections change vectors before they are trained")
	}
	for row, n := range encoderFeeds()[1].Ints() {
		squares := 0.0
		for _, v := range want[row*8:][:8] {
			squares += float64(v) * float64(v)
		}
		if length := min(1, n); math.Abs(squares-float64(length)) > 1e-5 {
			t.Errorf("row %d has the length %g, expected %d", row, math.Sqrt(squares), length)
		}
	}
}

func TestEncoderMistakes(t *testing.T) {
	for want, change := range map[string]func(*EncoderOptions, *Context){
		"a length of 5, expected 1 to 3": func(o *EncoderOptions, _ *Context) { o.Positions = 4 },
		"2 rates for 3 blocks":           func(o *EncoderOptions, _ *Context) { o.Rates = []float64{1, 1} },
		"a correction of rank 9":         func(o *EncoderOptions, _ *Context) { o.LoRA = LoRA{9, 1} },
		"3 heads of a width of 8":        func(o *EncoderOptions, _ *Context) { o.Heads = 3 },
		"its first value is float32[2 8]": func(_ *EncoderOptions, c *Context) {
			*c = *c.Given(map[string]*tensor.Tensor{"encoder/positions": tensor.Zeros(2, 8)})
		},
	} {
		b := graph.New("encoder")
		c, o := &Context{B: b, State: graph.NewState()}, small
		change(&o, c)
		Encoder(o).Apply(c, b.Input("ids", tensor.Int32, graph.Rows, graph.N(5)))
		if err := b.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
