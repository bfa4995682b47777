package lifecycle

import (
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// Abstain asks a model to say when it is not sure of a class.
type Abstain struct {
	ErrorRate float64 `yaml:"error_rate" default:"0" min:"0" max:"0.5" doc:"share of wrong ones among the rows whose class is told as sure, at most; the confidence from which on it is, is chosen on the validation rows; 0: nothing is said"`
	None      string  `yaml:"none" doc:"the class that stands for none of the others, as of questions that have no answer; a row of it is never sure"`
}

// checkAbstain finds what cannot be abstained from, before training.
func (p *prepared) checkAbstain(c *Config) error {
	for i, o := range p.model.Outputs() {
		a := c.Outputs[i].Abstain
		switch {
		case a == Abstain{}:
		case o.Feature.Kind() != metric.Binary && o.Feature.Kind() != metric.Multiclass:
			return mistake("%s: outputs: %s: abstain is for one class of several, and %s is a %s: remove it", c.doc.Name(), o.Column, o.Column, o.Feature.Type())
		case a.ErrorRate == 0:
			return mistake("%s: outputs: %s: abstain.none is given and abstain.error_rate is not: set it, as in {error_rate: 0.05, none: %s}", c.doc.Name(), o.Column, a.None)
		case a.None != "" && !slices.Contains(o.Feature.Classes(), a.None):
			return mistake("%s: outputs: %s: abstain.none is %q, which is no class of the training rows%s", c.doc.Name(), o.Column, a.None, didYouMean(a.None, o.Feature.Classes()))
		}
	}
	return nil
}

// chooseAbstention chooses, for each output that is to say when it is not sure, the
// confidence from which on it is, by the validation rows.
func (r *run) chooseAbstention() {
	m := r.fit.model
	for i, o := range m.Outputs() {
		a := r.c.Outputs[i].Abstain
		if a.ErrorRate == 0 {
			continue
		}
		of := &model.Abstention{ErrorRate: a.ErrorRate, None: a.None}
		threshold, ok := evaluate.ChooseConfidence(r.fit.held[i].decisions(of), a.ErrorRate)
		if of.Threshold = threshold; !ok {
			of.Threshold = never
			r.watch(Event{Stage: r.stage, Warning: fmt.Sprintf("%s: at no confidence are at most %.3g %% of the validation rows wrong, as many as there are: no row is told as sure; take more validation rows, or a higher abstain.error_rate", o.Column, 100*a.ErrorRate)})
		}
		if m.Abstain == nil {
			m.Abstain = map[string]*model.Abstention{}
		}
		m.Abstain[o.Column] = of
	}
}

// never is a confidence that no row has.
const never = 2

// decisions are what a model would tell of the rows that have a target.
func (h heldOut) decisions(a *model.Abstention) []evaluate.Decision {
	var all []evaluate.Decision
	for i, truth := range h.truth {
		if math.IsNaN(truth) {
			continue
		}
		told := h.by.Classes[h.by.Class[i]]
		all = append(all, evaluate.Decision{
			Confidence: a.Confidence(h.by, i), None: told == a.None,
			Right: h.by.Class[i] == int(truth), OutOfScope: h.by.Classes[int(truth)] == a.None,
		})
	}
	return all
}

// measureAbstention measures an output's abstention on the test rows; nil where
// there is none.
func (r *run) measureAbstention(column string, h heldOut, o evaluate.Options) (*evaluate.Abstained, error) {
	a := r.fit.model.Abstain[column]
	if a == nil {
		return nil, nil
	}
	return evaluate.Abstain(h.decisions(a), evaluate.Abstained{ErrorRate: a.ErrorRate, Threshold: a.Threshold, None: a.None}, o)
}
