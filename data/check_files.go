package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/internal/splitmix"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// What must differ between two tables to be called drift: more than chance would
// have it, with all columns looked at, and by as much as the population stability
// index calls a change, or a large one.
const (
	driftChance  = 1e-5
	targetChance = 0.0001 // and of the target
	driftIndex   = 0.1
	driftTarget  = 0.05 // of the target, on whose shares most of what is measured depends
	driftLarge   = 0.25
	driftBins    = 10 // of a number, with as many rows each in the first table
	driftValues  = 50 // of a category, the rest being one
)

// drift compares the distribution of a column in both tables.
func (k *checker) drift(v *view) []Finding {
	o := v.other
	if o == nil || o.Type != v.Type || v.Type == Identifier || v.Type == Text || v.Type == Image || v.Type == Datetime || k.kinds[v.Name] != "" {
		return nil
	}
	a, b, where := v.bins(o)
	n, m := 0.0, 0.0
	for i := range a {
		n += a[i]
		m += b[i]
	}
	if n < 20 || m < 20 {
		return nil
	}
	index, chi, free := 0.0, 0.0, -1.0
	top := 0
	for i := range a {
		if a[i]+b[i] == 0 {
			continue
		}
		// Half a row more keeps an empty bin from being infinitely far.
		p, q := (a[i]+0.5)/(n+0.5*float64(len(a))), (b[i]+0.5)/(m+0.5*float64(len(a)))
		index += (q - p) * math.Log(q/p)
		both := (a[i] + b[i]) / (n + m)
		chi += (a[i]-n*both)*(a[i]-n*both)/(n*both) + (b[i]-m*both)*(b[i]-m*both)/(m*both)
		free++
		if math.Abs(b[i]/m-a[i]/n) > math.Abs(b[top]/m-a[top]/n) {
			top = i
		}
	}
	if free < 1 || index < driftIndex && !(v.Name == k.Target && index >= driftTarget) {
		return nil
	}
	p := distuv.ChiSquared{K: free}.Survival(chi)
	chance := driftChance / float64(len(k.table.Columns))
	if v.Name == k.Target { // one column, looked at for its own sake
		chance = targetChance
	}
	if p > chance {
		return nil
	}
	f := Finding{Column: v.Name, Kind: FindingDrift, Severity: SeverityNote, Evidence: map[string]float64{"psi": index, "p": p, "here": a[top] / n, "there": b[top] / m},
		Message: fmt.Sprintf("is distributed otherwise in the other file (stability index %.2f): %s in %.3g %% of the rows here and %.3g %% there", index, where(top), 100*a[top]/n, 100*b[top]/m),
		Remedy:  "find out why; what is measured on the one does not hold for the other"}
	if index >= driftLarge || v.Name == k.Target {
		f.Severity = SeverityWarning
	}
	if here, there := mean(v.Numbers), mean(o.Numbers); v.Type == Number && !math.IsNaN(here+there) {
		f.Evidence["mean_here"], f.Evidence["mean_there"] = here, there
		f.Message += fmt.Sprintf("; the mean is %.4g here and %.4g there", here, there)
	}
	return []Finding{f}
}

// mean is NaN where no value is there.
func mean(values []float64) float64 {
	n, sum := 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
			sum += v
		}
	}
	return sum / n
}

// bins counts the rows of both tables in the same bins. Bins that hold too few
// rows for a test of frequencies are joined to the last.
func (v *view) bins(o *Column) (a, b []float64, where func(int) string) {
	if v.Type == Number {
		all := v.numbers()
		var edges []float64
		for q := 1; q < driftBins && all.n() > 0; q++ {
			edges = append(edges, all.at(q*all.n()/driftBins))
		}
		edges = slices.Compact(edges)
		a, b = make([]float64, len(edges)+2), make([]float64, len(edges)+2)
		count := func(into []float64, c *Column) {
			for i, x := range c.Numbers {
				if c.Missing(i) {
					into[len(into)-1]++
					continue
				}
				k, equal := slices.BinarySearch(edges, x)
				if equal {
					k++
				}
				into[k]++
			}
		}
		count(a, v.Column)
		count(b, o)
		return a, b, func(i int) string {
			switch {
			case i == len(a)-1:
				return "it is missing"
			case len(edges) == 0:
				return "it has a value"
			case i == 0:
				return "it is below " + formatNumber(edges[0], "")
			case i == len(edges):
				return "it is at least " + formatNumber(edges[i-1], "")
			}
			return fmt.Sprintf("it is from %s to below %s", formatNumber(edges[i-1], ""), formatNumber(edges[i], ""))
		}
	}
	at := map[string]int{}
	var names []string
	var here, there []float64
	count := func(c *Column, into, other *[]float64) {
		index := make([]int, len(c.Dict))
		for k, s := range c.Dict {
			n, ok := at[s]
			if !ok {
				n = len(names)
				at[s] = n
				names = append(names, s)
				*into, *other = append(*into, 0), append(*other, 0)
			}
			index[k] = n
		}
		for _, k := range c.Codes {
			if k >= 0 {
				(*into)[index[k]]++
			}
		}
	}
	count(v.Column, &here, &there)
	count(o, &there, &here)
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch d := here[y] + there[y] - here[x] - there[x]; {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return 0
	})
	n, m := float64(v.Len()), float64(o.Len())
	var kept []int
	var restA, restB, missingA, missingB float64 = 0, 0, n, m
	for _, i := range order {
		missingA -= here[i]
		missingB -= there[i]
		if both := here[i] + there[i]; len(kept) < driftValues && min(n, m)*both/(n+m) >= 5 {
			kept = append(kept, i)
			a, b = append(a, here[i]), append(b, there[i])
		} else {
			restA += here[i]
			restB += there[i]
		}
	}
	a, b = append(a, restA, missingA), append(b, restB, missingB)
	return a, b, func(i int) string {
		switch {
		case i < len(kept):
			return "it is " + quoteText(names[kept[i]])
		case i == len(kept):
			return "it is one of the rarer values"
		}
		return "it is missing"
	}
}

