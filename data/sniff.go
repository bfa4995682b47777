package data

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Format is how a file is written, as declared or found by looking.
type Format struct {
	Kind        string `json:"kind"`        // csv, jsonl, parquet or xlsx
	Compression string `json:"compression"` // gzip, zstd or ""
	Delimiter   string `json:"delimiter"`   // "" where the kind has none
	Quote       string `json:"quote"`       // "" when there is none
	Encoding    string `json:"encoding"`
	Header      bool   `json:"header"`
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
