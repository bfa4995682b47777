package data

import "strings"

// tracker learns about a column, where it has statistics to fill, and builds it
// as a type that is known or was guessed. A worker has one of its own, which lives
// as long as the reading.
type tracker struct {
	stats   *statistics
	missing *missingSet
	builder *builder // nil when nothing was guessed, or the guess was wrong
	err     error    // the first value that is not of the type, where that is known
	// Of categories, booleans and dates in rare layouts, every distinct value is
	// looked at once.
	seen    dictionary
	counts  []int     // of a value since it was first seen
	numbers []float64 // a boolean's code or a datetime
	given   int       // values of seen that were given out
	fresh   bool      // seen has begun anew since values were given out
	// partial says that statistics lack what matters only if the guess is wrong.
	partial bool
	// settled is the layout that the statistics have come to, all others having
	// gone or reading nothing that it does not read, -1 before.
	settled int
	words   float64
	small   [smallNumbers / 64]uint64 // whole numbers that the statistics have seen
}

// smallNumbers are those that a bit is kept for.
const smallNumbers = 4096

// mostSeen bounds a worker's dictionary of one column.
const mostSeen = 1 << 18

func (t *tracker) setBuilder(b *builder) {
	t.builder, t.missing, t.settled = b, b.missing, -1
}

