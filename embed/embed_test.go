package embed

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/huggingface"
	"github.com/hone-ml/hone/nn"
)

// recorded is what testdata/make.py wrote.
type recorded struct {
	IDs     [][]int32              `json:"ids"`
	Hidden  [][][]float64          `json:"hidden"`
	Vectors map[string][][]float64 `json:"vectors"`
}

func expected(t *testing.T) (texts []string, by map[string]recorded) {
	t.Helper()
	raw, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	by = map[string]recorded{}
	for name, part := range all {
		if name == "texts" {
			err = json.Unmarshal(part, &texts)
		} else {
			var r recorded
			err = json.Unmarshal(part, &r)
			by[name] = r
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts, by
}

func read(t *testing.T, dir string) *Model {
	t.Helper()
	f, err := huggingface.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return FromFolder(f)
}

// tolerance is what hidden states may differ by from PyTorch's: the last of its
// recorded digits, and rounding.
const tolerance = 2e-5

// TestHiddenAgree: the vectors of tokens are PyTorch's, for every kind of encoder,
// with texts of several lengths filled up to one.
func TestHiddenAgree(t *testing.T) {
	texts, by := expected(t)
	for name, want := range by {
		if want.Hidden == nil {
			continue
		}
		m := read(t, filepath.Join("testdata", name))
		ids, err := m.IDs(texts)
		if err != nil {
			t.Fatal(err)
		}
		longest := 0
		for i := range ids {
			longest = max(longest, len(ids[i]))
			if !slices.Equal(ids[i], want.IDs[i]) {
				t.Fatalf("%s: text %d has the tokens %v, expected %v", name, i, ids[i], want.IDs[i])
			}
		}
		b := graph.New("hidden")
		c := &nn.Context{B: b, State: graph.NewState(), Fixed: true}
		b.Output("hidden", m.Hidden(c, b.Input("ids", tensor.Int32, graph.Rows, graph.N(longest)), b.Input("lengths", tensor.Int32, graph.Rows), Options{}))
		p, err := b.Program()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(c.State.Variables()), len(m.Values); got != want {
			t.Errorf("%s: the network has %d variables and %d values for them", name, got, want)
		}
		exe, err := cpu.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		tokens, lengths := tensor.New(tensor.Int32, len(ids), longest), tensor.New(tensor.Int32, len(ids))
		for i, row := range ids {
			lengths.Ints()[i] = int32(len(row))
			to := tokens.Ints()[i*longest:][:longest]
			for j := copy(to, row); j < longest; j++ {
				to[j] = -1
			}
		}
		out := []*tensor.Tensor{tensor.Zeros(0)}
		if err := exe.Run([]*tensor.Tensor{tokens, lengths}, out); err != nil {
			t.Fatal(err)
		}
		width, worst := m.Encoder.Width, 0.0
		for i, row := range want.Hidden {
			for j, token := range row {
				for k, w := range token {
					worst = max(worst, math.Abs(w-float64(out[0].Floats()[(i*longest+j)*width+k])))
				}
			}
		}
		if !(worst <= tolerance) {
			t.Errorf("%s: hidden states differ by %g", name, worst)
		}
	}
}

// TestVectorsAgree: pooling, dense layers and unit length are those of
// sentence-transformers, and a text's vector has the same bits by itself.
func TestVectorsAgree(t *testing.T) {
	texts, by := expected(t)
	for mode, want := range by["sentence"].Vectors {
		m := read(t, "testdata/sentence")
		if mode != "mean+dense" {
			m.Pooling, m.Dense = huggingface.Pooling{Modes: []string{mode}}, nil
		}
		e := New(m)
		got, err := e.Embed(texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range want {
			if len(row) != e.Width() || len(got[i]) != e.Width() {
				t.Fatalf("%s: vectors of %d, expected %d", mode, len(got[i]), len(row))
			}
			for k, w := range row {
				if d := math.Abs(w - float64(got[i][k])); !(d <= tolerance) {
					t.Errorf("%s: text %d differs by %g", mode, i, d)
					break
				}
			}
			alone, err := e.Embed(texts[i : i+1])
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(alone[0], got[i]) {
				t.Errorf("%s: text %d has another vector by itself", mode, i)
			}
		}
	}
}

// TestJSON: what a bundle holds of a model makes the same vectors.
func TestJSON(t *testing.T) {
	texts, _ := expected(t)
	for _, name := range []string{"sentence", "electra", "xlm-roberta", "bert"} {
		m := read(t, filepath.Join("testdata", name))
		m.Prefix = "query: "
		want, err := New(m).Embed(texts)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Model
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		back.Values = m.Values
		got, err := New(&back).Embed(texts)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("%s: text %d has another vector", name, i)
			}
		}
		for old, new := range map[string]string{`"depth":2`: `"depth":2000000`, `"length":`: `"length":9`, `"heads":2`: `"heads":3`} {
			if err := json.Unmarshal([]byte(strings.Replace(string(raw), old, new, 1)), &back); err == nil {
				t.Errorf("%s: %s is not refused", name, new)
			}
		}
	}
}
