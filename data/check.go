package data

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
)

// CheckOptions says what Check looks at beside the table.
type CheckOptions struct {
	// Target is the column to predict; "" when there is none.
	Target string
	// Against is another table, such as the test rows, read with the schema of
	// the first; nil when there is none.
	Against *Table
	// Schema is what the table was read with. Its notes become findings.
	Schema Schema
}

// A check is one kind of finding. To add one, write its function in the file of
// its family and a line here.
type check struct {
	kind string
	find func(*checker) []Finding
}

// A columnCheck is one kind of finding that a column shows by itself.
type columnCheck struct {
	kind string
	find func(*checker, *view) []Finding
}

// columnChecks run on all columns at the same time.
var columnChecks = []columnCheck{
	{FindingZeros, (*checker).zeros},
	{FindingSentinel, (*checker).sentinels},
	{FindingUnits, (*checker).units},
	{FindingMixed, (*checker).mixed},
	{FindingReading, (*checker).reading},
	{FindingRare, (*checker).rare},
	{FindingSpelling, (*checker).spelling},
	{FindingEncoding, (*checker).encoding},
	{FindingDates, (*checker).dates},
	{FindingTime, (*checker).time},
	{FindingGroup, (*checker).group},
	{FindingDrift, (*checker).drift},
	{FindingUnseen, (*checker).unseen},
}

// checks look at several columns or at rows.
var checks = []check{
	{FindingSharedRows, (*checker).sharedRows},
	{FindingRepeatedRows, (*checker).repeatedRows},
	{FindingContradiction, (*checker).contradictions},
	{FindingApart, (*checker).apart},
	{FindingAlike, (*checker).alike},
	{FindingDateOrder, (*checker).dateOrder},
	{FindingImbalance, (*checker).imbalance},
	{FindingFewRows, (*checker).fewRows},
}

// Check looks for everything that Profile does and for more: among rows, among
// values, among columns and, with options.Against, between two tables. The
// findings are sorted from the gravest, and by kind. A check reports what chance does not
// explain, so that a clean table has no finding.
func Check(t *Table, o CheckOptions) ([]Summary, []Finding, error) {
	views, findings, err := profile(t, o.Target)
	if err != nil {
		return nil, nil, err
	}
	k := newChecker(t, o, findings, views)
	perColumn := make([][]Finding, len(t.Columns))
	parallel(len(t.Columns), func(j int) {
		v := views[j]
		if o.Against != nil {
			if c := o.Against.Column(v.Name); c != nil {
				v.other = distinct(c)
			}
		}
		if v.Type == Image { // whose values are no text
			perColumn[j] = append(k.unreadable(v), k.imageDrift(v)...)
			return
		}
		for _, c := range columnChecks {
			perColumn[j] = append(perColumn[j], c.find(k, v)...)
		}
		v.sorted = nil
	})
	for _, c := range checks {
		findings = append(findings, c.find(k)...)
	}
	findings = append(findings, slices.Concat(perColumn...)...)
	order := map[string]int{FindingLeak: -5, FindingIdentifier: -4, FindingConstant: -3, FindingDuplicate: -2, FindingUnreadable: -1}
	for i, c := range checks {
		order[c.kind] = i
	}
	for i, c := range columnChecks {
		order[c.kind] = len(checks) + i
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(a.Severity.rank()-b.Severity.rank(), order[a.Kind]-order[b.Kind])
	})
	return summaries(views), findings, nil
}

// CheckRows looks at rows alone, which takes little time: whether some stand in the
// table and in options.Against, and whether some contradict each other. findings
// are those of Profile.
func CheckRows(t *Table, o CheckOptions, findings []Finding) []Finding {
	k := newChecker(t, o, findings, nil)
	return slices.Concat(k.sharedRows(), k.contradictions())
}

// Drift compares the columns of the table with those of options.Against and
// returns what of [Check] is about that alone: drift, apart and unseen. findings
// are those of Profile.
func Drift(t *Table, o CheckOptions, findings []Finding) []Finding {
	views := make([]*view, len(t.Columns))
	parallel(len(views), func(j int) { views[j] = newView(t.Columns[j]) })
	k := newChecker(t, o, findings, views)
	found := make([][]Finding, len(views))
	parallel(len(views), func(j int) {
		v := views[j]
		c := o.Against.Column(v.Name)
		if c == nil {
			return
		}
		if v.other = distinct(c); v.Type == Image {
			found[j] = k.imageDrift(v)
			return
		}
		found[j] = append(k.drift(v), k.unseen(v)...)
	})
	return append(slices.Concat(found...), k.apart()...)
}

// checker is what the checks share.
type checker struct {
	CheckOptions
	table  *Table
	views  []*view           // of the table's columns, nil when they are not known
	target *Column           // nil when there is none
	kind   string            // of the target, "" when nothing can be learnt from it
	kinds  map[string]string // what Profile has against columns
	rows   *rowSet           // of the table
	others *rowSet           // of Against, nil when there is none
}

// newChecker takes the columns' views where they are known.
func newChecker(t *Table, o CheckOptions, findings []Finding, views []*view) *checker {
	k := &checker{CheckOptions: o, table: t, views: views, kinds: map[string]string{}}
	for _, f := range findings {
		if k.kinds[f.Column] == "" {
			k.kinds[f.Column] = f.Kind
		}
	}
	if o.Target != "" {
		k.target = t.Column(o.Target)
		v := k.view(k.target)
		if v == nil {
			v = newView(k.target)
		}
		k.kind, _, _ = targetKind(v) // a target that teaches nothing is told by others
	}
	// What tells rows apart does not say whether they are the same, unless there
	// is nothing else.
	skip := func(name string) bool { return k.kinds[name] == FindingIdentifier }
	if !slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Name != o.Target && !skip(c.Name) }) {
		skip = func(string) bool { return false }
	}
	k.rows = newRows(t, o.Target, skip)
	if o.Against != nil {
		k.others = newRows(o.Against, o.Target, skip)
	}
	return k
}

// view is one column as the checks of columns see it.
type view struct {
	*Column
	summary Summary
	other   *Column // of the same name in the other table, nil when there is none
	sorted  *ordered
	counted []int
}

// newView looks at a column, of which it holds each value once in the dictionary.
func newView(c *Column) *view {
	v := &view{Column: distinct(c)}
	v.summary = v.summarise()
	return v
}

// view returns what is known of a column of the table, nil where nothing is.
func (k *checker) view(c *Column) *view {
	if k.views == nil {
		return nil
	}
	return k.views[slices.Index(k.table.Columns, c)]
}

// numbers returns the values that are not missing.
func (v *view) numbers() ordered {
	if v.sorted == nil {
		o := orderOf(v.Column)
		v.sorted = &o
	}
	return *v.sorted
}

// counts returns how often each value of the dictionary occurs.
func (v *view) counts() []int {
	if v.counted == nil {
		v.counted = make([]int, len(v.Dict))
		for _, k := range v.Codes {
			if k >= 0 {
				v.counted[k]++
			}
		}
	}
	return v.counted
}

// values is the number of values that are not missing.
func (v *view) values() int { return int(math.Round(float64(v.Len()) * (1 - v.summary.Missing))) }

// parallel calls f for 0 to n-1, as many at a time as there are cores.
func parallel(n int, f func(int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
