package data

import (
	"math"
	"strconv"
	"strings"
)

// Type is what a column's values are.
type Type string

// The types of columns; the package documentation says how each is recognised.
const (
	Number     Type = "number"
	Category   Type = "category"
	Boolean    Type = "boolean"
	Datetime   Type = "datetime"
	Identifier Type = "identifier"
	Text       Type = "text"
	Image      Type = "image"
	Set        Type = "set" // of labels: see SplitSet
)

// Types lists every type.
var Types = []Type{Number, Category, Boolean, Datetime, Identifier, Text, Image, Set}

// numeric says whether a column of the type is held as numbers, not as codes.
func (t Type) numeric() bool { return t == Number || t == Datetime }

// Field describes one column: all that is needed to read it again the same way.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	// Layout is a datetime's layout, as in package time.
	Layout string `json:"layout,omitempty"`
	// Decimal is "," where numbers are written with a decimal comma.
	Decimal string `json:"decimal,omitempty"`
	// Thousands is what parts the thousands of numbers, Sign the currency or
	// percent sign that may stand beside them; "" for none.
	Thousands string `json:"thousands,omitempty"`
	Sign      string `json:"sign,omitempty"`
	// False and True are the spellings of a boolean's values.
	False string `json:"false,omitempty"`
	True  string `json:"true,omitempty"`
	// Missing holds the spellings of a missing value where they are not
	// [MissingValues].
	Missing []string `json:"missing,omitempty"`
	// EmptySet says that an empty cell is the empty set of labels, not missing.
	EmptySet bool `json:"empty_set,omitempty"`
	// Note says what a reader of the data should know about how the type was
	// chosen; "" when nothing is in doubt.
	Note string `json:"note,omitempty"`
}

// Schema describes the columns of a table in their order.
type Schema []Field

// Names returns the columns' names.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return names
}

