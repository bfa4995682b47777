package evaluate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hone-ml/hone/metric"
)

// ThresholdChoice is which threshold serves an aim best, and what deciding by it is
// worth. Threshold is chosen on all rows; its worth is measured on rows that did not
// choose: they are divided into parts by chance, class by class, and each is decided by
// the threshold that is best on the others.
type ThresholdChoice struct {
	Aim       string  `json:"aim"`
	Label     string  `json:"label"`     // what the values are
	Threshold float64 `json:"threshold"` // to use
	// Parts are the thresholds by which each part was decided.
	Parts []float64 `json:"parts"`
	// Calibrated is the threshold that costs alone give, where probabilities come true
	// as stated; nil for other aims.
	Calibrated *float64 `json:"calibrated,omitempty"`
	// Policies are the chosen threshold first, and what it is to be compared with.
	Policies []Policy `json:"policies"`
	// Unmet says for an aim with a condition whether the rows that did not choose miss it.
	Unmet bool `json:"unmet"`
	Lower bool `json:"lower_is_better"`
}

// Policy is a way to decide.
type Policy struct {
	Name string `json:"name"` // chosen, model, half, none positive, all positive
	// Threshold is nil where no row, or every one, is positive, and for the chosen one.
	Threshold *float64 `json:"threshold,omitempty"`
	// Value is what the aim's label says. Conditions are left out of it, since what is
	// chosen for other rows can miss them by chance.
	Value metric.Interval `json:"value"`
	// Difference is the chosen one's value less this one's, on the same resamples; nil of
	// the chosen one, and of an aim with a condition, which others need not meet.
	Difference *metric.Interval `json:"difference,omitempty"`
	Precision  metric.Interval  `json:"precision"` // Wilson's intervals, of sums of weights
	Recall     metric.Interval  `json:"recall"`
	// Positive is the share of rows that it decides to be positive.
	Positive float64 `json:"positive"`
}

// Names of policies.
const (
	PolicyChosen = "chosen"
	PolicyModel  = "model"
	PolicyHalf   = "half"
	PolicyNone   = "none positive"
	PolicyAll    = "all positive"
)

const (
	decideParts = 5
	// decideDraws bounds the rows drawn for the intervals.
	decideDraws = 400_000_000
)

// ChooseThreshold chooses a threshold for a binary sample. Model is the threshold by
// which the sample's predictions were decided, to be compared with; NaN: none.
func ChooseThreshold(s *metric.Sample, aim *metric.Aim, model float64, opts Options) (*ThresholdChoice, error) {
	best, _, err := aim.Best(s)
	if err != nil {
		return nil, err
	}
	out := &ThresholdChoice{Aim: aim.String(), Label: aim.Label, Threshold: best, Lower: aim.Lower}
	if c := aim.Calibrated(); !math.IsNaN(c) {
		out.Calibrated = &c
	}
	part, err := stratify(s, opts.Seed)
	if err != nil {
		return nil, err
	}
	decided := make([]bool, s.Rows())
	for k := range decideParts {
		var in, rest []int
		for i, p := range part {
			if p == k {
				in = append(in, i)
			} else {
				rest = append(rest, i)
			}
		}
		t, _, err := aim.Best(s.Select(rest))
		if errors.Is(err, metric.ErrUnmet) {
			return nil, fmt.Errorf("%w, without a fifth of them: there are too few to choose by", err)
		}
		if err != nil {
			return nil, err
		}
		out.Parts = append(out.Parts, t)
		for _, i := range in {
			decided[i] = s.Prob[i] >= t
		}
	}
	half := 0.5
	policies := []struct {
		Policy
		positive func(i int) bool
	}{
		{Policy{Name: PolicyChosen}, func(i int) bool { return decided[i] }},
		{Policy{Name: PolicyModel, Threshold: &model}, func(i int) bool { return s.Prob[i] >= model }},
		{Policy{Name: PolicyHalf, Threshold: &half}, func(i int) bool { return s.Prob[i] >= half }},
		{Policy{Name: PolicyNone}, func(int) bool { return false }},
		{Policy{Name: PolicyAll}, func(int) bool { return true }},
	}
	if aim.Conditional() {
		policies = policies[:3]
	}
	if math.IsNaN(model) || model == half {
		policies = slices.Delete(policies, 1, 2)
	}
	// What matters of a row is its class and what each policy decides.
	cells := make([]uint8, s.Rows())
	for i := range cells {
		if s.Target[i] == 1 {
			cells[i] = 1
		}
		for k, p := range policies {
			if p.positive(i) {
				cells[i] |= 2 << k
			}
		}
	}
	count := func(by *[64]float64, k int) (d metric.Decisions) {
		for cell, w := range by {
			switch positive, decided := cell&1 == 1, cell&(2<<k) != 0; {
			case positive && decided:
				d.TP += w
			case positive:
				d.FN += w
			case decided:
				d.FP += w
			default:
				d.TN += w
			}
		}
		return d
	}
	var whole [64]float64
	for i, c := range cells {
		whole[c] += weightOf(s, i)
	}
	values := make([][]float64, len(policies))
	r := rand.New(rand.NewPCG(opts.Seed, 0x646563))
	resamples := min(opts.Bootstrap, max(100, decideDraws/s.Rows()))
	if opts.Bootstrap == 0 {
		resamples = 0
	}
	for range resamples {
		var by [64]float64
		for range cells {
			i := r.IntN(len(cells))
			by[cells[i]] += weightOf(s, i)
		}
		for k := range policies {
			values[k] = append(values[k], aim.Unconditional(count(&by, k)))
		}
	}
	for k, p := range policies {
		d := count(&whole, k)
		p.Value = percentiles(aim.Unconditional(d), values[k], opts.Level)
		p.Precision, p.Recall, p.Positive = metric.Wilson(d.TP, d.TP+d.FP, opts.Level), metric.Wilson(d.TP, d.TP+d.FN, opts.Level), (d.TP+d.FP)/d.Rows()
		if k == 0 {
			out.Unmet = math.IsNaN(aim.Value(d))
		} else if !aim.Conditional() {
			paired := make([]float64, len(values[k]))
			for i := range paired {
				paired[i] = values[0][i] - values[k][i]
			}
			difference := percentiles(out.Policies[0].Value.Value-p.Value.Value, paired, opts.Level)
			p.Difference = &difference
		}
		out.Policies = append(out.Policies, p.Policy)
	}
	return out, nil
}

