package nn_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
)

// build applies a network to x [rows width] and returns the state.
func build(t *testing.T, net nn.Layer, width int, seed uint64) *graph.State {
	t.Helper()
	b, state := graph.New("build"), graph.NewState()
	net.Apply(&nn.Context{B: b, State: state, InitSeed: seed, Training: true,
		Seed: b.Input("seed", tensor.Int32, graph.N(2)), Step: b.Input("step", tensor.Int32)},
		b.Input("x", tensor.Float32, graph.Rows, graph.N(width)))
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return state
}

func names(s *graph.State) []string {
	var out []string
	for _, v := range s.Variables() {
		out = append(out, v.Name)
	}
	return out
}

func TestNames(t *testing.T) {
	net := nn.Sequential(
		nn.Dense(4, nn.ReLU), nn.Dropout(0.1), nn.ReLU,
		nn.Residual(nn.LayerNorm(), nn.Dense(8, nn.GELU), nn.Dense(4)),
		nn.Residual(nn.Dense(4)),
		nn.BatchNorm(), nn.Dense(1, nn.NoBias()))
	want := []string{
		"dense_1/kernel", "dense_1/bias",
		"residual_1/layer_norm_1/gain", "residual_1/layer_norm_1/shift",
		"residual_1/dense_1/kernel", "residual_1/dense_1/bias", "residual_1/dense_2/kernel", "residual_1/dense_2/bias",
		"residual_2/dense_1/kernel", "residual_2/dense_1/bias",
		"batch_norm_1/mean", "batch_norm_1/variance", "batch_norm_1/gain", "batch_norm_1/shift",
		"dense_2/kernel",
	}
	state := build(t, net, 3, 1)
	if got := names(state); !slices.Equal(got, want) {
		t.Errorf("variables are\n%v, want\n%v", got, want)
	}
	for _, v := range state.Variables() {
		running := strings.HasPrefix(v.Name, "batch_norm_1/") && !strings.HasSuffix(v.Name, "gain") && !strings.HasSuffix(v.Name, "shift")
		if v.Trainable == running {
			t.Errorf("%s: trainable is %v", v.Name, v.Trainable)
		}
	}
}

// TestInitialValuesDependOnNameAndSeed builds the same layer in two networks.
func TestInitialValuesDependOnNameAndSeed(t *testing.T) {
	values := func(net nn.Layer, seed uint64, name string) []float32 {
		v := build(t, net, 3, seed).Lookup(name)
		if v == nil {
			t.Fatalf("no variable %s", name)
		}
		return v.Value.Floats()
	}
	one := values(nn.Dense(4), 7, "dense_1/kernel")
	if two := values(nn.Sequential(nn.LayerNorm(), nn.Dense(4), nn.Dense(2)), 7, "dense_1/kernel"); !slices.Equal(one, two) {
		t.Errorf("layers around it change initial values: %v, %v", one, two)
	}
	if other := values(nn.Dense(4), 8, "dense_1/kernel"); slices.Equal(one, other) {
		t.Error("another seed gives the same initial values")
	}
	if other := values(nn.Sequential(nn.Dense(3), nn.Dense(4)), 7, "dense_2/kernel"); slices.Equal(one, other) {
		t.Error("another name gives the same initial values")
	}
	// A release that changed these would train other models from the same seed.
	want := []float32{-0.37490714, -0.18894817, -0.48587438, -0.07877817}
	if !slices.Equal(one[:4], want) {
		t.Errorf("the first initial values are %v, want %v", one[:4], want)
	}
}

// TestTrainingAndPredictionShare builds two programs over one state, and one
// network twice within a program.
func TestTrainingAndPredictionShare(t *testing.T) {
	net := nn.Sequential(nn.Dense(4, nn.Tanh), nn.BatchNorm(), nn.Dense(2))
	state := build(t, net, 3, 1)
	before := len(state.Variables())
	b := graph.New("predict")
	c := &nn.Context{B: b, State: state}
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(3))
	net.Apply(c, x)
	net.Apply(c.Sub("other"), x)
	net.Apply(c.Sub("other"), x)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if n := len(state.Variables()); n != 2*before {
		t.Errorf("%d variables became %d: want %d more for the network named other", before, n, before)
	}

	b = graph.New("wider")
	nn.Dense(4).Apply(&nn.Context{B: b, State: state}, b.Input("x", tensor.Float32, graph.Rows, graph.N(5)))
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "dense_1/kernel") || !strings.Contains(err.Error(), "[3 4]") || !strings.Contains(err.Error(), "[5 4]") {
		t.Errorf("error %v does not name the variable and both shapes", err)
	}
}

