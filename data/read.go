package data

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hone-ml/hone/internal/nearest"
)

// tuning is what tests change to look into every corner.
type tuning struct {
	workers int // goroutines that parse
	block   int // bytes given to one at a time
	sample  int // bytes looked at to find the format
}

func defaultTuning() tuning {
	return tuning{workers: runtime.GOMAXPROCS(0), block: 1 << 20, sample: 1 << 20}
}

// Reader reads a file in pieces. It is not safe for use by several goroutines;
// it uses several itself.
type Reader struct {
	path      string
	open      func() (io.ReadCloser, error)
	options   Options
	tuning    tuning
	missing   *missingSet
	encoding  string
	gzip      bool
	delimiter byte
	quote     byte
	header    bool
	names     []string // of all fields
	schema    Schema
	fields    []int // of each column of the schema
	rows      int   // -1 while unknown

	stream  *stream[*Table]
	pending *Table
	seen    int
	err     error
}

// Open finds out how a file is written and, unless the options give a schema,
// infers one from all its rows. Close the reader when done before the end.
func Open(path string, o Options) (*Reader, error) {
	return newReader(path, func() (io.ReadCloser, error) { return openFile(path) }, o, defaultTuning())
}

func newReader(path string, open func() (io.ReadCloser, error), o Options, t tuning) (*Reader, error) {
	r := &Reader{path: path, open: open, options: o, tuning: t, missing: defaultMissing, rows: -1}
	if err := o.check(); err != nil {
		return nil, r.at(err)
	}
	if o.MissingValues != nil {
		r.missing = newMissingSet(o.MissingValues)
	}
	if err := r.look(); err != nil {
		return nil, r.at(err)
	}
	return r, nil
}

// at names the file in an error that does not.
func (r *Reader) at(err error) error {
	if e, ok := err.(*Error); ok && e.Path == "" {
		e.Path = r.path
	}
	return err
}

// look finds the format, the columns and the schema.
func (r *Reader) look() error {
	src, err := r.source()
	if err != nil {
		return err
	}
	sample := make([]byte, r.tuning.sample)
	n, err := io.ReadFull(src, sample)
	src.Close()
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		if _, ok := err.(*Error); ok {
			return err
		}
		return &Error{Path: r.path, Problem: "cannot be read: " + cause(err)}
	}
	r.encoding, r.gzip = src.encoding, src.gzip
	if err := r.sniff(sample[:n], n < len(sample)); err != nil {
		return err
	}
	if err := r.readNames(); err != nil {
		return err
	}
	if r.schema = r.options.Schema; r.schema != nil {
		return r.locate()
	}
	return r.infer()
}

func (r *Reader) source() (*source, error) {
	f, err := r.open()
	if err != nil {
		return nil, err
	}
	return newSource(r.path, f, &r.options)
}