// What a linear model must reach, in telling the rows of two tables apart, for it
// to be reported.
const (
	apartAUC    = 0.6
	apartLarge  = 0.75
	apartSample = 20_000 // rows of each table
	apartWidth  = 200    // numbers that the model is given
	apartLevels = 20     // of a category
	apartRidge  = 1e-3   // of the variance
)

// apart fits a linear model to half of the rows that tells which table a row is
// from, and judges it on the other half. It sees what columns show together, which
// drift does not.
func (k *checker) apart() []Finding {
	if k.Against == nil {
		return nil
	}
	var features []feature
	for _, c := range k.table.Columns {
		o := k.Against.Column(c.Name)
		if o == nil || o.Type != c.Type || c.Name == k.Target || k.kinds[c.Name] != "" || len(features) >= apartWidth {
			continue
		}
		for _, value := range featuresOf(c, o) {
			features = append(features, feature{c.Name, value})
		}
	}
	if len(features) == 0 {
		return nil
	}
	tables := [2]*Table{k.table, k.Against}
	var half [2][][2]int // table and row
	var counts [2][2]int
	for t, table := range tables {
		for i := 0; i < table.Rows; i += table.Rows/apartSample + 1 {
			h := int(splitmix.Next(uint64(2*i+t)) >> 32 & 1)
			half[h] = append(half[h], [2]int{t, i})
			counts[h][t]++
		}
	}
	if min(counts[0][0], counts[0][1], counts[1][0], counts[1][1]) < 30 {
		return nil
	}
	w, difference := discriminant(features, half[0], counts[0])
	if w == nil {
		return nil
	}
	scores := make([]float64, len(half[1]))
	for r, at := range half[1] {
		for j, f := range features {
			scores[r] += w.AtVec(j) * f.value(at[0], at[1])
		}
	}
	sum := 0.0
	for r, rank := range ranks(scores) {
		if half[1][r][0] == 1 {
			sum += rank
		}
	}
	n, m := float64(counts[1][0]), float64(counts[1][1])
	auc := (sum - m*(m-1)/2) / (n * m)
	chance := math.Sqrt((n + m + 1) / (12 * n * m)) // standard deviation without a difference
	if auc < apartAUC || auc < 0.5+5*chance {
		return nil
	}
	// A column's part in the distance between the tables.
	part := map[string]float64{}
	var names []string
	for j, f := range features {
		if _, ok := part[f.column]; !ok {
			names = append(names, f.column)
		}
		part[f.column] += w.AtVec(j) * difference.AtVec(j)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(part[b], part[a]) })
	f := Finding{Kind: FindingApart, Severity: SeverityNote, Evidence: map[string]float64{"auc": auc, "chance": chance, "rows": n + m},
		Message: fmt.Sprintf("a linear model tells the rows of the two files apart with an AUC of %.3f on rows that it was not fitted to (0.5 is chance), most by %s", auc, join(names[:min(len(names), 3)])),
		Remedy:  "look at what differs; if the other file is for testing, it measures how the model does elsewhere or later, not on such rows as these"}
	if auc >= apartLarge {
		f.Severity = SeverityWarning
	}
	return []Finding{f}
}

// A feature is one number of a row of either table.
type feature struct {
	column string
	value  func(table, row int) float64
}

