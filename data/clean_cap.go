package data

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// CapOptions declares that numbers beyond a bound become the bound. A bound is a
// quantile of the training rows or a number.
type CapOptions struct {
	Columns []string `yaml:"columns" required:"true" doc:"of numbers"`
	Low     *float64 `yaml:"low" min:"0" max:"1" doc:"quantile of the training rows, as 0.01: what is below it is raised to it"`
	High    *float64 `yaml:"high" min:"0" max:"1" doc:"quantile of the training rows, as 0.99: what is above it is lowered to it"`
	Min     *float64 `yaml:"min" doc:"number below which values are raised to it"`
	Max     *float64 `yaml:"max" doc:"number above which values are lowered to it"`
}

// Validate finds bounds that contradict each other.
func (o *CapOptions) Validate() error {
	switch {
	case o.Low == nil && o.High == nil && o.Min == nil && o.Max == nil:
		return errors.New("cap has no bound: give low or high (quantiles) or min or max (numbers)")
	case o.Low != nil && o.Min != nil:
		return errors.New("low and min are both given, and both say where values are raised: remove one")
	case o.High != nil && o.Max != nil:
		return errors.New("high and max are both given, and both say where values are lowered: remove one")
	case o.Low != nil && o.High != nil && *o.Low >= *o.High:
		return fmt.Errorf("low is %g and high is %g, expected low below high", *o.Low, *o.High)
	case o.Min != nil && o.Max != nil && *o.Min >= *o.Max:
		return fmt.Errorf("min is %g and max is %g, expected min below max", *o.Min, *o.Max)
	}
	return nil
}

// Learns implements [Learner]: quantiles are of the training rows.
func (o *CapOptions) Learns() bool { return o.Low != nil || o.High != nil }

// Fit implements [StepOptions].
func (o *CapOptions) Fit(t *Table, target string) (Step, error) {
	columns, err := named(t, o.Columns, Number)
	if err != nil {
		return nil, err
	}
	s := &Cap{}
	for _, c := range columns {
		if c.Name == target {
			return nil, fmt.Errorf("column %q is to be predicted, and capped test rows would measure something else: leave rows out with a filter instead", target)
		}
		b := Bounds{Column: c.Name, Min: o.Min, Max: o.Max}
		sorted := sortedNumbers(c)
		if o.Learns() && len(sorted) == 0 {
			return nil, fmt.Errorf("column %q has no value in the training rows, and so no quantile", c.Name)
		}
		if o.Low != nil {
			v := quantile(sorted, *o.Low)
			b.Min = &v
		}
		if o.High != nil {
			v := quantile(sorted, *o.High)
			b.Max = &v
		}
		if b.Min != nil && b.Max != nil && *b.Min > *b.Max {
			return nil, fmt.Errorf("column %q would be capped to at least %s and at most %s: correct one of them", c.Name, short(*b.Min), short(*b.Max))
		}
		s.Bounds = append(s.Bounds, b)
	}
	return s, nil
}

// quantile interpolates between the values on both sides, as numpy does by default
// (Hyndman and Fan's type 7).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	k := int(at)
	if k+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part := at - float64(k)
	return sorted[k]*(1-part) + sorted[k+1]*part
}

// Cap is a fitted step of [CapOptions].
type Cap struct {
	Bounds []Bounds `json:"bounds"`
}

// Bounds are those of one column; nil where there is none.
type Bounds struct {
	Column string   `json:"column"`
	Min    *float64 `json:"min,omitempty"`
	Max    *float64 `json:"max,omitempty"`
}

// Type implements [Step].
func (*Cap) Type() string { return "cap" }

func (s *Cap) ready(t *Table) error {
	for _, b := range s.Bounds {
		if _, err := named(t, []string{b.Column}, Number); err != nil {
			return err
		}
		if b.Min != nil && b.Max != nil && *b.Min > *b.Max {
			return fmt.Errorf("column %q: the bounds %g and %g are no range", b.Column, *b.Min, *b.Max)
		}
	}
	return nil
}

// Apply implements [ValueStep].
func (s *Cap) Apply(t *Table) (*Table, []Changed, error) {
	var all []Changed
	for _, b := range s.Bounds {
		var changed []Changed
		var err error
		if t, changed, err = t.replaceColumns([]string{b.Column}, b.apply); err != nil {
			return nil, nil, err
		}
		all = append(all, changed...)
	}
	return t, all, nil
}

func (b Bounds) apply(c *Column) (*Column, Changed, error) {
	if c.Type != Number {
		return nil, Changed{}, fmt.Errorf("column %q is of type %s, expected number", c.Name, c.Type)
	}
	low, high := math.Inf(-1), math.Inf(1)
	if b.Min != nil {
		low = *b.Min
	}
	if b.Max != nil {
		high = *b.Max
	}
	below, above := 0, 0
	for _, v := range c.Numbers {
		if v < low {
			below++
		} else if v > high {
			above++
		}
	}
	if below+above == 0 {
		return c, Changed{}, nil
	}
	d := *c
	d.Numbers = make([]float64, len(c.Numbers))
	for i, v := range c.Numbers {
		if v < low {
			v = low
		} else if v > high {
			v = high
		}
		d.Numbers[i] = v // NaN, which is missing, stays
	}
	var parts []string
	if below > 0 {
		parts = append(parts, fmt.Sprintf("%s below %s raised to it", plural(below, "value", "values"), short(low)))
	}
	if above > 0 {
		parts = append(parts, fmt.Sprintf("%s above %s lowered to it", plural(above, "value", "values"), short(high)))
	}
	return &d, Changed{Count: below + above, Message: strings.Join(parts, ", ")}, nil
}

// short writes a number in the six digits that a reader wants.
func short(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
