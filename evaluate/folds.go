package evaluate

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/metric"
)

// CrossValidation is what cross-validation found: the same procedure carried out
// on other rows, fold by fold.
type CrossValidation struct {
	// Method is stratified, random, group or expanding; Column is that of the
	// groups or times.
	Method  string `json:"method"`
	Column  string `json:"column,omitempty"`
	Folds   int    `json:"folds"`
	Repeats int    `json:"repeats"`
	// IsTest says that no rows were set aside: what the folds predicted for their
	// own test rows, in the first repeat, is the test of the Result.
	IsTest bool `json:"is_test"`
	// Scores are the model's metrics over the folds of all repeats, ByRepeat those
	// of each repeat.
	Scores    map[string]Spread            `json:"scores"`
	Baselines map[string]map[string]Spread `json:"baselines"`
	ByRepeat  []map[string]Spread          `json:"by_repeat"`
	Each      []Fold                       `json:"each"`
}

// Fold is how the models of one fold did on its test rows.
type Fold struct {
	Repeat    int                           `json:"repeat"` // from 1
	Fold      int                           `json:"fold"`   // from 1
	Rows      Rows                          `json:"rows"`
	Scores    map[string]float64            `json:"scores"`
	Baselines map[string]map[string]float64 `json:"baselines"`
}

// Spread is a metric over folds. It is no interval: the folds share rows.
type Spread struct {
	Mean float64 `json:"mean"`
	// Deviation is the standard deviation of the sample, 0 for one fold.
	Deviation float64 `json:"deviation"`
	// Folds counts those on which the metric is defined.
	Folds int `json:"folds"`
}

// FoldInput is the predictions of one fold's test rows.
type FoldInput struct {
	Repeat, Fold int // from 1
	Rows         Rows
	Test         *metric.Sample
	Baselines    map[string]*metric.Sample
}

// Folds measures folds side by side by the metrics of opts.
func Folds(folds []FoldInput, opts Options) (*CrossValidation, error) {
	c := &CrossValidation{Scores: map[string]Spread{}, Baselines: map[string]map[string]Spread{}}
	if len(folds) == 0 {
		return nil, fmt.Errorf("evaluate: there are no folds")
	}
	ms, err := chosen(folds[0].Test.Kind, opts.Metrics, opts.Also)
	if err != nil {
		return nil, err
	}
	for _, in := range folds {
		f := Fold{Repeat: in.Repeat, Fold: in.Fold, Rows: in.Rows, Baselines: map[string]map[string]float64{}}
		if f.Scores, err = values(in.Test, ms); err != nil {
			return nil, fmt.Errorf("evaluate: fold %d: %w", in.Fold, err)
		}
		for name, b := range in.Baselines {
			if f.Baselines[name], err = values(b, ms); err != nil {
				return nil, fmt.Errorf("evaluate: fold %d: %w", in.Fold, err)
			}
		}
		c.Each = append(c.Each, f)
		c.Folds, c.Repeats = max(c.Folds, in.Fold), max(c.Repeats, in.Repeat)
	}
	model := func(f Fold) map[string]float64 { return f.Scores }
	c.Scores = spread(c.Each, ms, model)
	for name := range folds[0].Baselines {
		c.Baselines[name] = spread(c.Each, ms, func(f Fold) map[string]float64 { return f.Baselines[name] })
	}
	for repeat := range c.Repeats {
		var of []Fold
		for _, f := range c.Each {
			if f.Repeat == repeat+1 {
				of = append(of, f)
			}
		}
		c.ByRepeat = append(c.ByRepeat, spread(of, ms, model))
	}
	return c, nil
}

// values measures a sample, without what is undefined on it.
func values(s *metric.Sample, ms []*metric.Metric) (map[string]float64, error) {
	vs, err := metric.Values(s, ms)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for i, m := range ms {
		if !math.IsNaN(vs[i]) && !math.IsInf(vs[i], 0) {
			out[m.Name] = vs[i]
		}
	}
	return out, nil
}

func spread(folds []Fold, ms []*metric.Metric, of func(Fold) map[string]float64) map[string]Spread {
	out := map[string]Spread{}
	for _, m := range ms {
		var xs []float64
		sum := 0.0
		for _, f := range folds {
			if v, ok := of(f)[m.Name]; ok {
				xs = append(xs, v)
				sum += v
			}
		}
		if len(xs) == 0 {
			continue
		}
		s := Spread{Mean: sum / float64(len(xs)), Folds: len(xs)}
		for _, x := range xs {
			s.Deviation += (x - s.Mean) * (x - s.Mean)
		}
		s.Deviation = math.Sqrt(s.Deviation / float64(max(1, len(xs)-1)))
		out[m.Name] = s
	}
	return out
}
