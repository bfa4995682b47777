package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"
)

// maxRecord bounds one row's text: a quote that is never closed must not read
// the rest of a large file into memory.
const maxRecord = 16 << 20

// span is a field's place in a block: without its quotes, which it has if quoted;
// with doubled quotes in it if escaped.
type span struct {
	start, end      int
	quoted, escaped bool
}

// scanner finds the fields of a record. It allocates nothing once warm.
type scanner struct {
	delimiter, quote byte // quote is 0 when there is none
	data             []byte
	start            int // of the record found last; its number in a block of numbered rows
	fields           []span
	scratch          []byte
	text             []byte // of a kind that writes its fields out
}

// put writes field k out.
func (s *scanner) put(k int, value []byte) {
	start := len(s.text)
	s.text = append(s.text, value...)
	s.fields[k] = span{start: start, end: len(s.text)}
}

// scanError is a mistake in quoting, at an offset into the block.
type scanError struct {
	at           int
	unterminated bool
}

func (e *scanError) Error() string { return fmt.Sprintf("misplaced quote at byte %d", e.at) }

// blank says whether c is a space that may stand around a field.
func (s *scanner) blank(c byte) bool { return (c == ' ' || c == '\t') && c != s.delimiter }

// next finds the record that begins at pos and returns the position after it, or
// -1 when only empty lines are left. data ends with a whole record.
func (s *scanner) next(data []byte, pos int) (int, error) {
	for pos < len(data) {
		if data[pos] == '\r' && (pos+1 == len(data) || data[pos+1] == '\n') {
			pos++
		} else if data[pos] != '\n' {
			break
		} else {
			pos++
		}
	}
	if pos >= len(data) {
		return -1, nil
	}
	s.start = pos
	s.fields = s.fields[:0]
	for {
		if q := pos; s.quote != 0 {
			for q < len(data) && s.blank(data[q]) {
				q++
			}
			if q < len(data) && data[q] == s.quote {
				f := span{start: q + 1, quoted: true}
				for p := q + 1; ; {
					c := bytes.IndexByte(data[p:], s.quote)
					if c < 0 {
						return 0, &scanError{at: q, unterminated: true}
					}
					c += p
					if c+1 < len(data) && data[c+1] == s.quote {
						f.escaped = true
						p = c + 2
						continue
					}
					f.end = c
					break
				}
				s.fields = append(s.fields, f)
				p := f.end + 1
				for p < len(data) && s.blank(data[p]) {
					p++
				}
				switch {
				case p == len(data):
					return p, nil
				case data[p] == s.delimiter:
					pos = p + 1
					continue
				case data[p] == '\n':
					return p + 1, nil
				case data[p] == '\r' && (p+1 == len(data) || data[p+1] == '\n'):
					return min(p+2, len(data)), nil
				}
				return 0, &scanError{at: p}
			}
		}
		e := separator(data, pos, s.delimiter)
		if e < len(data) && data[e] != '\n' {
			s.fields = append(s.fields, span{start: pos, end: e})
			pos = e + 1
			continue
		}
		end := e
		if end > pos && data[end-1] == '\r' {
			end--
		}
		s.fields = append(s.fields, span{start: pos, end: end})
		return min(e+1, len(data)), nil
	}
}

// separator returns the position of the first delimiter or line end from i on,
// len(b) when there is none. It looks at eight bytes at a time.
func separator(b []byte, i int, delimiter byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	d := uint64(delimiter) * ones
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		p, q := x^d, x^('\n'*ones)
		// The lowest top bit set is that of the first zero byte.
		if m := ((p-ones)&^p | (q-ones)&^q) & tops; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b); i++ {
		if b[i] == delimiter || b[i] == '\n' {
			return i
		}
	}
	return len(b)
}

// value returns a field's bytes. They are good until the next call.
func (s *scanner) value(data []byte, f span) []byte {
	b := data[f.start:f.end]
	if !f.escaped {
		return b
	}
	s.scratch = s.scratch[:0]
	for i := 0; i < len(b); i++ {
		s.scratch = append(s.scratch, b[i])
		if b[i] == s.quote {
			i++
		}
	}
	return s.scratch
}

// trim removes spaces and tabs around a value.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// block is whole records of a file.
type block struct {
	data []byte
	line int   // number of the first line, from 1
	off  int64 // bytes of text before it
	buf  []byte

	part *part
	pass pass
	// numbered says that there are no lines: line is the first row's number, and
	// rows stand at their number after it.
	numbered bool
	content  any // of a kind that is not text
}

// lineAt is the number of the line that holds the byte at.
func (b *block) lineAt(at int) int {
	if b.numbered {
		return b.line + at
	}
	return b.line + bytes.Count(b.data[:at], []byte{'\n'})
}

// placeBits is how many bits of a place are the line or row.
const placeBits = 40

// place is where the record at a position is among all files, for comparison.
func (b *block) place(at int) int { return b.part.number<<placeBits | b.lineAt(at) }

// locate names the place of the record found last in an error that has none.
func (b *block) locate(err error, sc *scanner) error {
	if e, ok := err.(*Error); ok && e.Line == 0 && e.Row == 0 {
		e.Path = b.part.path
		if at := b.lineAt(sc.start); b.numbered {
			e.Row = at
		} else {
			e.Line = at
		}
	}
	return err
}

// chunker cuts a stream into blocks of about size bytes that end where a record
// ends. It reads quotes exactly as the scanner does.
type chunker struct {
	r                io.ReadCloser
	path             string
	delimiter, quote byte
	size             int
	line             int
	off              int64
	carry            []byte
	eof              bool
	free             chan []byte // blocks that were given back
	outside          []int       // where the parts outside of quotes begin and end
}

