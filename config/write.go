package config

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// An Entry is a key with its value and comments, to be written. A value is a
// [Map], a [List], or any Go value that can be decoded again.
type Entry struct {
	Key   string // not used in a List
	Value any
	Head  string // comment on the lines above
	Line  string // comment at the end of the line
	Off   bool   // the entry itself is a comment, to be uncommented by hand
}

// A Map is a mapping that is written in the order of its entries.
type Map []Entry

// A List is a list whose elements may have comments.
type List []Entry

// lineWidth is how wide lines in flow style may become, and wrapped comments.
const lineWidth = 80

// Write returns a document with comments. Below the top, mappings that have no
// comments and fit a line are written in it: {type: adam, learning_rate: 0.001}.
func Write(m Map) ([]byte, error) {
	w := writer{top: true}
	if err := w.entries(m, false); err != nil {
		return nil, err
	}
	return w.bytes(), nil
}

// Marshal returns the struct, or pointer to one, as YAML with every option
// that is set or has a default, from which Decode makes the same struct.
func Marshal(v any) ([]byte, error) {
	return marshal(v, shower{})
}

// A tall map is never written in one line, so that its keys stand out.
type tall Map

// literal is YAML already.
type literal string

type writer struct {
	top   bool // where entries with comments are set apart
	lines []struct{ text, comment string }
}

func (w *writer) line(text, comment string) {
	w.lines = append(w.lines, struct{ text, comment string }{text, strings.Join(strings.Fields(comment), " ")})
}

// bytes joins the lines, with the comments of neighbouring lines aligned.
func (w *writer) bytes() []byte {
	var b strings.Builder
	for i := 0; i < len(w.lines); {
		end, column := i, 0
		for end < len(w.lines) && w.lines[end].comment != "" {
			if n := utf8.RuneCountInString(w.lines[end].text); n <= 60 {
				column = max(column, n)
			}
			end++
		}
		for _, l := range w.lines[i:max(end, i+1)] {
			b.WriteString(l.text)
			if l.comment != "" {
				b.WriteString(strings.Repeat(" ", 2+max(0, column-utf8.RuneCountInString(l.text))) + "# " + l.comment)
			}
			b.WriteByte('\n')
		}
		i = max(end, i+1)
	}
	return []byte(b.String())
}

func (w *writer) head(comment string) {
	if comment == "" {
		return
	}
	for _, paragraph := range strings.Split(comment, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && utf8.RuneCountInString(line+word) > lineWidth-3 {
				w.line("# "+line, "")
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		w.line(strings.TrimRight("# "+line, " "), "")
	}
}

// entries writes the entries of a mapping or a list, one below the other.
func (w *writer) entries(entries []Entry, list bool) error {
	for _, e := range entries {
		if w.top && e.Head != "" && len(w.lines) > 0 {
			w.line("", "")
		}
		w.head(e.Head)
		sub := w
		if e.Off {
			sub = &writer{}
		}
		lead := "- "
		if !list {
			lead = Quote(e.Key) + ": "
		}
		value, err := tree(e.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Key, err)
		}
		if err := sub.entry(lead, value, e.Line, list); err != nil {
			return err
		}
		if e.Off {
			for _, l := range sub.lines {
				w.line("# "+l.text, l.comment)
			}
		}
	}
	return nil
}

func (w *writer) entry(lead string, value any, comment string, list bool) error {
	if one, ok := flow(value); ok && (isLeaf(value) || !isTable(value) && utf8.RuneCountInString(lead+one) <= lineWidth) {
		w.line(strings.TrimRight(lead+one, " "), comment)
		return nil
	}
	var entries []Entry
	below := &writer{}
	var err error
	switch v := value.(type) {
	case Map:
		entries, err = v, below.entries(v, false)
	case tall:
		entries, err = v, below.entries(v, false)
	case List:
		entries, err = v, below.entries(v, true)
	}
	if err != nil {
		return err
	}
	_, isList := value.(List)
	if list && !isList && len(entries) > 0 && entries[0].Head == "" && !entries[0].Off && comment == "" {
		for i, l := range below.lines { // the first key stands beside the dash
			in := "  "
			if i == 0 {
				in = lead
			}
			w.line(strings.TrimRight(in+l.text, " "), l.comment)
		}
		return nil
	}
	w.line(strings.TrimRight(lead, " "), comment)
	for _, l := range below.lines {
		w.line(strings.TrimRight("  "+l.text, " "), l.comment)
	}
	return nil
}

// isTable reports whether a value is a list of mappings, which is easier to
// read one below the other.
func isTable(value any) bool {
	list, ok := value.(List)
	if !ok {
		return false
	}
	for _, e := range list {
		if v, err := tree(e.Value); err == nil {
			if _, ok := v.(Map); ok {
				return true
			}
		}
	}
	return false
}

func isLeaf(value any) bool {
	switch v := value.(type) {
	case Map:
		return len(v) == 0
	case tall:
		return len(v) == 0
	case List:
		return len(v) == 0
	}
	return true
}

// flow returns a value in one line, or false if it has comments or must not be.
func flow(value any) (string, bool) {
	var entries []Entry
	list := false
	switch v := value.(type) {
	case literal:
		return string(v), true
	case tall:
		if len(v) > 0 {
			return "", false
		}
	case Map:
		entries = v
	case List:
		entries, list = v, true
	}
	var parts []string
	for _, e := range entries {
		value, err := tree(e.Value)
		if err != nil {
			return "", false
		}
		s, ok := flow(value)
		if !ok || e.Head != "" || e.Line != "" || e.Off {
			return "", false
		}
		if !list {
			s = Quote(e.Key) + ": " + s
		}
		parts = append(parts, s)
	}
	if list {
		return "[" + strings.Join(parts, ", ") + "]", true
	}
	return "{" + strings.Join(parts, ", ") + "}", true
}

// tree returns a value as a Map, a tall, a List or a literal.
func tree(v any) (any, error) {
	switch v := v.(type) {
	case Map, tall, List, literal:
		return v, nil
	case nil:
		return literal("null"), nil
	}
	sh := shower{}
	return sh.value("", nil, reflect.ValueOf(v))
}
