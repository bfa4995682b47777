package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// floats returns a tensor of values.
func floats(t testing.TB, values []float32, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromFloats(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// normal returns a tensor of normal numbers.
func normal(seed uint64, shape ...int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 0))
	x := tensor.Zeros(shape...)
	for i := range x.Floats() {
		x.Floats()[i] = float32(r.NormFloat64())
	}
	return x
}

// linear returns rows of y = 2·x₀ − 3·x₁ + ½ + noise.
func linear(rows int, noise float32) Dataset {
	x, e := normal(1, rows, 2), normal(2, rows, 1)
	for i := range rows {
		e.Floats()[i] = 2*x.Floats()[2*i] - 3*x.Floats()[2*i+1] + 0.5 + noise*e.Floats()[i]
	}
	return Data(x, e)
}

// values returns a copy of the network's variables by name.
func values(s *graph.State) map[string][]float32 {
	t := trainer{state: s}
	m := map[string][]float32{}
	for _, v := range optim.ModelVariables(t.state) {
		m[v.Name] = append([]float32(nil), v.Value.Floats()...)
	}
	return m
}

// everything returns a copy of all variables, those of the optimiser too.
func everything(s *graph.State) map[string][]float32 {
	m := map[string][]float32{}
	for _, v := range s.Variables() {
		m[v.Name] = append([]float32(nil), v.Value.Raw()...)
	}
	return m
}

// sameBits reports variables that differ in any bit.
func sameBits(t *testing.T, what string, got, want map[string][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d variables, expected %d", what, len(got), len(want))
	}
	for name, w := range want {
		g := got[name]
		if len(g) != len(w) {
			t.Errorf("%s: %s has %d elements, expected %d", what, name, len(g), len(w))
			continue
		}
		for i := range w {
			if math.Float32bits(g[i]) != math.Float32bits(w[i]) {
				t.Errorf("%s: %s[%d] is %v, expected the bits of %v", what, name, i, g[i], w[i])
				break
			}
		}
	}
}

// near reports variables that differ by more than a tolerance.
func near(t *testing.T, what string, got, want map[string][]float32, tolerance float64) {
	t.Helper()
	for name, w := range want {
		for i := range w {
			if !(math.Abs(float64(got[name][i]-w[i])) <= tolerance) {
				t.Errorf("%s: %s[%d] is %v, expected %v ± %g", what, name, i, got[name][i], w[i], tolerance)
			}
		}
	}
}

// sameHistory compares what was recorded of two runs, but for the time it took.
func sameHistory(t *testing.T, what string, got, want *Result) {
	t.Helper()
	if got.BestEpoch != want.BestEpoch || got.Stopped != want.Stopped || got.Steps != want.Steps || len(got.History) != len(want.History) {
		t.Errorf("%s: best epoch %d, stopped %q, %d updates, %d epochs; expected %d, %q, %d, %d", what,
			got.BestEpoch, got.Stopped, got.Steps, len(got.History), want.BestEpoch, want.Stopped, want.Steps, len(want.History))
		return
	}
	for i, g := range got.History {
		w := want.History[i]
		if g.Epoch != w.Epoch || g.Loss != w.Loss || g.Validation != w.Validation || g.LearningRate != w.LearningRate || g.Best != w.Best || len(g.Scores) != len(w.Scores) || g.Scores["mean"] != w.Scores["mean"] {
			t.Errorf("%s: epoch %+v, expected %+v", what, g, w)
		}
	}
}

// mixed is a task with all that makes resuming hard: an embedding, whose Adam
// is sparse, batch norm, whose statistics are state, and dropout.
type mixed struct{}

const (
	mixedColumns = 5
	mixedValues  = 11
)

func (mixed) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("x", tensor.Float32, graph.Rows, graph.N(mixedColumns)), b.Input("id", tensor.Int32, graph.Rows)}
}

func (mixed) Targets(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("y", tensor.Float32, graph.Rows, graph.N(1))}
}

func (mixed) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	h := graph.Concat(-1, in[0], nn.Embedding(mixedValues, 3).Apply(c, in[1]))
	net := nn.Sequential(nn.Dense(16), nn.BatchNorm(), nn.ReLU, nn.Dropout(0.2), nn.Dense(8, nn.Tanh, nn.L2(1e-3)), nn.Dense(1, nn.Sigmoid))
	return []*graph.Node{net.Apply(c, h)}
}

func (mixed) Loss(_ *nn.Context, out, targets []*graph.Node) *graph.Node {
	return loss.BinaryCrossEntropy.Of(out[0], targets[0])
}

// mixedRows returns batches of rows for the task; noise is the share of
// targets that are wrong.
func mixedRows(t testing.TB, seed uint64, rows, size int, shuffle bool, noise float64) *Memory {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	x, id, y := normal(seed, rows, mixedColumns), tensor.New(tensor.Int32, rows), tensor.Zeros(rows, 1)
	weights := make([]float32, rows)
	for i := range rows {
		id.Ints()[i] = int32(r.IntN(mixedValues+1)) - 1
		if (x.Floats()[i*mixedColumns]+0.3*float32(id.Ints()[i]) > 1.2) != (r.Float64() < noise) {
			y.Floats()[i] = 1
		}
		weights[i] = 0.5 + r.Float32()
	}
	m, err := NewMemory([]*tensor.Tensor{x, id, y}, weights, size, shuffle, seed)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
