package data

import (
	"math"
	"math/bits"
	"slices"
	"sync"
)

// ordered is numbers in ascending order, each kept once.
type ordered struct {
	values []float64 // the distinct ones; -0 is 0
	// ends says how many there are up to the end of each of values; nil where every
	// one is there once.
	ends   []int32
	before int // how many stand before the first of values, in what this is a part of
}

// n is how many numbers there are.
func (o ordered) n() int { return o.start(len(o.values)) }

// start returns how many are less than the distinct value k.
func (o ordered) start(k int) int {
	if k == 0 {
		return 0
	}
	if o.ends == nil {
		return k
	}
	return int(o.ends[k-1]) - o.before
}

// times returns how often the distinct value k is there.
func (o ordered) times(k int) int { return o.start(k+1) - o.start(k) }

// at returns number i.
func (o ordered) at(i int) float64 {
	if o.ends == nil {
		return o.values[i]
	}
	k, equal := slices.BinarySearch(o.ends, int32(i+o.before))
	if equal {
		k++
	}
	return o.values[k]
}

// quantile returns the number at a part of the way through all.
func (o ordered) quantile(q float64) float64 { return o.at(int(q * float64(o.n()-1))) }

func (o ordered) first() float64 { return o.values[0] }
func (o ordered) last() float64  { return o.values[len(o.values)-1] }

// part returns the numbers that are distinct values lo to hi-1.
func (o ordered) part(lo, hi int) ordered {
	p := ordered{values: o.values[lo:hi]}
	if o.ends != nil {
		p.ends, p.before = o.ends[lo:hi], o.before+o.start(lo)
	}
	return p
}

// sortedNumbers returns the values that are not missing, ascending. -0 is 0.
func sortedNumbers(c *Column) []float64 {
	o := orderOf(c)
	all := make([]float64, 0, o.n())
	for k, v := range o.values {
		for range o.times(k) {
			all = append(all, v)
		}
	}
	return all
}

// orderOf returns the values that are not missing.
func orderOf(c *Column) ordered {
	if c.Type == Datetime {
		return order(c.Numbers, daily)
	}
	return order(c.Numbers, decimal)
}

// unit is what numbers are whole multiples of.
type unit struct{ times, per float64 } // step times / per

var (
	decimal = []unit{{1, 1}, {1, 10}, {1, 100}, {1, 1e3}, {1, 1e4}, {1, 1e6}}
	daily   = append([]unit{{86400, 1}}, decimal...)
)

// order sorts the numbers that are not NaN.
func order(numbers []float64, units []unit) ordered {
	for _, u := range units {
		if len(numbers) < 256 {
			break
		}
		if o, ok := u.order(numbers); ok {
			return o
		}
	}
	m := borrow()
	defer m.giveBack()
	keys := m.longs[0].take(len(numbers))
	n := 0
	for _, v := range numbers {
		if v == v {
			keys[n] = sortKey(v)
			n++
		}
	}
	keys = keys[:n]
	keys = sortBits(keys, m.longs[1].take(n))
	ends := m.words[0].take(n)
	keys = compact(keys, ends)
	o := ordered{values: make([]float64, len(keys)), ends: endsOf(ends[:len(keys)], n)}
	for i, k := range keys {
		o.values[i] = numberOf(k)
	}
	return o
}

// compact leaves one of all keys that are equal, and says how many there are up to
// the end of each. Whether one equals the one before is as good as random, so that
// nothing branches on it.
func compact[K uint32 | uint64](keys []K, ends []uint32) []K {
	if len(keys) == 0 {
		return nil
	}
	ends = ends[:len(keys)]
	at, last := 0, keys[0]
	for i, k := range keys {
		ends[at] = uint32(i)
		other := 0
		if k != last {
			other = 1
		}
		at += other
		keys[at], last = k, k
	}
	ends[at] = uint32(len(keys))
	return keys[:at+1]
}

