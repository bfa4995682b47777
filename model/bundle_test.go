package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/format/safetensors"
)

// saved returns a small trained model's bundle, its parts and its rows.
func saved(t testing.TB) (path string, m *Model, parts map[string][]byte) {
	t.Helper()
	rows := table(t, 60, 8)
	m = fitted(t, rows, "churn", &ResNet{Width: 4, Hidden: 5, Blocks: 1, Norm: "batch"})
	learn(t, m, rows, 1)
	path = filepath.Join(t.TempDir(), "m.hone")
	if err := m.Save(path, "1.2.3", bundle.Part{Name: "config.yaml", Content: []byte("name: churn\n")}); err != nil {
		t.Fatal(err)
	}
	all, err := m.Parts()
	if err != nil {
		t.Fatal(err)
	}
	parts = map[string][]byte{}
	for _, p := range all {
		parts[p.Name] = p.Content
	}
	return path, m, parts
}

func TestSaveIsRepeatable(t *testing.T) {
	path, m, _ := saved(t)
	other := filepath.Join(t.TempDir(), "m.hone")
	if err := m.Save(other, "1.2.3", bundle.Part{Name: "config.yaml", Content: []byte("name: churn\n")}); err != nil {
		t.Fatal(err)
	}
	a, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(other)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same model gives two bundles, %v", err)
	}
	// A bundle that was read gives the same one.
	loaded, _, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Save(other, "1.2.3", bundle.Part{Name: "config.yaml", Content: []byte("name: churn\n")}); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(other); err != nil || !bytes.Equal(a, b) {
		t.Errorf("a bundle that was read and saved differs, %v", err)
	}
	if err := m.Save(filepath.Join(t.TempDir(), "no", "m.hone"), ""); err == nil {
		t.Error("a folder that is not there gives no error")
	}
	if err := m.Save(other, "", bundle.Part{Name: weightsPart}); err == nil || !strings.Contains(err.Error(), weightsPart) {
		t.Errorf("a part that the model has: %v", err)
	}
}

// TestLoadDamaged cuts and changes a bundle everywhere: what is read predicts
// the same, or is refused.
func TestLoadDamaged(t *testing.T) {
	path, m, _ := saved(t)
	rows := table(t, 5, 9)
	want := predict(t, m, rows)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	load := func(what string, at int, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		got, _, err := Load(path)
		if err == nil {
			if !sameBits(predict(t, got, rows), want) {
				t.Errorf("%s at byte %d: a bundle that predicts otherwise was read", what, at)
			}
			return
		}
		refused++
		var e *bundle.Error
		if !errors.As(err, &e) || e.Path != path || e.Remedy == "" || e.Problem == "" {
			t.Errorf("%s at byte %d: %v, expected a bundle.Error with a remedy", what, at, err)
		}
	}
	n := 0
	for at := 0; at < len(good); at += 1 + len(good)/150 {
		load("cut", at, good[:at])
		flipped := slices.Clone(good)
		flipped[at] ^= 0x10
		load("flipped", at, flipped)
		n++
	}
	if refused < 19*n/10 {
		t.Errorf("%d of %d damaged bundles were refused, expected all but some whose damage changes nothing", refused, 2*n)
	}
	for name, content := range map[string]string{"empty": "", "text": "tenure,plan\n1,pro\n"} {
		load(name, 0, []byte(content))
	}
	if _, _, err := Load(filepath.Join(t.TempDir(), "none.hone")); err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("no file: %v", err)
	}
}

