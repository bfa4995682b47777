package data

import (
	"fmt"
	"slices"
	"strings"
)

// Options says how to read a file. The zero value finds everything by looking.
type Options struct {
	// Delimiter between fields: one ASCII character, or "tab", "comma",
	// "semicolon", "bar". Default: found by looking, among , ; tab and |.
	Delimiter string `yaml:"delimiter" json:"delimiter,omitempty"`
	// Quote around a field: one ASCII character, or "none". Default: ".
	Quote string `yaml:"quote" json:"quote,omitempty"`
	// Encoding of the text: utf-8, utf-16, utf-16le, utf-16be, windows-1252,
	// iso-8859-1 (latin-1) or gb18030 (gbk). Default: utf-8, or UTF-16 where the
	// file begins with its byte-order mark.
	Encoding string `yaml:"encoding" json:"encoding,omitempty"`
	// Header says whether the first row holds the columns' names. Default: found
	// by looking.
	Header *bool `yaml:"header" json:"header,omitempty"`
	// Names of the columns, instead of the header's. Default: the header, or
	// column_1, column_2, …
	Names []string `yaml:"names" json:"names,omitempty"`
	// SkipLines is the number of lines before the header or the first row.
	// Default: 0.
	SkipLines int `yaml:"skip_lines" json:"skip_lines,omitempty"`
	// MissingValues are the spellings of a missing value, in any case; an empty
	// field is always missing. Default: na, n/a, nan, null, none, ? and others.
	MissingValues []string `yaml:"missing_values" json:"missing_values,omitempty"`
	// Types of columns by name, where the inferred one is not wanted: number,
	// category, boolean, datetime, identifier or text. Default: inferred.
	Types map[string]Type `yaml:"types" json:"types,omitempty"`
	// Layouts of datetime columns by name, written as Go does: 02/01/2006 15:04.
	// Default: inferred.
	Layouts map[string]string `yaml:"layouts" json:"layouts,omitempty"`
	// MaxExpansion is how many times larger than the file its content may be once
	// decompressed; beyond it a file of more than 64 MiB is refused. Default: 200.
	MaxExpansion int `yaml:"max_expansion" json:"max_expansion,omitempty"`

	// Schema that was inferred earlier. Columns are then found by name, columns
	// that it does not name are ignored, and Types and Layouts are not looked at.
	Schema Schema `yaml:"-" json:"-"`
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
	Column  string // "" when it is not one column's fault
	Problem string // what was found, what was expected
	Remedy  string // what to do; may be empty
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

// check finds mistakes that do not need the file.
func (o *Options) check() error {
	for name, t := range o.Types {
		if !slices.Contains(Types, t) {
			return &Error{Column: name, Problem: fmt.Sprintf("data.types gives the unknown type %q, expected one of number, category, boolean, datetime, identifier, text", string(t))}
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

// Nearest returns the candidate most like name, "" when none is like it.
func Nearest(name string, candidates []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// editDistance is the number of single-character changes between a and b.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