// endsOf is of n numbers.
func endsOf(ends []uint32, n int) []int32 {
	if len(ends) == n {
		return nil
	}
	e := make([]int32, len(ends))
	for k, end := range ends {
		e[k] = int32(end)
	}
	return e
}

// sortKey is in the order of numbers. As bits, positive ones are in their order,
// negative ones in reverse and after them.
func sortKey(v float64) uint64 {
	k := math.Float64bits(v + 0)
	return k ^ (uint64(int64(k)>>63) | 1<<63)
}

// numberOf is the number that has a key.
func numberOf(k uint64) float64 {
	return math.Float64frombits(k ^ (k>>63 - 1 | 1<<63))
}

// order sorts numbers that are multiples of a unit, as those with few decimal
// places are, by what they are in that unit: these are small whole numbers. It
// says no where one of them is no multiple, or too many.
func (u unit) order(numbers []float64) (ordered, bool) {
	scale := u.per / u.times
	// The nearest whole number; no more than a guess, as it is tried.
	const zero = 1 << 31
	key := func(v float64) uint32 { return uint32(int64(v*scale + (zero + 0.5))) }
	value := func(k uint32) float64 { return (float64(k) - zero) * u.times / u.per }
	for i := range 16 { // as is quickly seen of most
		if v := numbers[i*(len(numbers)-1)/15]; v == v && value(key(v)) != v {
			return ordered{}, false
		}
	}
	m := borrow()
	defer m.giveBack()
	keys := m.words[0].take(len(numbers))
	n := 0
	low, high := uint32(math.MaxUint32), uint32(0)
	for _, v := range numbers {
		if v != v {
			continue
		}
		k := key(v)
		if value(k) != v {
			return ordered{}, false
		}
		keys[n] = k
		low, high = min(low, k), max(high, k)
		n++
	}
	keys = keys[:n]
	if n == 0 {
		return ordered{}, true
	}
	if span := high - low; span < 1<<16 {
		counts := m.words[1].take(int(span) + 1)
		clear(counts)
		for _, k := range keys {
			counts[k-low]++
		}
		var o ordered
		ends, before := m.words[2].take(len(counts))[:0], uint32(0)
		for k, c := range counts {
			if c > 0 {
				before += c
				o.values, ends = append(o.values, value(low+uint32(k))+0), append(ends, before)
			}
		}
		o.ends = endsOf(ends, n)
		return o, true
	}
	keys = sortKeys(keys, m.words[1].take(n), low, high)
	ends := m.words[2].take(n)
	keys = compact(keys, ends)
	o := ordered{values: make([]float64, len(keys)), ends: endsOf(ends[:len(keys)], n)}
	for i, k := range keys {
		o.values[i] = value(k) + 0
	}
	return o, true
}

// scratch is what sorting needs for a while.
type scratch struct {
	words [3]room[uint32]
	longs [2]room[uint64]
}

type room[T any] struct{ s []T }

