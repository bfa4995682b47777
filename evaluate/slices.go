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

// Limits on slices.
const (
	minSlice       = 30 // rows; of fewer a metric says little
	maxSliceValues = 50 // of a column of categories
	// Resamples behind the error of a slice's metric: fewer of many rows, of
	// which the error is small.
	sliceResamples, leastResamples = 400, 50
	sliceDraws                     = 400_000_000 // rows drawn for all slices
	restRows                       = 10_000      // by which the error of the other rows is told, where they are more
	likeResamples                  = 100         // whose variance is what counts
	// Rows of every class from which on the error of a slice's own resamples says enough.
	likeEnough = 1000
)

// A Slice is the rows that have one value of a column, or numbers of a range.
type Slice struct {
	Column string          `json:"column"`
	Value  string          `json:"value"` // or a range: 18 to 25
	Rows   int             `json:"rows"`
	Score  metric.Interval `json:"score"`
	// Rest is the metric of all other rows.
	Rest Number `json:"rest"`
	// Adjusted is the two-sided p-value of their difference, corrected for the
	// number of slices by metric.Holm.
	Adjusted Number `json:"p_adjusted"`
	// Worse is whether the slice is told from the rest, and worse.
	Worse bool `json:"worse"`
}

// Slices measures the rows of each value of the columns (of numbers with more
// than ten values, of each quarter of the rows, and those without one), the worst first. A slice and
// the other rows are told apart by a normal test of their difference, with
// standard errors by the bootstrap (of many other rows, by some of them); that of the fewer rows is at least that of as
// many of the others, of the same classes. Slices of fewer than 30 rows, or that leave
// fewer, are left out.
func Slices(s *metric.Sample, m *metric.Metric, columns []*data.Column, level float64, seed uint64) ([]Slice, error) {
	var out []Slice
	var ps []float64
	in := make([]bool, s.Rows())
	groups, many := make([][]sliceGroup, len(columns)), 0
	for k, c := range columns {
		groups[k] = groupsOf(c)
		many += len(groups[k])
	}
	resamples := max(leastResamples, min(sliceResamples, sliceDraws/max(1, many*min(restRows, s.Rows())+len(columns)*s.Rows())))
	for k, c := range columns {
		for _, g := range groups[k] {
			rest := make([]int, 0, s.Rows()-len(g.rows))
			clear(in)
			for _, i := range g.rows {
				in[i] = true
			}
			for i := range s.Rows() {
				if !in[i] {
					rest = append(rest, i)
				}
			}
			if len(g.rows) < minSlice || len(rest) < minSlice {
				continue
			}
			score, square, err := measuredRows(s.Select(g.rows), m, level, resamples, seed)
			if err != nil {
				return nil, err
			}
			other, err := m.Value(s.Select(rest))
			if err != nil || math.IsNaN(score.Value) || math.IsNaN(other) {
				continue // undefined on these rows
			}
			p := 1.0
			if d := score.Value - other; d != 0 {
				otherSquare, err := squareOf(s, m, rest, level, resamples, seed+1)
				if err != nil {
					return nil, err
				}
				few, many, own := g.rows, rest, &square
				if len(few) > len(many) {
					few, many, own = rest, g.rows, &otherSquare
				}
				if !enough(s, few, many) {
					*own = max(*own, squareLike(s, m, few, many, min(resamples, likeResamples), seed+2))
				}
				p = math.Erfc(math.Abs(d) / math.Sqrt(square+otherSquare) / math.Sqrt2)
			}
			out = append(out, Slice{Column: c.Name, Value: g.name, Rows: len(g.rows), Score: score, Rest: Number(other)})
			ps = append(ps, p)
		}
	}
	for i, p := range metric.Holm(ps, nil) {
		below := out[i].Score.Value < float64(out[i].Rest)
		out[i].Adjusted = Number(p)
		out[i].Worse = p <= 1-level && below == m.HigherIsBetter && out[i].Score.Value != float64(out[i].Rest)
	}
	slices.SortStableFunc(out, func(a, b Slice) int {
		if m.HigherIsBetter {
			return cmp.Compare(a.Score.Value, b.Score.Value)
		}
		return cmp.Compare(b.Score.Value, a.Score.Value)
	})
	return out, nil
}

