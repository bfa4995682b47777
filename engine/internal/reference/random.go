package reference

import (
	"math"
	"math/bits"

	"github.com/hone-ml/hone/engine/graph"
)

// philox is Philox4x32-10 (Salmon et al. 2011, Random123).
func philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, ctr[0])
		hi1, lo1 := bits.Mul32(0xCD9E8D57, ctr[2])
		ctr = [4]uint32{hi1 ^ ctr[1] ^ key[0], lo1, hi0 ^ ctr[3] ^ key[1], lo0}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return ctr
}

// random takes word e mod 4 of block e/4 for element e. The block's counter is
// its number (low word, high word), the stream and the step; the key is the
// seed. A uniform number is the upper 24 bits of the word over 2^24; normal
// numbers are pairs of words through Box and Muller (1958).
func random(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(*graph.Random)
	key := [2]uint32{uint32(in[0].I[0]), uint32(in[0].I[1])}
	step := uint32(in[1].I[0])
	for e := range out.F {
		block := uint64(e / 4)
		w := philox([4]uint32{uint32(block), uint32(block >> 32), uint32(o.Stream), step}, key)
		if !o.Normal {
			out.F[e] = float64(w[e%4]>>8) / (1 << 24)
			continue
		}
		pair := e % 4 / 2 * 2
		radius := math.Sqrt(-2 * math.Log(float64(w[pair]>>8+1)/(1<<24))) // of (0, 1], whose logarithm is finite
		sin, cos := math.Sincos(2 * math.Pi * float64(w[pair+1]>>8) / (1 << 24))
		if e%2 == 0 {
			out.F[e] = radius * cos
		} else {
			out.F[e] = radius * sin
		}
	}
	return nil
}
