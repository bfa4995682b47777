package data

import (
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/internal/splitmix"
	"gonum.org/v1/gonum/stat/distuv"
)

// rowSet holds a hash of every row, which is the same in every table that was read
// with the same schema, whatever the order of its columns.
type rowSet struct {
	table   *Table
	columns []*Column // that count, without the target
	target  *Column
	inputs  []uint64 // hashes of the columns
	all     []uint64 // of the columns and the target
	first   []int32  // of the rows with the same inputs, where that was asked
	some    bool     // rows have the same inputs
}

// repeated says whether rows have the same inputs.
func (r *rowSet) repeated() bool {
	if r.first == nil {
		r.first, r.some = firstOf(r.inputs)
	}
	return r.some
}

func newRows(t *Table, target string, skip func(name string) bool) *rowSet {
	r := &rowSet{table: t, inputs: make([]uint64, t.Rows)}
	for _, c := range t.Columns {
		c = c.digests()
		switch {
		case c.Name == target:
			r.target = c
		case !skip(c.Name):
			r.columns = append(r.columns, c)
		}
	}
	hashers := make([]*hasher, len(r.columns))
	parallel(len(r.columns), func(j int) { hashers[j] = newHasher(r.columns[j]) })
	r.all = r.inputs
	var last *hasher
	if r.target != nil {
		r.all, last = make([]uint64, t.Rows), newHasher(r.target)
	}
	inChunks(t.Rows, func(lo, hi int) {
		for _, h := range hashers {
			h.add(r.inputs, lo, hi, 1)
		}
		if last != nil {
			copy(r.all[lo:hi], r.inputs[lo:hi])
			last.add(r.all, lo, hi, 1)
		}
	})
	return r
}

// names returns the names of the columns that count and of the target.
func (r *rowSet) names() []string {
	var names []string
	for _, c := range r.columns {
		names = append(names, c.Name)
	}
	if r.target != nil {
		names = append(names, r.target.Name)
	}
	return names
}

// inChunks calls f for parts of n rows, several at a time.
func inChunks(n int, f func(lo, hi int)) {
	const chunk = 1 << 13
	parallel((n+chunk-1)/chunk, func(k int) { f(k*chunk, min(n, (k+1)*chunk)) })
}

// hasher gives the hashes of a column's values.
type hasher struct {
	c      *Column
	seed   uint64
	hashes []uint64 // of the dictionary
}

func newHasher(c *Column) *hasher {
	h := &hasher{c: c, seed: hashString(c.Name), hashes: make([]uint64, len(c.Dict))}
	for k, v := range c.Dict {
		h.hashes[k] = splitmix.Next(hashString(v) + h.seed)
	}
	return h
}

// add adds times the hash of each value to its row's. Sums do not depend on the
// order of columns, and a column can be taken out again.
func (h *hasher) add(into []uint64, lo, hi int, times uint64) {
	missing := splitmix.Next(h.seed)
	into = into[lo:hi]
	if h.c.Type.numeric() {
		for i, v := range h.c.Numbers[lo:hi][:len(into)] {
			x := missing
			if v == v {
				x = splitmix.Next(math.Float64bits(v+0) + h.seed + 1)
			}
			into[i] += times * x
		}
		return
	}
	for i, k := range h.c.Codes[lo:hi][:len(into)] {
		x := missing
		if k >= 0 {
			x = h.hashes[k]
		}
		into[i] += times * x
	}
}

// addHashes adds times the hash of each value of a column to its row's.
func addHashes(into []uint64, c *Column, times uint64) {
	h := newHasher(c)
	inChunks(len(into), func(lo, hi int) { h.add(into, lo, hi, times) })
}

// without returns the hashes without those of the columns, of which some may be
// missing in this table.
func (r *rowSet) without(hashes []uint64, columns []string) []uint64 {
	h := slices.Clone(hashes)
	for _, name := range columns {
		if c := r.table.Column(name); c != nil {
			addHashes(h, c.digests(), ^uint64(0))
		}
	}
	return h
}

// pairs counts the pairs of equal rows, within a or, if b is not nil, between a
// and b.
func pairs(a, b []uint64) float64 {
	n := 0.0
	m := borrow()
	defer m.giveBack()
	sorted := func(k int, a []uint64) []uint64 {
		return sortBits(slices.Clone(a), m.longs[k].take(len(a)))
	}
	a = sorted(0, a)
	if b == nil {
		each(a, func(lo, hi int) { n += float64(hi-lo) * float64(hi-lo-1) / 2 })
		return n
	}
	b = sorted(1, b)
	j := 0
	each(a, func(lo, hi int) {
		for j < len(b) && b[j] < a[lo] {
			j++
		}
		for ; j < len(b) && b[j] == a[lo]; j++ {
			n += float64(hi - lo)
		}
	})
	return n
}

