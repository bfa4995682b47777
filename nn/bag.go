package nn

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
)

// A BagMode says what EmbeddingBag makes of the vectors of a bag.
type BagMode uint8

const (
	BagMean BagMode = iota // their mean
	BagSum                 // their sum
)

// EmbeddingBag looks up bags of int32 indices in a table of n learned vectors of
// length dim and returns each bag's mean or sum: [rows … k] → [rows … dim]. An
// index of −1 stands for none; a bag of none gives zeros. It does what Embedding
// and a mean over the last but one dimension would, without laying out the
// vectors, and its gradient is as sparse (see package optim): a table of millions
// of hashed n-grams costs its memory, and a step only what its rows touch. The
// table starts uniform within ±0.05, drawn by all processors at once.
func EmbeddingBag(n, dim int, mode BagMode) Layer {
	return leaf("embedding_bag", func(c *Context, x *graph.Node) *graph.Node {
		s := x.Shape()
		if n < 1 || dim < 1 || x.Type.DType != tensor.Int32 || len(s) < 2 || s[len(s)-1].PerRow {
			return c.B.Fail("embedding_bag", fmt.Errorf("%d vectors of length %d on %v, expected at least one of each on int32 indices [rows … k]", n, dim, x.Type))
		}
		table := c.Param("table", []int{n, dim}, uniformBlocks(0.05))
		if mode == BagSum {
			return graph.BagSum(table, x, nil)
		}
		return graph.BagMean(table, x)
	})
}

// blockLen is how many numbers of a large table one generator draws.
const blockLen = 1 << 16

// uniformBlocks is Uniform with a generator for each block of numbers, so that the
// blocks can be drawn side by side. The result does not depend on the number of
// processors.
func uniformBlocks(limit float32) Initializer {
	return Initializer{"uniform", func(r *rand.Rand, _ []int, x []float32) {
		key := r.Uint64()
		var next atomic.Int64
		var done sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			done.Go(func() {
				for {
					b := int(next.Add(1)) - 1
					if b*blockLen >= len(x) {
						return
					}
					drawBlock(x[b*blockLen:min((b+1)*blockLen, len(x))], key^uint64(b)*0xd1342543de82ef95, limit)
				}
			})
		}
		done.Wait()
	}}
}

// drawBlock fills x evenly from [−limit, limit) by SplitMix64, 24 bits a
// number.
func drawBlock(x []float32, state uint64, limit float32) {
	var z uint64
	for i := range x {
		if i%2 == 0 {
			z = splitmix.Next(state)
			state += splitmix.Gamma
		}
		x[i] = (float32(z>>40)/(1<<23) - 1) * limit
		z <<= 32
	}
}
