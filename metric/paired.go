package metric

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Names of the tests of a [PairedTest].
const (
	TestMcNemar   = "McNemar, exact"
	TestDeLong    = "DeLong"
	TestSignFlip  = "sign-flip permutation"
	TestBootstrap = "paired bootstrap"
)

// A PairedTest is what a test says of two predictions of the same rows.
type PairedTest struct {
	Test string  // its name, one of the constants
	P    float64 // two-sided: how often chance alone sets two equal predictors at least this far apart
	// T is the difference over its standard error, above 0 where the metric of
	// the first predictions is the higher. It grows with the root of the rows,
	// which [RowsNeeded] reads. An infinity: the difference has no spread.
	T float64
}

// Paired tests whether two predictions of the same rows differ by a metric:
// ROC AUC by [DeLong]; a metric that is a mean of losses of single rows
// (Metric.PerRow) by [McNemar] where a row is right or wrong, otherwise by
// [SignFlip]; any other metric, and those of weighted rows that have no such
// losses, by [BootstrapTest]. That reads differences, the metric of a minus
// that of b by resample; where they are nil, they are drawn by [ResampleAll].
//
// The test of a root mean square or an R² is that of the mean square: exchanging the two
// predictions of a row keeps the sum of the two mean squares, so that the
// differences of the one are ordered as the differences of the other.
func Paired(a, b *Sample, m *Metric, differences []float64, resamples int, seed uint64) (PairedTest, error) {
	ms := []*Metric{m}
	pa, err := prepare(a, ms)
	if err != nil {
		return PairedTest{}, err
	}
	pb, err := prepare(b, ms)
	if err != nil {
		return PairedTest{}, err
	}
	// The tokens of a text differ between tokenizers, its bytes do not.
	same := slices.Equal(pa.Target, pb.Target) || pa.Kind == Language && pa.Bytes != nil && slices.Equal(pa.Bytes, pb.Bytes)
	if !same || !slices.Equal(pa.Weight, pb.Weight) {
		return PairedTest{}, errors.New("a paired test needs two predictions of the same rows in the same order")
	}
	weighted := slices.ContainsFunc(pa.Weight, func(w float64) bool { return w != 1 })
	if m.PerRow != nil {
		if la, lb := m.PerRow(pa), m.PerRow(pb); la != nil && lb != nil {
			return pairedLosses(m, la, lb, pa.Weight, weighted, resamples, seed), nil
		}
	}
	switch {
	case m.Name == rocAUC.Name && !weighted:
		ua, ub := *a, *b
		ua.Weight, ub.Weight = nil, nil // all are 1
		d, se, err := DeLong(&ua, &ub)
		switch {
		case err != nil: // one row of a class
		case d == 0:
			return PairedTest{TestDeLong, 1, 0}, nil
		case se > 1e-9: // more than rounding
			return PairedTest{TestDeLong, twoSided(d / se), d / se}, nil
		}
		// Where a ranking is perfect or constant the areas have no spread, and
		// a normal law nothing to go by.
	}
	if differences == nil {
		values, resampled, err := ResampleAll([]*Sample{a, b}, ms, resamples, seed)
		if err != nil {
			return PairedTest{}, err
		}
		return BootstrapTest(values[0][0]-values[1][0], minus(resampled[0][0], resampled[1][0])), nil
	}
	return BootstrapTest(m.measure(pa)-m.measure(pb), differences), nil
}

// pairedLosses tests a mean of losses.
func pairedLosses(m *Metric, a, b, weight []float64, weighted bool, resamples int, seed uint64) PairedTest {
	d := minus(a, b)
	better, worse, counted := 0, 0, !weighted
	for i := range d {
		switch {
		case a[i] != 0 && a[i] != 1 || b[i] != 0 && b[i] != 1:
			counted = false
		case d[i] < 0:
			better++
		case d[i] > 0:
			worse++
		}
	}
	for i, w := range weight {
		if w == 0 {
			d[i] = 0
		}
		d[i] *= w
		if math.IsNaN(d[i]) { // the metric is undefined
			return PairedTest{TestSignFlip, math.NaN(), math.NaN()}
		}
	}
	t := meanOverError(d)
	if m.HigherIsBetter {
		t = -t // they are losses
	}
	if counted {
		return PairedTest{TestMcNemar, McNemar(better, worse), t}
	}
	return PairedTest{TestSignFlip, SignFlip(d, resamples, seed), t}
}

func minus(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return d
}

// meanOverError is the mean over its standard error, Student's t.
func meanOverError(d []float64) float64 {
	n, mean := float64(len(d)), 0.0
	for _, v := range d {
		mean += v / n
	}
	spread := 0.0
	for _, v := range d {
		spread += (v - mean) * (v - mean)
	}
	if mean == 0 {
		return 0
	}
	return mean / math.Sqrt(spread/(n-1)/n)
}

