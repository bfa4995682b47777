package evaluate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// Limits on the search for weak slices.
const (
	weakRows       = 200     // of fewer, halves say nothing
	weakMost       = 100_000 // rows that a tree is grown on
	weakDepth      = 3       // conditions of a slice
	weakLeaf       = 0.02    // share of the rows that a slice has at least
	weakCandidates = 4       // slices of a tree that are tested
	weakRatio      = 1.25    // times the error of the other rows, at least
	weakAlike      = 0.5     // share of the smaller one's rows from which two slices are one
)

// A WeakSlice is rows that the model does worse on than on all others. It was
// found on one half of the rows; Score, Rest and P are of the other half.
type WeakSlice struct {
	// Where says which rows, as in "age ≤ 25 and region is north".
	Where string `json:"where"`
	Rows  int    `json:"rows"`
	// Tested are those of them that the figures are of.
	Tested int             `json:"tested"`
	Score  metric.Interval `json:"score"`
	Rest   Number          `json:"rest"` // the metric of all other rows
	// Stated is the mean confidence of the model in its answers there: a weakness
	// that it does not know of is one that nobody is warned of. NaN without
	// probabilities.
	Stated   Number `json:"stated"`
	Adjusted Number `json:"p_adjusted"` // of no difference, one-sided, by Holm

	in             []int // the rows
	tested, others []int // of the half that it was not found on
}

// WeakMetric is the metric that weak slices are found by and told in.
func WeakMetric(kind metric.Kind) string {
	if kind == metric.Regression {
		return "mae"
	}
	return "accuracy"
}

