package lifecycle

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/report"
)

// Rows may have weights, a column that data.weight names: a row counts by it in
// the loss, in early stopping, in the baselines, in every metric and test. What is
// fitted on columns (scales, bins, categories) and how rows are divided does not
// look at it.

// checkWeight finds a column of weights that is something else as well.
func (c *Config) checkWeight() error {
	name, w := c.doc.Name(), c.Data.Weight
	switch {
	case w == "":
		return nil
	case slices.Contains(c.targets(), w):
		return mistake("%s: data.weight: %q is the column to predict: name the column of the weights, or remove the key", name, w)
	case slices.ContainsFunc(c.Inputs, func(in Input) bool { return in.Name == w }):
		return mistake("%s: data.weight: %q is an input as well: remove it from inputs, since a row to predict has no weight", name, w)
	case c.Train.ClassSampling.on():
		return mistake("%s: data.weight and train.class_sampling are both given, and both say how much rows count: take train.class_weights, which go with weights, or remove one", name)
	}
	types, err := weightType(w, c.Data.Types)
	if err != nil {
		return mistake("%s: data.types: %v", name, err)
	}
	c.Data.Types = types
	return nil
}

// weightType adds the weights, whatever they look like, to the types of columns.
func weightType(weight string, types map[string]data.Type) (map[string]data.Type, error) {
	if weight == "" {
		return types, nil
	}
	if t := types[weight]; t != "" && t != data.Number {
		return nil, mistake("%q is to be read as %s, and holds the weights of rows, which are numbers: remove one of them", weight, t)
	}
	types = maps.Clone(types)
	if types == nil {
		types = map[string]data.Type{}
	}
	types[weight] = data.Number
	return types, nil
}

// weights are those of a table's rows; nil: all 1.
func (p *prepared) weights(t *data.Table) []float64 { return weightsOf(t, p.weight) }

func weightsOf(t *data.Table, column string) []float64 {
	if column == "" || t == nil {
		return nil
	}
	return t.Column(column).Numbers
}

// unweighted is a table without the weights, which are not looked at as data.
func (p *prepared) unweighted(t *data.Table) *data.Table {
	if p.weight == "" {
		return t
	}
	return dropColumns(t, []string{p.weight})
}

// checkWeights finds a row whose weight is missing or no weight. The numbers are of
// the rows in the file, nil: 1, 2, …
func checkWeights(t *data.Table, column, file string, numbers []int) error {
	if column == "" {
		return nil
	}
	c := t.Column(column)
	if c == nil {
		return mistake("%s has no column %q of the weights of rows (data.weight)%s", file, column, didYouMean(column, t.Names()))
	}
	for i, w := range c.Numbers {
		row := i + 1
		if numbers != nil {
			row = numbers[i]
		}
		switch {
		case math.IsNaN(w):
			return &data.Error{Path: file, Row: row, Column: column, Problem: "the weight of the row is missing, expected a number of 0 or more", Remedy: "fill it in, give it 0, or leave the row out"}
		case w < 0 || math.IsInf(w, 0):
			return &data.Error{Path: file, Row: row, Column: column, Problem: fmt.Sprintf("the weight of the row is %g, expected a finite number of 0 or more", w), Remedy: "correct it, or leave the row out"}
		}
	}
	return nil
}

// checkSums finds parts whose rows weigh nothing together.
func (p *prepared) checkSums() error {
	type part struct {
		what, remedy string
		rows         *data.Table
	}
	const remedy = "take other rows, or another column"
	parts := []part{{partTraining, remedy, p.train}, {partValidation, remedy, p.valid}, {partTest, remedy, p.test}}
	for k, f := range p.bag {
		of, remedy := fmt.Sprintf("network %d's ", k+1), "set train.bagging to a smaller number, or to off"
		parts = append(parts, part{of + partTraining, remedy, p.train.Select(f.Train)}, part{of + partValidation, remedy, p.train.Select(f.Test)})
	}
	for _, part := range parts {
		w := p.weights(part.rows)
		sum := 0.0
		for _, v := range w {
			sum += v
		}
		switch {
		case w == nil:
		case sum == 0:
			return mistake("the weights (data.weight: %s) of all %d %s rows are 0: nothing would count; %s", p.weight, len(w), part.what, part.remedy)
		case math.IsInf(sum, 0):
			return mistake("the weights (data.weight: %s) of the %s rows add up to infinity: scale them down", p.weight, part.what)
		}
	}
	return nil
}

