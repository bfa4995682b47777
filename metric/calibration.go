package metric

import (
	"math"
	"slices"
)

// eceBins is Guo's number of bins.
const eceBins = 15

var (
	ece = Metric{
		Name: "ece", Aliases: []string{"expected_calibration_error"}, Label: "ECE",
		Doc:     "How far probabilities are from the shares that come true, in 15 equally wide bins: of two classes the probability of the positive one, of more that of the decided class.",
		Formula: "Σ over bins (lo, hi] of W_bin/W·|mean p − share true|",
		Source:  "Naeini, Cooper and Hauskrecht 2015, Obtaining well calibrated probabilities using Bayesian binning; Guo et al. 2017, On calibration of modern neural networks, equation 3",
		Kinds:   classification, Needs: Prob,
		Compute: func(s *Sample) float64 {
			p := newWideBins()
			p.add(s)
			return p.value()
		},
		Partial: func(*Sample, StreamOptions) Partial { return newWideBins() },
	}

	adaptiveECE = Metric{
		Name: "adaptive_ece", Aliases: []string{"ace"}, Label: "Adaptive ECE",
		Doc:     "As ECE, in 15 bins of equally many rows, so that where most rows lie is looked at closest.",
		Formula: "as ECE; rows of equal p stand in one bin, that of the middle of their ranks",
		Source:  "Nixon et al. 2019, Measuring calibration in deep learning, section 3 (equal-mass bins)",
		Kinds:   classification, Needs: Prob,
		Compute: func(s *Sample) float64 {
			c := cached(s, "confidence", func() *confidence { return newConfidence(s) })
			total := s.totalWeight()
			var bins massBins
			before, i := 0.0, 0
			for i < len(c.order) {
				p, w, sum := c.p[c.order[i]], 0.0, 0.0
				for ; i < len(c.order) && c.p[c.order[i]] == p; i++ {
					w += s.Weight[c.order[i]]
					sum += s.Weight[c.order[i]] * c.right[c.order[i]]
				}
				bins.add(before, p, w, sum, total)
				before += w
			}
			return bins.value(total)
		},
		Partial: func(_ *Sample, o StreamOptions) Partial { return &massPartial{rows: newSorter(1, o)} },
	}
)

// confidence is a probability of each row and whether it came true.
type confidence struct {
	p, right []float64
	order    []int32 // in ascending p
}

func newConfidence(s *Sample) *confidence {
	c := &confidence{p: make([]float64, s.Rows()), right: make([]float64, s.Rows())}
	for i := range c.p {
		c.p[i], c.right[i] = s.confidence(i)
	}
	c.order = ascending(c.p)
	return c
}

// confidence is the probability of the positive class and whether the row is
// of it; of several classes that of the most probable one, the first of equals.
func (s *Sample) confidence(row int) (p, right float64) {
	if s.Kind == Binary {
		return s.Prob[row], s.Target[row]
	}
	k, best := s.classes(), 0
	probs := s.Prob[row*k : (row+1)*k]
	for c, v := range probs {
		if v > probs[best] {
			best = c
		}
	}
	if int(s.Target[row]) == best {
		right = 1
	}
	return probs[best], right
}

// wideBins sum up rows in equally wide bins.
type wideBins struct {
	high                  [eceBins]float64
	weight, stated, right [eceBins]float64
}

func newWideBins() *wideBins {
	b := &wideBins{}
	for i := range b.high {
		b.high[i] = float64(i+1) / eceBins
	}
	return b
}

func (b *wideBins) add(s *Sample) {
	for i, w := range s.Weight {
		p, right := s.confidence(i)
		at := min(int(p*eceBins), eceBins-1)
		for at > 0 && p <= b.high[at-1] {
			at--
		}
		for at < eceBins-1 && p > b.high[at] {
			at++
		}
		b.weight[at] += w
		b.stated[at] += w * p
		b.right[at] += w * right
	}
}

