package embed

import (
	"context"
	"fmt"
	"os"
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

	mu       sync.Mutex
	programs map[int]graph.Executable // by length, compiled when first needed
}

// Load reads an encoder from a folder as Hugging Face's libraries write it, or from a
// bundle of a model that has one.
func Load(path string) (*Embedder, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		m, err := fromBundle(path)
		if err != nil {
			return nil, err
		}
		return New(m), nil
	}
	f, err := huggingface.Read(path)
	if err != nil {
		return nil, err
	}
	return New(FromFolder(f)), nil
}

// New returns the embedder of a model, whose Values it shares.
func New(m *Model) *Embedder {
	return &Embedder{Model: m, state: graph.NewState(), programs: map[int]graph.Executable{}}
}

// Width is the length of a vector.
func (e *Embedder) Width() int { return e.Model.Width() }

// batchTokens bounds how many tokens are computed at a time: what they are in a
// block stays in the caches. Up to fewTokens, filling up costs less than another run.
const (
	batchTokens = 1024
	fewTokens   = 256
)

// step returns the length for which a program is compiled for texts of n tokens: an
// eighth of the length apart, and 2 at least.
func step(n, most int) int {
	by := 2
	for by*16 <= n {
		by *= 2
	}
	return min((n+by-1)/by*by, max(n, most))
}

// batch returns how many of the first texts, of these numbers of tokens in
// descending order, are computed together.
func batch(tokens []int, length int) int {
	n := 1
	for n < len(tokens) && (n+1)*length <= batchTokens && (4*tokens[n] >= 3*length || n*length < fewTokens) {
		n++
	}
	return n
}

// Embed returns a vector for each text.
func (e *Embedder) Embed(texts []string) ([][]float32, error) {
	return e.EmbedAs(context.Background(), e.Model.Prefix, texts)
}

// EmbedAs is Embed for texts that begin with prefix, as Model.Query for those that
// search and Model.Passage for those that are searched. It ends with ctx.
func (e *Embedder) EmbedAs(ctx context.Context, prefix string, texts []string) ([][]float32, error) {
	ids, err := e.Model.ids(prefix, texts)
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
	slices.SortStableFunc(order, func(a, b int) int { return len(ids[b]) - len(ids[a]) })
	counts := make([]int, len(ids))
	for i, row := range order {
		counts[i] = len(ids[row])
	}
	width := e.Width()
	all := make([]float32, len(texts)*width)
	out := make([][]float32, len(texts))
	result := []*tensor.Tensor{tensor.Zeros(0)}
	tokens, lengths := tensor.New(tensor.Int32, 0, 0), tensor.New(tensor.Int32, 0)
	for lo := 0; lo < len(order); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		length := step(counts[lo], e.Model.Length)
		hi := lo + batch(counts[lo:], length)
		exe, err := e.program(length)
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

// program returns the program for texts of a length.
func (e *Embedder) program(length int) (graph.Executable, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if exe := e.programs[length]; exe != nil {
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
		e.programs[length] = exe
	}
	return exe, err
}
