package train

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

func TestSizes(t *testing.T) {
	for size, want := range []int{8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768} {
		if got := SizeLength(size); got != want {
			t.Errorf("size %d is of %d, expected %d", size, got, want)
		}
		if LengthSize(want) != size || LengthSize(want+1) != size+1 {
			t.Errorf("lengths %d and %d have sizes %d and %d", want, want+1, LengthSize(want), LengthSize(want+1))
		}
	}
	if LengthSize(0) != 0 {
		t.Error("nothing has no size 0")
	}
}

// lines returns sequences whose numbers tell their row, in batches beside its
// number; row i is of length i·7 mod most.
func lines(t *testing.T, rows, size, most int, shuffle bool) *Stream {
	t.Helper()
	id, lengths := tensor.Zeros(rows), make([]int32, rows)
	for i := range rows {
		id.Floats()[i], lengths[i] = float32(i), int32(i*7%most)
	}
	s, err := NewStream([]*tensor.Tensor{id, nil}, []Source{{
		DType: tensor.Int32, Row: []int{most}, Lengths: lengths, Bytes: 4 * rows * most / 2,
		Fill: func(row int, _ uint64, out *tensor.Tensor, at int) error {
			n := out.RowLen()
			for i := range n {
				if out.Ints()[at*n+i] = -1; i < int(lengths[row]) {
					out.Ints()[at*n+i] = int32(row % 10)
				}
			}
			return nil
		},
	}}, nil, size, shuffle, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// rest returns the rows of the rest of the epoch, batch by batch.
func rest(t *testing.T, s *Stream) [][]int {
	t.Helper()
	var out [][]int
	var b Batch
	for {
		err := s.Next(&b)
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		length, longest := b.Tensors[1].Shape()[1], 0
		for i, row := range b.At {
			if int(b.Tensors[0].Floats()[i]) != row {
				t.Fatalf("row %g is said to be %d", b.Tensors[0].Floats()[i], row)
			}
			n := 0
			for _, v := range b.Tensors[1].Ints()[i*length : (i+1)*length] {
				if v >= 0 {
					n++
				}
			}
			if want := row * 7 % 90; n != want {
				t.Fatalf("row %d has %d numbers in a batch of length %d, expected %d", row, n, length, want)
			}
			longest = max(longest, n)
		}
		if want := min(90, SizeLength(LengthSize(longest))); length != want || b.Size != LengthSize(longest) {
			t.Fatalf("a batch of up to %d numbers has size %d and length %d, expected %d", longest, b.Size, length, want)
		}
		out = append(out, slices.Clone(b.At))
	}
}

// TestBatchesOfSequences: an epoch has each row once, rows of similar length
// together, from any step on the same; another epoch other batches.
func TestBatchesOfSequences(t *testing.T) {
	for _, c := range []struct{ rows, size, steps int }{{1000, 10, 100}, {1003, 10, 101}, {333, 10, 34}, {7, 0, 1}, {5, 100, 1}, {64, 1, 64}} {
		s := lines(t, c.rows, c.size, 90, true)
		if s.Steps() != c.steps {
			t.Errorf("%+v: %d steps", c, s.Steps())
		}
		whole := rest(t, s)
		all := slices.Sorted(slices.Values(slices.Concat(whole...)))
		for i, row := range all {
			if i != row || len(all) != c.rows {
				t.Fatalf("%+v: an epoch holds %v", c, all)
			}
		}
		for _, step := range []int{c.steps / 3, c.steps - 1, c.steps, 0} {
			if err := s.Seek(1, min(1, c.steps)); err != nil {
				t.Fatal(err)
			}
			other := rest(t, s)
			if err := s.Seek(0, step); err != nil {
				t.Fatal(err)
			}
			if got := rest(t, s); !slices.EqualFunc(got, whole[step:], slices.Equal) {
				t.Errorf("%+v: from step %d the epoch is another", c, step)
			}
			if c.steps > 5 && slices.EqualFunc(other, whole[1:], slices.Equal) {
				t.Errorf("%+v: two epochs are the same", c)
			}
		}
		places, filled := 0, 0
		for _, rows := range whole {
			longest := 0
			for _, row := range rows {
				places += row * 7 % 90
				longest = max(longest, row*7%90)
			}
			filled += longest * len(rows)
		}
		if c.rows > 500 && float64(filled) > 1.2*float64(places) {
			t.Errorf("%+v: %d places for %d numbers", c, filled, places)
		}
	}
}

// TestUnshuffledSequences: what is not trained on comes by size, whatever is asked
// of a batch.
func TestUnshuffledSequences(t *testing.T) {
	for _, size := range []int{0, 1, 10, 1000} {
		s := lines(t, 500, size, 90, false)
		whole := rest(t, s)
		if len(whole) != s.Steps() {
			t.Errorf("%d steps, said to be %d", len(whole), s.Steps())
		}
		for _, rows := range whole {
			for _, row := range rows {
				if LengthSize(row*7%90) != LengthSize(rows[0]*7%90) {
					t.Fatalf("rows %d and %d of one batch have two sizes", rows[0], row)
				}
			}
		}
		if all := slices.Sorted(slices.Values(slices.Concat(whole...))); len(all) != 500 || all[499] != 499 {
			t.Errorf("batches of %d hold %d rows", size, len(all))
		}
	}
	if got, want := lines(t, 100, 10, 90, false).Bytes(), 4*100*45+4*100; got != want {
		t.Errorf("%d bytes, expected %d", got, want)
	}
}

// mean10 learns the mean of vectors of a sequence's numbers.
type mean10 struct{ most, length int }

func (t mean10) At(size int) Task { return mean10{t.most, min(t.most, SizeLength(size))} }
func (t mean10) Targets(b *graph.Builder) []*graph.Node {
	return nil
}
func (t mean10) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("id", tensor.Float32, graph.Rows), b.Input("numbers", tensor.Int32, graph.Rows, graph.N(t.length))}
}
func (t mean10) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	h := nn.Sequential(nn.EmbeddingBag(10, 4, nn.BagMean), nn.Dropout(0.2), nn.Dense(1)).Apply(c, in[1])
	return []*graph.Node{graph.Concat(-1, h, graph.Reshape(in[0], graph.Rows, graph.N(1)))}
}
func (t mean10) Loss(c *nn.Context, out, _ []*graph.Node) *graph.Node {
	return loss.MeanSquaredError.Of(graph.Slice(out[0], 1, 0, 1), graph.Scale(graph.Slice(out[0], 1, 1, 2), 0.01))
}

