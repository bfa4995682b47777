package lifecycle

import (
	"math"
	"slices"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// What `hone evaluate` measures beside metrics, of predictions that were made already.

// MeasureSets measures the prediction sets of each output of the model that has any, at
// the usual coverages and, unless it is 0, at one that is asked for, which the model
// must be able to promise.
func (e *Evaluation) MeasureSets(m *model.Model, coverage float64) error {
	coverages := slices.Clone(evaluate.Coverages)
	if coverage != 0 {
		if err := m.CheckCoverage(coverage); err != nil {
			return err
		}
		if !slices.Contains(coverages, coverage) {
			coverages = append(coverages, coverage)
			slices.Sort(coverages)
		}
	}
	for i, o := range m.Outputs() {
		if !m.HasSets(i) {
			continue
		}
		s := e.held[i].sample()
		if s.Rows() == 0 {
			continue
		}
		found := evaluate.MeasureSets([]evaluate.SetsPart{{Sample: s, Sets: m.Calibration[i].Sets}}, coverages, e.Level)
		if i == 0 {
			e.PredictionSets = found
			continue
		}
		of := e.Outputs[o.Column]
		of.PredictionSets = found
		e.Outputs[o.Column] = of
	}
	return nil
}

// ChooseThreshold chooses a threshold for the first output, which must be one of two
// classes, and measures what it is worth beside the model's own.
func (e *Evaluation) ChooseThreshold(m *model.Model, aim *metric.Aim, resamples int, seed uint64) (err error) {
	own := math.NaN()
	if b, ok := m.Output.(*feature.Binary); ok {
		own = b.Threshold
	}
	e.Threshold, err = chooseThreshold(e.held[0].sample(), m.Target, aim, own, resamples, e.Level, seed)
	return err
}

// ChooseThreshold chooses a threshold for predictions of two classes.
func (e *PredictionsEvaluation) ChooseThreshold(aim *metric.Aim, resamples int, seed uint64) (err error) {
	e.Threshold, err = chooseThreshold(e.sample, e.Target, aim, math.NaN(), resamples, e.Level, seed)
	return err
}

func chooseThreshold(s *metric.Sample, target string, aim *metric.Aim, own float64, resamples int, level float64, seed uint64) (*evaluate.ThresholdChoice, error) {
	if s.Kind != metric.Binary || s.Prob == nil {
		return nil, mistake("a threshold for %s needs probabilities of two classes, and the predictions of %s are a %s task%s", aim, target, s.Kind, map[bool]string{true: " without them"}[s.Prob == nil])
	}
	t, err := evaluate.ChooseThreshold(s, aim, own, evaluate.Options{Bootstrap: resamples, Level: level, Seed: seed})
	if err != nil {
		return nil, mistake("a threshold for %s: %v", aim, err)
	}
	return t, nil
}

// DrawCurves makes the curves of the first output.
func (e *Evaluation) DrawCurves() (err error) {
	e.Curves, err = evaluate.CurvesOf(e.held[0].sample(), e.Level)
	return err
}

// DrawCurves makes the curves of predictions of classes or numbers.
func (e *PredictionsEvaluation) DrawCurves() (err error) {
	if k := e.sample.Kind; k == metric.Regression || k == metric.Binary || k == metric.Multiclass {
		e.Curves, err = evaluate.CurvesOf(e.sample, e.Level)
	}
	return err
}
