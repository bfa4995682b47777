package train

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/optim"
)

// sampled returns numbered rows, every tenth of class 1, every 25th of class 2.
func sampled(t *testing.T, rows, size int, share ...float64) (*Memory, []int) {
	t.Helper()
	m, class := numbered(t, rows, size, true), make([]int, rows)
	for i := range class {
		switch {
		case i%25 == 3:
			class[i] = 2
		case i%10 == 0:
			class[i] = 1
		}
	}
	if err := m.SampleClasses(class, share); err != nil {
		t.Fatal(err)
	}
	return m, class
}

func TestSampleClasses(t *testing.T) {
	for _, c := range []struct {
		share []float64
		want  []int // draws in an epoch of 200
	}{
		{[]float64{1, 1, 1}, []int{67, 67, 66}},
		{[]float64{5, 4, 1}, []int{100, 80, 20}},
		{[]float64{1, 1, 0}, []int{100, 100, 0}},
		{[]float64{0, 0, 3}, []int{0, 0, 200}},
		{[]float64{0.999, 0.001, 0}, []int{200, 0, 0}},
	} {
		m, class := sampled(t, 200, 16, c.share...)
		have := make([]int, 3)
		for _, k := range class {
			have[k]++
		}
		times := make([]int, 200)
		drawn := make([]int, 3)
		var before []float32
		for epoch := range 20 {
			if err := m.Seek(epoch, 0); err != nil {
				t.Fatal(err)
			}
			whole := drain(t, m)
			all := slices.Concat(whole...)
			count := make([]int, 3)
			for _, v := range all {
				count[class[int(v)]]++
				times[int(v)]++
			}
			if len(all) != 200 || !slices.Equal(count, c.want) {
				t.Fatalf("%v: epoch %d draws %v of %d rows, expected %v", c.share, epoch, count, len(all), c.want)
			}
			if slices.Equal(all, before) {
				t.Errorf("%v: epochs %d and %d are the same", c.share, epoch-1, epoch)
			}
			before = all
			for k := range drawn {
				drawn[k] += count[k]
			}
			// No row comes again before all others of its class came.
			for row, k := range class {
				if n := times[row]; n < drawn[k]/have[k] || n > (drawn[k]+have[k]-1)/have[k] {
					t.Fatalf("%v: after epoch %d row %d of class %d came %d times, its %d rows together %d times", c.share, epoch, row, k, n, have[k], drawn[k])
				}
			}
			// From any step, out of order.
			for _, step := range []int{12, 0, 5, 13} {
				if err := m.Seek(epoch, step); err != nil {
					t.Fatal(err)
				}
				if got := drain(t, m); !slices.EqualFunc(got, whole[step:], slices.Equal) {
					t.Fatalf("%v: epoch %d from step %d differs from walking there", c.share, epoch, step)
				}
			}
		}
		if got := m.Bytes(); got != 200*(8+4+4+4) {
			t.Errorf("%d bytes", got)
		}
	}
}

// TestSampledOrderIsShuffled: the classes are mixed, not one after another.
func TestSampledOrderIsShuffled(t *testing.T) {
	m, class := sampled(t, 400, 100, 1, 1, 0)
	for i, batch := range drain(t, m) {
		rare := 0
		for _, v := range batch {
			rare += class[int(v)]
		}
		if rare < 30 || rare > 70 { // 50 expected, with a deviation of 4.3
			t.Errorf("batch %d has %d of 100 rows of class 1, expected about 50", i, rare)
		}
	}
}

func TestSampleClassesErrors(t *testing.T) {
	for _, c := range []struct {
		class []int
		share []float64
		want  string
	}{
		{[]int{0, 1}, []float64{1, 1}, "2 classes for 4 rows"},
		{[]int{0, 1, 2, 0}, []float64{1, 1}, "the class of row 2 is 2"},
		{[]int{0, -1, 0, 0}, []float64{1, 1}, "the class of row 1 is -1"},
		{[]int{0, 1, 0, 0}, []float64{1, -1}, "the share of class 1 is -1"},
		{[]int{0, 0, 0, 0}, []float64{1, 1}, "class 1 is to be sampled, but no row has it"},
		{[]int{0, 1, 0, 0}, []float64{0, 0}, "add up to 0"},
	} {
		m := numbered(t, 4, 2, true)
		if err := m.SampleClasses(c.class, c.share); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %v: %v, expected %q", c.class, c.share, err, c.want)
		}
	}
}

// sampledRows are rows of the mixed task, of which those of a rare class come as
// often as all others together.
func sampledRows(t testing.TB) *Memory {
	t.Helper()
	rows, class := mixedRows(t, 1, 60, 13, true, 0.3), make([]int, 60)
	for i := range class {
		if i%12 == 5 {
			class[i] = 1
		}
	}
	if err := rows.SampleClasses(class, []float64{1, 1}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestResumeSampled interrupts after every batch, within epochs too; TestKill
// kills such a run.
func TestResumeSampled(t *testing.T) {
	options := func(path string) Options {
		return Options{Epochs: 4, Optimizer: optim.Adam(0.02), Restore: true, Checkpoint: path}
	}
	state, want, err := runOn(t, sampledRows(t), options(""), 0)
	if err != nil {
		t.Fatal(err)
	}
	bits := everything(state)
	for after := 1; after < 20; after += 2 {
		path := filepath.Join(t.TempDir(), "run.checkpoint")
		if _, _, err := runOn(t, sampledRows(t), options(path), after); !errors.Is(err, ErrStopped) {
			t.Fatalf("after %d: %v", after, err)
		}
		state, got, err := runOn(t, sampledRows(t), options(path), 0)
		if err != nil || !got.Resumed {
			t.Fatalf("after %d: %+v, %v", after, got, err)
		}
		sameBits(t, "resumed", everything(state), bits)
		sameHistory(t, "resumed", got, want)
	}
	plain, _, err := runMixed(t, options(""), 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range everything(plain) {
		if strings.Contains(name, "kernel") && !slices.Equal(v, bits[name]) {
			return
		}
	}
	t.Error("sampling changed nothing")
}

func BenchmarkSampledBatch(b *testing.B) {
	const rows = 200_000
	class := make([]int, rows)
	for i := range class {
		if i%50 == 0 {
			class[i] = 1
		}
	}
	for _, sample := range []bool{false, true} {
		b.Run(map[bool]string{false: "every row once", true: "balanced"}[sample], func(b *testing.B) {
			m, err := NewMemory([]*tensor.Tensor{tensor.Zeros(rows, 20)}, nil, 256, true, 1)
			if err == nil && sample {
				err = m.SampleClasses(class, []float64{1, 1})
			}
			if err != nil {
				b.Fatal(err)
			}
			var batch Batch
			for b.Loop() {
				if m.Next(&batch) != nil {
					_ = m.Seek(0, 0)
				}
			}
		})
	}
}
