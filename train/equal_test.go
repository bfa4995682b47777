package train

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// TestAccumulation holds the sum of k batches of n rows against one batch of
// k·n, with weights and a last batch that is smaller.
func TestAccumulation(t *testing.T) {
	net := nn.Sequential(nn.Dense(5, nn.Tanh), nn.Dense(1))
	for _, c := range []struct{ rows, batch, times int }{{12, 3, 4}, {10, 3, 4}, {10, 3, 2}, {10, 1, 10}, {11, 4, 2}} {
		for _, weighted := range []bool{false, true} {
			for _, opt := range []optim.Optimizer{optim.SGD(0.1, optim.Momentum(0.9)), optim.Adam(0.01)} {
				d := linear(c.rows, 0.5)
				if weighted {
					for i := range c.rows {
						d.Weights = append(d.Weights, float32(i%4)) // some are 0
					}
				}
				one := fit(t, New(net, loss.MeanSquaredError, opt), d, Epochs(4), BatchSize(c.batch*c.times), InOrder(), ClipNorm(0.5))
				many := fit(t, New(net, loss.MeanSquaredError, opt), d, Epochs(4), BatchSize(c.batch), Accumulate(c.times), InOrder(), ClipNorm(0.5))
				near(t, opt.Name(), values(many.State), values(one.State), 2e-5)
				if one.Steps != many.Steps {
					t.Errorf("%+v: %d updates, expected %d", c, many.Steps, one.Steps)
				}
				if a, b := many.History[3].Loss, one.History[3].Loss; math.Abs(a-b) > 1e-4 {
					t.Errorf("%+v: loss %v, expected %v", c, a, b)
				}
			}
		}
	}
}

// TestWeightsAreRepetitions: a row of weight 3 is a row three times, one of
// weight 0 is not there.
func TestWeightsAreRepetitions(t *testing.T) {
	d := linear(12, 0.5)
	var rows []int
	for i := range 12 {
		d.Weights = append(d.Weights, float32(i%4))
		for range i % 4 {
			rows = append(rows, i)
		}
	}
	r := Data(tensor.Zeros(len(rows), 2), tensor.Zeros(len(rows), 1))
	for to, from := range rows {
		copy(r.X.Rows(to, to+1).Floats(), d.X.Rows(from, from+1).Floats())
		r.Y.Floats()[to] = d.Y.Floats()[from]
	}
	m := New(nn.Sequential(nn.Dense(6, nn.Tanh), nn.Dense(1)), loss.MeanSquaredError, optim.Adam(0.02))
	a := fit(t, m, d, Epochs(20), BatchSize(0), Validation(d))
	b := fit(t, m, r, Epochs(20), BatchSize(0), Validation(r))
	near(t, "weights", values(a.State), values(b.State), 1e-4)
	if math.Abs(a.History[19].Validation-b.History[19].Validation) > 1e-4 {
		t.Errorf("validation loss %v, expected %v", a.History[19].Validation, b.History[19].Validation)
	}
}

// TestClassWeights: with balanced classes the bias alone predicts ½, whatever
// the share of the classes.
func TestClassWeights(t *testing.T) {
	labels := []int32{0, 0, 0, 0, 0, 0, 0, 0, 1, 1}
	y := tensor.Zeros(10, 1)
	for i, l := range labels {
		y.Floats()[i] = float32(l)
	}
	d := Data(tensor.Zeros(10, 1), y)
	p := func() float64 {
		f := fit(t, New(nn.Dense(1, nn.Sigmoid), loss.BinaryCrossEntropy, optim.GradientDescent(1)), d, Epochs(300), BatchSize(0))
		out, err := f.Predict(d.X.Rows(0, 1))
		if err != nil {
			t.Fatal(err)
		}
		return float64(out.Floats()[0])
	}
	if got := p(); math.Abs(got-0.2) > 1e-3 {
		t.Errorf("without weights it predicts %v, expected 0.2", got)
	}
	d.Weights = loss.RowWeights(labels, loss.Balanced(labels, 2))
	if got := p(); math.Abs(got-0.5) > 1e-3 {
		t.Errorf("with balanced weights it predicts %v, expected 0.5", got)
	}
}

