package calibrate

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/hone-ml/hone/metric"
)

// Methods of [Sets].
const (
	LAC      = "lac"
	APS      = "aps"
	RAPS     = "raps"
	Residual = "residual"
	Scaled   = "scaled"
)

// Options say how sets of classes are made, and which prediction intervals.
type Options struct {
	Method  string  `yaml:"method" shorthand:"true" default:"lac" enum:"off,lac,aps,raps" doc:"of classes; lac: the smallest sets (Sadinle et al. 2019), aps: sets that grow where a row is hard (Romano et al. 2020), raps: the same with fewer large ones (Angelopoulos et al. 2021); off: no sets or intervals"`
	ByClass string  `yaml:"by_class" default:"auto" enum:"auto,on,off" doc:"whether the coverage is to hold for the rows of each class by itself; auto: where a class is rare and each has 50 validation rows"`
	Penalty float64 `yaml:"penalty" default:"0.01" min:"0" doc:"of raps: what each class beyond free costs"`
	Free    int     `yaml:"free" default:"5" min:"0" doc:"of raps: classes that cost nothing"`
}

// Sets are the scores by which rows that a model was not trained on were strange to
// it. A class belongs to a row's set, and a number to its interval, if its score is
// not above the quantile ⌈(n+1)·coverage⌉/n of these (Vovk et al. 2005, Algorithmic
// learning in a random world; Lei et al. 2018, Distribution-free predictive inference
// for regression, theorem 2.2): if the rows are exchangeable with those to come, the
// truth is in at least that share of sets.
type Sets struct {
	Method string `json:"method"`
	// Groups has the scores of all rows; with ByClass those of each class.
	Groups  []Scores `json:"groups"`
	ByClass bool     `json:"by_class,omitempty"`
	Penalty float64  `json:"penalty,omitempty"` // of raps
	Free    int      `json:"free,omitempty"`    // of raps
	// Scale is the usual error at a predicted value, of scaled.
	Scale *Curve `json:"scale,omitempty"`
	// AtLeast is what no true number is below, if there is such a number.
	AtLeast *float64 `json:"at_least,omitempty"`
}

// Scores are rising.
type Scores struct {
	Rows   int       `json:"rows"`
	Sorted []float64 `json:"sorted"` // all of them, or each so-manieth with the last
}

// maxScores bounds what a bundle keeps of a group. Where there are more rows, the
// scores of evenly spaced ranks are kept; the next higher stands for a rank between,
// which makes sets larger by less than a row in 2,000.
const maxScores = 2000

func newScores(all []float64) Scores {
	slices.Sort(all)
	s := Scores{Rows: len(all), Sorted: all}
	if n := len(all); n > maxScores {
		s.Sorted = make([]float64, maxScores)
		for j := range s.Sorted {
			s.Sorted[j] = all[rank(j, n)-1]
		}
	}
	return s
}

// rank is which of n scores the j-th kept one is, from 1.
func rank(j, n int) int { return ((j+1)*n + maxScores - 1) / maxScores }

// Quantile is the score that a share of rows to come stays within, at least; +Inf
// where there are too few rows to say.
func (s Scores) Quantile(coverage float64) float64 {
	k := s.needed(coverage)
	if k > s.Rows {
		return math.Inf(1)
	}
	if s.Rows <= maxScores {
		return s.Sorted[k-1]
	}
	return s.Sorted[sort.Search(maxScores, func(j int) bool { return rank(j, s.Rows) >= k })]
}

// needed is ⌈(n+1)·coverage⌉, of the decimal number that coverage stands for.
func (s Scores) needed(coverage float64) int {
	x := float64(s.Rows+1) * coverage
	if near := math.Round(x); math.Abs(x-near) <= 1e-9*near {
		x = near
	}
	return max(1, int(math.Ceil(x)))
}

// Rows is how many rows there are scores of.
func (s *Sets) Rows() int {
	n := 0
	for _, g := range s.Groups {
		n += g.Rows
	}
	return n
}

// Highest is the greatest coverage that the rows suffice for: n/(n+1), by class of
// the commonest class.
func (s *Sets) Highest() float64 {
	n := 0
	for _, g := range s.Groups {
		n = max(n, g.Rows)
	}
	return float64(n) / float64(n+1)
}

// CheckCoverage finds a coverage that cannot be promised.
func (s *Sets) CheckCoverage(coverage float64) error {
	if !(coverage > 0 && coverage < 1) {
		return fmt.Errorf("found %v, expected a number between 0 and 1, such as 0.9", coverage)
	}
	if len(s.Groups) == 0 || s.Groups[0].needed(coverage) > s.Groups[0].Rows && s.Highest() < coverage {
		return fmt.Errorf("%v is more than %d rows can promise: ask for %.4g at most, or train with more validation rows", coverage, s.Rows(), math.Floor(s.Highest()*1e4)/1e4)
	}
	return nil
}

