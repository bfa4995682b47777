package train

// Sequences come in few sizes, so that few programs are compiled and little is
// filled up: size 0 is of a length of up to 8, the next of 16, 24, 32, 48, 64, 96,
// and so on, two for each doubling.

// SizeLength returns the length that sequences of a size are filled up to.
func SizeLength(size int) int {
	switch {
	case size <= 0:
		return 8
	case size%2 == 1:
		return 16 << (size / 2)
	}
	return 24 << (size/2 - 1)
}

// LengthSize returns the least size that holds a length.
func LengthSize(length int) int {
	size := 0
	for SizeLength(size) < length {
		size++
	}
	return size
}

// window is how many batches in the shuffled order of rows share theirs, so that
// those of one size stand together.
const window = 32

// placesAtOnce bounds rows times length of a batch that is not trained on: what a
// transformer makes of them is to stay in memory that is near.
const placesAtOnce = 1 << 12

// windowOf names a window.
type windowOf struct {
	sizes        *sizes
	epoch, place int
}

// sizes is how batches are made of rows of different sizes.
type sizes struct {
	of []uint8 // of each row

	// Without shuffling: all rows by size, and where each batch ends, of rows of one
	// size.
	order []int32
	ends  []int
}

// newSizes takes for each row the largest size that a source makes of it; nil where
// no source says lengths.
func newSizes(rows int, sources []Source) *sizes {
	var s *sizes
	for _, src := range sources {
		if src.Lengths == nil {
			continue
		}
		if s == nil {
			s = &sizes{of: make([]uint8, rows)}
		}
		for i, n := range src.Lengths {
			unit := max(1, src.Unit)
			s.of[i] = max(s.of[i], uint8(LengthSize((int(n)+unit-1)/unit)))
		}
	}
	return s
}

// sorted appends the numbers from lo to hi-1 to dst, by the size that of gives
// them.
func (s *sizes) sorted(dst []int32, lo, hi int, of func(i int) uint8) []int32 {
	var next [256]int
	for i := lo; i < hi; i++ {
		next[of(i)]++
	}
	sum := 0
	for k, n := range next {
		next[k] = sum
		sum += n
	}
	at := len(dst)
	dst = append(dst, make([]int32, hi-lo)...)
	for i := lo; i < hi; i++ {
		k := of(i)
		dst[at+next[k]] = int32(i)
		next[k]++
	}
	return dst
}

// arrange makes batches of up to size rows of one size each.
func (s *sizes) arrange(size int) {
	s.order = s.sorted(nil, 0, len(s.of), func(i int) uint8 { return s.of[i] })
	for lo := 0; lo < len(s.order); {
		z := s.of[s.order[lo]]
		hi := lo + 1
		most := max(1, min(size, placesAtOnce/SizeLength(int(z))))
		for hi < len(s.order) && s.of[s.order[hi]] == z && hi < lo+most {
			hi++
		}
		s.ends = append(s.ends, hi)
		lo = hi
	}
}

// places appends the places in the epoch's order of the rows of a step: those of a
// window are sorted by size before they are cut into batches, which then come in
// an order of their own. The batch keeps its window for the next step.
func (s *sizes) places(dst []int, p *place, step int, b *Batch) []int {
	m := p.m
	if !m.shuffle {
		lo := 0
		if step > 0 {
			lo = s.ends[step-1]
		}
		for _, i := range s.order[lo:s.ends[step]] {
			dst = append(dst, int(i))
		}
		return dst
	}
	w := step / window
	lo := w * window * m.size
	hi := min(lo+window*m.size, m.rows)
	whole := (hi - lo) / m.size
	if step-w*window == whole { // fewer rows, which are the last of the order
		for i := lo + whole*m.size; i < hi; i++ {
			dst = append(dst, i)
		}
		return dst
	}
	if of := (windowOf{s, p.epoch, w}); b.window != of {
		b.window = of
		b.sorted = s.sorted(b.sorted[:0], lo, lo+whole*m.size, func(i int) uint8 { return s.of[p.row(i)] })
	}
	batches := newPermutation(whole, m.seed+uint64(w), uint64(p.epoch))
	at := batches.at(step-w*window) * m.size
	for _, i := range b.sorted[at : at+m.size] {
		dst = append(dst, int(i))
	}
	return dst
}

// largest is the size that holds all rows.
func (s *sizes) largest(rows []int) int {
	size := uint8(0)
	for _, i := range rows {
		size = max(size, s.of[i])
	}
	return int(size)
}

// Sizes returns how many rows of the data there are of each size: of size 0 alone
// where they have one shape.
func (m *Memory) Sizes() []int {
	if m.sizes == nil {
		return []int{m.rows}
	}
	var n []int
	for _, z := range m.sizes.of {
		n = append(n, make([]int, max(0, int(z)+1-len(n)))...)
		n[z]++
	}
	return n
}
