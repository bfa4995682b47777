package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetFile reads the columns of a Parquet file. Every value becomes the text
// that a CSV file would hold, so that the same rules type it: a nested field is a
// column named with dots, a list is text as in JSON.
type parquetFile struct {
	*part
	leaves  []*leaf
	blockOf []int // rows of about parquetBytes, of each row group
}

// leaf is how a column's values are written.
type leaf struct {
	number  int // among the file's columns
	list    int // definition level of a list that has an element, 0 where there is no list
	present int // definition level of an element that is not null
	write   func(dst []byte, v parquet.Value) []byte
	quote   bool // in a list
	binary  bool // bytes that are not said to be text
	image   bool // bytes of images
}

const (
	parquetRows  = 4096     // of a block, at most, of
	parquetBytes = 32 << 20 // about as many bytes
)

// randomAccess is a file that can be read anywhere.
type randomAccess interface {
	io.ReaderAt
	io.Seeker
	io.Closer
}

// random opens the file for reading anywhere.
func (p *part) random() (randomAccess, int64, error) {
	f, err := p.open()
	if err != nil {
		return nil, 0, err
	}
	r, ok := f.(randomAccess)
	if !ok {
		f.Close()
		return nil, 0, &Error{Path: p.path, Problem: "cannot be read at random", Remedy: "write it to a file first"}
	}
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, 0, &Error{Path: p.path, Problem: "cannot be read: " + cause(err)}
	}
	return r, size, nil
}

// expansion refuses content that decompresses to too many times its size.
func (p *part) expansion(packed, unpacked int64) error {
	limit := int64(p.options.MaxExpansion)
	if limit == 0 {
		limit = defaultMaxExpansion
	}
	if unpacked > 64<<20 && unpacked/limit > packed || unpacked < 0 {
		return &Error{Path: p.path,
			Problem: fmt.Sprintf("decompresses to more than %d times its size (%d bytes to %d MiB)", limit, packed, unpacked>>20),
			Remedy:  "raise data.max_expansion if the file can be trusted"}
	}
	return nil
}

// damaged explains what a library says or panics with.
func (d *parquetFile) damaged(what any) error {
	if e, ok := what.(*Error); ok {
		return e
	}
	err, _ := what.(error)
	if err != nil && errors.Is(err, io.ErrUnexpectedEOF) {
		what = "it ends early"
	}
	return &Error{Path: d.path, Problem: fmt.Sprintf("the Parquet data is damaged or of a kind that is not known (%v)", what), Remedy: "copy or download the file again, or write it anew"}
}

// guard turns a panic about damaged data into an error.
func (d *parquetFile) guard(err *error) {
	if v := recover(); v != nil {
		*err = d.damaged(v)
	}
}

func (d *parquetFile) file() (_ *parquet.File, _ io.Closer, err error) {
	r, size, err := d.random()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	defer d.guard(&err)
	var tail [8]byte
	if size < 12 {
		return nil, nil, d.damaged("it ends early")
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return nil, nil, &Error{Path: d.path, Problem: "cannot be read: " + cause(err)}
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:])); string(tail[4:]) != "PAR1" || n > size-12 {
		return nil, nil, d.damaged("it ends early")
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, d.damaged(err)
	}
	d.blockOf = d.blockOf[:0]
	for _, g := range f.Metadata().RowGroups {
		d.blockOf = append(d.blockOf, int(max(1, min(parquetRows, parquetBytes*g.NumRows/max(1, g.TotalByteSize)))))
		for _, c := range g.Columns {
			if err := d.expansion(c.MetaData.TotalCompressedSize, c.MetaData.TotalUncompressedSize); err != nil {
				return nil, nil, err
			}
			if runLength(&c.MetaData) {
				return nil, nil, &Error{Path: d.path, Column: strings.Join(c.MetaData.PathInSchema, "."), Problem: "its booleans are run-length encoded, which the Parquet library at hand reads wrongly", Remedy: "write the file with data page version 1.0, or this column with the PLAIN encoding"}
			}
		}
	}
	return f, r, nil
}

// runLength says whether a column is of booleans whose values are run-length
// encoded: parquet-go 0.32 gives other values than were written
// (encoding/rle.decodeBits repeats a run's byte as if it held eight values).
func runLength(c *format.ColumnMetaData) bool {
	if c.Type != format.Boolean {
		return false
	}
	plain := false
	for _, e := range c.Encoding {
		plain = plain || e == format.Plain
	}
	for _, e := range c.EncodingStats {
		if e.Encoding == format.RLE && (e.PageType == format.DataPage || e.PageType == format.DataPageV2) {
			return true
		}
	}
	return !plain
}

