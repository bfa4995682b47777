package metric

import (
	"math"
	"sort"
)

// Gain gives the cumulative gain of a binary sample: X the share of all rows that are
// taken from the highest score down, Y the share of the positive rows among them, from
// (0, 0) to (1, 1). At most maxPoints points (2 or more) are kept, those that hold its
// shape. It has no points where no row is positive.
func Gain(s *Sample, maxPoints int) ([]Point, error) {
	points, err := curve(s, maxPoints, func(tp, fp, positives, negatives float64) (x, y float64) {
		return (tp + fp) / (positives + negatives), tp / positives
	}, Point{X: 0, Y: 0})
	if err != nil || len(points) == 0 || math.IsNaN(points[len(points)-1].Y) {
		return nil, err
	}
	return thin(points, maxPoints), nil
}

// Lift gives how many times as common positive rows are among those that are taken
// from the highest score down as among all: X the share of rows taken, Y the lift, from
// the rows of the highest score on to (1, 1). At most maxPoints points (2 or more) are
// kept, those that hold its shape. It has no points where no row is positive.
func Lift(s *Sample, maxPoints int) ([]Point, error) {
	points, err := curve(s, maxPoints, func(tp, fp, positives, negatives float64) (x, y float64) {
		return (tp + fp) / (positives + negatives), tp / (tp + fp) / (positives / (positives + negatives))
	}, Point{})
	if err != nil || len(points) < 2 || math.IsNaN(points[len(points)-1].Y) {
		return nil, err
	}
	return thin(points[1:], maxPoints), nil
}

// A Band is a bin of a reliability diagram with the interval of the share that came
// true.
type Band struct {
	Bin
	ObservedLow  float64 `json:"observed_low"`
	ObservedHigh float64 `json:"observed_high"`
}

// Reliability sorts the rows of a binary sample into bins as EqualMass does, with
// Wilson's interval of each observed share. Where rows have weights, a bin counts as
// (Σw)²/Σw² rows (Kish 1965, Survey sampling, section 11.7).
func Reliability(s *Sample, bins int, level float64) ([]Band, error) {
	found, err := EqualMass(s, bins)
	if err != nil {
		return nil, err
	}
	squares := make([]float64, len(found))
	for i, p := range s.Prob {
		w := s.weight(i)
		if at := sort.Search(len(found), func(k int) bool { return found[k].High >= p }); w > 0 && at < len(found) {
			squares[at] += w * w
		}
	}
	out := make([]Band, 0, len(found))
	for i, b := range found {
		n := b.Weight * b.Weight / squares[i]
		v := Wilson(b.Observed*n, n, level)
		out = append(out, Band{b, v.Low, v.High})
	}
	return out, nil
}
