package data

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

var nan = math.NaN()

// piece is the columns of a block.
type piece struct {
	worker  int
	rows    int
	bytes   int // of the block
	columns []*Column
	texts   []joinedText // see tracker.take
	begun   []bool       // likewise
}

// collect reads the columns of those numbers into one table. It leaves out a
// column, as nil, once wrong says so, and tells fail of one that turns out so.
func (r *Reader) collect(workers [][]*tracker, numbers []int, wrong func(k int) bool, fail func(k int)) (*Table, error) {
	grids := make([]grid, len(workers))
	free := make(chan *piece, 4*len(workers)) // those that were joined
	s := startStream(r, func(w int, sc *scanner, b *block) (*piece, error) {
		trackers := workers[w]
		for k, t := range trackers {
			if t.builder != nil && wrong(k) {
				t.builder = nil
			}
		}
		p := &piece{worker: w, bytes: len(b.data)}
		var err error
		if csv, ok := b.part.decoder.(*csvFile); ok {
			p.rows, err = r.fillGrids(&grids[w], trackers, numbers, csv, sc, b)
		} else {
			place := func() int { return b.place(sc.start) }
			err = r.each(sc, b, func() error {
				p.rows++
				for k, j := range numbers {
					t := trackers[k]
					if t.add(sc.value(sc.data, sc.fields[b.part.fields[j]]), place); t.err != nil {
						return t.err
					}
				}
				return nil
			})
		}
		if err != nil {
			return nil, err
		}
		old := &piece{columns: make([]*Column, len(trackers))}
		select {
		case old = <-free:
		default:
		}
		for k, t := range trackers {
			c, given, begun := t.take(old.columns[k])
			if c == nil {
				fail(k)
			}
			p.columns, p.texts, p.begun = append(p.columns, c), append(p.texts, given), append(p.begun, begun)
		}
		return p, nil
	})
	defer s.close()
	table := &Table{Columns: make([]*Column, len(numbers))}
	joined := make([]joiner, len(numbers))
	reserve := 0
	for {
		p, err := s.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if p.rows > 0 && reserve == 0 {
			reserve = max(r.rows, p.rows)
			if r.rows < 0 && p.bytes > 0 {
				reserve = max(p.rows, int(1.02*float64(r.bytes())*float64(p.rows)/float64(p.bytes)))
			}
		}
		table.Rows += p.rows
		for k, c := range p.columns {
			joined[k].add(c, p, k, len(workers), reserve)
		}
		select {
		case free <- p:
		default:
		}
	}
	if table.Rows == 0 {
		return nil, r.parts[0].noRows()
	}
	for k := range joined {
		table.Columns[k] = joined[k].end()
	}
	return table, nil
}

// bytes is about how long the text of all files is, less where some are
// compressed.
func (r *Reader) bytes() (n int64) {
	for _, p := range r.parts {
		if info, err := os.Stat(p.path); err == nil {
			n += info.Size()
		}
	}
	return n
}

// fillGrids gives a block's rows to trackers, a column at a time.
func (r *Reader) fillGrids(g *grid, trackers []*tracker, numbers []int, csv *csvFile, sc *scanner, b *block) (rows int, err error) {
	if err := b.checkText(csv.path, csv.encoding); err != nil {
		return 0, err
	}
	width := len(csv.names)
	place := func(row int) int { return b.place(int(g.cells[row*width].start)) }
	for pos := 0; pos < len(b.data); {
		next, ok := g.fill(b.data, pos, width, csv.delimiter, csv.quote)
		for k := 0; ok && k < len(numbers); k++ {
			t := trackers[k]
			t.fill(g, b.part.fields[numbers[k]], place)
			ok = t.err == nil
		}
		if !ok {
			return 0, r.mistake(trackers, numbers, sc, b)
		}
		rows += g.rows
		pos = next
	}
	return rows, nil
}

// mistake finds the first one of a block that has one, row by row.
func (r *Reader) mistake(trackers []*tracker, numbers []int, sc *scanner, b *block) error {
	var builders []*builder
	if trackers[0].stats == nil {
		for _, j := range numbers {
			builders = append(builders, r.builder(r.schema[j], r.missing))
		}
	}
	err := r.each(sc, b, func() error {
		for k, builder := range builders {
			if err := builder.add(sc.value(sc.data, sc.fields[b.part.fields[numbers[k]]])); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = fmt.Errorf("%s: the rows after line %d were read in two ways, which is a mistake in hone", b.part.path, b.line)
	}
	return err
}

// joiner joins a column's pieces. They come in the order of the file.
type joiner struct {
	column *Column
	gone   bool             // the column is wrong
	index  map[string]int32 // of a category's values
	codes  [][]int32        // of a worker's dictionary: ours
	// The values of identifiers and text, by piece. They are joined at the end,
	// since the garbage collector would look through all that is reserved for them.
	texts []joinedText
	count int // of those values
}

// end returns the whole column.
func (a *joiner) end() *Column {
	if a.count > 0 {
		a.column.Dict = make([]string, 0, a.count)
		for _, t := range a.texts {
			a.column.Dict = t.appendTo(a.column.Dict)
		}
	}
	return a.column
}

// add copies a piece's values.
func (a *joiner) add(c *Column, p *piece, k, workers, reserve int) {
	if c == nil || a.gone {
		*a = joiner{gone: true}
		return
	}
	if a.column == nil {
		d := *c
		d.Numbers, d.Codes = nil, nil
		if c.Type.numeric() {
			d.Numbers = make([]float64, 0, reserve)
		} else {
			d.Codes = make([]int32, 0, reserve)
		}
		if c.Type != Boolean {
			d.Dict = nil
		}
		a.column = &d
		a.index, a.codes = map[string]int32{}, make([][]int32, workers)
	}
	d := a.column
	switch c.Type {
	case Number, Datetime:
		d.Numbers = append(d.Numbers, c.Numbers...)
	case Boolean:
		d.Codes = append(d.Codes, c.Codes...)
	case Category:
		codes := a.codes[p.worker]
		if p.begun[k] || codes == nil {
			codes = append(codes[:0], -1) // missing
		}
		for _, v := range c.Dict {
			g, ok := a.index[v]
			if !ok {
				v = strings.Clone(v) // since a piece's values are one string
				g = int32(len(d.Dict))
				a.index[v] = g
				d.Dict = append(d.Dict, v)
			}
			codes = append(codes, g)
		}
		a.codes[p.worker] = codes
		for _, k := range c.Codes {
			d.Codes = append(d.Codes, codes[k+1])
		}
	default:
		base := int32(a.count)
		a.texts = append(a.texts, p.texts[k])
		a.count += len(p.texts[k].ends)
		for _, k := range c.Codes {
			if k >= 0 {
				k += base
			}
			d.Codes = append(d.Codes, k)
		}
	}
}
