package data

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/hone-ml/hone/internal/splitmix"
)

// sketch counts distinct values in bounded memory. It holds the hashes that end
// in level zero bits, and raises level when they become too many (adaptive
// sampling, Flajolet 1990): exact up to sketchSize, about 1 % off beyond. What it
// holds depends only on the set of values, not on their order or division.
type sketch struct {
	slots []uint64 // open addressing; 0 is empty
	n     int
	level uint
	// recent are hashes that were added lately, which saves most lookups of
	// values that are often repeated.
	recent [256]uint64
}

const sketchSize = 1 << 14

// see adds a value.
func (s *sketch) see(v []byte) {
	h := hashBytes(v)
	if h&(1<<s.level-1) != 0 {
		return
	}
	if r := &s.recent[h>>56]; *r != h {
		*r = h
		s.add(h)
	}
}

func (s *sketch) add(h uint64) {
	if h == 0 {
		h = 1 << 63
	}
	if h&(1<<s.level-1) != 0 {
		return
	}
	if 2*s.n >= len(s.slots) {
		s.rebuild(max(32, 2*len(s.slots)))
	}
	i := h >> 32 & uint64(len(s.slots)-1)
	for ; s.slots[i] != 0; i = (i + 1) & uint64(len(s.slots)-1) {
		if s.slots[i] == h {
			return
		}
	}
	s.slots[i] = h
	for s.n++; s.n > sketchSize; {
		s.level++
		s.rebuild(len(s.slots))
	}
}

// rebuild keeps what the level lets through.
func (s *sketch) rebuild(size int) {
	kept := make([]uint64, 0, s.n)
	for _, h := range s.slots {
		if h != 0 && h&(1<<s.level-1) == 0 {
			kept = append(kept, h)
		}
	}
	if size != len(s.slots) {
		s.slots = make([]uint64, size)
	}
	// Memory that is new must not be read first: a page of it would be given twice,
	// the second time after all cores were interrupted.
	clear(s.slots)
	s.n = len(kept)
	for _, h := range kept {
		i := h >> 32 & uint64(size-1)
		for s.slots[i] != 0 {
			i = (i + 1) & uint64(size-1)
		}
		s.slots[i] = h
	}
}

func (s *sketch) merge(t *sketch) {
	if t.level > s.level {
		s.level = t.level
		s.rebuild(len(s.slots))
	}
	for _, h := range t.slots {
		if h != 0 {
			s.add(h)
		}
	}
}

func (s *sketch) count() int { return s.n << s.level }

// hashBytes is the same on every machine.
func hashBytes(b []byte) uint64 {
	h := uint64(len(b)) ^ 0x9e3779b97f4a7c15
	for ; len(b) >= 8; b = b[8:] {
		h = fold(h^binary.LittleEndian.Uint64(b), 0xa0761d6478bd642f)
	}
	var last uint64 // the rest, in the same order; loads may overlap
	switch n := len(b); {
	case n >= 4:
		last = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4))
	case n > 0:
		last = uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*(n-1))
	}
	return splitmix.Next(fold(h^last, 0xe7037ed1a0b428db))
}

func hashString(s string) uint64 {
	return hashBytes(unsafe.Slice(unsafe.StringData(s), len(s)))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