// featuresOf returns a column as numbers of about the same scale: a number, and
// whether it is missing; each of the commonest values of a category.
func featuresOf(c, o *Column) []func(table, row int) float64 {
	tables := [2]*Column{c, o}
	missing := func(t, i int) float64 {
		if tables[t].Missing(i) {
			return 1
		}
		return 0
	}
	switch c.Type {
	case Number:
		sorted := sortedNumbers(c)
		if len(sorted) == 0 {
			return nil
		}
		at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1))] }
		middle, low, high := at(0.5), at(0.01), at(0.99)
		if high <= low {
			return nil
		}
		return []func(int, int) float64{func(t, i int) float64 {
			if tables[t].Missing(i) {
				return 0
			}
			return (min(max(tables[t].Numbers[i], low), high) - middle) / (high - low)
		}, missing}
	case Category, Boolean:
		counts := make([]int, len(c.Dict))
		order := make([]int, len(c.Dict))
		for k := range order {
			order[k] = k
		}
		for _, k := range c.Codes {
			if k >= 0 {
				counts[k]++
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return counts[b] - counts[a] })
		list := []func(int, int) float64{missing}
		for _, k := range order[:min(len(order), apartLevels)] {
			codes := [2]int32{int32(k), int32(slices.Index(o.Dict, c.Dict[k]))}
			list = append(list, func(t, i int) float64 {
				if code := tables[t].Codes[i]; code >= 0 && code == codes[t] {
					return 1
				}
				return 0
			})
		}
		return list
	}
	return nil
}

// discriminant returns Fisher's linear discriminant between the tables, slightly
// regularised, and the difference of their means; nil if there is none.
func discriminant(features []feature, rows [][2]int, counts [2]int) (w, difference *mat.VecDense) {
	p := len(features)
	x := mat.NewDense(len(rows), p, nil)
	var means [2][]float64
	for t := range means {
		means[t] = make([]float64, p)
	}
	for r, at := range rows {
		for j, f := range features {
			v := f.value(at[0], at[1])
			x.Set(r, j, v)
			means[at[0]][j] += v / float64(counts[at[0]])
		}
	}
	for r, at := range rows {
		for j := range features {
			x.Set(r, j, x.At(r, j)-means[at[0]][j])
		}
	}
	within := mat.NewSymDense(p, nil)
	within.SymOuterK(1/float64(len(rows)), x.T())
	w, difference = mat.NewVecDense(p, nil), mat.NewVecDense(p, nil)
	for j := range p {
		within.SetSym(j, j, within.At(j, j)*(1+apartRidge)+1e-6)
		difference.SetVec(j, means[1][j]-means[0][j])
	}
	var chol mat.Cholesky
	if !chol.Factorize(within) {
		return nil, nil
	}
	if err := chol.SolveVecTo(w, difference); err != nil {
		if _, ill := err.(mat.Condition); !ill {
			return nil, nil
		}
	}
	return w, difference
}

// unseen finds categories of the other table that this one does not have.
func (k *checker) unseen(v *view) []Finding {
	o := v.other
	if o == nil || v.Type != Category || o.Type != Category || k.kinds[v.Name] != "" {
		return nil
	}
	known := map[string]bool{}
	for i, n := range v.counts() {
		if n > 0 {
			known[v.Dict[i]] = true
		}
	}
	counts := make([]int, len(o.Dict))
	for _, c := range o.Codes {
		if c >= 0 {
			counts[c]++
		}
	}
	rows, values := 0, 0
	var list []string
	for i, n := range counts {
		if n > 0 && !known[o.Dict[i]] {
			rows += n
			values++
			if len(list) < 5 {
				list = append(list, fmt.Sprintf("%s (%d)", quoteText(o.Dict[i]), n))
			}
		}
	}
	if rows == 0 {
		return nil
	}
	if values > len(list) {
		list = append(list, fmt.Sprintf("%d more", values-len(list)))
	}
	f := Finding{Column: v.Name, Kind: FindingUnseen, Severity: SeverityNote, Evidence: map[string]float64{"values": float64(values), "rows": float64(rows), "of": float64(o.Len())},
		Message: fmt.Sprintf("has %s in the other file that this one does not have, in %s (%s): %s", plural(values, "value", "values"), plural(rows, "row", "rows"), share(rows, o.Len()), strings.Join(list, ", ")),
		Remedy:  "such a value is predicted like an unknown one; find rows that have it"}
	switch {
	case v.Name == k.Target:
		f.Severity, f.Remedy = SeverityError, "these rows cannot be predicted rightly: find rows to learn them from, or correct the spelling"
	case rows*100 >= o.Len():
		f.Severity = SeverityWarning
	}
	return []Finding{f}
}