// TestPenalties holds one weight without bias against the optimum in closed
// form: the loss is mean((w·x − y)²), the gradient's additions L1·sign(w) and
// L2·w.
func TestPenalties(t *testing.T) {
	x, y := normal(1, 50, 1), tensor.Zeros(50, 1)
	var xy, xx float64
	for i, v := range x.Floats() {
		y.Floats()[i] = 3*v + 0.2
		xy += float64(v*y.Floats()[i]) / 50
		xx += float64(v*v) / 50
	}
	for _, c := range []struct{ l1, l2, want float64 }{
		{0, 0, xy / xx},
		{0, 0.7, 2 * xy / (2*xx + 0.7)},
		{0.5, 0, (2*xy - 0.5) / (2 * xx)},
		{0.3, 0.7, (2*xy - 0.3) / (2*xx + 0.7)},
	} {
		f := fit(t, New(nn.Dense(1, nn.NoBias()), loss.MeanSquaredError, optim.GradientDescent(0.1)), Data(x, y),
			Epochs(300), BatchSize(0), With(func(o *Options) { o.L1, o.L2 = c.l1, c.l2 }))
		near(t, "penalty", values(f.State), map[string][]float32{"dense_1/kernel": {float32(c.want)}}, 1e-4)
		f = fit(t, New(nn.Dense(1, nn.NoBias(), nn.L1(c.l1), nn.L2(c.l2/2)), loss.MeanSquaredError, optim.GradientDescent(0.1)), Data(x, y), Epochs(300), BatchSize(0))
		near(t, "penalty of the layer", values(f.State), map[string][]float32{"dense_1/kernel": {float32(c.want)}}, 1e-4)
	}
	// A penalty that outweighs the data takes the weight to 0.
	f := fit(t, New(nn.Dense(1, nn.NoBias()), loss.MeanSquaredError, optim.GradientDescent(0.001)), Data(x, y),
		Epochs(2000), BatchSize(0), With(func(o *Options) { o.L1 = 20 }))
	if w := values(f.State)["dense_1/kernel"][0]; math.Abs(float64(w)) > 0.03 {
		t.Errorf("weight %v, expected 0 but for a step's width", w)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for _, accumulate := range []int{1, 2} {
		rows := mixedRows(t, 1, 64, 16, true, 0)
		tr := &trainer{task: mixed{}, state: graph.NewState(), train: rows, opts: Options{Optimizer: optim.Adam(0.01), Accumulate: accumulate, ClipNorm: 1, Epochs: 1000}}
		if err := tr.opts.setDefaults(); err != nil {
			t.Fatal(err)
		}
		if err := tr.build(); err != nil {
			t.Fatal(err)
		}
		epoch := 0
		step := func() {
			if err := tr.train.Next(&tr.batch); err != nil {
				epoch++
				if err := tr.train.Seek(epoch, 0); err != nil {
					t.Fatal(err)
				}
				if err := tr.train.Next(&tr.batch); err != nil {
					t.Fatal(err)
				}
			}
			if err := tr.trainBatch(false); err != nil {
				t.Fatal(err)
			}
			tr.Step++
		}
		for range 10 {
			step()
		}
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("accumulating %d batches: a step allocates %g times", accumulate, n)
		}
	}
}

// wrong is a task whose loss is a mean already.
type wrong struct{ mixed }

func (wrong) Loss(c *nn.Context, out, targets []*graph.Node) *graph.Node {
	return graph.Mean(mixed{}.Loss(c, out, targets))
}

func TestRunErrors(t *testing.T) {
	rows := func() *Memory { return mixedRows(t, 1, 20, 8, true, 0) }
	for _, c := range []struct {
		task         Task
		train, valid Batches
		opts         Options
		want         string
	}{
		{mixed{}, nil, nil, Options{}, "no batches"},
		{mixed{}, rows(), nil, Options{Epochs: -1}, "epochs is -1"},
		{mixed{}, rows(), nil, Options{Accumulate: -1}, "accumulate is -1"},
		{mixed{}, rows(), nil, Options{Patience: -1}, "patience is -1"},
		{mixed{}, rows(), nil, Options{L2: -1}, "penalty"},
		{mixed{}, rows(), nil, Options{Restore: true}, "needs validation rows"},
		{mixed{}, rows(), nil, Options{Optimizer: optim.Adam(-1)}, "learning rate is -1"},
		{mixed{}, rows(), rows(), Options{Monitor: "auc", Score: func([][]float32) (map[string]float64, error) { return nil, nil }}, `have no "auc"`},
		{wrong{}, rows(), nil, Options{}, "expected float32[rows]: one for each row"},
	} {
		r, err := Run(context.Background(), c.task, graph.NewState(), c.train, c.valid, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) || r != nil {
			t.Errorf("%+v: %v, expected %q", c.opts, err, c.want)
		}
	}
	m := New(dense(), loss.MeanSquaredError, optim.Adam(0.1))
	for _, c := range []struct {
		d    Dataset
		opts []Option
		want string
	}{
		{Dataset{}, nil, "lacks inputs or targets"},
		{Data(tensor.Zeros(3, 1), tensor.Zeros(2, 1)), nil, "as many rows"},
		{Data(tensor.Zeros(0, 1), tensor.Zeros(0, 1)), nil, "no rows"},
		{linear(4, 0), []Option{BatchSize(-2)}, "batch size -2"},
		{linear(4, 0), []Option{Validation(Dataset{})}, "lacks inputs"},
		{Data(tensor.Zeros(3, 1), tensor.Zeros(3, 2)), nil, "mean_squared_error"},
		{linear(4, 0), []Option{EarlyStopping(2)}, "needs validation rows"},
	} {
		if f, err := m.Fit(context.Background(), c.d, c.opts...); err == nil || !strings.Contains(err.Error(), c.want) || f != nil {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
}

// TestRunLeavesOtherVariables: what the loss does not depend on stays.
func TestRunLeavesOtherVariables(t *testing.T) {
	state := graph.NewState()
	if _, err := state.Add("other", normal(1, 3), true); err != nil {
		t.Fatal(err)
	}
	count, err := tensor.FromInts([]int32{7})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Add("count", count, false); err != nil {
		t.Fatal(err)
	}
	before := everything(state)
	if _, err := Run(context.Background(), mixed{}, state, mixedRows(t, 1, 20, 8, true, 0), mixedRows(t, 2, 20, 8, false, 0), Options{Epochs: 2, Patience: 1, Restore: true}); err != nil {
		t.Fatal(err)
	}
	after := everything(state)
	for _, name := range []string{"other", "count"} {
		if !slices.Equal(before[name], after[name]) {
			t.Errorf("%s was %v and is %v", name, before[name], after[name])
		}
	}
}