// enough says whether some rows have many of each class that others have.
func enough(s *metric.Sample, rows, others []int) bool {
	if s.Kind != metric.Binary && s.Kind != metric.Multiclass {
		return len(rows) >= likeEnough
	}
	counts := map[float64]int{}
	for _, i := range rows {
		counts[s.Target[i]]++
	}
	return !slices.ContainsFunc(others, func(i int) bool { return counts[s.Target[i]] < likeEnough })
}

// measuredRows is a metric of some rows, with the square of its standard error.
func measuredRows(s *metric.Sample, m *metric.Metric, level float64, resamples int, seed uint64) (metric.Interval, float64, error) {
	ms := []*metric.Metric{m}
	values, resampled, err := metric.Resample(s, ms, resamples, seed)
	if err != nil {
		return metric.Interval{Value: math.NaN()}, 0, nil // no row of it counts
	}
	intervals, err := metric.BCa(s, ms, values, resampled, level)
	if err != nil {
		return metric.Interval{}, 0, err
	}
	n, mean, spread := 0.0, 0.0, 0.0
	for _, v := range resampled[0] {
		if !math.IsNaN(v) {
			n++
			d := v - mean
			mean += d / n
			spread += d * (v - mean)
		}
	}
	return intervals[0], spread / max(1, n-1), nil
}

// squareOf is the square of the standard error of a metric of rows, which falls with
// their number: of many it is told by some of them. It may change their order.
func squareOf(s *metric.Sample, m *metric.Metric, rows []int, level float64, resamples int, seed uint64) (float64, error) {
	some := rows
	if len(rows) > restRows {
		r := rand.New(rand.NewPCG(seed, 1))
		for i := range restRows {
			j := i + r.IntN(len(rows)-i)
			rows[i], rows[j] = rows[j], rows[i]
		}
		some = rows[:restRows]
	}
	_, square, err := measuredRows(s.Select(some), m, level, resamples, seed)
	return square * float64(len(some)) / float64(len(rows)), err
}

// squareLike is the square of the standard error that the metric of few rows would
// have were they, class by class, drawn from many others. Their own says nothing
// where few of them matter: the recall of one positive row is 0, or 1, on every
// resample.
func squareLike(s *metric.Sample, m *metric.Metric, few, many []int, resamples int, seed uint64) float64 {
	strata := map[float64][]int{}
	class := func(row int) float64 {
		if s.Kind == metric.Binary || s.Kind == metric.Multiclass {
			return s.Target[row]
		}
		return 0
	}
	for _, row := range many {
		strata[class(row)] = append(strata[class(row)], row)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	drawn := make([]int, len(few))
	n, mean, spread := 0.0, 0.0, 0.0
	for range resamples {
		for i, row := range few {
			from := strata[class(row)]
			if len(from) == 0 {
				from = many
			}
			drawn[i] = from[r.IntN(len(from))]
		}
		v, err := m.Value(s.Select(drawn))
		if err != nil || math.IsNaN(v) { // no row of it counts, or undefined on it
			continue
		}
		n++
		d := v - mean
		mean += d / n
		spread += d * (v - mean)
	}
	return spread / max(1, n-1)
}

type sliceGroup struct {
	name string
	rows []int
}

// groupsOf divides rows by a column; nil where it has too many values.
func groupsOf(c *data.Column) []sliceGroup {
	at := map[string]int{}
	var groups []sliceGroup
	for i := range c.Len() {
		v := c.Text(i)
		if c.Missing(i) {
			v = "(missing)"
		}
		j, ok := at[v]
		if !ok {
			if j = len(groups); j == maxSliceValues {
				groups = nil
				break
			}
			at[v] = j
			groups = append(groups, sliceGroup{name: v})
		}
		groups[j].rows = append(groups[j].rows, i)
	}
	if c.Type != data.Number || groups != nil && len(groups) <= 10 {
		return groups
	}
	var order, missing []int
	for i := range c.Len() {
		if c.Missing(i) {
			missing = append(missing, i)
		} else {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Numbers[a], c.Numbers[b]) })
	groups = nil
	for q, from := 0, 0; q < 4; q++ {
		to := (q + 1) * len(order) / 4
		for to > from && to < len(order) && c.Numbers[order[to]] == c.Numbers[order[to-1]] {
			to++ // equal numbers stay together
		}
		if to > from {
			groups = append(groups, sliceGroup{fmt.Sprintf("%s to %s", c.Text(order[from]), c.Text(order[to-1])), order[from:to]})
			from = to
		}
	}
	if len(missing) > 0 {
		groups = append(groups, sliceGroup{"(missing)", missing})
	}
	return groups
}
