package feature

import (
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
)

// Sequence is an Input of which a row is a sequence. Its Specs, of which all but
// the last have a Unit, describe values; the last is of the lengths, int32 [rows].
type Sequence interface {
	Input
	// Sequences returns the rows of a column, as Transform does but not filled up.
	Sequences(c *data.Column) (*Sequences, error)
}

// Sequences are rows of different lengths in the memory that they need: row i is
// what stands at Offsets[i] up to Offsets[i+1] in each of Values.
type Sequences struct {
	Offsets []int            // one more than there are rows
	Values  []*tensor.Tensor // one for each spec with a Unit, [sum of lengths …]
}

// Lengths returns the lengths of all rows, int32 [rows].
func (s *Sequences) Lengths() *tensor.Tensor {
	t := tensor.New(tensor.Int32, len(s.Offsets)-1)
	for i := range t.Ints() {
		t.Ints()[i] = int32(s.Offsets[i+1] - s.Offsets[i])
	}
	return t
}

// Fill makes row at of out [rows length …] out of a row of values k, filled up.
func (s *Sequences) Fill(k, row int, out *tensor.Tensor, at int) {
	v := s.Values[k]
	n, width := v.RowLen(), out.RowLen()
	dst := out.Raw()[at*width : (at+1)*width]
	dst = dst[copy(dst, v.Raw()[s.Offsets[row]*n:s.Offsets[row+1]*n]):]
	if v.DType() != tensor.Int32 {
		clear(dst)
		return
	}
	for i := range tensor.Ints(dst) {
		tensor.Ints(dst)[i] = -1
	}
}

// newSequences puts rows of whole numbers one after the other.
func newSequences(rows [][]int32) *Sequences {
	s := &Sequences{Offsets: make([]int, len(rows)+1)}
	for i, r := range rows {
		s.Offsets[i+1] = s.Offsets[i] + len(r)
	}
	t := tensor.New(tensor.Int32, s.Offsets[len(rows)])
	for i, r := range rows {
		copy(t.Ints()[s.Offsets[i]:], r)
	}
	s.Values = append(s.Values, t)
	return s
}

// add adds numbers, one for each of the first values.
func (s *Sequences) add(rows [][]float32) {
	t := tensor.Zeros(s.Offsets[len(rows)])
	for i, r := range rows {
		copy(t.Floats()[s.Offsets[i]:], r)
	}
	s.Values = append(s.Values, t)
}
