package metric

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"sync"
)

// streamMemory keeps a sort in a cache, where it is fastest.
const streamMemory = 16 << 20

// A sorter puts rows of a key and some numbers in ascending order of the key,
// on disk beyond a limit of memory.
type sorter struct {
	keys   []uint64
	cols   [][]float64
	limit  int    // rows in memory
	disk   *disk  // where the rows go that it has no memory for
	runs   []part // each sorted, rows of 8-byte little-endian words
	sorted bool
	lock   sync.Mutex // of sorting: several metrics may read at once
	// of the last sort
	spareKeys        []uint64
	order, spareRows []uint32
	spareCol         []float64
}

func newSorter(cols int, o StreamOptions) *sorter {
	memory := o.Memory
	if memory <= 0 {
		memory = streamMemory
	}
	// A row has its key and numbers, and as much again while it is sorted.
	row := 8*(1+cols) + 8 + 4 + 4 + 8
	return &sorter{cols: make([][]float64, cols), limit: min(max(16, memory/row), math.MaxInt32), disk: o.disk()}
}

// A disk is the file of a stream: one for all that its metrics sort, since a
// process may have few open. It is made when first written to.
type disk struct {
	dir  string
	lock sync.Mutex // of what follows
	file *os.File
	size int64
	gone bool // from its folder: it ends with the process
}

// A part of a disk.
type part struct {
	of         *disk
	from, size int64
}

// disk is the one of a stream.
func (o StreamOptions) disk() *disk {
	d, _ := sharedIn(o, "disk", func() *disk { return &disk{dir: o.Dir} })
	return d
}

// reserve gives room for some bytes.
func (d *disk) reserve(size int64) (part, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.file == nil {
		f, err := os.CreateTemp(d.dir, "hone-order-*")
		if err != nil {
			return part{}, err
		}
		d.file, d.size = f, 0
		// Where the system lets go of the name of an open file, nothing is left of
		// it whatever ends the process.
		d.gone = os.Remove(f.Name()) == nil
	}
	d.size += size
	return part{d, d.size - size, size}, nil
}

