package loss_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/internal/nntest"
	"github.com/hone-ml/hone/nn/loss"
)

const tolerance = 1e-5

// withSmoothing returns the loss of a recorded case.
func withSmoothing(t *testing.T, name string, smoothing float64) loss.Loss {
	t.Helper()
	switch name {
	case "binary_crossentropy":
		return loss.BinaryCrossEntropyWith(smoothing)
	case "categorical_crossentropy":
		return loss.CategoricalCrossEntropyWith(smoothing)
	case "sparse_categorical_crossentropy":
		return loss.SparseCategoricalCrossEntropyWith(smoothing)
	}
	l, err := loss.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLossesAgreeWithPyTorch compares the loss of each row and the gradient of
// their mean. Cross-entropies take three ways: logits, probabilities that a
// sigmoid or softmax made of them, and probabilities from elsewhere.
func TestLossesAgreeWithPyTorch(t *testing.T) {
	for i, c := range nntest.Load(t, "..").Losses {
		t.Run(fmt.Sprintf("%d_%s", i, c.Name), func(t *testing.T) {
			l := withSmoothing(t, c.Name, c.Smoothing)
			b := graph.New("loss")
			pred, target := nntest.Input(b, "pred", c.Pred.Tensor), nntest.Input(b, "target", c.Target.Tensor)
			feeds := map[string]*tensor.Tensor{"pred": c.Pred.Tensor, "target": c.Target.Tensor}
			output := func(way string, rows *graph.Node) {
				b.Output("loss "+way, rows)
				b.Output("grad "+way, graph.Gradients(graph.Mean(rows), []*graph.Node{pred})[0].ToDense(pred))
			}
			ways := []string{"plain"}
			if c.Probabilities == nil {
				output("plain", l.Of(pred, target))
			} else {
				activation := graph.Softmax
				if c.Name == "binary_crossentropy" {
					activation = graph.Sigmoid
				}
				output("plain", l.FromLogits().Of(pred, target))
				output("fused", l.Of(activation(pred), target))
				// A product hides where the probabilities come from.
				output("unfused", l.Of(graph.Scale(activation(pred), 1), target))
				b.Output("loss of probabilities", l.Of(nntest.Input(b, "p", c.Probabilities.Tensor), target))
				feeds["p"] = c.Probabilities.Tensor
				ways = append(ways, "fused", "unfused")
			}
			out := nntest.Compile(t, b).Run(feeds)
			for _, way := range ways {
				nntest.Near(t, way+" loss", out["loss "+way], c.Loss.Tensor, tolerance)
				nntest.Near(t, way+" gradient", out["grad "+way], c.Grad.Tensor, tolerance)
			}
			if c.Probabilities != nil {
				nntest.Near(t, "loss of probabilities", out["loss of probabilities"], c.Loss.Tensor, tolerance)
			}
		})
	}
}

// TestFusedIsExactFarOut gives logits whose probabilities round to 0 and 1.
func TestFusedIsExactFarOut(t *testing.T) {
	x, _ := tensor.FromFloats([]float32{200, -200, 200}, 3, 1)
	y, _ := tensor.FromFloats([]float32{0, 1, 1}, 3)
	b := graph.New("far")
	logits, target := nntest.Input(b, "x", x), nntest.Input(b, "y", y)
	rows := loss.BinaryCrossEntropy.Of(graph.Sigmoid(logits), target)
	b.Output("loss", rows)
	b.Output("grad", graph.Gradients(graph.Sum(rows), []*graph.Node{logits})[0].Dense)
	out := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x, "y": y})
	if got := out["loss"].Floats(); !slices.Equal(got, []float32{200, 200, 0}) {
		t.Errorf("losses are %v, want 200, 200, 0", got)
	}
	if got := out["grad"].Floats(); !slices.Equal(got, []float32{1, -1, 0}) {
		t.Errorf("gradients are %v, want 1, -1, 0", got)
	}
}

// TestClippedProbabilities gives probabilities of exactly 0 and 1.
func TestClippedProbabilities(t *testing.T) {
	p, _ := tensor.FromFloats([]float32{0, 1, 1, 0}, 4)
	y, _ := tensor.FromFloats([]float32{1, 0, 1, 0}, 4)
	b := graph.New("clipped")
	b.Output("loss", loss.BinaryCrossEntropy.Of(nntest.Input(b, "p", p), nntest.Input(b, "y", y)))
	out := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"p": p, "y": y})
	for i, v := range out["loss"].Floats() {
		if wrong := i < 2; math.IsInf(float64(v), 0) || wrong != (v > 15) || !wrong && v > 1e-6 {
			t.Errorf("the loss of row %d is %g", i, v)
		}
	}
}

// TestIgnoredClass checks that class −1 costs nothing.
func TestIgnoredClass(t *testing.T) {
	x, y := tensor.Zeros(2, 3), tensor.New(tensor.Int32, 2)
	y.Ints()[1] = -1
	b := graph.New("ignored")
	b.Output("loss", loss.SparseCategoricalCrossEntropyWith(0.1).FromLogits().Of(nntest.Input(b, "x", x), nntest.Input(b, "y", y)))
	got := nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x, "y": y})["loss"].Floats()
	if math.Abs(float64(got[0])-math.Log(3)) > tolerance || got[1] != 0 {
		t.Errorf("losses are %v, want log 3 and 0", got)
	}
}