// weightField is the column of a model's weights, written as it was; nil: none.
func weightField(m *model.Model) *data.Field {
	if f := m.Schema.Field(m.Weight); f != nil || m.Weight == "" {
		return f
	}
	return &data.Field{Name: m.Weight, Type: data.Number}
}

// readWeight adds the column of weights, nil for none, to a schema where a file has
// it. It reports whether it has.
func readWeight(path string, weight *data.Field, o data.Options, s data.Schema) (data.Schema, bool, error) {
	if weight == nil {
		return s, false, nil
	}
	have, err := data.Columns(path, o)
	if err != nil || !slices.Contains(have, weight.Name) {
		return s, false, err
	}
	return append(slices.Clone(s), *weight), true, nil
}

// even brings weights to a mean of 1.
func even(weights []float64) []float32 {
	if weights == nil {
		return nil
	}
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	out := make([]float32, len(weights))
	for i, w := range weights {
		out[i] = float32(w / (sum / float64(len(weights))))
	}
	return out
}

// effective is how many rows of one weight tell as much as these (Kish 1965, Survey
// sampling).
func effective(weights []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, w := range weights {
		sum += w
		squares += w * w
	}
	return sum / squares * sum
}

// spread says how far weights are apart.
func spread(w []float64) string {
	return fmt.Sprintf("%.4g to %.4g; %d rows tell as much as %.0f of one weight", slices.Min(w), slices.Max(w), len(w), effective(w))
}

// tellWeights says what the weights do.
func (p *prepared) tellWeights() {
	if p.weight == "" {
		return
	}
	p.notes = append(p.notes, fmt.Sprintf("rows to learn from count by %s: %s", p.weight, spread(p.weights(p.train))))
	p.facts.LeftOut = append(p.facts.LeftOut, report.LeftOut{Name: p.weight, Reason: "holds the weights of the rows (data.weight): " + spread(p.weights(p.train))})
}

// averaged is an output whose best constant prediction is that of the weighted
// training rows.
func (p *prepared) averaged(o model.Output) (feature.Output, error) {
	one := model.Model{Target: o.Column, Output: o.Feature, Clean: p.model.Clean}
	some := p.train.Select(knownRows(p.train, o.Column))
	_, targets, err := one.Targets(some)
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	weights, sum, mean := p.weights(some), 0.0, 0.0
	shares := make([]float64, len(o.Feature.Classes()))
	for i, w := range weights {
		sum += w
		switch o.Feature.Kind() {
		case metric.Regression:
			mean += w * targets[i]
		case metric.Multilabel:
			for j := range shares {
				shares[j] += w * targets[i*model.TargetWidth(o.Feature)+j]
			}
		default:
			shares[int(targets[i])] += w
		}
	}
	if sum == 0 {
		return o.Feature, nil // nothing to say against what was fitted
	}
	for i := range shares {
		shares[i] /= sum
	}
	switch f := o.Feature.(type) {
	case *feature.Binary:
		g := *f
		g.Share = shares[1]
		return &g, nil
	case *feature.CategoryOutput:
		g := *f
		g.Shares = shares
		return &g, nil
	case *feature.Set:
		g := *f
		g.Shares = shares
		return &g, nil
	case *feature.NumberOutput:
		g := *f
		g.Average = mean / sum
		return &g, nil
	}
	return o.Feature, nil
}