// TestSequencesResume: a run over several sizes that was interrupted after any batch
// ends at the same bits, and its scores see the rows in their order.
func TestSequencesResume(t *testing.T) {
	run := func(path string, stop int) (*graph.State, *Result, error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		state, n := graph.NewState(), 0
		r, err := Run(ctx, mean10{most: 90, length: 90}, state, lines(t, 130, 13, 90, true), lines(t, 50, 20, 90, false), Options{
			Epochs: 2, Optimizer: optim.Adam(0.02), Seed: 3, Restore: true, Checkpoint: path, Fingerprint: "x",
			OnStep: func(Progress) {
				if n++; n == stop {
					cancel()
				}
			},
			Score: func(pred [][]float32) (map[string]float64, error) {
				for i := range 50 {
					if pred[0][2*i+1] != float32(i) {
						t.Fatalf("place %d of the predictions is of row %g", i, pred[0][2*i+1])
					}
				}
				return nil, nil
			},
		})
		return state, r, err
	}
	state, want, err := run("", 0)
	if err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop < 20; stop += 3 {
		path := filepath.Join(t.TempDir(), "run.checkpoint")
		if _, _, err := run(path, stop); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		again, got, err := run(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		sameBits(t, "resumed", everything(again), everything(state))
		sameHistory(t, "resumed", got, want)
	}
}
