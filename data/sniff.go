package data

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Format is how a file is written, as declared or found by looking.
type Format struct {
	Delimiter string `json:"delimiter"`
	Quote     string `json:"quote"` // "" when there is none
	Encoding  string `json:"encoding"`
	Header    bool   `json:"header"`
	Gzip      bool   `json:"gzip"`
}

// candidates are the delimiters looked for, the likeliest first.
var candidates = []byte{',', '\t', ';', '|'}

// sniffRecords is how many records are looked at.
const sniffRecords = 1000

// records returns the first rows of a sample as text; nil for a record with a
// misplaced quote. whole says that the sample is the whole file.
func records(sample []byte, delimiter, quote byte, whole bool) [][]string {
	s := scanner{delimiter: delimiter, quote: quote}
	var rows [][]string
	for pos := 0; len(rows) < sniffRecords; {
		next, err := s.next(sample, pos)
		if err != nil {
			if e := err.(*scanError); e.unterminated && !whole {
				break // only the sample ends here
			}
			rows = append(rows, nil)
			n := bytes.IndexByte(sample[s.start:], '\n')
			if n < 0 {
				break
			}
			pos = s.start + n + 1
			continue
		}
		if next < 0 || next == len(sample) && !whole && len(rows) > 0 {
			break // nothing left, or cut off
		}
		row := make([]string, len(s.fields))
		for i, f := range s.fields {
			row[i] = string(s.value(sample, f))
		}
		rows = append(rows, row)
		pos = next
	}
	return rows
}

// shape is how regularly a delimiter divides the rows.
type shape struct {
	fields int     // of most rows
	share  float64 // of rows that have that many
	first  int     // fields of the first row
}

func measure(rows [][]string) shape {
	counts := map[int]int{}
	for _, r := range rows {
		counts[len(r)]++
	}
	var s shape
	for n, c := range counts {
		if share := float64(c) / float64(len(rows)); n > 0 && (share > s.share || share == s.share && n > s.fields) {
			s.share, s.fields = share, n
		}
	}
	if len(rows) > 0 {
		s.first = len(rows[0])
	}
	return s
}

// typedShare is the share of fields that are numbers or dates.
func typedShare(rows [][]string, delimiter byte) float64 {
	typed, all := 0, 0
	for _, r := range rows[:min(len(rows), 100)] {
		for _, v := range r {
			if isTyped(v, '.') || delimiter != ',' && isTyped(v, ',') {
				typed++
			}
			all++
		}
	}
	return float64(typed) / float64(max(1, all))
}

// isTyped says whether v is a number or a date.
func isTyped(v string, decimal byte) bool {
	v = strings.TrimSpace(v)
	_, k := parseNumber([]byte(v), decimal)
	return k == isInteger || k == isFloat || len(matchLayouts(v)) > 0
}

// sniffDelimiter chooses the delimiter that divides the rows most regularly; 0
// when none divides them.
func sniffDelimiter(sample []byte, quote byte, whole bool) (byte, shape) {
	var best byte
	var bestShape shape
	var bestRows [][]string
	for _, d := range candidates {
		rows := records(sample, d, quote, whole)
		s := measure(rows)
		// Sentences contain delimiters too, but not the same number each.
		if s.fields < 2 || s.share < 0.8 && s.first != s.fields {
			continue
		}
		better := best == 0 || s.share > bestShape.share+0.001
		if !better && s.share > bestShape.share-0.001 {
			t, u := typedShare(rows, d), typedShare(bestRows, best)
			better = t > u+0.05 || t > u-0.05 && s.fields > bestShape.fields
		}
		if better {
			best, bestShape, bestRows = d, s, rows
		}
	}
	return best, bestShape
}

// sniffHeader says whether the first row holds names: it has no number or date
// and either the rows below it do, or it does not look like one of them.
func sniffHeader(rows [][]string) bool {
	if len(rows) == 0 {
		return false
	}
	first := rows[0]
	typed := func(v string) bool { return isTyped(v, '.') || isTyped(v, ',') }
	if slices.ContainsFunc(first, typed) {
		return false
	}
	for j := range first {
		n, m := 0, 0
		for _, r := range rows[1:min(len(rows), 100)] {
			if j < len(r) && !defaultMissing.has([]byte(strings.TrimSpace(r[j]))) {
				n++
				if typed(r[j]) {
					m++
				}
			}
		}
		if n > 0 && 10*m >= 9*n {
			return true
		}
	}
	for j, v := range first {
		if defaultMissing.has([]byte(strings.TrimSpace(v))) {
			continue
		}
		for _, r := range rows[1:] {
			if j < len(r) && strings.EqualFold(strings.TrimSpace(r[j]), strings.TrimSpace(v)) {
				return false
			}
		}
	}
	return true
}

