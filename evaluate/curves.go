package evaluate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// Curves are those of one output: of two classes ROC to Reliability, of more ByClass
// and Reliability, of numbers Residuals.
type Curves struct {
	ROC  []metric.Point `json:"roc,omitempty"`  // false positive rate, true positive rate
	PR   []metric.Point `json:"pr,omitempty"`   // recall, precision
	Gain []metric.Point `json:"gain,omitempty"` // share of rows taken from the top, share of the positive ones among them
	Lift []metric.Point `json:"lift,omitempty"` // share of rows taken, how many times as common positive ones are
	// Reliability compares stated probabilities with what came true, in bins of as many
	// rows; for more than two classes, of the class that was decided for.
	Reliability []metric.Band `json:"reliability,omitempty"`
	// ByClass has curves of the most frequent classes against the rest.
	ByClass   []ClassCurves `json:"by_class,omitempty"`
	Residuals *Residuals    `json:"residuals,omitempty"`
}

// ClassCurves are those of one class against the rest.
type ClassCurves struct {
	Class string         `json:"class"`
	ROC   []metric.Point `json:"roc"`
	PR    []metric.Point `json:"pr"`
}

const (
	maxClassCurves = 10 // classes that have curves of their own
	maxClassPoints = 50 // of each of these
)

// CurvesOf makes the curves that a sample allows. Each has at most MaxCurve points,
// with its ends.
func CurvesOf(s *metric.Sample, level float64) (*Curves, error) {
	c := &Curves{}
	if s.Kind == metric.Regression {
		c.Residuals = residuals(s)
		return c, nil
	}
	confidence := s
	var err error
	switch {
	case s.Kind == metric.Binary && (s.Prob != nil || s.Score != nil):
		for _, of := range []struct {
			to    *[]metric.Point
			curve func(*metric.Sample, int) ([]metric.Point, error)
		}{{&c.ROC, metric.ROC}, {&c.PR, metric.PrecisionRecall}, {&c.Gain, metric.Gain}, {&c.Lift, metric.Lift}} {
			if *of.to, err = of.curve(s, MaxCurve); err != nil {
				return nil, fmt.Errorf("evaluate: %w", err)
			}
		}
	case s.Kind == metric.Multiclass && s.Prob != nil:
		if c.ByClass, err = classCurves(s); err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
		confidence = mostProbable(s)
	}
	if confidence.Prob != nil && confidence.Kind == metric.Binary {
		if c.Reliability, err = metric.Reliability(confidence, calibrationBin, level); err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
	}
	return c, nil
}

// mostProbable is decided, of the most probable class: predictions of others need not
// say what they decide.
func mostProbable(s *metric.Sample) *metric.Sample {
	k := len(s.Classes)
	best := *s
	best.Pred = make([]float64, s.Rows())
	for i := range best.Pred {
		for class, p := range s.Prob[i*k : (i+1)*k] {
			if p > s.Prob[i*k+int(best.Pred[i])] {
				best.Pred[i] = float64(class)
			}
		}
	}
	return decided(&best)
}

func classCurves(s *metric.Sample) ([]ClassCurves, error) {
	count := make([]float64, len(s.Classes))
	order := make([]int, len(s.Classes))
	for i, y := range s.Target {
		count[int(y)] += weightOf(s, i)
	}
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(count[b], count[a]) })
	order = order[:min(len(order), maxClassCurves)]
	slices.Sort(order)
	var out []ClassCurves
	for _, class := range order {
		one, err := s.OneVsRest(class)
		if err != nil {
			return nil, err
		}
		c := ClassCurves{Class: s.Classes[class]}
		if c.ROC, err = metric.ROC(one, maxClassPoints); err != nil {
			return nil, err
		}
		if c.PR, err = metric.PrecisionRecall(one, maxClassPoints); err != nil {
			return nil, err
		}
		if c.ROC != nil { // nil where only one class occurs
			out = append(out, c)
		}
	}
	return out, nil
}
