package train

import (
	"fmt"
	"io"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
)

// A Batch is some rows: one tensor per input of the task, each with the rows
// as its first dimension, and a weight for each row.
type Batch struct {
	Tensors []*tensor.Tensor
	Weights *tensor.Tensor // float32 [rows]
	Rows    int
	Size    int   // of its sequences, see SizeLength; 0 where there are none
	At      []int // which rows of the data these are; nil: those after the batch before

	places []int   // of its rows in the epoch's order
	sorted []int32 // the places of its window, by size
	window windowOf
}

// Batches yields the rows of a data set, epoch after epoch.
type Batches interface {
	// Rows returns the number of rows of an epoch.
	Rows() int
	// Steps returns the number of batches of an epoch.
	Steps() int
	// Seek makes Next return batch step of an epoch. The rows of that batch
	// depend on nothing else.
	Seek(epoch, step int) error
	// Next fills the batch, reusing its tensors, or returns io.EOF after the
	// last one of the epoch.
	Next(b *Batch) error
}

// Memory is Batches over tensors in memory.
type Memory struct {
	tensors []*tensor.Tensor
	weights []float32 // nil: all 1
	rows    int
	size    int
	shuffle bool
	seed    uint64
	sampled *sampling // nil: every row once
	sizes   *sizes    // nil: all rows have one shape
	order   permutation
	epoch   int
	step    int
}

// NewMemory returns batches of size rows (0: all rows at once) over tensors
// that share their first dimension. With shuffle the order differs in every
// epoch and follows from the seed. Weights, one for each row, may be nil; none
// is negative, and they are not all 0.
func NewMemory(tensors []*tensor.Tensor, weights []float32, size int, shuffle bool, seed uint64) (*Memory, error) {
	return newMemory(tensors, nil, weights, size, shuffle, seed)
}

func newMemory(tensors []*tensor.Tensor, sources []Source, weights []float32, size int, shuffle bool, seed uint64) (*Memory, error) {
	m := &Memory{tensors: tensors, weights: weights, size: size, shuffle: shuffle, seed: seed, rows: -1}
	for i, t := range tensors {
		if len(t.Shape()) == 0 {
			return nil, fmt.Errorf("train: tensor %d is a scalar, expected rows as its first dimension", i)
		}
		if i == 0 {
			m.rows = t.Shape()[0]
		}
		if t.Shape()[0] != m.rows {
			return nil, fmt.Errorf("train: tensor %d has %d rows, tensor 0 has %d", i, t.Shape()[0], m.rows)
		}
	}
	for i, src := range sources {
		if src.Lengths == nil {
			continue
		}
		if m.rows < 0 {
			m.rows = len(src.Lengths)
		}
		if len(src.Lengths) != m.rows {
			return nil, fmt.Errorf("train: source %d has the lengths of %d rows, there are %d", i, len(src.Lengths), m.rows)
		}
	}
	if m.rows < 0 {
		return nil, fmt.Errorf("train: no tensors")
	}
	if m.rows == 0 {
		return nil, fmt.Errorf("train: no rows")
	}
	if weights != nil && len(weights) != m.rows {
		return nil, fmt.Errorf("train: %d weights for %d rows", len(weights), m.rows)
	}
	total := 0.0
	for i, w := range weights {
		if !(w >= 0) || !finite(float64(w)) {
			return nil, fmt.Errorf("train: the weight of row %d is %g, expected a finite number of 0 or more", i, w)
		}
		total += float64(w)
	}
	if weights != nil && total == 0 {
		return nil, fmt.Errorf("train: the weights of all %d rows are 0: there is nothing to learn from", m.rows)
	}
	if m.size < 0 {
		return nil, fmt.Errorf("train: batch size %d, expected 1 or more, or 0 for all rows at once", size)
	}
	if m.size == 0 || m.size > m.rows {
		m.size = m.rows
	}
	if m.sizes = newSizes(m.rows, sources); m.sizes != nil && !shuffle {
		m.sizes.arrange(m.size)
	}
	return m, m.Seek(0, 0)
}

// Rows returns the number of rows.
func (m *Memory) Rows() int { return m.rows }

// Steps returns the number of batches of an epoch; the last may be smaller.
func (m *Memory) Steps() int {
	if m.sizes != nil && !m.shuffle {
		return len(m.sizes.ends)
	}
	return (m.rows + m.size - 1) / m.size
}

