package train

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"sync"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/safetensors"
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
// any shuffling, as Keras; it takes precedence over Validation.
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

// Average validates and keeps an average of the weights over the updates, of
// which every update keeps this share at most, such as 0.999.
func Average(share float64) Option { return func(o *fitOptions) { o.Options.Average = share } }

// Mixup trains on mixtures of two rows (Zhang et al. 2018), whose shares come from
// Beta(alpha, alpha).
func Mixup(alpha float64) Option { return func(o *fitOptions) { o.Options.Mixup = alpha } }

// CutMix trains on images of which a rectangle comes from another (Yun et al.
// 2019), whose share of the area comes from Beta(alpha, alpha).
func CutMix(alpha float64) Option { return func(o *fitOptions) { o.Options.CutMix = alpha } }

// Accumulate adds up the gradients of n batches before each update.
func Accumulate(n int) Option { return func(o *fitOptions) { o.Options.Accumulate = n } }

// Seed sets the seed of initial values, dropout and order; the default is 0.
func Seed(s uint64) Option { return func(o *fitOptions) { o.Options.Seed = s } }

// InOrder keeps the rows in their order instead of shuffling them every epoch.
func InOrder() Option { return func(o *fitOptions) { o.ordered = true } }

// Checkpoint saves to a file and resumes from it. A file of other rows or
// options is an error; that the network changed is noticed where its variables
// did.
func Checkpoint(path string) Option { return func(o *fitOptions) { o.Options.Checkpoint = path } }

// With changes any of Run's options, such as those that have no function here.
func With(change func(*Options)) Option { return func(o *fitOptions) { change(&o.Options) } }

// OnEpoch calls f after every epoch.
func OnEpoch(f func(Epoch)) Option { return func(o *fitOptions) { o.Options.OnEpoch = f } }

