package explain

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// ImportanceOptions say how importance is measured.
type ImportanceOptions struct {
	Metric    *metric.Metric
	Repeats   int // of each column
	Resamples int // behind an interval; 0: none
	Level     float64
	Seed      uint64
	// Groups are columns to exchange together besides, as [Groups] finds them.
	Groups [][]string

	// permute returns the row that each row gets its value from; nil: at random by
	// the seed.
	permute func(column, repeat, rows int) []int
}

// Importance measures what each column of a subject is worth to it on the rows of a
// table, whose truth and weights (nil: all 1) are given. The metric of the rows as
// they are minus that after an exchange is the mean over the repeats, turned so that
// it is positive where the exchange makes it worse. The interval is that of the rows:
// a paired bootstrap over them of that mean.
func Importance(ctx context.Context, s *Subject, t *data.Table, truth, weights []float64, o ImportanceOptions) (*evaluate.Importance, error) {
	switch {
	case t.Rows == 0 || len(truth) == 0 || len(truth)%t.Rows != 0:
		return nil, fmt.Errorf("importance: %d rows and %d targets, expected as many for each row, and one or more", t.Rows, len(truth))
	case o.Repeats < 1 || o.Resamples < 0 || !(o.Level > 0 && o.Level < 1):
		return nil, fmt.Errorf("importance: %d repeats, %d resamples and the level %v, expected 1 and 0 or more, and a number between 0 and 1", o.Repeats, o.Resamples, o.Level)
	case len(s.Columns) == 0:
		return nil, errors.New("importance: there are no columns")
	}
	if err := s.has(t); err != nil {
		return nil, err
	}
	permute := o.permute
	if permute == nil {
		permute = func(column, repeat, rows int) []int {
			return rand.New(rand.NewPCG(o.Seed, uint64(column)<<32|uint64(repeat))).Perm(rows)
		}
	}
	measured := func(t *data.Table) (*metric.Sample, error) {
		p, err := s.Predict(ctx, t)
		if err != nil {
			return nil, err
		}
		m := p.Sample(truth)
		m.Weight = weights
		return m, nil
	}
	asIs, err := measured(t)
	if err != nil {
		return nil, err
	}
	if !o.Metric.MeasuresWith(asIs) {
		return nil, fmt.Errorf("importance: %s does not measure a %s task", o.Metric.Name, asIs.Kind)
	}
	score, err := o.Metric.Value(asIs)
	if err != nil {
		return nil, err
	}
	out := &evaluate.Importance{Metric: o.Metric.Name, Score: evaluate.Number(score), Rows: t.Rows, Repeats: o.Repeats}
	one := func(number int, columns []string) (evaluate.ColumnImportance, error) {
		samples := []*metric.Sample{asIs}
		for k := range o.Repeats {
			from := permute(number, k, t.Rows)
			var moved []*data.Column
			for _, name := range columns {
				moved = append(moved, pick(t.Column(name), from))
			}
			m, err := measured(with(t, moved...))
			if err != nil {
				return evaluate.ColumnImportance{}, err
			}
			samples = append(samples, m)
		}
		values, resampled, err := metric.ResampleAll(samples, []*metric.Metric{o.Metric}, o.Resamples, o.Seed)
		if err != nil {
			return evaluate.ColumnImportance{}, err
		}
		loss := func(of func(sample int) float64) float64 {
			mean := 0.0
			for k := range o.Repeats {
				mean += of(0) - of(k+1)
			}
			if mean != 0 && !o.Metric.HigherIsBetter {
				mean = -mean
			}
			return mean / float64(o.Repeats)
		}
		losses := make([]float64, o.Resamples)
		for r := range losses {
			losses[r] = loss(func(k int) float64 { return resampled[k][0][r] })
		}
		return evaluate.ColumnImportance{Columns: columns, Loss: metric.PercentileInterval(loss(func(k int) float64 { return values[k][0] }), losses, o.Level)}, nil
	}
	for i, name := range s.Columns {
		c, err := one(i, []string{name})
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, c)
	}
	for i, g := range o.Groups {
		c, err := one(len(s.Columns)+i, g)
		if err != nil {
			return nil, err
		}
		out.Groups = append(out.Groups, c)
	}
	for _, list := range [][]evaluate.ColumnImportance{out.Columns, out.Groups} {
		slices.SortStableFunc(list, func(a, b evaluate.ColumnImportance) int {
			switch {
			case a.Loss.Value > b.Loss.Value:
				return -1
			case a.Loss.Value < b.Loss.Value:
				return 1
			}
			return 0
		})
	}
	return out, nil
}
