package evaluate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// Limits on what a [Result] holds, so that it stays a page and not a data set.
const (
	MaxConfusion   = 200 // classes of a confusion matrix
	MaxCurve       = 200 // points of an ROC or precision-recall curve
	MaxResiduals   = 600 // rows of a residual plot
	maxConfused    = 10
	calibrationBin = 10
	histogramBins  = 30
)

// Options says what to measure and how surely.
type Options struct {
	Metrics   []string `yaml:"metrics" doc:"by scikit-learn's names; the first is the one that the verdict speaks of; default: those that are commonly read"`
	Bootstrap int      `yaml:"bootstrap" default:"1000" min:"0" max:"100000" doc:"resamples of the test rows behind each interval and each comparison; 0: neither"`
	Level     float64  `yaml:"level" default:"0.95" above:"0" below:"1" doc:"coverage of the intervals"`
	Groups    []string `yaml:"groups" doc:"columns whose groups are compared: demographic parity, equalised odds, errors"`
	// CrossValidation is carried out by lifecycle.
	CrossValidation data.FoldSpec `yaml:"cross_validation" doc:"the whole procedure on folds of source, such as 5; without data.test all rows take part, and what the folds predict is the test"`
	// Recalibration and PredictionSets are carried out by lifecycle.
	Recalibration  string            `yaml:"recalibration" default:"auto" enum:"auto,off,temperature,isotonic" doc:"correct the probabilities of classes by the validation rows; auto: by temperature or isotonic regression where it helps on rows that it was not fitted on, and not where train makes classes count otherwise than they are"`
	PredictionSets calibrate.Options `yaml:"prediction_sets" doc:"sets of classes, and intervals of numbers, that hold the truth as often as is asked for (--coverage), calibrated on the validation rows or those that folds left out"`
	// Also are metrics to measure beside those, such as those of a gate.
	Also []string `yaml:"-"`
	// Seed draws the resamples; lifecycle sets it from the run's seed.
	Seed uint64 `yaml:"-"`
}

