package explain

import (
	"math"
	"sort"

	"github.com/hone-ml/hone/data"
)

// GroupAt is how closely two columns must go together for [Groups]: the absolute rank
// correlation, or for categories what corresponds to it.
const GroupAt = 0.8

const (
	groupRows   = 2000 // that are looked at
	groupValues = 50   // of a category, beyond which it tells rows apart rather than kinds
)

// Groups returns columns that tell much the same, each group in the order of names.
// Two numbers or dates go together by Spearman's rank correlation, a number and a
// category by the correlation ratio of the ranks (how much of them the category
// tells), two categories by Cramér's V without its bias (Bergsma 2013, A bias
// correction for Cramér's V and Tschuprow's T). Groups are joined where any two of
// their columns go together. A value that is missing is a category, and of numbers in
// the middle. Texts, images and categories of more than 50 values are left out.
func Groups(t *data.Table, names []string) [][]string {
	if t.Rows > groupRows {
		rows := make([]int, groupRows)
		for i := range rows {
			rows[i] = i * t.Rows / groupRows
		}
		t = t.Select(rows)
	}
	type column struct {
		name  string
		ranks []float64 // of mean 0 and length 1; nil: a category
		codes []int
		kinds int
	}
	var all []column
	for _, name := range names {
		c := t.Column(name)
		switch {
		case c == nil || t.Rows < 3:
		case c.Type == data.Number || c.Type == data.Datetime:
			if ranks := standardRanks(c.Numbers); ranks != nil {
				all = append(all, column{name: name, ranks: ranks})
			}
		case c.Type == data.Category || c.Type == data.Boolean:
			index, codes := map[any]int{}, make([]int, t.Rows)
			for i := range codes {
				v := value(c, i)
				if _, ok := index[v]; !ok {
					index[v] = len(index)
				}
				codes[i] = index[v]
			}
			if len(index) > 1 && len(index) <= groupValues {
				all = append(all, column{name: name, codes: codes, kinds: len(index)})
			}
		}
	}
	together := func(a, b column) float64 {
		switch {
		case a.ranks != nil && b.ranks != nil:
			sum := 0.0
			for i, x := range a.ranks {
				sum += float64(x * b.ranks[i])
			}
			return math.Abs(sum)
		case a.ranks != nil:
			return correlationRatio(b.codes, b.kinds, a.ranks)
		case b.ranks != nil:
			return correlationRatio(a.codes, a.kinds, b.ranks)
		}
		return cramer(a.codes, a.kinds, b.codes, b.kinds)
	}
	group := make([]int, len(all)) // the number of the first column of each one's group
	for i := range all {
		group[i] = i
		for j := range i {
			if group[i] != group[j] && together(all[i], all[j]) >= GroupAt {
				from, to := max(group[i], group[j]), min(group[i], group[j])
				for k := range i + 1 {
					if group[k] == from {
						group[k] = to
					}
				}
			}
		}
	}
	var out [][]string
	for i := range all {
		var names []string
		for j := range all {
			if group[j] == i {
				names = append(names, all[j].name)
			}
		}
		if len(names) > 1 {
			out = append(out, names)
		}
	}
	return out
}

// standardRanks returns the ranks of numbers, of equal ones their mean and of missing
// ones the middle, moved and scaled to mean 0 and length 1; nil where all are equal.
func standardRanks(xs []float64) []float64 {
	var order []int
	for i, x := range xs {
		if !math.IsNaN(x) {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return xs[order[a]] < xs[order[b]] })
	ranks, length := make([]float64, len(xs)), 0.0
	middle := float64(len(order)-1) / 2
	for lo := 0; lo < len(order); {
		hi := lo
		for hi < len(order) && xs[order[hi]] == xs[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			ranks[i] = float64(lo+hi-1)/2 - middle
			length += float64(ranks[i] * ranks[i])
		}
		lo = hi
	}
	if length == 0 {
		return nil
	}
	for i := range ranks {
		ranks[i] /= math.Sqrt(length)
	}
	return ranks
}

// correlationRatio is the root of the share that the kinds explain of the squares of
// values of mean 0 and length 1, corrected for what as many random kinds explain.
func correlationRatio(codes []int, kinds int, values []float64) float64 {
	sums, counts := make([]float64, kinds), make([]float64, kinds)
	for i, k := range codes {
		sums[k] += values[i]
		counts[k]++
	}
	explained := 0.0
	for k, s := range sums {
		explained += s * s / counts[k]
	}
	n, k := float64(len(codes)), float64(kinds)
	if n <= k {
		return 0
	}
	return math.Sqrt(max(0, 1-(1-explained)*(n-1)/(n-k)))
}

func cramer(a []int, ka int, b []int, kb int) float64 {
	both, as, bs := make([]float64, ka*kb), make([]float64, ka), make([]float64, kb)
	for i := range a {
		both[a[i]*kb+b[i]]++
		as[a[i]]++
		bs[b[i]]++
	}
	n, phi := float64(len(a)), 0.0
	for i := range both {
		e := as[i/kb] * bs[i%kb] / n
		phi += (both[i] - e) * (both[i] - e) / e
	}
	r, c := float64(ka), float64(kb)
	phi = max(0, phi/n-(r-1)*(c-1)/(n-1))
	r, c = r-(r-1)*(r-1)/(n-1), c-(c-1)*(c-1)/(n-1)
	return math.Sqrt(phi / min(r-1, c-1))
}
