package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

// The procedure is what turns prepared rows into a trained model: a function of
// the rows, the configuration and the seed, whichever rows these are. It trains
// the model that is published, and those of every fold.

// fitted is a trained model with what training told.
type fitted struct {
	model  *model.Model
	result *train.Result
	held   []heldOut // the validation rows, by output
	// corrected is how the probabilities of each output are; nil: nothing was tried.
	corrected []*calibrate.Choice
	// networks are those of a bag, in the order of the folds by which they stopped.
	networks []*model.Model
}

// valid is how the validation rows were predicted, of the first output.
func (f *fitted) valid() *metric.Sample { return f.held[0].sample() }

// rowBatches are batches in memory, or of which a part is made when it is needed.
type rowBatches interface {
	train.Batches
	SampleClasses(class []int, share []float64) error
	Sizes() []int
	Bytes() int
}

// closeBatches ends what makes batches.
func closeBatches(b rowBatches) {
	if s, ok := b.(*train.Stream); ok {
		s.Close()
	}
}

// batches returns a table's encoded rows, by whose weights the classes of each
// output have their shares, beside those of rows, and the targets of each output as
// metrics take them. With shuffle they are for training. Close them.
func batches(m *model.Model, t *data.Table, size int, shuffle bool, seed uint64, shares [][]float64, rows []float64) (rowBatches, [][]float64, error) {
	x, sources, err := m.EncodeStreamed(t, shuffle)
	if err != nil {
		return nil, nil, err
	}
	y, targets, err := m.AllTargets(t)
	if err != nil {
		return nil, nil, &UserError{err.Error()}
	}
	weights := weigh(y, targets, shares, rows)
	if len(sources) > 0 {
		b, err := train.NewStream(append(x, y...), sources, weights, size, shuffle, seed)
		return b, targets, err
	}
	b, err := train.NewMemory(append(x, y...), weights, size, shuffle, seed)
	return b, targets, err
}

// fitNetwork trains the configured network; with a long-tailed target twice,
// the second time on its logarithm, and keeps what fits the validation rows
// better. What is the name of the training, unique in the run: by it an
// interrupted run finds again what it had.
func (r *run) fitNetwork(ctx context.Context, c *Config, p *prepared, what string) (*fitted, error) {
	plain, err := r.fitModel(ctx, c, p, p.model, what, c.options, c.Train.BatchSize)
	if err != nil || !p.logToo {
		return plain, err
	}
	o := p.outputs[0].(*feature.NumberOutputOptions)
	logged := *o
	logged.Transform = "log"
	output, err := logged.Fit(p.train.Column(p.model.Target))
	if err != nil {
		return nil, err
	}
	second, err := r.fitModel(ctx, c, p, p.model.With(output, p.model.Network), what+", log target", c.options, c.Train.BatchSize)
	if err != nil {
		return nil, err
	}
	name := "rmse"
	if o.Loss == "absolute_error" {
		name = "mae"
	}
	a, err := plain.validationScore(name)
	if err != nil {
		return nil, err
	}
	b, err := second.validationScore(name)
	if err != nil {
		return nil, err
	}
	best, verdict := plain, "as it is"
	if b < a {
		best, verdict = second, "as log(1+target)"
	}
	if p != r.p { // a fold's choice is of no interest
		return best, nil
	}
	r.watch(Event{Stage: r.stage, Note: fmt.Sprintf("%s has a long tail: learnt %s, which fits the validation rows better (%s %.4g plain, %.4g logged)", p.model.Target, verdict, name, a, b)})
	return best, nil
}

// validationScore is for a choice between networks.
func (f *fitted) validationScore(name string) (float64, error) {
	scores, err := measure(f.valid(), name)
	if v, ok := scores[name]; ok || err != nil {
		return v, err
	}
	return 0, mistake("%s is undefined on the validation rows, by which the better of two networks is chosen: take more rows, or set outputs.transform to none or log", name)
}

// Training of the linear baseline. The settings are the same for every data
// set: a linear model has one optimum, and they reach it.
const (
	linearBaseline = "linear baseline" // what it is called

	linearRate     = 0.01
	linearEpochs   = 40
	linearPatience = 5
	linearDecay    = 1e-4
)