// WeakSlices looks for rows that the model does worse on, by conditions on one to
// three columns. A shallow tree is grown on the errors of one half of the rows,
// and its worst nodes are tested on the other half, then the other way round, so
// that what the search found by chance does not count; the p-values are
// corrected for all that were tested. Wrong answers are tested by Fisher's exact
// test, absolute errors of numbers by their ranks (Wilcoxon).
//
// The search for slices by a tree on the errors: Chung et al., Slice Finder:
// Automated Data Slicing for Model Validation, ICDE 2019, section 3; testing on
// other rows than the tree was grown on: Athey and Imbens, Recursive
// partitioning for heterogeneous causal effects, PNAS 2016.
func WeakSlices(s *metric.Sample, columns []*data.Column, level float64, seed uint64) ([]WeakSlice, error) {
	n := s.Rows()
	if n < weakRows || s.Pred == nil || s.Kind > metric.Regression {
		return nil, nil
	}
	loss := rowErrors(s)
	order := rand.New(rand.NewPCG(seed, 0x5eed)).Perm(n)
	halves := [2][]int{order[:n/2], order[n/2:]}
	tellings := tellingsOf(columns)
	var found []WeakSlice
	var ps []float64
	for k, grown := range halves {
		grown = grown[:min(len(grown), weakMost)]
		tree := &weakTree{traits: traitsOf(tellings, grown), loss: ranked(s.Kind, loss, grown), least: max(minSlice/2, int(weakLeaf*float64(len(grown))))}
		tree.split(grown, nil, weakDepth)
		for _, node := range tree.worst(grown) {
			w := WeakSlice{Where: node.words()}
			var in, out []int
			for _, i := range halves[1-k] {
				if node.holds(i) {
					in = append(in, i)
				} else {
					out = append(out, i)
				}
			}
			if len(in) < minSlice/2 || len(out) < minSlice {
				continue
			}
			for i := range n {
				if node.holds(i) {
					w.in = append(w.in, i)
				}
			}
			w.Rows, w.Tested = len(w.in), len(in)
			w.tested, w.others = in, out
			p := 1.0
			if a, b := mean(loss, in), mean(loss, out); a > weakRatio*b {
				p = worseBy(s.Kind, loss, in, out)
			}
			found, ps = append(found, w), append(ps, p)
		}
	}
	for i, p := range metric.Holm(ps, nil) {
		found[i].Adjusted = Number(p)
	}
	slices.SortStableFunc(found, func(a, b WeakSlice) int { return cmp.Compare(a.Adjusted, b.Adjusted) })
	var out []WeakSlice
	for _, w := range found {
		if float64(w.Adjusted) > 1-level || slices.ContainsFunc(out, func(o WeakSlice) bool { return overlap(o.in, w.in) > weakAlike }) {
			continue
		}
		if err := w.measure(s, level, seed); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// measure fills in the figures of the rows that the slice was not found on.
func (w *WeakSlice) measure(s *metric.Sample, level float64, seed uint64) error {
	in, out := w.tested, w.others
	w.tested, w.others = nil, nil
	m, err := metric.Lookup(WeakMetric(s.Kind))
	if err != nil {
		return err
	}
	if w.Score, _, err = measuredRows(s.Select(in), m, level, sliceResamples, seed); err != nil {
		return err
	}
	rest, err := m.Value(s.Select(out))
	if err != nil {
		rest = math.NaN() // no row of it counts
	}
	w.Rest, w.Stated = Number(rest), Number(math.NaN())
	if c := confidences(s); c != nil {
		w.Stated = Number(mean(c, in))
	}
	return nil
}

// rowErrors are 1 for a wrong class, and the absolute error of a number.
func rowErrors(s *metric.Sample) []float64 {
	out := make([]float64, s.Rows())
	for i := range out {
		switch d := math.Abs(s.Pred[i] - s.Target[i]); {
		case s.Kind == metric.Regression:
			out[i] = d
		case d != 0:
			out[i] = 1
		}
	}
	return out
}

// ranked returns errors as a tree is grown on them: those of numbers by their
// ranks among the rows, so that a few great ones do not decide where it splits.
func ranked(kind metric.Kind, loss []float64, rows []int) []float64 {
	if kind != metric.Regression {
		return loss
	}
	sorted := make([]float64, len(rows))
	for k, i := range rows {
		sorted[k] = loss[i]
	}
	slices.Sort(sorted)
	out := make([]float64, len(loss))
	for _, i := range rows {
		at, _ := slices.BinarySearch(sorted, loss[i])
		out[i] = float64(at) / float64(len(sorted))
	}
	return out
}

// worseBy is the one-sided p-value of errors in some rows against others.
func worseBy(kind metric.Kind, loss []float64, in, out []int) float64 {
	if kind == metric.Regression {
		return rankSum(loss, in, out)
	}
	wrong, all := 0, 0
	for _, i := range in {
		wrong += int(loss[i])
	}
	for _, i := range out {
		all += int(loss[i])
	}
	return fisher(wrong, len(in), wrong+all, len(in)+len(out))
}

// fisher is the chance that of n rows drawn from total, of which marked are
// marked, k or more are.
func fisher(k, n, marked, total int) float64 {
	choose := func(n, k int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return a - b - c
	}
	p := 0.0
	for j := k; j <= min(n, marked); j++ {
		if total-marked >= n-j {
			p += math.Exp(choose(marked, j) + choose(total-marked, n-j) - choose(total, n))
		}
	}
	return min(1, p)
}

// rankSum is Wilcoxon's one-sided p-value of values in some rows being greater
// than in others, by the normal approximation with ties.
func rankSum(values []float64, in, out []int) float64 {
	type row struct {
		v  float64
		in bool
	}
	rows := make([]row, 0, len(in)+len(out))
	for _, i := range in {
		rows = append(rows, row{values[i], true})
	}
	for _, i := range out {
		rows = append(rows, row{values[i], false})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.v, b.v) })
	n, sum, ties := float64(len(rows)), 0.0, 0.0
	for lo := 0; lo < len(rows); {
		hi := lo
		for hi < len(rows) && rows[hi].v == rows[lo].v {
			hi++
		}
		t := float64(hi - lo)
		ties += t * (t*t - 1)
		for _, r := range rows[lo:hi] {
			if r.in {
				sum += float64(lo+hi+1) / 2
			}
		}
		lo = hi
	}
	a, b := float64(len(in)), float64(len(out))
	spread := a * b / 12 * (n + 1 - ties/(n*(n-1)))
	if spread <= 0 {
		return 1
	}
	return math.Erfc((sum-a*(n+1)/2-0.5)/math.Sqrt(spread)/math.Sqrt2) / 2
}

func mean(values []float64, rows []int) float64 {
	sum := 0.0
	for _, i := range rows {
		sum += values[i]
	}
	return sum / float64(len(rows))
}

// overlap is the share of common rows in the shorter of two ascending lists.
func overlap(a, b []int) float64 {
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both++
			i++
			j++
		}
	}
	return float64(both) / float64(max(1, min(len(a), len(b))))
}

// A weakTree is a regression tree on errors.
type weakTree struct {
	traits []*trait
	loss   []float64
	least  int // rows of a node
	nodes  []weakNode
}

// A weakNode is the rows that meet all conditions.
type weakNode struct {
	conditions []condition
	rows       []int // of those that the tree is grown on
}

func (n *weakNode) holds(row int) bool {
	for _, c := range n.conditions {
		if !c.pass[c.trait.codes[row]] {
			return false
		}
	}
	return true
}

func (n *weakNode) words() string {
	var said []string
	for _, c := range n.conditions {
		said = append(said, c.words())
	}
	return strings.Join(said, " and ")
}

