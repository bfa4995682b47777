package train

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// pictures returns rows of 6 by 5 places with 2 channels and a class of 3.
func pictures(rows int) Dataset {
	x, y := normal(3, rows, 6, 5, 2), tensor.New(tensor.Int32, rows)
	for i := range rows {
		y.Ints()[i] = int32(i % 3)
	}
	return Data(x, y)
}

// mixedBatch returns a batch of all rows, and the mixer, of a data set.
func mixedBatch(t *testing.T, d Dataset, o Options) (*Batch, *mixer) {
	t.Helper()
	b := graph.New("test")
	dims := func(x *tensor.Tensor) []graph.Dim {
		out := []graph.Dim{graph.Rows}
		for _, n := range x.Shape()[1:] {
			out = append(out, graph.N(n))
		}
		return out
	}
	m, err := newMixer(&o, []*graph.Node{b.Input("x", d.X.DType(), dims(d.X)...)}, []*graph.Node{b.Input("y", d.Y.DType(), dims(d.Y)...)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.batches(0, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	var batch Batch
	if err := all.Next(&batch); err != nil {
		t.Fatal(err)
	}
	return &batch, m
}

// TestMixup: what a row became is, in every number, the share of its weight on the
// way to its partner, and both weights of a row stay what the pair weighed.
func TestMixup(t *testing.T) {
	d := pictures(7)
	d.Weights = []float32{1, 2, 0, 1, 1, 1, 3}
	b, m := mixedBatch(t, d, Options{Mixup: 0.7, Seed: 5})
	m.mix(b, 2, 9)
	x, n := d.X.Floats(), d.X.RowLen()
	for i := range 7 {
		j := 6 - i
		if got := m.targets[0].Ints()[i]; got != d.Y.Ints()[j] {
			t.Errorf("row %d: the other target is %d, expected %d", i, got, d.Y.Ints()[j])
		}
		kept, given := float64(b.Weights.Floats()[i]), float64(m.weights.Floats()[i])
		if i == j {
			if kept != float64(d.Weights[i]) || given != 0 {
				t.Errorf("the row in the middle weighs %g and %g, expected to be left alone", kept, given)
			}
			continue
		}
		share := 0.0
		switch {
		case d.Weights[i] > 0:
			share = kept / float64(d.Weights[i])
		default:
			share = 1 - given/float64(d.Weights[j])
		}
		if share <= 0 || share >= 1 || math.Abs(kept-share*float64(d.Weights[i])) > 1e-6 || math.Abs(given-(1-share)*float64(d.Weights[j])) > 1e-6 {
			t.Errorf("row %d: weights %g and %g of a share of %g", i, kept, given, share)
		}
		for k := range n {
			want := share*float64(x[i*n+k]) + (1-share)*float64(x[j*n+k])
			if got := float64(b.Tensors[0].Floats()[i*n+k]); math.Abs(got-want) > 1e-5 {
				t.Fatalf("row %d, number %d is %g, expected %g", i, k, got, want)
			}
		}
	}
}

// TestCutMix: every place holds its own pixel or the partner's, those of the partner
// are a rectangle, and their share of the area is the other target's weight.
func TestCutMix(t *testing.T) {
	d := pictures(40)
	b, m := mixedBatch(t, d, Options{CutMix: 1, Seed: 1})
	m.mix(b, 0, 0)
	x, got := d.X.Floats(), b.Tensors[0].Floats()
	changed := 0
	for i := range 40 {
		j := 39 - i
		r0, r1, c0, c1, from := 9, -1, 9, -1, 0
		for r := range 6 {
			for c := range 5 {
				at := (r*5 + c) * 2
				switch v := got[i*60+at]; v {
				case x[i*60+at]:
				case x[j*60+at]:
					from++
					r0, r1, c0, c1 = min(r0, r), max(r1, r), min(c0, c), max(c1, c)
				default:
					t.Fatalf("row %d has %g, expected a pixel of row %d or %d", i, v, i, j)
				}
			}
		}
		if from > 0 && (r1-r0+1)*(c1-c0+1) != from {
			t.Errorf("row %d: %d places of the other in a frame of %d by %d", i, from, r1-r0+1, c1-c0+1)
		}
		if share := float64(m.weights.Floats()[i]); math.Abs(share-float64(from)/30) > 1e-6 || math.Abs(float64(b.Weights.Floats()[i])+share-1) > 1e-6 {
			t.Errorf("row %d: %d of 30 places are the other's, whose target weighs %g", i, from, share)
		}
		changed += from
	}
	if changed == 0 || changed == 40*30 {
		t.Errorf("%d of %d places changed", changed, 40*30)
	}
}

// TestMixWithBothDrawsOneForABatch, and shares of Beta(α, α) have its mean and
// variance, 1/2 and 1/(4·(2α+1)).
func TestMixWithBothDrawsOneForABatch(t *testing.T) {
	d := pictures(20)
	cuts := 0
	for step := range 200 {
		b, m := mixedBatch(t, d, Options{Mixup: 1, CutMix: 1})
		m.mix(b, 0, step)
		whole := 0
		for i, v := range b.Tensors[0].Floats() {
			if v == d.X.Floats()[i] {
				whole++
			}
		}
		if whole > 0 {
			cuts++
		}
	}
	if cuts < 70 || cuts > 130 {
		t.Errorf("%d of 200 batches were cut, expected about half", cuts)
	}
	for _, alpha := range []float64{0.2, 1, 2} {
		r, n := splitmix.Draws(3), 20000
		sum, square := 0.0, 0.0
		for range n {
			v := beta(alpha, &r)
			sum, square = sum+v, square+v*v
		}
		mean := sum / float64(n)
		variance, want := square/float64(n)-mean*mean, 1/(4*(2*alpha+1))
		if math.Abs(mean-0.5) > 0.015 || math.Abs(variance/want-1) > 0.05 {
			t.Errorf("Beta(%g, %g): mean %.3f and variance %.4f, expected 0.5 and %.4f", alpha, alpha, mean, variance, want)
		}
	}
}

// TestMixedLoss: the loss of a step is the mean over both targets, by the shares;
// a network whose outputs are all equal shows it: its loss is ln 3 whatever is mixed.
func TestMixedLoss(t *testing.T) {
	d := pictures(30)
	net := nn.Sequential(nn.Flatten(), nn.Dense(3, nn.Init(nn.Zeros)))
	fit, err := New(net, loss.SparseCategoricalCrossEntropy.FromLogits(), optim.SGD(0)).Fit(context.Background(), d, Epochs(1), BatchSize(10), Mixup(0.4), CutMix(1))
	if err != nil {
		t.Fatal(err)
	}
	if got := fit.History[0].Loss; math.Abs(got-math.Log(3)) > 1e-6 {
		t.Errorf("the loss is %g, expected ln 3", got)
	}
}

// TestMixResumes: stopped in the middle of an epoch, training with mixtures ends at
// the bits of one that was not.
func TestMixResumes(t *testing.T) {
	d := pictures(50)
	train := func(ctx context.Context, opts ...Option) (*Fit, error) {
		net := nn.Sequential(nn.Conv2D(3, 3, 3), nn.ReLU, nn.Flatten(), nn.Dense(3))
		opts = append(opts, Epochs(3), BatchSize(8), Seed(4), Mixup(0.4), CutMix(1))
		return New(net, loss.SparseCategoricalCrossEntropy.FromLogits(), optim.Adam(0.01)).Fit(ctx, d, opts...)
	}
	whole, err := train(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "checkpoint")
	ctx, stop := context.WithCancel(context.Background())
	steps := 0
	_, err = train(ctx, Checkpoint(file), With(func(o *Options) {
		o.OnStep = func(Progress) {
			if steps++; steps == 10 {
				stop()
			}
		}
	}))
	if err != ErrStopped {
		t.Fatalf("%v, expected to be stopped", err)
	}
	resumed, err := train(context.Background(), Checkpoint(file))
	if err != nil {
		t.Fatal(err)
	}
	if !resumed.Resumed {
		t.Error("training began anew")
	}
	sameBits(t, "resumed", values(resumed.State), values(whole.State))
}

func TestMixRefuses(t *testing.T) {
	classes := tensor.New(tensor.Int32, 4)
	for _, c := range []struct {
		d    Dataset
		opt  Option
		want string
	}{
		{linear(4, 0), CutMix(1), "expected float32[rows height width channels]"},
		{Data(classes, tensor.Zeros(4, 1)), Mixup(1), "which input \"x\", of int32[rows], does not allow"},
		{linear(4, 0), Mixup(3), "mixup is 3"},
		{linear(4, 0), CutMix(math.NaN()), "cutmix NaN"},
	} {
		net := nn.Func(func(c *nn.Context, x *graph.Node) *graph.Node { return nn.Dense(1).Apply(c, x) })
		_, err := New(net, loss.MeanSquaredError, optim.SGD(0.1)).Fit(context.Background(), c.d, c.opt, Epochs(1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
}