func (c *chunker) next() (*block, error) {
	if c.eof && len(c.carry) == 0 {
		return nil, io.EOF
	}
	var buf []byte
	select {
	case buf = <-c.free:
	default:
		buf = make([]byte, 0, c.size)
	}
	buf = append(buf[:0], c.carry...)
	c.carry = c.carry[:0]
	for {
		for !c.eof && len(buf) < cap(buf) {
			n, err := c.r.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
			if err == io.EOF {
				c.eof = true
			} else if err != nil {
				return nil, c.readError(err)
			}
		}
		cut := len(buf)
		if !c.eof {
			cut = c.boundary(buf)
		}
		if cut > 0 || c.eof {
			if len(buf) == 0 {
				return nil, io.EOF
			}
			b := &block{data: buf[:cut], line: c.line, off: c.off, buf: buf}
			c.carry = append(c.carry, buf[cut:]...)
			c.line += bytes.Count(b.data, []byte{'\n'})
			c.off += int64(cut)
			return b, nil
		}
		if len(buf) >= maxRecord {
			e := &Error{Path: c.path, Line: c.line, Problem: fmt.Sprintf("the row that begins here is longer than %d MiB", maxRecord>>20), Remedy: "check the file's line ends (LF or CRLF is expected)"}
			if open := c.opening(buf); open >= 0 {
				e.Line += bytes.Count(buf[:open], []byte{'\n'})
				e.Problem = fmt.Sprintf("a quote (%c) is opened here and not closed within %d MiB", c.quote, maxRecord>>20)
				e.Remedy = "close it, double it if it belongs to the value, or set data.quote: none"
			} else if bytes.IndexByte(buf, '\r') >= 0 {
				e.Problem = "the lines end in a lone CR, expected LF or CRLF"
				e.Remedy = "convert the line ends"
			}
			return nil, e
		}
		bigger := make([]byte, len(buf), 2*cap(buf))
		copy(bigger, buf)
		buf = bigger
	}
}

func (c *chunker) readError(err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{Path: c.path, Problem: "cannot be read: " + cause(err)}
}

// Close closes the file.
func (c *chunker) Close() error { return c.r.Close() }

// release gives a block's memory back.
func (c *chunker) release(b *block) {
	select {
	case c.free <- b.buf:
	default:
	}
}

// boundary returns the end of the last record that is whole for certain, 0 if
// there is none.
func (c *chunker) boundary(b []byte) int {
	cut, _ := c.walk(b)
	return cut
}

// opening returns the position of the quote that is still open at the end of b,
// -1 if there is none.
func (c *chunker) opening(b []byte) int {
	_, open := c.walk(b)
	return open
}

// walk goes from quote to quote.
func (c *chunker) walk(b []byte) (cut, open int) {
	if c.quote == 0 {
		return bytes.LastIndexByte(b, '\n') + 1, -1
	}
	s := scanner{delimiter: c.delimiter}
	c.outside = append(c.outside[:0], 0)
	for pos := 0; ; {
		q := bytes.IndexByte(b[pos:], c.quote)
		if q < 0 {
			c.outside = append(c.outside, len(b))
			return c.lastLine(b), -1
		}
		q += pos
		p := q
		for p > 0 && s.blank(b[p-1]) {
			p--
		}
		if p > 0 && b[p-1] != c.delimiter && b[p-1] != '\n' {
			pos = q + 1 // a character like any other
			continue
		}
		c.outside = append(c.outside, q)
		for p = q + 1; ; {
			e := bytes.IndexByte(b[p:], c.quote)
			if e < 0 || p+e+1 == len(b) {
				return c.lastLine(b), q // the next byte would say whether it is doubled
			}
			p += e + 1
			if b[p] != c.quote {
				break
			}
			p++
		}
		pos = p
		c.outside = append(c.outside, p)
	}
}

// lastLine returns the position after the last line end outside of quotes.
func (c *chunker) lastLine(b []byte) int {
	for i := len(c.outside) - 2; i >= 0; i -= 2 {
		start, end := c.outside[i], c.outside[i+1]
		if n := bytes.LastIndexByte(b[start:end], '\n'); n >= 0 {
			return start + n + 1
		}
	}
	return 0
}

// checkText finds bytes that no text has.
func (b *block) checkText(path, encoding string) error {
	if encoding != "utf-8" {
		// The decoder writes U+FFFD for what it cannot decode.
		if i := bytes.Index(b.data, []byte("\uFFFD")); i >= 0 {
			return &Error{Path: path, Line: b.lineAt(i), Problem: fmt.Sprintf("holds bytes that %s does not have", encoding), Remedy: "set data.encoding to what the file is written in"}
		}
	} else if !utf8.Valid(b.data) {
		i := 0
		for i < len(b.data) {
			r, n := utf8.DecodeRune(b.data[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return &Error{Path: path, Line: b.lineAt(i),
			Problem: fmt.Sprintf("byte %d of the text (0x%02x) is not valid UTF-8", b.off+int64(i), b.data[i]),
			Remedy:  "set data.encoding to what the file is written in: windows-1252 for most older Western European files, gb18030 for Chinese ones, or convert it to UTF-8"}
	}
	if i := bytes.IndexByte(b.data, 0); i >= 0 {
		return nulError(path, b.data, b.lineAt(i), b.off+int64(i))
	}
	return nil
}

func nulError(path string, data []byte, line int, off int64) error {
	e := &Error{Path: path, Line: line, Problem: fmt.Sprintf("byte %d of the text is NUL: this is not a text file", off), Remedy: "give a CSV or TSV file"}
	if n := bytes.Count(data, []byte{0}); 3*n > len(data) && 3*n < 2*len(data) {
		e.Remedy = "it looks like UTF-16 without a byte-order mark: set data.encoding to utf-16le or utf-16be"
	}
	return e
}
