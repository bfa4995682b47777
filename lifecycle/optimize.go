package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/optimize"
	"github.com/hone-ml/hone/train"
)

// derive returns the configuration with overrides, as --set takes them.
func (c *Config) derive(sets []string) (*Config, error) {
	doc, err := config.Parse(c.doc.Name(), c.Text(false))
	if err != nil {
		return nil, err
	}
	if err := doc.Set(sets...); err != nil {
		return nil, err
	}
	d := &Config{doc: doc, Gates: c.Gates}
	if err := doc.Decode(d); err != nil {
		return nil, err
	}
	return d, d.check()
}

// settings looks up keys of the configuration, defaults too.
func (c *Config) settings() (optimize.Settings, error) {
	doc, err := config.Parse(c.doc.Name(), c.Text(false))
	if err != nil {
		return nil, err
	}
	return doc.Values, nil
}

// contender is a configuration with the model that it led to.
type contender struct {
	c   *Config
	p   *prepared
	fit *fitted
}

// improve tries changes of the configuration on the rows that a first model was
// trained on, and returns what is best by its validation rows: the model itself,
// unless a paired test says otherwise. The prefix is that of the names of its
// trainings. Test rows are not read.
func (r *run) improve(ctx context.Context, first contender, prefix string) (contender, *evaluate.Improvement, error) {
	o := first.c.Optimize
	best := first
	m, err := r.yardstick(first.p)
	if err != nil {
		return best, nil, err
	}
	held := len(first.fit.held[0].truth)
	if r.c.Optimize.Metric != lossName {
		held = first.fit.held[0].known()
	}
	chain := &evaluate.Improvement{
		Metric: m.Name, Rows: held, Folds: max(1, len(first.p.bag)), Level: optimize.Level(o.Trials), Allowed: o.Trials,
		Trials: []evaluate.Trial{}, Changes: []string{},
	}
	if chain.First, err = r.measured(first, m); err != nil {
		return best, nil, err
	}
	tried := map[string]bool{} // by the change: what was of no use before something else was kept hardly is after
	for {
		e, err := r.evidence(ctx, best)
		if err != nil {
			return best, nil, err
		}
		s, err := best.c.settings()
		if err != nil {
			return best, nil, err
		}
		chain.Findings = optimize.Diagnose(e)
		kept := false
		for _, p := range optimize.Prescribe(chain.Findings, s, e) {
			change := strings.Join(p.Changes, "\n")
			if tried[change] {
				continue
			}
			tried[change] = true
			c, err := best.c.derive(p.Changes)
			if err != nil {
				return best, nil, fmt.Errorf("the remedy %q of %s cannot be carried out: %w", p.Remedy, p.Finding.Kind, err)
			}
			if len(chain.Trials) == o.Trials {
				chain.Stopped = fmt.Sprintf("the %d trials that optimize.trials allows were made", o.Trials)
				break
			}
			t := evaluate.Trial{Trial: len(chain.Trials) + 1, Finding: p.Finding, Remedy: p.Remedy, Changes: p.Changes, Metric: m.Name}
			next, err := r.try(ctx, best, c, m, chain.Level, prefix, &t)
			if err != nil {
				return best, nil, err
			}
			chain.Trials = append(chain.Trials, t)
			r.watch(Event{Stage: r.stage, Trial: &t})
			if kept = t.Outcome == evaluate.TrialKept; kept {
				best = *next
				chain.Changes = append(chain.Changes, t.Changes...)
				break
			}
		}
		if !kept {
			break
		}
	}
	if chain.Stopped == "" {
		chain.Stopped = "nothing was left to try"
	}
	chain.Last, err = r.measured(best, m)
	return best, chain, err
}

