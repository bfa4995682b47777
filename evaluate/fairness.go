package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

const (
	fairShuffles = 2000       // of the groups, behind a p-value
	fairDraws    = 40_000_000 // rows shuffled for a gap, at most, unless that is too few shuffles
	// Of more classes the commonest are compared: a gap looks at all rows for each.
	fairClasses = 20
)

// Fairness is how differently the model treats the groups of a column. Which
// difference is unfair, and whether it should be gone, is not for numbers to say.
type Fairness struct {
	Column string  `json:"column"`
	Groups []Group `json:"groups"`
	Gaps   []Gap   `json:"gaps"`
	// LeftOut are groups of too few rows to be measured, in words.
	LeftOut []string `json:"left_out,omitempty"`
	// ClassesLeftOut is how many classes were not compared: of many, the commonest are.
	ClassesLeftOut int `json:"classes_left_out,omitempty"`
}

// A Group is the rows that have one value of the column, or numbers of a range.
type Group struct {
	Value string `json:"value"`
	Rows  int    `json:"rows"`
	// Scores are metrics of the group: accuracy and the headline metric, or of
	// numbers RMSE and MAE.
	Scores Scores `json:"scores"`
	// Rates are shares and means, NaN where no row has what they are of. Of classes, for the
	// positive one of two or for each of more: "positive" (truly), "selected"
	// (predicted), "true_positive", "false_positive"; of two with probabilities
	// "stated", the mean probability, to be compared with "positive". Of numbers:
	// "mean_error", predicted less true.
	Rates map[string]map[string]Number `json:"rates"`
}

// A Gap is how far apart the groups are.
type Gap struct {
	// Name is demographic_parity, equalized_odds, equal_opportunity, calibration, accuracy,
	// mean_error or rmse.
	Name string `json:"name"`
	// Class is the class that is selected; of more than two, that with the widest gap.
	Class string `json:"class,omitempty"`
	// Difference is the greatest less the smallest, Ratio the smallest by the
	// greatest: 0 and 1 for groups that are treated alike.
	Difference Number `json:"difference"`
	Ratio      Number `json:"ratio"`
	Lowest     string `json:"lowest"` // the group
	Highest    string `json:"highest"`
	// P is how often groups that are drawn at random are so far apart; for equalized
	// odds and equal opportunity drawn among rows of the same truth.
	P        float64 `json:"p"`
	Adjusted float64 `json:"p_adjusted"` // by Holm, for all gaps of the column
	// Apart is whether that is more than chance.
	Apart bool `json:"apart"`
}

// rows of groups, as a gap is computed from them.
type grouped struct {
	s       *metric.Sample
	group   []int // of each row, -1 for none
	groups  int
	classes []int // that are selected
}

