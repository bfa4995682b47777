package data

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

// cell is a field's place in a block: inside its quotes, if it has any.
type cell struct {
	start, end uint32 // end with escapedBit where doubled quotes are in it
}

const escapedBit = 1 << 31

// gridRows bounds the rows of a grid, so that their text and what is learnt of
// them stay in the caches while one column after another is read.
const gridRows = 512

// grid is the fields of some rows of text, found at once. It is the fast way to
// read well-formed rows; a block in which it finds others is left to the scanner,
// whose errors are the only ones.
type grid struct {
	data    []byte
	width   int // fields a row
	rows    int
	cells   []cell   // row by row
	quoted  []uint32 // the numbers of those that are quoted, and again for each doubled quote
	scratch []byte
}

// value returns a field's bytes, good until the next call.
func (g *grid) value(c cell) []byte {
	if c.end&escapedBit == 0 {
		return g.data[c.start:c.end]
	}
	b, quote := g.data[c.start:c.end&^escapedBit], g.data[c.start-1]
	g.scratch = g.scratch[:0]
	for i := 0; i < len(b); i++ {
		g.scratch = append(g.scratch, b[i])
		if b[i] == quote {
			i++
		}
	}
	return g.scratch
}

// fill finds the fields of up to gridRows rows from pos on, or a few more, and
// returns the position after them. It says no where a row is not as it should be.
func (g *grid) fill(data []byte, pos, width int, delimiter, quote byte) (end int, ok bool) {
	g.data, g.width, g.rows = data, width, 0
	if need := gridRows*width + 64; cap(g.cells) < need {
		g.cells = make([]cell, need)
	}
	if end, ok = g.fillRegular(data, pos, width, delimiter, quote); ok {
		return end, true
	}
	return g.fillCarefully(data, pos, width, delimiter, quote)
}

// fillRegular takes every separator outside of quotes for the end of a field, and
// sees afterwards whether the rows came out as they should, which saves looking
// at each: the line ends are as many as the rows and stand at their ends. It
// leaves rows that are not so to fillCarefully.
func (g *grid) fillRegular(data []byte, pos, width int, delimiter, quote byte) (end int, ok bool) {
	const step = 8 // fields written at once, needed or not
	if width == 1 {
		return 0, false // as an empty line is no row
	}
	cells := g.cells[:cap(g.cells)]
	n, want, start := 0, gridRows*width, uint32(pos)
	inside := uint64(0) // all ones where the bytes before ended in quotes
	closed := uint64(0) // one where they ended with a closing quote
	opened := uint64(1) // one where the next byte begins a field
	g.quoted = g.quoted[:0]
	for base := pos; n < want && base < len(data); base += 64 {
		mask, quotes := separators(data, base, delimiter, quote)
		if quotes|inside|closed != 0 {
			// The bytes from an opening quote up to before its closing one.
			in := quotes ^ quotes<<1
			in ^= in << 2
			in ^= in << 4
			in ^= in << 8
			in ^= in << 16
			in ^= in << 32
			in ^= inside
			mask &^= in
			open, close := quotes&in, quotes&^in
			if open&^(mask<<1|close<<1|opened|closed) != 0 || (close<<1|closed)&^(mask|quotes) != 0 {
				return 0, false
			}
			inside, closed = -(in >> 63), close>>63
			for ; open != 0; open &= open - 1 {
				g.quoted = append(g.quoted, uint32(n+bits.OnesCount64(mask&(open&-open-1))))
			}
		}
		opened = mask >> 63
		count := bits.OnesCount64(mask)
		for k := 0; k < count; k += step {
			some := (*[step]cell)(cells[n+k:])
			for i := range some {
				at := uint32(base + bits.TrailingZeros64(mask))
				some[i] = cell{start, at}
				start = at + 1
				mask &= mask - 1
			}
		}
		if n += count; count > 0 {
			start = cells[n-1].end + 1
		}
	}
	rows := n / width
	if rows == 0 || n < want && (n%width != 0 || int(start) != len(data)) {
		return 0, false
	}
	last := cells[rows*width-1].end
	if bytes.Count(data[pos:last+1], []byte{'\n'}) != rows {
		return 0, false
	}
	for i := width - 1; i < rows*width; i += width {
		c := &cells[i]
		if data[c.end] != '\n' {
			return 0, false
		}
		if c.end > c.start && data[c.end-1] == '\r' {
			c.end--
		}
	}
	for i, k := range g.quoted {
		if int(k) >= rows*width {
			break
		}
		c := &cells[k]
		if i > 0 && g.quoted[i-1] == k {
			c.end |= escapedBit // a quote that is opened again was doubled
			continue
		}
		c.start++
		c.end--
	}
	g.rows = rows
	return int(last) + 1, true
}

