package metric

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
)

// A keySorter is a sorter of keys alone, which is what rows of one weight need: a
// row is 8 bytes on disk, and a full part is sorted and written while the next one
// fills.
type keySorter struct {
	keys    []uint64
	limit   int // keys of a part
	disk    *disk
	runs    []part
	writing sync.WaitGroup // at most one part at a time
	failed  error
	idle    []uint64 // the memory of the part that was written last
	spare   []uint64 // of the sort
}

func newKeySorter(memory int, d *disk) *keySorter {
	return &keySorter{limit: max(16, memory/(3*8)), disk: d} // one fills, one is sorted, into a third
}

// room returns memory for up to n keys, one at least, to be filled at once.
func (s *keySorter) room(n int) ([]uint64, error) {
	if len(s.keys) >= s.limit {
		if err := s.spill(); err != nil {
			return nil, err
		}
	}
	at := len(s.keys)
	n = min(n, s.limit-at)
	s.keys = slices.Grow(s.keys, n)[:at+n]
	return s.keys[at:], nil
}

// spill begins to sort and write the keys in memory.
func (s *keySorter) spill() error {
	if err := s.wait(); err != nil {
		return err
	}
	p, err := s.disk.reserve(int64(8 * len(s.keys)))
	if err != nil {
		return err
	}
	s.runs = append(s.runs, p)
	full := s.keys
	if s.keys = s.idle[:0]; s.keys == nil {
		s.keys = make([]uint64, 0, s.limit)
	}
	s.writing.Go(func() {
		full, s.spare = sortKeys(full, s.spare)
		s.idle, s.failed = full, writeKeys(p, full)
	})
	return nil
}

// wait ends the writing of a part.
func (s *keySorter) wait() error {
	s.writing.Wait()
	return s.failed
}

func writeKeys(p part, keys []uint64) error {
	block := make([]byte, 0, min(runBlock, p.size))
	at := p.from
	for len(keys) > 0 {
		n := min(len(keys), cap(block)/8)
		for _, k := range keys[:n] {
			block = binary.LittleEndian.AppendUint64(block, k)
		}
		if _, err := p.of.file.WriteAt(block, at); err != nil {
			return err
		}
		at += int64(len(block))
		keys, block = keys[n:], block[:0]
	}
	return nil
}

// merge takes over the keys of another one.
func (s *keySorter) merge(o *keySorter) error {
	if err := o.wait(); err != nil {
		return err
	}
	s.runs = append(s.runs, o.runs...)
	o.runs, o.disk = nil, &disk{dir: o.disk.dir}
	for len(o.keys) > 0 {
		to, err := s.room(len(o.keys))
		if err != nil {
			return err
		}
		o.keys = o.keys[copy(to, o.keys):]
	}
	return nil
}

func (s *keySorter) close() error {
	s.writing.Wait() // what went wrong was told, or nobody asked for values
	all := []error{s.disk.close()}
	for _, p := range s.runs {
		all = append(all, p.of.close())
	}
	s.runs, s.keys = nil, nil
	return errors.Join(all...)
}

// streams gives the sorted parts, to be read from their first key.
func (s *keySorter) streams(block int) ([]*keyRun, error) {
	if err := s.wait(); err != nil {
		return nil, err
	}
	sorted := slices.Clone(s.keys) // more rows may follow, and several metrics may read
	sorted, _ = sortKeys(sorted, nil)
	all := []*keyRun{{keys: sorted}}
	for _, p := range s.runs {
		all = append(all, &keyRun{part: p, left: p.size, at: p.from, room: make([]byte, min(int64(block), p.size))})
	}
	return all, nil
}

// A keyRun is a sorted part that is read a block at a time.
type keyRun struct {
	keys []uint64 // those that are read and not used
	buf  []uint64
	part part
	at   int64
	left int64
	room []byte
}