func (b *wideBins) value() float64 {
	gap, total := 0.0, 0.0
	for i, w := range b.weight {
		total += w
		gap += math.Abs(b.stated[i] - b.right[i])
	}
	return gap / total
}

// Add, Merge and Value make it a Partial.
func (b *wideBins) Add(s *Sample) error { b.add(s); return nil }

func (b *wideBins) Merge(other Partial) error {
	o := other.(*wideBins)
	for i := range b.weight {
		b.weight[i] += o.weight[i]
		b.stated[i] += o.stated[i]
		b.right[i] += o.right[i]
	}
	return nil
}

func (b *wideBins) Value() (float64, error) { return b.value(), nil }
func (b *wideBins) Close() error            { return nil }

// massBins sum up rows in bins of equal weight.
type massBins struct{ stated, right [eceBins]float64 }

// add takes the rows of one p: their weight, and that of those come true.
func (b *massBins) add(before, p, weight, right, total float64) {
	if weight == 0 {
		return
	}
	at := (before + weight/2) / total * eceBins
	bin := min(max(0, int(math.Floor(at+1e-9))), eceBins-1) // rounding moves no group
	b.stated[bin] += weight * p
	b.right[bin] += right
}

func (b *massBins) value(total float64) float64 {
	gap := 0.0
	for i := range b.stated {
		gap += math.Abs(b.stated[i] - b.right[i])
	}
	return gap / total
}

// massPartial sorts p with the weight, negative where it did not come true.
type massPartial struct {
	rows  *sorter
	total float64
}

func (m *massPartial) Add(s *Sample) error {
	for i, w := range s.Weight {
		if w == 0 {
			continue
		}
		p, right := s.confidence(i)
		m.total += w
		if right == 0 {
			w = -w
		}
		if err := m.rows.add(p, w); err != nil {
			return err
		}
	}
	return nil
}

func (m *massPartial) Merge(other Partial) error {
	o := other.(*massPartial)
	m.total += o.total
	return m.rows.merge(o.rows)
}

func (m *massPartial) Value() (float64, error) {
	var bins massBins
	before, p, w, right := 0.0, math.Inf(-1), 0.0, 0.0
	end := func() {
		bins.add(before, p, w, right, m.total)
		before, w, right = before+w, 0, 0
	}
	err := m.rows.each(func(next float64, cols []float64) {
		if next != p {
			end()
			p = next
		}
		w += math.Abs(cols[0])
		right += max(0, cols[0])
	})
	end()
	return bins.value(m.total), err
}

func (m *massPartial) Close() error { return m.rows.close() }

// EqualMass sorts the rows of a binary sample into bins of as equal a weight as
// rows of equal probability allow, for a reliability diagram. Low and High are
// the least and the greatest probability of a bin.
func EqualMass(s *Sample, bins int) ([]Bin, error) {
	if bins < 1 || bins > 1000 {
		return nil, errBins(bins)
	}
	p, err := prepareBinary(s, "calibration", &brier)
	if err != nil {
		return nil, err
	}
	total, before := p.totalWeight(), 0.0
	out := make([]Bin, bins)
	order := ascending(p.Prob)
	for i := 0; i < len(order); {
		prob, w, right := p.Prob[order[i]], 0.0, 0.0
		for ; i < len(order) && p.Prob[order[i]] == prob; i++ {
			w += p.Weight[order[i]]
			right += p.Weight[order[i]] * p.Target[order[i]]
		}
		if w == 0 {
			continue
		}
		b := &out[min(int((before+w/2)/total*float64(bins)+1e-9), bins-1)]
		if b.Weight == 0 {
			b.Low = prob
		}
		b.High = prob
		b.Weight += w
		b.Predicted += w * prob
		b.Observed += right
		before += w
	}
	out = slices.DeleteFunc(out, func(b Bin) bool { return b.Weight == 0 })
	for i := range out {
		out[i].Predicted /= out[i].Weight
		out[i].Observed /= out[i].Weight
	}
	return out, nil
}
