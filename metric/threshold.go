package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// BestThreshold returns the probability from which rows of a binary sample are
// to count as positive so that a metric of decisions (f1, balanced_accuracy or
// accuracy) is largest, and that metric's value. It lies in the middle between
// two probabilities that occur; of equally good ones it is the one nearest to
// ½. Rows of one class alone are an error: any threshold would do.
func BestThreshold(s *Sample, name string) (threshold, value float64, err error) {
	score, ok := map[string]func(tp, fp, positive, negative float64) float64{
		"f1": func(tp, fp, positive, _ float64) float64 { return 2 * tp / (tp + fp + positive) },
		"balanced_accuracy": func(tp, fp, positive, negative float64) float64 {
			return (tp/positive + (negative-fp)/negative) / 2
		},
		"accuracy": func(tp, fp, positive, negative float64) float64 {
			return (tp + negative - fp) / (positive + negative)
		},
	}[name]
	if !ok {
		return 0, 0, fmt.Errorf("no threshold can be chosen by %q, expected f1, balanced_accuracy or accuracy", name)
	}
	if s.Kind != Binary || s.Prob == nil {
		return 0, 0, fmt.Errorf("a threshold needs the probabilities of a binary target")
	}
	order := make([]int, s.Rows())
	var sum [2]float64 // of negative and positive weight
	weight := func(i int) float64 {
		if s.Weight == nil {
			return 1
		}
		return s.Weight[i]
	}
	for i := range order {
		order[i] = i
		sum[int(s.Target[i])] += weight(i)
	}
	if sum[0] == 0 || sum[1] == 0 {
		return 0, 0, fmt.Errorf("all %d rows are of one class", s.Rows())
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.Prob[b], s.Prob[a]) })
	var above [2]float64 // weight of each class that counts as positive
	value = math.Inf(-1)
	for k := 0; ; {
		// The rows before k are positive: between their lowest probability and the next.
		high, low := 1.0, 0.0
		if k > 0 {
			high = s.Prob[order[k-1]]
		}
		if k < len(order) {
			low = s.Prob[order[k]]
		}
		if t := low + (high-low)/2; k > 0 || low < 1 { // from 1 on, a row of 1 is positive
			if t == low && k < len(order) || t == 0 { // neighbours without a number between
				t = high
			}
			v := score(above[1], above[0], sum[1], sum[0])
			if v > value || v == value && math.Abs(t-0.5) < math.Abs(threshold-0.5) {
				threshold, value = t, v
			}
		}
		if k == len(order) {
			break
		}
		for ; k < len(order) && s.Prob[order[k]] == low; k++ {
			above[int(s.Target[order[k]])] += weight(order[k])
		}
	}
	return threshold, value, nil
}
