package kernel

import "math/bits"

// Random numbers are counted, not drawn: element e of a stream depends only on
// the seed, the step, the stream and e. Element e takes word e mod 4 of
// Philox4x32-10 with the seed as its key and the counter {e/4, 0, stream, step}.
// (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", 2011.)

func philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		hi0, lo0 := bits.Mul32(0xd2511f53, ctr[0])
		hi1, lo1 := bits.Mul32(0xcd9e8d57, ctr[2])
		ctr = [4]uint32{hi1 ^ ctr[1] ^ key[0], lo1, hi0 ^ ctr[3] ^ key[1], lo0}
		key[0] += 0x9e3779b9
		key[1] += 0xbb67ae85
	}
	return ctr
}

// Uniform sets dst to elements offset, offset+1, … of the uniform numbers in
// [0, 1), multiples of 2⁻²⁴.
func Uniform(dst []float32, seed uint64, step, stream, offset uint32) {
	fillBlocks(dst, seed, step, stream, offset, func(w [4]uint32) (v [4]float32) {
		for i := range v {
			v[i] = float32(w[i]>>8) * 0x1p-24
		}
		return v
	})
}

// Normal sets dst to elements offset, offset+1, … of the standard normal
// numbers: pairs of uniform ones through Box and Muller (1958).
func Normal(dst []float32, seed uint64, step, stream, offset uint32) {
	fillBlocks(dst, seed, step, stream, offset, func(w [4]uint32) (v [4]float32) {
		for i := 0; i < 4; i += 2 {
			// Of (0, 1], whose logarithm is finite.
			radius := sqrt32(-2 * log32(float32(w[i]>>8+1)*0x1p-24))
			sin, cos := sinCosTurn(float32(w[i+1]>>8) * 0x1p-24)
			v[i], v[i+1] = float32(radius*cos), float32(radius*sin)
		}
		return v
	})
}

// fillBlocks sets dst from four values a block.
func fillBlocks(dst []float32, seed uint64, step, stream, offset uint32, f func([4]uint32) [4]float32) {
	key := [2]uint32{uint32(seed), uint32(seed >> 32)}
	skip := int(offset % 4)
	for block := offset / 4; len(dst) > 0; block++ {
		v := f(philox([4]uint32{block, 0, stream, step}, key))
		dst = dst[copy(dst, v[skip:]):]
		skip = 0
	}
}

// sinCosTurn is the sine and the cosine of 2π·t for t in [0, 1): of the angle
// to the nearest quarter of a turn, by the polynomials of Cephes.
func sinCosTurn(t float32) (sin, cos float32) {
	quarter := int32(float32(t*4) + 0.5)
	x := float32((t - float32(float32(quarter)*0.25)) * (2 * 3.14159265358979324))
	z := float32(x * x)
	s := float32(-1.9515295891e-4*z) + 8.3321608736e-3
	s = float32(s*z) - 1.6666654611e-1
	s = float32(float32(s*z)*x) + x
	c := float32(2.443315711809948e-5*z) - 1.388731625493765e-3
	c = float32(c*z) + 4.166664568298827e-2
	c = float32(float32(c*z)*z) - float32(0.5*z) + 1
	switch quarter & 3 {
	case 1:
		s, c = c, -s
	case 2:
		s, c = -s, -c
	case 3:
		s, c = -c, s
	}
	return s, c
}
