package data

import (
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

// Reader reads a source in pieces. It is not safe for use by several goroutines;
// it uses several itself.
type Reader struct {
	path    string // of the first file, or the pattern
	options Options
	tuning  tuning
	missing *missingSet
	parts   []*part
	names   []string // of all columns
	schema  Schema
	rows    int // -1 while unknown

	stream  *stream[*Table]
	pending *Table
	seen    int
	err     error
}

// Open finds out how a source is written and, unless the options give a schema,
// infers one from all its rows. Close the reader when done before the end. The
// path is that of a file, or a pattern of several as in [path/filepath.Match],
// such as part-*.csv.
func Open(path string, o Options) (*Reader, error) { return OpenFiles([]string{path}, o) }

// OpenFiles is Open of several files or patterns that together hold one table,
// in that order. They must have the same columns.
func OpenFiles(paths []string, o Options) (*Reader, error) {
	r, err := lookAt(paths, o)
	if err == nil {
		err = r.infer()
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// lookAt opens a source without inferring a schema.
func lookAt(paths []string, o Options) (*Reader, error) {
	files, err := expand(paths)
	if err == nil {
		err = twice(files)
	}
	if err != nil {
		return nil, err
	}
	r := newReader(paths[0], o, defaultTuning())
	for _, path := range files {
		r.parts = append(r.parts, &part{path: path, open: func() (io.ReadCloser, error) { return openFile(path) }})
	}
	return r, r.look()
}

func newReader(path string, o Options, t tuning) *Reader {
	r := &Reader{path: path, options: o, tuning: t, missing: defaultMissing, rows: -1}
	if o.MissingValues != nil {
		r.missing = newMissingSet(o.MissingValues)
	}
	return r
}

// at names the file in an error that does not.
func (r *Reader) at(err error) error {
	if e, ok := err.(*Error); ok && e.Path == "" {
		e.Path = r.path
	}
	return err
}

// look finds the format of every file and the columns.
func (r *Reader) look() error {
	if err := r.options.check(); err != nil {
		return r.at(err)
	}
	r.schema = r.options.Schema
	for i, p := range r.parts {
		p.options, p.tuning, p.number, p.expect = &r.options, r.tuning, i, r.names
		if r.schema != nil {
			p.expect = r.schema.Names()
		}
		if err := p.look(); err != nil {
			return r.at(err)
		}
		if i == 0 {
			if r.names = p.names; r.schema != nil {
				r.names = r.schema.Names()
			}
		}
	}
	// A folder's name is a class, whatever it says: none, NA.
	if r.options.MissingValues == nil && !slices.ContainsFunc(r.parts, func(p *part) bool { return p.kind != "folder" }) {
		r.missing = newMissingSet(nil)
	}
	return r.match()
}

// match finds the columns in every file.
func (r *Reader) match() error {
	for i, p := range r.parts {
		p.fields = p.fields[:0]
		for _, name := range r.names {
			k := slices.Index(p.names, name)
			switch {
			case k >= 0:
				p.fields = append(p.fields, k)
			case r.schema != nil:
				return &Error{Path: p.path, Column: name, Problem: "the file has no such column" + has(p.names), Remedy: absentRemedy(name, p.names)}
			default:
				return &Error{Path: p.path, Column: name, Problem: fmt.Sprintf("%s has it, but this file does not%s", r.parts[0].path, has(p.names)), Remedy: "give all files of a source the same columns, or take this one out"}
			}
		}
		if r.schema == nil && len(p.names) > len(r.names) {
			for _, name := range p.names {
				if !slices.Contains(r.names, name) {
					return &Error{Path: p.path, Column: name, Problem: fmt.Sprintf("%s does not have it%s", r.parts[0].path, has(r.parts[0].names)), Remedy: "give all files of a source the same columns, or take this one out"}
				}
			}
		}
		p.number = i
	}
	return nil
}

// Schema describes the columns that the reader gives.
func (r *Reader) Schema() Schema { return r.schema }

// Format is how the source's first file is written.
func (r *Reader) Format() Format {
	p := r.parts[0]
	f := Format{Kind: p.kind, Compression: p.compression, Encoding: p.encoding, Header: p.header}
	if c, ok := p.decoder.(*csvFile); ok {
		f.Delimiter = string(c.delimiter)
		if c.quote != 0 {
			f.Quote = string(c.quote)
		}
	}
	return f
}

// Rows is the number of rows, -1 while it is not known: before the end, where the
// schema was given.
func (r *Reader) Rows() int { return r.rows }

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

// infer reads the whole source once to find the types, unless they are given.
func (r *Reader) infer() error {
	if r.schema != nil {
		return nil
	}
	if err := r.checkNamed(); err != nil {
		return err
	}
	for {
		stats, err := r.study(nil)
		if more, ok := err.(*moreColumns); ok {
			if err = r.widen(more.file); err == nil {
				continue
			}
		}
		if err == nil {
			err = r.decide(stats)
		}
		return r.at(err)
	}
}

// checkNamed finds the options' columns.
func (r *Reader) checkNamed() error {
	for _, names := range []map[string]bool{keys(r.options.Types), keys(r.options.Layouts), keys(r.options.Thousands)} {
		for n := range names {
			if !slices.Contains(r.names, n) {
				return &Error{Path: r.path, Column: n, Problem: "data.types, data.layouts or data.thousands names it, but the file has no such column" + has(r.names), Remedy: absentRemedy(n, r.names)}
			}
		}
	}
	for _, n := range r.options.EmptySets {
		if !slices.Contains(r.names, n) {
			return &Error{Path: r.path, Column: n, Problem: "data.empty_sets names it, but the file has no such column" + has(r.names), Remedy: absentRemedy(n, r.names)}
		}
	}
	for n := range r.options.Missing {
		if !slices.Contains(r.names, n) {
			return &Error{Path: r.path, Column: n, Problem: "data.missing names it, but the file has no such column" + has(r.names), Remedy: absentRemedy(n, r.names)}
		}
	}
	return nil
}

// missingSets returns what is missing in every column.
func (r *Reader) missingSets() []*missingSet {
	sets := make([]*missingSet, len(r.names))
	for j, name := range r.names {
		if sets[j] = r.missing; r.options.Missing[name] != nil {
			sets[j] = newMissingSet(r.options.missingOf(name))
		}
	}
	return sets
}

// study collects the statistics of all columns in one pass, or of those that are
// named by their numbers.
func (r *Reader) study(only []int) ([]*statistics, error) {
	workers := make([][]*statistics, r.tuning.workers)
	for w := range workers {
		workers[w] = r.newStatistics()
	}
	missing := r.missingSets()
	s := startStream(r, func(w int, sc *scanner, b *block) (int, error) {
		stats, rows := workers[w], 0
		line := func() int { return b.place(sc.start) }
		err := r.each(sc, b, func() error {
			rows++
			for j, i := range b.part.fields {
				if only != nil && !slices.Contains(only, j) {
					continue
				}
				if v := trim(sc.value(sc.data, sc.fields[i])); !missing[j].has(v) {
					stats[j].add(v, 1, line)
				}
			}
			return nil
		})
		return rows, err
	})
	defer s.close()
	r.rows = 0
	for {
		n, err := s.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		r.rows += n
	}
	return merged(workers), nil
}

// newStatistics returns one for every column.
func (r *Reader) newStatistics() []*statistics {
	stats := make([]*statistics, len(r.names))
	for j := range stats {
		stats[j] = newStatistics(r.european())
		stats[j].dressing.want = r.options.Thousands[r.names[j]]
		stats[j].dressing.points = r.divided(func(delimiter byte) bool { return delimiter != ',' }) || stats[j].dressing.want != ""
		stats[j].dressing.semicolons = r.divided(func(delimiter byte) bool { return delimiter == ';' })
	}
	return stats
}

// european says whether some file may have a decimal comma.
func (r *Reader) european() bool {
	return slices.ContainsFunc(r.parts, func(p *part) bool {
		c, ok := p.decoder.(*csvFile)
		return !ok || c.delimiter != ','
	})
}

// divided says whether some text file is divided at such a character; those with
// decimal commas are not at commas.
func (r *Reader) divided(at func(delimiter byte) bool) bool {
	return slices.ContainsFunc(r.parts, func(p *part) bool {
		c, ok := p.decoder.(*csvFile)
		return ok && at(c.delimiter)
	})
}

func merged(workers [][]*statistics) []*statistics {
	for _, w := range workers[1:] {
		for j, s := range w {
			workers[0][j].merge(s)
		}
	}
	return workers[0]
}

// decide chooses the schema.
func (r *Reader) decide(stats []*statistics) error {
	if r.rows == 0 {
		return r.parts[0].noRows()
	}
	schema := make(Schema, len(r.names))
	for j, name := range r.names {
		r.settleImages(stats[j])
		f, err := stats[j].infer(name, r.wanted(name), r.options.Layouts[name], r.place)
		if err != nil {
			return err
		}
		if r.options.MissingValues != nil || r.options.Missing[name] != nil {
			f.Missing = r.options.missingOf(name)
		}
		f.EmptySet = slices.Contains(r.options.EmptySets, name)
		schema[j] = f
	}
	partThousands(schema, stats)
	r.schema = schema
	return r.checkBase()
}

// wanted is the type that a column is declared to have, "" for none: by the
// options, or by the kind of source.
func (r *Reader) wanted(name string) Type {
	if t := r.options.Types[name]; t != "" {
		return t
	}
	if slices.Contains(r.options.EmptySets, name) {
		return Set
	}
	return r.parts[0].types[name]
}

// builder returns one for values of files.
func (r *Reader) builder(f Field, missing *missingSet) *builder {
	b := newBuilder(f, missing)
	b.files, b.base = true, r.base()
	return b
}

// place writes what [block.place] returned.
func (r *Reader) place(at int) string {
	p := r.parts[at>>placeBits]
	s := fmt.Sprintf("%s %d", p.unit(), at&(1<<placeBits-1))
	if len(r.parts) > 1 {
		s += " of " + p.path
	}
	return s
}

func keys[V any](m map[string]V) map[string]bool {
	s := map[string]bool{}
	for k := range m {
		s[k] = true
	}
	return s
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

// build begins a pass that builds the columns of those numbers as the schema says.
func (r *Reader) build(numbers []int) *stream[*Table] {
	builders := make([][]*builder, r.tuning.workers)
	for w := range builders {
		for _, j := range numbers {
			builders[w] = append(builders[w], r.builder(r.schema[j], r.missing))
		}
	}
	return startStream(r, func(w int, sc *scanner, b *block) (*Table, error) {
		columns := builders[w]
		t := &Table{}
		err := r.each(sc, b, func() error {
			t.Rows++
			for k, j := range numbers {
				if err := columns[k].add(sc.value(sc.data, sc.fields[b.part.fields[j]])); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			t.Columns = append(t.Columns, c.take(nil))
		}
		return t, nil
	})
}

func (r *Reader) allColumns() []int {
	all := make([]int, len(r.names))
	for j := range all {
		all[j] = j
	}
	return all
}

// nextBlock returns the rows of the next block that has any.
func (r *Reader) nextBlock() (*Table, error) {
	if r.stream == nil {
		r.stream = r.build(r.allColumns())
	}
	for {
		t, err := r.stream.next()
		if err == io.EOF && r.seen == 0 {
			return nil, r.parts[0].noRows()
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

// Read reads a whole source; see [Open] for what path may be.
func Read(path string, o Options) (*Table, Schema, error) { return ReadFiles([]string{path}, o) }

// ReadFiles is Read of several files or patterns that together hold one table;
// see [OpenFiles].
func ReadFiles(paths []string, o Options) (*Table, Schema, error) {
	if o.CacheDir != "" {
		return readCached(paths, o, cacheDefaults)
	}
	return readPlain(paths, o)
}

func readPlain(paths []string, o Options) (*Table, Schema, error) {
	r, err := lookAt(paths, o)
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
	if r.schema == nil {
		return r.readOnce()
	}
	t, err := r.buildAll(r.allColumns())
	if err != nil {
		return nil, r.at(err)
	}
	r.rows = t.Rows
	return t, nil
}

// each calls row for every record of a block, whose fields are then in sc.
func (r *Reader) each(sc *scanner, b *block, row func() error) error {
	return b.part.decoder.each(sc, b, func() error {
		if err := row(); err != nil {
			return b.locate(err, sc)
		}
		return nil
	})
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
// block is its own until it returns. Every worker reads its blocks itself, one at
// a time, so that it finds them in its core's cache.
func startStream[T any](r *Reader, work func(w int, sc *scanner, b *block) (T, error)) *stream[T] {
	s := &stream[T]{order: make(chan chan result[T], 2*r.tuning.workers), stop: make(chan struct{})}
	s.done.Add(r.tuning.workers)
	src := blocks{parts: r.parts}
	var reading sync.Mutex
	ended := false
	// take returns a block and where its result goes, nil at the end.
	take := func() (*block, chan result[T]) {
		reading.Lock()
		defer reading.Unlock()
		if ended {
			return nil, nil
		}
		b, err := src.next()
		if err != io.EOF {
			slot := make(chan result[T], 1)
			select {
			case s.order <- slot:
				if err == nil {
					return b, slot
				}
				slot <- result[T]{err: err}
			case <-s.stop:
			}
		}
		ended = true
		src.close()
		close(s.order)
		return nil, nil
	}
	for w := range r.tuning.workers {
		go func() {
			defer s.done.Done()
			var sc scanner
			for {
				b, slot := take()
				if b == nil {
					return
				}
				v, err := work(w, &sc, b)
				b.pass.release(b)
				slot <- result[T]{v, err}
			}
		}()
	}
	return s
}

// blocks gives the blocks of several files.
type blocks struct {
	parts []*part
	pass  pass // over the first of them, nil before
}

func (s *blocks) next() (*block, error) {
	for len(s.parts) > 0 {
		if s.pass == nil {
			p, err := s.parts[0].decoder.pass()
			if err != nil {
				return nil, err
			}
			s.pass = p
		}
		b, err := s.pass.next()
		if err == nil {
			b.part, b.pass = s.parts[0], s.pass
			return b, nil
		}
		if err != io.EOF {
			return nil, err
		}
		s.close()
		s.parts = s.parts[1:]
	}
	return nil, io.EOF
}

func (s *blocks) close() {
	if s.pass != nil {
		s.pass.Close()
		s.pass = nil
	}
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

// Columns returns the names of a source's columns, having read no more than the
// beginning of its files.
func Columns(path string, o Options) ([]string, error) {
	o.Schema = nil
	r, err := lookAt([]string{path}, o)
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.names), nil
}
