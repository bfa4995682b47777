package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(3, 40, 20, filepath.Join(t.TempDir(), "out.json"), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| accuracy 0.85, BCa |", "DeLong", "| 5 equal predictors by rmse have a winner |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if err := run(0, 40, 20, "", &out); err == nil {
		t.Error("no simulations are no error")
	}
}