// readNames reads the first record and takes the columns' names from it.
func (r *Reader) readNames() error {
	header := r.header
	r.header = false
	c, src, err := r.chunks()
	r.header = header
	if err != nil {
		return err
	}
	defer src.Close()
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

// Schema describes the columns that the reader gives.
func (r *Reader) Schema() Schema { return r.schema }

// Format is how the file is written.
func (r *Reader) Format() Format {
	f := Format{Delimiter: string(r.delimiter), Encoding: r.encoding, Header: r.header, Gzip: r.gzip}
	if r.quote != 0 {
		f.Quote = string(r.quote)
	}
	return f
}

// Rows is the number of rows, -1 while it is not known: before the end, where the
// schema was given.
func (r *Reader) Rows() int { return r.rows }

// locate finds the schema's columns in the file.
func (r *Reader) locate() error {
	for _, f := range r.schema {
		i := slices.Index(r.names, f.Name)
		if i < 0 {
			return &Error{Path: r.path, Column: f.Name, Problem: "the file has no such column" + has(r.names), Remedy: absentRemedy(f.Name, r.names)}
		}
		r.fields = append(r.fields, i)
	}
	return nil
}

// has lists names, shortened.
func has(names []string) string {
	const limit = 12
	more := ""
	if len(names) > limit {
		more = fmt.Sprintf(" and %d more", len(names)-limit)
		names = names[:limit]
	}
	return ": it has " + strings.Join(names, ", ") + more
}

func absentRemedy(name string, names []string) string {
	if n := nearest.Name(name, names); n != "" {
		return fmt.Sprintf("did you mean %q? rename the column, or correct its name in the config", n)
	}
	return "add the column, or take it out of the config"
}

// infer reads the whole file once to find the types.
func (r *Reader) infer() error {
	for _, names := range []map[string]bool{keys(r.options.Types), keys(r.options.Layouts)} {
		for n := range names {
			if !slices.Contains(r.names, n) {
				return &Error{Path: r.path, Column: n, Problem: "data.types or data.layouts names it, but the file has no such column" + has(r.names), Remedy: absentRemedy(n, r.names)}
			}
		}
	}
	for n := range r.options.Missing {
		if !slices.Contains(r.names, n) {
			return &Error{Path: r.path, Column: n, Problem: "data.missing names it, but the file has no such column" + has(r.names), Remedy: absentRemedy(n, r.names)}
		}
	}
	workers := make([][]*statistics, r.tuning.workers)
	for w := range workers {
		workers[w] = make([]*statistics, len(r.names))
		for j := range workers[w] {
			workers[w][j] = newStatistics(r.delimiter != ',')
		}
	}
	missing := make([]*missingSet, len(r.names))
	for j, name := range r.names {
		if missing[j] = r.missing; r.options.Missing[name] != nil {
			missing[j] = newMissingSet(r.options.missingOf(name))
		}
	}
	s, err := startStream(r, func(w int, sc *scanner, b *block) (int, error) {
		stats, rows := workers[w], 0
		line := func() int { return b.lineAt(sc.start) }
		err := r.each(sc, b, func() error {
			rows++
			for j, f := range sc.fields {
				if v := trim(sc.value(b.data, f)); !missing[j].has(v) {
					stats[j].add(v, line)
				}
			}
			return nil
		})
		return rows, err
	})
	if err != nil {
		return err
	}
	defer s.close()
	r.rows = 0
	for {
		n, err := s.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		r.rows += n
	}
	if r.rows == 0 {
		return r.noRows()
	}
	r.schema = make(Schema, len(r.names))
	r.fields = make([]int, len(r.names))
	for j, name := range r.names {
		all := workers[0][j]
		for _, w := range workers[1:] {
			all.merge(w[j])
		}
		f, err := all.infer(name, r.options.Types[name], r.options.Layouts[name])
		if err != nil {
			return err
		}
		if r.options.MissingValues != nil || r.options.Missing[name] != nil {
			f.Missing = r.options.missingOf(name)
		}
		r.schema[j], r.fields[j] = f, j
	}
	return nil
}

func keys[V any](m map[string]V) map[string]bool {
	s := map[string]bool{}
	for k := range m {
		s[k] = true
	}
	return s
}

func (r *Reader) noRows() error {
	if !r.header {
		return emptyError(r.path)
	}
	return &Error{Path: r.path, Problem: "has a header but no rows", Remedy: "check how the file was made; if the first line is data, set data.header: false"}
}

// each calls row for every record of a block, whose fields are then in sc.
func (r *Reader) each(sc *scanner, b *block, row func() error) error {
	if err := b.checkText(r.path, r.encoding); err != nil {
		return err
	}
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
			if e, ok := err.(*Error); ok && e.Line == 0 {
				e.Path, e.Line = r.path, b.lineAt(sc.start)
			}
			return err
		}
		pos = next
	}
}

func (r *Reader) ragged(sc *scanner, b *block) error {
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
func (r *Reader) quoteError(b *block, err error) error {
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
		Remedy:  fmt.Sprintf("double a quote (%c) that belongs to the value, or set data.quote: none", r.quote)}
}

// Next returns up to most rows, io.EOF after the last. Its tables share no
// dictionary, so that memory does not grow with the file.
func (r *Reader) Next(most int) (*Table, error) {
	if most <= 0 {
		return nil, fmt.Errorf("data: Next was asked for %d rows, expected at least 1", most)
	}
	if r.err != nil {
		return nil, r.err
	}
	var all appender
	got := 0
	for got < most {
		if r.pending == nil {
			t, err := r.nextBlock()
			if err != nil {
				r.err = r.at(err)
				if err != io.EOF || got == 0 {
					return nil, r.err
				}
				break
			}
			r.pending = t
		}
		piece := r.pending
		if n := most - got; piece.Rows > n {
			piece, r.pending = r.pending.Slice(0, n), r.pending.Slice(n, r.pending.Rows)
		} else {
			r.pending = nil
		}
		if got == 0 && (piece.Rows == most) {
			return piece, nil
		}
		all.add(piece, 0)
		got += piece.Rows
	}
	return all.table, nil
}

