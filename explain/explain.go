package explain

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// A Subject is what is explained: one output of a predictor.
type Subject struct {
	By      model.Predictor
	Columns []string // that it reads
	Output  int      // which of a model.MultiPredictor's outputs, from 0
}

// Predict returns what is predicted of the output.
func (s *Subject) Predict(ctx context.Context, t *data.Table) (*model.Predictions, error) {
	if several, ok := s.By.(model.MultiPredictor); ok {
		all, err := several.PredictAll(ctx, t)
		if err != nil {
			return nil, err
		}
		if s.Output >= len(all) {
			return nil, fmt.Errorf("output %d of %d is to be explained", s.Output+1, len(all))
		}
		return all[s.Output], nil
	}
	if s.Output > 0 {
		return nil, fmt.Errorf("output %d is to be explained, and the predictor has one", s.Output+1)
	}
	return s.By.Predict(ctx, t)
}

// has finds a column that the subject reads and the table lacks.
func (s *Subject) has(t *data.Table) error {
	for _, name := range s.Columns {
		if t.Column(name) == nil {
			return fmt.Errorf("the table has no column %q, which the model reads", name)
		}
	}
	return nil
}

// outcome is what is explained of a row's prediction: the probability of a class, or
// the number.
func outcome(p *model.Predictions, row, class int) float64 {
	if p.Kind == metric.Regression {
		return p.Value[row]
	}
	return p.Probability(row, class)
}

// pick returns rows of a column.
func pick(c *data.Column, rows []int) *data.Column {
	return (&data.Table{Columns: []*data.Column{c}, Rows: c.Len()}).Select(rows).Columns[0]
}

// with returns a table with other values in some columns, of the same names.
func with(t *data.Table, columns ...*data.Column) *data.Table {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	for _, c := range columns {
		if i := slices.IndexFunc(out.Columns, func(old *data.Column) bool { return old.Name == c.Name }); i >= 0 {
			out.Columns[i] = c
		}
	}
	return &out
}

// times returns a row n times over.
func times(t *data.Table, row, n int) *data.Table {
	return t.Select(slices.Repeat([]int{row}, n))
}

// value returns what a column holds in a row, so that equal values are equal.
func value(c *data.Column, row int) any {
	switch {
	case c.Missing(row):
		return nil
	case c.Numbers != nil:
		return c.Numbers[row]
	}
	return c.Dict[c.Codes[row]]
}

// moments returns the mean and the standard deviation of a sample, n − 1.
func moments(xs []float64) (mean, deviation float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		deviation += float64((x - mean) * (x - mean))
	}
	return mean, math.Sqrt(deviation / float64(len(xs)-1))
}

func sortedKeys[V any](m map[int32]V) []int32 { return slices.Sorted(maps.Keys(m)) }
