package train

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/hone-ml/hone/engine/tensor"
)

// streamOf makes rows of [row number, a part of the key] beside a column in
// memory.
func streamOf(t *testing.T, rows, size, threads int) *Stream {
	t.Helper()
	y := tensor.Zeros(rows)
	for i := range rows {
		y.Floats()[i] = float32(i)
	}
	s, err := NewStream([]*tensor.Tensor{nil, y}, []Source{{DType: tensor.Float32, Row: []int{2}, Fill: func(row int, key uint64, out *tensor.Tensor, at int) error {
		out.Floats()[2*at], out.Floats()[2*at+1] = float32(row), float32(key>>40)
		return nil
	}}}, nil, size, true, 7)
	if err != nil {
		t.Fatal(err)
	}
	s.threads = threads
	t.Cleanup(s.Close)
	return s
}

// epochOf returns all numbers from a step on.
func epochOf(t *testing.T, s *Stream, epoch, step int) (made, held []float32) {
	t.Helper()
	if err := s.Seek(epoch, step); err != nil {
		t.Fatal(err)
	}
	var b Batch
	for {
		err := s.Next(&b)
		if err == io.EOF {
			return made, held
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Rows != b.Tensors[0].Shape()[0] || b.Rows != b.Weights.Len() {
			t.Fatalf("%d rows, %v, %v", b.Rows, b.Tensors[0], b.Weights)
		}
		made, held = append(made, b.Tensors[0].Floats()...), append(held, b.Tensors[1].Floats()...)
	}
}

func TestStreamDependsOnSeedEpochAndStepAlone(t *testing.T) {
	one := streamOf(t, 103, 10, 1)
	made, held := epochOf(t, one, 3, 0)
	seen := map[float32]bool{}
	for i, row := range held {
		if made[2*i] != row {
			t.Fatalf("row %g of the memory beside row %g of the source", row, made[2*i])
		}
		seen[row] = true
	}
	if len(seen) != 103 {
		t.Fatalf("%d of 103 rows", len(seen))
	}
	for _, threads := range []int{1, 2, 7} {
		s := streamOf(t, 103, 10, threads)
		for _, step := range []int{0, 4, 10, 11} {
			got, _ := epochOf(t, s, 3, step)
			if want := made[min(len(made), 2*10*step):]; !slices.Equal(got, want) {
				t.Errorf("%d threads from step %d differ", threads, step)
			}
		}
	}
	if other, _ := epochOf(t, one, 4, 0); slices.Equal(other, made) {
		t.Error("two epochs are the same")
	}
	// Keys do not depend on the size of batches.
	if other, _ := epochOf(t, streamOf(t, 103, 17, 2), 3, 0); !slices.Equal(other, made) {
		t.Error("another batch size gives other rows")
	}
}

func TestStreamGivesErrors(t *testing.T) {
	bad := errors.New("row 5 is damaged")
	s, err := NewStream([]*tensor.Tensor{nil, tensor.Zeros(20)}, []Source{{DType: tensor.Float32, Fill: func(row int, _ uint64, _ *tensor.Tensor, _ int) error {
		if row == 5 {
			return bad
		}
		return nil
	}}}, nil, 2, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	for step := 0; ; step++ {
		if err = s.Next(&b); err != nil {
			if step != 2 {
				t.Errorf("the error came with step %d, want 2", step)
			}
			break
		}
	}
	if !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
	// It can be begun anew, and left in the middle.
	if err := s.Seek(0, 3); err != nil {
		t.Fatal(err)
	}
	if err := s.Next(&b); err != nil || b.Rows != 2 {
		t.Errorf("%v", err)
	}
	s.Close()
	if _, err := NewStream([]*tensor.Tensor{nil}, nil, nil, 2, false, 0); err == nil {
		t.Error("a tensor without a source is taken")
	}
}