func TestDropout(t *testing.T) {
	const rows, width, rate = 200, 50, 0.3
	run := func(training bool, seed, step int32) []float32 {
		b := graph.New("dropout")
		x := tensor.Zeros(rows, width)
		for i := range x.Floats() {
			x.Floats()[i] = 1
		}
		c := &nn.Context{B: b, State: graph.NewState(), Training: training, Seed: b.Input("seed", tensor.Int32, graph.N(2)), Step: b.Input("step", tensor.Int32)}
		b.Output("y", nn.Dropout(rate).Apply(c, nntest.Input(b, "x", x)))
		s, n := tensor.New(tensor.Int32, 2), tensor.New(tensor.Int32)
		s.Ints()[0], n.Ints()[0] = seed, step
		return nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x, "seed": s, "step": n})["y"].Floats()
	}
	for _, v := range run(false, 1, 1) {
		if v != 1 {
			t.Fatalf("prediction changes 1 to %g", v)
		}
	}
	y := run(true, 1, 1)
	kept := 0
	for _, v := range y {
		if v != 0 {
			kept++
			if v != float32(1)/(1-float32(rate)) {
				t.Fatalf("training changes 1 to %g", v)
			}
		}
	}
	// Five deviations of a binomial count.
	if share, n := float64(kept)/float64(len(y)), float64(len(y)); math.Abs(share-(1-rate)) > 5*math.Sqrt(rate*(1-rate)/n) {
		t.Errorf("%g of the elements are kept, want about %g", share, 1-rate)
	}
	if !slices.Equal(y, run(true, 1, 1)) {
		t.Error("the same seed and step drop other elements")
	}
	if slices.Equal(y, run(true, 1, 2)) || slices.Equal(y, run(true, 2, 1)) {
		t.Error("another step or seed drops the same elements")
	}
}

func TestEmbeddingOfMissing(t *testing.T) {
	x := tensor.New(tensor.Int32, 2)
	x.Ints()[0] = -1
	b := graph.New("embedding")
	state := graph.NewState()
	b.Output("y", nn.Embedding(3, 4).Apply(&nn.Context{B: b, State: state}, nntest.Input(b, "x", x)))
	y := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x})["y"].Floats()
	if want := append(make([]float32, 4), state.Variables()[0].Value.Floats()[:4]...); !slices.Equal(y, want) {
		t.Errorf("rows −1 and 0 are %v, want %v", y, want)
	}
}