// each calls f for every run of equal values.
func each[T comparable](sorted []T, f func(lo, hi int)) {
	for lo := 0; lo < len(sorted); {
		hi := lo + 1
		for hi < len(sorted) && sorted[hi] == sorted[lo] {
			hi++
		}
		f(lo, hi)
		lo = hi
	}
}

// byChance says whether chance may have made the equal rows, as it does in a table
// of few categories: it compares the pairs of equal rows with those that are equal
// but for the column that tells most apart, times the chance that two rows agree
// in that. Columns that go with it are left out too.
func (k *checker) byChance(of func(*rowSet) []uint64, cross bool) bool {
	hashes := of(k.rows)
	columns := k.rows.columns
	if slices.ContainsFunc(columns, func(c *Column) bool { return c.Type == Image }) {
		return false // two cases do not have the same photograph
	}
	var others []uint64
	if cross {
		others = of(k.others)
	}
	seen := pairs(hashes, others)
	if len(columns) == 0 || len(hashes) < 2 {
		return true
	}
	// The chance that two rows agree in a column is that among some rows.
	best, collision := -1, 1.0
	step := len(hashes)/50_000 + 1
	one := make([]uint64, len(hashes))
	for j, c := range columns {
		clear(one)
		addHashes(one, c, 1)
		var some []uint64
		for i := 0; i < len(one); i += step {
			some = append(some, one[i])
		}
		n := float64(len(some))
		// Where none agree, less than one pair in all of them does.
		if p := max(pairs(some, nil), 0.5) / (n * (n - 1) / 2); p < collision || best < 0 {
			best, collision = j, p
		}
	}
	out := k.tied(hashes, columns, best)
	if cross {
		others = k.others.without(others, out)
	}
	expected := pairs(k.rows.without(hashes, out), others) * collision
	tail := 1 - distuv.Poisson{Lambda: max(expected, 1e-300)}.CDF(seen-1)
	return seen < 10*expected || tail > 1e-4
}

// tied names the column and those that agree whenever it does, though they do not
// agree anyway. Rows that are equal altogether say nothing about that.
func (k *checker) tied(hashes []uint64, columns []*Column, best int) []string {
	names := []string{columns[best].Name}
	one := make([]uint64, len(hashes))
	addHashes(one, columns[best], 1)
	order := make([]int, len(hashes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case one[a] < one[b]:
			return -1
		case one[a] > one[b]:
			return 1
		}
		return a - b
	})
	const most = 2000
	var same, any [][2]int
	step := max(1, len(order)/(10*most))
	for i := 0; i+1 < len(order) && len(same) < most; i++ {
		a, b := order[i], order[i+1]
		if one[a] == one[b] && hashes[a] != hashes[b] {
			same = append(same, [2]int{a, b})
		}
		if i%step == 0 && one[a] != one[b] {
			any = append(any, [2]int{a, order[(i*7919+1)%len(order)]})
		}
	}
	if len(same) < 5 {
		return names
	}
	agree := func(c *Column, list [][2]int) float64 {
		n := 0
		for _, p := range list {
			switch {
			case c.Missing(p[0]) || c.Missing(p[1]):
				if c.Missing(p[0]) == c.Missing(p[1]) {
					n++
				}
			case c.Type.numeric():
				if c.Numbers[p[0]] == c.Numbers[p[1]] {
					n++
				}
			case c.Codes[p[0]] == c.Codes[p[1]] || c.Dict[c.Codes[p[0]]] == c.Dict[c.Codes[p[1]]]:
				n++
			}
		}
		return float64(n) / float64(max(1, len(list)))
	}
	for j, c := range columns {
		if j != best && agree(c, same) > 0.9 && agree(c, any) < 0.5 {
			names = append(names, c.Name)
		}
	}
	return names
}

// share writes a part of a whole in percent.
func share(part, whole int) string {
	p := 100 * float64(part) / float64(max(1, whole))
	if p >= 99.5 {
		return fmt.Sprintf("%.0f %%", p)
	}
	return fmt.Sprintf("%.2g %%", p)
}

