package data

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/hone-ml/hone/internal/splitmix"
	"gonum.org/v1/gonum/mat"
)

// What a column must reach alone to be said to give the target away. Strong
// honest columns stay below: the best one of breast-cancer reaches an AUC of 0.98.
const (
	leakAUC      = 0.995
	leakR2       = 0.995
	leakSumR2    = 0.999999 // for numbers that add up to the target
	leakPresence = 0.995    // share of the rows with a value that have one outcome
	leakRows     = 100      // fewer rows prove nothing
	leakClass    = 10       // rows of a class in each half, likewise
	leakClasses  = 50       // that are told apart
	leakSample   = 100_000  // rows looked at
)

// answer is the target of the leak detector: rows divided in two halves at
// random, so that what is fitted to one half is judged on the other.
type answer struct {
	name   string
	rows   []int
	half   []uint8
	class  []int32   // of a category
	names  []string  // of the classes
	number []int32   // of the class of a code
	values []float64 // of a number
	ranks  []float64 // of the values; equal ones share their mean
}

func newAnswer(v *view) *answer {
	c := v.Column
	y := &answer{name: c.Name}
	var codes []int32
	if c.Type.numeric() {
		if sorted := v.numbers(); v.summary.Distinct == 2 {
			levels := sorted.values
			codes = make([]int32, c.Len())
			for i, v := range c.Numbers {
				codes[i] = -1
				if !math.IsNaN(v) {
					k, _ := slices.BinarySearch(levels, v)
					codes[i] = int32(k)
				}
			}
			y.names = []string{formatNumber(levels[0], ""), formatNumber(levels[1], "")}
		}
	} else {
		codes, y.names = c.Codes, c.Dict
	}
	for i := range c.Len() {
		if !c.Missing(i) {
			y.rows = append(y.rows, i)
		}
	}
	y.rows = drawn(y.rows, leakSample)
	y.limitClasses(codes)
	for _, i := range y.rows {
		y.half = append(y.half, uint8(splitmix.Next(uint64(i))>>32&1))
		if codes != nil {
			y.class = append(y.class, y.number[codes[i]])
		} else {
			y.values = append(y.values, c.Numbers[i])
		}
	}
	y.ranks = ranks(y.values)
	return y
}

// drawn returns as many of the rows, in their order: those with the smallest
// hashes, of which most are told from the others by the first bits.
func drawn(rows []int, most int) []int {
	if len(rows) <= most {
		return rows
	}
	const first = 12
	var counts [1 << first]int
	for _, i := range rows {
		counts[splitmix.Next(uint64(i))>>(64-first)]++
	}
	last, below := 0, 0 // the bits up to which all are taken, and how many those are
	for ; below+counts[last] <= most; last++ {
		below += counts[last]
	}
	var border []uint64
	for _, i := range rows {
		if h := splitmix.Next(uint64(i)); int(h>>(64-first)) == last {
			border = append(border, h)
		}
	}
	slices.Sort(border)
	limit := border[most-below]
	some := make([]int, 0, most)
	for _, i := range rows {
		if splitmix.Next(uint64(i)) < limit {
			some = append(some, i)
		}
	}
	return some
}

// limitClasses gives the commonest classes a number each, and the rest together
// one.
func (y *answer) limitClasses(codes []int32) {
	counts := make([]int, len(y.names))
	order := make([]int, len(y.names))
	for k := range order {
		order[k] = k
	}
	for _, i := range y.rows {
		if codes != nil {
			counts[codes[i]]++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[b] - counts[a] })
	y.number = make([]int32, len(y.names))
	var names []string
	for _, k := range order {
		switch {
		case len(names) < leakClasses:
			names = append(names, y.names[k])
		case len(names) == leakClasses:
			names = append(names, "one of the rarer values")
		}
		y.number[k] = int32(len(names) - 1)
	}
	y.names = names
}

// ranks numbers the values from the smallest; equal ones share their mean number.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	r := make([]float64, len(values))
	for lo := 0; lo < len(order); {
		hi := lo
		for hi < len(order) && values[order[hi]] == values[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			r[i] = float64(lo+hi-1) / 2
		}
		lo = hi
	}
	return r
}