// twoSided is the probability of a standard normal at least as far from 0.
func twoSided(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// normalQuantile is the inverse of the standard normal distribution.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// McNemar is the exact two-sided test of two decisions on the same rows, of
// which the first alone is right on b rows and the second alone on c: twice
// the lower tail of a binomial of b + c fair throws, at most 1. (McNemar 1947,
// Note on the sampling error of the difference between correlated proportions
// or percentages; the exact form is the sign test.)
func McNemar(b, c int) float64 {
	n, k := float64(b+c), float64(min(b, c))
	if b == c {
		return 1
	}
	lgamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	term := math.Exp(lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1) - n*math.Ln2)
	tail := 0.0
	for ; k >= 0 && term > tail*1e-17; k-- {
		tail += term
		term *= k / (n - k + 1)
	}
	return min(1, 2*tail)
}

// SignFlip is the paired permutation test of differences of losses, a row
// each: were the two predictors equal, each difference could as well have the
// other sign. The two-sided p-value is the share of sign patterns whose mean
// is at least as far from 0. All patterns are counted where there are no more
// than resamples; otherwise as many random ones, and the observed one with
// them, which keeps the test exact (Fisher 1935, The design of experiments;
// Phipson and Smyth 2010, Permutation p-values should never be zero).
//
// Pattern r is drawn by PCG(seed, r): the result does not depend on threads.
func SignFlip(d []float64, resamples int, seed uint64) float64 {
	d = slices.DeleteFunc(slices.Clone(d), func(v float64) bool { return v == 0 }) // they have no sign
	observed := 0.0
	for _, v := range d {
		observed += v
	}
	reach := math.Abs(observed) * (1 - 1e-10) // a sum in another order counts as equal
	if len(d) < 62 && 1<<len(d) <= resamples {
		far, all := 0, uint64(1)<<len(d)
		for pattern := range all {
			if math.Abs(flipped(d, func() uint64 { return pattern })) >= reach {
				far++
			}
		}
		return float64(far) / float64(all)
	}
	var next, far atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(1, resamples)) {
		group.Go(func() {
			for r := next.Add(1) - 1; r < int64(resamples); r = next.Add(1) - 1 {
				if math.Abs(flipped(d, rand.NewPCG(seed, uint64(r)).Uint64)) >= reach {
					far.Add(1)
				}
			}
		})
	}
	group.Wait()
	return float64(far.Load()+1) / float64(resamples+1)
}

// flipped is the sum of d with the signs changed that bits, 64 rows a call, say.
func flipped(d []float64, bits func() uint64) float64 {
	var sum [4]float64
	for len(d) >= 64 {
		pattern := bits()
		for j := 0; j < 64; j += 4 {
			four := d[j : j+4 : j+4]
			sum[0] += math.Float64frombits(math.Float64bits(four[0]) ^ pattern<<63)
			sum[1] += math.Float64frombits(math.Float64bits(four[1]) ^ pattern>>1<<63)
			sum[2] += math.Float64frombits(math.Float64bits(four[2]) ^ pattern>>2<<63)
			sum[3] += math.Float64frombits(math.Float64bits(four[3]) ^ pattern>>3<<63)
			pattern >>= 4
		}
		d = d[64:]
	}
	if len(d) > 0 {
		pattern := bits()
		for _, v := range d {
			sum[0] += math.Float64frombits(math.Float64bits(v) ^ pattern<<63)
			pattern >>= 1
		}
	}
	return sum[0] + sum[1] + sum[2] + sum[3]
}

// DeLong compares two rankings of the same rows: the ROC AUC of a minus that
// of b, and the standard error of that difference. The rows count as equal;
// weights are an error. (DeLong, DeLong and Clarke-Pearson 1988, Comparing the
// areas under two or more correlated receiver operating characteristic curves;
// by midranks as in Sun and Xu 2014, Fast implementation of DeLong's
// algorithm, in n log n.)
func DeLong(a, b *Sample) (difference, standardError float64, err error) {
	ms := []*Metric{&rocAUC}
	for _, s := range []*Sample{a, b} {
		if _, err := prepare(s, ms); err != nil {
			return 0, 0, err
		}
		if s.Weight != nil {
			return 0, 0, errors.New("DeLong's test takes no weights; resample instead")
		}
	}
	if !slices.Equal(a.Target, b.Target) {
		return 0, 0, errors.New("DeLong's test needs two predictions of the same rows in the same order")
	}
	va, vb := placements(a), placements(b)
	square := 0.0
	for class, who := range [2]string{"negative", "positive"} {
		d := minus(va[class], vb[class])
		n := float64(len(d))
		if n < 2 {
			return 0, 0, fmt.Errorf("DeLong's test needs at least two %s rows, found %d", who, len(d))
		}
		mean := 0.0
		for _, v := range d {
			mean += v / n
		}
		spread := 0.0
		for _, v := range d {
			spread += (v - mean) * (v - mean)
		}
		square += spread / (n - 1) / n
		difference = mean // the same for both classes, but for rounding
	}
	return difference, math.Sqrt(square), nil
}

