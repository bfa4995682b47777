package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var spare []uint64
	for _, n := range []int{0, 1, 63, 64, 1000, 20_000} {
		for _, mask := range []uint64{0, 7, 1<<63 | 1, 0xffff << 20, math.MaxUint64} {
			keys := make([]uint64, n)
			for i := range keys {
				keys[i] = r.Uint64() & mask
			}
			want := slices.Clone(keys)
			slices.Sort(want)
			if keys, spare = sortKeys(keys, spare); !slices.Equal(keys, want) {
				t.Fatalf("%d keys under %x are not in order", n, mask)
			}
		}
	}
}

func TestFallingKey(t *testing.T) {
	last := uint64(0)
	for _, p := range []float64{1, 1 - 0x1p-53, 0.5, 1e-300, math.SmallestNonzeroFloat64, 0, math.Copysign(0, -1)} {
		k := fallingKey(p)
		if p < 1 && !(k > last || p == 0 && k == last) || k >= 1<<63 || fromFallingKey(k) != p {
			t.Errorf("the key of %v is %x and means %v, the one before %x", p, k, fromFallingKey(k), last)
		}
		last = k
	}
}

// TestRankRowsWithAndWithoutWeights: rows of one weight are kept as keys, on disk
// beyond a limit, until others come.
func TestRankRowsWithAndWithoutWeights(t *testing.T) {
	ms := []*Metric{&rocAUC, &averagePrecision, &fpr95}
	s := churnLike(5000, 3)
	for i := range s.Prob {
		s.Prob[i] = math.Round(s.Prob[i]*200) / 200 // ties, zeros and ones
	}
	for _, from := range []int{0, 1000, 4999, 5000} { // where the weights begin
		whole := *s
		whole.Weight = make([]float64, s.Rows())
		for i := range whole.Weight {
			if whole.Weight[i] = 1; i >= from {
				whole.Weight[i] = 2
			}
		}
		want, err := Values(&whole, ms)
		if err != nil {
			t.Fatal(err)
		}
		st, err := NewStream(Binary, nil, ms, StreamOptions{Memory: 8 << 10, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < s.Rows(); {
			end := min(i+500, s.Rows())
			if i < from {
				end = min(end, from)
			}
			rows := make([]int, end-i)
			for k := range rows {
				rows[k] = i + k
			}
			part := whole.Select(rows)
			if i < from {
				part.Weight = nil
			}
			if err := st.Add(part); err != nil {
				t.Fatal(err)
			}
			i = end
		}
		for range 2 { // values may be asked for again
			got, err := st.Values()
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range ms {
				if !near(got[i], want[i]) {
					t.Errorf("weights from row %d on: %s is %v, of one sample %v", from, m.Name, got[i], want[i])
				}
			}
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMedianWithAndWithoutWeights: as of ranks, and of parts that are merged.
func TestMedianWithAndWithoutWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	ms := []*Metric{&medianAE}
	stream := func(parts ...*Sample) *Stream {
		t.Helper()
		st, err := NewStream(Regression, nil, ms, StreamOptions{Memory: 4 << 10, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if err := st.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		return st
	}
	for _, n := range []int{1, 2, 999, 1000} {
		all := &Sample{Kind: Regression}
		for range 2 * n {
			all.Target, all.Pred, all.Weight = append(all.Target, 0), append(all.Pred, r.NormFloat64()), append(all.Weight, 1)
		}
		part := func(from, to int, weight []float64) *Sample {
			return &Sample{Kind: Regression, Target: all.Target[from:to], Pred: all.Pred[from:to], Weight: weight}
		}
		for i := n; i < 2*n; i++ {
			all.Weight[i] = float64(1 + i%3)
		}
		even, mixed := part(0, n, nil), stream(part(0, n, nil), part(n, 2*n, all.Weight[n:]))
		merged := stream(part(0, n, nil))
		if err := merged.Merge(stream(part(n, 2*n, all.Weight[n:]))); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			of *Sample
			st *Stream
		}{{even, stream(even)}, {all, mixed}, {all, merged}} {
			want, err := medianAE.Value(c.of)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.st.Values()
			if err != nil || math.Abs(got[0]-want) > 1e-15 {
				t.Errorf("%d rows: the median is %v, of one sample %v, %v", n, got, want, err)
			}
			if err := c.st.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