func openParquet(p *part, _ []byte, _ bool) (_ decoder, err error) {
	d := &parquetFile{part: p}
	defer d.guard(&err)
	f, c, err := d.file()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if p.options.SkipLines > 0 || len(p.options.Names) > 0 || p.options.Header != nil {
		return nil, &Error{Path: p.path, Problem: "data.names, data.header or data.skip_lines is given, but a Parquet file names its columns itself", Remedy: "remove it"}
	}
	p.header = true
	if err := d.walk(f.Root(), nil, 0, 0); err != nil {
		return nil, err
	}
	if len(d.names) == 0 {
		return nil, &Error{Path: p.path, Problem: "has no columns"}
	}
	for i, name := range d.names {
		if slices.Contains(d.names[:i], name) {
			return nil, &Error{Path: p.path, Column: name, Problem: "the name is given to two columns, expected every column to have its own", Remedy: "rename one"}
		}
	}
	return d, d.findImages(f)
}

// walk collects the leaves below a column. list is the definition level of the
// list that we are in, depth how many lists.
func (d *parquetFile) walk(c *parquet.Column, path []string, list, depth int) error {
	if c.Repeated() {
		list = c.MaxDefinitionLevel()
		depth++
	}
	if !c.Leaf() {
		for _, child := range c.Columns() {
			name := path
			// The levels that make a group a list are no part of the name.
			if n := child.Name(); !(len(path) > 0 && (child.Repeated() || c.Repeated()) && slices.Contains([]string{"list", "element", "bag", "array", "array_element", "item"}, n)) {
				name = append(slices.Clone(path), n)
			}
			if err := d.walk(child, name, list, depth); err != nil {
				return err
			}
		}
		return nil
	}
	name := strings.Join(path, ".")
	if depth > 1 {
		return &Error{Path: d.path, Column: name, Problem: "holds lists of lists, expected values or lists of values", Remedy: "leave the column out of the file, or write it as text"}
	}
	l := &leaf{number: c.Index(), list: list, present: c.MaxDefinitionLevel()}
	l.write, l.quote = writer(c.Type())
	l.binary = c.Type().Kind() == parquet.ByteArray && c.Type().LogicalType() == nil && list == 0
	d.leaves = append(d.leaves, l)
	d.names = append(d.names, name)
	return nil
}

// writer returns how values of a type are written, and whether they are text.
func writer(t parquet.Type) (write func(dst []byte, v parquet.Value) []byte, text bool) {
	kind := t.Kind()
	if lt := t.LogicalType(); lt != nil {
		switch lt := lt.Value.(type) {
		case *format.DecimalType:
			return func(dst []byte, v parquet.Value) []byte {
				switch kind {
				case parquet.Int32:
					return appendDecimal(dst, big.NewInt(int64(v.Int32())), int(lt.Scale))
				case parquet.Int64:
					return appendDecimal(dst, big.NewInt(v.Int64()), int(lt.Scale))
				}
				b := v.ByteArray()
				n := new(big.Int).SetBytes(b)
				if len(b) > 0 && b[0] >= 0x80 { // two's complement
					n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
				}
				return appendDecimal(dst, n, int(lt.Scale))
			}, false
		case *format.DateType:
			return func(dst []byte, v parquet.Value) []byte {
				return time.Unix(int64(v.Int32())*86400, 0).UTC().AppendFormat(dst, "2006-01-02")
			}, true
		case *format.TimestampType:
			unit := int64(time.Nanosecond)
			if lt.Unit.Value != nil {
				unit = int64(lt.Unit.Value.Duration())
			}
			return func(dst []byte, v parquet.Value) []byte {
				per := int64(time.Second) / unit
				sec := v.Int64() / per
				if v.Int64()%per < 0 {
					sec--
				}
				return appendTime(dst, sec, (v.Int64()-sec*per)*unit)
			}, true
		case *format.TimeType:
			unit := int64(time.Nanosecond)
			if lt.Unit.Value != nil {
				unit = int64(lt.Unit.Value.Duration())
			}
			return func(dst []byte, v parquet.Value) []byte {
				n := int64(0)
				if n = v.Int64(); kind == parquet.Int32 {
					n = int64(v.Int32())
				}
				return time.Unix(0, n*unit).UTC().AppendFormat(dst, "15:04:05.999999999")
			}, true
		case *format.IntType:
			if !lt.IsSigned {
				return func(dst []byte, v parquet.Value) []byte {
					if kind == parquet.Int32 {
						return strconv.AppendUint(dst, uint64(v.Uint32()), 10)
					}
					return strconv.AppendUint(dst, v.Uint64(), 10)
				}, false
			}
		case *format.UUIDType:
			return func(dst []byte, v parquet.Value) []byte {
				if b := v.ByteArray(); len(b) == 16 {
					return fmt.Appendf(dst, "%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
				}
				return dst
			}, true
		}
	}
	switch kind {
	case parquet.Boolean:
		return func(dst []byte, v parquet.Value) []byte { return strconv.AppendBool(dst, v.Boolean()) }, false
	case parquet.Int32:
		return func(dst []byte, v parquet.Value) []byte { return strconv.AppendInt(dst, int64(v.Int32()), 10) }, false
	case parquet.Int64:
		return func(dst []byte, v parquet.Value) []byte { return strconv.AppendInt(dst, v.Int64(), 10) }, false
	case parquet.Float:
		return func(dst []byte, v parquet.Value) []byte { return appendFloat(dst, float64(v.Float()), 32) }, false
	case parquet.Double:
		return func(dst []byte, v parquet.Value) []byte { return appendFloat(dst, v.Double(), 64) }, false
	case parquet.Int96:
		// Nanoseconds of a Julian day.
		return func(dst []byte, v parquet.Value) []byte {
			n := v.Int96()
			ns := int64(n[0]) | int64(n[1])<<32
			return appendTime(dst, (int64(n[2])-2440588)*86400+ns/1e9, ns%1e9)
		}, true
	}
	return func(dst []byte, v parquet.Value) []byte { return append(dst, v.ByteArray()...) }, true
}

// appendFloat writes a number so that it reads as the same number, and with a
// fraction or an exponent, as other writers do. NaN is a missing value.
func appendFloat(dst []byte, v float64, bits int) []byte {
	if v != v {
		return dst
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'g', -1, bits)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' || c == 'I' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

func appendTime(dst []byte, sec, ns int64) []byte {
	return time.Unix(sec, ns).UTC().AppendFormat(dst, "2006-01-02 15:04:05.999999999")
}

func appendDecimal(dst []byte, n *big.Int, scale int) []byte {
	if n.Sign() < 0 {
		dst = append(dst, '-')
		n.Neg(n)
	}
	digits := n.Append(nil, 10)
	if scale <= 0 {
		return append(dst, digits...)
	}
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-scale:]...)
}

