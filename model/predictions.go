package model

import (
	"slices"

	"github.com/hone-ml/hone/metric"
)

// Predictions are what a Predictor returns for n rows.
type Predictions struct {
	Kind    metric.Kind
	Classes []string
	Prob    []float64 // Binary: n, of the positive class; Multiclass, Multilabel: n×k
	Class   []int     // index of the chosen class; Multilabel: n×k of 0 and 1, whether the label is present
	Value   []float64 // Regression
	// Delimiter parts the labels of sets where they are written in one cell.
	Delimiter string `json:",omitempty"`
	Sure      []bool // whether the model is sure of each row's class; nil where it does not say
}

// Rows returns the number of rows.
func (p *Predictions) Rows() int {
	if p.Kind == metric.Regression {
		return len(p.Value)
	}
	return len(p.Class) / p.decisions()
}

// decisions is how many a row has: of labels one each.
func (p *Predictions) decisions() int {
	if p.Kind == metric.Multilabel {
		return max(1, len(p.Classes))
	}
	return 1
}

// Present returns which labels are present in a row of sets: 0 or 1 for each.
func (p *Predictions) Present(row int) []int {
	k := len(p.Classes)
	return p.Class[row*k : (row+1)*k]
}

// Confidence returns the probability of the class chosen for a row.
func (p *Predictions) Confidence(row int) float64 { return p.Probability(row, p.Class[row]) }

// Probability returns the probability of a class, by its index, for a row.
func (p *Predictions) Probability(row, class int) float64 {
	switch {
	case p.Kind != metric.Binary:
		return p.Prob[row*len(p.Classes)+class]
	case class == 1:
		return p.Prob[row]
	}
	return 1 - p.Prob[row]
}

// UnseenLabels is the name of the label that stands for all that training rows do
// not have.
const UnseenLabels = "(unseen in training)"

// Sample returns the predictions beside their targets, for metrics. Of sets, whose
// targets are as [feature.Set] makes them, labels that training rows do not have are
// one label more, which is never predicted.
func (p *Predictions) Sample(targets []float64) *metric.Sample {
	if p.Kind == metric.Multilabel {
		return p.sets(targets)
	}
	s := &metric.Sample{Kind: p.Kind, Classes: p.Classes, Target: targets, Prob: p.Prob, Pred: p.Value}
	if p.Kind != metric.Regression {
		s.Pred = make([]float64, len(p.Class))
		for i, c := range p.Class {
			s.Pred[i] = float64(c)
		}
	}
	return s
}

// sets is Sample of labels.
func (p *Predictions) sets(targets []float64) *metric.Sample {
	k := len(p.Classes)
	n := len(targets) / (k + 1)
	unseen := false
	for i := range n {
		unseen = unseen || targets[i*(k+1)+k] > 0
	}
	s := &metric.Sample{Kind: p.Kind, Classes: p.Classes}
	if unseen {
		s.Classes = append(slices.Clone(p.Classes), UnseenLabels)
	}
	for i := range n {
		s.Target = append(s.Target, targets[i*(k+1):i*(k+1)+k]...)
		if p.Prob != nil {
			s.Prob = append(s.Prob, p.Prob[i*k:(i+1)*k]...)
		}
		for _, c := range p.Present(i) {
			s.Pred = append(s.Pred, float64(c))
		}
		if unseen {
			s.Target, s.Pred = append(s.Target, min(1, targets[i*(k+1)+k])), append(s.Pred, 0)
			if p.Prob != nil {
				s.Prob = append(s.Prob, 0)
			}
		}
	}
	return s
}

// LabelsOf returns the labels that are present in a row of sets.
func (p *Predictions) LabelsOf(row int) []string {
	labels := []string{}
	for i, v := range p.Present(row) {
		if v != 0 {
			labels = append(labels, p.Classes[i])
		}
	}
	return labels
}

// Append adds the rows of q.
func (p *Predictions) Append(q *Predictions) {
	p.Delimiter = q.Delimiter
	p.Prob = append(p.Prob, q.Prob...)
	p.Class = append(p.Class, q.Class...)
	p.Value = append(p.Value, q.Value...)
	p.Sure = append(p.Sure, q.Sure...)
}
