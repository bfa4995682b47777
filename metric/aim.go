package metric

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Decisions counts the rows of two classes by truth and decision, by their weights.
type Decisions struct{ TP, FP, TN, FN float64 }

// add counts a row.
func (d *Decisions) add(positive, decided bool, weight float64) {
	switch {
	case positive && decided:
		d.TP += weight
	case positive:
		d.FN += weight
	case decided:
		d.FP += weight
	default:
		d.TN += weight
	}
}

// Rows is the weight of all rows.
func (d Decisions) Rows() float64 { return d.TP + d.FP + d.TN + d.FN }

// Precision is 0 where nothing is decided to be positive.
func (d Decisions) Precision() float64 { return ratio(d.TP, d.TP+d.FP) }

// Recall is 0 where nothing is positive.
func (d Decisions) Recall() float64 { return ratio(d.TP, d.TP+d.FN) }

// Specificity is 0 where nothing is negative.
func (d Decisions) Specificity() float64 { return ratio(d.TN, d.TN+d.FP) }

// An Aim is what the threshold of a decision between two classes is chosen for.
type Aim struct {
	text  string
	Label string // what Value is, in words
	// Lower is whether less of it is better: costs.
	Lower bool
	// Costs are what each decision costs, nil for other aims.
	Costs *Decisions
	value func(Decisions) float64
	met   func(Decisions) bool // a condition, nil for none
}

// String is what was parsed.
func (a *Aim) String() string { return a.text }

// Value is what decisions are worth; NaN where they do not meet the aim's condition.
func (a *Aim) Value(d Decisions) float64 {
	if a.met != nil && !a.met(d) {
		return math.NaN()
	}
	return a.value(d)
}

// Unconditional is Value whether or not the condition is met.
func (a *Aim) Unconditional(d Decisions) float64 { return a.value(d) }

// Conditional is whether the aim has a condition.
func (a *Aim) Conditional() bool { return a.met != nil }

// better is whether one value is better than another.
func (a *Aim) better(v, than float64) bool {
	if a.Lower {
		return v < than
	}
	return v > than
}

const aims = "accuracy, balanced_accuracy, f1 or another F-beta such as f2 or f0.5, a condition such as recall>=0.9, precision>=0.8 or specificity>=0.95, or costs such as fp=1,fn=5"

// errAim makes an error of an aim that cannot be read.
func errAim(text, format string, args ...any) error {
	return fmt.Errorf("found %q: %s", text, fmt.Sprintf(format, args...))
}

// ParseAim reads an aim: accuracy; balanced_accuracy; fB, the F-beta score with β = B
// (van Rijsbergen 1979); recall>=X, the greatest precision where recall is at least X;
// precision>=X or specificity>=X, the greatest recall where these are; or costs of a
// row, tp, fp, tn and fn, as in fp=1,fn=5, of which those that are left out are 0, and
// a gain is below 0.
func ParseAim(text string) (*Aim, error) {
	a := &Aim{text: strings.ReplaceAll(text, " ", "")}
	switch {
	case a.text == "accuracy":
		a.Label, a.value = "accuracy", func(d Decisions) float64 { return (d.TP + d.TN) / d.Rows() }
		return a, nil
	case a.text == "balanced_accuracy":
		a.Label, a.value = "balanced accuracy", func(d Decisions) float64 { return (d.Recall() + d.Specificity()) / 2 }
		return a, nil
	case strings.Contains(a.text, ">="):
		return a, a.condition()
	case strings.Contains(a.text, "="):
		return a, a.costs()
	case strings.HasPrefix(a.text, "f"):
		if beta, err := strconv.ParseFloat(a.text[1:], 64); err == nil && beta > 0 && !math.IsInf(beta, 0) {
			b2 := beta * beta
			a.Label, a.value = a.text, func(d Decisions) float64 { return ratio((1+b2)*d.TP, (1+b2)*d.TP+b2*d.FN+d.FP) }
			return a, nil
		}
	}
	return nil, errAim(text, "expected %s", aims)
}

