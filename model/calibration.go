package model

import (
	"encoding/json"
	"fmt"

	"github.com/hone-ml/hone/calibrate"
)

// calibrationPart is the part of a bundle with what validation rows taught the
// trained model; there is none where they taught nothing.
const calibrationPart = "calibration.json"

// A Calibration is what validation rows taught of one output.
type Calibration struct {
	Map  *calibrate.Map  `json:"map,omitempty"`  // of its probabilities; nil: they stay as they are
	Sets *calibrate.Sets `json:"sets,omitempty"` // nil: it has no prediction sets
}

// calibration is that of output i.
func (m *Model) calibration(i int) Calibration {
	if m.Calibration == nil {
		return Calibration{}
	}
	return m.Calibration[i]
}

// calibrationContent is the part of the bundle; nil where there is nothing to say.
func (m *Model) calibrationContent() ([]byte, error) {
	for i := range m.Calibration {
		if c := m.Calibration[i]; c.Map != nil || c.Sets != nil {
			raw, err := json.Marshal(m.Calibration)
			return append(raw, '\n'), err
		}
	}
	return nil, nil
}

// takeCalibration reads what calibrationContent wrote.
func (m *Model) takeCalibration(raw []byte) error {
	if err := json.Unmarshal(raw, &m.Calibration); err != nil {
		return err
	}
	outputs := m.Outputs()
	if len(m.Calibration) != len(outputs) {
		return fmt.Errorf("it is of %d outputs, the model has %d", len(m.Calibration), len(outputs))
	}
	for i, c := range m.Calibration {
		classes := len(outputs[i].Feature.Classes())
		if c.Map != nil {
			if err := c.Map.Check(classes); err != nil {
				return fmt.Errorf("column %q: map: %w", outputs[i].Column, err)
			}
		}
		if c.Sets != nil {
			if err := c.Sets.Check(classes); err != nil {
				return fmt.Errorf("column %q: sets: %w", outputs[i].Column, err)
			}
		}
	}
	return nil
}

// PredictionSets hold the truth of each row with a stated coverage.
type PredictionSets struct {
	Classes   [][]int   // of each row the indices of the classes in its set, which may be none; nil of numbers
	Low, High []float64 // of each row; nil of classes
}

// A CoverageError says that a coverage cannot be promised.
type CoverageError struct{ Problem string }

func (e *CoverageError) Error() string { return "coverage: " + e.Problem }

// UserError marks the error as the user's to mend.
func (e *CoverageError) UserError() bool { return true }

// CheckCoverage finds a coverage, a share between 0 and 1, that the model cannot
// promise for each of its outputs that has prediction sets, or that none has any.
func (m *Model) CheckCoverage(coverage float64) error {
	some := false
	for i := range m.Outputs() {
		s := m.calibration(i).Sets
		if s == nil {
			continue
		}
		some = true
		if err := s.CheckCoverage(coverage); err != nil {
			return &CoverageError{err.Error()}
		}
	}
	if !some {
		return &CoverageError{fmt.Sprintf("%s has no prediction sets: it was trained by an earlier version of hone, with evaluate.prediction_sets: off, or predicts neither one class of several nor numbers; train it anew", m.Name)}
	}
	return nil
}

// HasSets reports whether output i has prediction sets.
func (m *Model) HasSets(i int) bool { return m.calibration(i).Sets != nil }

// Sets turns predictions of each output, as PredictAll returns them, into sets of
// classes or intervals of the coverage; nil for an output that has none.
func (m *Model) Sets(all []*Predictions, coverage float64) ([]*PredictionSets, error) {
	if err := m.CheckCoverage(coverage); err != nil {
		return nil, err
	}
	out := make([]*PredictionSets, len(all))
	for i, p := range all {
		if m.HasSets(i) {
			out[i] = p.Sets(m.Calibration[i].Sets, coverage)
		}
	}
	return out, nil
}

// Sets turns predictions into sets or intervals of a coverage that s can promise.
func (p *Predictions) Sets(s *calibrate.Sets, coverage float64) *PredictionSets {
	out := &PredictionSets{}
	if p.Value != nil {
		interval := s.Interval(coverage)
		for _, v := range p.Value {
			low, high := interval(v)
			out.Low, out.High = append(out.Low, low), append(out.High, high)
		}
		return out
	}
	of, row := s.Classes(len(p.Classes), coverage), make([]float64, len(p.Classes))
	for i := range p.Rows() {
		for k := range row {
			row[k] = p.Probability(i, k)
		}
		out.Classes = append(out.Classes, of.Set(row))
	}
	return out
}