// Seek implements Batches.
func (m *Memory) Seek(epoch, step int) error {
	if step < 0 || step > m.Steps() {
		return fmt.Errorf("train: no step %d in an epoch of %d", step, m.Steps())
	}
	m.epoch, m.step = epoch, step
	m.order = newPermutation(m.rows, m.seed, uint64(epoch))
	return nil
}

// Next implements Batches.
func (m *Memory) Next(b *Batch) error {
	if m.step >= m.Steps() {
		return io.EOF
	}
	m.step++
	m.fill(b, m.place(), m.step-1)
	return nil
}

// place is where the order of rows is: a value, so that several goroutines may
// ask it at once.
type place struct {
	m     *Memory
	order permutation
	epoch int
}

func (m *Memory) place() place { return place{m, m.order, m.epoch} }

// row is the number of the row that stands at a position of the epoch.
func (p *place) row(at int) int {
	if p.m.shuffle {
		at = p.order.at(at)
	}
	if p.m.sampled != nil {
		at = p.m.sampled.at(p.epoch, at)
	}
	return at
}

// fill makes the batch of a step, which there is.
func (m *Memory) fill(b *Batch, p place, step int) {
	b.places, b.At, b.Size = b.places[:0], b.At[:0], 0
	if m.sizes != nil {
		b.places = m.sizes.places(b.places, &p, step, b)
	} else {
		for i := step * m.size; i < min((step+1)*m.size, m.rows); i++ {
			b.places = append(b.places, i)
		}
	}
	for _, at := range b.places {
		b.At = append(b.At, p.row(at))
	}
	if m.sizes != nil {
		b.Size = m.sizes.largest(b.At)
	}
	b.Rows = len(b.At)
	if b.Weights == nil || len(b.Tensors) != len(m.tensors) {
		b.Tensors = make([]*tensor.Tensor, len(m.tensors))
		for i, t := range m.tensors {
			b.Tensors[i] = tensor.New(t.DType(), make([]int, len(t.Shape()))...)
		}
		b.Weights = tensor.Zeros(0)
	}
	var dims [8]int
	for i, t := range m.tensors {
		shape := append(append(dims[:0], b.Rows), t.Shape()[1:]...)
		b.Tensors[i].Reset(shape...)
	}
	b.Weights.Reset(b.Rows)
	// Tensor after tensor in short loops, so that a processor asks memory for
	// several rows at a time.
	for k, t := range m.tensors {
		gather(b.Tensors[k].Raw(), t.Raw(), b.At, t.RowLen())
	}
	if w := b.Weights.Floats(); m.weights != nil {
		gather(w, m.weights, b.At, 1)
	} else {
		for i := range w {
			w[i] = 1
		}
	}
}

// gather copies rows of n numbers.
func gather(dst, src []float32, rows []int, n int) {
	if n == 1 {
		for i, row := range rows {
			dst[i] = src[row]
		}
		return
	}
	for i, row := range rows {
		copy(dst[i*n:][:n], src[row*n:])
	}
}

// A permutation is a keyed bijection on 0 … n−1: a four-round Feistel network
// over the next even power of two, walked until it lands below n (Black and
// Rogaway 2002, "cycle walking"). It needs no memory and any place of it can
// be computed at once, so that resuming in the middle of an epoch is free.
type permutation struct {
	n    uint64
	half uint
	keys [4]uint64
}

func newPermutation(n int, seed, epoch uint64) permutation {
	p := permutation{n: uint64(n), half: 1}
	for uint64(1)<<(2*p.half) < p.n {
		p.half++
	}
	k := splitmix.Finish(seed ^ splitmix.Next(epoch))
	for i := range p.keys {
		k = splitmix.Next(k)
		p.keys[i] = k
	}
	return p
}

func (p *permutation) at(i int) int {
	x, mask := uint64(i), uint64(1)<<p.half-1
	for {
		l, r := x>>p.half, x&mask
		for _, k := range p.keys {
			l, r = r, l^(splitmix.Finish(r^k)&mask)
		}
		x = l<<p.half | r
		if x < p.n {
			return int(x)
		}
	}
}

// Bytes returns the memory that tensors, weights and sampled rows take.
func (m *Memory) Bytes() int {
	n := 4 * len(m.weights)
	for _, t := range m.tensors {
		n += t.DType().Size() * t.Len()
	}
	if m.sampled != nil {
		n += 4 * m.rows
	}
	return n
}
