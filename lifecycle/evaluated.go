package lifecycle

import (
	"slices"

	"github.com/hone-ml/hone/evaluate"
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
		if m.Calibration == nil || m.Calibration[i].Sets == nil {
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