// Field returns the field of that name, nil if there is none.
func (s Schema) Field(name string) *Field {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// Column is one column's values. A number or datetime is in Numbers, everything
// else in Codes and Dict.
type Column struct {
	Name string
	Type Type
	// Numbers holds numbers, and datetimes as Unix seconds. NaN is missing.
	Numbers []float64
	// Codes index Dict; -1 is missing. A boolean's code is 0 or 1.
	Codes []int32
	// Dict holds the values that Codes stand for: for a category the distinct
	// values in the order of their first appearance, for a boolean the spelling
	// of false and of true. Identifiers, text and sets are not looked up, so that Dict
	// may hold the same value twice; nor are images, whose values [Column.Picture]
	// opens.
	Dict []string
	// Layout writes a datetime as text, Decimal is the mark of a number's
	// fraction if it is a comma.
	Layout, Decimal string
}

// Len is the number of values, missing ones included.
func (c *Column) Len() int {
	if c.Type.numeric() {
		return len(c.Numbers)
	}
	return len(c.Codes)
}

// Missing says whether value i is missing.
func (c *Column) Missing(i int) bool {
	if c.Type.numeric() {
		return math.IsNaN(c.Numbers[i])
	}
	return c.Codes[i] < 0
}

// Text returns value i as text, "" when it is missing. Identifiers and text are
// as they were in the file, categories but for surrounding spaces; numbers are
// in their shortest spelling, and images by their names.
func (c *Column) Text(i int) string {
	switch {
	case c.Missing(i):
		return ""
	case c.Type == Number:
		return formatNumber(c.Numbers[i], c.Decimal)
	case c.Type == Datetime:
		return formatTime(c.Numbers[i], c.Layout)
	case c.Type == Image:
		return c.Picture(i).Name()
	}
	return c.Dict[c.Codes[i]]
}

func formatNumber(v float64, decimal string) string {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	s := strconv.FormatFloat(v, format, -1, 64)
	if decimal == "," {
		b := []byte(s)
		for i := range b {
			if b[i] == '.' {
				b[i] = ','
			}
		}
		s = string(b)
	}
	return s
}

// rows returns a column of n values, the i-th being that of row at(i).
func (c *Column) rows(n int, at func(int) int) *Column {
	d := *c
	if c.Type.numeric() {
		d.Numbers = make([]float64, n)
		for i := range d.Numbers {
			d.Numbers[i] = c.Numbers[at(i)]
		}
	} else {
		d.Codes = make([]int32, n)
		for i := range d.Codes {
			d.Codes[i] = c.Codes[at(i)]
		}
	}
	return &d
}

// Table is typed columns of one length.
type Table struct {
	Columns []*Column
	Rows    int
	// Cleaned says that the steps of data.clean were applied to the values: a
	// model does not apply its own again.
	Cleaned bool
}

// Column returns the column of that name, nil if there is none.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Names returns the columns' names.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Select returns the rows of those numbers, in that order, copied. Dictionaries
// are shared.
func (t *Table) Select(rows []int) *Table {
	s := &Table{Rows: len(rows), Cleaned: t.Cleaned}
	for _, c := range t.Columns {
		s.Columns = append(s.Columns, c.rows(len(rows), func(i int) int { return rows[i] }))
	}
	return s
}

// Slice returns the rows from lo up to hi, sharing memory with t.
func (t *Table) Slice(lo, hi int) *Table {
	s := &Table{Rows: hi - lo, Cleaned: t.Cleaned}
	for _, c := range t.Columns {
		d := *c
		if c.Type.numeric() {
			d.Numbers = c.Numbers[lo:hi:hi]
		} else {
			d.Codes = c.Codes[lo:hi:hi]
		}
		s.Columns = append(s.Columns, &d)
	}
	return s
}

// appender joins tables of one schema into one.
type appender struct {
	table   *Table
	columns []columnAppender
}

// add appends t, whose columns must be those of the tables before it. Memory for
// as many rows as reserve is taken at once.
func (a *appender) add(t *Table, reserve int) {
	if a.table == nil {
		a.table = &Table{Columns: make([]*Column, len(t.Columns))}
		a.columns = make([]columnAppender, len(t.Columns))
	}
	a.table.Rows += t.Rows
	for j, c := range t.Columns {
		a.columns[j].add(c, reserve)
		a.table.Columns[j] = a.columns[j].column
	}
}

// columnAppender joins a column's pieces.
type columnAppender struct {
	column *Column
	index  map[string]int32 // of a category's values
}

func (a *columnAppender) add(c *Column, reserve int) {
	if a.column == nil {
		d := *c
		d.Numbers, d.Codes = nil, nil
		if reserve = max(reserve, c.Len()); c.Type.numeric() {
			d.Numbers = make([]float64, 0, reserve)
		} else {
			d.Codes = make([]int32, 0, reserve)
		}
		if c.Type != Boolean {
			d.Dict = nil
		}
		a.column, a.index = &d, map[string]int32{}
	}
	d := a.column
	switch c.Type {
	case Number, Datetime:
		d.Numbers = append(d.Numbers, c.Numbers...)
	case Boolean:
		d.Codes = append(d.Codes, c.Codes...)
	case Category:
		// A code is looked up once a piece. In one that was sliced, the dictionary
		// may hold values that no row has: they are not taken over.
		codes := make([]int32, len(c.Dict))
		for i := range codes {
			codes[i] = -1
		}
		for _, k := range c.Codes {
			if k < 0 {
				d.Codes = append(d.Codes, -1)
				continue
			}
			if codes[k] < 0 {
				v := c.Dict[k]
				g, ok := a.index[v]
				if !ok {
					// A copy, since a piece's values are one string.
					v = strings.Clone(v)
					g = int32(len(d.Dict))
					a.index[v] = g
					d.Dict = append(d.Dict, v)
				}
				codes[k] = g
			}
			d.Codes = append(d.Codes, codes[k])
		}
	default:
		for _, k := range c.Codes {
			if k >= 0 {
				d.Dict = append(d.Dict, c.Dict[k])
				k = int32(len(d.Dict) - 1)
			}
			d.Codes = append(d.Codes, k)
		}
	}
}
