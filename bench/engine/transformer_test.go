package main

import (
	"slices"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
)

// BenchmarkTransformer times steps of M4, M5 and P4 without the peers, and
// tells the share of the arithmetic's floor.
//
//	go test -run - -bench Transformer/M4 -cpuprofile cpu.prof ./bench/engine
func BenchmarkTransformer(b *testing.B) {
	for _, c := range transformerCases() {
		for _, threads := range []int{1, 2} {
			b.Run(c.Group+"/"+c.Name+"/"+string(rune('0'+threads)), func(b *testing.B) {
				step := readyStep(b, c)
				cpu.SetThreads(threads)
				peak := cpu.MeasureCeilings(nil).PeakGFLOPS
				b.ReportAllocs()
				for b.Loop() {
					if _, err := step(); err != nil {
						b.Fatal(err)
					}
				}
				w, err := c.work()
				if err != nil {
					b.Fatal(err)
				}
				seconds := b.Elapsed().Seconds() / float64(b.N)
				after := cpu.MeasureCeilings(nil).PeakGFLOPS
				b.ReportMetric(w.flops/1e9/seconds, "GFLOP/s")
				b.ReportMetric(100*w.flops/1e9/seconds/(float64(threads)*(peak+after)/2), "%peak")
			})
		}
	}
}

// readyStep is a step of a case that has run a few times.
func readyStep(b testing.TB, c *Case) func() (float64, error) {
	b.Helper()
	one := *c
	one.Dir = b.TempDir()
	if err := one.write(); err != nil {
		b.Fatal(err)
	}
	step, _, err := one.ready(false, 3)
	if err != nil {
		b.Fatal(err)
	}
	return step
}

// BenchmarkCompile times the compilation of M4's and M5's training steps: the
// program made, and made ready to run.
func BenchmarkCompile(b *testing.B) {
	for _, c := range transformerCases()[:2] {
		b.Run(c.Group, func(b *testing.B) {
			for b.Loop() {
				p, _, err := c.program()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := cpu.Compile(p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.Group+"/backend alone", func(b *testing.B) {
			p, _, err := c.program()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := cpu.Compile(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestTransformerWork counts the operations of attention by hand.
func TestTransformerWork(t *testing.T) {
	m4 := find(t, "M4")
	w, err := m4.work()
	if err != nil {
		t.Fatal(err)
	}
	places := 32.0 * 64
	dense := 128.0 * (3*128 + 128 + 2*512)
	if want := 2*(3*2*places*dense+6*2*places*64*128) + 3*2*32*128*10; w.flops != want {
		t.Errorf("found %g operations, expected %g", w.flops, want)
	}
}

// TestTransformerStepsAllocateNothing, and the loss falls.
func TestTransformerStepsAllocateNothing(t *testing.T) {
	c := *find(t, "M4")
	small := *c.Transformer
	small.Vocabulary, small.Width, small.Hidden, small.Length = 50, 32, 64, 12
	c.Transformer, c.Rows, c.Batch, c.Rate = &small, 64, 16, 1e-3
	for _, classes := range []int{10, 0} {
		small.Classes = classes
		step := readyStep(t, &c)
		var losses []float64
		run := func() {
			loss, err := step()
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, loss)
		}
		losses = slices.Grow(losses, 1000)
		if n := testing.AllocsPerRun(100, run); n > 0.5 { // an epoch's order is another slice
			t.Errorf("%d classes: a step allocates %g times", classes, n)
		}
		for range 100 {
			run()
		}
		if first, last := losses[0], losses[len(losses)-1]; last > 0.9*first {
			t.Errorf("%d classes: the loss went from %g to %g", classes, first, last)
		}
	}
}
