package data

import (
	"fmt"
	"math"
	"slices"
)

// ConvertOptions declares that numbers of a column are calculated anew, as to
// bring two units into one.
type ConvertOptions struct {
	Column string `yaml:"column" required:"true" doc:"of numbers"`
	Value  Expr   `yaml:"value" required:"true" doc:"what a number becomes, as in height / 100; it may name this column only"`
	Where  Expr   `yaml:"where" doc:"condition for it, as in height > 3; it may name this column only; default: always"`
}

// Fit implements [StepOptions].
func (o *ConvertOptions) Fit(t *Table, target string) (Step, error) {
	s := &Convert{Column: o.Column, Value: o.Value}
	if o.Where.String() != "" {
		s.Where = &o.Where
	}
	return s, s.ready(t)
}

// Convert is a fitted step of [ConvertOptions].
type Convert struct {
	Column string `json:"column"`
	Value  Expr   `json:"value"`
	Where  *Expr  `json:"where,omitempty"`
}

// Type implements [Step].
func (*Convert) Type() string { return "convert" }

func (s *Convert) ready(t *Table) error {
	c, err := named(t, []string{s.Column}, Number)
	if err != nil {
		return err
	}
	_, _, err = s.bind(c[0])
	return err
}

// bind binds the expressions to the column.
func (s *Convert) bind(c *Column) (value func(int) float64, where func(int) truth, err error) {
	// A step that read another column would need it in every row to predict.
	alone := &Table{Columns: []*Column{c}, Rows: c.Len()}
	if value, err = s.Value.value(alone); err != nil {
		return nil, nil, fmt.Errorf("value %s: %w", quoteText(s.Value.String()), err)
	}
	where = func(int) truth { return yes }
	if s.Where != nil {
		if where, err = s.Where.condition(alone); err != nil {
			return nil, nil, fmt.Errorf("where %s: %w", quoteText(s.Where.String()), err)
		}
	}
	return value, where, nil
}

// Apply implements [ValueStep].
func (s *Convert) Apply(t *Table) (*Table, []Changed, error) {
	return t.replaceColumns([]string{s.Column}, func(c *Column) (*Column, Changed, error) {
		value, where, err := s.bind(c)
		if err != nil {
			return nil, Changed{}, err
		}
		d, n := *c, 0
		for i, v := range c.Numbers {
			if math.IsNaN(v) || where(i) != yes {
				continue
			}
			to := value(i)
			if to == v {
				continue
			}
			if n++; n == 1 {
				d.Numbers = slices.Clone(c.Numbers)
			}
			d.Numbers[i] = to
		}
		if n == 0 {
			return c, Changed{}, nil
		}
		return &d, Changed{Count: n, Message: plural(n, "value", "values") + " converted to " + s.Value.String()}, nil
	})
}
