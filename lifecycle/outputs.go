package lifecycle

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// targets are the columns to predict. Rows are divided and data is checked by the
// first.
func (c *Config) targets() []string {
	var names []string
	for _, o := range c.Outputs {
		names = append(names, o.Name)
	}
	return names
}

// checkOutputs finds outputs that do not go together, or with the rest.
func (c *Config) checkOutputs() error {
	name := c.doc.Name()
	if len(c.Outputs) == 0 {
		return mistake("%s: outputs: found no entry, expected one or more", name)
	}
	seen, total := map[string]bool{}, 0.0
	for i, o := range c.Outputs {
		if seen[o.Name] {
			return mistake("%s: outputs: %q stands twice: remove one", name, o.Name)
		}
		if math.IsInf(o.Weight, 0) || math.IsNaN(o.Weight) {
			return mistake("%s: outputs[%d].weight: found %g, expected a finite number of 0 or more", name, i, o.Weight)
		}
		seen[o.Name] = true
		total += o.Weight
	}
	if len(c.Outputs) == 1 {
		if w := c.Outputs[0].Weight; w != 1 {
			return mistake("%s: outputs[0].weight: found %g, and there is no other output to weigh it against: remove the key", name, w)
		}
		return nil
	}
	if total == 0 {
		return mistake("%s: outputs: every weight is 0, so that there is nothing to learn: set one above 0", name)
	}
	if c.Train.ClassSampling.on() {
		return mistake("%s: train.class_sampling: there are %d outputs, and whole rows are drawn: by the classes of one, which would shift what the others learn; take train.class_weights: balanced, which weighs each output's loss by itself, or remove all outputs but one", name, len(c.Outputs))
	}
	return nil
}

// resolve returns the options of an output; where its type is left open, by what
// its column holds.
func (p *prepared) resolve(c *Config, out Output) (Output, error) {
	target := p.train.Column(out.Name)
	if err := varies(target, c.doc.Name()); err != nil {
		return out, err
	}
	if out.Type != "" {
		return out, nil
	}
	kind, why, err := data.TargetKind(target)
	if err != nil {
		_, source := c.files(c.Data.Source)
		return out, inFile(err, source)
	}
	out.Type = kind
	out.Options = feature.OutputTypes()[kind]
	p.notes = append(p.notes, fmt.Sprintf("%s is predicted as %s: %s", out.Name, kind, why))
	return out, config.Defaults(out.Options)
}

// fitOthers fits the outputs after the first and gives them to the model.
func (p *prepared) fitOthers(c *Config) error {
	if len(c.Outputs) == 1 {
		return nil
	}
	for i, out := range c.Outputs {
		p.model.LossWeights = append(p.model.LossWeights, out.Weight)
		if i == 0 {
			continue
		}
		out, err := p.resolve(c, out)
		if err != nil {
			return err
		}
		target := p.train.Column(out.Name)
		fitted, err := out.Options.Fit(target)
		if err != nil {
			return mistake("%s: outputs: %v", c.doc.Name(), err)
		}
		if o, ok := out.Options.(*feature.NumberOutputOptions); ok && o.Transform == "auto" && feature.LongTail(target) {
			p.notes = append(p.notes, fmt.Sprintf("%s has a long tail and is learnt as it is: only for the first output is it found out whether log(1+target) is better; set its transform to log to have that", out.Name))
		}
		p.outputs = append(p.outputs, out.Options)
		p.model.Others = append(p.model.Others, model.Output{Column: out.Name, Feature: fitted})
	}
	return nil
}

// trivial returns what the best constant prediction of output i is for n rows, as
// the predictions of a model would be.
func (p *prepared) trivial(i, n int) (*model.Predictions, error) {
	output := p.model.Outputs()[i].Feature
	if p.weight != "" {
		var err error
		if output, err = p.averaged(p.model.Outputs()[i]); err != nil {
			return nil, err
		}
	}
	return trivial(output, p.outputs[i], n)
}

// dropColumns returns a table without some of its columns.
func dropColumns(t *data.Table, names []string) *data.Table {
	if len(names) == 0 {
		return t
	}
	drop := map[string]bool{}
	for _, n := range names {
		drop[n] = true
	}
	u := *t
	u.Columns = nil
	for _, c := range t.Columns {
		if !drop[c.Name] {
			u.Columns = append(u.Columns, c)
		}
	}
	return &u
}

// profile looks at the columns that may be inputs, by the first target, and at
// what gives another one away.
func profile(t *data.Table, targets []string) ([]data.Finding, error) {
	_, findings, err := data.Profile(dropColumns(t, targets[1:]), targets[0])
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(targets); i++ {
		rest := append(append([]string{}, targets[:i]...), targets[i+1:]...)
		_, more, err := data.Profile(dropColumns(t, rest), targets[i])
		if err != nil {
			return nil, err
		}
		for _, f := range more {
			if f.Kind == data.FindingLeak {
				findings = append(findings, f)
			}
		}
	}
	return findings, nil
}

// heldOut is how rows were predicted, beside their targets; NaN where a row has
// none.
type heldOut struct {
	by     *model.Predictions
	truth  []float64
	weight []float64 // nil: all 1
}

// width is how many targets a row has; of labels one for each, and one for those
// that are unseen.
func (h heldOut) width() int {
	if h.by.Kind == metric.Multilabel {
		return len(h.by.Classes) + 1
	}
	return 1
}

func (h heldOut) rows() int { return len(h.truth) / h.width() }

// sample leaves out the rows that have no target.
func (h heldOut) sample() *metric.Sample {
	var rows []int
	k := h.width()
	for i := range h.rows() {
		if !math.IsNaN(h.truth[i*k]) {
			rows = append(rows, i)
		}
	}
	by, truth, weight := h.by, h.truth, h.weight
	if len(rows) < h.rows() {
		by, truth, weight = by.Select(rows), pick(truth, rows, k), pick(weight, rows, 1)
	}
	s := by.Sample(truth)
	s.Weight = weight
	return s
}

// checkMeasured finds an output that no row of a part has a target of.
func checkMeasured(m *model.Model, targets [][]float64, what string) error {
	for i, o := range m.Outputs() {
		h := heldOut{by: &model.Predictions{Kind: o.Feature.Kind(), Classes: o.Feature.Classes()}, truth: targets[i]}
		if h.known() == 0 {
			return mistake("the column %q to predict is missing in every one of the %d %s rows, on which it is to be measured: take more of them, or remove the output", o.Column, h.rows(), what)
		}
	}
	return nil
}

// known returns the number of rows that have a target.
func (h heldOut) known() int {
	n, k := 0, h.width()
	for i := range h.rows() {
		if !math.IsNaN(h.truth[i*k]) {
			n++
		}
	}
	return n
}

// known returns the number of rows that have a value in a column.
func known(t *data.Table, column string) int { return len(knownRows(t, column)) }

func knownRows(t *data.Table, column string) []int {
	var rows []int
	for i := range rowsOf(t) {
		if !t.Column(column).Missing(i) {
			rows = append(rows, i)
		}
	}
	return rows
}

// outputSummaries are those of the outputs after the first.
func outputSummaries(r *evaluate.Result) map[string]OutputSummary {
	var out map[string]OutputSummary
	for name, o := range r.Outputs {
		if out == nil {
			out = map[string]OutputSummary{}
		}
		full := o.Result()
		out[name] = OutputSummary{Task: o.Task, Headline: headline(full), Test: o.Test, Validation: o.Validation, Baselines: o.Baselines, Rows: o.Rows, Against: against(full), CrossValidation: o.CrossValidation}
	}
	return out
}
