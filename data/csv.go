package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvFile reads fields between delimiters.
type csvFile struct {
	*part
	delimiter, quote byte
}

func openCSV(p *part, sample []byte, whole bool) (decoder, error) {
	r := &csvFile{part: p}
	if err := r.sniff(sample, whole); err != nil {
		return nil, err
	}
	return r, r.readNames()
}

// sniff fills in what the options leave open, from the first bytes of the text.
func (r *csvFile) sniff(sample []byte, whole bool) error {
	o := r.options
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
		if names := r.expect; len(names) > 0 && containsAll(rows[0], names) || len(o.Names) > 0 && containsAll(rows[0], o.Names) {
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

// columnNames returns the names of the columns from the first record.
func (p *part) columnNames(first []string, line int) ([]string, error) {
	names := make([]string, len(first))
	for i := range names {
		if p.header {
			names[i] = strings.TrimSpace(first[i])
		}
		if names[i] == "" {
			names[i] = fmt.Sprintf("column_%d", i+1)
		}
	}
	if n := p.options.Names; len(n) > 0 {
		if len(n) != len(first) {
			return nil, &Error{Path: p.path, Line: line, Problem: fmt.Sprintf("has %d fields, but data.names gives %d names", len(first), len(n))}
		}
		copy(names, n)
	}
	seen := map[string]int{}
	for i, n := range names {
		if k, ok := seen[n]; ok {
			e := &Error{Path: p.path, Line: line, Column: n,
				Problem: fmt.Sprintf("the name is given to fields %d and %d, expected every column to have its own", k+1, i+1),
				Remedy:  "rename one, or give all names in data.names"}
			if p.header && p.options.Header == nil {
				e.Remedy += ", or set data.header: false if this line is data"
			}
			return nil, e
		}
		seen[n] = i
	}
	return names, nil
}

// readNames reads the first record and takes the columns' names from it.
func (r *csvFile) readNames() error {
	c, err := r.chunks(r.delimiter, r.quote)
	if err != nil {
		return err
	}
	defer c.Close()
	s := scanner{delimiter: r.delimiter, quote: r.quote}
	for {
		b, err := c.next()
		if err == io.EOF {
			return emptyError(r.path)
		} else if err != nil {
			return err
		}
		if err := b.checkText(r.path, r.encoding); err != nil {
			return err
		}
		end, err := s.next(b.data, 0)
		if err != nil {
			return r.quoteError(b, err)
		}
		if end < 0 {
			continue
		}
		first := make([]string, len(s.fields))
		for i, f := range s.fields {
			first[i] = string(s.value(b.data, f))
		}
		r.names, err = r.columnNames(first, b.lineAt(s.start))
		return err
	}
}

// chunks opens the file for one pass over its records, past the lines to skip.
func (p *part) chunks(delimiter, quote byte) (*chunker, error) {
	src, err := p.source()
	if err != nil {
		return nil, err
	}
	c := &chunker{r: src, path: p.path, delimiter: delimiter, quote: quote, size: p.tuning.block, line: 1, off: src.start, free: make(chan []byte, 2*p.tuning.workers)}
	for skip := p.options.SkipLines; skip > 0; {
		// Lines to skip are no records: a quote in them means nothing.
		var one [1]byte
		if _, err := io.ReadFull(src, one[:]); err != nil {
			src.Close()
			if err == io.EOF {
				return nil, emptyError(p.path)
			}
			return nil, c.readError(err)
		}
		c.off++
		if one[0] == '\n' {
			skip--
			c.line++
		}
	}
	return c, nil
}

// csvPass gives the blocks below the header.
type csvPass struct {
	*chunker
	csv    *csvFile
	header bool // is still to come
}

func (r *csvFile) pass() (pass, error) {
	c, err := r.chunks(r.delimiter, r.quote)
	if err != nil {
		return nil, err
	}
	return &csvPass{c, r, r.header}, nil
}

func (p *csvPass) next() (*block, error) {
	for {
		b, err := p.chunker.next()
		if err != nil || !p.header {
			return b, err
		}
		sc := scanner{delimiter: p.delimiter, quote: p.quote}
		end, err := sc.next(b.data, 0)
		if err != nil {
			return nil, p.csv.quoteError(b, err)
		}
		if end >= 0 {
			p.header = false
			b.line = b.lineAt(end)
			b.off += int64(end)
			b.data = b.data[end:]
			return b, nil
		}
	}
}

func (p *part) noRows() error {
	if !p.header {
		return emptyError(p.path)
	}
	return &Error{Path: p.path, Problem: "has a header but no rows", Remedy: "check how the file was made; if the first line is data, set data.header: false"}
}

// each calls row for every record of a block, whose fields are then in sc.
func (r *csvFile) each(sc *scanner, b *block, row func() error) error {
	if err := b.checkText(r.path, r.encoding); err != nil {
		return err
	}
	sc.delimiter, sc.quote, sc.data = r.delimiter, r.quote, b.data
	for pos := 0; ; {
		next, err := sc.next(b.data, pos)
		if err != nil {
			return r.quoteError(b, err)
		}
		if next < 0 {
			return nil
		}
		if len(sc.fields) != len(r.names) {
			return r.ragged(sc, b)
		}
		if err := row(); err != nil {
			return err
		}
		pos = next
	}
}

func (r *csvFile) ragged(sc *scanner, b *block) error {
	as := "in the first row"
	if r.header {
		as = "as the header has"
	}
	found := fmt.Sprintf("found %d fields", len(sc.fields))
	if len(sc.fields) == 1 {
		found = fmt.Sprintf("found 1 field (%s)", quoteText(string(sc.value(b.data, sc.fields[0]))))
	}
	e := &Error{Path: r.path, Line: b.lineAt(sc.start), Problem: fmt.Sprintf("%s, expected %d %s", found, len(r.names), as)}
	if len(sc.fields) > len(r.names) && r.quote != 0 {
		e.Remedy = fmt.Sprintf("put %c around a value that contains %s, or set data.delimiter", r.quote, delimiterName(r.delimiter))
	} else {
		e.Remedy = "complete or remove the row, or set data.delimiter"
	}
	return e
}

// quoteError explains a mistake in quoting.
func (r *csvFile) quoteError(b *block, err error) error {
	e, ok := errors.AsType[*scanError](err)
	if !ok {
		return err
	}
	line := b.lineAt(e.at)
	if e.unterminated {
		return &Error{Path: r.path, Line: line,
			Problem: fmt.Sprintf("a quote (%c) is opened here and never closed", r.quote),
			Remedy:  "close it, double it if it belongs to the value, or set data.quote: none"}
	}
	end := e.at + 1
	for end < len(b.data) && end < e.at+20 && b.data[end] != '\n' {
		end++
	}
	return &Error{Path: r.path, Line: line,
		Problem: fmt.Sprintf("found %s after a closing quote, expected %s or the end of the line", quoteText(strings.ToValidUTF8(string(b.data[e.at:end]), "")), delimiterName(r.delimiter)),
		Remedy:  fmt.Sprintf("double a quote (%c) that belongs to the value, or set data.quote: none", r.quote), Quotes: true}
}