func TestPenalties(t *testing.T) {
	net := nn.Sequential(nn.Dense(2, nn.L1(0.5)), nn.Dense(1, nn.L2(0.25), nn.Init(nn.Constant(3))))
	for _, training := range []bool{true, false} {
		b, state := graph.New("penalties"), graph.NewState()
		c := &nn.Context{B: b, State: state, Training: training}
		net.Apply(c, b.Input("x", tensor.Float32, graph.Rows, graph.N(2)))
		sum := c.Penalties()
		if !training {
			if sum != nil || b.Err() != nil {
				t.Errorf("a program that does not train has penalties %v (error %v)", sum, b.Err())
			}
			continue
		}
		b.Output("sum", sum)
		want := 0.25 * 2 * 9
		for _, w := range state.Lookup("dense_1/kernel").Value.Floats() {
			want += 0.5 * math.Abs(float64(w))
		}
		x := tensor.Zeros(1, 2)
		got := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x})["sum"].Floats()[0]
		if math.Abs(float64(got)-want) > 1e-5 {
			t.Errorf("penalties are %g, want %g", got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	wide := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(3)}}
	picture := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(8), graph.N(8), graph.N(3)}}
	for _, c := range []struct {
		net   nn.Layer
		input graph.Type
		want  []string
	}{
		{nn.Dense(0), wide, []string{"dense", "0 units", "[rows 3]"}},
		{nn.Dense(1), graph.Type{Shape: graph.Shape{graph.Rows}}, []string{"dense", "float32[rows]", "[rows … n]"}},
		{nn.Dense(1, nn.L2(-1)), wide, []string{"dense", "-1"}},
		{nn.Dense(1, nn.Init(nn.Initializer{})), wide, []string{"dense_1/kernel", "Initializer"}},
		{nn.Dense(1 << 30), wide, []string{"dense_1/kernel", "smaller layers"}},
		{nn.Dense(math.MaxInt), wide, []string{"dense_1/kernel", "smaller layers"}},
		{nn.Embedding(3, 2), wide, []string{"embedding", "float32[rows 3]", "int32"}},
		{nn.Embedding(0, 2), graph.Type{DType: tensor.Int32, Shape: graph.Shape{graph.Rows}}, []string{"embedding", "0 vectors"}},
		{nn.Dropout(1), wide, []string{"dropout", "rate is 1"}},
		{nn.Dropout(math.NaN()), wide, []string{"dropout", "rate is NaN"}},
		{nn.Residual(nn.Dense(2)), wide, []string{"residual", "[rows 2]", "[rows 3]"}},
		{nn.BatchNorm(), graph.Type{Shape: graph.Shape{graph.Rows}}, []string{"batch_norm", "float32[rows]"}},
		{nn.BatchNorm(nn.Momentum(1)), wide, []string{"batch_norm", "momentum is 1"}},
		{nn.LayerNorm(nn.Epsilon(0)), wide, []string{"layer_norm", "epsilon 0"}},
		{nn.Conv2D(2, 3, 3), wide, []string{"conv2d", "float32[rows 3]", "[rows height width channels]"}},
		{nn.Conv1D(2, 3), wide, []string{"conv1d", "float32[rows 3]", "[rows length channels]"}},
		{nn.Conv2D(0, 3, 3), picture, []string{"conv2d", "0 filters of 3 by 3"}},
		{nn.Conv2D(1, 3, 3, nn.L1(-1)), picture, []string{"conv2d", "-1"}},
		{nn.Conv2D(1, 9, 3), picture, []string{"conv2d", "8 by 8", "9 by 3"}},
		{nn.MaxPool(9, 1), picture, []string{"max_pool", "8 by 8", "9 by 1"}},
		{nn.MaxPool1D(2), picture, []string{"max_pool1d", "[rows length channels]"}},
		{nn.GlobalAvgPool(), wide, []string{"global_avg_pool", "float32[rows 3]"}},
		// What follows a mistake must not hide it.
		{nn.Sequential(nn.Dense(0), nn.Func(func(_ *nn.Context, x *graph.Node) *graph.Node { return graph.Reshape(x, x.Shape()[1]) }), nn.BatchNorm(), nn.LayerNorm(), nn.Residual(nn.Dense(2)), nn.Conv2D(2, 3, 3), nn.Conv1D(2, 3), nn.MaxPool(2, 2), nn.GlobalAvgPool(), nn.Flatten(), nn.Dropout(0.5), nn.ELU, nn.Softmax), wide, []string{"0 units"}},
	} {
		_, err := nn.Outline(c.net, c.input)
		if err == nil {
			t.Errorf("%v: no error", c.want)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q lacks %q", err, w)
			}
		}
	}
	b := graph.New("train")
	nn.Dropout(0.5).Apply(&nn.Context{B: b, State: graph.NewState(), Training: true}, b.Input("x", tensor.Float32, graph.Rows))
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "Seed and Step") {
		t.Errorf("error %v does not ask for a seed", err)
	}
}

func TestUnknownNames(t *testing.T) {
	if _, err := nn.ActivationByName("Rellu"); err == nil || !strings.Contains(err.Error(), `did you mean "relu"`) {
		t.Errorf("error %v offers no activation", err)
	}
	if _, err := nn.InitializerByName("glorot"); err == nil || strings.Contains(err.Error(), "did you mean") || !strings.Contains(err.Error(), "glorot_normal, glorot_uniform") {
		t.Errorf("error %v does not list the initialisers", err)
	}
}