// Fit takes the scores of rows of a sample, which the model must not have been
// trained on.
func Fit(s *metric.Sample, o Options, atLeast *float64) (*Sets, error) {
	var rows []int // a row of weight 0 is absent, whatever others weigh counts once
	for i := range s.Rows() {
		if weight(s, i) > 0 {
			rows = append(rows, i)
		}
	}
	s = s.Select(rows)
	switch {
	case len(rows) == 0:
		return nil, fmt.Errorf("no row to calibrate prediction sets by")
	case s.Kind == metric.Regression:
		return fitIntervals(s, atLeast), nil
	case s.Prob == nil || len(s.Classes) < 2:
		return nil, fmt.Errorf("prediction sets need the probabilities of classes, or numbers; this is a %s sample", s.Kind)
	}
	k := len(s.Classes)
	out := &Sets{Method: o.Method}
	if o.Method == RAPS {
		out.Penalty, out.Free = o.Penalty, o.Free
	}
	by := make([][]float64, k)
	scorer := newScorer(k)
	for i, y := range s.Target {
		stated(s, i, scorer.prob)
		by[int(y)] = append(by[int(y)], out.scores(scorer)[int(y)])
	}
	out.ByClass = o.ByClass == "on" || o.ByClass == "auto" && rare(by, s.Rows())
	if !out.ByClass {
		by = [][]float64{slices.Concat(by...)}
	}
	for _, g := range by {
		out.Groups = append(out.Groups, newScores(g))
	}
	return out, nil
}

// byClassRows is how many rows each class must have for coverage by class to be
// chosen; rareShare is how rare one must be, of an even share.
const (
	byClassRows = 50
	rareShare   = 0.5
)

func rare(by [][]float64, rows int) bool {
	least := rows
	for _, g := range by {
		least = min(least, len(g))
	}
	return least >= byClassRows && float64(least) < rareShare*float64(rows)/float64(len(by))
}

// scorer has what scores of a row are made in.
type scorer struct {
	prob, score []float64
	order       []int
}

func newScorer(classes int) *scorer {
	return &scorer{make([]float64, classes), make([]float64, classes), make([]int, classes)}
}

// scores are those of all classes of the row whose probabilities are in c.
func (s *Sets) scores(c *scorer) []float64 {
	if s.Method == LAC {
		for i, p := range c.prob {
			c.score[i] = 1 - p
		}
		return c.score
	}
	for i := range c.order {
		c.order[i] = i
	}
	slices.SortStableFunc(c.order, func(a, b int) int {
		switch {
		case c.prob[a] > c.prob[b]:
			return -1
		case c.prob[a] < c.prob[b]:
			return 1
		}
		return 0
	})
	sum := 0.0
	for at, class := range c.order {
		sum += c.prob[class]
		c.score[class] = sum + s.Penalty*float64(max(0, at+1-s.Free))
	}
	return c.score
}

// A Classifier makes the sets of rows for one coverage.
type Classifier struct {
	s      *Sets
	scorer *scorer
	at     []float64 // by group
}

// Classes prepares sets of so many classes.
func (s *Sets) Classes(classes int, coverage float64) *Classifier {
	return &Classifier{s, newScorer(classes), s.quantiles(coverage)}
}

func (s *Sets) quantiles(coverage float64) []float64 {
	var at []float64
	for _, g := range s.Groups {
		at = append(at, g.Quantile(coverage))
	}
	return at
}

// Set returns the indices of the classes in the set of a row, given the
// probabilities of all classes. It may be empty: then the row is strange whatever
// its class.
func (c *Classifier) Set(prob []float64) []int {
	copy(c.scorer.prob, prob)
	var in []int
	for class, score := range c.s.scores(c.scorer) {
		at := c.at[0]
		if c.s.ByClass {
			at = c.at[class]
		}
		if score <= at {
			in = append(in, class)
		}
	}
	return in
}

// Interval returns the function from a predicted value to its interval.
func (s *Sets) Interval(coverage float64) func(value float64) (low, high float64) {
	q := s.quantiles(coverage)[0]
	return func(value float64) (low, high float64) {
		half := q
		if s.Scale != nil {
			half *= s.Scale.At(value)
		}
		low, high = value-half, value+half
		if s.AtLeast != nil {
			low, high = max(low, *s.AtLeast), max(high, *s.AtLeast)
		}
		return low, high
	}
}

const (
	scaledRows = 200  // of fewer, intervals have one width
	knots      = 20   // of the curve of usual errors
	narrower   = 0.95 // by as much; halving the rows has its price
)