// TestLoadForeign has bundles that are whole and hold the wrong things.
func TestLoadForeign(t *testing.T) {
	_, _, parts := saved(t)
	features := func(old, changed string) map[string][]byte {
		t.Helper()
		p := maps.Clone(parts)
		p[featuresPart] = bytes.Replace(p[featuresPart], []byte(old), []byte(changed), 1)
		if bytes.Equal(p[featuresPart], parts[featuresPart]) {
			t.Fatalf("%s holds no %s:\n%s", featuresPart, old, parts[featuresPart])
		}
		return p
	}
	weights := func(change func(f *safetensors.File)) map[string][]byte {
		t.Helper()
		f, err := safetensors.Parse(slices.Clone(parts[weightsPart]))
		if err != nil {
			t.Fatal(err)
		}
		change(f)
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		p := maps.Clone(parts)
		p[weightsPart] = b.Bytes()
		return p
	}
	without := func(name string) map[string][]byte {
		p := maps.Clone(parts)
		delete(p, name)
		return p
	}
	const kernel = "output/churn/dense_1/kernel"
	index := func(f *safetensors.File) int {
		return slices.IndexFunc(f.Tensors, func(e safetensors.Entry) bool { return e.Name == kernel })
	}
	for name, c := range map[string]struct {
		parts map[string][]byte
		want  []string
	}{
		"no features":       {without(featuresPart), []string{"no part features.json"}},
		"no weights":        {without(weightsPart), []string{"no part weights.safetensors"}},
		"features no JSON":  {features("{", "("), []string{"features.json: invalid character"}},
		"unknown input":     {features(`"type": "number"`, `"type": "sound"`), []string{`features.json: column "tenure": unknown input type "sound"`, "number"}},
		"corrupt input":     {features(`"deviation": `, `"deviation": -`), []string{`column "tenure"`, "deviation"}},
		"unknown output":    {features(`"type": "binary"`, `"type": "rank"`), []string{`column "churn": unknown output type "rank"`}},
		"corrupt output":    {features(`"threshold": 0.5`, `"threshold": 5`), []string{`column "churn"`, "threshold is 5"}},
		"unknown network":   {features(`"network_type": "resnet"`, `"network_type": "gru"`), []string{`unknown network type "gru"`}},
		"network no JSON":   {features(`"width": 4`, `"width": "four"`), []string{"features.json: network"}},
		"not in the schema": {features(`"column": "plan"`, `"column": "plane"`), []string{`input "plane" is not in the schema`}},
		"twice an input":    {features(`"column": "plan"`, `"column": "tenure"`), []string{"weights.safetensors", `"input/plan/embedding_1/table", which the network does not use`}},
		"another width":     {features(`"width": 4`, `"width": 6`), []string{"weights.safetensors", "the network needs float32[", "6"}},
		"another length":    {features(`"dimension": `, `"dimension": 1`), []string{`tensor "input/plan/embedding_1/table" is float32[`}},
		"more blocks":       {features(`"blocks": 1`, `"blocks": 2`), []string{"it lacks network/residual_2/"}},
		"too many blocks":   {features(`"blocks": 1`, `"blocks": 2000000000`), []string{"2000000000 layers"}},
		"impossible width":  {features(`"width": 4`, `"width": 2000000000`), []string{"use smaller layers"}},
		"negative width":    {features(`"width": 4`, `"width": -4`), []string{"-4 units"}},
		"fewer norms":       {features(`"norm": "batch"`, `"norm": "none"`), []string{`it holds "network/batch_norm_1/`, "does not use"}},
		"weights garbage":   {map[string][]byte{featuresPart: parts[featuresPart], weightsPart: []byte("0123456789abcdef")}, []string{"weights.safetensors: not a safetensors file"}},
		"missing tensor":    {weights(func(f *safetensors.File) { f.Tensors = slices.Delete(f.Tensors, index(f), index(f)+1) }), []string{"it lacks " + kernel}},
		"extra tensor": {weights(func(f *safetensors.File) {
			f.Tensors = append(f.Tensors, safetensors.FromFloats("zz", []float32{1}, 1))
		}), []string{`it holds "zz"`}},
		"wrong shape":    {weights(func(f *safetensors.File) { f.Tensors[index(f)].Shape = []int{2, 2} }), []string{`"` + kernel + `" is float32[2 2], the network needs float32[4 1]`}},
		"wrong type":     {weights(func(f *safetensors.File) { f.Tensors[index(f)].DType = "I32" }), []string{`"` + kernel + `" is int32[4 1], the network needs float32[4 1]`}},
		"half precision": {weights(func(f *safetensors.File) { e := &f.Tensors[index(f)]; e.DType, e.Data = "F16", e.Data[:8] }), []string{kernel, "is F16, expected F32"}},
	} {
		path := filepath.Join(t.TempDir(), "m.hone")
		var list []bundle.Part
		for part, content := range c.parts {
			list = append(list, bundle.Part{Name: part, Content: content})
		}
		if err := bundle.Write(path, "9.9", list); err != nil {
			t.Fatal(err)
		}
		_, _, err := Load(path)
		var e *bundle.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, expected a bundle.Error", name, err)
			continue
		}
		for _, w := range append(c.want, path, "(9.9)") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, expected %q", name, err, w)
			}
		}
	}
}

// raced is set where the race detector is on, which keeps a shadow of memory
// that is never touched.
var raced bool

// TestClaimsTakeNoMemory: a small bundle cannot ask for a large network.
func TestClaimsTakeNoMemory(t *testing.T) {
	if raced {
		t.Skip("the race detector takes memory of its own")
	}
	// In a process of its own: memory that other tests have used is cleared, and so
	// touched, before it is used again.
	const alone = "HONE_TEST_ALONE"
	if os.Getenv(alone) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestClaimsTakeNoMemory$", "-test.v")
		cmd.Env = append(os.Environ(), alone+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestClaimsTakeNoMemory") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	_, _, parts := saved(t)
	parts[featuresPart] = bytes.Replace(parts[featuresPart], []byte(`"width": 4`), []byte(`"width": 12000`), 1)
	parts[featuresPart] = bytes.Replace(parts[featuresPart], []byte(`"hidden": 5`), []byte(`"hidden": 12000`), 1)
	path := filepath.Join(t.TempDir(), "m.hone")
	if err := bundle.Write(path, "9.9", []bundle.Part{{Name: featuresPart, Content: parts[featuresPart]}, {Name: weightsPart, Content: parts[weightsPart]}}); err != nil {
		t.Fatal(err)
	}
	before := resident(t)
	if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), "the network needs float32[") {
		t.Errorf("got %v", err)
	}
	if grown := resident(t) - before; grown > 200<<20 {
		t.Errorf("a network of 2 × 144 million weights took %d MiB before it was refused", grown>>20)
	}
}

// resident returns the memory of the process that is in use, as far as the
// system says.
func resident(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("%s does not say what memory a process takes: %v", runtime.GOOS, err)
	}
	var pages int
	if err := json.Unmarshal([]byte(strings.Fields(string(raw))[1]), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// FuzzFromBundle: parts that claim to be a model are refused, or predict.
func FuzzFromBundle(f *testing.F) {
	_, _, parts := saved(f)
	f.Add(parts[featuresPart], parts[weightsPart])
	f.Add(bytes.Replace(parts[featuresPart], []byte(`"blocks": 1`), []byte(`"blocks": 900`), 1), parts[weightsPart])
	f.Add([]byte(`{"network_type":"linear","network":{},"output":{"feature":{"type":"number","fitted":{"deviation":1,"high":1}}}}`), parts[weightsPart])
	rows := table(f, 3, 9)
	f.Fuzz(func(t *testing.T, features, weights []byte) {
		m, err := fromParts(features, weights)
		if err != nil {
			return
		}
		if p, err := m.Predict(context.Background(), rows); err == nil && p.Rows() != 3 {
			t.Errorf("%d predictions of 3 rows", p.Rows())
		}
	})
}
