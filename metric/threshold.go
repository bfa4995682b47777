package metric

import (
	"cmp"
	"fmt"
	"slices"
)

// BestThreshold is Best of the aim that a text says, such as f1 or recall>=0.9 (see
// ParseAim).
func BestThreshold(s *Sample, aim string) (threshold, value float64, err error) {
	a, err := ParseAim(aim)
	if err != nil {
		return 0, 0, fmt.Errorf("no threshold can be chosen: %w", err)
	}
	return a.Best(s)
}

// thresholds calls f with every threshold that decides the rows of a binary sample
// otherwise, from the highest down, and what it decides.
func thresholds(s *Sample, f func(threshold float64, d Decisions)) error {
	if s.Kind != Binary || s.Prob == nil {
		return fmt.Errorf("a threshold needs the probabilities of a binary target")
	}
	order := make([]int, s.Rows())
	var d Decisions
	for i := range order {
		order[i] = i
		d.add(s.Target[i] == 1, false, s.weight(i))
	}
	if d.TN == 0 || d.FN == 0 {
		return fmt.Errorf("all %d rows are of one class", s.Rows())
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.Prob[b], s.Prob[a]) })
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
			f(t, d)
		}
		if k == len(order) {
			return nil
		}
		for ; k < len(order) && s.Prob[order[k]] == low; k++ {
			i := order[k]
			w := s.weight(i)
			if s.Target[i] == 1 {
				d.FN -= w
				d.TP += w
			} else {
				d.TN -= w
				d.FP += w
			}
		}
	}
}
