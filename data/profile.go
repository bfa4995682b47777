package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/internal/nearest"
)

// Summary describes one column's values.
type Summary struct {
	Name     string  `json:"name"`
	Type     Type    `json:"type"`
	Missing  float64 `json:"missing"` // share of the rows
	Distinct int     `json:"distinct"`
	// Numbers is set for numbers, First and Last for datetimes, Top (the commonest
	// values) for categories and booleans.
	Numbers *NumberSummary `json:"numbers,omitempty"`
	First   string         `json:"first,omitempty"`
	Last    string         `json:"last,omitempty"`
	Top     []ValueShare   `json:"top,omitempty"`
}

// NumberSummary describes the values of a number that are not missing.
type NumberSummary struct {
	Min    float64 `json:"min"`
	P25    float64 `json:"p25"`
	Median float64 `json:"median"`
	P75    float64 `json:"p75"`
	Max    float64 `json:"max"`
	Mean   float64 `json:"mean"`
	Std    float64 `json:"std"` // of the population
}

// ValueShare is a value and its share of the rows.
type ValueShare struct {
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

// Profile summarises every column and reports which had better not be inputs for
// predicting target, in the order of the columns. target may be "", when nothing
// can give it away. Columns without any distinct value, identifiers and text are
// found from themselves. A column gives the target away when it alone predicts it
// almost perfectly on rows that the prediction was not fitted to, or when having
// a value at all decides it; so do numbers that together add up to it.
func Profile(t *Table, target string) ([]Summary, []Finding, error) {
	views, findings, err := profile(t, target)
	if err != nil {
		return nil, nil, err
	}
	return summaries(views), findings, nil
}

// summaries returns those of the columns.
func summaries(views []*view) []Summary {
	all := make([]Summary, len(views))
	for j, v := range views {
		all[j] = v.summary
	}
	return all
}

// profile is Profile that gives what it has found out of every column, too.
func profile(t *Table, target string) ([]*view, []Finding, error) {
	if t.Rows == 0 {
		return nil, nil, &Error{Problem: "there are no rows to look at"}
	}
	views := make([]*view, len(t.Columns))
	var y *answer
	if target != "" {
		c := t.Column(target)
		if c == nil {
			e := &Error{Column: target, Problem: "the target is not in the data" + has(t.Names())}
			if n := nearest.Name(target, t.Names()); n != "" {
				e.Remedy = fmt.Sprintf("did you mean %q?", n)
			}
			return nil, nil, e
		}
		v := newView(c)
		views[slices.Index(t.Columns, c)] = v
		y = newAnswer(v)
	}
	found := make([][]Finding, len(t.Columns))
	parallel(len(t.Columns), func(j int) {
		if views[j] != nil {
			return // the target
		}
		v := newView(t.Columns[j])
		views[j] = v
		found[j] = findAlone(v.Column, v.summary)
		if y != nil && v.summary.Distinct > 0 && v.Type != Image {
			found[j] = append(found[j], y.findLeak(v.Column)...)
		}
	})
	findDuplicates(views, target, found)
	if y != nil {
		findSums(t, y, found)
	}
	return views, slices.Concat(found...), nil
}

const topValues = 5

// summarise describes a column.
func (v *view) summarise() Summary {
	c := v.Column
	n := c.Len()
	s := Summary{Name: c.Name, Type: c.Type}
	if c.Type.numeric() {
		sorted := v.numbers()
		s.Missing = float64(n-sorted.n()) / float64(max(1, n))
		if s.Distinct = len(sorted.values); s.Distinct == 0 {
			return s
		}
		at := func(q float64) float64 { return sorted.at(int(q*float64(sorted.n()-1) + 0.5)) }
		if c.Type == Datetime {
			s.First, s.Last = formatTime(sorted.first(), c.Layout), formatTime(sorted.last(), c.Layout)
		} else {
			mean, std := sorted.moments(at(0.5))
			s.Numbers = &NumberSummary{Min: at(0), P25: at(0.25), Median: at(0.5), P75: at(0.75), Max: at(1), Mean: mean, Std: std}
		}
		return s
	}
	counts, missing := v.counts(), n
	for _, c := range counts {
		missing -= c
	}
	s.Missing = float64(missing) / float64(max(1, n))
	var order []int
	for k, c := range counts {
		if c > 0 {
			order = append(order, k)
		}
	}
	s.Distinct = len(order)
	if c.Type == Identifier || c.Type == Text || c.Type == Image {
		return s // whose commonest values say nothing
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(c.Dict[a], c.Dict[b])) })
	for _, k := range order[:min(len(order), topValues)] {
		s.Top = append(s.Top, ValueShare{c.Dict[k], float64(counts[k]) / float64(n)})
	}
	return s
}

