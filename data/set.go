package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SetDelimiters are what may part the labels of a cell, the likeliest first.
var SetDelimiters = []string{";", "|", ","}

// EmptySet is how a cell without a label is written.
const EmptySet = "[]"

// SplitSet returns the labels of a cell, each once, in their order: the elements of
// a JSON array, else the parts between delimiters, without spaces around them. Empty
// parts are no labels, so that [] and a delimiter alone are the empty set.
func SplitSet(cell, delimiter string) ([]string, error) {
	cell = strings.TrimSpace(cell)
	var parts []string
	if strings.HasPrefix(cell, "[") && strings.HasSuffix(cell, "]") {
		d := json.NewDecoder(bytes.NewReader([]byte(cell)))
		d.UseNumber()
		var values []any
		if err := d.Decode(&values); err == nil {
			for _, v := range values {
				switch v := v.(type) {
				case string:
					parts = append(parts, v)
				case json.Number:
					parts = append(parts, v.String())
				case bool:
					parts = append(parts, strconv.FormatBool(v))
				default:
					return nil, fmt.Errorf("the list %s has an element that is no text, expected labels alone", quoteText(cell))
				}
			}
		} else if delimiter == "" {
			return nil, fmt.Errorf("found %s, expected a list such as [\"a\",\"b\"]", quoteText(cell))
		} else { // [a; b]
			parts = strings.Split(cell[1:len(cell)-1], delimiter)
		}
	} else if delimiter == "" {
		parts = []string{cell}
	} else {
		parts = strings.Split(cell, delimiter)
	}
	labels := parts[:0]
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(labels, p) {
			labels = append(labels, p)
		}
	}
	return labels, nil
}

// JoinSet writes labels as [SplitSet] reads them; where one of them holds the
// delimiter, or there is none, as a JSON array.
func JoinSet(labels []string, delimiter string) string {
	if len(labels) == 0 {
		return EmptySet
	}
	joined := strings.Join(labels, delimiter)
	if delimiter != "" && !strings.HasPrefix(joined, "[") && strings.Count(joined, delimiter) == len(labels)-1 {
		return joined
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(labels); err != nil { // text always has a spelling in JSON
		return joined
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// SetDelimiter returns what parts the labels in a column that is known to hold
// sets: the first of [SetDelimiters] by the number of cells that have it; "" where
// none does, as of JSON arrays.
func SetDelimiter(c *Column) string {
	best, most := "", 0
	for _, d := range SetDelimiters {
		n := 0
		for i := range c.Len() {
			if !c.Missing(i) && !isList(c.Text(i)) && strings.Contains(c.Text(i), d) {
				n++
			}
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

func isList(v string) bool {
	v = strings.TrimSpace(v)
	return strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]")
}

// What a column must show to be taken for sets of labels without being declared.
const (
	fewestSets  = 20
	longLabel   = 40 // runes
	manyLabels  = 1000
	labelRecurs = 5 // times, on average
)

// looksLikeSets says whether a text column holds sets of labels, and why: JSON
// arrays, or short lists of recurring words of which there are more combinations
// than words, some cells with one and some with several. Names, addresses and
// composites of always the same number of parts are none.
func looksLikeSets(c *Column) (why string, ok bool) {
	if c.Type == Set {
		return "its values are sets of labels", true
	}
	if c.Type != Category && c.Type != Text && c.Type != Identifier {
		return "", false
	}
	cells, lists := 0, 0
	for i := range c.Len() {
		if !c.Missing(i) {
			cells++
			if isList(c.Text(i)) {
				lists++
			}
		}
	}
	if cells < fewestSets {
		return "", false
	}
	delimiter := ""
	if lists < cells {
		if delimiter = SetDelimiter(c); delimiter == "" {
			return "", false
		}
	}
	labels, combinations := map[string]int{}, map[string]bool{}
	one, several, total := 0, 0, 0
	for i := range c.Len() {
		if c.Missing(i) {
			continue
		}
		v := c.Text(i)
		parts, err := SplitSet(v, delimiter)
		if err != nil {
			return "", false
		}
		for _, p := range parts {
			if utf8.RuneCountInString(p) > longLabel || strings.Count(p, " ") > 3 {
				return "", false
			}
			labels[p]++
		}
		if len(labels) > manyLabels {
			return "", false
		}
		slices.Sort(parts)
		combinations[strings.Join(parts, "\x00")] = true
		switch total += len(parts); len(parts) {
		case 0:
		case 1:
			one++
		default:
			several++
		}
	}
	switch {
	case total < labelRecurs*len(labels) || len(labels) < 2 || 20*several < cells:
		return "", false
	case lists < cells && (len(combinations) <= len(labels) || 100*one < cells):
		return "", false
	}
	how := fmt.Sprintf("parted by %q", delimiter)
	if lists == cells {
		how = "as lists"
	}
	return fmt.Sprintf("its cells hold %d labels in %d combinations, %s", len(labels), len(combinations), how), true
}
