package lifecycle

import (
	"context"
	"math"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/explain"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// The importance of a run's columns is measured on up to importanceMost validation
// rows, and on no more than so that all the predictions are a small part of what
// training took: importanceShare of the rows that it went through, or importanceFree
// of a table without texts and images. Fewer than importanceLeast say nothing.
const (
	importanceMost    = 1000
	importanceLeast   = 50
	importanceShare   = 1.0 / 16
	importanceFree    = 10_000
	importanceRepeats = 3
)

// importance measures the columns of output i on validation rows, of which truth are
// the targets; nil where that says nothing or would take long.
func (r *run) importance(ctx context.Context, i int, truth []float64) (*evaluate.Importance, error) {
	m, held := r.fit.model, r.p.held()
	s := &explain.Subject{Output: i}
	free := true
	for _, in := range m.Inputs {
		s.Columns = append(s.Columns, in.Column)
		c := held.Column(in.Column)
		free = free && c.Type != data.Text && c.Type != data.Image
	}
	if len(s.Columns) < 2 {
		return nil, nil
	}
	rows, width := withTargets(truth, held.Rows)
	allowed := importanceShare * float64(r.fit.result.Steps*r.used.Train.BatchSize*max(1, len(r.fit.networks)))
	if free {
		allowed = max(allowed, importanceFree)
	}
	most := min(importanceMost, int(allowed)/(importanceRepeats*len(s.Columns)*len(m.Outputs())))
	if len(rows) > most {
		chosen := draw(len(rows), most, r.c.Seed)
		for k, at := range chosen {
			chosen[k] = rows[at]
		}
		rows = chosen
	}
	if len(rows) < importanceLeast {
		return nil, nil
	}
	s.By = m
	if r.fit.networks != nil {
		s.By = newOutOfBag(r.fit, r.p.bag, rows)
	}
	by, err := metric.Lookup(evaluate.Headline(m.Outputs()[i].Feature.Kind()))
	if err != nil {
		return nil, err
	}
	t := held.Select(rows)
	out, err := explain.Importance(ctx, s, t, pick(truth, rows, width), pick(r.p.weights(held), rows, 1), explain.ImportanceOptions{
		Metric: by, Repeats: importanceRepeats, Resamples: importanceRuns, Level: r.c.Evaluate.Level, Seed: r.c.Seed, Groups: explain.Groups(t, s.Columns),
	})
	if err != nil || math.IsNaN(float64(out.Score)) {
		return nil, err
	}
	out.Split = "validation"
	return out, nil
}

// outOfBag predicts rows of a bag's training table, always the same ones, each by the
// network that did not train on it.
type outOfBag struct {
	networks []*model.Model
	rows     [][]int // of the table that is predicted, by network
}

func newOutOfBag(f *fitted, folds []data.Fold, rows []int) *outOfBag {
	of := map[int]int{} // the fold of a row
	for k, fold := range folds {
		for _, row := range fold.Test {
			of[row] = k
		}
	}
	o := &outOfBag{networks: f.networks, rows: make([][]int, len(folds))}
	for at, row := range rows {
		o.rows[of[row]] = append(o.rows[of[row]], at)
	}
	return o
}

// Predict implements model.Predictor.
func (o *outOfBag) Predict(ctx context.Context, t *data.Table) (*model.Predictions, error) {
	all, err := o.PredictAll(ctx, t)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// PredictAll implements model.MultiPredictor.
func (o *outOfBag) PredictAll(ctx context.Context, t *data.Table) ([]*model.Predictions, error) {
	var merged []outOfFolds
	for k, m := range o.networks {
		all, err := m.PredictAll(ctx, t.Select(o.rows[k]))
		if err != nil {
			return nil, err
		}
		for i, p := range all {
			if k == 0 {
				merged = append(merged, outOfFolds{by: []*model.Predictions{{Kind: p.Kind, Classes: p.Classes}}})
			}
			merged[i].rows = append(merged[i].rows, o.rows[k]...)
			merged[i].by[0].Append(p)
		}
	}
	var out []*model.Predictions
	for i := range merged {
		merged[i].sort()
		out = append(out, merged[i].by[0])
	}
	return out, nil
}