// nextBlock returns the rows of the next block that has any.
func (r *Reader) nextBlock() (*Table, error) {
	if r.stream == nil {
		builders := make([][]*builder, r.tuning.workers)
		for w := range builders {
			for _, f := range r.schema {
				builders[w] = append(builders[w], newBuilder(f, r.missing))
			}
		}
		s, err := startStream(r, func(w int, sc *scanner, b *block) (*Table, error) {
			columns := builders[w]
			t := &Table{}
			err := r.each(sc, b, func() error {
				t.Rows++
				for j, i := range r.fields {
					if err := columns[j].add(sc.value(b.data, sc.fields[i])); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			for _, c := range columns {
				t.Columns = append(t.Columns, c.take())
			}
			return t, nil
		})
		if err != nil {
			return nil, err
		}
		r.stream = s
	}
	for {
		t, err := r.stream.next()
		if err == io.EOF && r.seen == 0 {
			return nil, r.noRows()
		}
		if err == io.EOF {
			r.rows = r.seen
		}
		if err != nil {
			return nil, err
		}
		if t.Rows > 0 {
			r.seen += t.Rows
			return t, nil
		}
	}
}

// Close ends the reading.
func (r *Reader) Close() error {
	if r.stream != nil {
		r.stream.close()
	}
	if r.err == nil {
		r.err = fmt.Errorf("%s: the reader is closed", r.path)
	}
	return nil
}

// Read reads a whole file.
func Read(path string, o Options) (*Table, Schema, error) {
	r, err := Open(path, o)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	t, err := r.readAll()
	if err != nil {
		return nil, nil, err
	}
	return t, r.Schema(), nil
}

func (r *Reader) readAll() (*Table, error) {
	var all appender
	for {
		t, err := r.nextBlock()
		if err == io.EOF {
			return all.table, nil
		} else if err != nil {
			return nil, r.at(err)
		}
		all.add(t, r.rows)
	}
}

// chunks opens the file for one pass over its records, past the lines to skip.
func (r *Reader) chunks() (*chunker, *source, error) {
	src, err := r.source()
	if err != nil {
		return nil, nil, err
	}
	c := &chunker{r: src, path: r.path, delimiter: r.delimiter, quote: r.quote, size: r.tuning.block, line: 1, off: src.start, free: make(chan []byte, 2*r.tuning.workers)}
	for skip := r.options.SkipLines; skip > 0; {
		// Lines to skip are no records: a quote in them means nothing.
		var one [1]byte
		if _, err := io.ReadFull(src, one[:]); err != nil {
			src.Close()
			if err == io.EOF {
				return nil, nil, emptyError(r.path)
			}
			return nil, nil, c.readError(err)
		}
		c.off++
		if one[0] == '\n' {
			skip--
			c.line++
		}
	}
	return c, src, nil
}

// stream is the results of a pass over a file, computed by several goroutines and
// given in the order of the file.
type stream[T any] struct {
	order chan chan result[T]
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup
	err   error
}

type result[T any] struct {
	value T
	err   error
}

// startStream begins a pass. work is called by worker w with its own scanner; the
// block is its own until it returns.
func startStream[T any](r *Reader, work func(w int, sc *scanner, b *block) (T, error)) (*stream[T], error) {
	c, src, err := r.chunks()
	if err != nil {
		return nil, err
	}
	type job struct {
		b    *block
		slot chan result[T]
	}
	s := &stream[T]{order: make(chan chan result[T], 2*r.tuning.workers), stop: make(chan struct{})}
	jobs := make(chan job)
	s.done.Add(1 + r.tuning.workers)
	go func() {
		defer s.done.Done()
		defer src.Close()
		defer close(s.order)
		defer close(jobs)
		header := r.header
		sc := scanner{delimiter: r.delimiter, quote: r.quote}
		for {
			b, err := c.next()
			if err == io.EOF {
				return
			}
			slot := make(chan result[T], 1)
			if err == nil && header {
				var end int
				if end, err = sc.next(b.data, 0); err != nil {
					err = r.quoteError(b, err)
				} else if end < 0 {
					continue
				} else {
					header = false
					b.line = b.lineAt(end)
					b.off += int64(end)
					b.data = b.data[end:]
				}
			}
			select {
			case s.order <- slot:
			case <-s.stop:
				return
			}
			if err != nil {
				slot <- result[T]{err: err}
				return
			}
			select {
			case jobs <- job{b, slot}:
			case <-s.stop:
				return
			}
		}
	}()
	for w := range r.tuning.workers {
		go func() {
			defer s.done.Done()
			sc := scanner{delimiter: r.delimiter, quote: r.quote}
			for j := range jobs {
				v, err := work(w, &sc, j.b)
				c.release(j.b)
				j.slot <- result[T]{v, err}
			}
		}()
	}
	return s, nil
}

// next returns the next result, io.EOF after the last. The first error ends it.
func (s *stream[T]) next() (T, error) {
	var zero T
	if s.err != nil {
		return zero, s.err
	}
	slot, ok := <-s.order
	if !ok {
		s.err = io.EOF
		return zero, s.err
	}
	v := <-slot
	if v.err != nil {
		s.err = v.err
		s.close()
		return zero, s.err
	}
	return v.value, nil
}

// close stops the goroutines and waits for them.
func (s *stream[T]) close() {
	s.once.Do(func() { close(s.stop) })
	s.done.Wait()
}

// Columns returns the names of a file's columns, having read no more than its
// beginning.
func Columns(path string, o Options) ([]string, error) {
	o.Schema = Schema{} // none is wanted, so none is inferred
	r, err := Open(path, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return slices.Clone(r.names), nil
}
