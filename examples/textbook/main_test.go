package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 11 {
		t.Fatalf("%d lines, expected 10 epochs and the test:\n%s", len(lines), out.String())
	}
	var loss, accuracy float64
	if _, err := fmt.Sscanf(lines[10], "Test Loss: %g, Test Accuracy: %g", &loss, &accuracy); err != nil {
		t.Fatalf("the last line is %q: %v", lines[10], err)
	}
	if !(accuracy > 0.8 && loss < 0.5) {
		t.Errorf("loss %v and accuracy %v on the test rows, expected less than 0.5 and more than 0.8", loss, accuracy)
	}
}

// TestData: neither class is rare, and the rows trained on are standardised.
func TestData(t *testing.T) {
	x, y := load(2500, 20)
	standardize(x, 1600)
	positive := 0.0
	for _, v := range y.Floats()[2000:] {
		positive += float64(v) / 500
	}
	if positive < 0.35 || positive > 0.65 {
		t.Errorf("the share of positives is %v: guessing does too well", positive)
	}
	for j := range 20 {
		var sum, squares float64
		for i := range 1600 {
			v := float64(x.Floats()[20*i+j])
			sum, squares = sum+v/1600, squares+v*v/1600
		}
		if math.Abs(sum) > 1e-5 || math.Abs(squares-1) > 1e-5 {
			t.Errorf("column %d has mean %v and mean square %v, expected 0 and 1", j, sum, squares)
		}
	}
}
