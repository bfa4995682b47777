package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// DropDuplicatesOptions declares that of rows that are equal the first stays.
type DropDuplicatesOptions struct {
	Columns []string `yaml:"columns" doc:"in which rows must be equal; default: all"`
}

// Fit implements [StepOptions].
func (o *DropDuplicatesOptions) Fit(t *Table, _ string) (Step, error) {
	_, err := named(t, o.Columns)
	return &DropDuplicates{Columns: o.Columns}, err
}

// DropDuplicates is a step of [DropDuplicatesOptions].
type DropDuplicates struct {
	Columns []string `json:"columns,omitempty"` // nil: all
}

// Type implements [Step].
func (*DropDuplicates) Type() string { return "drop_duplicates" }

// Reads implements [RowStep].
func (s *DropDuplicates) Reads() []string { return s.Columns }

// Keep implements [RowStep]. Values are equal as they are typed: 1 and 1.0, and
// missing values among themselves.
func (s *DropDuplicates) Keep(t *Table) ([]int, []Changed, error) {
	columns := t.Columns
	if len(s.Columns) > 0 {
		var err error
		if columns, err = named(t, s.Columns); err != nil {
			return nil, nil, err
		}
	}
	columns = slices.Clone(columns)
	for j, c := range columns {
		columns[j] = distinct(c)
	}
	// A row's key is its values as bytes: no two different rows share one.
	seen := make(map[string]struct{}, t.Rows)
	key := make([]byte, 0, 8*len(columns))
	keep := make([]int, 0, t.Rows)
	for i := range t.Rows {
		key = key[:0]
		for _, c := range columns {
			switch {
			case !c.Type.numeric():
				key = binary.LittleEndian.AppendUint32(key, uint32(c.Codes[i]))
			case c.Missing(i):
				key = binary.LittleEndian.AppendUint64(key, math.Float64bits(math.Inf(1))) // which no value is
			default:
				key = binary.LittleEndian.AppendUint64(key, math.Float64bits(c.Numbers[i]+0)) // -0 is 0
			}
		}
		if _, again := seen[string(key)]; !again {
			seen[string(key)] = struct{}{}
			keep = append(keep, i)
		}
	}
	n := t.Rows - len(keep)
	if n == 0 {
		return keep, nil, nil
	}
	return keep, []Changed{{Count: n, Message: fmt.Sprintf("%d of %s left out, which repeat an earlier one", n, plural(t.Rows, "row", "rows"))}}, nil
}

// FilterOptions declares that rows stay for which a condition holds.
type FilterOptions struct {
	Where Expr `yaml:"where" required:"true" doc:"condition under which a row stays, as in age >= 18 and plan in (\"basic\", \"pro\")"`
}

// Fit implements [StepOptions].
func (o *FilterOptions) Fit(t *Table, _ string) (Step, error) {
	s := &Filter{Where: o.Where}
	return s, s.ready(t)
}

// Filter is a step of [FilterOptions].
type Filter struct {
	Where Expr `json:"where"`
}

// Type implements [Step].
func (*Filter) Type() string { return "filter" }

// Reads implements [RowStep].
func (s *Filter) Reads() []string {
	if names := s.Where.Columns(); names != nil {
		return names
	}
	return []string{}
}

func (s *Filter) ready(t *Table) error {
	_, err := s.Where.condition(t)
	if err == nil && len(s.Reads()) == 0 {
		err = errors.New("the condition names no column, and so is the same for every row")
	}
	if err != nil {
		err = fmt.Errorf("where %s: %w", quoteText(s.Where.String()), err)
	}
	return err
}

// Keep implements [RowStep]. A row for which the condition is unknown, since a
// value is missing, does not stay.
func (s *Filter) Keep(t *Table) ([]int, []Changed, error) {
	holds, err := s.Where.condition(t)
	if err != nil {
		return nil, nil, fmt.Errorf("where %s: %w", quoteText(s.Where.String()), err)
	}
	keep := make([]int, 0, t.Rows)
	open := 0
	for i := range t.Rows {
		switch holds(i) {
		case yes:
			keep = append(keep, i)
		case unknown:
			open++
		}
	}
	n := t.Rows - len(keep)
	if n == 0 {
		return keep, nil, nil
	}
	m := fmt.Sprintf("%d of %s left out, for which %s does not hold", n, plural(t.Rows, "row", "rows"), s.Where)
	if open > 0 {
		m += fmt.Sprintf(" (for %d of them it is unknown, since a value is missing; `or … is missing` keeps such rows)", open)
	}
	if len(keep) == 0 {
		m += s.Where.misspelled(t)
	}
	return keep, []Changed{{Count: n, Message: m}}, nil
}