// findLeak judges one column.
func (y *answer) findLeak(c *Column) []Finding {
	if len(y.rows) < leakRows {
		return nil
	}
	f := Finding{Column: c.Name, Kind: FindingLeak, Severity: SeverityError, Change: Change{LeaveOut: c.Name}, Evidence: map[string]float64{"rows": float64(len(y.rows))},
		Remedy: "left out of the inputs, as it may be known only once the answer is; if it is known when predicting, add it to the inputs: {name: " + c.Name + "}"}
	if y.class != nil {
		if auc := y.auc(c, 0); auc >= leakAUC && y.auc(c, 1) >= leakAUC {
			auc = min(auc, y.auc(c, 1))
			f.Evidence["auc"] = auc
			f.Message = fmt.Sprintf("gives %s away: alone it tells the outcomes apart almost perfectly (AUC %.4f on rows that it was not fitted to, of %d)", y.name, auc, len(y.rows))
			return []Finding{f}
		}
		if k, share, covered := y.presence(c); share >= leakPresence {
			f.Evidence["share"], f.Evidence["covered"] = share, covered
			f.Message = fmt.Sprintf("gives %s away: of the rows that have a value, %.1f %% are %s, and %.0f %% of those have one", y.name, 100*share, quoteText(y.names[k]), 100*covered)
			return []Finding{f}
		}
		return nil
	}
	r2, ranks := y.r2(c, 0)
	if r2 < leakR2 && ranks < leakR2 {
		return nil
	}
	r2Other, ranksOther := y.r2(c, 1)
	r2, ranks = min(r2, r2Other), min(ranks, ranksOther)
	switch {
	case r2 >= leakR2:
		f.Evidence["r2"] = r2
		f.Message = fmt.Sprintf("gives %s away: alone it predicts it almost perfectly (R² %.4f on rows that it was not fitted to, of %d)", y.name, r2, len(y.rows))
	case ranks >= leakR2:
		f.Evidence["r2_ranks"] = ranks
		f.Message = fmt.Sprintf("gives %s away: alone it predicts its order almost perfectly (R² of the ranks %.4f on rows that it was not fitted to, of %d)", y.name, ranks, len(y.rows))
	default:
		return nil
	}
	return []Finding{f}
}

// bins numbers the values of a column for every row: 0 is missing, 1 holds what
// occurs once, and a number's bin is one of its quantiles among the rows of a half.
func (y *answer) bins(c *Column, half uint8) (bins []int, n int) {
	bins = make([]int, len(y.rows))
	if !c.Type.numeric() {
		codes := c.Codes
		counts := make([]int, len(c.Dict))
		for _, i := range y.rows {
			if codes[i] >= 0 {
				counts[codes[i]]++
			}
		}
		n = 2
		for k, times := range counts {
			if counts[k] = 1; times > 1 {
				counts[k] = n
				n++
			}
		}
		for r, i := range y.rows {
			if codes[i] >= 0 {
				bins[r] = counts[codes[i]]
			}
		}
		return bins, n
	}
	var fitted []float64
	for r, i := range y.rows {
		if y.half[r] == half && !c.Missing(i) {
			fitted = append(fitted, c.Numbers[i])
		}
	}
	all := order(fitted, decimal)
	edges := all.values
	if most := min(256, max(2, len(fitted)/10)); len(edges) > most {
		edges = nil
		for q := 1; q < most; q++ {
			edges = append(edges, all.at(q*len(fitted)/most))
		}
		edges = slices.Compact(edges)
	}
	// A search that does not branch, among the edges and others beyond all.
	keys := make([]uint64, 1)
	for len(keys) <= len(edges) {
		keys = make([]uint64, 2*len(keys))
	}
	for k := range keys {
		if keys[k] = math.MaxUint64; k < len(edges) {
			keys[k] = sortKey(edges[k])
		}
	}
	for r, i := range y.rows {
		v := c.Numbers[i]
		if v != v {
			continue
		}
		x, at := sortKey(v), 0
		for half := len(keys) / 2; half > 0; half /= 2 {
			_, less := bits.Sub64(keys[at+half-1], x, 0)
			at += half & -int(less)
		}
		bins[r] = at + 1
	}
	return bins, len(edges) + 2
}

