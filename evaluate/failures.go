package evaluate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// Failures says where a model fails.
type Failures struct {
	// Metric is what the slices are told in: accuracy or mae.
	Metric string `json:"metric"`
	// Weak are slices that the model does worse on than on all other rows; empty
	// where no condition on the columns tells any.
	Weak []WeakSlice `json:"weak_slices"`
	// Confidence are the rows by how sure the model is, of numbers by how high it predicts.
	Confidence   []ConfidenceSlice `json:"by_confidence,omitempty"`
	Hardest      []Example         `json:"hardest,omitempty"`
	SureAndWrong []Example         `json:"sure_and_wrong,omitempty"`
	// LabelErrors are of the rows that were measured.
	LabelErrors *LabelErrors `json:"label_errors,omitempty"`
	// ValidationLabelErrors are of the rows that a run validated on, with bagging of
	// all that it learnt from, each predicted by a network that did not.
	ValidationLabelErrors *LabelErrors `json:"validation_label_errors,omitempty"`
	// Fairness is of the columns that the user names, Robustness of predictions of
	// changed rows, where it was asked for.
	Fairness   []*Fairness `json:"fairness,omitempty"`
	Robustness *Robustness `json:"robustness,omitempty"`
	// RowsOf says what the numbers of rows count, where it is not the file.
	RowsOf string `json:"rows_of,omitempty"`
	// Notes say what could not be looked for, and why.
	Notes []string `json:"notes,omitempty"`
}

// FailureOptions say how to look for failures.
type FailureOptions struct {
	Level     float64 // of intervals; what is told has a p-value of at most 1 less this
	Resamples int
	Seed      uint64
	Groups    []string // columns whose groups are to be compared
	Rows      []int    // numbers of the rows in their file, from 0; nil: in order
	// Leaks are columns that give the truth away, which the model is not known to
	// read: rows are not told apart by them, which would be telling them apart by the
	// truth. Their groups can be compared.
	Leaks []string
}

// FindFailures looks for where predictions fail, by columns that are neither the
// truth nor predictions. Nil for tasks that are neither classes nor a number.
func FindFailures(s *metric.Sample, columns []*data.Column, o FailureOptions) (*Failures, error) {
	if s.Kind > metric.Regression {
		return nil, nil
	}
	f := &Failures{Metric: WeakMetric(s.Kind), Weak: []WeakSlice{}}
	honest := slices.DeleteFunc(slices.Clone(columns), func(c *data.Column) bool { return slices.Contains(o.Leaks, c.Name) })
	if s.Pred == nil {
		f.Notes = append(f.Notes, "there are scores alone: without decisions or probabilities no row is wrong")
	} else {
		weak, err := WeakSlices(s, honest, o.Level, o.Seed)
		if err != nil {
			return nil, err
		}
		f.Weak = append(f.Weak, weak...)
		if s.Rows() < weakRows {
			f.Notes = append(f.Notes, fmt.Sprintf("weak slices are looked for in %d rows or more: a half of fewer says little", weakRows))
		}
		if f.Confidence, err = ByConfidence(s, o.Level, o.Seed); err != nil {
			return nil, err
		}
		f.Hardest, f.SureAndWrong = Hardest(s, honest, o.Rows), SureAndWrong(s, honest, o.Rows)
		f.LabelErrors = FindLabelErrors(s, o.Rows)
	}
	for _, name := range o.Groups {
		at := slices.IndexFunc(columns, func(c *data.Column) bool { return c.Name == name })
		if at < 0 {
			var have []string
			for _, c := range columns {
				have = append(have, c.Name)
			}
			return nil, fmt.Errorf("there is no column %q to compare the groups of, expected one of %q", name, have)
		}
		one, err := MeasureFairness(s, columns[at], o.Level, o.Resamples, o.Seed)
		if err != nil {
			return nil, err
		}
		f.Fairness = append(f.Fairness, one)
	}
	return f, nil
}

// WithoutValues returns the failures without what stands in the rows: a bundle,
// which is handed on, holds none of it.
func (f *Failures) WithoutValues() *Failures {
	if f == nil {
		return nil
	}
	g := *f
	strip := func(list []Example) []Example {
		list = slices.Clone(list)
		for i := range list {
			list[i].Values = nil
		}
		return list
	}
	g.Hardest, g.SureAndWrong = strip(f.Hardest), strip(f.SureAndWrong)
	return &g
}

// Columns are the names of the values of an example, in alphabetical order.
func (e *Example) Columns() []string { return slices.Sorted(maps.Keys(e.Values)) }

// Sentence says a weak slice with its figures.
func (w *WeakSlice) Sentence(name string) string {
	s := fmt.Sprintf("%s: %s %s (%s to %s) on %d rows, %s on all others (p %s)", w.Where, name, loss(Number(w.Score.Value)), loss(Number(w.Score.Low)), loss(Number(w.Score.High)), w.Tested, loss(w.Rest), small(float64(w.Adjusted)))
	if w.Stated.finite() {
		s += fmt.Sprintf(", and it states %s there", loss(w.Stated))
	}
	return s
}

// small writes a p-value.
func small(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("%.2g", p)
}
