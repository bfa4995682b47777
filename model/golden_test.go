package model

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/format/bundle"
)

// The bundles in testdata are kept for ever: every version reads them and
// predicts the same. The flag makes those that are not there; it changes none.
var write = flag.Bool("write", false, "write golden bundles that are missing")

// recorded is NAME.json beside NAME.hone: rows, and the bits of what is
// predicted for them.
type recorded struct {
	Rows  []map[string]any
	Prob  []uint64
	Class []int
	Value []uint64
}

func bitsOf(xs []float64) []uint64 {
	var b []uint64
	for _, x := range xs {
		b = append(b, math.Float64bits(x))
	}
	return b
}

// golden are the bundles, by format version, and how they were made.
var golden = map[string]struct {
	target  string
	network Network
}{
	"v1-binary-mlp":      {"churn", &MLP{Widths: []int{12, 6}, Activation: "relu", Norm: "batch", Dropout: 0.1}},
	"v1-category-resnet": {"product", &ResNet{Width: 8, Hidden: 10, Blocks: 1, Norm: "layer", Dropout: 0.1}},
	"v1-number-linear":   {"price", &Linear{}},
	"v1-set-mlp":         {"perks", &MLP{Widths: []int{12}, Activation: "relu", Norm: "none"}},
}

func TestGolden(t *testing.T) {
	defer func() {
		if err := kernel.Use(""); err != nil {
			t.Error(err)
		}
	}()
	for name, made := range golden {
		path := filepath.Join("testdata", name)
		if _, err := os.Stat(path + ".hone"); *write && errors.Is(err, fs.ErrNotExist) {
			writeGolden(t, path, made.target, made.network)
		}
		raw, err := os.ReadFile(path + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var want recorded
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		for _, path := range append(kernel.Paths(), "") {
			if err := kernel.Use(path); err != nil {
				t.Fatal(err)
			}
			m, b, err := Load(filepath.Join("testdata", name+".hone"))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if b.Version != 1 || m.Network.Type() != made.network.Type() || m.Target != made.target {
				t.Errorf("%s: version %d, a %s network for %s", name, b.Version, m.Network.Type(), m.Target)
			}
			rows, err := data.FromRecords(m.InputSchema(), want.Rows)
			if err != nil {
				t.Fatal(err)
			}
			p := predict(t, m, rows)
			if !slices.Equal(bitsOf(p.Prob), want.Prob) || !slices.Equal(p.Class, want.Class) || !slices.Equal(bitsOf(p.Value), want.Value) {
				t.Errorf("%s, %s kernels: predicts %v, %v, %v, which are not the bits recorded when it was written", name, kernel.Path(), p.Prob, p.Class, p.Value)
			}
		}
	}
}

// writeGolden trains a model and writes it with rows and predictions.
func writeGolden(t *testing.T, path, target string, network Network) {
	t.Helper()
	rows := withPerks(table(t, 300, 11))
	m := fitted(t, rows, target, network)
	learn(t, m, rows, 6)
	if err := m.Save(path+".hone", "0.1.0", bundle.Part{Name: "config.yaml", Content: []byte("name: golden\n")}); err != nil {
		t.Fatal(err)
	}
	r := recorded{Rows: []map[string]any{
		{"tenure": 12, "plan": "pro", "paperless": true, "since": "2020-02-29", "spent": 1.5},
		{"tenure": nil, "plan": "never seen", "paperless": nil, "since": nil, "spent": nil},
		{"tenure": 70, "plan": "basic", "paperless": "no", "since": "1969-07-20", "spent": 1e9},
		{"tenure": -3.25, "plan": nil, "paperless": "yes", "since": "2031-12-31", "spent": 0},
	}}
	read, err := data.FromRecords(m.InputSchema(), r.Rows)
	if err != nil {
		t.Fatal(err)
	}
	p := predict(t, m, read)
	r.Prob, r.Class, r.Value = bitsOf(p.Prob), p.Class, bitsOf(p.Value)
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".json", append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
