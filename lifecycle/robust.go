package lifecycle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// robustRows is how many rows are changed and predicted anew at most: each change
// is a prediction of them all.
const robustRows = 2000

// robustness predicts changed rows and measures how far the metric falls. The
// table and the sample are of the same rows, those of the first output.
func robustness(ctx context.Context, m *model.Model, p model.Predictor, t *data.Table, s *metric.Sample, resamples int, level float64, seed uint64) (*evaluate.Robustness, []string, error) {
	by, err := metric.Lookup(evaluate.Headline(s.Kind))
	if err != nil {
		return nil, nil, err
	}
	sampled := t.Rows > robustRows
	if sampled {
		rows := rand.New(rand.NewPCG(seed, 0x0b57)).Perm(t.Rows)[:robustRows]
		slices.Sort(rows)
		t, s = t.Select(rows), s.Select(rows)
	}
	list, notes := perturbations(m, t, seed)
	var changed []evaluate.Changed
	for _, one := range list {
		rows, err := one.apply(t)
		if err != nil {
			return nil, nil, fmt.Errorf("%s of %s: %w", one.kind, one.column, err)
		}
		said, err := p.Predict(ctx, rows)
		if err != nil {
			return nil, nil, fmt.Errorf("%s of %s: %w", one.kind, one.column, err)
		}
		after := said.Sample(s.Target)
		after.Weight = s.Weight
		changed = append(changed, evaluate.Changed{Kind: one.kind, Column: one.column, Words: one.words, Sample: after})
	}
	r, err := evaluate.MeasureRobustness(s, changed, by, level, resamples, seed)
	if err != nil {
		return nil, nil, err
	}
	r.Sampled = sampled
	return r, notes, nil
}
