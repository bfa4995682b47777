package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/internal/nearest"
	"github.com/hone-ml/hone/internal/splitmix"
)

// SplitSpec says how rows are divided.
type SplitSpec struct {
	Method    string    `yaml:"method" json:"method,omitempty" enum:"random,stratified,group,time" doc:"stratified keeps the target's distribution in every part; group keeps rows with the same value of column together; time gives the earliest rows by column to the first part"`
	Fractions []float64 `yaml:"fractions" json:"fractions,omitempty" above:"0" max:"1" doc:"of the rows that the parts get; they sum to 1"`
	Column    string    `yaml:"column" json:"column,omitempty" doc:"of the groups or times"`
}

// Split divides the table's rows into one part a fraction, each in ascending
// order. It depends on the rows and the seed alone, on every machine. A part
// without rows is an error.
//
// A stratified split takes the classes of target, or its deciles if it is a
// number with more than 20 distinct values; a class has a row in the largest part
// before any other. In a split by group the fractions are met as well as whole
// groups allow; rows without a group are each their own. In a split by time, rows
// of one time are not divided.
func Split(t *Table, spec SplitSpec, target string, seed uint64) ([][]int, error) {
	if err := spec.check(t, target); err != nil {
		return nil, err
	}
	key := func(i int) uint64 { return splitmix.Next(seed ^ splitmix.Next(uint64(i))) }
	order := make([]int, t.Rows)
	for i := range order {
		order[i] = i
	}
	d := divider{fractions: spec.Fractions, parts: make([][]int, len(spec.Fractions))}
	switch spec.Method {
	case "", "random":
		slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(key(a), key(b)), a-b) })
		for _, i := range order {
			d.give(i)
		}
	case "stratified":
		stratum := strata(t.Column(target))
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(stratum[a], stratum[b]), cmp.Compare(key(a), key(b)), a-b)
		})
		largest := slices.Index(spec.Fractions, slices.Max(spec.Fractions))
		for k, i := range order {
			if k == 0 || stratum[i] != stratum[order[k-1]] {
				d.giveTo(largest, i)
			} else {
				d.give(i)
			}
		}
	case "group":
		for _, g := range groups(t.Column(spec.Column), key) {
			d.give(g...)
		}
	case "time":
		c := t.Column(spec.Column)
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Numbers[a], c.Numbers[b]) })
		part, sum := 0, spec.Fractions[0]
		for k, i := range order {
			same := k > 0 && c.Numbers[i] == c.Numbers[order[k-1]]
			for !same && part < len(d.parts)-1 && float64(k) >= math.Round(sum*float64(t.Rows)) {
				part++
				sum += spec.Fractions[part]
			}
			d.giveTo(part, i)
		}
	}
	for p, rows := range d.parts {
		if len(rows) == 0 {
			return nil, &Error{Problem: fmt.Sprintf("a %s split of %d rows leaves part %d (fraction %g) without any", cmp.Or(spec.Method, "random"), t.Rows, p+1, spec.Fractions[p]), Remedy: "give it a larger fraction, or more rows, groups or times"}
		}
		slices.Sort(rows)
	}
	return d.parts, nil
}

func (spec *SplitSpec) check(t *Table, target string) error {
	methods := []string{"random", "stratified", "group", "time"}
	if spec.Method != "" && !slices.Contains(methods, spec.Method) {
		return &Error{Problem: fmt.Sprintf("data.split.method is %q, expected random, stratified, group or time", spec.Method)}
	}
	sum := 0.0
	for _, f := range spec.Fractions {
		if !(f > 0 && f <= 1) {
			return &Error{Problem: fmt.Sprintf("a fraction of data.split.fractions is %g, expected more than 0 and at most 1", f)}
		}
		sum += f
	}
	if len(spec.Fractions) == 0 || math.Abs(sum-1) > 1e-6 {
		return &Error{Problem: fmt.Sprintf("data.split.fractions %v sum to %g, expected 1", spec.Fractions, sum), Remedy: "write one fraction for every part, such as [0.8, 0.1, 0.1]"}
	}
	return checkBy(t, "split", "data.split", spec.Method, spec.Column, target)
}

