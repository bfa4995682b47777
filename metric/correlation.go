package metric

import "math"

// Spearman's correlation is Pearson's of the ranks; equal values share the
// middle of theirs. A row of weight w takes w ranks.
var spearman = Metric{
	Name: "spearman", Aliases: []string{"spearmanr"}, Label: "Spearman correlation",
	Doc:     "How far predictions put the rows in the order of the truth: 1 exactly, 0 not at all, -1 in reverse.",
	Formula: "Pearson correlation of the midranks of pred and target; undefined where one of them is constant",
	Source:  "Spearman 1904, The proof and measurement of association between two things; scipy.stats.spearmanr",
	Kinds:   regression, Needs: Pred, HigherIsBetter: true,
	Compute: func(s *Sample) float64 {
		var c comoments
		target := cached(s, "by target", func() []int32 { return ascending(s.Target) })
		pred := cached(s, "by prediction", func() []int32 { return ascending(s.Pred) })
		a, b := s.weightedRanks(s.Target, target), s.weightedRanks(s.Pred, pred)
		for i, w := range s.Weight {
			c.add(a[i], b[i], w)
		}
		return c.correlation()
	},
	Partial: func(_ *Sample, o StreamOptions) Partial { return &spearmanPartial{rows: newSorter(2, o), o: o} },
}

// weightedRanks are midranks of values, whose ascending order is given, from 0.
func (s *Sample) weightedRanks(values []float64, order []int32) []float64 {
	ranks := make([]float64, len(values))
	before := 0.0
	for lo := 0; lo < len(order); {
		hi, w := lo, 0.0
		for ; hi < len(order) && values[order[hi]] == values[order[lo]]; hi++ {
			w += s.Weight[order[hi]]
		}
		for _, row := range order[lo:hi] {
			ranks[row] = before + w/2
		}
		before += w
		lo = hi
	}
	return ranks
}

// comoments are weighted means and sums of products around them of two values,
// updated row by row (West 1979, Updating mean and variance estimates) and
// merged (Chan, Golub and LeVeque 1983, Algorithms for computing the sample
// variance). Values are taken from those of the first row, so that their
// distance from 0 costs no digits.
type comoments struct{ originA, originB, weight, meanA, meanB, aa, bb, ab float64 }

func (c *comoments) add(a, b, w float64) {
	if w == 0 {
		return
	}
	if c.weight == 0 {
		c.originA, c.originB = a, b
	}
	a, b = a-c.originA, b-c.originB
	c.weight += w
	da, db := a-c.meanA, b-c.meanB
	c.meanA += da * (w / c.weight)
	c.meanB += db * (w / c.weight)
	c.aa += w * da * (a - c.meanA)
	c.bb += w * db * (b - c.meanB)
	c.ab += w * da * (b - c.meanB)
}

func (c *comoments) merge(o *comoments) {
	if o.weight == 0 {
		return
	}
	if c.weight == 0 {
		*c = *o
		return
	}
	w := c.weight + o.weight
	da, db := o.originA-c.originA+o.meanA-c.meanA, o.originB-c.originB+o.meanB-c.meanB
	f := c.weight * (o.weight / w)
	c.aa += o.aa + da*da*f
	c.bb += o.bb + db*db*f
	c.ab += o.ab + da*db*f
	c.meanA += da * (o.weight / w)
	c.meanB += db * (o.weight / w)
	c.weight = w
}

func (c *comoments) correlation() float64 {
	if c.aa == 0 || c.bb == 0 {
		return math.NaN()
	}
	return min(1, max(-1, c.ab/math.Sqrt(c.aa)/math.Sqrt(c.bb)))
}

// spearmanPartial sorts predictions with their target and weight, and then
// targets with the rank of their prediction.
type spearmanPartial struct {
	rows *sorter
	o    StreamOptions
}

func (p *spearmanPartial) Add(s *Sample) error {
	for i, w := range s.Weight {
		if w == 0 {
			continue
		}
		if err := p.rows.add(s.Pred[i], s.Target[i], w); err != nil {
			return err
		}
	}
	return nil
}

func (p *spearmanPartial) Merge(other Partial) error {
	return p.rows.merge(other.(*spearmanPartial).rows)
}
func (p *spearmanPartial) Close() error { return p.rows.close() }

func (p *spearmanPartial) Value() (v float64, err error) {
	byTarget := newSorter(2, StreamOptions{Memory: p.o.Memory, Dir: p.o.Dir}) // on a disk of its own
	defer func() {
		if e := byTarget.close(); err == nil {
			err = e
		}
	}()
	if err := p.rows.ranked(func(rank, target, w float64) error { return byTarget.add(target, rank, w) }); err != nil {
		return 0, err
	}
	var c comoments
	err = byTarget.ranked(func(rank, other, w float64) error {
		c.add(other, rank, w)
		return nil
	})
	return c.correlation(), err
}
