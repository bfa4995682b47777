package kernel

// Random numbers are counted, not drawn: element e of a stream depends only on
// the seed, the step, the stream and e. Element e takes word e mod 4 of
// Philox4x32-10 with the seed as its key and the counter {e/4, 0, stream, step}.
// (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", 2011.)

// philox returns one block. Its words are variables: Go keeps arrays in memory.
func philox(c0, c1, c2, c3, k0, k1 uint32) (w0, w1, w2, w3 uint32) {
	for range 10 {
		p, q := uint64(c0)*0xd2511f53, uint64(c2)*0xcd9e8d57
		c0, c1, c2, c3 = uint32(q>>32)^c1^k0, uint32(q), uint32(p>>32)^c3^k1, uint32(p)
		k0 += 0x9e3779b9
		k1 += 0xbb67ae85
	}
	return c0, c1, c2, c3
}

// Uniform sets dst to elements offset, offset+1, … of the uniform numbers in
// [0, 1), multiples of 2⁻²⁴.
func Uniform(dst []float32, seed uint64, step, stream, offset uint32) {
	// What lies between whole groups of blocks is done by vectors.
	before := min(int(-offset%4), len(dst))
	random(dst[:before], seed, step, stream, offset, false)
	dst, offset = dst[before:], offset+uint32(before)
	whole := len(dst) &^ 63
	if whole > 0 {
		uniform(dst[:whole], uint32(seed), uint32(seed>>32), offset/4, stream, step)
	}
	random(dst[whole:], seed, step, stream, offset+uint32(whole), false)
}

func uniformGeneric(dst []float32, key0, key1, block, stream, step uint32) {
	random(dst, uint64(key1)<<32|uint64(key0), step, stream, 4*block, false)
}

// Normal sets dst to elements offset, offset+1, … of the standard normal
// numbers: pairs of uniform ones through Box and Muller (1958).
func Normal(dst []float32, seed uint64, step, stream, offset uint32) {
	random(dst, seed, step, stream, offset, true)
}

func random(dst []float32, seed uint64, step, stream, offset uint32, normal bool) {
	block, skip := offset/4, int(offset%4)
	for ; len(dst) > 0; block++ {
		w0, w1, w2, w3 := philox(block, 0, stream, step, uint32(seed), uint32(seed>>32))
		var v [4]float32
		if normal {
			v[0], v[1] = boxMuller(w0, w1)
			v[2], v[3] = boxMuller(w2, w3)
		} else {
			v = [4]float32{unit(w0), unit(w1), unit(w2), unit(w3)}
		}
		if skip == 0 && len(dst) >= 4 {
			*(*[4]float32)(dst) = v
			dst = dst[4:]
		} else {
			dst = dst[copy(dst, v[skip:]):]
			skip = 0
		}
	}
}

// unit is the number in [0, 1) that the upper 24 bits of a word give.
func unit(w uint32) float32 { return float32(int32(w>>8)) * 0x1p-24 }

func boxMuller(w0, w1 uint32) (float32, float32) {
	radius := sqrt32(-2 * log32(unit(w0)+0x1p-24)) // of (0, 1], whose logarithm is finite
	sin, cos := sinCosTurn(unit(w1))
	return float32(radius * cos), float32(radius * sin)
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
