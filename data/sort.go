package data

import (
	"math"
	"slices"
)

// sortedNumbers returns the values that are not missing, ascending. -0 is 0.
func sortedNumbers(c *Column) []float64 {
	values := make([]float64, 0, len(c.Numbers))
	for _, v := range c.Numbers {
		if v == v {
			values = append(values, v+0)
		}
	}
	sortFloats(values)
	return values
}

// sortFloats sorts numbers without NaN or -0.
func sortFloats(values []float64) {
	if len(values) < 256 {
		slices.Sort(values)
		return
	}
	if sortDecimals(values) {
		return
	}
	keys := make([]uint64, len(values))
	for i, v := range values {
		keys[i] = sortKey(v)
	}
	sortBits(keys)
	for i, k := range keys {
		if k>>63 != 0 {
			k &^= 1 << 63
		} else {
			k = ^k
		}
		values[i] = math.Float64frombits(k)
	}
}

// sortKey is in the order of numbers. As bits, positive ones are in their order,
// negative ones in reverse and after them.
func sortKey(v float64) uint64 {
	k := math.Float64bits(v + 0)
	if k>>63 == 0 {
		return k | 1<<63
	}
	return ^k
}

// sortDecimals sorts numbers that have few decimal places, as most do, by what
// they are in units of the last place: these are small. It says no, and leaves
// the numbers as they are, where some have more.
func sortDecimals(values []float64) bool {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	for _, unit := range []float64{1, 10, 100, 1e3, 1e4, 1e6} {
		if !((high-low)*unit < 1<<32-1) {
			return false
		}
		base := math.Round(low * unit)
		keys := decimals(values, unit, base)
		if keys == nil {
			continue
		}
		if span := math.Round(high*unit) - base; span < 1<<16 {
			counts := make([]uint32, int(span)+1)
			for _, k := range keys {
				counts[k]++
			}
			at := 0
			for k, n := range counts {
				v := (float64(k)+base)/unit + 0
				for range n {
					values[at] = v
					at++
				}
			}
			return true
		}
		sortKeys(keys)
		for i, k := range keys {
			values[i] = (float64(k)+base)/unit + 0
		}
		return true
	}
	return false
}

// decimals returns the numbers in units, less a base; nil where one of them is
// not exactly what it is taken for.
func decimals(values []float64, unit, base float64) []uint32 {
	exact := func(v float64) (uint32, bool) {
		k := math.RoundToEven(v*unit) - base
		return uint32(int64(k)), k >= 0 && k < 1<<32 && (k+base)/unit == v
	}
	for i := range min(16, len(values)) {
		if _, ok := exact(values[i*(len(values)-1)/15]); !ok {
			return nil // as is quickly seen of most
		}
	}
	keys := make([]uint32, len(values))
	for i, v := range values {
		k, ok := exact(v)
		if !ok {
			return nil
		}
		keys[i] = k
	}
	return keys
}

// sortKeys sorts by eleven bits after another from the last.
func sortKeys(a []uint32) {
	const width = 11
	var counts [3][1 << width]uint32
	for _, k := range a {
		counts[0][k%(1<<width)]++
		counts[1][k>>width%(1<<width)]++
		counts[2][k>>(2*width)]++
	}
	from, to := a, make([]uint32, len(a))
	for p := range counts {
		shift := width * p
		c := &counts[p]
		if c[a[0]>>shift%(1<<width)] == uint32(len(a)) {
			continue
		}
		at := uint32(0)
		for d, n := range c {
			c[d] = at
			at += n
		}
		for _, k := range from {
			d := k >> shift % (1 << width)
			to[c[d]] = k
			c[d]++
		}
		from, to = to, from
	}
	if &from[0] != &a[0] {
		copy(a, from)
	}
}

// sortBits sorts by one byte after another from the last, which for many values
// takes a fraction of the time that comparing takes. Bytes that all values share
// are passed over.
func sortBits(a []uint64) {
	if len(a) < 1024 {
		slices.Sort(a)
		return
	}
	var counts [8][256]int
	for _, k := range a {
		for b := range counts {
			counts[b][byte(k>>(8*b))]++
		}
	}
	from, to := a, make([]uint64, len(a))
	for b := range counts {
		shift := 8 * b
		if counts[b][byte(a[0]>>shift)] == len(a) {
			continue
		}
		at := 0
		for d, n := range counts[b] {
			counts[b][d] = at
			at += n
		}
		for _, k := range from {
			d := byte(k >> shift)
			to[counts[b][d]] = k
			counts[b][d]++
		}
		from, to = to, from
	}
	if &from[0] != &a[0] {
		copy(a, from)
	}
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