// rate is the weighted mean of a value over the rows of each group that count.
func (g *grouped) rate(group []int, value func(i int) (float64, bool)) []float64 {
	sum, weight := make([]float64, g.groups), make([]float64, g.groups)
	for i, k := range group {
		if k < 0 {
			continue
		}
		if v, counts := value(i); counts {
			w := 1.0
			if g.s.Weight != nil {
				w = g.s.Weight[i]
			}
			sum[k] += w * v
			weight[k] += w
		}
	}
	for k := range sum {
		sum[k] /= weight[k] // NaN of no rows
	}
	return sum
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// selected, positives and so on are rates of a class by group.
func (g *grouped) selected(class int) func(int) (float64, bool) {
	return func(i int) (float64, bool) { return indicator(int(g.s.Pred[i]) == class), true }
}

func (g *grouped) positive(class int) func(int) (float64, bool) {
	return func(i int) (float64, bool) { return indicator(int(g.s.Target[i]) == class), true }
}

func (g *grouped) caught(class int, positive bool) func(int) (float64, bool) {
	return func(i int) (float64, bool) {
		return indicator(int(g.s.Pred[i]) == class), (int(g.s.Target[i]) == class) == positive
	}
}

func (g *grouped) right(i int) (float64, bool) { return indicator(g.s.Pred[i] == g.s.Target[i]), true }
func (g *grouped) off(i int) (float64, bool)   { return g.s.Pred[i] - g.s.Target[i], true }
func (g *grouped) square(i int) (float64, bool) {
	d := g.s.Pred[i] - g.s.Target[i]
	return d * d, true
}

// overstated is what the model says more than is true.
func (g *grouped) overstated(i int) (float64, bool) { return g.s.Prob[i] - g.s.Target[i], true }

// A gapKind is a way in which groups may differ: rates by group, of which the
// widest counts.
type gapKind struct {
	name    string
	byTruth bool // shuffled among rows of the same truth
	rates   func(group []int, class int) [][]float64
	ratio   bool // a ratio of it means something
}

func (g *grouped) kinds() []gapKind {
	one := func(of func(class int) func(int) (float64, bool)) func([]int, int) [][]float64 {
		return func(group []int, class int) [][]float64 { return [][]float64{g.rate(group, of(class))} }
	}
	plain := func(value func(int) (float64, bool)) func([]int, int) [][]float64 {
		return one(func(int) func(int) (float64, bool) { return value })
	}
	if g.s.Kind == metric.Regression {
		return []gapKind{
			{"mean_error", false, plain(g.off), false},
			{"rmse", false, func(group []int, _ int) [][]float64 {
				r := g.rate(group, g.square)
				for k := range r {
					r[k] = math.Sqrt(r[k])
				}
				return [][]float64{r}
			}, true},
		}
	}
	kinds := []gapKind{
		{"demographic_parity", false, one(g.selected), true},
		{"equalized_odds", true, func(group []int, class int) [][]float64 {
			return [][]float64{g.rate(group, g.caught(class, true)), g.rate(group, g.caught(class, false))}
		}, true},
		{"equal_opportunity", true, one(func(class int) func(int) (float64, bool) { return g.caught(class, true) }), true},
		{"accuracy", false, plain(g.right), true},
	}
	if g.s.Kind == metric.Binary && g.s.Prob != nil {
		kinds = append(kinds, gapKind{"calibration", false, plain(g.overstated), false})
	}
	return kinds
}

// wide returns the widest gap among rates, and the least ratio, with the groups.
func wide(rates [][]float64) (difference, ratio float64, low, high int) {
	difference, ratio = math.NaN(), math.NaN()
	for _, r := range rates {
		a, b := -1, -1
		for k, v := range r {
			if math.IsNaN(v) {
				continue
			}
			if a < 0 || v < r[a] {
				a = k
			}
			if b < 0 || v > r[b] {
				b = k
			}
		}
		if a < 0 {
			continue
		}
		if d := r[b] - r[a]; !(d <= difference) {
			difference, low, high = d, a, b
		}
		if q := r[a] / r[b]; r[b] != 0 && !(q >= ratio) {
			ratio = q
		}
	}
	return difference, ratio, low, high
}

// MeasureFairness measures the groups of a column: the rows of each of its values
// (of numbers with more than ten, of each quarter of the rows). Groups of fewer
// than 30 rows are left out. Of two classes the second one is what a row may be
// selected for.
//
// Demographic parity and equalised odds: as fairlearn 0.15 computes them
// (method between_groups, agg worst_case); Hardt, Price and Srebro, Equality of
// Opportunity in Supervised Learning, NeurIPS 2016. The groups are shuffled for
// the p-values, since the greatest of several gaps is above 0 whatever the model.
func MeasureFairness(s *metric.Sample, c *data.Column, level float64, resamples int, seed uint64) (*Fairness, error) {
	switch {
	case s.Kind > metric.Regression:
		return nil, fmt.Errorf("groups are measured for classes and numbers, and the task is %s", s.Kind)
	case s.Pred == nil:
		return nil, fmt.Errorf("the groups of %q need decisions: there are scores alone", c.Name)
	}
	f := &Fairness{Column: c.Name, Groups: []Group{}, Gaps: []Gap{}}
	g := &grouped{s: s, group: slices.Repeat([]int{-1}, s.Rows()), classes: []int{1}}
	if s.Kind == metric.Multiclass {
		counts := make([]int, len(s.Classes))
		for _, class := range s.Target {
			counts[int(class)]++
		}
		g.classes = make([]int, len(s.Classes))
		for k := range g.classes {
			g.classes[k] = k
		}
		if len(g.classes) > fairClasses {
			slices.SortStableFunc(g.classes, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
			g.classes = g.classes[:fairClasses]
			f.ClassesLeftOut = len(s.Classes) - fairClasses
		}
	}
	all := groupsOf(c)
	if all == nil {
		return nil, fmt.Errorf("the column %q has more than %d values: groups of it would say little; name one with fewer, or make a coarser one", c.Name, maxSliceValues)
	}
	var ms []*metric.Metric
	names := []string{"accuracy", Headline(s.Kind)}
	if s.Kind == metric.Regression {
		names = []string{"rmse", "mae"}
	}
	for _, name := range names {
		if m, err := metric.Lookup(name); err == nil && m.MeasuresWith(s) && !slices.Contains(ms, m) {
			ms = append(ms, m)
		}
	}
	var kept []sliceGroup
	for _, one := range all {
		if len(one.rows) < minSlice {
			f.LeftOut = append(f.LeftOut, fmt.Sprintf("%s (%d rows)", one.name, len(one.rows)))
			continue
		}
		for _, i := range one.rows {
			g.group[i] = len(kept)
		}
		kept = append(kept, one)
	}
	if len(kept) < 2 {
		return nil, fmt.Errorf("the column %q has %d groups of at least %d rows, and a difference needs two", c.Name, len(kept), minSlice)
	}
	g.groups = len(kept)
	for _, one := range kept {
		scores := Scores{}
		intervals, err := metric.Bootstrap(s.Select(one.rows), ms, min(resamples, sliceResamples), level, seed)
		for k, m := range ms {
			if err == nil && !math.IsNaN(intervals[k].Value) { // else no row of it counts
				scores[m.Name] = intervals[k]
			}
		}
		f.Groups = append(f.Groups, Group{Value: one.name, Rows: len(one.rows), Scores: scores, Rates: map[string]map[string]Number{}})
	}
	g.fill(f)
	var ps []float64
	for _, kind := range g.kinds() {
		if gap, ok := g.gap(kind, kept, seed); ok {
			f.Gaps, ps = append(f.Gaps, gap), append(ps, gap.P)
		}
	}
	for i, p := range metric.Holm(ps, nil) {
		f.Gaps[i].Adjusted, f.Gaps[i].Apart = p, p <= 1-level
	}
	return f, nil
}

// fill enters the rates of each group.
func (g *grouped) fill(f *Fairness) {
	enter := func(class, name string, rates []float64) {
		for k, v := range rates {
			if f.Groups[k].Rates[class] == nil {
				f.Groups[k].Rates[class] = map[string]Number{}
			}
			f.Groups[k].Rates[class][name] = Number(v)
		}
	}
	if g.s.Kind == metric.Regression {
		enter("", "mean_error", g.rate(g.group, g.off))
		return
	}
	for _, class := range g.classes {
		name := className(g.s, class)
		enter(name, "positive", g.rate(g.group, g.positive(class)))
		enter(name, "selected", g.rate(g.group, g.selected(class)))
		enter(name, "true_positive", g.rate(g.group, g.caught(class, true)))
		enter(name, "false_positive", g.rate(g.group, g.caught(class, false)))
		if g.s.Kind == metric.Binary && g.s.Prob != nil {
			enter(name, "stated", g.rate(g.group, func(i int) (float64, bool) { return g.s.Prob[i], true }))
		}
	}
}

// gap measures one way to differ, for the class where it is widest.
func (g *grouped) gap(kind gapKind, kept []sliceGroup, seed uint64) (Gap, bool) {
	widest := func(group []int) (out Gap, d float64) {
		d = math.NaN()
		for _, class := range g.classes {
			difference, ratio, low, high := wide(kind.rates(group, class))
			if difference <= d || math.IsNaN(difference) {
				continue
			}
			d = difference
			out = Gap{Name: kind.name, Difference: Number(difference), Ratio: Number(math.NaN()), Lowest: kept[low].name, Highest: kept[high].name}
			if kind.ratio {
				out.Ratio = Number(ratio)
			}
			if g.s.Kind != metric.Regression && kind.name != "accuracy" {
				out.Class = className(g.s, class)
			}
			if g.s.Kind == metric.Regression || kind.name == "accuracy" {
				break // no class enters
			}
		}
		return out, d
	}
	out, d := widest(g.group)
	if math.IsNaN(d) {
		return out, false
	}
	strata := map[float64][]int{}
	for i, k := range g.group {
		if k < 0 {
			continue
		}
		truth := 0.0
		if kind.byTruth {
			truth = g.s.Target[i]
		}
		strata[truth] = append(strata[truth], i)
	}
	r := rand.New(rand.NewPCG(seed, 0xfa1))
	shuffles := max(200, min(fairShuffles, fairDraws/len(g.group)/len(g.classes)))
	group := slices.Clone(g.group)
	reached := 1
	keys := make([]float64, 0, len(strata))
	for k := range strata {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for range shuffles {
		for _, k := range keys {
			rows := strata[k]
			r.Shuffle(len(rows), func(a, b int) { group[rows[a]], group[rows[b]] = group[rows[b]], group[rows[a]] })
		}
		if _, drawn := widest(group); drawn >= d*(1-1e-12) {
			reached++
		}
	}
	out.P = float64(reached) / float64(shuffles+1)
	return out, true
}
