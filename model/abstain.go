package model

import (
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// An Abstention says from which confidence on the class of an output is told as
// sure.
type Abstention struct {
	ErrorRate float64 `json:"error_rate"` // what was asked for: wrong ones among those told as sure
	Threshold float64 `json:"threshold"`  // least confidence; above 1 no row is sure
	// None is the class that stands for none of the others, "" where there is no
	// such: a row of it is never sure.
	None string `json:"none,omitempty"`
}

// Confidence returns the probability of the class that a row is decided for, or
// where that is None, of the most probable other.
func (a *Abstention) Confidence(p *Predictions, row int) float64 {
	if !a.none(p, row) {
		return p.Confidence(row)
	}
	most := 0.0
	for k, name := range p.Classes {
		if name != a.None {
			most = max(most, p.Probability(row, k))
		}
	}
	return most
}

// none says whether a row is decided to be of no other class.
func (a *Abstention) none(p *Predictions, row int) bool {
	return p.Classes[p.Class[row]] == a.None
}

// Sure says for each row whether its class is told as sure.
func (a *Abstention) Sure(p *Predictions) []bool {
	out := make([]bool, p.Rows())
	for i := range out {
		out[i] = !a.none(p, i) && p.Confidence(i) >= a.Threshold
	}
	return out
}

// checkAbstain holds what was read against the outputs.
func (m *Model) checkAbstain() error {
	for name, a := range m.Abstain {
		outputs := m.Outputs()
		i := slices.IndexFunc(outputs, func(o Output) bool { return o.Column == name })
		switch {
		case i < 0:
			return fmt.Errorf("abstain: %q is no output", name)
		case a == nil || math.IsNaN(a.Threshold) || a.Threshold < 0:
			return fmt.Errorf("abstain: output %q has no threshold of 0 or more", name)
		case outputs[i].Feature.Kind() == metric.Regression:
			return fmt.Errorf("abstain: output %q has no classes", name)
		case a.None != "" && !slices.Contains(outputs[i].Feature.Classes(), a.None):
			return fmt.Errorf("abstain: %q is no class of output %q", a.None, name)
		}
	}
	return nil
}
