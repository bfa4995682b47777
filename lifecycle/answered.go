package lifecycle

import (
	"fmt"
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

// Answered is what a run found out, in sentences, by the question that each
// answers: the three that a reader asks first, as in the report.
type Answered struct {
	Good  []string `json:"good"`  // is it good?
	Trust []string `json:"trust"` // can the number be trusted?
	Fails []string `json:"fails"` // where does it fail?
}

// All are all the sentences, in the order of the questions.
func (a Answered) All() []string {
	out := append([]string{}, a.Good...)
	return append(append(out, a.Trust...), a.Fails...)
}

// answered says in sentences what the result shows.
func answered(r *evaluate.Result) Answered {
	a := Answered{Good: []string{}, Trust: []string{}, Fails: []string{}}
	if len(r.Undefined) > 0 {
		a.Good = append(a.Good, fmt.Sprintf("undefined on the test rows, and so not measured: %s; see whether these rows hold one class alone", strings.Join(sortedKeys(r.Undefined), ", ")))
	}
	head := r.Metrics[0].Name
	if c := r.Compare("trivial", head); c != nil && c.Outcome != evaluate.Better {
		a.Good = append(a.Good, "nothing was learnt that these test rows could show: the trivial prediction, which looks at no column, is as good")
	}
	if c := r.Compare("linear", head); c != nil {
		words := map[string]string{
			evaluate.Better: "the network is better than a linear model on the same inputs", evaluate.Worse: "a linear model on the same inputs is better than the network",
			evaluate.NotSeparable: "these test rows do not tell the network from a linear model on the same inputs",
		}[c.Outcome]
		chance := c.Chance()
		if chance != "" {
			chance = "; " + chance
		}
		a.Good = append(a.Good, fmt.Sprintf("%s: %s differs by %+.4f (95 %% interval %+.4f to %+.4f%s)", words, head, c.Difference.Value, c.Difference.Low, c.Difference.High, chance))
	}

	if r.Diagnosis != nil {
		for _, f := range r.Diagnosis.Found {
			if f.Kind != evaluate.ProblemOver && f.Kind != evaluate.ProblemUnder && f.Kind != evaluate.ProblemWeak { // told by the fit and by the slices
				a.Trust = append(a.Trust, fmt.Sprintf("%s: %s", f.Kind, f.Sentence))
			}
		}
	}
	a.Trust = append(a.Trust, fitSaid(r.Fit))
	if c := r.PredictionSets.At(0.9); c != nil {
		a.Trust = append(a.Trust, c.Sentence())
	}
	if r.Abstain != nil {
		a.Trust = append(a.Trust, r.Abstain.Sentence())
	}

	if f := r.Failures; f != nil {
		for i := range f.Weak[:min(shownWeak, len(f.Weak))] {
			a.Fails = append(a.Fails, f.Weak[i].Sentence(f.Metric))
		}
		switch more := len(f.Weak) - shownWeak; {
		case more > 0:
			a.Fails = append(a.Fails, fmt.Sprintf("and in %d more slices, which the report shows", more))
		case len(f.Weak) == 0 && len(f.Notes) > 0:
			a.Fails = append(a.Fails, f.Notes...)
		case len(f.Weak) == 0:
			a.Fails = append(a.Fails, "no condition on the columns tells rows on which it does worse")
		}
	}
	return a
}

// shownWeak is how many weak slices are told of in words.
const shownWeak = 3

// fitSaid says how training went, in short where nothing is to be done.
func fitSaid(v evaluate.Verdict) string {
	said := map[string]string{evaluate.FitGood: "a sound fit", evaluate.FitLinearEnough: "no over-fitting"}[v.Kind]
	gap := v.Evidence.Gap
	switch {
	case said == "":
		s := strings.TrimSuffix(v.Sentence, ".")
		return strings.ToLower(s[:min(1, len(s))]) + s[min(1, len(s)):]
	case gap <= 0:
		return said + ": validation rows lose no more than training rows"
	case gap < 0.01:
		return said + ": validation rows lose hardly more than training rows"
	}
	return fmt.Sprintf("%s: validation rows lose more than training rows by %.0f %% of what a model that knows nothing loses", said, 100*float64(gap))
}
