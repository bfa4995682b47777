package main

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompare measures a case of one file each, a reference that agrees, one
// that does not and one that refuses.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, values ...float64) string {
		var raw []byte
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	cases := `{"versions": ["a library"], "cases": [{"name": "small", "kind": "binary", "classes": ["no", "yes"], "timed": true,
		"arrays": {"target": "t", "prob": "q", "pred": "p"},
		"values": {"roc_auc": [["right", 0.75, 1], ["wrong", 0.5, 1]], "accuracy": [["refuses", null, 1]]}}]}`
	write("t", 0, 0, 1, 1)
	write("q", 0.1, 0.4, 0.35, 0.8)
	write("p", 0, 0, 0, 1)
	if err := os.WriteFile(filepath.Join(dir, "cases.json"), []byte(cases), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	file := filepath.Join(dir, "out.json")
	if err := run("", "", dir, "", 0, false, file, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| small | `roc_auc` | 0.75 | 0.5 | wrong | 2.5e-01 |", "| small | `accuracy` | 0.75 | – | refuses | one has none |", "1 of 3 values agree", "2 metrics in one pass"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "| right |") && !strings.Contains(out.String(), "hone alone") {
		t.Errorf("what agrees is shown:\n%s", out.String())
	}
}

func TestNotInstalled(t *testing.T) {
	err := run("data", t.TempDir(), filepath.Join(t.TempDir(), "cases"), "large", 10, false, "", os.Stderr)
	if err == nil || !strings.Contains(err.Error(), "agreement setup") {
		t.Errorf("without Python: %v", err)
	}
}
