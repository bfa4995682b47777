package metric

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// Twenty thousand rows through the least memory are sorted in many
// runs on disk, and have the values of one sample to the last digits.
func TestStreamSpills(t *testing.T) {
	s := churnLike(20_000, 9)
	r := rand.New(rand.NewPCG(1, 9))
	for range s.Target {
		s.Weight = append(s.Weight, r.Float64()*3)
	}
	ms := []*Metric{&rocAUC, &averagePrecision, &fpr95, &adaptiveECE, &ece, &logLoss, &accuracy}
	want, err := Values(s, ms)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	st, err := NewStream(Binary, nil, ms, StreamOptions{Memory: 8 << 10, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < s.Rows(); i += 1000 {
		at := make([]int, 1000)
		for j := range at {
			at[j] = i + j
		}
		if err := st.Add(s.Select(at)); err != nil {
			t.Fatal(err)
		}
	}
	if runs := st.partials[0].(*rankPartial).rows.rows.runs; len(runs) < 50 {
		t.Errorf("%d runs, expected many", len(runs))
	}
	if files, _ := os.ReadDir(dir); len(files) > 1 {
		t.Errorf("%d files, expected one at most", len(files))
	}
	got, err := st.Values()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range ms {
		if !near(got[i], want[i]) {
			t.Errorf("%s is %v, of one sample %v", m.Name, got[i], want[i])
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("%d files are left", len(files))
	}
}

// Streams whose rows went to disk are merged, with one of their metrics in memory
// and whichever is closed first; all orders of a stream, of which classes make
// many, lie in one file.
func TestStreamsThatSpilledMerge(t *testing.T) {
	classes := make([]string, 30)
	for i := range classes {
		classes[i] = string(rune('a' + i))
	}
	r := rand.New(rand.NewPCG(4, 4))
	many := &Sample{Kind: Multiclass, Classes: classes}
	for range 3000 {
		sum, row := 0.0, make([]float64, len(classes))
		for i := range row {
			row[i] = r.Float64()
			sum += row[i]
		}
		for i := range row {
			row[i] /= sum
		}
		many.Prob = append(many.Prob, row...)
		many.Target = append(many.Target, float64(r.IntN(len(classes))))
	}
	for _, c := range []struct {
		s  *Sample
		ms []*Metric
	}{
		{many, []*Metric{&rocAUCOvR, &rocAUCOvO, &adaptiveECE}},
		{priceLike(3000, 2), []*Metric{&spearman, &medianAE, &rmse}},
		{churnLike(3000, 2), []*Metric{&rocAUC, &adaptiveECE}},
	} {
		want, err := Values(c.s, c.ms)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		var streams []*Stream
		for part := range 3 {
			st, err := NewStream(c.s.Kind, c.s.Classes, c.ms, StreamOptions{Memory: 40 * 500, Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			for from := part * 1000; from < (part+1)*1000; from += 100 {
				var rows []int
				for i := range 100 {
					rows = append(rows, from+i)
				}
				if err := st.Add(c.s.Select(rows)); err != nil {
					t.Fatal(err)
				}
			}
			streams = append(streams, st)
		}
		if files, _ := os.ReadDir(dir); len(files) > len(streams) {
			t.Errorf("%v: %d files of %d streams", c.s.Kind, len(files), len(streams))
		}
		for _, other := range []int{2, 1} { // a chain: the first takes over what the second did
			if err := streams[other-1].Merge(streams[other]); err != nil {
				t.Fatal(err)
			}
			if err := streams[other].Close(); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			got, err := streams[0].Values()
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range c.ms {
				if math.Abs(got[i]-want[i]) > 1e-12*max(1, math.Abs(want[i])) {
					t.Errorf("%s is %v, of one sample %v", m.Name, got[i], want[i])
				}
			}
		}
		if err := streams[0].Close(); err != nil {
			t.Fatal(err)
		}
		if files, _ := os.ReadDir(dir); len(files) > 0 {
			t.Errorf("%d files are left", len(files))
		}
	}
}

// A full disk is an error of Add, and leaves nothing.
func TestStreamOnFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("the system has no device that is full")
	}
	dir := t.TempDir()
	st, err := NewStream(Binary, nil, []*Metric{&rocAUC}, StreamOptions{Memory: 1, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	d := st.partials[0].(*rankPartial).rows.rows.disk
	d.file, d.gone = full, true
	if err := st.Add(churnLike(50, 1)); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("found %v, want no space left", err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestStreamMistakes(t *testing.T) {
	fails := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, want %q", err, want)
		}
	}
	_, err := NewStream(Binary, nil, []*Metric{&rmse}, StreamOptions{})
	fails(err, "does not apply to a binary target")
	own := Metric{Name: "own", Kinds: classification, Needs: Pred, Compute: func(*Sample) float64 { return 0 }}
	_, err = NewStream(Binary, nil, []*Metric{&own}, StreamOptions{})
	fails(err, "cannot be summed up in batches")
	st, err := NewStream(Binary, nil, []*Metric{&rocAUC}, StreamOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	_, err = st.Values()
	fails(err, "no row counts")
	fails(st.Add(priceLike(3, 1)), "expected binary")
	fails(st.Add(&Sample{Kind: Binary, Target: []float64{1}}), "needs probabilities or scores")
	fails(st.Add(&Sample{Kind: Binary, Target: []float64{1, 0}, Prob: []float64{0.5, 2}}), "row 1")
	other, err := NewStream(Binary, nil, []*Metric{&accuracy}, StreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fails(st.Merge(other), "same metrics")
	if err := st.Add(&Sample{Kind: Binary, Target: []float64{1, 0}, Prob: []float64{0.5, 0.2}, Weight: []float64{0, 0}}); err != nil {
		t.Errorf("a batch that weighs nothing: %v", err)
	}
	gone, err := NewStream(Binary, nil, []*Metric{&rocAUC}, StreamOptions{Memory: 1, Dir: "/no/such/folder"})
	if err != nil {
		t.Fatal(err)
	}
	fails(gone.Add(churnLike(50, 1)), "/no/such/folder")
}

// The order of keys is that of numbers, and back.
func TestOrderKey(t *testing.T) {
	values := []float64{math.Inf(-1), -1e300, -1, -5e-324, 0, 5e-324, 0.5, 1, math.MaxFloat64, math.Inf(1)}
	var keys []uint64
	for _, v := range values {
		keys = append(keys, orderKey(v))
		if back := fromOrderKey(orderKey(v)); back != v {
			t.Errorf("%v comes back as %v", v, back)
		}
	}
	if !slices.IsSorted(keys) || orderKey(math.Copysign(0, -1)) != orderKey(0) {
		t.Errorf("%x", keys)
	}
}

// Bins of equal mass are those of the adaptive ECE.
func TestEqualMass(t *testing.T) {
	s := churnLike(500, 6)
	for i := range s.Target {
		s.Weight = append(s.Weight, float64(i%4))
	}
	bins, err := EqualMass(s, eceBins)
	if err != nil {
		t.Fatal(err)
	}
	gap, total, last := 0.0, 0.0, -1.0
	for _, b := range bins {
		if b.Low <= last || b.High < b.Low || b.Predicted < b.Low || b.Predicted > b.High {
			t.Errorf("a bin out of order: %+v after %v", b, last)
		}
		last = b.High
		gap += b.Weight * math.Abs(b.Predicted-b.Observed)
		total += b.Weight
	}
	want, _ := adaptiveECE.Value(s)
	if !near(gap/total, want) || len(bins) != eceBins {
		t.Errorf("%d bins are %v off, the adaptive ECE is %v", len(bins), gap/total, want)
	}
	if _, err := EqualMass(s, 0); err == nil {
		t.Error("no bins are no error")
	}
	if _, err := EqualMass(&Sample{Kind: Binary, Target: []float64{1}, Score: []float64{3}}, 5); err == nil {
		t.Error("scores have a calibration")
	}
}
