package cpu

import (
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	register(func(op *graph.Random, n *graph.Node) (step, error) {
		return &randomStep{op, n.In[0], n.In[1], n}, nil
	})
}

type randomStep struct {
	op            *graph.Random
	seed, step, y *graph.Node
}

const randomPerTask = 4096

func (s *randomStep) tasks(rows int) int { return chunks(s.y.Shape().Size().Of(rows), randomPerTask) }

func (s *randomStep) run(in *instance, task int, _ *worker) {
	y, words := in.floats(s.y), in.ints(s.seed)
	lo, hi := chunk(len(y), randomPerTask, task)
	seed := uint64(uint32(words[0])) | uint64(uint32(words[1]))<<32
	step, stream := uint32(in.ints(s.step)[0]), uint32(s.op.Stream)
	if s.op.Normal {
		kernel.Normal(y[lo:hi], seed, step, stream, uint32(lo))
	} else {
		kernel.Uniform(y[lo:hi], seed, step, stream, uint32(lo))
	}
}