// fillCarefully is fill of rows of which some have empty lines among them, quotes
// that are no quotes or no line end.
func (g *grid) fillCarefully(data []byte, pos, width int, delimiter, quote byte) (end int, ok bool) {
	g.rows = 0
	cells := g.cells[:gridRows*width]
	start := pos // of the field
	n, last := 0, width-1
	for base := pos; base < len(data); base += 64 {
		ends, quotes := separators(data, base, delimiter, quote)
		for mask := ends | quotes; mask != 0; mask &= mask - 1 {
			at := base + bits.TrailingZeros64(mask)
			if at < start {
				continue // in quotes
			}
			switch data[at] {
			case delimiter:
				if n >= last {
					return 0, false
				}
				cells[n] = cell{uint32(start), uint32(at)}
				n++
				start = at + 1
			case '\n':
				stop := at
				if stop > start && data[stop-1] == '\r' {
					stop--
				}
				if n != last {
					if n == last-width+1 && stop == start {
						start = at + 1 // an empty line
						continue
					}
					return 0, false
				}
				if width == 1 && stop == start {
					start = at + 1
					continue
				}
				cells[n] = cell{uint32(start), uint32(stop)}
				n++
				last += width
				start = at + 1
				if g.rows++; g.rows == gridRows {
					return start, true
				}
			default:
				if len(trim(data[start:at])) > 0 {
					continue // a character like any other
				}
				stop, next, more := quoted(data, at, delimiter, quote)
				if next < 0 || more != (n < last) {
					return 0, false
				}
				cells[n] = cell{uint32(at + 1), uint32(stop)}
				n++
				if start = next; !more {
					last += width
					if g.rows++; g.rows == gridRows {
						return start, true
					}
				}
			}
		}
	}
	// The last row may lack its line end.
	begun := n > last-width+1
	stop := len(data)
	if stop > start && data[stop-1] == '\r' {
		stop--
	}
	if begun || stop > start {
		if n != last {
			return 0, false
		}
		cells[n] = cell{uint32(start), uint32(stop)}
		g.rows++
	}
	return len(data), true
}

// separators has a bit for each of the 64 bytes from i on that ends a field, and
// one for each that is a quote: none where the quote is 0, which no text holds.
func separators(data []byte, i int, delimiter, quote byte) (ends, quotes uint64) {
	const ones, low, gather = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f, 0x0102040810204080
	if i+64 > len(data) {
		for k, c := range data[i:] {
			if c == delimiter || c == '\n' {
				ends |= 1 << k
			} else if c == quote {
				quotes |= 1 << k
			}
		}
		return ends, quotes
	}
	d, q := uint64(delimiter)*ones, uint64(quote)*ones
	b := (*[64]byte)(data[i:])
	any := uint64(0)
	for k := 0; k < 64; k += 8 {
		x := binary.LittleEndian.Uint64(b[k:])
		// The top bit of a byte is set where that is neither; then one bit a byte is
		// gathered.
		y := x & low
		m := ^((y^d+low)&(y^('\n'*ones)+low) | x) &^ low
		ends |= (m >> 7) * gather >> 56 << k
		any |= ^(y ^ q + low | x)
	}
	if any&^low != 0 {
		for k := 0; k < 64; k += 8 {
			x := binary.LittleEndian.Uint64(b[k:])
			m := ^(x&low ^ q + low | x) &^ low
			quotes |= (m >> 7) * gather >> 56 << k
		}
	}
	return ends, quotes
}

// quoted finds the end of a field whose quote is at i, the position after what
// ends it, and whether another field follows in the row. The position is -1 where
// the quotes are misplaced.
func quoted(data []byte, i int, delimiter, quote byte) (stop, next int, more bool) {
	escaped := 0
	p := i + 1
	for {
		c := bytes.IndexByte(data[p:], quote)
		if c < 0 {
			return 0, -1, false
		}
		if p += c; p+1 == len(data) || data[p+1] != quote {
			break
		}
		escaped = escapedBit
		p += 2
	}
	stop = p | escaped
	for p++; p < len(data) && (data[p] == ' ' || data[p] == '\t') && data[p] != delimiter; {
		p++
	}
	switch {
	case p == len(data):
		return stop, p, false
	case data[p] == delimiter:
		return stop, p + 1, true
	case data[p] == '\n':
		return stop, p + 1, false
	case data[p] == '\r' && (p+1 == len(data) || data[p+1] == '\n'):
		return stop, min(p+2, len(data)), false
	}
	return 0, -1, false
}

