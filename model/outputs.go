package model

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
)

// An Output is a column to predict and the feature fitted on it.
type Output struct {
	Column  string
	Feature feature.Output
}

// Outputs returns all outputs, the first being Target and Output.
func (m *Model) Outputs() []Output {
	return append([]Output{{m.Target, m.Output}}, m.Others...)
}

// lossWeight is what the loss of output i counts.
func (m *Model) lossWeight(i int) float64 {
	if m.LossWeights == nil {
		return 1
	}
	return m.LossWeights[i]
}

// A MultiPredictor predicts the rows of a table for several outputs at once.
// Its Predict returns the first of them.
type MultiPredictor interface {
	Predictor
	// PredictAll returns the predictions of every output, in their order.
	PredictAll(ctx context.Context, t *data.Table) ([]*Predictions, error)
}

var _ MultiPredictor = (*Model)(nil)

// AllTargets returns what a row's loss takes beside the predictions, and the
// targets of each output as metrics take them. With several outputs a row may lack
// the targets of some: they are NaN there, and the tensors of an output are its
// targets, 0 where they are missing, and [rows] of 1 for a target and 0 for none.
// With one output a missing target is an error.
func (m *Model) AllTargets(t *data.Table) ([]*tensor.Tensor, [][]float64, error) {
	if len(m.Others) == 0 {
		y, values, err := m.Targets(t)
		return []*tensor.Tensor{y}, [][]float64{values}, err
	}
	var tensors []*tensor.Tensor
	var targets [][]float64
	for _, o := range m.Outputs() {
		c, err := m.target(t, o.Column)
		if err != nil {
			return nil, nil, err
		}
		width := TargetWidth(o.Feature)
		known, values := tensor.Zeros(t.Rows), make([]float64, t.Rows*width)
		var rows []int
		for i := range t.Rows {
			if !c.Missing(i) {
				rows, known.Floats()[i] = append(rows, i), 1
				continue
			}
			for j := range width {
				values[i*width+j] = math.NaN()
			}
		}
		some := (&data.Table{Columns: []*data.Column{c}, Rows: t.Rows}).Select(rows)
		y, sparse := o.Feature.Spec().New(t.Rows), o.Feature.Spec().New(len(rows))
		found, err := o.Feature.Targets(some.Columns[0], sparse)
		if err != nil {
			return nil, nil, err
		}
		n := y.RowLen()
		for k, i := range rows {
			copy(y.Raw()[i*n:(i+1)*n], sparse.Raw()[k*n:(k+1)*n])
			copy(values[i*width:(i+1)*width], found[k*width:])
		}
		tensors, targets = append(tensors, y, known), append(targets, values)
	}
	return tensors, targets, nil
}

// TargetWidth is how many values an output's targets have in a row, as metrics
// take them.
func TargetWidth(o feature.Output) int {
	if o.Kind() == metric.Multilabel {
		return len(o.Classes()) + 1
	}
	return 1
}

// ConstantLoss returns the mean loss of the best predictions that look at no
// input, for targets as AllTargets returns them, by the weights of rows (nil: all 1).
func (m *Model) ConstantLoss(targets []*tensor.Tensor, weights []float32) float64 {
	if len(m.Others) == 0 {
		return m.Output.ConstantLoss(targets[0], weights)
	}
	sum := 0.0
	for i, o := range m.Outputs() {
		known := slices.Clone(targets[2*i+1].Floats())
		of, all := 0.0, float64(len(known))
		if weights != nil {
			all = 0
		}
		for row := range known {
			if weights != nil {
				known[row] *= weights[row]
				all += float64(weights[row])
			}
			of += float64(known[row])
		}
		if of > 0 {
			sum += m.lossWeight(i) * o.Feature.ConstantLoss(targets[2*i], known) * of / all
		}
	}
	return sum
}

// Select returns the predictions of some rows, in their order.
func (p *Predictions) Select(rows []int) *Predictions {
	out := &Predictions{Kind: p.Kind, Classes: p.Classes, Delimiter: p.Delimiter}
	width := 1
	if p.Rows() > 0 {
		width = max(1, len(p.Prob)/p.Rows())
	}
	for _, i := range rows {
		if p.Prob != nil {
			out.Prob = append(out.Prob, p.Prob[i*width:(i+1)*width]...)
		}
		if p.Class != nil {
			k := p.decisions()
			out.Class = append(out.Class, p.Class[i*k:(i+1)*k]...)
		}
		if p.Value != nil {
			out.Value = append(out.Value, p.Value[i])
		}
		if p.Sure != nil {
			out.Sure = append(out.Sure, p.Sure[i])
		}
	}
	return out
}

// check finds outputs that are named twice, or that are read as well.
func (m *Model) check() error {
	seen := map[string]bool{}
	for _, o := range m.Outputs() {
		if seen[o.Column] {
			return fmt.Errorf("two outputs are named %q", o.Column)
		}
		seen[o.Column] = true
	}
	return nil
}