// parquetPass decodes a file's pages in their order.
type parquetPass struct {
	d      *parquetFile
	file   *parquet.File
	closer io.Closer
	groups []parquet.RowGroup
	left   int64 // rows of the row group
	rows   int   // of a block of it
	row    int   // number of the next, from 1
	chunks []*chunkReader
}

// chunkReader gives a column's values of one row group.
type chunkReader struct {
	pages  parquet.Pages
	values parquet.ValueReader
	buf    []parquet.Value
	ahead  []parquet.Value // read, but not given
}

func (d *parquetFile) pass() (pass, error) {
	f, c, err := d.file()
	if err != nil {
		return nil, err
	}
	return &parquetPass{d: d, file: f, closer: c, groups: f.RowGroups(), row: 1}, nil
}

func (p *parquetPass) closeChunks() {
	for _, c := range p.chunks {
		c.pages.Close()
	}
	p.chunks = nil
}

func (p *parquetPass) Close() error {
	p.closeChunks()
	return p.closer.Close()
}

func (p *parquetPass) release(*block) {}

func (p *parquetPass) next() (_ *block, err error) {
	defer p.d.guard(&err)
	for p.left == 0 {
		p.closeChunks()
		if len(p.groups) == 0 {
			return nil, io.EOF
		}
		g := p.groups[0]
		p.groups = p.groups[1:]
		p.left = g.NumRows()
		p.rows = p.d.blockRows(len(p.file.RowGroups()) - len(p.groups) - 1)
		chunks := g.ColumnChunks()
		for _, l := range p.d.leaves {
			if l.number >= len(chunks) {
				return nil, p.d.damaged("a row group lacks a column")
			}
			p.chunks = append(p.chunks, &chunkReader{pages: chunks[l.number].Pages()})
		}
	}
	n := int(min(p.left, int64(p.rows)))
	columns := make([][]parquet.Value, len(p.chunks))
	for j, c := range p.chunks {
		if columns[j], err = c.take(n, p.d.leaves[j].list > 0); err != nil {
			return nil, p.d.damaged(err)
		}
	}
	b := &block{line: p.row, numbered: true, content: &parquetRowsOf{n, columns}}
	p.row += n
	p.left -= int64(n)
	return b, nil
}

// parquetRowsOf is a block's content: the values of its columns.
type parquetRowsOf struct {
	rows    int
	columns [][]parquet.Value
}

