package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/tensor"
)

// TestRun trains for half as long as the program does.
func TestRun(t *testing.T) {
	var out strings.Builder
	covered, share, err := run(&out, 2000)
	if err != nil {
		t.Fatal(err)
	}
	if covered < 7 || share < 0.7 {
		t.Errorf("%d of %d modes are covered, %.3f of the points are near one, expected at least 7 and 0.7\n%s", covered, modes, share, out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[3], "step 2000: discriminator loss ") || !strings.HasPrefix(lines[4], "Modes covered: ") {
		t.Errorf("printed\n%s", out.String())
	}
	// Without training there is a cloud in the middle.
	if covered, share, err := run(&out, 1); err != nil || covered > 1 || share > 0.2 {
		t.Errorf("one step covers %d modes and %.3f of the points, %v", covered, share, err)
	}
}

func TestCensus(t *testing.T) {
	real := tensor.Zeros(4000, 2)
	drawRing(rand.New(rand.NewPCG(1, 1)), real)
	var c census
	c.count(real)
	// 1 − e^−4.5 of a Gaussian in the plane lies within 3 sigma.
	if covered, share := c.result(); covered != modes || math.Abs(share-0.98889) > 0.006 {
		t.Errorf("of real points %d modes are covered, and %v lie near", covered, share)
	}
	c = census{}
	one := tensor.Zeros(10, 2)
	for i := range 10 {
		one.Floats()[2*i] = radius
	}
	c.count(one)
	if covered, share := c.result(); covered != 1 || share != 1 {
		t.Errorf("of one point %d modes are covered, and %v lie near", covered, share)
	}
}
