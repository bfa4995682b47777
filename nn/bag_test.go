package nn_test

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
)

// TestEmbeddingBag holds the layer against the table by hand.
func TestEmbeddingBag(t *testing.T) {
	b := graph.New("bags")
	c := &nn.Context{B: b, State: graph.NewState(), InitSeed: 1}
	x := b.Input("x", tensor.Int32, graph.Rows, graph.N(3))
	b.Output("mean", nn.EmbeddingBag(5, 2, nn.BagMean).Apply(c, x))
	b.Output("sum", nn.EmbeddingBag(5, 2, nn.BagSum).Apply(c, x))
	p := nntest.Compile(t, b)
	feed, err := tensor.FromInts([]int32{4, -1, 1, -1, -1, -1}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	out := p.Run(map[string]*tensor.Tensor{"x": feed})
	for name, share := range map[string]float32{"embedding_bag_1": 0.5, "embedding_bag_2": 1} {
		v := c.State.Lookup(name + "/table").Value.Floats()
		got := out[map[string]string{"embedding_bag_1": "mean", "embedding_bag_2": "sum"}[name]].Floats()
		want := []float32{(v[8] + v[2]) * share, (v[9] + v[3]) * share, 0, 0}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %v, expected %v", name, got, want)
		}
	}
}

// TestLargeTables: the values do not depend on the number of processors, and are
// spread evenly.
func TestLargeTables(t *testing.T) {
	draw := func(processors int) []float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		c := &nn.Context{B: graph.New("table"), State: graph.NewState(), InitSeed: 7}
		nn.EmbeddingBag(5000, 33, nn.BagSum).Apply(c, c.B.Input("x", tensor.Int32, graph.Rows, graph.N(3)))
		return c.State.Variables()[0].Value.Floats()
	}
	x := draw(3)
	if !slices.Equal(x, draw(1)) {
		t.Error("three processors draw other values than one")
	}
	var mean, square float64
	for _, v := range x {
		mean += float64(v) / float64(len(x))
		square += float64(v) * float64(v) / float64(len(x))
	}
	// Four standard errors of the mean, and of the mean square.
	n := math.Sqrt(float64(len(x)))
	if e := 4 * 0.05 / math.Sqrt(3) / n; math.Abs(mean) > e {
		t.Errorf("the mean is %g, expected 0 within %g", mean, e)
	}
	if e, want := 4*0.0025*math.Sqrt(4.0/45)/n, 0.0025/3; math.Abs(square-want) > e {
		t.Errorf("the mean square is %g, expected %g within %g", square, want, e)
	}
	if slices.Min(x) < -0.05 || slices.Max(x) >= 0.05 {
		t.Errorf("values from %g to %g", slices.Min(x), slices.Max(x))
	}
}

func TestEmbeddingBagMistakes(t *testing.T) {
	c := &nn.Context{B: graph.New("mistake"), State: graph.NewState()}
	nn.EmbeddingBag(5, 0, nn.BagSum).Apply(c, c.B.Input("x", tensor.Int32, graph.Rows))
	if err := c.B.Err(); err == nil || !strings.Contains(err.Error(), "5 vectors of length 0 on int32[rows], expected at least one of each on int32 indices [rows … k]") {
		t.Errorf("found the error %v", err)
	}
}
