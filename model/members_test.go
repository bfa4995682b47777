package model

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/nn"
)

// TestMembersLossAndPrediction: in training, each member has a prediction and
// the loss of a row is the mean of theirs; elsewhere the prediction is the mean
// of the members' predictions.
func TestMembersLossAndPrediction(t *testing.T) {
	const k = 5
	rows := table(t, 40, 21)
	for _, target := range []string{"churn", "product", "price"} {
		for _, embedding := range []string{"none", "piecewise_linear", "pbld"} {
			m := embedded(t, rows, target, &TabM{Members: k, Widths: []int{7}, Activation: "relu"}, embedding)
			learn(t, m, rows, 2)
			x, err := m.Encode(rows)
			if err != nil {
				t.Fatal(err)
			}
			y, _, err := m.Targets(rows)
			if err != nil {
				t.Fatal(err)
			}
			// run returns the outputs of the task, and the loss of each row.
			run := func(training bool) (pred, loss *tensor.Tensor) {
				t.Helper()
				b, task := graph.New("members"), m.Task()
				in, targets := task.Inputs(b), task.Targets(b)
				c := &nn.Context{B: b, State: m.State, Training: training}
				out := task.Forward(c, in)
				b.Output("prediction", out[0])
				b.Output("loss", task.Loss(c, out, targets))
				p, err := b.Program()
				if err != nil {
					t.Fatal(err)
				}
				exe, err := cpu.Compile(p)
				if err != nil {
					t.Fatal(err)
				}
				pred, loss = tensor.Zeros(make([]int, len(out[0].Shape()))...), tensor.Zeros(0)
				if err := exe.Run(append(x, y), []*tensor.Tensor{pred, loss}); err != nil {
					t.Fatal(err)
				}
				return pred, loss
			}
			width := m.Output.Width()
			each, losses := run(true)
			mean, meanLoss := run(false)
			if !tensor.SameShape(each.Shape(), []int{40, k, width}) || !tensor.SameShape(mean.Shape(), []int{40, width}) {
				t.Fatalf("%s: predictions %v in training and %v elsewhere", target, each, mean)
			}
			apart := false
			for i := range 40 {
				sum, total := make([]float64, width), 0.0
				for j := range k {
					p := each.Floats()[(i*k+j)*width:][:width]
					for w, v := range p {
						sum[w] += float64(v) / k
					}
					total += rowLoss(m.Output, p, y, i) / k
					apart = apart || math.Abs(float64(p[0]-each.Floats()[i*k*width])) > 1e-3
				}
				got := make([]float32, width)
				for w, v := range sum {
					got[w] = float32(v)
					if g := mean.Floats()[i*width+w]; math.Abs(float64(g)-v) > 1e-5 {
						t.Errorf("%s, %s: row %d is predicted as %v, the members' mean is %v", target, embedding, i, g, v)
					}
				}
				if g := losses.Floats()[i]; math.Abs(float64(g)-total) > 1e-4*max(1, total) {
					t.Errorf("%s, %s: the loss of row %d is %v, the mean of the members' %v", target, embedding, i, g, total)
				}
				if g, want := meanLoss.Floats()[i], rowLoss(m.Output, got, y, i); math.Abs(float64(g)-want) > 1e-4*max(1, want) {
					t.Errorf("%s, %s: outside training the loss of row %d is %v, of the mean prediction %v", target, embedding, i, g, want)
				}
			}
			if !apart {
				t.Errorf("%s, %s: all members predict the same", target, embedding)
			}
		}
	}
}

// rowLoss is the loss of a prediction for row i, by its formula.
func rowLoss(o feature.Output, p []float32, targets *tensor.Tensor, i int) float64 {
	switch o.(type) {
	case *feature.Binary:
		y := float64(targets.Floats()[i])
		return -y*math.Log(float64(p[0])) - (1-y)*math.Log1p(-float64(p[0]))
	case *feature.CategoryOutput:
		return -math.Log(float64(p[targets.Ints()[i]]))
	}
	d := float64(p[0]) - float64(targets.Floats()[i])
	return d * d
}

// TestEmbeddingsInBundles: a model with embeddings of numbers comes back from
// a bundle, predicts the same bits and can be trained on; so does one with
// members.
func TestEmbeddingsInBundles(t *testing.T) {
	rows, other := table(t, 200, 22), table(t, 50, 23)
	for _, embedding := range []string{"piecewise_linear", "periodic", "pbld"} {
		for name, network := range map[string]Network{
			"mlp":    &MLP{Widths: []int{12}, Activation: "relu", Norm: "none"},
			"tabm":   &TabM{Members: 3, Widths: []int{12}, Activation: "silu", Dropout: 0.1},
			"linear": &Linear{},
		} {
			m := embedded(t, rows, "product", network, embedding)
			plain := fitted(t, rows, "product", network)
			r := learn(t, m, rows, 6)
			learn(t, plain, rows, 1)
			if first, last := r.History[0].Loss, r.History[5].Loss; !(last < first) {
				t.Errorf("%s, %s: the loss went from %v to %v", embedding, name, first, last)
			}
			if more := m.Parameters() > plain.Parameters(); more != (name != "linear") {
				t.Errorf("%s, %s: %d parameters, %d without embeddings", embedding, name, m.Parameters(), plain.Parameters())
			}
			path := filepath.Join(t.TempDir(), "m.hone")
			if err := m.Save(path, "test"); err != nil {
				t.Fatal(err)
			}
			loaded, _, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			want := predict(t, m, other)
			if !sameBits(predict(t, loaded, other), want) {
				t.Errorf("%s, %s: the loaded model predicts otherwise", embedding, name)
			}
			learn(t, loaded, rows, 1)
		}
	}
}

// TestMembersBatchIndependence: a row's prediction is the same alone and among
// others.
func TestMembersBatchIndependence(t *testing.T) {
	rows := table(t, 300, 24)
	m := embedded(t, rows, "churn", &TabM{Members: 3, Widths: []int{9, 5}, Activation: "relu"}, "periodic")
	learn(t, m, rows, 1)
	all := predict(t, m, rows)
	for _, i := range []int{0, 1, 17, 299} {
		if one := predict(t, m, rows.Slice(i, i+1)); math.Float64bits(one.Prob[0]) != math.Float64bits(all.Prob[i]) {
			t.Errorf("row %d alone is %v, among others %v", i, one.Prob[0], all.Prob[i])
		}
	}
}