// close removes the file. It may be called by each that writes to it.
func (d *disk) close() error {
	d.lock.Lock()
	defer d.lock.Unlock()
	f := d.file
	if f == nil {
		return nil
	}
	d.file = nil
	err := f.Close()
	if !d.gone {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// orderKey turns a number into one whose order as an unsigned integer is the
// same; -0 is 0.
func orderKey(v float64) uint64 {
	b := math.Float64bits(v + 0)
	if v == 0 {
		b = 0
	}
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func fromOrderKey(k uint64) float64 {
	if k>>63 == 1 {
		return math.Float64frombits(k &^ (1 << 63))
	}
	return math.Float64frombits(^k)
}

func (s *sorter) add(v float64, cols ...float64) error { return s.addKey(orderKey(v), cols...) }

func (s *sorter) addKey(key uint64, cols ...float64) error {
	if len(s.keys) >= s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.sorted = false
	s.keys = append(s.keys, key)
	for i, v := range cols {
		s.cols[i] = append(s.cols[i], v)
	}
	return nil
}

// merge takes over the rows of another sorter.
func (s *sorter) merge(o *sorter) error {
	s.runs = append(s.runs, o.runs...)
	// Closing the other one is not to remove what is read here from now on.
	o.runs, o.disk = nil, &disk{dir: o.disk.dir}
	row := make([]float64, len(s.cols))
	for i, k := range o.keys {
		for c := range row {
			row[c] = o.cols[c][i]
		}
		if err := s.addKey(k, row...); err != nil {
			return err
		}
	}
	o.keys = nil
	return nil
}

// sort orders the rows in memory, byte by byte of the key from the last (radix
// sort, Knuth 1998, The art of computer programming, volume 3, section 5.2.5).
// Bytes that all keys share are passed over.
func (s *sorter) sort() {
	s.lock.Lock()
	defer s.lock.Unlock()
	n := len(s.keys)
	if s.sorted || n == 0 {
		return
	}
	s.sorted = true
	s.spareKeys = slices.Grow(s.spareKeys[:0], n)[:n]
	s.order = slices.Grow(s.order[:0], n)[:n]
	s.spareRows = slices.Grow(s.spareRows[:0], n)[:n]
	for i := range s.order {
		s.order[i] = uint32(i)
	}
	radixSort(&s.keys, &s.spareKeys, &s.order, &s.spareRows)
	for c, col := range s.cols {
		s.spareCol = slices.Grow(s.spareCol[:0], n)[:n]
		for i, row := range s.order {
			s.spareCol[i] = col[row]
		}
		s.cols[c], s.spareCol = s.spareCol, col
	}
}

// radixSort sorts keys and moves rows with them, equal keys in their order; the
// spares are of the same lengths and may change places with them.
func radixSort(keys, spareKeys *[]uint64, rows, spareRows *[]uint32) {
	const digits, width = 6, 11 // 66 bits
	a, b, ra, rb := *keys, *spareKeys, *rows, *spareRows
	if len(a) == 0 {
		return
	}
	var counts [digits][1 << width]uint32
	for _, k := range a {
		for d := range counts {
			counts[d][k>>(d*width)&(1<<width-1)]++
		}
	}
	for d := range counts {
		c := &counts[d]
		shift := d * width
		if c[a[0]>>shift&(1<<width-1)] == uint32(len(a)) {
			continue
		}
		at := uint32(0)
		for i, n := range c {
			c[i] = at
			at += n
		}
		for i, k := range a {
			digit := k >> shift & (1<<width - 1)
			to := c[digit]
			c[digit]++
			b[to], rb[to] = k, ra[i]
		}
		a, b, ra, rb = b, a, rb, ra
	}
	*keys, *spareKeys, *rows, *spareRows = a, b, ra, rb
}

// spill writes the rows in memory to a part of the disk.
func (s *sorter) spill() error {
	s.sort()
	p, err := s.disk.reserve(int64(len(s.keys)) * int64(8*(1+len(s.cols))))
	if err != nil {
		return err
	}
	at := p.from
	block := make([]byte, 0, min(runBlock, p.size))
	write := func() error {
		n, err := p.of.file.WriteAt(block, at)
		at += int64(n)
		block = block[:0]
		return err
	}
	for i, k := range s.keys {
		if len(block)+8*(1+len(s.cols)) > cap(block) {
			if err := write(); err != nil {
				return err
			}
		}
		block = binary.LittleEndian.AppendUint64(block, k)
		for _, c := range s.cols {
			block = binary.LittleEndian.AppendUint64(block, math.Float64bits(c[i]))
		}
	}
	if err := write(); err != nil {
		return err
	}
	s.runs = append(s.runs, p)
	s.keys = s.keys[:0]
	for i := range s.cols {
		s.cols[i] = s.cols[i][:0]
	}
	return nil
}

// close removes what lies on disk, also of the others that write there.
func (s *sorter) close() error {
	all := []error{s.disk.close()}
	for _, p := range s.runs { // of streams that were merged
		all = append(all, p.of.close())
	}
	s.runs, s.keys = nil, nil
	return errors.Join(all...)
}

// runBlock is how much of a run is read or written at once, less where there are
// many runs.
const (
	runBlock    = 1 << 18
	leastBlock  = 1 << 12
	blockMemory = 1 << 24
)

// A run is the place in one sorted part, and the row there: in memory, or on
// disk, of which a block is read at a time.
type run struct {
	key  uint64
	cols []float64

	memory *sorter
	at     int // row in memory

	file *os.File
	left int64 // bytes of the run beyond the block
	from int64
	room []byte
	rest []byte // of the block
}

// next goes to the next row; it is false at the end.
func (r *run) next() (ok bool, err error) {
	if s := r.memory; s != nil {
		if r.at == len(s.keys) {
			return false, nil
		}
		r.key = s.keys[r.at]
		for c := range r.cols {
			r.cols[c] = s.cols[c][r.at]
		}
		r.at++
		return true, nil
	}
	if len(r.rest) == 0 {
		if r.left == 0 {
			return false, nil
		}
		r.rest = r.room[:min(r.left, int64(len(r.room)))]
		if _, err := r.file.ReadAt(r.rest, r.from); err != nil {
			return false, err
		}
		r.from += int64(len(r.rest))
		r.left -= int64(len(r.rest))
	}
	r.key = binary.LittleEndian.Uint64(r.rest)
	for c := range r.cols {
		r.cols[c] = math.Float64frombits(binary.LittleEndian.Uint64(r.rest[8+8*c:]))
	}
	r.rest = r.rest[8+8*len(r.cols):]
	return true, nil
}

// A walk goes through all rows in order: a heap of the parts by their key.
type walk struct {
	heap []top
	cols []float64
}

// A top is the lowest row of a part that has rows left; keys lie side by side,
// since comparing them is most of the work.
type top struct {
	key uint64
	run *run
}

// walk begins at the lowest key. Several walks may go on at once.
func (s *sorter) walk() (*walk, error) {
	s.sort()
	w := &walk{cols: make([]float64, len(s.cols))}
	all := []*run{{memory: s, cols: make([]float64, len(s.cols))}}
	row := 8 * (1 + len(s.cols))
	block := max(leastBlock, min(runBlock, blockMemory/max(1, len(s.runs))))
	for _, p := range s.runs {
		room := int(min(int64(block/row*row), p.size))
		all = append(all, &run{file: p.of.file, from: p.from, left: p.size, room: make([]byte, room), cols: make([]float64, len(s.cols))})
	}
	for _, r := range all {
		ok, err := r.next()
		if err != nil {
			return nil, err
		}
		if ok {
			w.heap = append(w.heap, top{r.key, r})
		}
	}
	for i := len(w.heap)/2 - 1; i >= 0; i-- {
		w.down(i)
	}
	return w, nil
}

// down restores the heap below i.
func (w *walk) down(i int) {
	h := w.heap
	if i >= len(h) {
		return
	}
	moved := h[i]
	for {
		least := 2*i + 1
		if least >= len(h) {
			break
		}
		if least+1 < len(h) && h[least+1].key < h[least].key {
			least++
		}
		if moved.key <= h[least].key {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = moved
}

// next gives a row; cols are valid until the next call.
func (w *walk) next() (key uint64, cols []float64, ok bool, err error) {
	if len(w.heap) == 0 {
		return 0, nil, false, nil
	}
	first := &w.heap[0]
	key = first.key
	copy(w.cols, first.run.cols)
	more, err := first.run.next()
	if err != nil {
		return 0, nil, false, err
	}
	if more {
		first.key = first.run.key
	} else {
		last := len(w.heap) - 1
		w.heap[0] = w.heap[last]
		w.heap = w.heap[:last]
	}
	w.down(0)
	return key, w.cols, true, nil
}

// eachKey calls f for each row in ascending order of the key.
func (s *sorter) eachKey(f func(key uint64, cols []float64)) error {
	if len(s.runs) == 0 { // all in memory
		s.sort()
		cols := make([]float64, len(s.cols))
		for i, k := range s.keys {
			for c := range cols {
				cols[c] = s.cols[c][i]
			}
			f(k, cols)
		}
		return nil
	}
	w, err := s.walk()
	if err != nil {
		return err
	}
	for {
		key, cols, ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		f(key, cols)
	}
}

func (s *sorter) each(f func(v float64, cols []float64)) error {
	return s.eachKey(func(key uint64, cols []float64) { f(fromOrderKey(key), cols) })
}

// ranked calls f for each row of two numbers, the second its weight, in
// ascending order, with the middle rank of the rows of its key.
func (s *sorter) ranked(f func(rank, value, weight float64) error) error {
	// One walk goes ahead and weighs the rows of a key, the other follows.
	ahead, err := s.walk()
	if err != nil {
		return err
	}
	behind, err := s.walk()
	if err != nil {
		return err
	}
	before := 0.0
	key, cols, ok, err := ahead.next()
	for ok && err == nil {
		group, weight, n := key, 0.0, 0
		for ok && err == nil && key == group {
			weight += cols[1]
			n++
			key, cols, ok, err = ahead.next()
		}
		if err != nil {
			return err
		}
		for range n {
			_, row, _, err := behind.next()
			if err != nil {
				return err
			}
			if err := f(before+weight/2, row[0], row[1]); err != nil {
				return err
			}
		}
		before += weight
	}
	return err
}
