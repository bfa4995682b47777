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
	Value         any                // the class, a string; or the number, a float64
	Probability   float64            // of the class; 0 for numbers
	Probabilities map[string]float64 // of every class; nil for numbers
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

// Predict predicts one row.
func (m *Model) Predict(ctx context.Context, row Row) (Prediction, error) {
	out, err := m.PredictAll(ctx, []Row{row})
	if err != nil {
		return Prediction{}, err
	}
	return out[0], nil
}

// PredictAll predicts rows; each gets the prediction that it would get alone.
func (m *Model) PredictAll(ctx context.Context, rows []Row) ([]Prediction, error) {
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
	p, err := m.m.Predict(ctx, t)
	if err != nil {
		return nil, err
	}
	out := make([]Prediction, len(rows))
	for i := range out {
		if p.Kind == metric.Regression {
			out[i].Value = p.Value[i]
			continue
		}
		out[i].Value, out[i].Probability = p.Classes[p.Class[i]], p.Confidence(i)
		out[i].Probabilities = map[string]float64{}
		for k, class := range p.Classes {
			out[i].Probabilities[class] = p.ClassProbability(i, k)
		}
	}
	return out, nil
}
