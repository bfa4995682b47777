package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// fit trains and fails the test on an error.
func fit(t *testing.T, m *Model, d Dataset, opts ...Option) *Fit {
	t.Helper()
	f, err := m.Fit(context.Background(), d, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// dense is a linear network; kernel and bias are its variables.
func dense(opts ...nn.DenseOption) nn.Layer { return nn.Dense(1, opts...) }

func TestFitFindsTheOptimum(t *testing.T) {
	want := map[string][]float32{"dense_1/kernel": {2, -3}, "dense_1/bias": {0.5}}
	for _, c := range []struct {
		name   string
		batch  int
		epochs int
		steps  int
		rate   float64
	}{
		{"full batch", 0, 150, 150, 0.2},
		{"mini-batch", 16, 20, 140, 0.1}, // of 100 rows: 6 of 16 and one of 4
		{"online", 1, 5, 500, 0.05},
	} {
		f := fit(t, New(dense(), loss.MeanSquaredError, optim.GradientDescent(c.rate)), linear(100, 0), Epochs(c.epochs), BatchSize(c.batch))
		near(t, c.name, values(f.State), want, 1e-3)
		if f.Steps != c.steps || len(f.History) != c.epochs || f.Stopped != "all "+map[int]string{150: "150", 20: "20", 5: "5"}[c.epochs]+" epochs done" {
			t.Errorf("%s: %d updates, %d epochs, stopped by %q", c.name, f.Steps, len(f.History), f.Stopped)
		}
	}
}

func TestFitHalfSquaredErrorIsTheTextbook(t *testing.T) {
	// One step of batch gradient descent from 0 on ½·Σ(p−y)², the mean over the rows.
	d := Data(floats(t, []float32{1, 2}, 2, 1), floats(t, []float32{3, 5}, 2, 1))
	f := fit(t, New(dense(nn.Init(nn.Zeros)), loss.HalfSquaredError, optim.GradientDescent(0.1)), d, Epochs(1), BatchSize(0))
	// ∂/∂w = −(1·3 + 2·5)/2, ∂/∂b = −(3 + 5)/2
	near(t, "one step", values(f.State), map[string][]float32{"dense_1/kernel": {0.65}, "dense_1/bias": {0.4}}, 1e-6)
}

func TestFitLearnsXOR(t *testing.T) {
	d := Data(floats(t, []float32{0, 0, 0, 1, 1, 0, 1, 1}, 4, 2), floats(t, []float32{0, 1, 1, 0}, 4, 1))
	net := nn.Sequential(nn.Dense(8, nn.Tanh), nn.Dense(1, nn.Sigmoid))
	for seed := range uint64(3) {
		f := fit(t, New(net, loss.BinaryCrossEntropy, optim.Adam(0.05)), d, Epochs(300), BatchSize(0), Seed(seed))
		p, err := f.Predict(d.X)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range d.Y.Floats() {
			if math.Abs(float64(p.Floats()[i]-y)) > 0.1 {
				t.Errorf("seed %d: row %d is %v, expected %v", seed, i, p.Floats()[i], y)
			}
		}
		l, accuracy, err := f.Evaluate(d)
		if err != nil || accuracy != 1 || !(l < 0.1) {
			t.Errorf("seed %d: loss %v, accuracy %v, %v", seed, l, accuracy, err)
		}
	}
}

// TestMemoryOfStepsIsFree: a trained network does not keep the memory of its steps.
func TestMemoryOfStepsIsFree(t *testing.T) {
	m := New(nn.Sequential(nn.Dense(4, nn.ReLU), nn.Dense(1)), loss.MeanSquaredError, optim.Adam(0.01))
	if f := fit(t, m, linear(40, 0), Epochs(1)); f.State.Scratch.Load() != nil {
		t.Error("the state holds what programs of steps share")
	}
}

func TestSeedsDiffer(t *testing.T) {
	m := New(nn.Sequential(nn.Dense(4, nn.ReLU), nn.Dropout(0.5), nn.Dense(1)), loss.MeanSquaredError, optim.Adam(0.01))
	a, b, c := fit(t, m, linear(40, 0), Epochs(2)), fit(t, m, linear(40, 0), Epochs(2)), fit(t, m, linear(40, 0), Epochs(2), Seed(1))
	sameBits(t, "same seed", everything(b.State), everything(a.State))
	if slices.Equal(values(a.State)["dense_1/kernel"], values(c.State)["dense_1/kernel"]) {
		t.Error("another seed gives the same values")
	}
}

// TestDropoutChanges: what is dropped differs from epoch to epoch, also where
// nothing else does.
func TestDropoutChanges(t *testing.T) {
	f := fit(t, New(nn.Sequential(nn.Dropout(0.5), nn.Dense(1)), loss.MeanSquaredError, optim.GradientDescent(0)), linear(40, 0), Epochs(4), BatchSize(10), InOrder())
	for i, e := range f.History[1:] {
		if e.Loss == f.History[i].Loss {
			t.Errorf("epochs %d and %d have the same loss, %v", e.Epoch-1, e.Epoch, e.Loss)
		}
	}
}

// TestThreads has batches that are cut into several tasks.
func TestThreads(t *testing.T) {
	defer cpu.SetThreads(cpu.Threads())
	net := nn.Sequential(nn.Dense(64, nn.ReLU), nn.BatchNorm(), nn.Dropout(0.1), nn.Dense(32, nn.GELU), nn.Dense(1))
	var want map[string][]float32
	for _, threads := range []int{1, 2, 3} {
		cpu.SetThreads(threads)
		f := fit(t, New(net, loss.MeanSquaredError, optim.AdamW(0.01, 0.01)), linear(1500, 0.1), Epochs(2), BatchSize(700), ValidationSplit(0.1), ClipNorm(1))
		if want == nil {
			want = everything(f.State)
		}
		sameBits(t, "threads", everything(f.State), want)
	}
}

func TestValidationSplitIsTheLastRows(t *testing.T) {
	// A network that cannot learn: its loss is y², which tells the rows apart.
	still := New(nn.Dense(1, nn.NoBias()), loss.MeanSquaredError, optim.GradientDescent(0.1))
	x, y := tensor.Zeros(10, 1), tensor.Zeros(10)
	for i := range y.Floats() {
		y.Floats()[i] = float32(i)
	}
	d := Data(x, y)
	d.Weights = []float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 3}
	f := fit(t, still, d, Epochs(2), BatchSize(3), ValidationSplit(0.2))
	e := f.History[1]
	if want := (64.0 + 3*81) / 4; math.Abs(e.Validation-want) > 1e-4 {
		t.Errorf("validation loss %v, expected %v", e.Validation, want)
	}
	if want := (1.0 + 4 + 9 + 16 + 25 + 36 + 49) / 8; math.Abs(e.Loss-want) > 1e-4 {
		t.Errorf("loss %v, expected %v", e.Loss, want)
	}
	if f.BestEpoch != 1 || f.History[1].Best {
		t.Errorf("the best epoch is %d, expected the first of equals", f.BestEpoch)
	}
	f = fit(t, still, d, Epochs(1), Validation(Data(x.Rows(2, 4), y.Rows(2, 4))))
	if got := f.History[0].Validation; got != 6.5 {
		t.Errorf("validation loss %v, expected that of the other rows, 6.5", got)
	}
	for _, split := range []float64{-0.1, 1, 0.99, 1e-17, math.NaN()} {
		if _, err := still.Fit(context.Background(), d, ValidationSplit(split)); err == nil || !strings.Contains(err.Error(), "validation split") {
			t.Errorf("split %g: %v", split, err)
		}
	}
}

func TestValidationSplitKeras(t *testing.T) {
	// Keras 3, data_adapter_utils.train_validation_split: ⌊n·(1−split)⌋ rows stay.
	for _, c := range []struct {
		n     int
		split float64
		keep  int
	}{{5, 0.5, 2}, {10, 0.2, 8}, {7, 0.1, 6}, {2000, 0.2, 1600}} {
		d := Data(tensor.Zeros(c.n, 1), tensor.Zeros(c.n, 1))
		f := fit(t, New(dense(), loss.MeanSquaredError, optim.Adam(0.1)), d, Epochs(1), BatchSize(1), ValidationSplit(c.split))
		if f.Steps != c.keep {
			t.Errorf("%d rows, split %g: %d trained on, expected %d", c.n, c.split, f.Steps, c.keep)
		}
	}
}

func TestEarlyStoppingTakesTheBestEpoch(t *testing.T) {
	// Random labels: what is learnt by heart makes validation worse.
	train, valid := mixedRows(t, 1, 60, 8, true, 0.5), mixedRows(t, 2, 40, 16, false, 0.5)
	state := graph.NewState()
	var best map[string][]float32
	bestEpoch, lowest := 0, math.Inf(1)
	r, err := Run(context.Background(), mixed{}, state, train, valid, Options{
		Epochs: 60, Optimizer: optim.Adam(0.02), Patience: 4, Restore: true,
		OnEpoch: func(e Epoch) {
			if e.Best != (e.Validation < lowest) {
				t.Errorf("epoch %d: best is %v, validation loss %v after a lowest of %v", e.Epoch, e.Best, e.Validation, lowest)
			}
			if e.Best {
				best, bestEpoch, lowest = values(state), e.Epoch, e.Validation
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.BestEpoch != bestEpoch || len(r.History) != bestEpoch+4 || r.Stopped != "no improvement for 4 epochs" {
		t.Errorf("best epoch %d of %d, stopped by %q; expected the best %d, and 4 more", r.BestEpoch, len(r.History), r.Stopped, bestEpoch)
	}
	sameBits(t, "at the end", values(state), best)
}

// TestAverage: what is validated, and left in the end, is the average of the
// weights, while training goes on from the weights themselves.
func TestAverage(t *testing.T) {
	run := func(average float64, epochs int) (*graph.State, *Result) {
		state := graph.NewState()
		r, err := Run(context.Background(), mixed{}, state, mixedRows(t, 1, 60, 60, false, 0.3), mixedRows(t, 2, 30, 16, false, 0.3),
			Options{Epochs: epochs, Optimizer: optim.SGD(0.3), Average: average})
		if err != nil {
			t.Fatal(err)
		}
		return state, r
	}
	// One batch is an epoch, so that the weights after each update are known.
	var want map[string][]float64
	const epochs = 30
	for n := range epochs {
		weights, _ := run(0, n+1)
		share := min(0.7, float64(n)/float64(n+9))
		if want == nil {
			want = map[string][]float64{}
		}
		for name, w := range values(weights) {
			if want[name] == nil {
				want[name] = make([]float64, len(w))
			}
			for i, x := range w {
				want[name][i] = share*want[name][i] + (1-share)*float64(x)
			}
		}
	}
	state, r := run(0.7, epochs)
	for _, v := range optim.ModelVariables(state) { // the running statistics of batches too
		name, w := v.Name, want[v.Name]
		for i, x := range v.Value.Floats() {
			if math.Abs(float64(x)-w[i]) > 1e-5*max(1, math.Abs(w[i])) {
				t.Fatalf("%s %d is %v, expected %v", name, i, x, w[i])
			}
		}
	}
	loss := func(s *graph.State) float64 {
		var outputs int
		_, loss, err := predictAll(evaluation(mixed{}, s, &outputs), mixedRows(t, 2, 30, 16, false, 0.3), 0)
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	plain, _ := run(0, epochs)
	if got, want := r.History[epochs-1].Validation, loss(state); got != want || want == loss(plain) {
		t.Errorf("the last validation loss is %v, that of the average %v, of the weights %v", got, want, loss(plain))
	}
}

func TestMonitorAndMinDelta(t *testing.T) {
	scores := []float64{0.50, 0.60, math.NaN(), 0.65, 0.601, 0.605, 0.66, 0.9}
	run := func(o Options) (*Result, error) {
		calls := 0
		o.Epochs = len(scores)
		o.Score = func(pred [][]float32) (map[string]float64, error) {
			if len(pred) != 1 || len(pred[0]) != 20 {
				t.Errorf("%d predictions, the first of %d rows, expected 1 of 20", len(pred), len(pred[0]))
			}
			calls++
			return map[string]float64{"auc": scores[calls-1]}, nil
		}
		return Run(context.Background(), mixed{}, graph.NewState(), mixedRows(t, 1, 20, 8, true, 0), mixedRows(t, 2, 20, 7, false, 0), o)
	}
	if _, err := run(Options{Monitor: "auc", Higher: true}); err == nil || !strings.Contains(err.Error(), `epoch 3 have no "auc"`) {
		t.Errorf("an undefined score was monitored: %v", err)
	}
	r, err := run(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, there := r.History[2].Scores["auc"]; there || r.History[1].Scores["auc"] != 0.6 {
		t.Errorf("history %+v, expected scores without what is undefined", r.History)
	}
	scores[2] = 0.62
	if r, err = run(Options{Monitor: "auc", Higher: true, MinDelta: 0.055}); err != nil {
		t.Fatal(err)
	}
	var best []int
	for _, e := range r.History {
		if e.Best {
			best = append(best, e.Epoch)
		}
	}
	if !slices.Equal(best, []int{1, 2, 7, 8}) || r.BestEpoch != 8 {
		t.Errorf("best epochs are %v and in the end %d, expected 1, 2, 7 and 8", best, r.BestEpoch)
	}
	// A schedule that follows the score knows that more of it is better.
	if r, err = run(Options{Monitor: "auc", Higher: true, Schedule: &optim.ReduceOnPlateau{Gamma: 0.5}, Optimizer: optim.SGD(1)}); err != nil {
		t.Fatal(err)
	}
	var rates []float64
	for _, e := range r.History {
		rates = append(rates, e.LearningRate)
	}
	// Epochs 5 and 6 are no better than epoch 4.
	if !slices.Equal(rates, []float64{1, 1, 1, 1, 1, 0.5, 0.25, 0.25}) {
		t.Errorf("learning rates %v", rates)
	}
	if r, err = run(Options{Monitor: "auc", Higher: true, MinDelta: 0.055, Patience: 3}); err != nil || len(r.History) != 5 || r.BestEpoch != 2 {
		t.Errorf("%d epochs, best %d, %v; expected to stop after 5 with 2", len(r.History), r.BestEpoch, err)
	}
}

// rates returns the learning rate of every step.
func rates(t *testing.T, s optim.Schedule, opts ...Option) []float64 {
	t.Helper()
	var all []float64
	opts = append([]Option{Epochs(6), BatchSize(4), Schedule(s), With(func(o *Options) {
		o.OnStep = func(p Progress) { all = append(all, p.LearningRate) }
	})}, opts...)
	// The network stands still, and so does its validation loss.
	fit(t, New(nn.Dense(1, nn.NoBias()), loss.MeanSquaredError, optim.GradientDescent(0.5)), Data(tensor.Zeros(10, 1), normal(1, 10, 1)), opts...)
	return all
}

func TestSchedules(t *testing.T) {
	near := func(what string, got []float64, want func(step int) float64, n int) {
		t.Helper()
		if len(got) != n {
			t.Errorf("%s: %d steps, expected %d", what, len(got), n)
		}
		for i, r := range got {
			if math.Abs(r-want(i)) > 1e-7 {
				t.Errorf("%s: step %d has learning rate %v, expected %v", what, i, r, want(i))
			}
		}
	}
	// 10 rows by 4 are 3 steps of an epoch, 18 in all.
	near("none", rates(t, nil), func(int) float64 { return 0.5 }, 18)
	near("cosine", rates(t, optim.Cosine{}), func(i int) float64 { return 0.25 * (1 + math.Cos(math.Pi*float64(i)/18)) }, 18)
	near("step", rates(t, optim.StepDecay{Every: 6, Gamma: 0.1}), func(i int) float64 { return 0.5 * math.Pow(0.1, float64(i/6)) }, 18)
	near("warm-up", rates(t, &optim.WarmUp{Steps: 5}), func(i int) float64 { return 0.1 * float64(min(5, i+1)) }, 18)
	// With 2 batches to an update there are 2 updates of an epoch, 12 in all.
	near("accumulated", rates(t, optim.Cosine{}, Accumulate(2)), func(i int) float64 {
		update := 2*(i/3) + i%3/2
		return 0.25 * (1 + math.Cos(math.Pi*float64(update)/12))
	}, 18)
	// The loss is best in epoch 1, and then never: reduced after 2 and 4, when 2
	// epochs have not been better.
	near("plateau", rates(t, &optim.ReduceOnPlateau{Gamma: 0.5, Patience: 1}, ValidationSplit(0.2)), func(i int) float64 {
		return 0.5 * math.Pow(0.5, float64(max(0, i/2-1)/2)) // 8 rows: 2 steps
	}, 12)
}

func TestOnStepAndHistory(t *testing.T) {
	var last Progress
	steps := 0
	f := fit(t, New(dense(), loss.MeanSquaredError, optim.GradientDescent(0.1)), linear(10, 0.1), Epochs(3), BatchSize(4), With(func(o *Options) {
		o.OnStep = func(p Progress) {
			steps++
			if p.Epoch != (steps+2)/3 || p.Step != (steps-1)%3+1 || p.Epochs != 3 || p.Steps != 3 || !(p.RowsPerSecond > 0) || p.LearningRate != float64(float32(0.1)) {
				t.Errorf("step %d: %+v", steps, p)
			}
			last = p
		}
		o.OnEpoch = func(e Epoch) {
			if e.Loss != last.Loss || e.Epoch != last.Epoch || e.LearningRate != last.LearningRate {
				t.Errorf("epoch %+v after step %+v", e, last)
			}
		}
	}))
	if steps != 9 || f.Steps != 9 || f.BestEpoch != 3 || f.Resumed || !(f.Seconds > 0) {
		t.Errorf("%d steps, %+v", steps, f.Result)
	}
	for i, e := range f.History {
		if e.Epoch != i+1 || !e.Best || i > 0 && !(e.Loss < f.History[i-1].Loss) {
			t.Errorf("history %+v", f.History)
		}
	}
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	m := New(dense(), loss.MeanSquaredError, optim.GradientDescent(0.1))
	f, err := m.Fit(ctx, linear(100, 0), Epochs(50), BatchSize(10), ValidationSplit(0.2), EarlyStopping(9), With(func(o *Options) {
		o.OnStep = func(p Progress) {
			if p.Epoch == 3 && p.Step == 2 {
				cancel()
			}
		}
	}))
	if !errors.Is(err, ErrStopped) || f == nil {
		t.Fatalf("got %v and %v, expected a fit and ErrStopped", f, err)
	}
	if f.Stopped != "stopped" || f.Steps != 18 || len(f.History) != 2 || f.BestEpoch != 2 {
		t.Errorf("%+v, expected two epochs and two steps", f.Result)
	}
	// The best epoch's values are in place, as if it had ended there.
	two := fit(t, m, linear(100, 0), Epochs(2), BatchSize(10), ValidationSplit(0.2))
	sameBits(t, "stopped", values(f.State), values(two.State))
	if _, err := f.Predict(tensor.Zeros(1, 2)); err != nil {
		t.Error(err)
	}
}

func TestDiverged(t *testing.T) {
	d := linear(64, 0)
	labels := tensor.Zeros(64, 1)
	for i, y := range d.Y.Floats() {
		if y > 0 {
			labels.Floats()[i] = 1
		}
	}
	deep := nn.Sequential(nn.Dense(32, nn.ReLU), nn.Dense(32, nn.ReLU), nn.Dense(1))
	deepSigmoid := nn.Sequential(nn.Dense(32, nn.ReLU), nn.Dense(32, nn.ReLU), nn.Dense(1, nn.Sigmoid))
	for _, c := range []struct {
		name   string
		model  *Model
		y      *tensor.Tensor
		epochs int
		want   string
	}{
		{"gradient descent", New(deep, loss.MeanSquaredError, optim.GradientDescent(1e6)), d.Y, 5, "at learning rate 1e+06; lower the learning rate (try 0.01)"},
		{"too fast by little", New(dense(), loss.MeanSquaredError, optim.GradientDescent(3)), d.Y, 100, "at learning rate 3; lower the learning rate (try 0.01)"},
		{"Adam", New(deepSigmoid, loss.BinaryCrossEntropy, optim.Adam(1e6)), labels, 5, "clip_norm"},
		{"Adam, finite throughout", New(deepSigmoid, loss.BinaryCrossEntropy, optim.Adam(10)), labels, 5, "try 0.01"},
		{"AdamW", New(deepSigmoid, loss.BinaryCrossEntropy, optim.AdamW(1e6, 0.01)), labels, 5, "try 0.01"},
		{"the last update", New(dense(), loss.MeanSquaredError, optim.GradientDescent(1e38)), d.Y, 1, "became NaN in epoch 1, step 1"},
	} {
		for _, split := range []float64{0, 0.25} {
			batch := 16
			if c.epochs == 1 {
				batch = 0
			}
			f, err := c.model.Fit(context.Background(), Data(d.X, c.y), Epochs(c.epochs), BatchSize(batch), ValidationSplit(split), Schedule(&optim.WarmUp{Steps: 1}))
			var diverged *DivergedError
			if !errors.As(err, &diverged) || !strings.Contains(err.Error(), c.want) || f != nil {
				t.Errorf("%s, split %g: %v, expected %q", c.name, split, err, c.want)
				continue
			}
			if diverged.Epoch < 1 || diverged.Step < 1 {
				t.Errorf("%s: %+v", c.name, diverged)
			}
		}
	}
}

// TestNotDiverged has losses that grow and shrink a lot for good reasons.
func TestNotDiverged(t *testing.T) {
	large := linear(200, 0.1)
	for i := range large.Y.Floats() {
		large.Y.Floats()[i] *= 1000
	}
	fit(t, New(dense(), loss.MeanSquaredError, optim.Adam(1)), large, Epochs(3), BatchSize(1))
	// The first batches are much easier than the rest.
	for i := range 20 {
		large.Y.Floats()[i] = 0
	}
	fit(t, New(dense(nn.Init(nn.Zeros)), loss.MeanSquaredError, optim.Adam(1)), large, Epochs(3), BatchSize(10), InOrder())
}

func TestLossBeforeTraining(t *testing.T) {
	d := linear(10, 0)
	d.X.Floats()[3] = float32(math.NaN())
	if _, err := New(dense(), loss.MeanSquaredError, optim.Adam(0.1)).Fit(context.Background(), d); err == nil || !strings.Contains(err.Error(), "before the first step") {
		t.Errorf("got %v", err)
	}
}

func TestEvaluate(t *testing.T) {
	x := floats(t, []float32{-2, -0.3, 0.3, 2}, 4, 1)
	identity := nn.Func(func(_ *nn.Context, x *graph.Node) *graph.Node { return x })
	evaluate := func(l loss.Loss, net nn.Layer, d Dataset) (float64, float64) {
		t.Helper()
		// The dense layer is there to be trained, and adds nothing.
		f := fit(t, New(nn.Func(func(c *nn.Context, x *graph.Node) *graph.Node {
			return graph.Add(net.Apply(c, x), nn.Dense(1, nn.Init(nn.Zeros)).Apply(c, x))
		}), l, optim.GradientDescent(0)), d, Epochs(1))
		l1, accuracy, err := f.Evaluate(d)
		if err != nil {
			t.Fatal(err)
		}
		return l1, accuracy
	}
	y := floats(t, []float32{0, 1, 1, 1}, 4, 1)
	// As logits three are right: −0.3 means no.
	if l, a := evaluate(loss.BinaryCrossEntropy.FromLogits(), identity, Data(x, y)); a != 0.75 || math.Abs(l-0.41560) > 1e-4 {
		t.Errorf("logits: loss %v, accuracy %v", l, a) // (2·log(1+e⁻²) + log(1+e^0.3) + log(1+e^−0.3))/4
	}
	p := floats(t, []float32{0.1, 0.3, 0.6, 0.9}, 4, 1)
	if _, a := evaluate(loss.BinaryCrossEntropy, identity, Data(p, y)); a != 0.75 {
		t.Errorf("probabilities: accuracy %v", a)
	}
	if _, a := evaluate(loss.MeanSquaredError, identity, Data(x, y)); !math.IsNaN(a) {
		t.Errorf("squared error: accuracy %v, expected NaN", a)
	}
	logits := floats(t, []float32{3, 1, 0, 0, 2, 1, 0, 1, 2, 1, 0, 0}, 4, 3)
	classes, err := tensor.FromInts([]int32{0, 1, 2, 2})
	if err != nil {
		t.Fatal(err)
	}
	d := Data(logits, classes)
	d.Weights = []float32{1, 1, 1, 0}
	if l, a := evaluate(loss.SparseCategoricalCrossEntropy.FromLogits(), identity, d); a != 0.75 || math.Abs(l-0.32838) > 1e-4 {
		t.Errorf("classes: loss %v, accuracy %v", l, a) // (log(1+e⁻²+e⁻³) + 2·log(1+e⁻¹+e⁻²))/3
	}
	hot := floats(t, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1}, 4, 3)
	if _, a := evaluate(loss.CategoricalCrossEntropy.FromLogits(), identity, Data(logits, hot)); a != 0.75 {
		t.Errorf("one-hot: accuracy %v", a)
	}
	two := floats(t, []float32{0.9, 0.2, 0.4, 0.6}, 2, 2)
	labels := floats(t, []float32{1, 0, 1, 1}, 2, 2)
	if _, a := evaluate(loss.BinaryCrossEntropy, identity, Data(two, labels)); a != 0.75 {
		t.Errorf("several labels: accuracy %v", a)
	}
}

// TestPredictInBlocks has more rows than a block.
func TestPredictInBlocks(t *testing.T) {
	f := fit(t, New(nn.Sequential(nn.Dense(8, nn.Tanh), nn.Dense(3, nn.Softmax)), loss.SparseCategoricalCrossEntropy, optim.Adam(0.01)),
		Data(normal(1, 9, 4), tensor.New(tensor.Int32, 9)), Epochs(1))
	x := normal(2, 2*evalBatch+5, 4)
	all, err := f.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	if !tensor.SameShape(all.Shape(), []int{2*evalBatch + 5, 3}) {
		t.Fatalf("predictions are %v", all)
	}
	for _, i := range []int{0, 7, evalBatch - 1, evalBatch, 2*evalBatch + 4} {
		one, err := f.Predict(x.Rows(i, i+1))
		if err != nil || !slices.Equal(one.Floats(), all.Rows(i, i+1).Floats()) {
			t.Errorf("row %d: %v alone, %v among others, %v", i, one.Floats(), all.Rows(i, i+1).Floats(), err)
		}
	}
	if none, err := f.Predict(x.Rows(0, 0)); err != nil || !tensor.SameShape(none.Shape(), []int{0, 3}) {
		t.Errorf("no rows: %v, %v", none, err)
	}
	if _, err := f.Predict(tensor.Zeros(2, 5)); err == nil || !strings.Contains(err.Error(), "expected float32") {
		t.Errorf("another width: %v", err)
	}
}
