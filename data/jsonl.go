package data

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonFile reads one JSON object a line. A nested object's fields are columns
// named with dots, an array is text, and a field that a line lacks is missing.
type jsonFile struct {
	*part
	index map[string]int // of the columns
	// closed says that the columns are known for certain, so that others are not
	// asked for.
	closed bool
}

const (
	jsonDepth   = 64   // of nesting
	jsonColumns = 4096 // a limit, so that keys that are data are noticed
)

// isJSONL says whether a text is objects, by its name or its first line.
func isJSONL(path string, sample []byte) bool {
	name := strings.ToLower(path)
	for _, end := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, end)
	}
	if strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".ndjson") {
		return true
	}
	sample = bytes.TrimLeft(sample, " \t\r\n")
	if strings.HasSuffix(name, ".json") {
		return len(sample) > 0 && (sample[0] == '{' || sample[0] == '[')
	}
	line, _, _ := bytes.Cut(sample, []byte{'\n'})
	return len(line) > 0 && line[0] == '{' && (&jsonScanner{data: line}).object(func(_, _ []byte) error { return nil }) == nil
}

func openJSONL(p *part, sample []byte, whole bool) (decoder, error) {
	if len(p.options.Names) > 0 {
		return nil, &Error{Path: p.path, Problem: "data.names is given, but the names stand in every row", Remedy: "remove data.names"}
	}
	d := &jsonFile{part: p, index: map[string]int{}, closed: p.options.Schema != nil}
	if first := bytes.TrimLeft(sample, " \t\r\n"); len(first) > 0 && first[0] == '[' {
		return nil, &Error{Path: p.path, Line: 1, Problem: "the text begins an array, expected one object a line", Remedy: "write every row as an object on a line of its own (JSON Lines)"}
	}
	if !whole {
		n := bytes.LastIndexByte(sample, '\n')
		if n < 0 {
			return d, d.widen() // the first line is longer than the sample
		}
		sample = sample[:n+1]
	}
	return d, d.learn(&block{data: sample, line: 1 + p.options.SkipLines, part: p}, p.options.SkipLines)
}

// learn adds a block's keys to the columns, past lines to skip.
func (d *jsonFile) learn(b *block, skip int) error {
	for range skip {
		b.data = b.data[bytes.IndexByte(b.data, '\n')+1:]
	}
	if err := b.checkText(d.path, d.encoding); err != nil {
		return err
	}
	return d.lines(b, func(_ int, s *jsonScanner) error {
		return s.object(func(key, _ []byte) error {
			if _, ok := d.index[string(key)]; ok {
				return nil
			}
			if len(d.names) == jsonColumns {
				return &Error{Path: d.path, Column: string(key), Problem: fmt.Sprintf("is the %dth key, expected at most %d", jsonColumns+1, jsonColumns), Remedy: "write keys that differ from row to row as values of one column"}
			}
			name := string(key)
			d.index[name] = len(d.names)
			d.names = append(d.names, name)
			return nil
		})
	})
}

// widen learns the columns of the whole file.
func (d *jsonFile) widen() error {
	c, err := d.chunks('\n', 0)
	if err != nil {
		return err
	}
	defer c.Close()
	d.closed = true
	for {
		b, err := c.next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		b.part = d.part
		if err := d.learn(b, 0); err != nil {
			return err
		}
		c.release(b)
	}
}

// moreColumns says that a file has columns that its beginning does not show.
type moreColumns struct{ file *jsonFile }

func (*moreColumns) Error() string { return "more columns" }

// widen looks for the columns of all rows of a file.
func (r *Reader) widen(f *jsonFile) error {
	if err := f.widen(); err != nil {
		return err
	}
	r.names = r.parts[0].names
	return r.match()
}

func (d *jsonFile) pass() (pass, error) { return d.chunks('\n', 0) }