// placements is, for each row of a class, the share of the other class's rows
// that it is ranked rightly against, ties half: [0] of the negative rows, [1]
// of the positive ones, each in row order. The mean of either is the AUC.
func placements(s *Sample) (of [2][]float64) {
	scores := s.scores()
	all := midranks(scores)
	var own [2][]float64
	for class := range own {
		var mine, among []float64
		for i, t := range s.Target {
			if int(t) == class {
				mine, among = append(mine, scores[i]), append(among, all[i])
			}
		}
		own[class] = minus(among, midranks(mine)) // rows of the other class below
	}
	of = own
	negative, positive := float64(len(own[0])), float64(len(own[1]))
	for i := range of[0] {
		of[0][i] = 1 - of[0][i]/positive
	}
	for i := range of[1] {
		of[1][i] /= negative
	}
	return of
}

// midranks ranks values from 1, equal ones by the middle of their ranks.
func midranks(values []float64) []float64 {
	order := ascending(values)
	ranks := make([]float64, len(values))
	for lo := 0; lo < len(order); {
		hi := lo
		for hi < len(order) && values[order[hi]] == values[order[lo]] {
			hi++
		}
		for _, row := range order[lo:hi] {
			ranks[row] = float64(lo+hi+1) / 2
		}
		lo = hi
	}
	return ranks
}

// BootstrapTest reads a two-sided p-value off a difference on paired
// resamples: twice the share of them on the other side of 0, the observed one
// counted with each side, at most 1. That is the level at which the percentile
// interval begins to hold 0. Undefined resamples are left out. (Efron and
// Tibshirani 1993, An introduction to the bootstrap, chapter 15; the 1 added
// as in Davison and Hinkley 1997, Bootstrap methods and their application,
// section 4.2.)
func BootstrapTest(difference float64, differences []float64) PairedTest {
	n, mean, below, above := 0.0, 0.0, 0.0, 0.0
	for _, d := range differences {
		if math.IsNaN(d) {
			continue
		}
		n++
		mean += (d - mean) / n
		if d <= 0 {
			below++
		}
		if d >= 0 {
			above++
		}
	}
	spread := 0.0
	for _, d := range differences {
		if !math.IsNaN(d) {
			spread += (d - mean) * (d - mean)
		}
	}
	t := PairedTest{Test: TestBootstrap, P: min(1, 2*(1+min(below, above))/(n+1))}
	if difference != 0 {
		t.T = difference / math.Sqrt(spread/(n-1))
	}
	if math.IsNaN(difference) || n < 2 {
		t.P, t.T = math.NaN(), math.NaN()
	}
	return t
}

// Holm adjusts p-values for being several: an adjusted one of at most α may be
// called a difference, and the chance that any such call is wrong is at most
// α. Step i, from 0, multiplies the (i+1)-smallest by open(i), the number of
// hypotheses that can still be true, and keeps the order. Without open it is
// the p-values less i, Holm's own. (Holm 1979, A simple sequentially rejective multiple
// test procedure; Shaffer 1986, Modified sequentially rejective multiple test
// procedures, for fewer open hypotheses.) NaN is left out and stays.
func Holm(p []float64, open func(i int) int) []float64 {
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	if open == nil {
		open = func(i int) int { return len(order) - i }
	}
	adjusted := slices.Clone(p)
	reached := 0.0
	for i, at := range order {
		reached = max(reached, min(1, float64(open(i))*p[at]))
		adjusted[at] = reached
	}
	return adjusted
}

// AgainstBest counts, for [Holm], the hypotheses that are open when the best
// of k predictors is compared with the others, and was found to be the best on
// the same rows. Any two could have met so, not only those that did: as long
// as none is told apart, all k(k−1)/2 pairs are open. Once the best is told
// from i others, it can equal k−i−1 at most; equal predictors form groups,
// and the count is that of the pairs within groups where it is largest, as in
// Shaffer's procedure.
func AgainstBest(k int) func(i int) int {
	pairs := func(n int) int { return n * (n - 1) / 2 }
	return func(i int) int {
		// The best's own group has 2 to k−i members; in between there are fewer
		// pairs.
		return max(pairs(k-i)+pairs(i), pairs(2)+pairs(k-2))
	}
}

// RowsNeeded estimates how many rows a two-sided test at level alpha needs to
// see, with the probability power, a difference as large as the one of which
// T was measured on rows:
//
//	rows · (z(1 − alpha/2) + z(power))² / T²
//
// since T grows with the root of the rows (the normal approximation; Chow,
// Shao and Wang 2008, Sample size calculations in clinical research, chapter
// 3). It takes the measured difference for the true one, which it is not: read
// the order of magnitude. It is +Inf for a difference of 0.
func RowsNeeded(rows int, t, alpha, power float64) float64 {
	z := normalQuantile(1-alpha/2) + normalQuantile(power)
	return float64(rows) * z * z / (t * t)
}
