package lifecycle

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// weighted reports whether training makes classes count otherwise than they are, so
// that its probabilities are not meant to be those of the rows.
func (c *Config) weighted() bool {
	return c.Train.ClassWeights == balanced || c.Train.ClassSampling.on()
}

// calibrate corrects the probabilities of a model that nothing more is tried with,
// where that helps, and chooses anew the thresholds that the validation rows choose.
func (r *run) calibrate(c *Config, p *prepared, f *fitted, what string) error {
	said, err := f.recalibrate(c)
	if err != nil {
		return err
	}
	if len(said) > 0 {
		chosen, err := f.chooseThresholds(c, p)
		if err != nil {
			return err
		}
		said = append(said, chosen...)
	}
	if p == r.p { // a fold's choice is of no interest
		for _, one := range said {
			r.watch(Event{Stage: r.stage, Note: fmt.Sprintf("%s: %s", what, one)})
		}
	}
	return nil
}

// recalibrate finds maps of the probabilities of each output and gives them to the
// model. The validation predictions are then as maps correct them that were fitted on
// others of these rows, so that what they are used for next is honest. It says what it
// chose.
func (f *fitted) recalibrate(c *Config) (said []string, err error) {
	outputs := f.model.Outputs()
	f.model.Calibration = make([]model.Calibration, len(outputs))
	f.corrected = make([]*calibrate.Choice, len(outputs))
	method := c.Evaluate.Recalibration
	if method == calibrate.Off || method == calibrate.Auto && c.weighted() {
		return nil, nil
	}
	for i, o := range outputs {
		h := &f.held[i]
		if h.by.Kind != metric.Binary && h.by.Kind != metric.Multiclass {
			continue
		}
		s := h.sample()
		choice, err := calibrate.Choose(s, method, c.Seed)
		if err != nil {
			return nil, mistake("%s: evaluate.recalibration: output %q: %v", c.doc.Name(), o.Column, err)
		}
		f.corrected[i] = choice
		if choice.Map == nil {
			continue
		}
		f.model.Calibration[i].Map = choice.Map
		prob := append([]float64{}, h.by.Prob...)
		choice.Map.Apply(prob, len(h.by.Classes)) // of rows without a target, which maps were not fitted on
		width, known := len(prob)/len(h.truth), 0
		for row, y := range h.truth {
			if !math.IsNaN(y) {
				copy(prob[row*width:(row+1)*width], choice.Prob[known*width:(known+1)*width])
				known++
			}
		}
		h.by = model.Decide(o.Feature, prob, nil)
		what := choice.Why
		if i > 0 {
			what = o.Column + ": " + what
		}
		said = append(said, what)
	}
	return said, nil
}

// recalibration tells what recalibrate did with output i; nil: nothing was tried.
func (f *fitted) recalibration(i int) *evaluate.Recalibration {
	choice := f.corrected[i]
	if choice == nil || len(choice.Tried) == 0 {
		return nil
	}
	r := &evaluate.Recalibration{Method: "none", Rows: f.held[i].known(), Tried: choice.Tried, Sentence: choice.Why}
	if m := choice.Map; m != nil {
		r.Method, r.Temperature = m.Method, m.Temperature
	}
	return r
}

// conform calibrates the prediction sets of output i for the model that is
// published: by what folds predicted of rows that they left out, where there are
// folds, else by the validation rows. It returns what the sets are worth on the test
// rows; where these are what the folds predicted, each fold's by sets of the others.
// Nil: the output has none.
func (r *run) conform(i int, o model.Output, test *metric.Sample) (*evaluate.PredictionSets, error) {
	options := r.c.Evaluate.PredictionSets
	kind := o.Feature.Kind()
	if options.Method == calibrate.Off || kind != metric.Regression && kind != metric.Binary && kind != metric.Multiclass {
		return nil, nil
	}
	var atLeast *float64
	if n, ok := o.Feature.(*feature.NumberOutput); ok && n.Log {
		atLeast = new(float64) // such targets are not below 0
	}
	held, fold := r.fit.held[i], []int(nil)
	if r.crossed != nil {
		of := r.crossed.repeats[0][i]
		held, fold = heldOut{of.by[0], of.truth, pick(r.p.weights(r.p.source), of.rows, 1)}, of.fold
	}
	sets, err := calibrate.Fit(held.sample(), options, atLeast)
	if err != nil {
		return nil, mistake("output %q: %v", o.Column, err)
	}
	r.fit.model.Calibration[i].Sets = sets
	parts := []evaluate.SetsPart{{Sample: test, Sets: sets}}
	if r.p.test == nil {
		if parts, err = byFold(held, fold, options, atLeast); err != nil {
			return nil, mistake("output %q: %v", o.Column, err)
		}
	}
	found := evaluate.MeasureSets(parts, evaluate.Coverages, r.c.Evaluate.Level)
	found.Method, found.Rows, found.Highest, found.OutOfFold = sets.Method, sets.Rows(), sets.Highest(), r.crossed != nil
	return found, nil
}

// byFold is each fold's rows beside sets that were calibrated on those of the others.
func byFold(held heldOut, fold []int, options calibrate.Options, atLeast *float64) ([]evaluate.SetsPart, error) {
	last := 0
	for _, f := range fold {
		last = max(last, f)
	}
	var parts []evaluate.SetsPart
	for k := 1; k <= last; k++ {
		var in, rest []int
		for row, f := range fold {
			switch {
			case math.IsNaN(held.truth[row]):
			case f == k:
				in = append(in, row)
			default:
				rest = append(rest, row)
			}
		}
		if len(in) == 0 {
			continue
		}
		of := func(rows []int) *metric.Sample {
			return heldOut{held.by.Select(rows), pick(held.truth, rows, 1), pick(held.weight, rows, 1)}.sample()
		}
		if len(rest) == 0 {
			return nil, fmt.Errorf("only fold %d has rows with a target, and prediction sets are measured on other folds' rows: take fewer folds, or set evaluate.prediction_sets to off", k)
		}
		sets, err := calibrate.Fit(of(rest), options, atLeast)
		if err != nil {
			return nil, err
		}
		parts = append(parts, evaluate.SetsPart{Sample: of(in), Sets: sets})
	}
	return parts, nil
}