// stratify gives each row a part, by chance, so that each has as many of each class.
func stratify(s *metric.Sample, seed uint64) ([]int, error) {
	part := make([]int, s.Rows())
	var next [2]int
	for _, i := range rand.New(rand.NewPCG(seed, 0x737472)).Perm(s.Rows()) {
		class := int(s.Target[i])
		part[i] = next[class] % decideParts
		next[class]++
	}
	if least := min(next[0], next[1]); least < decideParts {
		return nil, fmt.Errorf("%d rows of one class are too few to choose a threshold and say what it is worth, expected %d", least, decideParts)
	}
	return part, nil
}

func weightOf(s *metric.Sample, row int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[row]
}

// percentiles is a value with the interval between percentiles of resampled ones; NaN
// without any.
func percentiles(value float64, resampled []float64, level float64) metric.Interval {
	v := metric.Interval{Value: value, Low: math.NaN(), High: math.NaN()}
	resampled = slices.DeleteFunc(slices.Clone(resampled), math.IsNaN)
	if len(resampled) > 0 {
		slices.Sort(resampled)
		v.Low, v.High = quantile(resampled, (1-level)/2), quantile(resampled, (1+level)/2)
	}
	return v
}

// Better says whether the chosen threshold is told from another policy, as "better",
// "worse" or "not separable".
func (t *ThresholdChoice) Better(p Policy) string {
	if p.Difference == nil || math.IsNaN(p.Difference.Low) {
		return NotSeparable
	}
	return outcome(*p.Difference, !t.Lower)
}

// Sentences say it in words.
func (t *ThresholdChoice) Sentences() []string {
	low, high := slices.Min(t.Parts), slices.Max(t.Parts)
	first := fmt.Sprintf("for %s: a row is to be positive from %.4g on (on parts of the rows %.4g to %.4g)", t.Aim, t.Threshold, low, high)
	if t.Calibrated != nil {
		first += fmt.Sprintf("; were the probabilities to come true as stated, from %.4g on", *t.Calibrated)
	}
	out := []string{first}
	for i, p := range t.Policies {
		name := map[string]string{PolicyChosen: "by thresholds chosen on other rows", PolicyNone: "with no row positive", PolicyAll: "with every row positive"}[p.Name]
		if p.Threshold != nil {
			name = fmt.Sprintf("from %.4g on", *p.Threshold)
			if p.Name == PolicyModel {
				name += ", as the model decides"
			}
		}
		what := t.Label
		if i > 0 {
			what, _, _ = strings.Cut(what, " where ")
		}
		said := fmt.Sprintf("%s %s: %.4g", what, name, p.Value.Value)
		if !math.IsNaN(p.Value.Low) {
			said += fmt.Sprintf(" (%.4g to %.4g)", p.Value.Low, p.Value.High)
		}
		for _, of := range []struct {
			name string
			metric.Interval
		}{{"precision", p.Precision}, {"recall", p.Recall}} {
			if !math.IsNaN(of.Value) && p.Name != PolicyNone && p.Name != PolicyAll {
				said += fmt.Sprintf(", %s %.3g (%.3g to %.3g)", of.name, of.Value, of.Low, of.High)
			}
		}
		if p.Difference != nil && !math.IsNaN(p.Difference.Low) {
			said += fmt.Sprintf("; the chosen one is %s", map[string]string{Better: "better", Worse: "worse", NotSeparable: "not told from it"}[t.Better(p)])
		}
		if i == 0 && t.Unmet {
			said += "; there the condition is missed"
		}
		out = append(out, said)
	}
	return out
}