// Validate finds metrics that do not exist.
func (o *Options) Validate() error {
	for _, name := range o.Metrics {
		if _, err := metric.Lookup(name); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}

// DefaultOptions are the defaults of the tags.
func DefaultOptions() Options { return Options{Bootstrap: 1000, Level: 0.95} }

// Input is what there is to judge.
type Input struct {
	// Target is the name of the predicted column.
	Target string
	Rows   Rows
	// Test is the model's predictions on the test rows.
	Test *metric.Sample
	// Baselines are other predictions of the same rows in the same order; the
	// names "trivial" and "linear" are known to the report.
	Baselines map[string]*metric.Sample
	// Validation is the model's predictions on the validation rows, if any.
	Validation *metric.Sample
	Training   Training
	// TrivialLoss is the validation loss of the best constant prediction, in
	// the units of the training curves. 0: for classes, the entropy of the
	// validation rows; otherwise the first epoch's loss stands in.
	TrivialLoss float64
}

// Headline is the metric that a verdict speaks of when none is configured.
func Headline(kind metric.Kind) string {
	switch kind {
	case metric.Binary:
		return "roc_auc"
	case metric.Multiclass:
		return "accuracy"
	case metric.Multilabel:
		return "f1_micro"
	case metric.Ranking:
		return "ndcg"
	case metric.Text:
		return "bleu"
	case metric.Language:
		return "bits_per_byte"
	}
	return "rmse"
}

// Evaluate measures everything once.
func Evaluate(in Input, opts Options) (*Result, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	ms, err := chosen(in.Test.Kind, opts.Metrics, opts.Also)
	if err != nil {
		return nil, err
	}
	r := &Result{
		Version: 1, Task: in.Test.Kind.String(), Target: in.Target, Classes: in.Test.Classes, Rows: in.Rows,
		Bootstrap: Bootstrap{Resamples: opts.Bootstrap, Level: opts.Level, Seed: opts.Seed},
		Training:  in.Training,
	}
	if in.Test.Kind == metric.Binary {
		r.Positive = in.Test.Classes[1]
	}
	for _, m := range ms {
		r.Metrics = append(r.Metrics, Metric{m.Name, m.Label, m.Formula, m.HigherIsBetter})
	}
	if err := r.measure(in, ms, opts); err != nil {
		return nil, err
	}
	switch in.Test.Kind {
	case metric.Regression:
		r.Residuals = residuals(in.Test)
	case metric.Multilabel:
		r.labels(in.Test)
	default:
		err = r.classify(in.Test, opts.Level)
	}
	if err != nil {
		return nil, err
	}

	trivial := in.TrivialLoss
	if trivial == 0 && in.Validation != nil && (in.Validation.Kind == metric.Binary || in.Validation.Kind == metric.Multiclass) {
		trivial = entropy(in.Validation)
	}
	r.Fit = Diagnose(in.Training, trivial, r.Compare("linear", ms[0].Name))
	return r, nil
}

// check makes sure that all predictions are of the same rows.
func (in *Input) check() error {
	if in.Test == nil || in.Test.Rows() == 0 {
		return errors.New("evaluate: there are no test rows; give a test file or a test fraction")
	}
	t := in.Test
	if t.Kind == metric.Binary && len(t.Classes) != 2 {
		return fmt.Errorf("evaluate: a binary target needs the names of two classes, found %d", len(t.Classes))
	}
	for name, b := range in.Baselines {
		switch {
		case b == nil:
			return fmt.Errorf("evaluate: baseline %q has no predictions", name)
		case b.Kind != t.Kind:
			return fmt.Errorf("evaluate: baseline %q predicts a %s target, the model a %s one", name, b.Kind, t.Kind)
		case !slices.Equal(b.Target, t.Target) || !slices.Equal(b.Weight, t.Weight):
			return fmt.Errorf("evaluate: baseline %q was measured on other rows than the model; give both the same rows in the same order", name)
		}
	}
	if v := in.Validation; v != nil && v.Kind != t.Kind {
		return fmt.Errorf("evaluate: the validation rows have a %s target, the test rows a %s one", v.Kind, t.Kind)
	}
	return nil
}

// chosen looks the metrics up; without any it takes the default ones, headline
// first. Those in also follow where they are not among them.
func chosen(kind metric.Kind, names, also []string) ([]*metric.Metric, error) {
	var ms []*metric.Metric
	if len(names) == 0 {
		head, err := metric.Lookup(Headline(kind))
		if err != nil {
			return nil, err
		}
		ms = append(ms, head)
		for _, m := range metric.Default(kind) {
			if m != head {
				ms = append(ms, m)
			}
		}
	}
	for _, name := range names {
		m, err := metric.Lookup(name)
		if err != nil {
			return nil, fmt.Errorf("evaluate.metrics: %w", err)
		}
		if slices.Contains(ms, m) {
			return nil, fmt.Errorf("evaluate.metrics: %q is listed twice", m.Name)
		}
		ms = append(ms, m)
	}
	for _, name := range also {
		m, err := metric.Lookup(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ms, m) {
			ms = append(ms, m)
		}
	}
	return ms, nil
}

// measure fills in all metrics and comparisons.
func (r *Result) measure(in Input, ms []*metric.Metric, opts Options) error {
	names := []string{""}
	for name := range in.Baselines {
		names = append(names, name)
	}
	slices.Sort(names)
	samples := []*metric.Sample{in.Test}
	for _, name := range names[1:] {
		samples = append(samples, in.Baselines[name])
	}
	all, err := bootstrap(samples, ms, opts)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	tested := map[string]bool{} // by the first metric that is defined
	for i, name := range names {
		scores := Scores{}
		intervals, err := metric.BCa(samples[i], ms, all[i].value, all[i].resample, opts.Level)
		if err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
		for j, m := range ms {
			if !math.IsNaN(intervals[j].Value) {
				scores[m.Name] = intervals[j]
			}
		}
		if i == 0 {
			r.Test = scores
			continue
		}
		if r.Baselines == nil {
			r.Baselines = map[string]Scores{}
		}
		r.Baselines[name] = scores
		for j, m := range ms {
			if d, ok := difference(all[0], all[i], j, opts.Level); ok {
				c := Comparison{Baseline: name, Metric: m.Name, Difference: d, Outcome: outcome(d, m.HigherIsBetter)}
				if !tested[name] {
					tested[name] = true
					if err := c.test(in.Test, samples[i], m, all[0].resample[j], all[i].resample[j], opts.Seed); err != nil {
						return fmt.Errorf("evaluate: %w", err)
					}
				}
				r.Comparisons = append(r.Comparisons, c)
			}
		}
	}
	for _, m := range ms {
		if _, ok := r.Test[m.Name]; !ok {
			if r.Undefined == nil {
				r.Undefined = map[string]string{}
			}
			r.Undefined[m.Name] = "undefined on these rows"
		}
	}
	if in.Validation == nil {
		return nil
	}
	if r.Validation, err = values(in.Validation, ms); err != nil {
		return fmt.Errorf("evaluate: validation rows: %w", err)
	}
	return nil
}

// classify fills in what only classes have.
func (r *Result) classify(s *metric.Sample, level float64) error {
	confusion, err := metric.ConfusionMatrix(s)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	k := len(confusion)
	predicted := make([]float64, k)
	for _, row := range confusion {
		for j, v := range row {
			predicted[j] += v
		}
	}
	for i, row := range confusion {
		actual := 0.0
		for _, v := range row {
			actual += v
		}
		hit := row[i]
		r.PerClass = append(r.PerClass, ClassScore{r.Classes[i], actual,
			ratio(hit, predicted[i]), ratio(hit, actual), ratio(2*hit, actual+predicted[i])})
		for j, v := range row {
			if k > 2 && j != i && v > 0 {
				r.Confused = append(r.Confused, Mistake{r.Classes[i], r.Classes[j], v, ratio(v, actual)})
			}
		}
	}
	slices.SortStableFunc(r.Confused, func(a, b Mistake) int { return cmp.Compare(b.Rows, a.Rows) })
	r.Confused = r.Confused[:min(maxConfused, len(r.Confused))]
	if k <= MaxConfusion {
		r.Confusion = confusion
	} else {
		r.Notes = append(r.Notes, fmt.Sprintf("The confusion matrix of %d classes is left out; the most frequent mistakes are listed instead.", k))
	}
	if s.Prob == nil {
		r.Notes = append(r.Notes, "Without probabilities there are no ranking and calibration curves.")
		return nil
	}
	confidence := s
	c, err := CurvesOf(s, level)
	if err != nil {
		return err
	}
	r.ROC, r.PR, r.Gain, r.Lift, r.Reliability, r.ByClass = c.ROC, c.PR, c.Gain, c.Lift, c.Reliability, c.ByClass
	if s.Kind != metric.Binary {
		confidence = decided(s)
	}
	if r.Calibration, err = metric.Calibration(confidence, calibrationBin); err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	return nil
}

// ratio is a/b, 0 when there is nothing to count, as scikit-learn has it.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// decided turns a multiclass sample into "was the decision right", with the
// probability of the class decided for.
func decided(s *metric.Sample) *metric.Sample {
	k := len(s.Classes)
	b := &metric.Sample{Kind: metric.Binary, Target: make([]float64, s.Rows()), Prob: make([]float64, s.Rows()), Weight: s.Weight}
	for i := range b.Target {
		b.Prob[i] = s.Prob[i*k+int(s.Pred[i])]
		if s.Pred[i] == s.Target[i] {
			b.Target[i] = 1
		}
	}
	return b
}

// entropy is the log loss of always stating the class frequencies.
func entropy(s *metric.Sample) float64 {
	counts := make([]float64, max(2, len(s.Classes)))
	total := 0.0
	for i, t := range s.Target {
		w := 1.0
		if s.Weight != nil {
			w = s.Weight[i]
		}
		if c := int(t); c >= 0 && c < len(counts) {
			counts[c] += w
			total += w
		}
	}
	h := 0.0
	for _, c := range counts {
		if c > 0 {
			h -= c / total * math.Log(c/total)
		}
	}
	return h
}
