package data

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// MapOptions declares that values of a column become others.
type MapOptions struct {
	Column string             `yaml:"column" required:"true" doc:"whose values change"`
	Values map[string]*string `yaml:"values" required:"true" doc:"old: new, as in {\">50K.\": \">50K\"}; null makes a value missing"`
}

// Fit implements [StepOptions].
func (o *MapOptions) Fit(t *Table, _ string) (Step, error) {
	if _, err := named(t, []string{o.Column}); err != nil {
		return nil, err
	}
	s := &Replace{Columns: []string{o.Column}, Values: o.Values}
	return s, s.ready(t)
}

// MissingOptions declares that values mean that nothing is known.
//
// data.missing does the same while a file is read: it knows values by their
// spelling and says what a column's type is found without. The step knows them as
// values, so that 0 is 0.0 too, and comes in its turn among other steps.
type MissingOptions struct {
	Columns []string `yaml:"columns" required:"true" doc:"in which the values are taken as missing"`
	Values  []string `yaml:"values" required:"true" doc:"that mean a missing value, as in [0, -1] or [unknown]"`
}

// Fit implements [StepOptions].
func (o *MissingOptions) Fit(t *Table, _ string) (Step, error) {
	if _, err := named(t, o.Columns); err != nil {
		return nil, err
	}
	s := &Replace{Columns: o.Columns, Values: map[string]*string{}, Missing: true}
	for _, v := range o.Values {
		s.Values[v] = nil
	}
	return s, s.ready(t)
}

// Replace is a fitted step of [MapOptions] or [MissingOptions].
type Replace struct {
	Columns []string           `json:"columns"`
	Values  map[string]*string `json:"values"` // nil: missing
	Missing bool               `json:"missing,omitempty"`

	numbers []map[float64]float64 // of each column of numbers, dates or booleans, by what Numbers or Codes hold
	texts   map[string]*string    // of the others
}

// Type implements [Step].
func (s *Replace) Type() string {
	if s.Missing {
		return "missing"
	}
	return "map"
}

// scalarOf returns how a value of the column is held: a number, Unix seconds, or
// a boolean's code.
func scalarOf(c *Column, text string) (float64, bool) {
	text = strings.TrimSpace(text)
	switch c.Type {
	case Number:
		decimal := byte('.')
		if c.Decimal != "" {
			decimal = c.Decimal[0]
		}
		v, kind := parseNumber([]byte(text), decimal)
		if kind != isInteger && kind != isFloat && decimal != '.' {
			v, kind = parseNumber([]byte(text), '.') // as YAML has it
		}
		return v, kind == isInteger || kind == isFloat
	case Datetime:
		return parseDate(text, c.Layout)
	case Boolean:
		k, ok := spelled(c, text)
		return float64(k), ok
	}
	return 0, false
}

// expectedIn says what a value of the column looks like.
func expectedIn(c *Column) string {
	switch c.Type {
	case Number:
		return "a number"
	case Datetime:
		return "a date written as " + c.Layout + " or 2006-01-02"
	}
	return fmt.Sprintf("%q or %q", c.Dict[0], c.Dict[1])
}

// ready reads the values as the columns of the table hold them.
func (s *Replace) ready(t *Table) error {
	columns, err := named(t, s.Columns)
	if err != nil {
		return err
	}
	if len(s.Values) == 0 || len(columns) == 0 {
		return errors.New("there are no columns or no values")
	}
	s.numbers, s.texts = make([]map[float64]float64, len(columns)), map[string]*string{}
	olds := slices.Sorted(maps.Keys(s.Values)) // so that an error is always the same
	var used []string                          // by some column
	for k, c := range columns {
		if !c.scalar() {
			for _, old := range olds {
				to := s.Values[old]
				if used = append(used, old); c.Type == Category {
					old = strings.TrimSpace(old)
				}
				s.texts[old] = to
			}
			continue
		}
		m := map[float64]float64{}
		for _, old := range olds {
			from, ok := scalarOf(c, old)
			to := math.NaN()
			if text := s.Values[old]; ok && text != nil {
				if to, ok = scalarOf(c, *text); !ok {
					return fmt.Errorf("column %q is of type %s, and %s is to become %s, expected %s: give it the type category in data.types to use other values", c.Name, c.Type, quoteText(old), quoteText(*text), expectedIn(c))
				}
			}
			if ok {
				if before, twice := m[from]; twice && before != to && !(math.IsNaN(before) && math.IsNaN(to)) {
					return fmt.Errorf("column %q: two of the values mean %s and become different ones: remove one", c.Name, quoteText(old))
				}
				m[from] = to
				used = append(used, old)
			} else if !s.Missing {
				return fmt.Errorf("column %q is of type %s, and so never holds %s, expected %s: remove it, or set the column's type in data.types", c.Name, c.Type, quoteText(old), expectedIn(c))
			}
		}
		s.numbers[k] = m
	}
	for _, old := range olds {
		if !slices.Contains(used, old) {
			return fmt.Errorf("%s is no value of a column such as %q, which is of type %s: if it keeps the column from having another type, name it in data.missing, which is looked at before types are found", quoteText(old), columns[0].Name, columns[0].Type)
		}
	}
	return nil
}

// scalar says whether scalarOf reads its values.
func (c *Column) scalar() bool { return c.Type.numeric() || c.Type == Boolean }

// Apply implements [ValueStep].
func (s *Replace) Apply(t *Table) (*Table, []Changed, error) {
	return t.replaceColumns(s.Columns, func(c *Column) (*Column, Changed, error) {
		d, n := c, 0
		if m := s.numbers[slices.Index(s.Columns, c.Name)]; m != nil {
			if !c.scalar() {
				return nil, Changed{}, fmt.Errorf("column %q is of type %s, and was a number, date or boolean in training", c.Name, c.Type)
			}
			d, n = c.replaceNumbers(m)
		} else if !c.scalar() {
			d, n = c.recode(func(v string) (string, bool) {
				to, ok := s.texts[v]
				if !ok {
					return v, true
				}
				if to == nil || strings.TrimSpace(*to) == "" {
					return "", false
				}
				return *to, true
			})
		}
		if n == 0 {
			return c, Changed{}, nil
		}
		word := "mapped"
		if s.Missing {
			word = "taken as missing"
		}
		return d, Changed{Count: n, Message: plural(n, "value", "values") + " " + word}, nil
	})
}

// replaceNumbers replaces what Numbers or a boolean's Codes hold.
func (c *Column) replaceNumbers(m map[float64]float64) (*Column, int) {
	d, n := *c, 0
	if c.Type == Boolean {
		for i, k := range c.Codes {
			if to, ok := m[float64(k)]; ok && to != float64(k) {
				if n++; n == 1 {
					d.Codes = slices.Clone(c.Codes)
				}
				if d.Codes[i] = -1; !math.IsNaN(to) {
					d.Codes[i] = int32(to)
				}
			}
		}
	} else {
		for i, v := range c.Numbers {
			if to, ok := m[v]; ok && to != v {
				if n++; n == 1 {
					d.Numbers = slices.Clone(c.Numbers)
				}
				d.Numbers[i] = to
			}
		}
	}
	if n == 0 {
		return c, 0
	}
	return &d, n
}
