package lifecycle

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/internal/nearest"
	"github.com/hone-ml/hone/metric"
)

// balanced is the rule by which every class counts the same.
const balanced = "balanced"

// ClassSampling says in which proportions an epoch draws from the classes.
type ClassSampling struct {
	Rule  string             `yaml:"rule" shorthand:"true" default:"none" enum:"none,balanced" doc:"none: an epoch has every row once; balanced: as many rows of each class"`
	Ratio map[string]float64 `yaml:"ratio" doc:"rows of each class in proportion, as {fraud: 1, honest: 4}, instead of a rule"`
}

// Validate finds a ratio that says nothing, and one beside a rule.
func (s *ClassSampling) Validate() error {
	if s.Ratio != nil && s.Rule != "none" {
		return fmt.Errorf("rule and ratio are both given: remove one")
	}
	for _, class := range sortedKeys(s.Ratio) {
		if v := s.Ratio[class]; !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("ratio: found %g for class %q, expected a number above 0", v, class)
		}
	}
	return nil
}

// on reports whether there is anything to sample.
func (s *ClassSampling) on() bool { return s.Rule == balanced || s.Ratio != nil }

// checkClasses finds weights and samples of classes that the target does not
// have.
func (p *prepared) checkClasses(c *Config) error {
	key := "class_weights"
	switch t := c.Train; {
	case t.ClassSampling.on():
		key = "class_sampling"
	case t.ClassWeights != balanced:
		return nil
	}
	var numbers []string
	for _, o := range p.model.Outputs() {
		if o.Feature.Kind() == metric.Multilabel {
			remedy := "set positive_weight: balanced of the output, by which each label's rows count as much as the others"
			return mistake("%s: train.%s: %q is predicted as sets of labels, whose rows are of no one class: remove the key and %s", c.doc.Name(), key, o.Column, remedy)
		}
	}
	for _, o := range p.model.Outputs() {
		if o.Feature.Classes() == nil {
			numbers = append(numbers, strconv.Quote(o.Column))
		}
	}
	if len(numbers) == len(p.outputs) {
		return mistake("%s: train.%s: %s is predicted as a number, which has no classes: remove the key", c.doc.Name(), key, strings.Join(numbers, ", "))
	}
	classes := p.model.Output.Classes() // the only output's, where rows are drawn by them
	ratio := c.Train.ClassSampling.Ratio
	if ratio == nil {
		return nil
	}
	for _, class := range sortedKeys(ratio) {
		if !slices.Contains(classes, class) {
			hint := ""
			if n := nearest.Name(class, classes); n != "" {
				hint = fmt.Sprintf("; did you mean %q?", n)
			}
			return mistake("%s: train.class_sampling.ratio: %q has no class %q in the training rows, it has %s%s", c.doc.Name(), p.model.Target, class, strings.Join(classes, ", "), hint)
		}
	}
	for _, class := range classes {
		if _, ok := ratio[class]; !ok {
			return mistake("%s: train.class_sampling.ratio: class %q is missing, expected a number for each of %s", c.doc.Name(), class, strings.Join(classes, ", "))
		}
	}
	return nil
}

// shares returns how much each class of each output counts in training in
// proportion, by weights or by sampling; nil: as much as it has rows.
func (p *prepared) shares(c *Config) [][]float64 {
	t := c.Train
	if t.ClassWeights != balanced && !t.ClassSampling.on() {
		return nil
	}
	var all [][]float64
	for _, o := range p.model.Outputs() {
		var shares []float64 // none of a number
		for _, class := range o.Feature.Classes() {
			share := 1.0
			if t.ClassSampling.Ratio != nil {
				share = t.ClassSampling.Ratio[class]
			}
			shares = append(shares, share)
		}
		all = append(all, shares)
	}
	return all
}

