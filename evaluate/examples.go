package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// Limits on what is told of single rows.
const (
	MaxExamples    = 10
	MaxLabelErrors = 100
	confidenceBins = 5
	exampleText    = 300 // characters of a value
)

// An Example is a row with what was true and what was predicted.
type Example struct {
	Row        int    `json:"row"` // in its file, from 1
	Truth      string `json:"truth"`
	Prediction string `json:"prediction"`
	// Confidence is the probability of the prediction, TruthProbability that of the
	// truth; NaN without probabilities.
	Confidence       Number `json:"confidence"`
	TruthProbability Number `json:"truth_probability"`
	Error            Number `json:"error"` // predicted less true, of numbers; NaN of classes
	// Values are those of the other columns.
	Values map[string]string `json:"values,omitempty"`
}

// A ConfidenceSlice is the rows that the model is about as sure of; of numbers,
// those that it predicts about as high.
type ConfidenceSlice struct {
	Low   float64         `json:"low"`
	High  float64         `json:"high"`
	Rows  int             `json:"rows"`
	Score metric.Interval `json:"score"`
	// Stated is the mean confidence, to be compared with an accuracy; of numbers
	// the mean error, predicted less true.
	Stated Number `json:"stated"`
}

// Hardest returns the rows with the least probability of what is true, or with the
// greatest error, at most MaxExamples.
func Hardest(s *metric.Sample, columns []*data.Column, rows []int) []Example {
	switch {
	case s.Kind == metric.Regression:
		loss := rowErrors(s)
		return examples(s, columns, rows, func(i int) (float64, bool) { return -loss[i], loss[i] > 0 })
	case s.Prob == nil:
		return nil
	}
	return examples(s, columns, rows, func(i int) (float64, bool) {
		return probability(s, i, int(s.Target[i])), s.Pred[i] != s.Target[i]
	})
}

// SureAndWrong returns the rows of a wrong class with the greatest confidence in it, at
// most MaxExamples.
func SureAndWrong(s *metric.Sample, columns []*data.Column, rows []int) []Example {
	c := confidences(s)
	if c == nil {
		return nil
	}
	return examples(s, columns, rows, func(i int) (float64, bool) { return -c[i], s.Pred[i] != s.Target[i] })
}

// examples returns the first rows by a number, of those that count.
func examples(s *metric.Sample, columns []*data.Column, rows []int, by func(int) (float64, bool)) []Example {
	type at struct {
		row int
		by  float64
	}
	var all []at
	for i := range s.Rows() {
		if v, counts := by(i); counts {
			all = append(all, at{i, v})
		}
	}
	slices.SortStableFunc(all, func(a, b at) int { return cmp.Compare(a.by, b.by) })
	out := []Example{}
	for _, a := range all[:min(MaxExamples, len(all))] {
		out = append(out, exampleOf(s, columns, rows, a.row))
	}
	return out
}

func exampleOf(s *metric.Sample, columns []*data.Column, rows []int, i int) Example {
	nan := Number(math.NaN())
	e := Example{Row: fileRow(rows, i), Confidence: nan, TruthProbability: nan, Error: nan, Values: map[string]string{}}
	if s.Kind == metric.Regression {
		e.Truth, e.Prediction = shortNumber(s.Target[i]), shortNumber(s.Pred[i])
		e.Error = Number(s.Pred[i] - s.Target[i])
	} else {
		e.Truth, e.Prediction = className(s, int(s.Target[i])), className(s, int(s.Pred[i]))
		if s.Prob != nil {
			e.Confidence, e.TruthProbability = Number(probability(s, i, int(s.Pred[i]))), Number(probability(s, i, int(s.Target[i])))
		}
	}
	for _, c := range columns {
		v := c.Text(i)
		if r := []rune(v); len(r) > exampleText {
			v = fmt.Sprintf("%s… (%d characters)", string(r[:exampleText]), len(r))
		}
		e.Values[c.Name] = v
	}
	return e
}

func shortNumber(v float64) string { return fmt.Sprintf("%.6g", v) }

// ByConfidence measures rows by how sure the model is of them, in fifths; numbers
// by how high it predicts them. Nil for fewer than 30 rows in each.
func ByConfidence(s *metric.Sample, level float64, seed uint64) ([]ConfidenceSlice, error) {
	by := confidences(s)
	if s.Kind == metric.Regression {
		by = s.Pred
	}
	if by == nil || s.Rows() < confidenceBins*minSlice {
		return nil, nil
	}
	m, err := metric.Lookup(WeakMetric(s.Kind))
	if err != nil {
		return nil, err
	}
	order := make([]int, s.Rows())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(by[a], by[b]) })
	var out []ConfidenceSlice
	resamples := max(leastResamples, min(sliceResamples, sliceDraws/s.Rows()))
	for q, from := 0, 0; q < confidenceBins; q++ {
		to := (q + 1) * len(order) / confidenceBins
		for to > from && to < len(order) && by[order[to]] == by[order[to-1]] {
			to++ // equal ones stay together
		}
		if to <= from { // equal ones went with those before
			continue
		}
		rows := order[from:to]
		c := ConfidenceSlice{Low: by[rows[0]], High: by[rows[len(rows)-1]], Rows: len(rows), Stated: Number(mean(by, rows))}
		if s.Kind == metric.Regression {
			c.Stated = Number(mean(by, rows) - mean(s.Target, rows))
		}
		if c.Score, _, err = measuredRows(s.Select(rows), m, level, resamples, seed); err != nil {
			return nil, err
		}
		out = append(out, c)
		from = to
	}
	return out, nil
}