// moments returns the mean and the standard deviation of numbers, of which one is
// in their middle: it is no further from the mean than one standard deviation, so
// that the squares of the distances from it cancel no digits.
func (o ordered) moments(middle float64) (mean, std float64) {
	// Several sums, as each addition waits for the one before to its sum.
	var sums, squares [4]float64
	if o.ends == nil {
		for k, v := range o.values {
			d := v - middle
			sums[k%4] += d
			squares[k%4] += d * d
		}
	} else {
		last := int32(o.before)
		for k, v := range o.values {
			end := o.ends[k]
			d, times := v-middle, float64(end-last)
			sums[k%4] += times * d
			squares[k%4] += times * d * d
			last = end
		}
	}
	n := float64(o.n())
	sum := (sums[0] + sums[1]) + (sums[2] + sums[3])
	square := (squares[0] + squares[1]) + (squares[2] + squares[3])
	return middle + sum/n, math.Sqrt(max(0, square/n-sum/n*(sum/n)))
}

// takeBack says how to use a column after all.
func takeBack(c *Column) string {
	kind := ""
	if c.Type == Identifier {
		kind = ", type: category"
	}
	return fmt.Sprintf("left out of the inputs; to use it all the same, add it to them: {name: %s%s}", c.Name, kind)
}

// findAlone finds what a column shows by itself.
func findAlone(c *Column, s Summary) []Finding {
	n := c.Len()
	values := int(math.Round(float64(n) * (1 - s.Missing)))
	f := Finding{Column: c.Name, Severity: SeverityNote, Remedy: takeBack(c), Change: Change{LeaveOut: c.Name}, Evidence: map[string]float64{"distinct": float64(s.Distinct), "values": float64(values), "missing": s.Missing}}
	switch {
	case s.Distinct == 0:
		f.Kind, f.Message = FindingConstant, "has no value in any row"
	case s.Distinct == 1 && s.Missing == 0:
		f.Kind, f.Message = FindingConstant, fmt.Sprintf("has the same value %sin all %d rows", sample(c), n)
	case c.Type == Identifier:
		f.Kind, f.Message = FindingIdentifier, fmt.Sprintf("tells rows apart: %d distinct among %d values", s.Distinct, values)
	case c.Type == Number && values >= 100 && s.Distinct == values && ascending(c):
		f.Kind, f.Message = FindingIdentifier, fmt.Sprintf("numbers the rows: %d whole numbers, each larger than the one before", values)
	default:
		return nil
	}
	return []Finding{f}
}

// ascending says whether the values are whole numbers that rise from row to row,
// and no Unix times, which do so in any log.
func ascending(c *Column) bool {
	last := math.Inf(-1)
	for _, v := range c.Numbers {
		if math.IsNaN(v) {
			continue
		}
		if v <= last || v != math.Trunc(v) {
			return false
		}
		last = v
	}
	return !(last > 3e8 && last < 4e9) && !(last > 3e11 && last < 4e12)
}