// fitIntervals takes absolute residuals, or residuals relative to the usual one at
// the predicted value where that makes intervals of 90 % narrower on both halves of
// the rows, of either of which the other is told. The usual error is then of every
// other row, and the scores are of the rest, so that these know nothing of it.
func fitIntervals(s *metric.Sample, atLeast *float64) *Sets {
	var halves [2][]int
	for i := range s.Rows() {
		halves[i%2] = append(halves[i%2], i)
	}
	out := &Sets{Method: Residual, AtLeast: atLeast}
	if s.Rows() >= scaledRows {
		scale, helps := usualError(s.Select(halves[0])), true
		for h, fit := range [2]Curve{scale, usualError(s.Select(halves[1]))} {
			helps = helps && gains(s.Select(halves[1-h]), fit)
		}
		if helps {
			out.Method, out.Scale = Scaled, &scale
			out.Groups = []Scores{newScores(residuals(s.Select(halves[1]), out.Scale))}
			return out
		}
	}
	out.Groups = []Scores{newScores(residuals(s, nil))}
	return out
}

// gains is whether intervals by a scale are narrower on average.
func gains(s *metric.Sample, scale Curve) bool {
	const coverage = 0.9
	mean := 0.0
	for _, v := range s.Pred {
		mean += scale.At(v)
	}
	mean /= float64(s.Rows())
	return mean*newScores(residuals(s, &scale)).Quantile(coverage) < narrower*newScores(residuals(s, nil)).Quantile(coverage)
}

// residuals are the absolute errors of rows, relative to a scale if there is one.
func residuals(s *metric.Sample, scale *Curve) []float64 {
	out := make([]float64, s.Rows())
	for i, y := range s.Target {
		out[i] = math.Abs(y - s.Pred[i])
		if scale != nil {
			out[i] /= scale.At(s.Pred[i])
		}
	}
	return out
}

// usualError is the mean absolute error in groups of as many rows, in the order of
// the predicted value; at least a tenth of the mean of all, so that no interval
// vanishes.
func usualError(s *metric.Sample) Curve {
	order := make([]int, s.Rows())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case s.Pred[a] < s.Pred[b]:
			return -1
		case s.Pred[a] > s.Pred[b]:
			return 1
		}
		return 0
	})
	all := residuals(s, nil)
	total := 0.0
	for _, r := range all {
		total += r
	}
	least := 0.1 * total / float64(len(all))
	if least == 0 {
		least = 1 // nothing is ever wrong
	}
	groups := min(knots, len(order)/10)
	var c Curve
	for g := range groups {
		x, y := 0.0, 0.0
		rows := order[g*len(order)/groups : (g+1)*len(order)/groups]
		for _, i := range rows {
			x += s.Pred[i]
			y += all[i]
		}
		x, y = x/float64(len(rows)), max(least, y/float64(len(rows)))
		if n := len(c.X); n > 0 && !(x > c.X[n-1]) {
			continue // equal values
		}
		c.X, c.Y = append(c.X, x), append(c.Y, y)
	}
	return c
}

// Check finds what cannot be the sets of so many classes, of a number with 0.
func (s *Sets) Check(classes int) error {
	groups := 1
	if s.ByClass {
		groups = classes
	}
	numeric := s.Method == Residual || s.Method == Scaled
	switch {
	case !numeric && s.Method != LAC && s.Method != APS && s.Method != RAPS:
		return fmt.Errorf("method %q, expected %s, %s, %s, %s or %s", s.Method, LAC, APS, RAPS, Residual, Scaled)
	case numeric != (classes == 0):
		return fmt.Errorf("method %q does not go with %d classes", s.Method, classes)
	case len(s.Groups) != groups || groups == 0:
		return fmt.Errorf("scores of %d groups, expected %d", len(s.Groups), groups)
	case (s.Scale != nil) != (s.Method == Scaled):
		return fmt.Errorf("a scale goes with the method %s, this is %s", Scaled, s.Method)
	case s.Penalty < 0 || math.IsNaN(s.Penalty):
		return fmt.Errorf("penalty is %v, expected 0 or more", s.Penalty)
	}
	for _, g := range s.Groups {
		if len(g.Sorted) != min(g.Rows, maxScores) || g.Rows < 0 || g.Rows == 0 && !s.ByClass || !slices.IsSorted(g.Sorted) || slices.ContainsFunc(g.Sorted, math.IsNaN) {
			return fmt.Errorf("%d scores of %d rows, expected all or %d of them, rising", len(g.Sorted), g.Rows, maxScores)
		}
	}
	if s.Scale != nil {
		if err := s.Scale.check(); err != nil {
			return err
		}
		for _, y := range s.Scale.Y {
			if !(y > 0) {
				return fmt.Errorf("a scale of %v, expected above 0", y)
			}
		}
	}
	return nil
}
