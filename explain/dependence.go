package explain

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// A Dependence is how the predictions of rows move with one column, the others being
// as they are: partial dependence (Friedman 2001, Greedy function approximation,
// section 8.2), the mean of the rows' own curves (individual conditional expectation,
// Goldstein et al. 2015), of which it tells the spread.
type Dependence struct {
	Column string    `json:"column"`
	Type   data.Type `json:"type"`
	Rows   int       `json:"rows"` // whose curves are behind it
	// Values are what the column is set to, as text; Numbers the same of a column of
	// numbers, or of dates in seconds since 1970.
	Values  []string  `json:"values"`
	Numbers []float64 `json:"numbers,omitempty"`
	// Curves are the probability of each class (of two, of the positive one), or the
	// number.
	Curves []Curve `json:"curves"`
}

// A Curve is the mean over the rows at each value, with what 10 % of the rows lie
// below and above.
type Curve struct {
	Class string    `json:"class,omitempty"`
	Mean  []float64 `json:"mean"`
	Low   []float64 `json:"low"`
	High  []float64 `json:"high"`
	// Span is how far the mean moves, highest minus lowest.
	Span float64 `json:"span"`
	// Apart is how much the rows' curves differ in shape: the standard deviation
	// between rows, in the mean over the values, once each curve is moved to mean 0. It
	// is 0 where the column acts alone, and large beside Span where it acts with
	// others.
	Apart float64 `json:"apart"`
}

// Points returns the values to set a column to: of numbers and dates up to most
// quantiles between the 5th and the 95th percentile (all values where they are no
// more), of categories and booleans the most frequent. They are rows that have them,
// in their order; nil for a column that has no order or kinds, such as a text.
func points(c *data.Column, most int) []int {
	switch c.Type {
	case data.Number, data.Datetime:
		var rows []int
		for i := range c.Len() {
			if !c.Missing(i) {
				rows = append(rows, i)
			}
		}
		sort.SliceStable(rows, func(a, b int) bool { return c.Numbers[rows[a]] < c.Numbers[rows[b]] })
		same := func(a, b int) bool { return c.Numbers[a] == c.Numbers[b] }
		if all := slices.CompactFunc(slices.Clone(rows), same); len(all) <= most {
			return all
		}
		var out []int
		for k := range most {
			at := 0.05 + 0.9*float64(k)/float64(most-1)
			out = append(out, rows[int(math.Round(at*float64(len(rows)-1)))])
		}
		return slices.CompactFunc(out, same)
	case data.Category, data.Boolean:
		first, count := map[any]int{}, map[any]int{}
		var values []any
		for i := range c.Len() {
			if v := value(c, i); v != nil {
				if count[v]++; count[v] == 1 {
					first[v], values = i, append(values, v)
				}
			}
		}
		slices.SortStableFunc(values, func(a, b any) int { return count[b] - count[a] })
		var out []int
		for _, v := range values[:min(len(values), most)] {
			out = append(out, first[v])
		}
		return out
	}
	return nil
}

// Drawable reports whether a column has a dependence.
func Drawable(c *data.Column) bool {
	switch c.Type {
	case data.Number, data.Datetime, data.Category, data.Boolean:
		return true
	}
	return false
}

// Dependences returns the dependences on columns of the rows of a table, of each at
// most so many values.
func Dependences(ctx context.Context, s *Subject, t *data.Table, columns []string, most int) ([]Dependence, error) {
	if err := s.has(t); err != nil {
		return nil, err
	}
	if t.Rows == 0 || most < 2 {
		return nil, fmt.Errorf("dependence: %d rows and %d values, expected 1 and 2 or more", t.Rows, most)
	}
	var out []Dependence
	for _, name := range columns {
		c := t.Column(name)
		if c == nil || !slices.Contains(s.Columns, name) {
			return nil, fmt.Errorf("dependence: the model reads no column %q", name)
		}
		d := Dependence{Column: name, Type: c.Type, Rows: t.Rows}
		var curves [][][]float64 // by class and value, of each row
		at := points(c, most)
		if len(at) == 0 {
			return nil, fmt.Errorf("dependence: column %q is of type %s and has %d values that it could be set to: name columns of numbers, dates, categories or booleans", name, c.Type, len(at))
		}
		for _, row := range at {
			d.Values = append(d.Values, c.Text(row))
			if c.Numbers != nil {
				d.Numbers = append(d.Numbers, c.Numbers[row])
			}
			p, err := s.Predict(ctx, with(t, pick(c, slices.Repeat([]int{row}, t.Rows))))
			if err != nil {
				return nil, err
			}
			classes := p.Classes
			switch {
			case p.Kind == metric.Regression:
				classes = []string{""}
			case p.Kind == metric.Binary:
				classes = classes[1:]
			}
			if curves == nil {
				curves = make([][][]float64, len(classes))
				for _, class := range classes {
					d.Curves = append(d.Curves, Curve{Class: class})
				}
			}
			for k := range classes {
				class, values := k+len(p.Classes)-len(classes), make([]float64, t.Rows)
				for i := range values {
					values[i] = outcome(p, i, max(0, class))
				}
				curves[k] = append(curves[k], values)
			}
		}
		for k := range d.Curves {
			d.Curves[k].summarize(curves[k])
		}
		out = append(out, d)
	}
	return out, nil
}

// summarize fills a curve from those of the rows: values[value][row].
func (c *Curve) summarize(values [][]float64) {
	rows := len(values[0])
	middle := make([]float64, rows) // of each row's curve
	for _, at := range values {
		mean := 0.0
		for i, v := range at {
			mean += v
			middle[i] += v / float64(len(values))
		}
		c.Mean = append(c.Mean, mean/float64(rows))
		sorted := slices.Sorted(slices.Values(at))
		c.Low = append(c.Low, sorted[int(0.1*float64(rows-1))])
		c.High = append(c.High, sorted[int(math.Ceil(0.9*float64(rows-1)))])
	}
	c.Span = slices.Max(c.Mean) - slices.Min(c.Mean)
	if rows < 2 {
		return
	}
	for _, at := range values {
		centred := make([]float64, rows)
		for i, v := range at {
			centred[i] = v - middle[i]
		}
		_, deviation := moments(centred)
		c.Apart += deviation / float64(len(values))
	}
}
