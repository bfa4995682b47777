package data

import (
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/internal/splitmix"
)

// What columns must show to be said to be alike.
const (
	alikeCorrelation = 0.999
	alikeSample      = 5_000 // rows looked at first
	alikeColumns     = 300   // that are compared; the work grows with their square
	alikeLevels      = 1_000 // distinct values of what is compared as categories
	alikeBits        = 40    // of surprise, for one value to always go with another
)

// alike finds numbers that rise together, and columns whose values go with one
// another one to one.
func (k *checker) alike() []Finding {
	type candidate struct {
		c      *Column
		codes  []int32 // nil when there are too many
		levels int
		bits   float64 // see levels
		values []float64
	}
	t := k.table
	step := t.Rows/alikeSample + 1
	var list []*candidate
	var levelsOf []int // what levels would say of a candidate, 0 for nothing
	alikes := map[int]int{}
	for _, c := range t.Columns {
		if c.Name == k.Target || k.kinds[c.Name] != "" || len(list) == alikeColumns {
			continue
		}
		list = append(list, &candidate{c: c})
		n := 0
		if c.Type != Identifier && c.Type != Text && c.Type != Image {
			s := k.view(c).summary
			if n = s.Distinct; s.Missing > 0 {
				n++
			}
		}
		levelsOf = append(levelsOf, n)
		alikes[n]++
	}
	parallel(len(list), func(j int) {
		x := list[j]
		// Only columns of as many may go with one another.
		if n := levelsOf[j]; n <= alikeLevels+1 && alikes[n] > 1 {
			x.codes, x.levels, x.bits = levels(x.c)
		}
		if x.c.Type == Number {
			for i := 0; i < t.Rows; i += step {
				x.values = append(x.values, x.c.Numbers[i])
			}
		}
	})
	found := make([]*Finding, len(list))
	parallel(len(list), func(j int) {
		b := list[j]
		for _, a := range list[:j] {
			f := Finding{Column: b.c.Name, Kind: FindingAlike, Severity: SeverityWarning, Change: Change{LeaveOut: b.c.Name},
				Remedy: fmt.Sprintf("leave one of the two out of the inputs: what is learnt of %s is otherwise divided between them", a.c.Name)}
			if a.values != nil && b.values != nil && math.Abs(correlation(a.values, b.values)) >= alikeCorrelation {
				if r := correlation(a.c.Numbers, b.c.Numbers); math.Abs(r) >= alikeCorrelation {
					f.Evidence = map[string]float64{"correlation": r}
					f.Message = fmt.Sprintf("says nearly what %q says (correlation %.5f)", a.c.Name, r)
					found[j] = &f
					return
				}
			}
			if a.codes != nil && b.codes != nil && a.levels == b.levels && a.bits >= alikeBits && oneToOne(a.codes, b.codes, a.levels) {
				f.Severity = SeverityNote
				f.Evidence = map[string]float64{"values": float64(a.levels)}
				f.Message = fmt.Sprintf("says the same as %q: each of its %d values goes with one there", a.c.Name, a.levels)
				found[j] = &f
				return
			}
		}
	})
	var all []Finding
	for _, f := range found {
		if f != nil {
			all = append(all, *f)
		}
	}
	return all
}