// weigh makes the classes of each output count by their shares: the only output's
// by the weights of rows that it returns, beside the given ones; those of several, whose loss has a factor
// for each output and row, by these factors in y (see model.AllTargets).
func weigh(y []*tensor.Tensor, targets, shares [][]float64, rows []float64) []float32 {
	weights := even(rows)
	if shares == nil {
		return weights
	}
	if len(targets) == 1 {
		classes := classWeights(targets[0], shares[0], rows)
		for i, w := range weights {
			classes[i] *= w
		}
		return classes
	}
	for i := range targets {
		known := y[2*i+1].Floats()
		for row, w := range classWeights(targets[i], shares[i], rows) {
			known[row] = w
		}
	}
	return weights
}

// classWeights returns weights by which the classes of rows that have weights of
// their own (nil: all 1) count in proportion to shares, as much in all as without;
// nil without shares. A row without a target weighs nothing.
func classWeights(targets, shares, rows []float64) []float32 {
	if shares == nil {
		return nil
	}
	count, all, total := make([]float64, len(shares)), 0.0, 0.0
	for i, t := range targets {
		if !math.IsNaN(t) {
			w := 1.0
			if rows != nil {
				w = rows[i]
			}
			count[int(t)] += w
			all += w
		}
	}
	for _, s := range shares {
		total += s
	}
	w := make([]float32, len(targets))
	for i, t := range targets {
		if !math.IsNaN(t) && count[int(t)] > 0 { // a class whose rows all weigh nothing stays so
			w[i] = float32(all * shares[int(t)] / (total * count[int(t)]))
		}
	}
	return w
}

// classesOf are targets as indices.
func classesOf(targets []float64) []int {
	classes := make([]int, len(targets))
	for i, t := range targets {
		classes[i] = int(t)
	}
	return classes
}

// chooseThresholds decides for each output from which probability on a row is
// positive, where that is left to the validation rows. It says what it chose.
func (f *fitted) chooseThresholds(c *Config, p *prepared) ([]string, error) {
	var said []string
	others := slices.Clone(f.model.Others) // they are shared with models of the same outputs
	for i, o := range f.model.Outputs() {
		output, chosen, err := f.held[i].chooseThreshold(c, o.Feature, p.outputs[i])
		if err != nil {
			return nil, err
		}
		if i == 0 {
			f.model.Output = output
		} else {
			others[i-1].Feature = output
		}
		switch {
		case chosen == "":
		case i == 0:
			said = append(said, chosen)
		default:
			said = append(said, o.Column+": "+chosen)
		}
	}
	f.model.Others = others
	return said, nil
}

// chooseThreshold returns the output with the threshold that it chose, and what it
// chose; "" where that was not asked for.
func (h heldOut) chooseThreshold(c *Config, output feature.Output, options feature.OutputOptions) (feature.Output, string, error) {
	if o, ok := options.(*feature.SetOptions); ok {
		return h.chooseSetThresholds(output.(*feature.Set), o)
	}
	o, ok := options.(*feature.BinaryOptions)
	if !ok || o.Threshold != feature.AutoThreshold {
		return output, "", nil
	}
	aim, err := metric.ParseAim(o.Metric)
	if err != nil {
		return nil, "", mistake("%s: outputs.threshold_metric: %v", c.doc.Name(), err)
	}
	const half = 0.5
	s := h.sample()
	t, value, err := aim.Best(s)
	if err != nil {
		return nil, "", mistake("%s: outputs.threshold: auto: validation rows: %v: take more of them, or give the threshold as a number", c.doc.Name(), err)
	}
	out := *output.(*feature.Binary)
	out.Threshold = t
	h.decide(t)
	before := "it was not met"
	if v := aim.Value(metric.Decide(s, half)); !math.IsNaN(v) {
		before = fmt.Sprintf("it was %.4g", v)
	}
	return &out, fmt.Sprintf("a row is %s from a probability of %.4g on: %s on the validation rows is %.4g there, at %g %s", out.Positive, t, aim.Label, value, half, before), nil
}

// decide chooses the classes of the rows anew.
func (h heldOut) decide(threshold float64) {
	for i, v := range h.by.Prob {
		h.by.Class[i] = 0
		if v >= threshold {
			h.by.Class[i] = 1
		}
	}
}