// sniff fills in what the options leave open, from the first bytes of the text.
func (r *Reader) sniff(sample []byte, whole bool) error {
	o := &r.options
	if i := bytes.IndexByte(sample, 0); i >= 0 {
		return nulError(r.path, sample, 1+bytes.Count(sample[:i], []byte{'\n'}), int64(i))
	}
	if bytes.IndexByte(sample, '\n') < 0 && bytes.Count(sample, []byte{'\r'}) > 1 {
		return &Error{Path: r.path, Problem: "the lines end in a lone CR, expected LF or CRLF", Remedy: "convert the line ends"}
	}
	for range o.SkipLines {
		n := bytes.IndexByte(sample, '\n')
		if n < 0 {
			return &Error{Path: r.path, Problem: fmt.Sprintf("has no lines after the %d of data.skip_lines", o.SkipLines)}
		}
		sample = sample[n+1:]
	}
	var err error
	if r.quote, err = o.quote(); err != nil {
		return err
	}
	if r.delimiter, err = o.delimiter(); err != nil {
		return err
	}
	found, s := sniffDelimiter(sample, r.quote, whole)
	if r.delimiter == 0 {
		if r.delimiter = found; found == 0 {
			r.delimiter = ','
		}
	}
	rows := records(sample, r.delimiter, r.quote, whole)
	if own := measure(rows); own.fields == 1 && own.share > 0.99 && found != 0 && s.share > 0.99 && len(rows) > 1 {
		return &Error{Path: r.path,
			Problem: fmt.Sprintf("has one column when divided at %s, but %d when divided at %s", delimiterName(r.delimiter), s.fields, delimiterName(found)),
			Remedy:  "remove data.delimiter, or set it to " + delimiterName(found)}
	}
	if len(rows) == 0 && len(bytes.TrimSpace(sample)) == 0 {
		return emptyError(r.path)
	}
	switch {
	case o.Header != nil:
		r.header = *o.Header
	case len(rows) == 0 || rows[0] == nil:
		r.header = true // the error comes when it is read
	default:
		r.header = sniffHeader(rows)
		if names := o.Schema.Names(); len(names) > 0 && containsAll(rows[0], names) || len(o.Names) > 0 && containsAll(rows[0], o.Names) {
			r.header = true
		}
	}
	if len(rows) > 1 && rows[0] != nil && len(rows[0]) != s.fields && len(rows[0]) == 1 && found == r.delimiter {
		return &Error{Path: r.path, Line: o.SkipLines + 1,
			Problem: fmt.Sprintf("is %s, where the lines below it have %d fields divided at %s", quoteText(rows[0][0]), s.fields, delimiterName(found)),
			Remedy:  fmt.Sprintf("remove the line, or set data.skip_lines to %d if the table begins below it", o.SkipLines+1)}
	}
	return nil
}

func containsAll(row, names []string) bool {
	for _, n := range names {
		if !slices.ContainsFunc(row, func(v string) bool { return strings.TrimSpace(v) == n }) {
			return false
		}
	}
	return true
}

func delimiterName(d byte) string {
	switch d {
	case '\t':
		return "tab"
	case ' ':
		return "space"
	}
	return fmt.Sprintf("'%c'", d)
}

// columnNames returns the names of the columns from the first record.
func (r *Reader) columnNames(first []string, line int) ([]string, error) {
	names := make([]string, len(first))
	for i := range names {
		if r.header {
			names[i] = strings.TrimSpace(first[i])
		}
		if names[i] == "" {
			names[i] = fmt.Sprintf("column_%d", i+1)
		}
	}
	if n := r.options.Names; len(n) > 0 {
		if len(n) != len(first) {
			return nil, &Error{Path: r.path, Line: line, Problem: fmt.Sprintf("has %d fields, but data.names gives %d names", len(first), len(n))}
		}
		copy(names, n)
	}
	seen := map[string]int{}
	for i, n := range names {
		if k, ok := seen[n]; ok {
			e := &Error{Path: r.path, Line: line, Column: n,
				Problem: fmt.Sprintf("the name is given to fields %d and %d, expected every column to have its own", k+1, i+1),
				Remedy:  "rename one, or give all names in data.names"}
			if r.header && r.options.Header == nil {
				e.Remedy += ", or set data.header: false if this line is data"
			}
			return nil, e
		}
		seen[n] = i
	}
	return names, nil
}
