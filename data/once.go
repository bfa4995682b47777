package data

import (
	"math"
	"slices"
	"strings"
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
				t.setBuilder(r.builder(f, missing[j]))
			} else {
				wrong[j].Store(true)
			}
			workers[w] = append(workers[w], t)
		}
	}
	r.rows = -1
	t, err := r.collect(workers, r.allColumns(), func(j int) bool { return wrong[j].Load() }, func(j int) { wrong[j].Store(true) })
	if err != nil {
		return nil, err
	}
	r.rows = t.Rows
	var partial []int // columns of which not everything is known that matters
	for j := range guess {
		for _, w := range workers {
			w[j].flush()
			if wrong[j].Load() && w[j].partial && !slices.Contains(partial, j) {
				partial = append(partial, j)
			}
		}
	}
	whole := merged(stats)
	if len(partial) > 0 {
		rows := r.rows
		again, err := r.study(partial)
		if err != nil {
			return nil, err
		}
		r.rows = rows
		for _, j := range partial {
			whole[j] = again[j]
		}
	}
	if err := r.decide(whole); err != nil {
		return nil, err
	}
	var again []int
	for j, f := range r.schema {
		g := guess[j]
		if wrong[j].Load() || f.Type != g.Type || f.Layout != g.Layout || f.Decimal != g.Decimal || f.Thousands != g.Thousands || f.Sign != g.Sign || !strings.EqualFold(f.False, g.False) || !strings.EqualFold(f.True, g.True) {
			if c := t.Columns[j]; c != nil && holdsText(g.Type) && holdsText(f.Type) && g.Type != Category {
				t.Columns[j] = retyped(c, f.Type)
				continue
			}
			again = append(again, j)
			t.Columns[j] = nil
		} else if f.Type == Boolean {
			t.Columns[j].Dict = []string{f.False, f.True}
		}
	}
	if len(again) == 0 {
		return t, nil
	}
	rest, err := r.buildAll(again)
	if err != nil {
		return nil, err
	}
	for k, j := range again {
		t.Columns[j] = rest.Columns[k]
	}
	return t, nil
}

func holdsText(t Type) bool { return t == Category || t == Identifier || t == Text || t == Set }

// retyped returns a column of identifiers or text, whose values are as they were
// in the file, as another of these or a category.
func retyped(c *Column, to Type) *Column {
	if c.Type = to; to == Category {
		for k, v := range c.Dict {
			c.Dict[k] = strings.Trim(v, " \t")
		}
		c = once(c)
		c.Dict = slices.Clip(c.Dict)
		for k, v := range c.Dict {
			c.Dict[k] = strings.Clone(v)
		}
	}
	return c
}

// buildAll reads the columns of those numbers as the schema says.
func (r *Reader) buildAll(numbers []int) (*Table, error) {
	workers := make([][]*tracker, r.tuning.workers)
	for w := range workers {
		for _, j := range numbers {
			t := &tracker{}
			t.setBuilder(r.builder(r.schema[j], r.missing))
			workers[w] = append(workers[w], t)
		}
	}
	return r.collect(workers, numbers, func(int) bool { return false }, func(int) {})
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
		r.settleImages(stats[j])
		if f, err := stats[j].infer(name, r.wanted(name), r.options.Layouts[name], r.place); err == nil {
			f.EmptySet = slices.Contains(r.options.EmptySets, name)
			schema[j] = f
		}
	}
	return schema
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
