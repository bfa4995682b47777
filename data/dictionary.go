package data

import (
	"bytes"
	"encoding/binary"
)

// dictionary numbers distinct values in the order of their first appearance.
type dictionary struct {
	slots []int32 // open addressing: 1 + the number of a value
	words []word
	ends  []int
	text  []byte
}

// word is a value of up to 15 bytes and its length, or the hash and length of a
// longer one.
type word struct{ lo, hi uint64 }

const (
	longest  = 15
	longWord = 0xff << 56
)

// wordMasks leave so many bytes of 16, and no more than 15.
var wordMasks = func() (m [longest + 1]word) {
	for n := range m {
		m[n].lo = 1<<(8*min(n, 8)) - 1
		m[n].hi = 1<<(8*max(n-8, 0)) - 1
	}
	return m
}()

func wordOf(v []byte) word {
	n := len(v)
	if n > longest {
		return word{hashBytes(v), longWord | uint64(n)}
	}
	var b [longest + 1]byte
	copy(b[:], v)
	return word{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]) | uint64(n)<<56}
}

func (w word) long() bool { return w.hi >= longWord }

func (w word) hash() uint64 { return fold(w.lo^0xa0761d6478bd642f, w.hi^0xe7037ed1a0b428db) }

// look returns the number of a value, -1 if it is not there, and its slot.
func (d *dictionary) look(w word, v []byte) (k int, slot uint64) {
	mask := uint64(len(d.slots) - 1)
	i := w.hash() & mask
	for ; d.slots[i&mask] != 0; i = (i + 1) & mask {
		k := int(d.slots[i] - 1)
		if d.words[k] == w && (!w.long() || bytes.Equal(d.value(k), v)) {
			return k, i
		}
	}
	return -1, i
}

// codes appends the numbers of the values of a grid's column from a row on, -1 for
// empty ones, counts them, and returns the row of the first value that is not
// there or has doubled quotes.
func (d *dictionary) codes(out []int32, g *grid, j, row int, counts []int) ([]int32, int) {
	if len(d.slots) == 0 {
		return out, row
	}
	slots, words, data := d.slots, d.words, g.data
	mask := uint64(len(slots) - 1)
	counts = counts[:len(words)]
	for at := row*g.width + j; row < g.rows; row, at = row+1, at+g.width {
		c := g.cells[at]
		start, n := int(c.start), int(c.end)-int(c.start)
		k := -1
		if uint(n) <= longest && start+longest+1 <= len(data) {
			// Nothing branches on the length of a short value: it is as good as random.
			if n == 0 {
				out = append(out, -1)
				continue
			}
			b, m := data[start:start+longest+1], &wordMasks[n]
			w := word{binary.LittleEndian.Uint64(b) & m.lo, binary.LittleEndian.Uint64(b[8:])&m.hi | uint64(n)<<56}
			for i := w.hash() & mask; slots[i&mask] != 0; i = (i + 1) & mask {
				if s := int(slots[i&mask] - 1); words[s] == w {
					k = s
					break
				}
			}
		} else if c.end&escapedBit == 0 {
			if n == 0 {
				out = append(out, -1)
				continue
			}
			v := data[c.start:c.end]
			k, _ = d.look(wordOf(v), v)
		}
		if k < 0 {
			break
		}
		counts[k]++
		out = append(out, int32(k))
	}
	return out, row
}

// index returns a value's number and whether it is a new one.
func (d *dictionary) index(v []byte) (k int, fresh bool) {
	// Small tables are kept emptier, for a first look to be enough.
	if room := len(d.slots) - 2*len(d.words); room <= 0 || len(d.words) < 1<<12 && room <= 2*len(d.words) {
		d.grow()
	}
	w := wordOf(v)
	k, slot := d.look(w, v)
	if k >= 0 {
		return k, false
	}
	d.words = append(d.words, w)
	d.text = append(d.text, v...)
	d.ends = append(d.ends, len(d.text))
	d.slots[slot] = int32(len(d.words))
	return len(d.words) - 1, true
}

func (d *dictionary) grow() {
	d.slots = make([]int32, max(64, 2*len(d.slots)))
	clear(d.slots) // see sketch.rebuild
	mask := uint64(len(d.slots) - 1)
	for k, w := range d.words {
		i := w.hash() & mask
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

// strings returns all values from number k on.
func (d *dictionary) strings(k int) []string {
	if k == len(d.ends) {
		return nil
	}
	start := 0
	if k > 0 {
		start = d.ends[k-1]
	}
	all, from := string(d.text[start:]), start
	s := make([]string, len(d.ends)-k)
	for i, end := range d.ends[k:] {
		s[i] = all[start-from : end-from]
		start = end
	}
	return s
}

func (d *dictionary) reset() {
	clear(d.slots)
	d.words, d.ends, d.text = d.words[:0], d.ends[:0], d.text[:0]
}
