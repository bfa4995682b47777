package metric

import (
	"fmt"
	"math"
	"slices"
)

// A Point is one point of a curve: what deciding for the positive class at
// scores of at least Threshold gives.
type Point struct {
	X         float64 `json:"x"`
	Y         float64 `json:"y"`
	Threshold float64 `json:"threshold"`
}

// ROC gives the receiver operating characteristic of a binary sample: X the
// false positive rate, Y the true positive rate, from (0, 0) to (1, 1). At
// most maxPoints points (2 or more) are kept, those that hold its shape. It
// has no points where only one class occurs.
func ROC(s *Sample, maxPoints int) ([]Point, error) {
	points, err := curve(s, maxPoints, func(tp, fp, positives, negatives float64) (x, y float64) {
		return fp / negatives, tp / positives
	}, Point{X: 0, Y: 0})
	if err != nil || len(points) == 0 || math.IsNaN(points[len(points)-1].X+points[len(points)-1].Y) {
		return nil, err
	}
	return thin(points, maxPoints), nil
}

// PrecisionRecall gives the precision-recall curve of a binary sample: X the
// recall, Y the precision, from (0, 1) on. At most maxPoints points (2 or
// more) are kept, those that hold its shape. It has no points where no row is
// positive.
func PrecisionRecall(s *Sample, maxPoints int) ([]Point, error) {
	points, err := curve(s, maxPoints, func(tp, fp, positives, _ float64) (x, y float64) {
		return tp / positives, tp / (tp + fp)
	}, Point{X: 0, Y: 1})
	if err != nil || len(points) == 0 || math.IsNaN(points[len(points)-1].X) {
		return nil, err
	}
	return thin(points, maxPoints), nil
}

// curve makes a point at each distinct score, falling. The first has a
// threshold just above the highest score, where nothing is positive.
func curve(s *Sample, maxPoints int, at func(tp, fp, positives, negatives float64) (x, y float64), first Point) ([]Point, error) {
	if maxPoints < 2 {
		return nil, fmt.Errorf("a curve of at most %d points; expected 2 or more", maxPoints)
	}
	p, err := prepareBinary(s, "this curve", &rocAUC)
	if err != nil {
		return nil, err
	}
	order := p.fixed.ranking[0]()
	var positives, negatives float64
	order.walk(p.Weight, func(_ int, tp, fp float64) { positives, negatives = tp, fp })
	first.Threshold = math.Nextafter(order.score[0], math.Inf(1))
	points := []Point{first}
	lastTP, lastFP := 0.0, 0.0
	order.walk(p.Weight, func(group int, tp, fp float64) {
		if tp == lastTP && fp == lastFP {
			return // a group without weight
		}
		lastTP, lastFP = tp, fp
		x, y := at(tp, fp, positives, negatives)
		points = append(points, Point{x, y, order.score[group]})
	})
	return points, nil
}

// prepareBinary checks that a sample has what m reads.
func prepareBinary(s *Sample, what string, m *Metric) (*Sample, error) {
	if s != nil && s.Kind != Binary {
		return nil, fmt.Errorf("%s needs a binary sample, this one is %s; see Sample.OneVsRest", what, s.Kind)
	}
	return prepare(s, []*Metric{m})
}

func errBins(bins int) error { return fmt.Errorf("calibration with %d bins; expected 1 to 1000", bins) }

// thin keeps at most n points: the ends, and then again and again the point
// that lies farthest from the line through its kept neighbours (Douglas and
// Peucker 1973, best first), so that corners stay and straight runs go.
func thin(points []Point, n int) []Point {
	type span struct {
		from, to, far int // far lies farthest from the line from–to
		distance      float64
	}
	measure := func(from, to int) span {
		s := span{from: from, to: to, distance: -1}
		a, b := points[from], points[to]
		dx, dy := b.X-a.X, b.Y-a.Y
		length := math.Hypot(dx, dy)
		for i := from + 1; i < to; i++ {
			px, py := points[i].X-a.X, points[i].Y-a.Y
			d := math.Hypot(px, py)
			if length > 0 {
				d = math.Abs(dx*py-dy*px) / length
			}
			if d > s.distance {
				s.far, s.distance = i, d
			}
		}
		return s
	}
	kept := []int{0, len(points) - 1}
	spans := []span{measure(0, len(points)-1)}
	for len(kept) < n {
		best := 0
		for i, s := range spans {
			if s.distance > spans[best].distance {
				best = i
			}
		}
		s := spans[best]
		if s.distance <= 1e-12 { // what is left lies on the lines
			break
		}
		kept = append(kept, s.far)
		spans[best] = measure(s.from, s.far)
		spans = append(spans, measure(s.far, s.to))
	}
	slices.Sort(kept)
	out := make([]Point, len(kept))
	for i, k := range kept {
		out[i] = points[k]
	}
	return out
}

// A Bin is one point of a reliability diagram: the rows whose probability lies
// in (Low, High], the first bin from 0 itself.
type Bin struct {
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Predicted float64 `json:"predicted"` // mean probability of the positive class
	Observed  float64 `json:"observed"`  // share of positive rows
	Weight    float64 `json:"weight"`    // of its rows; their number when unweighted
}

// Calibration sorts the rows of a binary sample into equally wide bins of
// probability. Bins without rows are left out.
func Calibration(s *Sample, bins int) ([]Bin, error) {
	if bins < 1 || bins > 1000 {
		return nil, errBins(bins)
	}
	p, err := prepareBinary(s, "calibration", &brier)
	if err != nil {
		return nil, err
	}
	out := make([]Bin, bins)
	for i := range out {
		out[i].Low, out[i].High = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	for i, prob := range p.Prob {
		at, _ := slices.BinarySearchFunc(out[:bins-1], prob, func(b Bin, prob float64) int {
			if b.High < prob {
				return -1
			}
			return 1
		})
		w := p.Weight[i]
		out[at].Weight += w
		out[at].Predicted += w * prob
		out[at].Observed += w * p.Target[i]
	}
	out = slices.DeleteFunc(out, func(b Bin) bool { return b.Weight == 0 })
	for i := range out {
		out[i].Predicted /= out[i].Weight
		out[i].Observed /= out[i].Weight
	}
	return out, nil
}
