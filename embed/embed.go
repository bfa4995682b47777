package embed

import (
	"fmt"
	"slices"
	"sync"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/huggingface"
	"github.com/hone-ml/hone/nn"
)

// An Embedder makes vectors of texts. It is safe for concurrent use.
type Embedder struct {
	Model *Model
	state *graph.State

	mu    sync.Mutex
	steps map[int]graph.Executable // by length, compiled when first needed
}

// Load reads an encoder from a folder as Hugging Face's libraries write it.
func Load(path string) (*Embedder, error) {
	f, err := huggingface.Read(path)
	if err != nil {
		return nil, err
	}
	return New(FromFolder(f)), nil
}

// New returns the embedder of a model, whose Values it shares.
func New(m *Model) *Embedder {
	return &Embedder{Model: m, state: graph.NewState(), steps: map[int]graph.Executable{}}
}

// Width is the length of a vector.
func (e *Embedder) Width() int { return e.Model.Width() }

// batchTokens is about how many tokens are computed at a time: what they are in a
// block stays in the caches.
const batchTokens = 1024

// Step returns the length for which a program computes a text of n tokens: steps of
// an eighth of the length, of 2 at least.
func Step(n, most int) int {
	step := 2
	for step*16 <= n {
		step *= 2
	}
	return min((n+step-1)/step*step, max(n, most))
}

// Embed returns a vector for each text.
func (e *Embedder) Embed(texts []string) ([][]float32, error) {
	ids, err := e.Model.IDs(texts)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
		if len(ids[i]) == 0 {
			return nil, fmt.Errorf("text %d has no tokens: the tokenizer puts none around it", i+1)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(ids[a]) - len(ids[b]) })
	width := e.Width()
	all := make([]float32, len(texts)*width)
	out := make([][]float32, len(texts))
	result := []*tensor.Tensor{tensor.Zeros(0)}
	tokens, lengths := tensor.New(tensor.Int32, 0, 0), tensor.New(tensor.Int32, 0)
	for lo := 0; lo < len(order); {
		length := Step(len(ids[order[lo]]), e.Model.Length)
		hi := lo + 1
		for hi < len(order) && (hi-lo+1)*length <= max(batchTokens, length) && Step(len(ids[order[hi]]), e.Model.Length) == length {
			hi++
		}
		exe, err := e.step(length)
		if err != nil {
			return nil, err
		}
		tokens.Reset(hi-lo, length)
		lengths.Reset(hi - lo)
		for i, row := range order[lo:hi] {
			lengths.Ints()[i] = int32(len(ids[row]))
			to := tokens.Ints()[i*length:][:length]
			for j := copy(to, ids[row]); j < length; j++ {
				to[j] = -1
			}
		}
		if err := exe.Run([]*tensor.Tensor{tokens, lengths}, result); err != nil {
			return nil, err
		}
		for i, row := range order[lo:hi] {
			out[row] = all[row*width:][:width:width]
			copy(out[row], result[0].Floats()[i*width:])
		}
		lo = hi
	}
	return out, nil
}

// step returns the program for texts of a length.
func (e *Embedder) step(length int) (graph.Executable, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if exe := e.steps[length]; exe != nil {
		return exe, nil
	}
	b := graph.New(fmt.Sprintf("embed %d tokens", length))
	ids, lengths := b.Input("tokens", tensor.Int32, graph.Rows, graph.N(length)), b.Input("lengths", tensor.Int32, graph.Rows)
	c := &nn.Context{B: b, State: e.state, Fixed: true}
	b.Output("vectors", e.Model.Build(c, ids, lengths, Options{}))
	p, err := b.Program()
	if err != nil {
		return nil, err
	}
	exe, err := cpu.Compile(p)
	if err == nil {
		e.steps[length] = exe
	}
	return exe, err
}