// take returns n values that hold anything.
func (r *room[T]) take(n int) []T {
	if cap(r.s) < n {
		r.s = make([]T, n)
	}
	return r.s[:n]
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func borrow() *scratch       { return scratches.Get().(*scratch) }
func (m *scratch) giveBack() { scratches.Put(m) }

// digits is what a radix sort needs to know: few passes over all, of so many bits
// that where the values of a pass go stays in the caches.
const mostDigits = 12

// sortKeys sorts values from low to high by some bits after another from the last,
// and returns a or other, which is as long.
func sortKeys(a, other []uint32, low, high uint32) []uint32 {
	width := bits.Len32(high - low)
	passes := (width + mostDigits - 1) / mostDigits
	if passes == 0 {
		return a
	}
	digit := (width + passes - 1) / passes
	var counts [3][1 << mostDigits]uint32
	mask := uint32(1)<<digit - 1
	for _, k := range a {
		k -= low
		counts[0][k&mask&(1<<mostDigits-1)]++
		counts[1][k>>digit&mask&(1<<mostDigits-1)]++
		if passes == 3 {
			counts[2][k>>(2*digit)&mask&(1<<mostDigits-1)]++
		}
	}
	for p := range passes {
		shift := digit * p
		c := &counts[p]
		starts(c[:mask+1])
		for _, k := range a {
			d := (k - low) >> shift & mask & (1<<mostDigits - 1)
			other[c[d]] = k
			c[d]++
		}
		a, other = other, a
	}
	return a
}

// starts turns counts into where each begins.
func starts(counts []uint32) {
	at := uint32(0)
	for d, n := range counts {
		counts[d] = at
		at += n
	}
}

// sortBits sorts, and returns a or other, which is as long. The first 33 bits that
// the values do not share are sorted by eleven after another from the last. Where
// that leaves values in disorder, which are those that differ in none of the 33,
// they are compared.
func sortBits(a, other []uint64) []uint64 {
	const digit = 11
	if len(a) < 1024 {
		slices.Sort(a)
		return a
	}
	all, any := ^uint64(0), uint64(0)
	for _, k := range a {
		all &= k
		any |= k
	}
	last := max(0, bits.Len64(all^any)-3*digit)
	var counts [3][1 << digit]uint32
	for _, k := range a {
		k >>= last
		counts[0][k%(1<<digit)]++
		counts[1][k>>digit%(1<<digit)]++
		counts[2][k>>(2*digit)%(1<<digit)]++
	}
	for p := range counts {
		shift := last + digit*p
		c := &counts[p]
		if c[a[0]>>shift%(1<<digit)] == uint32(len(a)) {
			continue
		}
		starts(c[:])
		for _, k := range a {
			d := k >> shift % (1 << digit)
			other[c[d]] = k
			c[d]++
		}
		a, other = other, a
	}
	for i := 1; last > 0 && i < len(a); i++ {
		if a[i] >= a[i-1] {
			continue
		}
		lo, hi := i-1, i+1
		for lo > 0 && a[lo-1]>>last == a[i]>>last {
			lo--
		}
		for hi < len(a) && a[hi]>>last == a[i]>>last {
			hi++
		}
		slices.Sort(a[lo:hi])
		i = hi
	}
	return a
}

// firstOf returns for every hash the number of the first that equals it, and
// whether some do at all. The hashes are divided by their first bits, so that the
// table of a part stays in the cache.
func firstOf(hashes []uint64) (first []int32, repeated bool) {
	first = make([]int32, len(hashes))
	shift := 64
	for n := len(hashes); n > 1024 && shift > 52; n /= 2 {
		shift--
	}
	parts := 1 << (64 - shift)
	ends := make([]int32, parts+1)
	part := func(h uint64) int { return int(h >> (shift - 1) >> 1) } // a shift by 64 is 0
	for _, h := range hashes {
		ends[part(h)+1]++
	}
	largest := int32(0)
	for p, n := range ends[1:] {
		largest = max(largest, n)
		ends[p+1] += ends[p]
	}
	order := make([]int32, len(hashes))
	next := slices.Clone(ends)
	for i, h := range hashes {
		p := part(h)
		order[next[p]] = int32(i)
		next[p]++
	}
	size := 64
	for size < 2*int(largest) {
		size *= 2
	}
	type slot struct {
		hash uint64
		at   int32 // 1 + the number of the first
	}
	work := func(lo, hi int) bool {
		slots := make([]slot, size)
		mask, any := uint64(size-1), false
		for p := lo; p < hi; p++ {
			clear(slots)
			for _, i := range order[ends[p]:ends[p+1]] {
				h := hashes[i]
				k := h & mask
				for slots[k].at != 0 && slots[k].hash != h {
					k = (k + 1) & mask
				}
				if slots[k].at == 0 {
					slots[k] = slot{h, i + 1}
				} else {
					any = true
				}
				first[i] = slots[k].at - 1
			}
		}
		return any
	}
	const pieces = 8
	found := make([]bool, pieces)
	parallel(pieces, func(n int) { found[n] = work(n*parts/pieces, (n+1)*parts/pieces) })
	return first, slices.Contains(found, true)
}
