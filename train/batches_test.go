package train

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hone-ml/hone/engine/tensor"
)

func TestPermutationIsABijection(t *testing.T) {
	for n := 1; n <= 300; n++ {
		p := newPermutation(n, 7, uint64(n%5))
		seen := make([]bool, n)
		for i := range n {
			at := p.at(i)
			if at < 0 || at >= n || seen[at] {
				t.Fatalf("n %d: place %d goes to %d, out of range or twice", n, i, at)
			}
			seen[at] = true
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20000).Draw(t, "n")
		p := newPermutation(n, rapid.Uint64().Draw(t, "seed"), rapid.Uint64().Draw(t, "epoch"))
		sum := 0
		seen := make([]bool, n)
		for i := range n {
			sum += p.at(i)
			seen[p.at(i)] = true
		}
		if sum != n*(n-1)/2 || slices.Contains(seen, false) {
			t.Fatalf("n %d is not permuted", n)
		}
	})
}

// TestPermutationSpreads holds the shuffle against what chance would do: every
// row comes to every quarter of the epoch about equally often.
func TestPermutationSpreads(t *testing.T) {
	const n, epochs = 101, 400
	var count [n][4]int
	moved := 0
	for e := range uint64(epochs) {
		p := newPermutation(n, 3, e)
		for i := range n {
			count[p.at(i)][4*i/n]++
			if p.at(i) != i {
				moved++
			}
		}
	}
	for row, c := range count {
		for quarter, k := range c {
			// 100 expected, with a deviation of 8.7: five of them.
			if k < 56 || k > 144 {
				t.Errorf("row %d is in quarter %d in %d of %d epochs, expected about %d", row, quarter, k, epochs, epochs/4)
			}
		}
	}
	if moved < n*epochs*95/100 {
		t.Errorf("only %d of %d places moved", moved, n*epochs)
	}
}

// drain returns the rows of the rest of the epoch, by their first column, batch
// by batch.
func drain(t *testing.T, m *Memory) [][]float32 {
	t.Helper()
	var out [][]float32
	var b Batch
	for {
		err := m.Next(&b)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var rows []float32
		for i := range b.Rows {
			v := b.Tensors[0].Floats()[2*i]
			if b.Tensors[0].Floats()[2*i+1] != -v || b.Tensors[1].Ints()[i] != int32(v) || b.Weights.Floats()[i] != v+1 {
				t.Fatalf("row %d of a batch is torn: %v, %v, %v", i, b.Tensors[0].Floats(), b.Tensors[1].Ints(), b.Weights.Floats())
			}
			rows = append(rows, v)
		}
		out = append(out, rows)
	}
}

// numbered returns batches of rows whose values tell their number.
func numbered(t *testing.T, rows, size int, shuffle bool) *Memory {
	t.Helper()
	x, id := tensor.Zeros(rows, 2), tensor.New(tensor.Int32, rows)
	weights := make([]float32, rows)
	for i := range rows {
		x.Floats()[2*i], x.Floats()[2*i+1] = float32(i), -float32(i)
		id.Ints()[i], weights[i] = int32(i), float32(i+1)
	}
	m, err := NewMemory([]*tensor.Tensor{x, id}, weights, size, shuffle, 5)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemorySeek(t *testing.T) {
	for _, c := range []struct{ rows, size, steps, last int }{{10, 3, 4, 1}, {12, 3, 4, 3}, {7, 0, 1, 7}, {7, 100, 1, 7}, {5, 1, 5, 1}, {1, 1, 1, 1}} {
		for _, shuffle := range []bool{false, true} {
			m := numbered(t, c.rows, c.size, shuffle)
			if m.Rows() != c.rows || m.Steps() != c.steps {
				t.Errorf("%+v: %d rows in %d steps", c, m.Rows(), m.Steps())
			}
			for epoch := range 3 {
				if err := m.Seek(epoch, 0); err != nil {
					t.Fatal(err)
				}
				whole := drain(t, m)
				if len(whole) != c.steps || len(whole[c.steps-1]) != c.last {
					t.Errorf("%+v: epoch %d is %v", c, epoch, whole)
				}
				all := slices.Concat(whole...)
				sorted := slices.Sorted(slices.Values(all))
				for i, v := range sorted {
					if v != float32(i) {
						t.Fatalf("%+v: epoch %d holds %v, expected every row once", c, epoch, sorted)
					}
				}
				if !shuffle && !slices.IsSorted(all) {
					t.Errorf("%+v: not in order: %v", c, all)
				}
				// From another place, and through another epoch.
				for step := 0; step <= c.steps; step++ {
					if err := m.Seek(epoch+9, c.steps/2); err != nil {
						t.Fatal(err)
					}
					if err := m.Seek(epoch, step); err != nil {
						t.Fatal(err)
					}
					if got := drain(t, m); !slices.EqualFunc(got, whole[step:], slices.Equal) {
						t.Errorf("%+v: epoch %d from step %d is %v, walking there gives %v", c, epoch, step, got, whole[step:])
					}
				}
			}
			if err := m.Seek(0, c.steps+1); err == nil {
				t.Errorf("%+v: a step beyond the epoch was found", c)
			}
		}
	}
}

func TestMemoryEpochsDiffer(t *testing.T) {
	m := numbered(t, 50, 10, true)
	first := drain(t, m)
	if err := m.Seek(1, 0); err != nil {
		t.Fatal(err)
	}
	if second := drain(t, m); slices.EqualFunc(first, second, slices.Equal) {
		t.Error("two epochs have the same order")
	}
}

func TestMemoryErrors(t *testing.T) {
	x, y := tensor.Zeros(4, 2), tensor.Zeros(4)
	for _, c := range []struct {
		tensors []*tensor.Tensor
		weights []float32
		size    int
		want    string
	}{
		{nil, nil, 1, "no tensors"},
		{[]*tensor.Tensor{tensor.Scalar(1)}, nil, 1, "is a scalar"},
		{[]*tensor.Tensor{x, tensor.Zeros(3)}, nil, 1, "tensor 1 has 3 rows, tensor 0 has 4"},
		{[]*tensor.Tensor{tensor.Zeros(0, 2)}, nil, 1, "no rows"},
		{[]*tensor.Tensor{x, y}, []float32{1}, 1, "1 weights for 4 rows"},
		{[]*tensor.Tensor{x, y}, []float32{1, -1, 1, 1}, 1, "the weight of row 1 is -1"},
		{[]*tensor.Tensor{x, y}, make([]float32, 4), 1, "the weights of all 4 rows are 0"},
		{[]*tensor.Tensor{x, y}, nil, -1, "batch size -1"},
	} {
		if _, err := NewMemory(c.tensors, c.weights, c.size, false, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, expected %q", err, c.want)
		}
	}
}

func TestMemoryBytes(t *testing.T) {
	if got, want := numbered(t, 10, 3, true).Bytes(), 10*(8+4+4); got != want {
		t.Errorf("%d bytes, expected %d", got, want)
	}
}