// fitLinear trains the strong cheap baseline of a network: no hidden layer, on
// the same inputs, output and rows, by the same engine.
func (r *run) fitLinear(ctx context.Context, c *Config, p *prepared, network *fitted, what string) (*fitted, error) {
	options := func() train.Options {
		o := c.options()
		o.Epochs, o.Patience, o.Monitor, o.MinDelta = linearEpochs, linearPatience, "", 0
		o.Optimizer, o.Accumulate, o.ClipNorm, o.L1, o.L2, o.Average = optim.Adam(linearRate), 1, 0, 0, linearDecay, 0
		o.Mixup, o.CutMix = 0, 0
		o.Schedule = &optim.ReduceOnPlateau{Gamma: 0.3, Patience: 1, Floor: 1e-3}
		return o
	}
	size := min(256, max(16, p.train.Rows/64)) // small tables need smaller batches for as many steps
	fit, err := r.fitModel(ctx, c, p, network.model.With(network.model.Output, &model.Linear{}), what, options, size)
	if err != nil {
		return nil, err
	}
	return fit, r.calibrate(c, p, fit, what)
}

// options returns the options of training that the configuration gives.
func (c *Config) options() train.Options {
	t := c.Train
	o := train.Options{
		Epochs: t.Epochs, Optimizer: t.Optimizer.Options.Build(),
		ClipNorm: t.ClipNorm, Accumulate: t.Accumulate, L1: t.L1, L2: t.L2, Average: c.average(), Mixup: t.Mixup, CutMix: t.CutMix, Seed: c.Seed,
		Patience: t.EarlyStopping.Patience, MinDelta: t.EarlyStopping.MinDelta, Restore: true,
	}
	if t.EarlyStopping.Metric != "loss" {
		o.Monitor = t.EarlyStopping.Metric
	}
	return o
}

// average is how much of the average of weights each update keeps. Where the
// validation rows are the latest, the weights of one epoch, chosen by them, suit the
// rows that come next better than an average does (docs/decisions/0012).
func (c *Config) average() float64 {
	if share, err := strconv.ParseFloat(c.Train.Average, 64); err == nil {
		return share
	}
	if c.splitSpec().Method == "time" {
		return 0
	}
	return 0.999
}

// trainModel trains a model's network on the training rows, by checkpoints
// under the run's folder. A checkpoint that cannot be continued from costs
// time, not the run: training starts anew.
func (r *run) trainModel(ctx context.Context, c *Config, p *prepared, m *model.Model, what string, options func() train.Options, size int) (*fitted, error) {
	fit, err := r.tryTraining(ctx, c, p, m, what, options(), size)
	var bad *train.CheckpointError
	if !errors.As(err, &bad) {
		return fit, err
	}
	r.watch(Event{Stage: r.stage, Warning: fmt.Sprintf("the checkpoint of the %s %v: it is trained anew from the start", what, bad.Err)})
	if err := train.RemoveCheckpoint(bad.Path); err != nil {
		return nil, err
	}
	return r.tryTraining(ctx, c, p, m.With(m.Output, m.Network), what, options(), size)
}