func TestErrorsNameLossAndShapes(t *testing.T) {
	float, ints := tensor.Float32, tensor.Int32
	custom := loss.New("mine", float, func(p, y *graph.Node) *graph.Node { return graph.Abs(graph.Sub(p, y)) })
	for _, c := range []struct {
		loss         loss.Loss
		pred, target graph.Shape
		dtype        tensor.DType
		want         []string // empty: no error
	}{
		{loss.MeanSquaredError, graph.Shape{graph.Rows, graph.N(2)}, graph.Shape{graph.Rows, graph.N(2)}, float, nil},
		{loss.MeanSquaredError, graph.Shape{graph.Rows}, graph.Shape{graph.Rows, graph.N(1)}, float, nil},
		{custom, graph.Shape{graph.Rows, graph.N(1)}, graph.Shape{graph.Rows}, float, nil},
		{loss.SparseCategoricalCrossEntropy, graph.Shape{graph.Rows, graph.N(3)}, graph.Shape{graph.Rows, graph.N(1)}, ints, nil},
		{loss.MeanSquaredError, graph.Shape{graph.Rows, graph.N(2)}, graph.Shape{graph.Rows}, float,
			[]string{"mean_squared_error", "float32[rows 2] and targets float32[rows]"}},
		{custom, graph.Shape{graph.Rows, graph.N(2)}, graph.Shape{graph.Rows, graph.N(3)}, float, []string{"mine", "[rows 3]"}},
		{loss.BinaryCrossEntropy, graph.Shape{graph.Rows, graph.N(1)}, graph.Shape{graph.Rows}, ints,
			[]string{"binary_crossentropy", "targets int32[rows]", "float32[rows 1]"}},
		{loss.SparseCategoricalCrossEntropy, graph.Shape{graph.Rows, graph.N(3)}, graph.Shape{graph.Rows, graph.N(3)}, ints,
			[]string{"sparse_categorical_crossentropy", "int32[rows 3]", "int32[rows]"}},
		{loss.SparseCategoricalCrossEntropy, graph.Shape{graph.Rows}, graph.Shape{}, ints, []string{"sparse_categorical_crossentropy"}},
		{loss.CategoricalCrossEntropy, graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"categorical_crossentropy", "classes"}},
		{loss.MeanSquaredError.FromLogits(), graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"mean_squared_error", "logits"}},
		{loss.Huber(0), graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"huber", "delta is 0"}},
		{loss.BinaryCrossEntropyWith(1), graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"binary_crossentropy", "smoothing is 1"}},
		{loss.BinaryFocal(-1, 0), graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"binary_focal", "gamma is -1"}},
		{loss.BinaryFocal(2, 1), graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"binary_focal", "alpha is 1"}},
		{loss.SparseCategoricalFocal(2, 1, 1), graph.Shape{graph.Rows, graph.N(3)}, graph.Shape{graph.Rows}, ints, []string{"sparse_categorical_focal", "alpha has 2 weights"}},
		{loss.SparseCategoricalFocal(2, -1), graph.Shape{graph.Rows, graph.N(1)}, graph.Shape{graph.Rows}, ints, []string{"sparse_categorical_focal", "class 0 is -1"}},
		{loss.Loss{}, graph.Shape{graph.Rows}, graph.Shape{graph.Rows}, float, []string{"zero Loss"}},
	} {
		b := graph.New("errors")
		b.Output("loss", c.loss.Of(b.Input("p", float, c.pred...), b.Input("y", c.dtype, c.target...)))
		_, err := b.Program()
		if (err != nil) != (len(c.want) > 0) {
			t.Errorf("%s of %v and %v: error %v", c.loss.Name(), c.pred, c.target, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s of %v and %v: error %q lacks %q", c.loss.Name(), c.pred, c.target, err, w)
			}
		}
	}
	if _, err := loss.ByName("binary_cross_entropy"); err == nil || !strings.Contains(err.Error(), `did you mean "binary_crossentropy"`) {
		t.Errorf("error %v offers no name", err)
	}
}

// TestBalanced has the values of scikit-learn 1.9.1,
// compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 0, 0, 1, 3, 3]).
func TestBalanced(t *testing.T) {
	labels := []int32{0, 0, 0, 1, 3, 3, -1, 9}
	class := loss.Balanced(labels, 4)
	if want := []float32{2. / 3, 2, 0, 1}; !slices.Equal(class, want) {
		t.Errorf("class weights are %v, want %v", class, want)
	}
	if got, want := loss.RowWeights(labels, class), []float32{2. / 3, 2. / 3, 2. / 3, 2, 1, 1, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("row weights are %v, want %v", got, want)
	}
}

func ExampleLoss() {
	// Three rows that a network without a last sigmoid scored.
	b := graph.New("example")
	logits, target := b.Input("logits", tensor.Float32, graph.Rows, graph.N(1)), b.Input("target", tensor.Float32, graph.Rows)
	perRow := loss.BinaryCrossEntropyWith(0.1).FromLogits().Of(logits, target)
	fmt.Println(perRow.Type)
	// Output: float32[rows]
}