// auc fits the rate of each class in every bin to one half and returns the area
// under the ROC curve on the other: of the second class if there are two, else
// the mean over the classes, each against the rest.
func (y *answer) auc(c *Column, half uint8) float64 {
	bins, n := y.bins(c, half)
	k := len(y.names)
	fitted, judged := make([]float64, n*k), make([]float64, n*k)
	fittedRows, judgedRows := make([]float64, n), make([]float64, n)
	for r, b := range bins {
		if y.half[r] == half {
			fitted[b*k+int(y.class[r])]++
			fittedRows[b]++
		} else {
			judged[b*k+int(y.class[r])]++
			judgedRows[b]++
		}
	}
	rates, order := make([]float64, n), make([]int, n)
	sum, classes := 0.0, 0.0
	for class := range k {
		if k == 2 && class == 0 {
			continue
		}
		var missing, present, missingRows, presentRows, positives, negatives float64
		for b := range n {
			if b == 0 {
				missing, missingRows = fitted[class], fittedRows[0]
			} else {
				present += fitted[b*k+class]
				presentRows += fittedRows[b]
			}
			positives += judged[b*k+class]
			negatives += judgedRows[b] - judged[b*k+class]
		}
		if missing+present < leakClass || positives < leakClass || negatives < leakClass {
			continue
		}
		for b := range n {
			// A value that the half has hardly shown has the rate of all rows that
			// have a value.
			prior := (missing + present) / (missingRows + presentRows)
			if b > 0 && presentRows > 0 {
				prior = present / presentRows
			}
			rates[b] = (fitted[b*k+class] + prior) / (fittedRows[b] + 1)
			order[b] = b
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(rates[a], rates[b]) })
		area, below := 0.0, 0.0
		for lo := 0; lo < n; {
			hi, pos, neg := lo, 0.0, 0.0
			for ; hi < n && rates[order[hi]] == rates[order[lo]]; hi++ {
				b := order[hi]
				pos += judged[b*k+class]
				neg += judgedRows[b] - judged[b*k+class]
			}
			area += pos * (below + neg/2)
			below += neg
			lo = hi
		}
		sum += area / (positives * negatives)
		classes++
	}
	if classes == 0 {
		return 0
	}
	return sum / classes
}

// presence returns the class that most rows with a value have, its share of them,
// and how many of the class have one. It answers only where that covers half of
// the class and a value is missing at all.
func (y *answer) presence(c *Column) (class int, share, covered float64) {
	with, all := make([]float64, len(y.names)), make([]float64, len(y.names))
	n := 0.0
	for r, i := range y.rows {
		all[y.class[r]]++
		if !c.Missing(i) {
			with[y.class[r]]++
			n++
		}
	}
	for k := range with {
		if with[k] > with[class] {
			class = k
		}
	}
	if n < leakRows || n == float64(len(y.rows)) || with[class] < all[class]/2 {
		return 0, 0, 0
	}
	// The class must not be nearly everything anyway.
	if all[class]/float64(len(y.rows)) > 0.9 {
		return 0, 0, 0
	}
	return class, with[class] / n, with[class] / all[class]
}

// r2 fits the target and its ranks to one half, by a line in every bin of a number
// and by a mean for every value of anything else, and returns the shares of their
// variance on the other half that this explains. Where few rows have nearly all of
// the variance, the ranks tell more.
func (y *answer) r2(c *Column, half uint8) (values, ranks float64) {
	bins, n := y.bins(c, half)
	return y.explained(c, bins, n, y.values, half), y.explained(c, bins, n, y.ranks, half)
}

func (y *answer) explained(c *Column, bins []int, n int, values []float64, half uint8) float64 {
	type moments struct{ n, x, y, xx, xy, center float64 }
	m := make([]moments, n)
	var fitted, judged moments
	for r, b := range bins {
		if y.half[r] != half {
			judged.n++
			judged.y += values[r]
			continue
		}
		v, d, p := values[r], 0.0, &m[b]
		if b > 0 && c.Type.numeric() {
			x := c.Numbers[y.rows[r]]
			if p.n == 0 {
				p.center = x // so that the sums do not cancel
			}
			d = x - p.center
		}
		p.n++
		p.x += d
		p.y += v
		p.xx += d * d
		p.xy += d * v
		fitted.n++
		fitted.y += v
	}
	if fitted.n == 0 || judged.n == 0 {
		return 0
	}
	var rest, total float64
	for r, b := range bins {
		if y.half[r] == half {
			continue
		}
		p := &m[b]
		guess := fitted.y / fitted.n
		if p.n > 0 {
			guess = p.y / p.n
			if variance := p.xx - p.x*p.x/p.n; variance > 0 {
				slope := (p.xy - p.x*p.y/p.n) / variance
				guess += slope * (c.Numbers[y.rows[r]] - p.center - p.x/p.n)
			}
		}
		mean := judged.y / judged.n
		rest += (values[r] - guess) * (values[r] - guess)
		total += (values[r] - mean) * (values[r] - mean)
	}
	if total == 0 {
		return 0
	}
	return 1 - rest/total
}