// findDuplicates finds columns that equal an earlier one.
func findDuplicates(views []*view, target string, found [][]Finding) {
	// Only columns that look the same are compared value by value.
	type look struct {
		kind     Type
		distinct int
		missing  float64
		numbers  NumberSummary
		first    string
	}
	alike := map[look][]int{}
	for j, v := range views {
		if s := v.summary; s.Distinct >= 2 {
			l := look{s.Type, s.Distinct, s.Missing, NumberSummary{}, s.First}
			if s.Numbers != nil {
				l.numbers = NumberSummary{Min: s.Numbers.Min, P25: s.Numbers.P25, Median: s.Numbers.Median, P75: s.Numbers.P75, Max: s.Numbers.Max}
			}
			alike[l] = append(alike[l], j)
		}
	}
	again := map[int]int{} // a column: the first that equals it
	for _, list := range alike {
		first := map[uint64]int{}
		for _, j := range list {
			if len(list) == 1 {
				break
			}
			h := hashColumn(views[j].Column)
			if k, ok := first[h]; ok {
				again[j] = k
			} else {
				first[h] = j
			}
		}
	}
	for j, v := range views {
		k, ok := again[j]
		if !ok || v.Name == target || views[k].Name == target || len(found[j]) > 0 {
			continue // equal to the target is a leak, which is found as such
		}
		found[j] = append(found[j], Finding{Column: v.Name, Kind: FindingDuplicate, Severity: SeverityNote, Change: Change{LeaveOut: v.Name}, Evidence: map[string]float64{"rows": float64(v.Len())},
			Message: fmt.Sprintf("equals %q in every row", views[k].Name), Remedy: takeBack(v.Column)})
	}
}

// hashColumn is of all values in their order.
func hashColumn(c *Column) uint64 {
	h := uint64(len(c.Type))
	hashes := make([]uint64, len(c.Dict))
	for k, v := range c.Dict {
		hashes[k] = hashString(v)
	}
	for i := range c.Len() {
		var v uint64
		switch {
		case c.Missing(i):
		case c.Type.numeric():
			v = math.Float64bits(c.Numbers[i]+0) + 1 // -0 is 0
		default:
			v = hashes[c.Codes[i]]
		}
		h = fold(h^v, 0xa0761d6478bd642f) + uint64(i)
	}
	return h
}

// Kinds of targets.
const (
	TargetBinary   = "binary"
	TargetCategory = "category"
	TargetNumber   = "number"
	TargetSet      = "set"
)

// TargetKind suggests what predicting the column means, and says why. Two
// distinct values are binary. Whole numbers are categories if there are at most
// 10, consecutive from 0 or 1; they may be amounts or grades all the same, so that
// the caller lets the user choose. A column that cannot be a target is an error.
func TargetKind(c *Column) (kind, why string, err error) { return targetKind(newView(c)) }

func targetKind(v *view) (kind, why string, err error) {
	c, s := v.Column, v.summary
	if s.Distinct < 2 {
		what := "has no value in any row"
		if s.Distinct == 1 {
			for i := range c.Len() {
				if !c.Missing(i) {
					what = fmt.Sprintf("has only the value %s", quoteText(c.Text(i)))
					break
				}
			}
		}
		return "", "", &Error{Column: c.Name, Problem: "the target " + what + ", expected at least two to tell apart", Remedy: "choose another target, or rows that have both outcomes"}
	}
	if why, ok := looksLikeSets(c); ok {
		return TargetSet, why, nil
	}
	switch c.Type {
	case Number:
		whole := true
		for _, v := range c.Numbers {
			whole = whole && (math.IsNaN(v) || v == math.Trunc(v))
		}
		span := s.Numbers.Max - s.Numbers.Min + 1
		switch {
		case s.Distinct == 2:
			return TargetBinary, "it has two values", nil
		case whole && s.Distinct <= 10 && span == float64(s.Distinct) && (s.Numbers.Min == 0 || s.Numbers.Min == 1):
			return TargetCategory, fmt.Sprintf("its values are the whole numbers %g to %g", s.Numbers.Min, s.Numbers.Max), nil
		}
		return TargetNumber, fmt.Sprintf("it is a number with %d distinct values", s.Distinct), nil
	case Boolean, Category:
		if s.Distinct == 2 {
			return TargetBinary, "it has two values", nil
		}
		return TargetCategory, fmt.Sprintf("it has %d distinct values", s.Distinct), nil
	}
	return "", "", &Error{Column: c.Name, Problem: fmt.Sprintf("the target is of type %s, expected a number, category or boolean", c.Type), Remedy: "choose another target, or set its type in data.types"}
}

// sample quotes a column's first value, before a space; "" for images.
func sample(c *Column) string {
	if c.Type == Image {
		return ""
	}
	return quoteText(c.Text(0)) + " "
}