// add takes a value; place is of its row.
func (t *tracker) add(raw []byte, place func() int) {
	v := trim(raw)
	b := t.builder
	if t.missing.has(v) && !(len(v) == 0 && b != nil && b.field.EmptySet) {
		if b != nil {
			b.skip()
		}
		return
	}
	if b == nil {
		if t.stats != nil {
			t.stats.add(v, 1, place)
		}
		return
	}
	c := b.column
	switch b.field.Type {
	case Number:
		if t.stats == nil {
			t.build(raw)
			return
		}
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
		if fresh && !t.meet(v, raw, place) {
			return
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
	case Image, Set:
		if t.stats != nil && len(v) > 0 { // an empty set has no spelling to learn from
			t.stats.add(v, 1, place)
		}
		t.build(raw)
	default:
		if t.stats != nil {
			t.stats.add(v, 1, place)
		}
		b.keep(raw)
	}
}

// build adds a value of a type that is known.
func (t *tracker) build(raw []byte) {
	if err := t.builder.add(raw); err != nil {
		t.err, t.builder = err, nil
	}
}

// meet looks at a value that was seen for the first time, and says whether it is
// of the type.
func (t *tracker) meet(v, raw []byte, place func() int) bool {
	b := t.builder
	x, ok := 0.0, true
	switch b.field.Type {
	case Boolean:
		if ok = equalFold(v, b.t) || equalFold(v, b.f); ok && equalFold(v, b.t) {
			x = 1
		}
	case Datetime:
		x, ok = b.date.parse(v)
	}
	t.counts, t.numbers = append(t.counts, 0), append(t.numbers, x)
	if t.stats != nil {
		t.stats.add(v, 1, place)
		t.counts[len(t.counts)-1] = -1 // counted already
	}
	if !ok {
		if t.stats == nil {
			t.build(raw)
		}
		t.builder = nil
	}
	return ok
}

// flush tells the statistics how often values were seen.
func (t *tracker) flush() {
	for k, n := range t.counts {
		if n > 0 && t.stats != nil {
			t.stats.add(t.seen.value(k), n, func() int { return 0 }) // its place is known
		}
	}
	t.seen.reset()
	t.counts, t.numbers = t.counts[:0], t.numbers[:0]
	t.given, t.fresh = 0, true
}

// take returns the column of a block that ends, nil if the guess was wrong. The
// dictionary of a category holds only the values that were not given out before;
// its codes count from where the dictionary began, and begun says that this is
// anew. The memory of spare, a column given out before, is used again; it may be
// nil. Identifiers and text have their values in given instead of a dictionary.
func (t *tracker) take(spare *Column) (c *Column, given joinedText, begun bool) {
	if t.builder == nil {
		return nil, given, false
	}
	switch t.builder.field.Type {
	default:
		c = t.builder.take(spare)
	case Identifier, Text, Image, Set:
		c, given = t.builder.column, t.builder.texts()
		t.builder.reset(c.Len()+c.Len()/8, spare)
	case Category:
		c = t.builder.column
		t.builder.reset(c.Len()+c.Len()/8, spare)
		c.Dict = t.seen.strings(t.given)
		t.given, begun, t.fresh = len(t.counts), t.fresh, false
	}
	if len(t.counts) > mostSeen {
		t.flush()
	}
	return c, given, begun
}

// fill takes field j of all rows of a grid.
func (t *tracker) fill(g *grid, j int, place func(row int) int) {
	row := 0
	at := func() int { return place(row) }
	for row < g.rows {
		// A quick way stops before a value that is not for it.
		if t.builder != nil && !(t.missing.numbers && t.builder.field.Type != Category && t.builder.field.Type != Boolean) {
			switch t.builder.field.Type {
			case Number:
				row = t.fillNumbers(g, j, row)
			case Category, Boolean:
				row = t.fillSeen(g, j, row)
			case Datetime:
				row = t.fillDates(g, j, row)
			case Identifier:
				row = t.fillIdentifiers(g, j, row)
			}
			if row == g.rows {
				return
			}
		}
		t.add(g.value(g.cells[row*g.width+j]), at)
		row++
	}
}

// fillNumbers takes numbers in common spellings, and empty fields.
func (t *tracker) fillNumbers(g *grid, j, row int) int {
	b := t.builder
	if b.decimal != '.' || t.stats != nil && t.stats.dressing.points {
		return row
	}
	out := b.column.Numbers
	floats, known := 0, 0
	for at := row*g.width + j; row < g.rows; row, at = row+1, at+g.width {
		c := g.cells[at]
		if c.start == c.end {
			out = append(out, nan)
			continue
		}
		x, kind := quickNumber(g.data, int(c.start), int(c.end))
		if kind == isFloat {
			floats++
		} else if kind != isInteger {
			break
		} else if t.knows(x) {
			known++
		} else if t.stats != nil {
			t.seeInteger(g.data[c.start:c.end], x)
		}
		out = append(out, x)
	}
	if s := t.stats; s != nil {
		s.values += floats + known
		s.numbers += floats + known
		s.floats += floats
		s.integers += known
	}
	b.column.Numbers = out
	return row
}

// knows says whether the statistics have met a whole number as it is usually
// spelled, so that nothing is new about it.
func (t *tracker) knows(x float64) bool {
	k := uint64(int64(x))
	return k < smallNumbers && t.small[k/64]>>(k%64)&1 != 0
}

// seeInteger learns from a whole number that is spelled as quickNumber knows it.
func (t *tracker) seeInteger(v []byte, x float64) {
	if x >= 0 && x < smallNumbers && v[0] >= '0' {
		t.small[int(x)/64] |= 1 << (int(x) % 64)
	}
	t.stats.addNumber(v, x, isInteger, 1)
}

// fillIdentifiers takes whole numbers.
func (t *tracker) fillIdentifiers(g *grid, j, row int) int {
	for at := row*g.width + j; row < g.rows; row, at = row+1, at+g.width {
		c := g.cells[at]
		x, kind := quickNumber(g.data, int(c.start), int(c.end))
		if kind != isInteger {
			break
		}
		v := g.data[c.start:c.end]
		if t.stats != nil {
			t.seeInteger(v, x)
		}
		t.builder.keep(v)
	}
	return row
}

// fillSeen takes values that are in the dictionary, and empty fields.
func (t *tracker) fillSeen(g *grid, j, row int) int {
	// No value in the dictionary has spaces around it or means that it is missing.
	out := t.builder.column.Codes
	from := len(out)
	out, row = t.seen.codes(out, g, j, row, t.counts)
	if t.builder.field.Type == Boolean {
		for i, k := range out[from:] {
			if k >= 0 {
				out[from+i] = int32(t.numbers[k])
			}
		}
	}
	t.builder.column.Codes = out
	return row
}

// fillDates takes dates in a layout of digits at fixed places, and empty fields.
func (t *tracker) fillDates(g *grid, j, row int) int {
	b := t.builder
	if !b.date.fixed || t.stats != nil && !t.settle() {
		return row
	}
	out := b.column.Numbers
	n := 0
	for at := row*g.width + j; row < g.rows; row, at = row+1, at+g.width {
		c := g.cells[at]
		if c.start == c.end {
			out = append(out, nan)
			continue
		}
		v := g.data[c.start : c.end&^escapedBit]
		if len(v) != len(b.date.layout) || t.missing.has(v) {
			break
		}
		x, ok := b.date.parseFixed(v)
		if !ok {
			break
		}
		n++
		out = append(out, x)
	}
	b.column.Numbers = out
	if t.stats != nil && n > 0 {
		// All that adding each would do, but for counting distinct ones.
		t.partial = true
		t.stats.values += n
		t.stats.words += t.words * float64(n)
		t.stats.runes += len(b.date.layout) * n
	}
	return row
}

// settle says whether a value in the builder's layout leaves the statistics'
// layouts as they are.
func (t *tracker) settle() bool {
	own, s := t.settled, t.stats
	if own < 0 {
		own = -1
		for k, l := range layouts {
			if l == t.builder.field.Layout {
				own = k
			}
		}
		if own < 0 || s.untested {
			return false
		}
		t.words = float64(1 + strings.Count(layouts[own], " "))
	}
	found := false
	for _, l := range s.layouts {
		if int(l) != own && strict[l] != own {
			return false
		}
		found = found || int(l) == own
	}
	if found {
		t.settled = own
	}
	return found
}