// split divides rows where that explains most of their errors, and so on; all
// nodes but the root are kept.
func (t *weakTree) split(rows []int, path []condition, depth int) {
	if depth == 0 || len(rows) < 2*t.least {
		return
	}
	var best condition
	gain := 1e-12
	for _, tr := range t.traits {
		if pass, g := t.divide(tr, rows); g > gain {
			best, gain = condition{tr, pass}, g
		}
	}
	if best.trait == nil {
		return
	}
	other := condition{best.trait, make([]bool, len(best.pass))}
	for k, ok := range best.pass {
		other.pass[k] = !ok
	}
	for _, c := range []condition{best, other} {
		node := weakNode{conditions: narrowed(path, c)}
		for _, i := range rows {
			if c.pass[c.trait.codes[i]] {
				node.rows = append(node.rows, i)
			}
		}
		t.nodes = append(t.nodes, node)
		t.split(node.rows, node.conditions, depth-1)
	}
}

// narrowed adds a condition to others; those on one trait become one.
func narrowed(path []condition, c condition) []condition {
	out := slices.Clone(path)
	for k, old := range out {
		if old.trait == c.trait {
			pass := make([]bool, len(c.pass))
			for j := range pass {
				pass[j] = old.pass[j] && c.pass[j]
			}
			out[k] = condition{c.trait, pass}
			return out
		}
	}
	return append(out, c)
}

// divide finds the split of rows by a trait that takes most from the sum of
// squares, and how much.
func (t *weakTree) divide(tr *trait, rows []int) (pass []bool, gain float64) {
	k := tr.size()
	counts, sums := make([]float64, k), make([]float64, k)
	total := 0.0
	for _, i := range rows {
		c := tr.codes[i]
		counts[c]++
		sums[c] += t.loss[i]
		total += t.loss[i]
	}
	n := float64(len(rows))
	order := make([]int, 0, k)
	for c := range k - 1 {
		if counts[c] > 0 {
			order = append(order, c)
		}
	}
	missing := k - 1
	if !tr.ordered { // few rows are drawn to the mean of all
		if counts[missing] > 0 {
			order = append(order, missing)
		}
		of := func(c int) float64 { return (sums[c] + 10*total/n) / (counts[c] + 10) }
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(of(a), of(b)) })
	}
	// try looks at the first codes in their order, with or without what is missing.
	try := func(first int, a, sum float64, and bool) {
		if and {
			a, sum = a+counts[missing], sum+sums[missing]
		}
		b := n - a
		if a < float64(t.least) || b < float64(t.least) {
			return
		}
		d := sum/a - (total-sum)/b
		if g := a * b / n * d * d; g > gain*(1+1e-9) {
			gain, pass = g, make([]bool, k)
			for _, c := range order[:first] {
				pass[c] = true
			}
			if tr.ordered && first > 0 { // codes that no row here has
				for c := range order[first-1] {
					pass[c] = true
				}
			}
			if tr.ordered && first == len(order) {
				for c := range k - 1 {
					pass[c] = true
				}
			}
			pass[missing] = pass[missing] || and
		}
	}
	a, sum := 0.0, 0.0
	for j, c := range order {
		a, sum = a+counts[c], sum+sums[c]
		try(j+1, a, sum, false)
		if tr.ordered && counts[missing] > 0 && j+1 < len(order) {
			try(j+1, a, sum, true)
		}
	}
	return pass, gain
}

// worst returns the nodes whose errors stand out most from those of the other
// rows, at most so many.
func (t *weakTree) worst(rows []int) []weakNode {
	sum, square := 0.0, 0.0
	for _, i := range rows {
		sum += t.loss[i]
		square += t.loss[i] * t.loss[i]
	}
	n := float64(len(rows))
	spread := square/n - sum/n*sum/n
	type scored struct {
		node weakNode
		z    float64
	}
	var all []scored
	for _, node := range t.nodes {
		a := float64(len(node.rows))
		in := mean(t.loss, node.rows) * a
		d := in/a - (sum-in)/(n-a)
		if z := d / math.Sqrt(spread*(1/a+1/(n-a))); z > 1 {
			all = append(all, scored{node, z})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.z, a.z) })
	var out []weakNode
	for _, s := range all[:min(weakCandidates, len(all))] {
		out = append(out, s.node)
	}
	return out
}

// confidences are the stated probabilities of the decisions; nil without any.
func confidences(s *metric.Sample) []float64 {
	if s.Prob == nil || s.Pred == nil || s.Kind != metric.Binary && s.Kind != metric.Multiclass {
		return nil
	}
	out := make([]float64, s.Rows())
	for i := range out {
		out[i] = probability(s, i, int(s.Pred[i]))
	}
	return out
}

// probability is that of a class, by its index, in a row.
func probability(s *metric.Sample, row, class int) float64 {
	switch {
	case s.Kind == metric.Multiclass:
		return s.Prob[row*len(s.Classes)+class]
	case class == 1:
		return s.Prob[row]
	}
	return 1 - s.Prob[row]
}
