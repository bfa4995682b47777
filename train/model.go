package train

import (
	"context"
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// A Model is a network of one input and one output with the loss and the
// optimiser that train it: the short way from Go.
type Model struct {
	net  nn.Layer
	loss loss.Loss
	opt  optim.Optimizer
}

// New returns an untrained model.
func New(net nn.Layer, l loss.Loss, opt optim.Optimizer) *Model { return &Model{net, l, opt} }

// A Dataset is inputs, targets and perhaps weights of rows in memory.
type Dataset struct {
	X, Y    *tensor.Tensor
	Weights []float32 // nil: all 1
}

// Data pairs inputs x [rows …] with targets y: [rows 1] or [rows] float32, or
// [rows] int32 classes for the sparse losses.
func Data(x, y *tensor.Tensor) Dataset { return Dataset{X: x, Y: y} }

// rows returns a range of the rows.
func (d Dataset) rows(lo, hi int) Dataset {
	part := Dataset{X: d.X.Rows(lo, hi), Y: d.Y.Rows(lo, hi)}
	if d.Weights != nil {
		part.Weights = d.Weights[lo:hi]
	}
	return part
}

func (d Dataset) check() error {
	if d.X == nil || d.Y == nil {
		return fmt.Errorf("train: the data set lacks inputs or targets")
	}
	if len(d.X.Shape()) == 0 || len(d.Y.Shape()) == 0 || d.X.Shape()[0] != d.Y.Shape()[0] {
		return fmt.Errorf("train: inputs are %v and targets %v, expected as many rows", d.X, d.Y)
	}
	return nil
}

// fitOptions are what an Option of Fit changes.
type fitOptions struct {
	Options
	batch   int
	split   float64
	valid   *Dataset
	ordered bool
}

// An Option changes how Fit trains.
type Option func(*fitOptions)

// Epochs sets the passes over the rows; the default is 10.
func Epochs(n int) Option { return func(o *fitOptions) { o.Epochs = n } }

// BatchSize sets the rows of a step: 1 is online learning, 0 all rows at once;
// the default is 32.
func BatchSize(n int) Option { return func(o *fitOptions) { o.batch = n } }

// ValidationSplit holds the last share of the rows out for validation, before
// any shuffling, as Keras.
func ValidationSplit(share float64) Option { return func(o *fitOptions) { o.split = share } }

// Validation validates on other rows.
func Validation(d Dataset) Option { return func(o *fitOptions) { o.valid = &d } }

// EarlyStopping stops when the validation loss has not improved for patience
// epochs, and takes the best epoch's values.
func EarlyStopping(patience int) Option {
	return func(o *fitOptions) { o.Patience, o.Restore = patience, true }
}

// Schedule sets the learning-rate schedule.
func Schedule(s optim.Schedule) Option { return func(o *fitOptions) { o.Options.Schedule = s } }

// ClipNorm bounds the norm of all gradients together.
func ClipNorm(c float64) Option { return func(o *fitOptions) { o.Options.ClipNorm = c } }

// Accumulate adds up the gradients of n batches before each update.
func Accumulate(n int) Option { return func(o *fitOptions) { o.Options.Accumulate = n } }

// Seed sets the seed of initial values, dropout and order; the default is 0.
func Seed(s uint64) Option { return func(o *fitOptions) { o.Options.Seed = s } }

// InOrder keeps the rows in their order instead of shuffling them every epoch.
func InOrder() Option { return func(o *fitOptions) { o.ordered = true } }

// Checkpoint saves to a file and resumes from it.
func Checkpoint(path string) Option { return func(o *fitOptions) { o.Options.Checkpoint = path } }

// OnEpoch calls f after every epoch.
func OnEpoch(f func(Epoch)) Option { return func(o *fitOptions) { o.Options.OnEpoch = f } }

// A Fit is a trained model.
type Fit struct {
	Result
	State *graph.State

	task *simpleTask
	eval graph.Executable
	pred graph.Executable
}

// Fit trains the model from initial values on the rows of d. When ctx is
// cancelled it returns the fit so far with ErrStopped.
func (m *Model) Fit(ctx context.Context, d Dataset, opts ...Option) (*Fit, error) {
	o := fitOptions{batch: 32}
	for _, f := range opts {
		f(&o)
	}
	o.Optimizer = m.opt
	if err := d.check(); err != nil {
		return nil, err
	}
	if o.split < 0 || o.split >= 1 {
		return nil, fmt.Errorf("train: validation split is %g, expected 0 ≤ split < 1", o.split)
	}
	if o.split > 0 {
		n := d.X.Shape()[0]
		keep := n - int(float64(n)*o.split)
		v := d.rows(keep, n)
		d, o.valid = d.rows(0, keep), &v
	}
	train, err := d.batches(o.batch, !o.ordered, o.Options.Seed)
	if err != nil {
		return nil, err
	}
	var valid Batches
	if o.valid != nil {
		if err := o.valid.check(); err != nil {
			return nil, err
		}
		if valid, err = o.valid.batches(evalBatch, false, 0); err != nil {
			return nil, err
		}
	}
	fit := &Fit{State: graph.NewState(), task: &simpleTask{m, d.X, d.Y}}
	r, err := Run(ctx, fit.task, fit.State, train, valid, o.Options)
	if r == nil {
		return nil, err
	}
	fit.Result = *r
	return fit, err
}

// evalBatch is the batch size where no gradients are taken.
const evalBatch = 1024

func (d Dataset) batches(size int, shuffle bool, seed uint64) (*Memory, error) {
	return NewMemory([]*tensor.Tensor{d.X, d.Y}, d.Weights, size, shuffle, seed)
}

// Predict returns the network's output for each row of x, in one tensor.
func (f *Fit) Predict(x *tensor.Tensor) (*tensor.Tensor, error) {
	if f.pred == nil {
		b := graph.New("predict")
		in := f.task.Inputs(b)
		b.Output("prediction", f.task.Forward(&nn.Context{B: b, State: f.State}, in)[0])
		if err := compile(b, &f.pred); err != nil {
			return nil, err
		}
	}
	out := tensor.Zeros(0)
	return out, f.pred.Run([]*tensor.Tensor{x}, []*tensor.Tensor{out})
}

// Evaluate returns the mean loss over the rows of d and, for the
// cross-entropies, the accuracy of the most probable class; otherwise it is 0.
func (f *Fit) Evaluate(d Dataset) (meanLoss, accuracy float64, err error) {
	if err := d.check(); err != nil {
		return 0, 0, err
	}
	if f.eval == nil {
		if f.eval, _, err = buildEvaluation(f.task, f.State); err != nil {
			return 0, 0, err
		}
	}
	batches, err := d.batches(evalBatch, false, 0)
	if err != nil {
		return 0, 0, err
	}
	pred, meanLoss, err := predictAll(f.eval, batches, 1)
	if err != nil {
		return 0, 0, err
	}
	return meanLoss, accuracyOf(pred[0], d), nil
}

// accuracyOf compares the decided class with the target: probability ½ for
// one output, else the largest output.
func accuracyOf(pred []float32, d Dataset) float64 {
	n := d.X.Shape()[0]
	k := len(pred) / n
	right := 0
	argmax := func(x []float32) int {
		best := 0
		for i, v := range x {
			if v > x[best] {
				best = i
			}
		}
		return best
	}
	for i := range n {
		row := pred[i*k : (i+1)*k]
		switch {
		case d.Y.DType() == tensor.Int32:
			if int32(argmax(row)) == d.Y.Ints()[i] {
				right++
			}
		case k == 1:
			if (row[0] >= 0.5) == (d.Y.Floats()[i] >= 0.5) {
				right++
			}
		case argmax(row) == argmax(d.Y.Floats()[i*k:(i+1)*k]):
			right++
		}
	}
	return float64(right) / float64(n)
}

// simpleTask is the task of a Model; its shapes are those of the data.
type simpleTask struct {
	m    *Model
	x, y *tensor.Tensor
}

func symbolic(t *tensor.Tensor) []graph.Dim {
	dims := []graph.Dim{graph.Rows}
	for _, d := range t.Shape()[1:] {
		dims = append(dims, graph.N(d))
	}
	return dims
}

func (t *simpleTask) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("x", t.x.DType(), symbolic(t.x)...)}
}

func (t *simpleTask) Targets(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("y", t.y.DType(), symbolic(t.y)...)}
}

func (t *simpleTask) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	return []*graph.Node{t.m.net.Apply(c, in[0])}
}

func (t *simpleTask) Loss(_ *nn.Context, out, targets []*graph.Node) *graph.Node {
	return t.m.loss.Of(out[0], targets[0])
}