func (r *run) tryTraining(ctx context.Context, c *Config, p *prepared, m *model.Model, what string, o train.Options, size int) (*fitted, error) {
	shares, sampled := p.shares(c), c.Train.ClassSampling.on()
	weights := shares
	if sampled {
		weights = nil
	}
	rows, targets, err := batches(m, p.train, size, true, o.Seed, weights, p.weights(p.train))
	if err != nil {
		return nil, err
	}
	defer closeBatches(rows)
	if sampled {
		if err := rows.SampleClasses(classesOf(targets[0]), shares[0]); err != nil {
			return nil, err
		}
	}
	// Validation rows are weighted like training rows, or as these are sampled, or
	// early stopping would follow another loss than the one that is minimised.
	valid, targets, err := batches(m, p.valid, 2*m.BlockRows(), false, 0, shares, p.weights(p.valid))
	if err != nil {
		return nil, err
	}
	defer closeBatches(valid)
	if o.Schedule == nil {
		perEpoch := (rows.Steps() + max(1, o.Accumulate) - 1) / max(1, o.Accumulate)
		o.Schedule = c.Train.Schedule.Options.Build(perEpoch)
	}
	shown := evaluate.Headline(m.Output.Kind())
	if o.Monitor != "" {
		met, err := metricFor(o.Monitor, m.Output.Kind())
		if err != nil {
			return nil, mistake("%s: train.early_stopping.metric: %v", c.doc.Name(), err)
		}
		shown, o.Monitor, o.Higher = met.Name, met.Name, met.HigherIsBetter
	}
	o.Score = func(pred [][]float32) (map[string]float64, error) {
		s := heldOut{m.Decode(pred[0]), targets[0], p.weights(p.valid)}.sample()
		if s.Rows() == 0 && o.Monitor == "" { // of this output, in a fold of a bag
			return nil, nil
		}
		scores, err := measure(s, shown)
		if _, defined := scores[shown]; err == nil && o.Monitor != "" && !defined {
			err = mistake("%s: train.early_stopping.metric: %s is undefined on the %d validation rows: choose another metric, or more validation rows", c.doc.Name(), shown, len(targets[0]))
		}
		return scores, err
	}
	o.Checkpoint, o.Fingerprint = r.checkpoint(what), r.fingerprint(c)
	_, state, err := m.Describe()
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	resumed, _ := train.PeekEpoch(o.Checkpoint)
	r.watch(Event{Stage: r.stage, Training: &Training{What: what, Rows: rows.Rows(), Parameters: state.Parameters(), Epochs: o.Epochs, Metric: shown, Resumed: resumed}})
	o.OnStep = func(p train.Progress) { r.watch(Event{Stage: r.stage, Step: &p}) }
	o.OnEpoch = func(e train.Epoch) { r.watch(Event{Stage: r.stage, Epoch: &e}) }
	result, err := train.Run(ctx, m.Task(), m.State, rows, valid, o)
	if errors.Is(err, train.ErrStopped) && result.BestEpoch > 0 && p == r.p && what != linearBaseline {
		r.keepBest(m, what, result.BestEpoch)
	}
	if err != nil {
		return nil, explainTraining(err)
	}
	predictions, err := m.PredictAll(ctx, p.valid)
	if err != nil {
		return nil, err
	}
	fit := &fitted{model: m, result: result}
	for i, by := range predictions {
		fit.held = append(fit.held, heldOut{by, targets[i], p.weights(p.valid)})
	}
	return fit, nil
}

// checkpoint returns the file of a training's checkpoint.
func (r *run) checkpoint(what string) string {
	name := strings.Map(func(c rune) rune {
		switch {
		case c == ',':
			return -1
		case unicode.IsLetter(c), unicode.IsDigit(c), c == '.', c == '_':
			return c
		}
		return '-'
	}, what)
	return filepath.Join(r.entry.Dir, name+".checkpoint")
}

// fingerprint is of all that a checkpoint depends on: the run, and the
// configuration where it is a variant of the run's own.
func (r *run) fingerprint(c *Config) string {
	if c == r.c {
		return r.entry.Fingerprint
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", r.entry.Fingerprint, c.Text(false)))
	return hex.EncodeToString(sum[:])
}

// keepBest saves what a stopped run has learnt so far, not yet evaluated, into
// the run's folder, where the finished bundle will replace it.
func (r *run) keepBest(m *model.Model, what string, epoch int) {
	path, err := r.saveUnevaluated(m)
	if err != nil {
		r.watch(Event{Stage: r.stage, Warning: "the best model so far could not be saved: " + err.Error()})
		return
	}
	r.watch(Event{Stage: r.stage, Note: fmt.Sprintf("the best %s so far, of epoch %d, not evaluated: %s", what, epoch, path)})
}

// saveUnevaluated saves a model into the run's folder.
func (r *run) saveUnevaluated(m *model.Model) (path string, err error) {
	path = filepath.Join(r.entry.Dir, r.c.Name+".hone")
	return path, m.Save(path, Version, bundle.Part{Name: "config.yaml", Content: r.used.Text(false)})
}

// explainTraining makes divergence the user's to mend.
func explainTraining(err error) error {
	var diverged *train.DivergedError
	if errors.As(err, &diverged) {
		return unstable{diverged}
	}
	return err
}