// take reads the values of n rows, which are more than n where there are lists.
func (c *chunkReader) take(n int, list bool) ([]parquet.Value, error) {
	all := make([]parquet.Value, 0, n)
	rows := 0
	for {
		for i, v := range c.ahead {
			if !list || v.RepetitionLevel() == 0 {
				if rows == n {
					c.ahead = c.ahead[i:]
					return all, nil
				}
				rows++
			}
			all = append(all, v)
		}
		c.ahead = nil
		if rows == n && !list {
			return all, nil
		}
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err == io.EOF {
				if rows < n {
					return nil, io.ErrUnexpectedEOF
				}
				return all, nil
			} else if err != nil {
				return nil, err
			}
			c.values = page.Values()
		}
		if c.buf == nil {
			c.buf = make([]parquet.Value, parquetRows)
		}
		got, err := c.values.ReadValues(c.buf)
		c.ahead = c.buf[:got]
		if err == io.EOF {
			c.values = nil
		} else if err != nil {
			return nil, err
		}
	}
}

func (d *parquetFile) each(sc *scanner, b *block, row func() error) (err error) {
	defer d.guard(&err)
	content := b.content.(*parquetRowsOf)
	at, commas := make([]int, len(content.columns)), d.commas(d.names)
	for i := range content.rows {
		sc.start, sc.text = i, sc.text[:0]
		sc.fields = sc.fields[:0]
		for j, l := range d.leaves {
			start := len(sc.text)
			values := content.columns[j]
			if l.list == 0 {
				if v := values[i]; !v.IsNull() && l.image {
					sc.text = append(append(sc.text, 0, imageBytes), v.ByteArray()...)
				} else if !v.IsNull() {
					sc.text = l.write(sc.text, v)
					if commas[j] && !l.quote {
						withComma(sc.text[start:])
					}
				}
			} else {
				k := at[j] + 1
				for k < len(values) && values[k].RepetitionLevel() != 0 {
					k++
				}
				sc.text = l.appendList(sc.text, values[at[j]:k])
				at[j] = k
			}
			if l.quote && !l.image && !utf8.Valid(sc.text[start:]) {
				return b.locate(&Error{Column: d.names[j], Problem: fmt.Sprintf("holds bytes that are not text (%x)", sc.text[start:min(len(sc.text), start+16)]), Remedy: "leave the column out of the file, or write it as text"}, sc)
			}
			sc.fields = append(sc.fields, span{start: start, end: len(sc.text)})
		}
		sc.data = sc.text
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}

// appendList writes a row's list as JSON does; a row without one is missing.
func (l *leaf) appendList(dst []byte, values []parquet.Value) []byte {
	if values[0].DefinitionLevel() < l.list-1 {
		return dst
	}
	dst = append(dst, '[')
	for i, v := range values {
		if v.DefinitionLevel() < l.list {
			break // empty
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		switch {
		case v.IsNull():
			dst = append(dst, "null"...)
		case l.quote:
			dst = strconv.AppendQuote(dst, string(l.write(nil, v)))
		default:
			dst = l.write(dst, v)
		}
	}
	return append(dst, ']')
}

// findImages looks at the first values of columns of bytes.
func (d *parquetFile) findImages(f *parquet.File) error {
	for j, l := range d.leaves {
		if !l.binary {
			continue
		}
		field := d.options.Schema.Field(d.names[j])
		l.image = field != nil && field.Type == Image
		for _, g := range f.RowGroups() {
			if l.image {
				break
			}
			if l.number >= len(g.ColumnChunks()) {
				return d.damaged("a row group lacks a column")
			}
			pages := g.ColumnChunks()[l.number].Pages()
			page, err := pages.ReadPage()
			if err == io.EOF {
				pages.Close()
				continue
			} else if err != nil {
				pages.Close()
				return d.damaged(err)
			}
			var some [64]parquet.Value
			n, err := page.Values().ReadValues(some[:])
			for _, v := range some[:n] {
				l.image = l.image || !v.IsNull() && imageFormat(v.ByteArray()) != ""
			}
			pages.Close()
			if err != nil && err != io.EOF {
				return d.damaged(err)
			}
			if n > 0 {
				break
			}
		}
		if l.image {
			if d.types == nil {
				d.types = map[string]Type{}
			}
			d.types[d.names[j]] = Image
		}
	}
	return nil
}

// blockRows is how many rows of a row group are read at a time.
func (d *parquetFile) blockRows(group int) int {
	for _, l := range d.leaves {
		if l.image {
			return max(1, min(parquetRows, d.blockOf[min(group, len(d.blockOf)-1)]))
		}
	}
	return parquetRows
}