// lines calls row for every line that is not empty, with its position.
func (d *jsonFile) lines(b *block, row func(at int, s *jsonScanner) error) error {
	var s jsonScanner
	for at := 0; at < len(b.data); {
		end := len(b.data)
		if n := bytes.IndexByte(b.data[at:], '\n'); n >= 0 {
			end = at + n
		}
		line := bytes.TrimSpace(b.data[at:end])
		if len(line) > 0 {
			s.data, s.pos = line, 0
			if err := row(at, &s); err != nil {
				switch err.(type) {
				case *Error, *moreColumns:
					return err
				}
				return &Error{Path: d.path, Line: b.lineAt(at), Problem: "is not one JSON object: " + err.Error(), Remedy: "correct the line; every row is an object on a line of its own"}
			}
		}
		at = end + 1
	}
	return nil
}

func (d *jsonFile) each(sc *scanner, b *block, row func() error) error {
	if err := b.checkText(d.path, d.encoding); err != nil {
		return err
	}
	empty := make([]span, len(d.names))
	given, commas := make([]bool, len(d.names)), d.commas(d.names)
	return d.lines(b, func(at int, s *jsonScanner) error {
		sc.text, sc.start = sc.text[:0], at
		sc.fields = append(sc.fields[:0], empty...)
		clear(given)
		err := s.object(func(key, value []byte) error {
			k, ok := d.index[string(key)]
			if !ok && !d.closed {
				return &moreColumns{d}
			} else if !ok {
				return nil
			}
			if given[k] {
				return fmt.Errorf("the key %s stands twice", quoteText(string(key)))
			}
			given[k] = true
			sc.put(k, value)
			if s.bare && commas[k] {
				withComma(sc.text[sc.fields[k].start:])
			}
			return nil
		})
		if err != nil {
			return err
		}
		sc.data = sc.text
		return row()
	})
}

// jsonScanner reads one JSON text, as strictly as encoding/json.
type jsonScanner struct {
	data   []byte
	pos    int
	key    []byte // path to where we are, with dots
	string []byte // unquoted last
	text   []byte // written last
	bare   bool   // the value last read is a number of JSON
}

func (s *jsonScanner) wrong(expected string) error {
	if s.pos >= len(s.data) {
		return fmt.Errorf("it ends early, expected %s", expected)
	}
	end := min(len(s.data), s.pos+20)
	return fmt.Errorf("found %s at character %d, expected %s", quoteText(strings.ToValidUTF8(string(s.data[s.pos:end]), "")), s.pos+1, expected)
}

func (s *jsonScanner) space() {
	for s.pos < len(s.data) && (s.data[s.pos] == ' ' || s.data[s.pos] == '\t' || s.data[s.pos] == '\r' || s.data[s.pos] == '\n') {
		s.pos++
	}
}

// take goes past a character, and spaces around it, if it is there.
func (s *jsonScanner) take(c byte) bool {
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != c {
		return false
	}
	s.pos++
	s.space()
	return true
}

// object reads the whole text, which is an object, and gives its fields; null is
// given as no text. Key and value are good until the next call.
func (s *jsonScanner) object(field func(key, value []byte) error) error {
	s.key = s.key[:0]
	if err := s.fieldsOf(field, 1); err != nil {
		return err
	}
	if s.space(); s.pos < len(s.data) {
		return s.wrong("the end of the line")
	}
	return nil
}

func (s *jsonScanner) fieldsOf(field func(key, value []byte) error, depth int) error {
	if depth > jsonDepth {
		return fmt.Errorf("it is nested deeper than %d levels", jsonDepth)
	}
	if !s.take('{') {
		return s.wrong("an object")
	}
	if s.take('}') {
		return nil
	}
	base := len(s.key)
	for {
		if err := s.quoted("a key in quotes"); err != nil {
			return err
		}
		if s.key = s.key[:base]; base > 0 {
			s.key = append(s.key, '.')
		}
		s.key = append(s.key, s.string...)
		if !s.take(':') {
			return s.wrong("a colon")
		}
		if s.pos < len(s.data) && s.data[s.pos] == '{' {
			if err := s.fieldsOf(field, depth+1); err != nil {
				return err
			}
		} else {
			value, err := s.value(depth)
			if err != nil {
				return err
			}
			if err := field(s.key, value); err != nil {
				return err
			}
		}
		s.key = s.key[:base]
		if s.take(',') {
			continue
		}
		if s.take('}') {
			return nil
		}
		return s.wrong("a comma or }")
	}
}