func (a *Aim) condition() error {
	name, number, _ := strings.Cut(a.text, ">=")
	least, err := strconv.ParseFloat(number, 64)
	if err != nil || !(least > 0 && least <= 1) {
		return errAim(a.text, "expected a share above 0, and 1 at most, after >=, such as 0.9")
	}
	// A share that is as good as met is met: 0.9 of 10 rows is 9.
	reaches := func(share float64) bool { return share >= least-1e-12 }
	switch name {
	case "recall":
		a.Label, a.value, a.met = "precision", Decisions.Precision, func(d Decisions) bool { return reaches(d.Recall()) }
	case "precision":
		a.Label, a.value, a.met = "recall", Decisions.Recall, func(d Decisions) bool { return reaches(d.Precision()) }
	case "specificity":
		a.Label, a.value, a.met = "recall", Decisions.Recall, func(d Decisions) bool { return reaches(d.Specificity()) }
	default:
		return errAim(a.text, "a condition is of recall, precision or specificity")
	}
	a.Label += " where " + a.text
	return nil
}

func (a *Aim) costs() error {
	c := &Decisions{}
	seen := map[string]bool{}
	for _, part := range strings.Split(a.text, ",") {
		name, number, _ := strings.Cut(part, "=")
		at := map[string]*float64{"tp": &c.TP, "fp": &c.FP, "tn": &c.TN, "fn": &c.FN}[name]
		v, err := strconv.ParseFloat(number, 64)
		switch {
		case at == nil:
			return errAim(a.text, "%q is none of tp, fp, tn and fn; expected costs such as fp=1,fn=5", name)
		case seen[name]:
			return errAim(a.text, "%s stands twice", name)
		case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
			return errAim(a.text, "the cost %q is no number; expected costs such as fp=1,fn=5", number)
		}
		*at, seen[name] = v, true
	}
	if c.FP <= c.TN || c.FN <= c.TP {
		return errAim(a.text, "a wrong decision must cost more than the right one of the same row (fp more than tn, fn more than tp), else the same decision is best for every row")
	}
	a.Label, a.Lower, a.Costs = "cost of a row", true, c
	a.value = func(d Decisions) float64 {
		return (c.TP*d.TP + c.FP*d.FP + c.TN*d.TN + c.FN*d.FN) / d.Rows()
	}
	return nil
}

// Calibrated is the threshold that is best by costs where probabilities come true as
// stated (Elkan 2001, The foundations of cost-sensitive learning, equation 2); NaN for
// other aims.
func (a *Aim) Calibrated() float64 {
	if a.Costs == nil {
		return math.NaN()
	}
	fp, fn := a.Costs.FP-a.Costs.TN, a.Costs.FN-a.Costs.TP
	return fp / (fp + fn)
}

// Decide counts what deciding by a threshold comes to.
func Decide(s *Sample, threshold float64) (d Decisions) {
	for i, p := range s.Prob {
		d.add(s.Target[i] == 1, p >= threshold, s.weight(i))
	}
	return d
}

// weight is how much a row counts.
func (s *Sample) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[i]
}

// ErrUnmet says that no threshold meets an aim's condition.
var ErrUnmet = errors.New("no threshold meets the condition")

// Best returns the probability from which rows of a binary sample are to count as
// positive so that the aim's value is best, and that value. It lies in the middle
// between two probabilities that occur; of equally good ones it is the one nearest to
// ½. Rows of one class alone are an error: any threshold would do. Where no threshold
// meets the aim's condition, the error wraps ErrUnmet.
func (a *Aim) Best(s *Sample) (threshold, value float64, err error) {
	value = math.NaN()
	err = thresholds(s, func(t float64, d Decisions) {
		v := a.Value(d)
		switch {
		case math.IsNaN(v):
		case math.IsNaN(value) || a.better(v, value), v == value && math.Abs(t-0.5) < math.Abs(threshold-0.5):
			threshold, value = t, v
		}
	})
	if err == nil && math.IsNaN(value) {
		err = fmt.Errorf("%s: %w on these %d rows: ask for less", a.text, ErrUnmet, s.Rows())
	}
	return threshold, value, err
}