// quickNumber reads a number of data[i:end] in its commonest spellings, eight
// digits at a time. What takes longer, or has a leading zero or more than 15
// digits without a fraction, is not a number to it. Whether a number is negative
// is as good as random, so that nothing branches on it.
func quickNumber(data []byte, i, end int) (float64, numberKind) {
	if end+9 > len(data) || i >= end {
		return 0, notNumber
	}
	sign := uint64(0)
	if data[i] == '-' {
		sign = 1
	}
	i += int(sign)
	if data[i] == '+' && sign == 0 {
		i++
	}
	if v, kind := shortNumber(data, i, end); kind != notNumber {
		return math.Float64frombits(math.Float64bits(v) | sign<<63), kind
	}
	first := i
	m, n := eight(data, i)
	if i += n; n == 8 {
		m, i = digits(m, data, i)
	}
	if whole := i - first; i >= end {
		if i > end || whole == 0 || whole > 15 || whole > 1 && data[first] == '0' {
			return 0, notNumber
		}
		return math.Float64frombits(math.Float64bits(float64(m)) | sign<<63), isInteger
	}
	n, scale := i-first, 0
	if data[i] == '.' {
		point := i + 1
		f, k := eight(data, point)
		if i = point + k; k == 8 {
			f, i = digits(f, data, i)
		}
		if i-point > 19 || i > end {
			return 0, notNumber
		}
		scale = point - i
		n -= scale
		m = m*tens[-scale] + f
	}
	if n == 0 || n > 19 {
		return 0, notNumber
	}
	if i < end {
		if data[i]|0x20 != 'e' {
			return 0, notNumber
		}
		minus := false
		if i++; data[i] == '-' || data[i] == '+' {
			minus = data[i] == '-'
			i++
		}
		if i >= end || end-i > 3 {
			return 0, notNumber
		}
		exp := 0
		for ; i < end; i++ {
			if data[i]-'0' > 9 {
				return 0, notNumber
			}
			exp = 10*exp + int(data[i]-'0')
		}
		if minus {
			exp = -exp
		}
		scale += exp
	}
	var v float64
	switch {
	case m < 1<<53 && scale <= 0 && scale >= -22:
		v = float64(m) / powers[-scale]
	case m < 1<<53 && scale > 0 && scale <= 22:
		v = float64(m) * powers[scale]
	case scale < 0:
		if v, _ = divide(m, -scale); v == 0 {
			return 0, notNumber
		}
	default:
		return 0, notNumber
	}
	return math.Float64frombits(math.Float64bits(v) | sign<<63), isFloat
}

// tens are the powers of ten below 2^64.
var tens = func() (t [20]uint64) {
	t[0] = 1
	for i := 1; i < len(t); i++ {
		t[i] = 10 * t[i-1]
	}
	return t
}()

// digits reads decimal digits that follow those of m, wrapping around beyond 19,
// and returns the position after them.
func digits(m uint64, data []byte, i int) (uint64, int) {
	for i+8 <= len(data) {
		t, n := eight(data, i)
		m = m*tens[n] + t
		if i += n; n < 8 {
			break
		}
	}
	return m, i
}

// shortNumber reads a number of up to eight characters without sign and exponent,
// of which all are looked at once; others are not numbers to it.
func shortNumber(data []byte, i, end int) (float64, numberKind) {
	n := end - i
	if n > 8 || n <= 0 || end < 8 {
		return 0, notNumber
	}
	t := binary.LittleEndian.Uint64(data[end-8:]) ^ zeros8
	t = t >> (64 - 8*n) << (64 - 8*n) // zeros go before
	others := (t + carry8 | t) & tops8
	if others == 0 {
		if data[i] == '0' && n > 1 {
			return 0, notNumber
		}
		return float64(join8(t)), isInteger
	}
	p := bits.TrailingZeros64(others) &^ 7 // where the first is that is no digit
	if others&(others-1) != 0 || byte(t>>p) != '.'^'0' || n == 1 {
		return 0, notNumber
	}
	t = t>>p>>8<<8<<p | t&(1<<p-1)<<8 // what stands before the point takes its place
	return float64(join8(t)) / powers[7-p/8], isFloat
}

const (
	zeros8 = 0x3030303030303030
	carry8 = 0x7676767676767676 // takes the top bit of all but digits' values
	tops8  = 0x8080808080808080
)

// join8 is the number that eight digits' values make.
func join8(t uint64) uint64 {
	t = t*10 + t>>8
	return (t&0x000000ff000000ff*0x000f424000000064 + t>>16&0x000000ff000000ff*0x0000271000000001) >> 32
}

// eight reads up to eight decimal digits, and says how many there are. There must
// be eight bytes.
func eight(data []byte, i int) (m uint64, n int) {
	t := binary.LittleEndian.Uint64(data[i:]) ^ zeros8
	// The top bit of the first byte that is no digit is set.
	n = bits.TrailingZeros64((t+carry8|t)&tops8) / 8
	return join8(t << (64 - 8*n)), n // zeros go before
}