// A Fit is a trained model.
type Fit struct {
	Result
	State *graph.State

	task *simpleTask
	once sync.Once
	pred graph.Executable
	err  error // of compiling pred
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
	if !(o.split >= 0 && o.split < 1) {
		return nil, fmt.Errorf("train: the validation split is %g, expected 0 ≤ split < 1", o.split)
	}
	if o.split > 0 {
		n := d.X.Shape()[0]
		keep := int(float64(n) * (1 - o.split))
		if keep == 0 || keep == n {
			return nil, fmt.Errorf("train: a validation split of %g leaves %d of %d rows to train on and %d to validate on, expected some of both", o.split, keep, n, n-keep)
		}
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
	if o.Options.Checkpoint != "" && o.Fingerprint == "" {
		o.Fingerprint = m.fingerprint(d, &o)
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

// fingerprint stands for what must be the same when a checkpoint is continued.
func (m *Model) fingerprint(d Dataset, o *fitOptions) string {
	h := sha256.New()
	for _, part := range []*Dataset{&d, o.valid} {
		if part == nil {
			continue
		}
		for _, t := range []*tensor.Tensor{part.X, part.Y} {
			fmt.Fprint(h, t)
			h.Write(safetensors.FromTensor("", t).Data)
		}
		fmt.Fprint(h, part.Weights)
	}
	fmt.Fprintf(h, "%d %d %v %g %g %g %g %g %g %d %d %g %v %q %v %T%+v %s %s", o.batch, o.Epochs, o.ordered, o.ClipNorm, o.L1, o.L2, o.Average, o.Options.Mixup, o.Options.CutMix,
		o.Accumulate, o.Patience, o.MinDelta, o.Restore, o.Monitor, o.Options.Seed, o.Optimizer, o.Optimizer, scheduleText(o.Options.Schedule), m.loss.Name())
	return fmt.Sprintf("%x", h.Sum(nil))
}

// scheduleText tells schedules apart by their kind and options.
func scheduleText(s optim.Schedule) string {
	if w, ok := s.(*optim.WarmUp); ok {
		return fmt.Sprintf("warm-up %d, %s", w.Steps, scheduleText(w.Then))
	}
	return fmt.Sprintf("%T%+v", s, s) // a pointer at the top prints what it points to
}

// Predict returns the network's output for each row of x, in one tensor. It is
// safe for concurrent use.
func (f *Fit) Predict(x *tensor.Tensor) (*tensor.Tensor, error) {
	f.once.Do(func() {
		b := graph.New("predict")
		b.Output("prediction", f.task.Forward(&nn.Context{B: b, State: f.State}, f.task.Inputs(b))[0])
		f.err = compile(b, &f.pred)
	})
	if f.err != nil {
		return nil, f.err
	}
	if len(x.Shape()) == 0 {
		return nil, fmt.Errorf("train: x is a scalar, expected rows as its first dimension")
	}
	// By blocks, so that memory does not grow with the rows.
	n := x.Shape()[0]
	block, out := tensor.Zeros(0), (*tensor.Tensor)(nil)
	for lo := 0; lo == 0 || lo < n; lo += evalBatch {
		hi := min(lo+evalBatch, n)
		if err := f.pred.Run([]*tensor.Tensor{x.Rows(lo, hi)}, []*tensor.Tensor{block}); err != nil {
			return nil, err
		}
		if out == nil {
			out = tensor.New(block.DType(), append([]int{n}, block.Shape()[1:]...)...)
		}
		copy(out.Rows(lo, hi).Raw(), block.Raw())
	}
	return out, nil
}

// Evaluate returns the mean loss over the rows of d, by their weights, and,
// for the cross-entropies, the share of rows whose most probable class is the
// target; for other losses it is NaN.
func (f *Fit) Evaluate(d Dataset) (meanLoss, accuracy float64, err error) {
	if err := d.check(); err != nil {
		return 0, 0, err
	}
	var outputs int
	batches, err := d.batches(evalBatch, false, 0)
	if err != nil {
		return 0, 0, err
	}
	pred, meanLoss, err := predictAll(evaluation(f.task, f.State, &outputs), batches, 1)
	if err != nil {
		return 0, 0, err
	}
	accuracy, err = f.task.m.accuracy(pred[0], d)
	return meanLoss, accuracy, err
}

func (m *Model) accuracy(pred []float32, d Dataset) (float64, error) {
	n := d.X.Shape()[0]
	k := len(pred) / n
	right := 0
	switch m.loss.Name() {
	case loss.BinaryCrossEntropy.Name():
		threshold, err := m.threshold()
		if err != nil {
			return 0, err
		}
		for i, y := range d.Y.Floats() {
			if (pred[i] >= threshold) == (y >= 0.5) {
				right++
			}
		}
		return float64(right) / float64(len(pred)), nil
	case loss.CategoricalCrossEntropy.Name():
		for i := range n {
			if argmax(pred[i*k:(i+1)*k]) == argmax(d.Y.Floats()[i*k:(i+1)*k]) {
				right++
			}
		}
	case loss.SparseCategoricalCrossEntropy.Name():
		for i, y := range d.Y.Ints() {
			if argmax(pred[i*k:(i+1)*k]) == int(y) {
				right++
			}
		}
	default:
		return math.NaN(), nil
	}
	return float64(right) / float64(n), nil
}

// threshold returns the prediction from which binary cross-entropy is in
// favour of 1: ½ where it takes probabilities, 0 where it takes logits. It
// asks the loss about a prediction of ¼.
func (m *Model) threshold() (float32, error) {
	b := graph.New("threshold")
	number := func(v float64) *graph.Node { return graph.BroadcastTo(b.Scalar(v), graph.Fixed(1)) }
	b.Output("positive", graph.Greater(m.loss.Of(number(0.25), number(0)), m.loss.Of(number(0.25), number(1))))
	var exe graph.Executable
	if err := compile(b, &exe); err != nil {
		return 0, err
	}
	positive := tensor.Zeros(1)
	err := exe.Run(nil, []*tensor.Tensor{positive})
	if positive.Floats()[0] == 1 {
		return 0, err
	}
	return 0.5, err
}

func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
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
