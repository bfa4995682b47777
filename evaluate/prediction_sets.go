package evaluate

import (
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/metric"
)

// Recalibration is how the probabilities of an output are corrected, and what was
// tried; the log losses are of rows that a map was not fitted on.
type Recalibration struct {
	Method      string            `json:"method"` // temperature, isotonic, or none
	Temperature float64           `json:"temperature,omitempty"`
	Rows        int               `json:"rows"` // that were calibrated by
	Tried       []calibrate.Tried `json:"tried"`
	Sentence    string            `json:"sentence"`
}

// PredictionSets is how often the sets of test rows hold the truth, and how large
// they are.
type PredictionSets struct {
	Method  string `json:"method"` // lac, aps, raps; of numbers residual or scaled
	ByClass bool   `json:"by_class"`
	// Rows are the sets' scores from: validation rows, or those that folds left out.
	Rows      int           `json:"rows"`
	OutOfFold bool          `json:"out_of_fold"`
	Highest   float64       `json:"highest_coverage"` // that the rows suffice for
	Coverages []SetCoverage `json:"coverages"`
}

// SetCoverage is what sets of one asked coverage are worth on the test rows, of which
// each counts the same.
type SetCoverage struct {
	Coverage float64         `json:"coverage"` // that was asked for
	Rows     int             `json:"rows"`
	Observed metric.Interval `json:"observed"` // the share of rows whose truth is in its set, Wilson's interval
	Verdict  string          `json:"verdict"`  // as asked, less or more: beyond what the chance of calibration and test rows explains
	Size     Number          `json:"mean_size,omitempty"`
	Single   Number          `json:"single,omitempty"` // the share of sets of one class
	Empty    Number          `json:"empty,omitempty"`  // the share of sets of none
	Width    Number          `json:"mean_width,omitempty"`
	Median   Number          `json:"median_width,omitempty"`
	PerClass []ClassCoverage `json:"per_class,omitempty"`
}

// Verdicts of a [SetCoverage].
const (
	AsAsked     = "as asked"
	LessCovered = "less"
	MoreCovered = "more"
)

// verdict compares the coverage with the one that was asked for. Given n rows to
// calibrate by, the coverage of sets varies as a Beta(⌈(n+1)c⌉, n+1−⌈(n+1)c⌉) (Vovk
// 2012, Conditional validity of inductive conformal predictors), to which the chance of
// the test rows is added.
func (c *SetCoverage) verdict(calibrated int, level float64) string {
	z := math.Sqrt2 * math.Erfinv(level)
	slack := z * math.Sqrt(c.Coverage*(1-c.Coverage)*(1/float64(c.Rows)+1/float64(calibrated+2)))
	switch {
	case c.Observed.Value < c.Coverage-slack:
		return LessCovered
	case c.Observed.Value > c.Coverage+1/float64(calibrated+1)+slack:
		return MoreCovered
	}
	return AsAsked
}

// ClassCoverage is the share of a class's rows whose set holds it.
type ClassCoverage struct {
	Class    string          `json:"class"`
	Rows     int             `json:"rows"`
	Observed metric.Interval `json:"observed"`
}

// Coverages are those that are measured where none is asked for.
var Coverages = []float64{0.8, 0.9, 0.95, 0.99}

// A SetsPart is rows beside the sets that know nothing of them.
type SetsPart struct {
	Sample *metric.Sample
	Sets   *calibrate.Sets
}

// MeasureSets measures sets at coverages, those aside that they cannot promise; all
// parts together.
func MeasureSets(parts []SetsPart, coverages []float64, level float64) *PredictionSets {
	first := parts[0].Sets
	out := &PredictionSets{Method: first.Method, ByClass: first.ByClass, Highest: 1, Coverages: []SetCoverage{}}
	for _, p := range parts {
		out.Rows, out.Highest = max(out.Rows, p.Sets.Rows()), min(out.Highest, p.Sets.Highest())
	}
	for _, coverage := range coverages {
		if coverage <= out.Highest {
			out.Coverages = append(out.Coverages, measureSets(parts, coverage, level))
		}
	}
	return out
}