// levels numbers the distinct values, missing ones being one of them, and returns
// how surprising all are together that are not the first of their kind. It returns
// nothing for too many.
func levels(c *Column) (codes []int32, n int, bits float64) {
	if c.Type == Identifier || c.Type == Text || c.Type == Image {
		return nil, 0, 0
	}
	codes = make([]int32, c.Len())
	var counts []int
	give := func(i int, k int32) {
		if int(k) == len(counts) {
			counts = append(counts, 0)
		}
		counts[k]++
		codes[i] = k
	}
	// The number of a code, or of a number by open addressing.
	type slot struct {
		bits  uint64
		known int32 // 1 + its number
	}
	of := make([]int32, len(c.Dict))
	slots := make([]slot, 4096) // more than twice as many as there may be
	missing := int32(0)
	for i := range codes {
		known := &missing
		switch {
		case c.Missing(i):
		case !c.Type.numeric():
			known = &of[c.Codes[i]]
		default:
			b := math.Float64bits(c.Numbers[i] + 0)
			s := splitmix.Next(b) % uint64(len(slots))
			for slots[s].known != 0 && slots[s].bits != b {
				s = (s + 1) % uint64(len(slots))
			}
			slots[s].bits = b
			known = &slots[s].known
		}
		if *known == 0 {
			if len(counts) > alikeLevels {
				return nil, 0, 0
			}
			*known = int32(len(counts)) + 1
		}
		give(i, *known-1)
	}
	for _, n := range counts {
		bits -= float64(n-1) * math.Log2(float64(n)/float64(len(codes)))
	}
	return codes, len(counts), bits
}

// oneToOne says whether equal codes of a have equal codes in b, and the reverse.
func oneToOne(a, b []int32, levels int) bool {
	to, from := make([]int32, levels), make([]int32, levels)
	for i, x := range a {
		y := b[i]
		if to[x] == 0 && from[y] == 0 {
			to[x], from[y] = y+1, x+1
		} else if to[x] != y+1 || from[y] != x+1 {
			return false
		}
	}
	return true
}