// value reads anything but an object as text.
func (s *jsonScanner) value(depth int) ([]byte, error) {
	if s.pos >= len(s.data) {
		return nil, s.wrong("a value")
	}
	c := s.data[s.pos]
	s.bare = c == '-' || c-'0' <= 9
	switch {
	case c == '"':
		err := s.quoted("text")
		return s.string, err
	case c == '[':
		s.text = s.text[:0]
		err := s.copy(depth)
		return s.text, err
	case s.bare:
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
			s.pos += len(word)
			if word == "null" {
				return nil, nil
			}
			return s.data[s.pos-len(word) : s.pos], nil
		}
	}
	return nil, s.wrong("a value")
}

// copy writes any value to text without spaces.
func (s *jsonScanner) copy(depth int) error {
	if depth > jsonDepth {
		return fmt.Errorf("it is nested deeper than %d levels", jsonDepth)
	}
	if s.pos >= len(s.data) {
		return s.wrong("a value")
	}
	open := s.data[s.pos]
	if open != '[' && open != '{' {
		start := s.pos
		if _, err := s.value(depth); err != nil {
			return err
		}
		s.text = append(s.text, s.data[start:s.pos]...)
		return nil
	}
	end := open + 2 // ] and } stand two after [ and {
	s.take(open)
	s.text = append(s.text, open)
	if s.take(end) {
		s.text = append(s.text, end)
		return nil
	}
	for {
		if open == '{' {
			start := s.pos
			if err := s.quoted("a key in quotes"); err != nil {
				return err
			}
			s.text = append(append(s.text, s.data[start:s.pos]...), ':')
			if !s.take(':') {
				return s.wrong("a colon")
			}
		}
		if err := s.copy(depth + 1); err != nil {
			return err
		}
		if s.take(',') {
			s.text = append(s.text, ',')
			continue
		}
		if s.take(end) {
			s.text = append(s.text, end)
			return nil
		}
		return s.wrong("a comma or " + string(end))
	}
}

func (s *jsonScanner) number() ([]byte, error) {
	start := s.pos
	digits := func() bool {
		from := s.pos
		for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
			s.pos++
		}
		return s.pos > from
	}
	next := func(any string) bool {
		if s.pos < len(s.data) && strings.IndexByte(any, s.data[s.pos]) >= 0 {
			s.pos++
			return true
		}
		return false
	}
	next("-")
	if !next("0") && !digits() {
		return nil, s.wrong("a digit")
	}
	if next(".") && !digits() {
		return nil, s.wrong("a digit")
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return nil, s.wrong("a digit")
		}
	}
	return s.data[start:s.pos], nil
}

// quoted reads a text in quotes into s.string.
func (s *jsonScanner) quoted(what string) error {
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return s.wrong(what)
	}
	s.pos++
	s.string = s.string[:0]
	for {
		start := s.pos
		for s.pos < len(s.data) && s.data[s.pos] != '"' && s.data[s.pos] != '\\' && s.data[s.pos] >= ' ' {
			s.pos++
		}
		s.string = append(s.string, s.data[start:s.pos]...)
		switch {
		case s.pos >= len(s.data):
			return s.wrong("a closing quote")
		case s.data[s.pos] == '"':
			s.pos++
			return nil
		case s.data[s.pos] != '\\':
			return s.wrong("no control character in a text")
		}
		if s.pos+1 >= len(s.data) {
			return s.wrong("an escape")
		}
		c := s.data[s.pos+1]
		if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
			s.string = append(s.string, "\"\\/\b\f\n\r\t"[i])
			s.pos += 2
			continue
		}
		r, ok := s.escape()
		if !ok {
			return s.wrong("an escape")
		}
		s.pos += 6
		if utf16.IsSurrogate(r) {
			second, ok := s.escape()
			if r = utf16.DecodeRune(r, second); ok && r != utf8.RuneError {
				s.pos += 6
			} else {
				r = utf8.RuneError
			}
		}
		s.string = utf8.AppendRune(s.string, r)
	}
}

// escape reads \uXXXX without going past it.
func (s *jsonScanner) escape() (rune, bool) {
	if s.pos+6 > len(s.data) || s.data[s.pos] != '\\' || s.data[s.pos+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.data[s.pos+2:s.pos+6]), 16, 16)
	return rune(n), err == nil
}