// findSums finds numbers of which some weighted sum is the target. It fits all of
// them by least squares to one half, then leaves out one after another while the
// rest still explains the other half.
func findSums(t *Table, y *answer, found [][]Finding) {
	if y.values == nil || len(y.rows) < leakRows {
		return
	}
	const most, sample = 300, 20_000 // columns and rows; the work grows with both
	rows := make([]int, 0, sample)   // numbers of y.rows
	for r := 0; r < len(y.rows); r += len(y.rows)/sample + 1 {
		rows = append(rows, r)
	}
	var columns []int
	for j, c := range t.Columns {
		if c.Type != Number || c.Name == y.name || len(found[j]) > 0 {
			continue
		}
		if !slices.ContainsFunc(y.rows, c.Missing) {
			columns = append(columns, j)
		}
	}
	if len(columns) < 2 || len(columns) > most {
		return
	}
	// Standardised by all rows, the last being the target.
	p := len(columns) + 1
	value := func(j, r int) float64 {
		if j == p-1 {
			return y.values[r]
		}
		return t.Columns[columns[j]].Numbers[y.rows[r]]
	}
	mean, scale := make([]float64, p), make([]float64, p)
	for j := range p {
		for _, r := range rows {
			mean[j] += value(j, r)
		}
		mean[j] /= float64(len(rows))
		for _, r := range rows {
			d := value(j, r) - mean[j]
			scale[j] += d * d
		}
		if scale[j] = math.Sqrt(scale[j] / float64(len(rows))); scale[j] == 0 {
			scale[j] = 1
		}
	}
	var gram [2]*mat.SymDense
	row := mat.NewVecDense(p, nil)
	for h := range gram {
		gram[h] = mat.NewSymDense(p, nil)
	}
	for _, r := range rows {
		for j := range p {
			row.SetVec(j, (value(j, r)-mean[j])/scale[j])
		}
		gram[y.half[r]].SymRankOne(gram[y.half[r]], 1, row)
	}
	r2 := func(chosen []int) float64 {
		return min(sumR2(gram[0], gram[1], chosen), sumR2(gram[1], gram[0], chosen))
	}
	chosen := make([]int, p-1)
	for j := range chosen {
		chosen[j] = j
	}
	best := r2(chosen)
	if best < leakSumR2 {
		return
	}
	for j := 0; j < len(chosen); {
		without := slices.Delete(slices.Clone(chosen), j, j+1)
		if v := r2(without); len(without) > 0 && v >= leakSumR2 {
			chosen, best = without, v
		} else {
			j++
		}
	}
	for _, j := range chosen {
		name := t.Columns[columns[j]].Name
		var others []string
		for _, k := range chosen {
			if k != j {
				others = append(others, t.Columns[columns[k]].Name)
			}
		}
		found[columns[j]] = append(found[columns[j]], Finding{Column: name, Kind: FindingLeak, Severity: SeverityError, Change: Change{LeaveOut: name},
			Evidence: map[string]float64{"rows": float64(len(rows)), "r2": best, "columns": float64(len(chosen))},
			Message:  fmt.Sprintf("gives %s away: together with %s it adds up to it (R² %.7f of a weighted sum on rows that it was not fitted to)", y.name, join(others), best),
			Remedy:   "left out of the inputs, as it may be known only once the answer is; if it is known when predicting, add it to the inputs: {name: " + name + "}"})
	}
}

// sumR2 fits a weighted sum of the chosen columns by one half's products and
// returns what it explains of the target in the other's.
func sumR2(fit, judge *mat.SymDense, chosen []int) float64 {
	k, y := len(chosen), fit.SymmetricDim()-1
	if k == 0 {
		return 0
	}
	a, b := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for i, p := range chosen {
		for j, q := range chosen[i:] {
			a.SetSym(i, i+j, fit.At(p, q))
		}
		// A trace of ridge keeps columns that say the same from failing.
		a.SetSym(i, i, a.At(i, i)*(1+1e-10)+1e-10)
		b.SetVec(i, fit.At(p, y))
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) {
		return 0
	}
	var w mat.VecDense
	if err := chol.SolveVecTo(&w, b); err != nil {
		if _, ok := err.(mat.Condition); !ok {
			return 0
		}
	}
	total := judge.At(y, y)
	rest := total
	for i, p := range chosen {
		rest -= 2 * w.AtVec(i) * judge.At(p, y)
		for j, q := range chosen {
			rest += w.AtVec(i) * w.AtVec(j) * judge.At(p, q)
		}
	}
	if !(total > 0) {
		return 0
	}
	return 1 - rest/total
}

// join lists names for a sentence.
func join(names []string) string {
	switch n := len(names); n {
	case 0:
		return "nothing else"
	case 1:
		return fmt.Sprintf("%q", names[0])
	default:
		return fmt.Sprintf("%q and %s", names[0], join(names[1:]))
	}
}