// correlation is Pearson's, of the rows that have both; 0 where that are too few,
// or where nearly all of the variance is that of a few.
func correlation(a, b []float64) float64 {
	var n, ma, mb float64
	for i, x := range a {
		if y := b[i]; !math.IsNaN(x) && !math.IsNaN(y) {
			n++
			ma += x
			mb += y
		}
	}
	if n < 30 || n < 0.5*float64(len(a)) {
		return 0
	}
	ma, mb = ma/n, mb/n
	var aa, bb, ab, largest float64
	for i, x := range a {
		if y := b[i]; !math.IsNaN(x) && !math.IsNaN(y) {
			aa += (x - ma) * (x - ma)
			bb += (y - mb) * (y - mb)
			ab += (x - ma) * (y - mb)
			largest = max(largest, math.Abs((x-ma)*(y-mb)))
		}
	}
	if aa == 0 || bb == 0 || largest > 0.5*math.Abs(ab) {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// dates finds a few dates that are further from the others than these from each
// other: what was never filled in, or a wrong century.
func (k *checker) dates(v *view) []Finding {
	if v.Type != Datetime {
		return nil
	}
	all := v.numbers()
	n := all.n()
	if n < 100 {
		return nil
	}
	most := n / 100
	// cut finds the widest gap before a value that so many are before.
	cut := func(from, to int) (k int, gap float64) {
		lo, _ := slices.BinarySearch(all.ends, int32(from+1))
		if all.ends == nil {
			lo = from
		}
		for i := lo + 1; i < len(all.values) && all.start(i) <= to; i++ {
			if g := all.values[i] - all.values[i-1]; g > gap {
				k, gap = i, g
			}
		}
		return k, gap
	}
	late, after := cut(n-1-most, n-1)
	early, before := cut(0, most)
	var found []Finding
	say := func(part ordered, from, to float64, where string) {
		found = append(found, Finding{Column: v.Name, Kind: FindingDates, Severity: SeverityWarning,
			Evidence: map[string]float64{"rows": float64(part.n()), "of": float64(n)},
			Message:  fmt.Sprintf("is far %s all others in %s: %s, where the rest is from %s to %s", where, plural(part.n(), "row", "rows"), formatTime(part.first(), v.Layout), formatTime(from, v.Layout), formatTime(to, v.Layout)),
			Remedy:   "correct these dates, or take them as missing where the date is not known"})
		if len(part.values) <= 5 {
			var texts []string
			for _, x := range part.values {
				texts = append(texts, formatTime(x, v.Layout))
			}
			found[len(found)-1].Change.Clean = []DeclaredStep{{"type": "missing", "columns": []string{v.Name}, "values": texts}}
		}
	}
	first := all.first() // of the rest
	if early > 0 && before > all.at(n-1-most)-all.values[early] {
		first = all.values[early]
		say(all.part(0, early), first, all.at(n-1-most), "before")
	}
	if late > 0 && after > all.values[late-1]-first {
		say(all.part(late, len(all.values)), first, all.values[late-1], "after")
	}
	return found
}

// time finds that the rows are in the order of time, or that the other table's are
// later ones: what is to be predicted then comes after what was learnt from.
func (k *checker) time(v *view) []Finding {
	if v.Type != Datetime || v.Name == k.Target || k.kinds[v.Name] != "" || v.values() < 100 || v.summary.Distinct < 10 {
		return nil
	}
	f := Finding{Column: v.Name, Kind: FindingTime, Severity: SeverityNote,
		Remedy: "divide the rows by time if later ones are to be predicted from earlier ones; a random split would be easier than that"}
	if v.summary.Missing == 0 { // a split by time needs one for every row
		f.Change.Split = SplitSpec{Method: "time", Column: v.Name}
	}
	if o := v.other; o != nil && o.Type == Datetime {
		all, others := v.numbers(), orderOf(o)
		if others.n() > 0 && others.first() >= all.at((all.n()-1)*99/100) {
			f.Severity = SeverityWarning
			f.Evidence = map[string]float64{"days": (others.last() - all.last()) / 86400}
			f.Message = fmt.Sprintf("is later in the other file: from %s, where this one ends at %s", formatTime(others.first(), o.Layout), formatTime(all.last(), v.Layout))
			f.Remedy = "choose on later rows too: validate on the last of these rows, not on a random part"
			return []Finding{f}
		}
	}
	rising, wrong := disorder(v.Numbers)
	if rising < 0.9*float64(v.values()) || wrong > 0 && float64(wrong) > 0.01*float64(v.values()) {
		return nil
	}
	f.Evidence = map[string]float64{"rows": float64(v.values()), "out_of_order": float64(wrong)}
	f.Message = fmt.Sprintf("rises from row to row, from %s to %s", v.summary.First, v.summary.Last)
	if wrong > 0 {
		f.Message += fmt.Sprintf(", but for %s out of order", plural(wrong, "row", "rows"))
	}
	return []Finding{f}
}

// group finds that rows belong to the same customer, patient or the like: a random
// split has rows of one on both sides.
func (k *checker) group(v *view) []Finding {
	const groups = 20
	if v.Type != Category && v.Type != Number || v.Name == k.Target || k.kinds[v.Name] != "" || !namedLikeIdentifier(v.Name) || v.summary.Distinct < groups || 2*v.summary.Distinct > v.values() {
		return nil
	}
	f := Finding{Column: v.Name, Kind: FindingGroup, Severity: SeverityNote,
		Evidence: map[string]float64{"groups": float64(v.summary.Distinct), "rows": float64(v.values())},
		Message:  fmt.Sprintf("names %d groups of %.3g rows each: a random split has rows of one group on both sides", v.summary.Distinct, float64(v.values())/float64(v.summary.Distinct)),
		Remedy:   "divide the rows by group if new groups are to be predicted, and leave the name out of the inputs then",
		Change:   Change{Split: SplitSpec{Method: "group", Column: v.Name}}}
	if v.other != nil {
		have := map[string]bool{}
		for i := range v.Len() {
			have[v.Text(i)] = true
		}
		n := 0
		for i := range v.other.Len() {
			if !v.other.Missing(i) && have[v.other.Text(i)] {
				n++
			}
		}
		f.Evidence["shared"] = float64(n)
		f.Message += fmt.Sprintf("; %d of the other file's %d rows are of groups that this one has", n, v.other.Len())
	}
	return []Finding{f}
}

// disorder returns how many values are at least the one before, and how many are
// less than the largest before them.
func disorder(values []float64) (rising float64, wrong int) {
	last, top := math.Inf(-1), math.Inf(-1)
	for _, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if v >= last {
			rising++
		}
		if v < top {
			wrong++
		}
		last, top = v, max(top, v)
	}
	return rising, wrong
}

// dateOrder finds two dates of which one is nearly always first, and the rows
// where it is not.
func (k *checker) dateOrder() []Finding {
	var found []Finding
	var columns []*Column
	for _, c := range k.table.Columns {
		if c.Type == Datetime && len(columns) < 50 {
			columns = append(columns, c)
		}
	}
	for j, b := range columns {
		for _, a := range columns[:j] {
			first, second := a, b
			n, before, after, example := 0, 0, 0, [2]int{-1, -1}
			for i, x := range a.Numbers {
				y := b.Numbers[i]
				if math.IsNaN(x) || math.IsNaN(y) {
					continue
				}
				n++
				switch {
				case x < y:
					before++
					if example[1] < 0 {
						example[1] = i
					}
				case x > y:
					after++
					if example[0] < 0 {
						example[0] = i
					}
				}
			}
			row := example[0]
			if before < after {
				first, second, after, row = b, a, before, example[1]
			}
			if after == 0 || n < 100 || after*100 > n {
				continue
			}
			found = append(found, Finding{Column: second.Name, Kind: FindingDateOrder, Severity: SeverityWarning,
				Evidence: map[string]float64{"rows": float64(after), "of": float64(n), "first": float64(row + 1)},
				Message: fmt.Sprintf("is before %q in %s and not in %d others; in row %d it is %s and %s", first.Name, plural(after, "row", "rows"), n-after, row+1,
					formatTime(second.Numbers[row], second.Layout), formatTime(first.Numbers[row], first.Layout)),
				Remedy: "correct the dates of these rows"})
		}
	}
	return found
}

// imbalance finds classes that are rare.
func (k *checker) imbalance() []Finding {
	if k.kind != TargetBinary && k.kind != TargetCategory {
		return nil
	}
	codes, n, _ := levels(k.target)
	counts := make([]int, n)
	names := make([]string, n)
	for i, c := range codes {
		if !k.target.Missing(i) {
			if counts[c]++; counts[c] == 1 {
				names[c] = k.target.Text(i)
			}
		}
	}
	total, rarest, classes := 0, -1, 0
	for c, times := range counts {
		total += times
		if times > 0 {
			classes++
			if rarest < 0 || times < counts[rarest] {
				rarest = c
			}
		}
	}
	if rarest < 0 {
		return nil
	}
	least := float64(counts[rarest]) / float64(total)
	fair := 1 / float64(classes)
	if least >= 0.1*fair && counts[rarest] >= 10 {
		return nil
	}
	f := Finding{Column: k.Target, Kind: FindingImbalance, Severity: SeverityNote,
		Evidence: map[string]float64{"rows": float64(counts[rarest]), "share": least, "classes": float64(classes)},
		Message:  fmt.Sprintf("is %s in only %s of %d (%s)", quoteText(names[rarest]), plural(counts[rarest], "row", "rows"), total, share(counts[rarest], total)),
		Remedy:   "judge by more than accuracy, as by ROC-AUC or average precision; let every class weigh the same if the rare one matters as much",
		Change:   Change{Balance: true}}
	if counts[rarest] < 50 {
		f.Severity = SeverityWarning
		f.Remedy = "find more rows of it: a tenth of so few measures nothing"
		f.Change = Change{}
	}
	return []Finding{f}
}

// fewRows finds tables that are too small for what is asked of them.
func (k *checker) fewRows() []Finding {
	const least = 200
	n := k.table.Rows
	if n >= least {
		return nil
	}
	return []Finding{{Kind: FindingFewRows, Severity: SeverityWarning, Evidence: map[string]float64{"rows": float64(n), "columns": float64(len(k.table.Columns))},
		Message: fmt.Sprintf("there are %s: with a tenth for testing, one row more or less is %.2g points of accuracy", plural(n, "row", "rows"), 100/math.Max(1, math.Floor(float64(n)/10))),
		Remedy:  "find more rows, or judge by cross-validation"}}
}
