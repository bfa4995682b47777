package train

import (
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
)

// A Source makes the tensors of an input row by row, when a batch needs them:
// what is too large to stand in memory for all rows, or differs from epoch to
// epoch or in length from row to row.
type Source struct {
	DType tensor.DType
	Row   []int // shape of a row's tensor
	// Lengths, unless nil, are those of sequences, one for each row: the first
	// dimension of Row is then only the most that it can be, and that of a batch is
	// the length of the batch's size times Unit, or the most. Fill fills it up.
	Lengths []int32
	Unit    int // how many values count as one where sizes are chosen; 0: 1
	// Bytes is what the source holds in memory for all rows.
	Bytes int
	// Fill makes row at of out of a row of the data. Key is of all that is random
	// about it: it follows from the seed, the epoch and the row's place in it, and
	// from nothing else. Several goroutines call it, each for rows of its own.
	Fill func(row int, key uint64, out *tensor.Tensor, at int) error
}

// Stream is Batches of which some tensors are made while the batch before is
// trained on. What a batch holds depends on seed, epoch and step alone, whatever
// the number of goroutines.
type Stream struct {
	*Memory
	places  []int // for every tensor of a batch: of the memory's, or -1-k of source k
	sources []Source
	threads int
	flight  *flight
}

// ahead is how many batches are made before they are asked for, for each
// goroutine.
const ahead = 2

// NewStream is NewMemory of tensors of which some are nil: those sources make, in
// their order.
func NewStream(tensors []*tensor.Tensor, sources []Source, weights []float32, size int, shuffle bool, seed uint64) (*Stream, error) {
	s := &Stream{sources: sources, threads: runtime.GOMAXPROCS(0)}
	var held []*tensor.Tensor
	made := 0
	for _, t := range tensors {
		if t == nil {
			made++
			s.places = append(s.places, -made)
			continue
		}
		s.places = append(s.places, len(held))
		held = append(held, t)
	}
	if made != len(sources) {
		return nil, fmt.Errorf("train: %d tensors are to be made and there are %d sources", made, len(sources))
	}
	m, err := newMemory(held, sources, weights, size, shuffle, seed)
	s.Memory = m
	return s, err
}

// Bytes is Memory's, and what the sources hold.
func (s *Stream) Bytes() int {
	n := s.Memory.Bytes()
	for _, src := range s.sources {
		n += src.Bytes
	}
	return n
}

// batchOf is a batch in the making, with what the sources make of it.
type batchOf struct {
	held Batch
	made []*tensor.Tensor
	err  error
}

// flight is the goroutines that make batches from a step on.
type flight struct {
	order chan chan *batchOf
	free  chan *batchOf
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup
	lent  *batchOf // what Next gave last
}

func (f *flight) close() {
	f.once.Do(func() { close(f.stop) })
	f.done.Wait()
}

// Seek implements Batches.
func (s *Stream) Seek(epoch, step int) error {
	s.Close()
	return s.Memory.Seek(epoch, step)
}

// Close ends the goroutines. Seek begins anew.
func (s *Stream) Close() {
	if s.flight != nil {
		s.flight.close()
		s.flight = nil
	}
}

// take starts making the batches from the next on.
func (s *Stream) take() *flight {
	f := &flight{order: make(chan chan *batchOf, ahead*s.threads), free: make(chan *batchOf, ahead*s.threads+1), stop: make(chan struct{})}
	for range cap(f.free) {
		f.free <- &batchOf{}
	}
	where, next, steps := s.Memory.place(), s.step, s.Steps()
	var mu sync.Mutex
	ended := false
	// job returns the next step, where its batch goes and the memory for it.
	job := func() (int, chan *batchOf, *batchOf) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return 0, nil, nil
		}
		if next < steps {
			select {
			case b := <-f.free:
				slot := make(chan *batchOf, 1)
				select {
				case f.order <- slot:
					next++
					return next - 1, slot, b
				case <-f.stop:
				}
			case <-f.stop:
			}
		}
		ended = true
		close(f.order)
		return 0, nil, nil
	}
	for range min(s.threads, steps-next) {
		f.done.Go(func() {
			for {
				step, slot, b := job()
				if b == nil {
					return
				}
				b.err = s.make(b, where, step)
				slot <- b
			}
		})
	}
	return f
}

// make fills the batch of a step.
func (s *Stream) make(b *batchOf, where place, step int) error {
	s.fill(&b.held, where, step)
	if b.made == nil {
		for _, src := range s.sources {
			b.made = append(b.made, tensor.New(src.DType, append([]int{0}, src.Row...)...))
		}
	}
	for k, src := range s.sources {
		shape := append([]int{b.held.Rows}, src.Row...)
		if src.Lengths != nil {
			shape[1] = min(shape[1], SizeLength(b.held.Size)*max(1, src.Unit))
		}
		b.made[k].Reset(shape...)
		for i, at := range b.held.places {
			key := splitmix.Finish(s.seed ^ splitmix.Finish(uint64(where.epoch)+0x3c6ef372fe94f82b) ^ splitmix.Next(uint64(at)))
			if err := src.Fill(b.held.At[i], key, b.made[k], i); err != nil {
				return err
			}
		}
	}
	return nil
}

// Next implements Batches. The tensors are the stream's own until it is called
// again.
func (s *Stream) Next(b *Batch) error {
	if s.step >= s.Steps() {
		s.Close()
		return io.EOF
	}
	if s.flight == nil {
		s.flight = s.take()
	}
	f := s.flight
	if f.lent != nil {
		f.free <- f.lent
		f.lent = nil
	}
	made := <-<-f.order
	if made.err != nil {
		s.Close()
		return made.err
	}
	f.lent = made
	s.step++
	b.Rows, b.Weights, b.Size, b.At = made.held.Rows, made.held.Weights, made.held.Size, made.held.At
	b.Tensors = b.Tensors[:0]
	for _, p := range s.places {
		if p < 0 {
			b.Tensors = append(b.Tensors, made.made[-1-p])
		} else {
			b.Tensors = append(b.Tensors, made.held.Tensors[p])
		}
	}
	return nil
}