func measureSets(parts []SetsPart, coverage, level float64) SetCoverage {
	c := SetCoverage{Coverage: coverage}
	classes := parts[0].Sample.Classes
	rows, hits := make([]float64, len(classes)), make([]float64, len(classes))
	hit, size, single, empty := 0.0, 0.0, 0.0, 0.0
	var widths []float64
	for _, p := range parts {
		s := p.Sample
		c.Rows += s.Rows()
		if s.Kind == metric.Regression {
			interval := p.Sets.Interval(coverage)
			for i, y := range s.Target {
				low, high := interval(s.Pred[i])
				widths = append(widths, high-low)
				if low <= y && y <= high {
					hit++
				}
			}
			continue
		}
		k := len(classes)
		of, row := p.Sets.Classes(k, coverage), make([]float64, k)
		for i, y := range s.Target {
			if s.Kind == metric.Binary {
				row[0], row[1] = 1-s.Prob[i], s.Prob[i]
			} else {
				row = s.Prob[i*k : (i+1)*k]
			}
			set := of.Set(row)
			size += float64(len(set))
			switch len(set) {
			case 0:
				empty++
			case 1:
				single++
			}
			rows[int(y)]++
			if slices.Contains(set, int(y)) {
				hit++
				hits[int(y)]++
			}
		}
	}
	n, calibrated := float64(c.Rows), 0
	for _, p := range parts {
		calibrated = max(calibrated, p.Sets.Rows())
	}
	c.Observed = metric.Wilson(hit, n, level)
	c.Verdict = c.verdict(calibrated, level)
	if classes == nil {
		sum := 0.0
		for _, w := range widths {
			sum += w
		}
		slices.Sort(widths)
		c.Width, c.Median = Number(sum/n), Number(quantile(widths, 0.5))
		return c
	}
	c.Size, c.Single, c.Empty = Number(size/n), Number(single/n), Number(empty/n)
	for k, class := range classes {
		c.PerClass = append(c.PerClass, ClassCoverage{class, int(rows[k]), metric.Wilson(hits[k], rows[k], level)})
	}
	return c
}

// Sentence says it in words.
func (c SetCoverage) Sentence() string {
	percent := func(x float64) string { return fmt.Sprintf("%.1f", 100*x) }
	s := fmt.Sprintf("prediction sets that are to hold the truth of %s %% of rows hold that of %s %% (%s to %s %%)", trim(100*c.Coverage), percent(c.Observed.Value), percent(c.Observed.Low), percent(c.Observed.High))
	if c.PerClass == nil {
		s = "intervals" + s[len("prediction sets"):]
		s += fmt.Sprintf("; they are %s wide on average, half of them at most %s", amount(float64(c.Width)), amount(float64(c.Median)))
	} else {
		s += fmt.Sprintf("; they have %.2f classes on average, %s %% of them one", float64(c.Size), percent(float64(c.Single)))
		if c.Empty > 0 {
			s += fmt.Sprintf(", %s %% none", percent(float64(c.Empty)))
		}
		if worst := c.worst(); worst != nil {
			s += fmt.Sprintf("; of the class %s they hold %s %% (%s to %s %%)", worst.Class, percent(worst.Observed.Value), percent(worst.Observed.Low), percent(worst.Observed.High))
		}
	}
	switch c.Verdict {
	case LessCovered:
		s += ": less than was asked for, by more than chance explains, so these rows differ from those that the sets were calibrated on"
	case MoreCovered:
		s += ": more than was asked for"
	}
	return s
}

// worst is the class that is covered least, if surely less than asked for.
func (c SetCoverage) worst() *ClassCoverage {
	var worst *ClassCoverage
	for i := range c.PerClass {
		if of := &c.PerClass[i]; !math.IsNaN(of.Observed.Value) && of.Observed.High < c.Coverage && (worst == nil || of.Observed.Value < worst.Observed.Value) {
			worst = of
		}
	}
	return worst
}

// amount writes a number with four digits, all of a large one.
func amount(x float64) string {
	if math.Abs(x) >= 1000 && math.Abs(x) < 1e15 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.4g", x)
}

// trim writes a number without zeros at its end.
func trim(x float64) string { return fmt.Sprintf("%.10g", x) }

// At returns what was measured at a coverage, nil where it was not.
func (p *PredictionSets) At(coverage float64) *SetCoverage {
	if p == nil {
		return nil
	}
	for i := range p.Coverages {
		if p.Coverages[i].Coverage == coverage {
			return &p.Coverages[i]
		}
	}
	return nil
}