// fill reads a block; it is false at the end.
func (r *keyRun) fill() (bool, error) {
	if len(r.keys) > 0 {
		return true, nil
	}
	if r.left == 0 {
		return false, nil
	}
	raw := r.room[:min(r.left, int64(len(r.room)))]
	if _, err := r.part.of.file.ReadAt(raw, r.at); err != nil {
		return false, err
	}
	r.at += int64(len(raw))
	r.left -= int64(len(raw))
	if r.buf == nil {
		r.buf = make([]uint64, len(r.room)/8)
	}
	r.keys = r.buf[:len(raw)/8]
	for i := range r.keys {
		r.keys[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return true, nil
}

// each calls f for each key in ascending order.
func (s *keySorter) each(f func(key uint64)) error {
	block := max(leastBlock, min(runBlock, blockMemory/(len(s.runs)+1))) / 8 * 8
	heap, err := s.streams(block)
	if err != nil {
		return err
	}
	for i := len(heap) - 1; i >= 0; i-- {
		ok, err := heap[i].fill()
		if err != nil {
			return err
		}
		if !ok {
			heap = slices.Delete(heap, i, i+1)
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		siftKeys(heap, i)
	}
	for len(heap) > 0 {
		r := heap[0]
		// The part's keys up to the least of the others need no look at the heap.
		until := ^uint64(0)
		for _, other := range heap[1:min(3, len(heap))] {
			until = min(until, other.keys[0])
		}
		n := 0
		for n < len(r.keys) && r.keys[n] <= until {
			f(r.keys[n])
			n++
		}
		r.keys = r.keys[n:]
		ok, err := r.fill()
		if err != nil {
			return err
		}
		if !ok {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		siftKeys(heap, 0)
	}
	return nil
}

// siftKeys restores the heap below i.
func siftKeys(h []*keyRun, i int) {
	if i >= len(h) {
		return
	}
	moved := h[i]
	key := moved.keys[0]
	for {
		least := 2*i + 1
		if least >= len(h) {
			break
		}
		if least+1 < len(h) && h[least+1].keys[0] < h[least].keys[0] {
			least++
		}
		if key <= h[least].keys[0] {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = moved
}

// sortKeys sorts keys by their higher 30 bits (radix sort, see radixSort) and, as keys
// that share these are few as a rule, puts them in order by insertion; otherwise by
// all bits. It returns the memory for the next sort.
func sortKeys(keys, spare []uint64) (sorted, left []uint64) {
	const width, size = 11, 1 << 11
	if len(keys) < 64 {
		slices.Sort(keys)
		return keys, spare
	}
	spare = slices.Grow(spare[:0], len(keys))[:len(keys)]
	var counts [6][size]uint32
	for _, k := range keys {
		counts[0][k&(size-1)]++
		counts[1][k>>width&(size-1)]++
		counts[2][k>>(2*width)&(size-1)]++
		counts[3][k>>(3*width)&(size-1)]++
		counts[4][k>>(4*width)&(size-1)]++
		counts[5][k>>(5*width)]++
	}
	high := counts // of which the first half is not used
	for d := 3; d < 6; d++ {
		keys, spare = sortDigit(keys, spare, &high[d], d*width)
	}
	if ordered(keys) {
		return keys, spare
	}
	for d := range counts {
		keys, spare = sortDigit(keys, spare, &counts[d], d*width)
	}
	return keys, spare
}

// sortDigit is one pass: by eleven bits, of which count holds how many keys have each.
func sortDigit(keys, spare []uint64, count *[1 << 11]uint32, shift int) (sorted, left []uint64) {
	const mask = 1<<11 - 1
	if count[keys[0]>>shift&mask] == uint32(len(keys)) {
		return keys, spare
	}
	at := uint32(0)
	for i, n := range count {
		count[i] = at
		at += n
	}
	for _, k := range keys {
		digit := k >> shift & mask
		spare[count[digit]] = k
		count[digit]++
	}
	return spare, keys
}

// ordered puts keys that are in order but for some neighbours in order by insertion;
// it is false, and the keys are in any order, where that would take long.
func ordered(keys []uint64) bool {
	moves := 0
	for i := 1; i < len(keys); i++ {
		k := keys[i]
		if keys[i-1] <= k {
			continue
		}
		j := i
		for ; j > 0 && keys[j-1] > k; j-- {
			keys[j] = keys[j-1]
		}
		keys[j] = k
		if moves += i - j; moves > 2*len(keys) {
			return false
		}
	}
	return true
}
