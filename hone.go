package hone

import (
	"context"
	"fmt"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// Row is one row to predict: values by column name. A value may be text, a
// number, a bool, a time.Time or nil for missing; a column left out is
// missing. A name that was not a column of the training data is an error; the
// target and columns that were left out are ignored.
type Row map[string]any

// Prediction is the answer for one row.
type Prediction struct {
	Value         any                // the class, a string; the labels, a []string; or the number, a float64
	Probability   float64            // of the class; 0 for numbers and labels
	Probabilities map[string]float64 // of every class or label; nil for numbers
	// Set are the classes of the row's prediction set, where Coverage asked for one; it
	// may be empty.
	Set []string
	// Low and High bound the interval of a number, where Coverage asked for one.
	Low, High float64
	// Outputs are the predictions of the outputs after the first, by their column;
	// nil where there is one.
	Outputs map[string]Prediction
}

// A Model is a trained model, ready to predict and safe for concurrent use.
type Model struct{ m *model.Model }

// Load reads a bundle. It never runs code from it.
func Load(path string) (*Model, error) {
	m, _, err := model.Load(path)
	if err != nil {
		return nil, err
	}
	return &Model{m}, nil
}

// An Option asks for more than a prediction.
type Option func(*options)

type options struct{ coverage float64 }

// Coverage asks for prediction sets, or intervals of numbers, that hold the truth of
// that share of rows, between 0 and 1, if these are like those that the model was made
// with. A share that the model was calibrated by too few rows for is an error.
func Coverage(share float64) Option { return func(o *options) { o.coverage = share } }

// Predict predicts one row.
func (m *Model) Predict(ctx context.Context, row Row, with ...Option) (Prediction, error) {
	out, err := m.PredictAll(ctx, []Row{row}, with...)
	if err != nil {
		return Prediction{}, err
	}
	return out[0], nil
}

// PredictAll predicts rows; each gets the prediction that it would get alone.
func (m *Model) PredictAll(ctx context.Context, rows []Row, with ...Option) ([]Prediction, error) {
	var o options
	for _, option := range with {
		option(&o)
	}
	sets := make([]*model.PredictionSets, 1+len(m.m.Others))
	schema := m.m.InputSchema()
	records := make([]map[string]any, len(rows))
	for i, r := range rows {
		full := make(map[string]any, len(schema))
		for _, f := range schema {
			full[f.Name] = r[f.Name]
		}
		for name := range r {
			if m.m.Schema.Field(name) == nil {
				return nil, fmt.Errorf("row %d: the training data had no column %q", i+1, name)
			}
		}
		records[i] = full
	}
	t, err := data.FromRecords(schema, records)
	if err != nil {
		return nil, err
	}
	all, err := m.m.PredictAll(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(with) > 0 {
		if sets, err = m.m.Sets(all, o.coverage); err != nil {
			return nil, err
		}
	}
	out := make([]Prediction, len(rows))
	for i := range out {
		out[i] = predictionOf(all[0], sets[0], i)
		for k, o := range m.m.Others {
			if k == 0 {
				out[i].Outputs = map[string]Prediction{}
			}
			out[i].Outputs[o.Column] = predictionOf(all[k+1], sets[k+1], i)
		}
	}
	return out, nil
}

// predictionOf is what one output says of row i.
func predictionOf(p *model.Predictions, sets *model.PredictionSets, i int) Prediction {
	if p.Kind == metric.Regression {
		out := Prediction{Value: p.Value[i]}
		if sets != nil {
			out.Low, out.High = sets.Low[i], sets.High[i]
		}
		return out
	}
	out := Prediction{Probabilities: map[string]float64{}}
	if p.Kind == metric.Multilabel {
		out.Value = p.LabelsOf(i)
	} else {
		out.Value, out.Probability = p.Classes[p.Class[i]], p.Confidence(i)
	}
	for k, class := range p.Classes {
		out.Probabilities[class] = p.ClassProbability(i, k)
	}
	if sets != nil {
		out.Set = []string{}
		for _, k := range sets.Classes[i] {
			out.Set = append(out.Set, p.Classes[k])
		}
	}
	return out
}