// checkBy finds what a division by that method cannot use: what names it, and
// key is where the configuration says how it is done.
func checkBy(t *Table, what, key, method, column, target string) error {
	switch method {
	case "stratified":
		if t.Column(target) == nil {
			return &Error{Column: target, Problem: fmt.Sprintf("a stratified %s needs the target, and there is no such column%s", what, has(t.Names()))}
		}
		return nil
	case "group", "time", "expanding":
	default:
		return nil
	}
	by := fmt.Sprintf("the %s by %s", what, cmp.Or(map[string]string{"expanding": "expanding window"}[method], method))
	c := t.Column(column)
	if c == nil {
		if column == "" {
			return &Error{Problem: by + " needs a column, and none is given", Remedy: "set " + key + ".column to one of" + strings.TrimPrefix(has(t.Names()), ": it has")}
		}
		e := &Error{Column: column, Problem: fmt.Sprintf("%s needs it, and there is no such column%s", by, has(t.Names())), Remedy: "set " + key + ".column"}
		if n := nearest.Name(column, t.Names()); n != "" {
			e.Remedy = fmt.Sprintf("did you mean %q?", n)
		}
		return e
	}
	if method == "group" {
		return nil
	}
	if !c.Type.numeric() {
		return &Error{Column: column, Problem: fmt.Sprintf("%s needs a datetime or a number, and this is of type %s", by, c.Type), Remedy: "set its type in data.types, or its layout in data.layouts"}
	}
	for i := range c.Numbers {
		if c.Missing(i) {
			return &Error{Column: column, Problem: fmt.Sprintf("row %d has no time, and %s needs one for every row", i+1, by), Remedy: "fill it in or remove the row"}
		}
	}
	return nil
}

// divider gives rows to the part that lacks most.
type divider struct {
	fractions []float64
	parts     [][]int
	given     int
}

// give keeps, after every call for one row, each part within one row of its
// share; so do all rows of a stratum, which are given one after another.
func (d *divider) give(rows ...int) {
	best, most := 0, math.Inf(-1)
	for p, f := range d.fractions {
		if lack := f*float64(d.given+len(rows)) - float64(len(d.parts[p])); lack > most+1e-9 {
			best, most = p, lack
		}
	}
	d.giveTo(best, rows...)
}

func (d *divider) giveTo(part int, rows ...int) {
	d.parts[part] = append(d.parts[part], rows...)
	d.given += len(rows)
}

// strata numbers the rows by class, or decile, of the target.
func strata(c *Column) []int {
	s := make([]int, c.Len())
	if !c.Type.numeric() {
		for i, k := range distinct(c).Codes {
			s[i] = int(k)
		}
		return s
	}
	sorted := sortedNumbers(c)
	levels := slices.Compact(slices.Clone(sorted))
	if len(levels) > 20 {
		edges := levels[:0]
		for q := 1; q < 10; q++ {
			edges = append(edges, sorted[q*len(sorted)/10])
		}
		levels = edges
	}
	for i, v := range c.Numbers {
		if s[i] = -1; !math.IsNaN(v) {
			s[i], _ = slices.BinarySearch(levels, v)
		}
	}
	return s
}

// groups gathers rows by their value, in an order that key shuffles.
func groups(c *Column, key func(int) uint64) [][]int {
	var all [][]int
	at := map[string]int{}
	for i := range c.Len() {
		if c.Missing(i) {
			all = append(all, []int{i})
			continue
		}
		v := c.Text(i)
		g, ok := at[v]
		if !ok {
			g = len(all)
			at[v] = g
			all = append(all, nil)
		}
		all[g] = append(all[g], i)
	}
	slices.SortFunc(all, func(a, b []int) int { return cmp.Or(cmp.Compare(key(a[0]), key(b[0])), a[0]-b[0]) })
	return all
}

// distinct returns the column with a dictionary that holds every value once, which
// that of identifiers and text need not; of images it holds what tells them apart.
func distinct(c *Column) *Column {
	if c.Type != Identifier && c.Type != Text && c.Type != Image && c.Type != Set {
		return c
	}
	return once(c.digests())
}

// once is distinct of a column whose dictionary may hold a value twice.
func once(c *Column) *Column {
	hashes := make([]uint64, len(c.Dict))
	inChunks(len(c.Dict), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			hashes[k] = hashString(c.Dict[k])
		}
	})
	first, repeated := firstOf(hashes)
	next := int32(0) // code, where they are in the order of the rows
	for _, k := range c.Codes {
		if k == next {
			next++
		} else if k > next {
			break
		}
	}
	if !repeated && int(next) == len(c.Dict) {
		return c // as that of a file is, if no value is in two rows
	}
	d := *c
	d.Codes, d.Dict = make([]int32, len(c.Codes)), make([]string, 0, len(c.Dict))
	codes := make([]int32, len(c.Dict)) // 1 + the new one of an old one
	for i, k := range c.Codes {
		if d.Codes[i] = -1; k < 0 {
			continue
		}
		f := first[k]
		if f != k && c.Dict[f] != c.Dict[k] {
			f = k // no more than their hashes are equal
		}
		if codes[f] == 0 {
			d.Dict = append(d.Dict, c.Dict[f])
			codes[f] = int32(len(d.Dict))
		}
		d.Codes[i] = codes[f] - 1
	}
	return &d
}
