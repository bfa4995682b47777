package data

import (
	"fmt"
	"slices"
	"strings"
)

// Options says how to read a file. The zero value finds everything by looking.
type Options struct {
	Delimiter     string              `yaml:"delimiter" json:"delimiter,omitempty" doc:"between fields: one ASCII character, or tab, comma, semicolon, bar, space; default: found by looking"`
	Quote         string              `yaml:"quote" json:"quote,omitempty" doc:"around a field: one ASCII character, or none; default: \""`
	Encoding      string              `yaml:"encoding" json:"encoding,omitempty" doc:"of the text: utf-8, utf-16, utf-16le, utf-16be, windows-1252, iso-8859-1 or gb18030; default: utf-8, or utf-16 where the file begins with its byte-order mark"`
	Header        *bool               `yaml:"header" json:"header,omitempty" doc:"whether the first row holds the columns' names; default: found by looking"`
	Names         []string            `yaml:"names" json:"names,omitempty" doc:"of the columns, instead of the header's; default: the header, or column_1, column_2, …"`
	SkipLines     int                 `yaml:"skip_lines" json:"skip_lines,omitempty" default:"0" min:"0" doc:"lines before the header or the first row"`
	Sheet         string              `yaml:"sheet" json:"sheet,omitempty" doc:"of an Excel workbook; default: the first"`
	MissingValues []string            `yaml:"missing_values" json:"missing_values,omitempty" doc:"spellings of a missing value, in any case; an empty field is always missing; default: na, n/a, nan, null, none, ? and others"`
	Missing       map[string][]string `yaml:"missing" json:"missing,omitempty" doc:"of columns, spellings of a missing value beside those of missing_values, as in {glucose: [\"0\"]}"`
	Types         map[string]Type     `yaml:"types" json:"types,omitempty" enum:"number,category,boolean,datetime,identifier,text,image,set" doc:"of columns, where the inferred one is not wanted, as in {zip: category}"`
	Layouts       map[string]string   `yaml:"layouts" json:"layouts,omitempty" doc:"of datetime columns, written as Go does, as in {since: 02/01/2006 15:04}; default: inferred"`
	Thousands     map[string]string   `yaml:"thousands" json:"thousands,omitempty" doc:"of columns, what parts the thousands of their numbers, as in {price: \".\"}: comma, point (the comma is then the decimal mark), space, apostrophe, or none; default: inferred"`
	EmptySets     []string            `yaml:"empty_sets" json:"empty_sets,omitempty" doc:"columns of type set in which an empty cell means no label; elsewhere it is missing, and [] means no label"`
	MaxExpansion  int                 `yaml:"max_expansion" json:"max_expansion,omitempty" default:"200" min:"1" doc:"times that a file grows when decompressed; beyond it a file of more than 64 MiB is refused"`

	// Schema that was inferred earlier. Columns are then found by name, columns
	// that it does not name are ignored, and Types and Layouts are not looked at.
	Schema Schema `yaml:"-" json:"-"`

	// CacheDir is a folder in which Read keeps the tables of large sources as they
	// are in memory, to map them the next time that the same content is read with
	// the same options by the same program; "" for none. The tables are ordinary
	// ones. What does not fit in 20 GiB is removed, what was used longest ago
	// first.
	CacheDir string `yaml:"-" json:"-"`
}

// MissingValues lists the spellings of a missing value beside the empty field.
// They are compared in any case and without surrounding spaces.
var MissingValues = []string{
	"na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "nat", "null", "(null)", "none", "nil",
	"missing", "?", "-", "--", ".", `\n`, "#null!", "#value!", "#div/0!", "#ref!", "#num!",
}

const defaultMaxExpansion = 200

// Error is what is wrong with a source of data, and what to do about it.
type Error struct {
	Path    string // "" when the rows did not come from a file
	Line    int    // 0 when it is not one line's fault
	Row     int    // where there are no lines: the row's number, from 1
	Column  string // "" when it is not one column's fault
	Problem string // what was found, what was expected
	Remedy  string // what to do; may be empty
	Quotes  bool   // a quote stands within a field: those of the file are perhaps text
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path)
	}
	if e.Line > 0 {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "line %d", e.Line)
	}
	if e.Row > 0 {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "row %d", e.Row)
	}
	if e.Column != "" {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "column %q", e.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

// UserError marks the error as the user's to mend, not ours.
func (e *Error) UserError() bool { return true }

// quoteText shows a value in an error, shortened.
func quoteText(b string) string {
	const limit = 60
	if r := []rune(b); len(r) > limit {
		b = string(r[:limit]) + "…"
	}
	return fmt.Sprintf("%q", b)
}

var delimiterNames = map[string]byte{"tab": '\t', `\t`: '\t', "comma": ',', "semicolon": ';', "bar": '|', "pipe": '|', "space": ' '}

// delimiter returns the delimiter's byte, 0 when it is to be found by looking.
func (o *Options) delimiter() (byte, error) {
	d := o.Delimiter
	if d == "" {
		return 0, nil
	}
	if b, ok := delimiterNames[strings.ToLower(d)]; ok {
		return b, nil
	}
	if len(d) == 1 && d[0] < 0x80 && d[0] != '\n' && d[0] != '\r' && d[0] != 0 && d != o.Quote {
		return d[0], nil
	}
	return 0, &Error{Problem: fmt.Sprintf("data.delimiter is %q, expected one ASCII character or one of tab, comma, semicolon, bar, space", d)}
}

// quote returns the quote's byte, 0 when there is none.
func (o *Options) quote() (byte, error) {
	q := o.Quote
	switch {
	case q == "":
		return '"', nil
	case strings.EqualFold(q, "none"):
		return 0, nil
	case len(q) == 1 && q[0] > ' ' && q[0] < 0x7f:
		return q[0], nil
	}
	return 0, &Error{Problem: fmt.Sprintf(`data.quote is %q, expected one ASCII character such as " or ', or none`, q)}
}

// missingOf lists the spellings of a missing value in a column.
func (o *Options) missingOf(column string) []string {
	all := o.MissingValues
	if all == nil {
		all = MissingValues
	}
	if own := o.Missing[column]; own != nil {
		all = slices.Concat(all, own)
	}
	return all
}

// check finds mistakes that do not need the file.
func (o *Options) check() error {
	for name, t := range o.Types {
		if !slices.Contains(Types, t) {
			return &Error{Column: name, Problem: fmt.Sprintf("data.types gives the unknown type %q, expected one of number, category, boolean, datetime, identifier, text, image, set", string(t))}
		}
	}
	for _, name := range o.EmptySets {
		if t := o.Types[name]; t != "" && t != Set {
			return &Error{Column: name, Problem: fmt.Sprintf("data.types says %s, and data.empty_sets is of sets", t), Remedy: "remove one of them"}
		}
	}
	for name, t := range o.Thousands {
		if _, ok := thousandsNames[t]; !ok {
			return &Error{Column: name, Problem: fmt.Sprintf("data.thousands has %q, expected comma, point, space, apostrophe or none", t)}
		}
		if want := o.Types[name]; want != "" && want != Number && t != "none" {
			return &Error{Column: name, Problem: fmt.Sprintf("data.types says %s, and data.thousands is of numbers", want), Remedy: "remove one of them"}
		}
	}
	if o.SkipLines < 0 {
		return &Error{Problem: fmt.Sprintf("data.skip_lines is %d, expected 0 or more", o.SkipLines)}
	}
	if o.MaxExpansion < 0 {
		return &Error{Problem: fmt.Sprintf("data.max_expansion is %d, expected 1 or more", o.MaxExpansion)}
	}
	return nil
}
