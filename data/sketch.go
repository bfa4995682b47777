package data

import (
	"encoding/binary"
	"math/bits"
)

// sketch counts distinct values in bounded memory. It holds the hashes that end
// in level zero bits, and raises level when they become too many (adaptive
// sampling, Flajolet 1990): exact up to sketchSize, about 1 % off beyond. What it
// holds depends only on the set of values, not on their order or division.
type sketch struct {
	hashes map[uint64]struct{}
	level  uint
}

const sketchSize = 1 << 14

func (s *sketch) add(h uint64) {
	if h&(1<<s.level-1) != 0 {
		return
	}
	if s.hashes == nil {
		s.hashes = map[uint64]struct{}{}
	}
	s.hashes[h] = struct{}{}
	for len(s.hashes) > sketchSize {
		s.level++
		for h := range s.hashes {
			if h&(1<<s.level-1) != 0 {
				delete(s.hashes, h)
			}
		}
	}
}

func (s *sketch) merge(t *sketch) {
	s.level = max(s.level, t.level)
	for h := range s.hashes {
		if h&(1<<s.level-1) != 0 {
			delete(s.hashes, h)
		}
	}
	for h := range t.hashes {
		s.add(h)
	}
}

func (s *sketch) count() int { return len(s.hashes) << s.level }

// hashBytes is the same on every machine.
func hashBytes(b []byte) uint64 {
	h := uint64(len(b)) ^ 0x9e3779b97f4a7c15
	for ; len(b) >= 8; b = b[8:] {
		h = fold(h^binary.LittleEndian.Uint64(b), 0xa0761d6478bd642f)
	}
	var last uint64
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	return mix(fold(h^last, 0xe7037ed1a0b428db))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// mix is the finaliser of SplitMix64: a bijection whose output bits depend on
// all input bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