// try carries out a trial, or takes what an interrupted run found out by it, and
// fills in t. The contender is nil unless it is kept.
func (r *run) try(ctx context.Context, best contender, c *Config, m *metric.Metric, level float64, prefix string, t *evaluate.Trial) (*contender, error) {
	name := fmt.Sprintf("%strial %d", prefix, t.Trial)
	path := r.checkpoint(name)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", r.fingerprint(best.c), r.fingerprint(c), name))
	print := hex.EncodeToString(sum[:])
	var before evaluate.Trial
	done, err := readOutcome(path, print, &before)
	if err != nil {
		r.watch(Event{Stage: r.stage, Warning: fmt.Sprintf("what was kept of %s %v: it is carried out anew", name, err)})
	}
	if done && before.Outcome != evaluate.TrialKept {
		*t = before
		return nil, nil
	}
	next := &contender{c: c}
	if next.p, err = best.p.variant(ctx, c); err == nil {
		next.fit, err = r.fitNetwork(ctx, c, next.p, name+", network") // of a trial that is done: from its checkpoints
	}
	if failed := new(UserError); errors.As(err, &failed) {
		t.Outcome, t.Reason = evaluate.TrialFailed, failed.Error()
		t.After, t.P = evaluate.Number(math.NaN()), evaluate.Number(math.NaN())
		t.Gain = metric.Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
		t.Before, err = r.measured(best, m)
		if err == nil {
			err = writeOutcome(path, print, t)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if done {
		*t = before
		return next, nil
	}
	v, err := r.judge(best, *next, m, level)
	if err != nil {
		return nil, err
	}
	t.Before, t.After, t.Gain, t.Test, t.P = evaluate.Number(v.Before), evaluate.Number(v.After), v.Gain, v.Test, evaluate.Number(v.P)
	t.Outcome = evaluate.TrialNotKept
	switch {
	case v.Better:
		t.Outcome = evaluate.TrialKept
	case v.Small:
		t.Reason = "too little to be worth a change"
	}
	if v.Better {
		name, err := r.worse(best, *next)
		if err != nil {
			return nil, err
		}
		if name != "" {
			v.Better, t.Outcome, t.Reason = false, evaluate.TrialNotKept, name+" is predicted worse"
		}
	}
	if limit := r.c.Optimize.MaxLatencyMS; limit > 0 {
		l, err := latencyOf(ctx, next.fit.model, next.p.held(), latencyRuns)
		if err != nil {
			return nil, err
		}
		if t.LatencyMS = l.MedianMS; v.Better && l.MedianMS > limit {
			t.Outcome, t.Reason = evaluate.TrialTooSlow, fmt.Sprintf("more than the %g ms that optimize.max_latency_ms allows for a row", limit)
		}
	}
	if err := writeOutcome(path, print, t); err != nil || t.Outcome == evaluate.TrialKept {
		return next, err
	}
	trainings, err := filepath.Glob(strings.TrimSuffix(path, ".checkpoint") + "-*.checkpoint")
	for _, f := range trainings {
		err = errors.Join(err, os.Remove(f))
	}
	return nil, err
}

// variant prepares the same rows for another configuration. What p says of the
// data stays.
func (p *prepared) variant(ctx context.Context, c *Config) (*prepared, error) {
	var q *prepared
	err := Await(ctx, func() error {
		q = &prepared{train: p.train, valid: p.valid, bag: p.bag, schema: p.schema, clean: p.clean, weight: p.weight}
		if err := q.fit(p.pinned(c)); err != nil {
			return err
		}
		return errors.Join(q.check(c), q.checkTargets())
	})
	if err != nil {
		return nil, err
	}
	v := *p
	v.model, v.outputs, v.logToo = q.model, q.outputs, q.logToo
	return &v, nil
}

// lossName is what the loss of several outputs together is called.
const lossName = "loss"

// yardstick is the metric by which trials are judged: the one that is asked for,
// else the loss that training minimises, on the target as it is.
func (r *run) yardstick(p *prepared) (*metric.Metric, error) {
	if r.c.Optimize.Metric == lossName {
		return lossOf(p)
	}
	m, err := metricFor(r.c.Optimize.Metric, p.model.Output.Kind())
	if err != nil {
		return nil, mistake("%s: optimize.metric: %v", r.c.doc.Name(), err)
	}
	return m, nil
}

// lossOf is the metric that is the loss of training, or as good as it, of samples
// as weighed returns them.
func lossOf(p *prepared) (*metric.Metric, error) {
	if len(p.outputs) == 1 {
		return metric.Lookup(lossMetric(p.outputs[0]))
	}
	m, err := metric.Lookup("mae") // of the loss of each row and 0: their mean
	if err != nil {
		return nil, err
	}
	joint := *m
	joint.Name = lossName
	return &joint, nil
}

// lossMetric is the name of the metric that is the loss of an output.
func lossMetric(options feature.OutputOptions) string {
	o, ok := options.(*feature.NumberOutputOptions)
	switch {
	case !ok:
		return "log_loss"
	case o.Loss == "squared_error":
		return "rmse"
	}
	return "mae"
}

// weighed are predictions as their loss is measured: with the weights of classes,
// and those of several outputs as the loss of each row, see jointLoss.
func (p *prepared) weighed(held []heldOut, shares [][]float64) (*metric.Sample, error) {
	if len(held) > 1 {
		return p.jointLoss(held, shares)
	}
	s := held[0].sample()
	if shares == nil {
		return s, nil
	}
	weight := make([]float64, s.Rows())
	for i, w := range classWeights(s.Target, shares[0], s.Weight) {
		weight[i] = float64(w)
		if s.Weight != nil {
			weight[i] *= s.Weight[i]
		}
	}
	s.Weight = weight
	return s, nil
}

// jointLoss is a sample whose absolute error in each row is the sum of the losses
// of the outputs whose target the row has, each times its weight: of classes in
// nats, of numbers in deviations of the training targets, squared where training
// squares them.
func (p *prepared) jointLoss(held []heldOut, shares [][]float64) (*metric.Sample, error) {
	n := held[0].rows()
	s := &metric.Sample{Kind: metric.Regression, Target: make([]float64, n), Pred: make([]float64, n), Weight: held[0].weight}
	for i, h := range held {
		weight, name := p.model.LossWeights[i], lossMetric(p.outputs[i])
		var classes []float32
		if shares != nil {
			classes = classWeights(h.truth, shares[i], h.weight)
		}
		unit := 1.0
		if h.by.Kind == metric.Regression {
			unit = deviation(p.train.Column(p.model.Outputs()[i].Column).Numbers)
		}
		for row := range n {
			y := h.truth[row*h.width()]
			if math.IsNaN(y) {
				continue
			}
			loss := 0.0
			switch {
			case h.by.Kind == metric.Regression:
				loss = math.Abs(h.by.Value[row]-y) / unit
				if name == "rmse" {
					loss *= loss
				}
			case h.by.Kind == metric.Multilabel:
				for j, p := range h.by.Prob[row*len(h.by.Classes) : (row+1)*len(h.by.Classes)] {
					if h.truth[row*h.width()+j] == 0 {
						p = 1 - p
					}
					loss -= math.Log(max(p, 0x1p-52)) / float64(len(h.by.Classes))
				}
			default:
				loss = -math.Log(max(h.by.Probability(row, int(y)), 0x1p-52)) // as log_loss clips
			}
			if classes != nil {
				loss *= float64(classes[row])
			}
			s.Pred[row] += weight * loss
		}
	}
	return s, nil
}

// judged are the validation predictions as they are judged: with the weights of
// classes that the user's configuration asks for, where the loss decides.
func (r *run) judged(b contender) (*metric.Sample, error) {
	if r.c.Optimize.Metric == lossName {
		return b.p.weighed(b.fit.held, b.p.shares(r.c))
	}
	return b.fit.valid(), nil
}

// judge compares the validation predictions of two contenders.
func (r *run) judge(best, next contender, m *metric.Metric, level float64) (v optimize.Verdict, err error) {
	a, err := r.judged(best)
	if err != nil {
		return v, err
	}
	b, err := r.judged(next)
	if err != nil {
		return v, err
	}
	if v, err = optimize.Judge(a, b, m, level, r.c.Seed); err != nil {
		return v, mistake("%s: optimize.metric: %v", r.c.doc.Name(), err)
	}
	return v, nil
}

// worse returns the name of an output after the first that a contender predicts
// worse by its loss, as a paired test says; "" where the loss of all decides, or
// there is none.
func (r *run) worse(best, next contender) (string, error) {
	if r.c.Optimize.Metric == lossName {
		return "", nil
	}
	for i, o := range best.fit.model.Others {
		m, err := metric.Lookup(lossMetric(best.p.outputs[i+1]))
		if err != nil {
			return "", err
		}
		// The other way round: is what stands better than the candidate?
		v, err := optimize.Judge(next.fit.held[i+1].sample(), best.fit.held[i+1].sample(), m, optimize.Alpha, r.c.Seed)
		if err != nil {
			return "", mistake("%s: output %q: %v", r.c.doc.Name(), o.Column, err)
		}
		if v.Better {
			return o.Column, nil
		}
	}
	return "", nil
}

func (r *run) measured(b contender, m *metric.Metric) (evaluate.Number, error) {
	s, err := r.judged(b)
	if err != nil {
		return 0, err
	}
	v, err := metric.Values(s, []*metric.Metric{m})
	if err != nil {
		return 0, err
	}
	return evaluate.Number(v[0]), nil
}

// deviation is the standard deviation of the numbers that there are.
func deviation(xs []float64) float64 {
	n, mean, squares := 0.0, 0.0, 0.0
	for _, x := range xs { // Welford
		if !math.IsNaN(x) {
			n++
			d := x - mean
			mean += d / n
			squares += d * (x - mean)
		}
	}
	return math.Sqrt(squares / n)
}

// scoredRows is how many training rows are predicted to see how well they fit.
const scoredRows = 5000

// evidence collects what the diagnosis of a model needs. Of its rows it reads
// those to train and to validate on.
func (r *run) evidence(ctx context.Context, b contender) (optimize.Evidence, error) {
	p, held := b.p, b.fit.valid()
	out := b.fit.model.Output
	e := optimize.Evidence{
		Curves: training(b.fit.result, evaluate.Headline(out.Kind()), b.fit.model.Members), Epochs: b.c.Train.Epochs,
		Task: out.Type(), Classes: out.Classes(), Rows: p.train.Rows,
	}
	for _, in := range b.fit.model.Inputs {
		e.Inputs = append(e.Inputs, optimize.Input{Name: in.Column, Type: in.Feature.Type()})
	}
	if n, ok := b.fit.model.Network.(*model.TabM); ok {
		e.Ensemble = n.Members > 1
	}
	some := p.train
	if some.Rows > scoredRows {
		rows := make([]int, scoredRows)
		for i := range rows {
			rows[i] = i * some.Rows / scoredRows
		}
		some = some.Select(rows)
	}
	by, err := b.fit.model.PredictAll(ctx, some)
	if err != nil {
		return e, err
	}
	_, targets, err := b.fit.model.AllTargets(some)
	if err != nil {
		return e, &UserError{err.Error()}
	}
	var seen, constant []heldOut
	for i := range p.outputs {
		best, err := p.trivial(i, b.fit.held[i].rows())
		if err != nil {
			return e, err
		}
		if b.c.Train.ClassWeights == balanced { // every class weighs the same
			for k := range best.Prob {
				best.Prob[k] = 1 / float64(len(best.Classes))
			}
		}
		seen, constant = append(seen, heldOut{by[i], targets[i], p.weights(some)}), append(constant, heldOut{best, b.fit.held[i].truth, b.fit.held[i].weight})
	}
	m, err := lossOf(p)
	if err != nil {
		return e, err
	}
	if m.Name == "rmse" { // of which parts cannot be added up
		if m, err = metric.Lookup("mse"); err != nil {
			return e, err
		}
	}
	for _, part := range []struct {
		loss *float64
		held []heldOut
	}{{&e.Train, seen}, {&e.Valid, b.fit.held}, {&e.Trivial, constant}} {
		s, err := p.weighed(part.held, p.shares(b.c))
		if err != nil {
			return e, err
		}
		v, err := metric.Values(s, []*metric.Metric{m})
		if err != nil {
			return e, err
		}
		*part.loss = v[0]
	}
	switch o := out.(type) {
	case *feature.Binary:
		e.Shares = []float64{1 - o.Share, o.Share}
	case *feature.CategoryOutput:
		e.Shares = o.Shares
	}
	for _, f := range data.CheckRows(p.unweighted(dropColumns(p.train, b.c.targets()[1:])), data.CheckOptions{Target: p.model.Target}, p.findings) {
		if f.Kind == data.FindingContradiction {
			e.Conflicts = int(f.Evidence["wrong"])
		}
	}
	sure(&e, held)
	if held.Kind == metric.Regression {
		e.Tail = tail(held)
	}
	return e, nil
}

// sure counts the predictions that are sure of their class.
func sure(e *optimize.Evidence, s *metric.Sample) {
	if s.Prob == nil || s.Kind == metric.Multilabel {
		return
	}
	k := len(s.Prob) / s.Rows()
	for i, t := range s.Target {
		p, class := 0.0, 0
		for j, q := range s.Prob[i*k : (i+1)*k] {
			if q > p {
				p, class = q, j
			}
		}
		if s.Kind == metric.Binary {
			if class = 1; p < 0.5 {
				p, class = 1-p, 0
			}
		}
		if p >= optimize.Confident {
			e.Sure++
			e.SureExpected += 1 - p
			if float64(class) != t {
				e.SureWrong++
			}
		}
	}
}

// tail is the share of the squared error that its worst hundredth makes; 0 for
// fewer than a hundred rows.
func tail(s *metric.Sample) float64 {
	errs := make([]float64, s.Rows())
	all, worst := 0.0, 0.0
	for i, t := range s.Target {
		errs[i] = (s.Pred[i] - t) * (s.Pred[i] - t)
		all += errs[i]
	}
	slices.Sort(errs)
	for _, v := range errs[len(errs)-len(errs)/100:] {
		worst += v
	}
	if all == 0 {
		return 0
	}
	return worst / all
}

// unstable is a training that diverged: the user's to mend, or a trial's end.
type unstable struct{ *train.DivergedError }

// Unwrap returns it as both.
func (u unstable) Unwrap() []error {
	return []error{&UserError{u.Error()}, u.DivergedError}
}
