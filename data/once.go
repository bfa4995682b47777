package data

import (
	"bytes"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
)

// readOnce reads a source whose schema is not known in one pass: every column is
// built as the type that the first rows suggest while its statistics are
// collected. Where these decide otherwise in the end, only those columns are
// read again. The result is that of [Reader.infer] and then reading.
func (r *Reader) readOnce() (*Table, error) {
	if err := r.checkNamed(); err != nil {
		return nil, err
	}
	for {
		t, err := r.tryOnce()
		more, ok := err.(*moreColumns)
		if !ok {
			return t, r.at(err)
		}
		if err := r.widen(more.file); err != nil {
			return nil, r.at(err)
		}
	}
}

func (r *Reader) tryOnce() (*Table, error) {
	guess, missing := r.guess(), r.missingSets()
	wrong := make([]atomic.Bool, len(guess))
	workers := make([][]*tracker, r.tuning.workers)
	stats := make([][]*statistics, len(workers))
	for w := range workers {
		stats[w] = r.newStatistics()
		for j, f := range guess {
			t := &tracker{stats: stats[w][j], missing: missing[j]}
			if f.Type != "" {
				t.builder = newBuilder(f, missing[j])
			} else {
				wrong[j].Store(true)
			}
			workers[w] = append(workers[w], t)
		}
	}
	s := startStream(r, func(w int, sc *scanner, b *block) (*Table, error) {
		columns := workers[w]
		for j, t := range columns {
			if t.builder != nil && wrong[j].Load() {
				t.builder = nil
			}
		}
		rows := 0
		place := func() int { return b.place(sc.start) }
		err := r.each(sc, b, func() error {
			rows++
			for j, i := range b.part.fields {
				columns[j].add(sc.value(sc.data, sc.fields[i]), sc.start, place)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		t := &Table{Rows: rows}
		for j, c := range columns {
			column := c.take(b)
			if column == nil {
				wrong[j].Store(true)
			}
			t.Columns = append(t.Columns, column)
		}
		return t, nil
	})
	defer s.close()
	var pieces []*Table
	r.rows = 0
	for {
		t, err := s.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if t.Rows > 0 {
			pieces = append(pieces, t)
			r.rows += t.Rows
		}
	}
	if err := r.decide(merged(stats)); err != nil {
		return nil, err
	}
	var again []int
	for j, f := range r.schema {
		g := guess[j]
		if wrong[j].Load() || f.Type != g.Type || f.Layout != g.Layout || f.Decimal != g.Decimal || !strings.EqualFold(f.False, g.False) || !strings.EqualFold(f.True, g.True) {
			again = append(again, j)
			for _, p := range pieces {
				p.Columns[j] = nil
			}
		}
	}
	t := r.join(pieces)
	if len(again) == 0 {
		return t, nil
	}
	var rest appender
	s = r.build(again)
	defer s.close()
	for {
		piece, err := s.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		rest.add(piece, r.rows)
	}
	for k, j := range again {
		t.Columns[j] = rest.table.Columns[k]
	}
	return t, nil
}

// guess returns the schema that the first block suggests; a field without a type
// where it suggests none. What is wrong there comes to light when it is read.
func (r *Reader) guess() Schema {
	schema := make(Schema, len(r.names))
	p := r.parts[0]
	pass, err := p.decoder.pass()
	if err != nil {
		return schema
	}
	defer pass.Close()
	b, err := pass.next()
	if err != nil {
		return schema
	}
	b.part, b.pass = p, pass
	stats, missing := r.newStatistics(), r.missingSets()
	var sc scanner
	_ = r.each(&sc, b, func() error {
		for j, i := range p.fields {
			if v := trim(sc.value(sc.data, sc.fields[i])); !missing[j].has(v) {
				stats[j].add(v, 1, func() int { return b.place(sc.start) })
			}
		}
		return nil
	})
	for j, name := range r.names {
		if f, err := stats[j].infer(name, r.options.Types[name], r.options.Layouts[name], r.place); err == nil {
			schema[j] = f
		}
	}
	return schema
}

// join puts pieces together, columns side by side, and lets go of them. A column
// that a piece lacks is left out.
func (r *Reader) join(pieces []*Table) *Table {
	t := &Table{Rows: r.rows, Columns: make([]*Column, len(r.schema))}
	var next atomic.Int64
	var done sync.WaitGroup
	for range r.tuning.workers {
		done.Go(func() {
			for j := int(next.Add(1)) - 1; j < len(t.Columns); j = int(next.Add(1)) - 1 {
				if pieces[0].Columns[j] == nil {
					continue
				}
				var a columnAppender
				for _, p := range pieces {
					a.add(p.Columns[j], r.rows)
					p.Columns[j] = nil
				}
				if a.column.Type == Boolean {
					a.column.Dict = []string{r.schema[j].False, r.schema[j].True}
				}
				t.Columns[j] = a.column
			}
		})
	}
	done.Wait()
	return t
}

// tracker learns about a column and builds it as a type that was guessed.
type tracker struct {
	stats   *statistics
	missing *missingSet
	builder *builder // nil when nothing was guessed, or the guess was wrong
	// Of categories, booleans and datetimes, every distinct value of a block is
	// looked at once.
	seen    dictionary
	counts  []int
	first   []int     // position of the first
	numbers []float64 // a boolean's code or a datetime
}

// add takes the value at a position of the block.
func (t *tracker) add(raw []byte, at int, place func() int) {
	v := trim(raw)
	b := t.builder
	if t.missing.has(v) {
		if b != nil {
			b.skip()
		}
		return
	}
	if b == nil {
		t.stats.add(v, 1, place)
		return
	}
	c := b.column
	switch b.field.Type {
	case Number:
		x, kind := parseNumber(v, '.')
		if kind != notNumber && kind != isInfinite {
			t.stats.addNumber(v, x, kind, 1)
			if b.decimal == '.' {
				c.Numbers = append(c.Numbers, x)
				return
			}
		} else {
			t.stats.add(v, 1, place)
		}
		if b.decimal == '.' || b.add(raw) != nil {
			t.builder = nil
		}
	case Category, Boolean, Datetime:
		k, fresh := t.seen.index(v)
		if fresh {
			x, ok := 0.0, true
			switch b.field.Type {
			case Boolean:
				if ok = equalFold(v, b.t) || equalFold(v, b.f); ok && equalFold(v, b.t) {
					x = 1
				}
			case Datetime:
				x, ok = b.date.parse(v)
			}
			t.counts, t.first, t.numbers = append(t.counts, 0), append(t.first, at), append(t.numbers, x)
			if !ok {
				t.builder = nil
			}
		}
		t.counts[k]++
		switch b.field.Type {
		case Category:
			c.Codes = append(c.Codes, int32(k))
		case Boolean:
			c.Codes = append(c.Codes, int32(t.numbers[k]))
		default:
			c.Numbers = append(c.Numbers, t.numbers[k])
		}
	default:
		t.stats.add(v, 1, place)
		t.builder.keep(raw)
	}
}

// take returns the column of a block that ends, nil if the guess was wrong.
func (t *tracker) take(b *block) *Column {
	for k, n := range t.counts {
		t.stats.add(t.seen.value(k), n, func() int { return b.place(t.first[k]) })
	}
	var c *Column
	if t.builder != nil {
		c = t.builder.take()
		if c.Type == Category {
			c.Dict = t.seen.strings()
		}
	}
	t.seen.reset()
	t.counts, t.first, t.numbers = t.counts[:0], t.first[:0], t.numbers[:0]
	return c
}

// dictionary numbers distinct values in the order of their first appearance.
type dictionary struct {
	slots  []int32 // 1 + the number of the value whose hash leads there
	hashes []uint64
	ends   []int
	text   []byte
}

// index returns a value's number and whether it is a new one.
func (d *dictionary) index(v []byte) (k int, fresh bool) {
	if 2*len(d.hashes) >= len(d.slots) {
		d.grow()
	}
	h := hashBytes(v)
	mask := uint64(len(d.slots) - 1)
	i := h & mask
	for d.slots[i] != 0 {
		k := int(d.slots[i] - 1)
		if d.hashes[k] == h && bytes.Equal(d.value(k), v) {
			return k, false
		}
		i = (i + 1) & mask
	}
	d.hashes = append(d.hashes, h)
	d.text = append(d.text, v...)
	d.ends = append(d.ends, len(d.text))
	d.slots[i] = int32(len(d.hashes))
	return len(d.hashes) - 1, true
}

func (d *dictionary) grow() {
	d.slots = make([]int32, max(64, 2*len(d.slots)))
	mask := uint64(len(d.slots) - 1)
	for k, h := range d.hashes {
		i := h & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = int32(k + 1)
	}
}

func (d *dictionary) value(k int) []byte {
	start := 0
	if k > 0 {
		start = d.ends[k-1]
	}
	return d.text[start:d.ends[k]]
}

// strings returns all values.
func (d *dictionary) strings() []string {
	all, start := string(d.text), 0
	s := make([]string, len(d.ends))
	for k, end := range d.ends {
		s[k] = all[start:end]
		start = end
	}
	return s
}

func (d *dictionary) reset() {
	clear(d.slots)
	d.hashes, d.ends, d.text = d.hashes[:0], d.ends[:0], d.text[:0]
}

// skip appends a missing value.
func (b *builder) skip() {
	if c := b.column; b.field.Type.numeric() {
		c.Numbers = append(c.Numbers, math.NaN())
	} else {
		c.Codes = append(c.Codes, -1)
	}
}

// keep appends a value of an identifier or text as it is.
func (b *builder) keep(raw []byte) {
	b.text = append(b.text, raw...)
	b.ends = append(b.ends, len(b.text))
	b.column.Codes = append(b.column.Codes, int32(len(b.ends)-1))
}