// repeatedRows finds rows that stand in the table more than once.
func (k *checker) repeatedRows() []Finding {
	n := k.table.Rows
	if !k.rows.repeated() {
		return nil // as is the rule; rows that are equal have equal inputs
	}
	again, example := 0, -1
	first, _ := firstOf(k.rows.all)
	for i, f := range first {
		if int(f) != i {
			if again == 0 {
				example = i
			}
			again++
		}
	}
	if again == 0 || k.byChance(func(r *rowSet) []uint64 { return r.all }, false) {
		return nil
	}
	drop := DeclaredStep{"type": "drop_duplicates"}
	if columns := k.rows.names(); len(columns) < len(k.table.Columns) {
		drop["columns"] = columns // identifiers tell them apart
	}
	return []Finding{{Kind: FindingRepeatedRows, Severity: SeverityWarning,
		Evidence: map[string]float64{"rows": float64(again), "of": float64(n), "first": float64(first[example] + 1), "again": float64(example + 1)},
		Message:  fmt.Sprintf("%d of %d rows (%s) repeat an earlier row, as row %d repeats row %d", again, n, share(again, n), example+1, first[example]+1),
		Remedy:   "remove the repetitions unless they are cases of their own: a split would put some of them on both sides",
		Change:   Change{Clean: []DeclaredStep{drop}}}}
}

// sharedRows finds rows of the other table that stand in this one too.
func (k *checker) sharedRows() []Finding {
	if k.others == nil || k.others.table.Rows == 0 {
		return nil
	}
	count := func(of func(*rowSet) []uint64) (n, example, at int) {
		have := make(map[uint64]int, k.table.Rows)
		for i, h := range of(k.rows) {
			if _, ok := have[h]; !ok {
				have[h] = i
			}
		}
		for i, h := range of(k.others) {
			if f, ok := have[h]; ok {
				if n == 0 {
					example, at = i, f
				}
				n++
			}
		}
		return n, example, at
	}
	inputs := func(r *rowSet) []uint64 { return r.inputs }
	n, example, at := count(inputs)
	if n == 0 || k.byChance(inputs, true) {
		return nil
	}
	whole := k.others.table.Rows
	f := Finding{Kind: FindingSharedRows, Severity: SeverityWarning,
		Evidence: map[string]float64{"rows": float64(n), "of": float64(whole), "first": float64(example + 1), "at": float64(at + 1)},
		Remedy:   "remove them from one of the two: what was learnt by heart is not measured as learnt"}
	if n*100 >= whole {
		f.Severity = SeverityError
	}
	f.Message = fmt.Sprintf("%d of the other file's %d rows (%s) stand in this one too, as row %d there is row %d here", n, whole, share(n, whole), example+1, at+1)
	if k.target != nil && k.others.target != nil {
		same, _, _ := count(func(r *rowSet) []uint64 { return r.all })
		f.Evidence["with_target"] = float64(same)
		f.Message += fmt.Sprintf("; %d of them with the same %s", same, k.Target)
	}
	return []Finding{f}
}

// contradictions finds rows that differ in nothing but the class to predict.
func (k *checker) contradictions() []Finding {
	if k.kind != TargetBinary && k.kind != TargetCategory || !k.rows.repeated() {
		return nil
	}
	first := k.rows.first
	classes := map[int]map[string]int{} // by the first row of a group
	example := -1
	add := func(group, i int) {
		if !k.target.Missing(i) {
			classes[group][k.target.Text(i)]++
		}
	}
	for i, r := range first {
		f := int(r)
		if f == i {
			continue
		}
		if classes[f] == nil {
			classes[f] = map[string]int{}
			add(f, f)
		}
		add(f, i)
		if example < 0 && len(classes[f]) > 1 && k.target.Text(i) != k.target.Text(f) {
			example = i
		}
	}
	rows, wrong := 0, 0
	for _, g := range classes {
		sum, most := 0, 0
		for _, n := range g {
			sum += n
			most = max(most, n)
		}
		if len(g) > 1 {
			rows += sum
			wrong += sum - most
		}
	}
	if example < 0 || k.byChance(func(r *rowSet) []uint64 { return r.inputs }, false) {
		return nil
	}
	n := k.table.Rows
	return []Finding{{Kind: FindingContradiction, Severity: SeverityWarning,
		Evidence: map[string]float64{"rows": float64(rows), "of": float64(n), "wrong": float64(wrong), "first": float64(first[example] + 1), "other": float64(example + 1)},
		Message: fmt.Sprintf("%d of %d rows (%s) are equal to another but for %s, as rows %d (%s) and %d (%s): at least %d of them will be predicted wrong", rows, n, share(rows, n), k.Target,
			first[example]+1, quoteText(k.target.Text(int(first[example]))), example+1, quoteText(k.target.Text(example)), wrong),
		Remedy: "look at these rows: one of the labels is wrong, or a column that tells them apart is absent"}}
}
