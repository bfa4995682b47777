package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/engine/cpu"
)

// TestMain lets the tests' own program be hone's process, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func example() *results {
	ceilings := cpu.Ceilings{Processor: "A processor", Kernels: "avx2", PeakGFLOPS: 100, CacheKB: 1024,
		Read: map[int]float64{1: 10, 2: 20}, Copy: map[int]float64{1: 8, 2: 16}}
	return &results{
		Ceilings: ceilings, Rounds: 9, Level: 0.961, Versions: map[string]string{"torch": "torch 9", "torch.compile": "torch 9"},
		Results: []result{
			{Group: "M1", Case: "a step", Threads: 1, Floor: 16e-6, GFLOP: 0.002, Hone: timing{Name: "hone", Seconds: 32e-6},
				Peers: []timing{{Name: "torch", Seconds: 320e-6, Ratio: 10, Low: 9.5, High: 11}}},
			{Group: "M1", Case: "a step", Threads: 2, Floor: 8e-6, GFLOP: 0.002, Hone: timing{Name: "hone", Seconds: 32e-6},
				Peers: []timing{{Name: "jax", Seconds: 16e-6, Ratio: 0.5, Low: 0.4, High: 0.6}}},
			{Group: "P2", Case: "one", Threads: 1, Floor: 1e-3, GFLOP: 1, Hone: timing{Name: "hone", Seconds: 2e-3, P99: 5e-3, Allocs: 1.5, Bytes: 24}},
		},
		Means:    []mean{{Threads: 1, Groups: []string{"M2", "M3"}, Ratio: 2}},
		Memory:   []memory{{"M1", "torch", 1, 700}, {"M1", "hone", 1, 20}},
		Failures: []failure{{Name: "numpy", Problem: "it is not there"}, {Name: "jax", Case: "M1 a step", Problem: "it broke"}},
	}
}

func TestMarkdown(t *testing.T) {
	var text strings.Builder
	markdown(&text, example())
	for _, want := range []string{
		"A processor, kernels: avx2. One core's multiply-adds: 100 GFLOP/s. 64 MiB again and again, 1 thread: read 10.0, copy 8.0 GB/s, 2 threads: read 20.0, copy 16.0 GB/s.\n",
		"| case | threads | hone | GFLOP/s | of its roofline | allocations a step | torch | to hone's | jax | to hone's |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
		"| a step | 1 | 32.0 µs | 62.5 | 50 % | 0 | 320 µs | 10.0 × (9.50 to 11.0) | - | - |\n",
		"| a step | 2 | 32.0 µs | 62.5 | 25 % | 0 | - | - | 16.0 µs | 0.500 × (0.400 to 0.600) |\n",
		"| one | 1 | 2.00 ms (p99 5.00 ms) | 500.0 | 50 % | 1.50 (24 B) |\n",
		"Geometric mean over M2, M3, 1 thread: 2.00 × as fast",
		"| cases | threads | hone | torch |\n| --- | --- | --- | --- |\n| M1 | 1 | 20 | 700 |\n\n",
		"with a chance of 96.1 %",
		"Peers: torch 9. ",
		"- numpy: it is not there.\n- jax, M1 a step: it broke.\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("expected %q in:\n%s", want, text.String())
		}
	}
}

func TestResultsAreSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	if err := example().save(path); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got results
	if err := json.Unmarshal(raw, &got); err != nil || got.Results[0].Peers[0].High != 11 || got.Ceilings.Read[2] != 20 {
		t.Errorf("found %+v, %v", got, err)
	}
}

func TestInterval(t *testing.T) {
	// Of nine the second and the eighth: 1 − 2·(1+9)/2⁹. Of six the ends.
	nine := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5}
	if lo, hi, level := interval(nine); lo != 2 || hi != 8 || math.Abs(level-(1-20.0/512)) > 1e-12 {
		t.Errorf("of nine: found %g to %g, %g", lo, hi, level)
	}
	if lo, hi, level := interval(nine[:6]); lo != 1 || hi != 9 || level != 1-2.0/64 {
		t.Errorf("of six: found %g to %g, %g", lo, hi, level)
	}
	if lo, hi, level := interval([]float64{3, 1}); lo != 1 || hi != 3 || level != 0.5 {
		t.Errorf("of two: found %g to %g, %g", lo, hi, level)
	}
	if m, q := median([]float64{4, 1, 3, 2}), quantile(nine, 0.99); m != 2.5 || q != 9 {
		t.Errorf("found the median %g and the 99th percentile %g", m, q)
	}
}

func TestApart(t *testing.T) {
	if d := apart([]float64{1, 4}, []float64{1, 5}); d != 0.25 {
		t.Errorf("found %g, expected 0.25", d)
	}
	for _, other := range [][]float64{nil, {1}, {1, math.NaN()}} {
		if d := apart([]float64{1, 4}, other); !math.IsInf(d, 1) {
			t.Errorf("of %v: found %g", other, d)
		}
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{0.0321: "0.0321", 0.5: "0.500", 1: "1.00", 9.994: "9.99", 12.34: "12.3", 1234: "1234", 0: "0.00"} {
		if got := number(x); got != want {
			t.Errorf("%g: found %s, expected %s", x, got, want)
		}
	}
}

// find is the case of a group, or the first of them.
func find(t *testing.T, group string) *Case {
	t.Helper()
	all := allCases()
	i := slices.IndexFunc(all, func(c *Case) bool { return c.Group == group })
	if i < 0 {
		t.Fatalf("no case of %s", group)
	}
	return all[i]
}

func TestWork(t *testing.T) {
	// Forward and the two products of the gradients, of the first layer one.
	m1 := 2.0 * 32 * (2*20*128 + 3*128*64 + 3*64)
	w, err := find(t, "M1").work()
	if err != nil || w.flops != m1 || w.params != 20*128+128+128*64+64+64+1 || w.held != 12*w.params {
		t.Errorf("M1: found %+v, %v, expected %g operations", w, err, m1)
	}
	// The first convolution has no gradient of its input.
	m3 := 2.0 * 64 * (2*26*26*9*32 + 3*24*24*9*32*64 + 3*9216*128 + 3*128*10)
	if w, err = find(t, "M3").work(); err != nil || w.flops != m3 {
		t.Errorf("M3: found %+v, %v, expected %g operations", w, err, m3)
	}
	c, machine := find(t, "M2"), example().Ceilings
	if w, err = c.work(); err != nil {
		t.Fatal(err)
	}
	if got, want := c.floor(w, machine, 2, 1e-3), w.flops/200e9+2e-3; math.Abs(got-want) > 1e-12 {
		t.Errorf("M2: found a floor of %g s, expected %g", got, want)
	}
	machine.CacheKB = 1 << 20
	if got, want := c.floor(w, machine, 2, 1e-3), w.flops/200e9; math.Abs(got-want) > 1e-12 {
		t.Errorf("M2 in a large cache: found a floor of %g s, expected %g", got, want)
	}
	c = find(t, "G")
	if w, err = c.work(); err != nil || c.floor(w, example().Ceilings, 1, 1e-3) != 2*512*512*512/100e9 {
		t.Errorf("G: found a floor of %g s, %v", c.floor(w, machine, 1, 1e-3), err)
	}
	if got := c.floor(w, example().Ceilings, 1, 1); got != 1 {
		t.Errorf("G with slow memory: found a floor of %g s, expected 1", got)
	}
}

// TestBagWork counts without making the network what making it would.
func TestBagWork(t *testing.T) {
	c := find(t, "M7")
	small := *c.Bag
	small.Buckets = 5000
	c.Bag = &small
	_, state, err := c.program()
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.work()
	if most := c.Batch * c.Bag.Length; err != nil || w.params != state.Parameters() || w.held > 3*4*64*most || w.held < 3*4*64*most/2 {
		t.Errorf("found %+v, %v, expected %d parameters and most of %d vectors", w, err, state.Parameters(), most)
	}
	// Other vectors in every step come from memory, however few they are.
	if got, want := c.floor(w, example().Ceilings, 1, 1), w.flops/100e9+2*float64(w.held)/10e9; math.Abs(got-want) > 1e-12 {
		t.Errorf("found a floor of %g s, expected %g", got, want)
	}
}

func TestDefaultNetworkIsMeasured(t *testing.T) {
	if err := adult().defaultTable(); err != nil {
		t.Error(err)
	}
	w, err := find(t, "M6").work()
	if err != nil || w.params != 45833 { // what hone plan tells of adult
		t.Errorf("found %d parameters, %v, expected 45833", w.params, err)
	}
}

// TestWithoutPeers measures hone alone and names the peers that are not there.
func TestWithoutPeers(t *testing.T) {
	b, cases := small(t, nil)
	if err := b.begin(cases, []int{1}); err != nil {
		t.Fatal(err)
	}
	if err := b.group(cases, 1); err != nil {
		t.Fatal(err)
	}
	if len(b.Results) != 1 || !(b.Results[0].Hone.Seconds > 0) || len(others(b)) > 0 {
		t.Errorf("found %+v", b.Results)
	}
	want := failure{Name: "torch", Problem: "torch is not installed; install it installs it"}
	if !slices.Contains(b.Failures, want) {
		t.Errorf("found %+v, expected %+v among them", b.Failures, want)
	}
	if !(b.Ceilings.PeakGFLOPS > 0 && b.Ceilings.Read[1] > 0 && b.Ceilings.Copy[1] > 0) {
		t.Errorf("found the ceilings %+v", b.Ceilings)
	}
}

// small is a bench and a case that takes no time; python is a shell script that
// stands in for the peers.
func small(t *testing.T, python []string) (*bench, []*Case) {
	t.Helper()
	b := &bench{place: place{dir: t.TempDir(), pythons: python, setup: "install it", patience: time.Minute}, rounds: 2, block: time.Microsecond, progress: io.Discard, gone: map[string]bool{}, read: map[reading]float64{}}
	b.Versions = map[string]string{}
	c := &Case{Group: "M1", Name: "small", Kind: "train", Widths: []int{3, 4, 1}, Loss: "binary", Rate: 1e-3, Rows: 64, Batch: 8, peers: []string{torchName}}
	return b, []*Case{c}
}

// others are the peers of the first result but hone itself with AVX2.
func others(b *bench) []timing {
	return slices.DeleteFunc(slices.Clone(b.Results[0].Peers), func(t timing) bool { return t.Name == avx2Name })
}

// TestPeers holds what a stand-in answers against hone's losses.
func TestPeers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for python is a shell script")
	}
	script := func(prepare string) []string {
		path := filepath.Join(t.TempDir(), "python")
		text := "#!/bin/sh\necho '{\"version\":\"torch 1\"}'\nwhile read -r line; do case $line in\n*prepare*) " + prepare + ";;\n*) echo '{\"seconds\":[0.5]}';; esac; done\n"
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return []string{filepath.Join(t.TempDir(), "none"), path}
	}
	measured := func(prepare string) *bench {
		b, cases := small(t, script(prepare))
		if err := errors.Join(os.MkdirAll(b.place.dir, 0o755), b.begin(cases, nil), b.group(cases, 1)); err != nil {
			t.Fatal(err)
		}
		return b
	}
	// What hone's losses are, a process of this test tells.
	_, cases := small(t, nil)
	cases[0].Dir = t.TempDir()
	if err := cases[0].write(); err != nil {
		t.Fatal(err)
	}
	_, losses, err := cases[0].ready(true, checkedSteps)
	if err != nil || len(losses) != checkedSteps || !(losses[0] > 0.1) {
		t.Fatalf("found the losses %v, %v", losses, err)
	}
	raw, err := json.Marshal(losses)
	if err != nil {
		t.Fatal(err)
	}
	b := measured(`echo '{"values":` + string(raw) + `}'`)
	if len(b.Failures) > 0 || len(others(b)) != 1 {
		t.Fatalf("found %+v, %+v", b.Results, b.Failures)
	}
	if p := others(b)[0]; p.Seconds != 0.5 || !(p.Ratio > 1) || p.Apart != 0 {
		t.Errorf("found %+v", p)
	}
	b = measured(`echo '{"values":[1,2,3,4,5,6,7,8,9,10]}'`)
	if len(others(b)) > 0 || len(b.Failures) != 1 || !strings.Contains(b.Failures[0].Problem, "does not compute what hone does") {
		t.Errorf("another loss: found %+v, %+v", b.Results, b.Failures)
	}
	b = measured(`echo '{"error":"ValueError: bad"}'`)
	if len(b.Failures) != 1 || !strings.HasSuffix(b.Failures[0].Problem, "ValueError: bad") {
		t.Errorf("an error: found %+v", b.Failures)
	}
	// A peer that hangs is ended, and hone is measured all the same.
	hangs := func() *bench {
		b, cases := small(t, script(`sleep 60`))
		b.place.patience = 100 * time.Millisecond
		if err := errors.Join(os.MkdirAll(b.place.dir, 0o755), b.begin(cases, nil), b.group(cases, 1)); err != nil {
			t.Fatal(err)
		}
		return b
	}
	b = hangs()
	if len(b.Failures) != 1 || !strings.HasSuffix(b.Failures[0].Problem, "torch: it gave no answer within 100ms and was ended") || !(b.Results[0].Hone.Seconds > 0) {
		t.Errorf("a peer that hangs: found %+v, %+v", b.Results, b.Failures)
	}
	b = measured(`echo first >&2; echo 'it broke' >&2; exit 1`)
	if len(b.Failures) != 1 || !strings.HasSuffix(b.Failures[0].Problem, ": it broke") {
		t.Errorf("an end: found %+v", b.Failures)
	}
}

// TestWorker asks hone's side for a bit of every kind of case.
func TestWorker(t *testing.T) {
	small := &Images{Height: 7, Width: 8, Channels: 2, Kernel: 2, Filters: []int{3, 5}, Pool: 2}
	for _, c := range []*Case{
		{Kind: "product", M: 2, N: 3, K: 4, TransA: true},
		{Kind: "predict", Widths: []int{5, 4, 3}, Loss: "classes", Rows: 8, Batch: 2},
		{Kind: "train", Widths: []int{12, 4, 3}, Loss: "classes", Rate: 1e-3, Rows: 20, Batch: 8},
		{Kind: "train", Loss: "classes", Rate: 1e-3, Rows: 20, Batch: 8, Bag: &Bag{Buckets: 50, Width: 4, Length: 5, Classes: 3}},
		{Kind: "train", Images: small, Widths: []int{2 * 3 * 5, 4, 3}, Loss: "classes", Rate: 1e-3, Rows: 20, Batch: 8},
		{Kind: "predict", Images: small, Widths: []int{2 * 3 * 5, 4, 3}, Loss: "classes", Rows: 8, Batch: 2},
		{Kind: "table", Rate: 1e-3, Rows: 20, Batch: 8, Table: adult()},
	} {
		c.Dir = t.TempDir()
		var in, out bytes.Buffer
		requests := json.NewEncoder(&in)
		for _, q := range []request{{Do: "write", Case: c}, {Do: "prepare", Case: c, Steps: 2}, {Do: "time", Steps: 5, Each: true}, {Do: "time", Steps: 5}, {Do: "allocations", Steps: 5}} {
			if err := requests.Encode(q); err != nil {
				t.Fatal(err)
			}
		}
		if err := serve(&in, &out); err != nil {
			t.Fatal(err)
		}
		var replies []reply
		for answers := json.NewDecoder(&out); ; {
			var r reply
			if err := answers.Decode(&r); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if r.Error != "" {
				t.Fatalf("%s: %s", c.Kind, r.Error)
			}
			replies = append(replies, r)
		}
		if len(replies) != 6 || len(replies[2].Values) < 2 || len(replies[3].Seconds) != 5 || len(replies[4].Seconds) != 1 {
			t.Errorf("%s: found %+v", c.Kind, replies)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-only", "M9"}, `no group "M9", expected some of G, M1`},
		{[]string{"-threads", "0"}, `-threads has "0"`},
		{[]string{"-rounds", "1"}, "-rounds is 1"},
		{[]string{"M1"}, `found "M1"`},
	} {
		if err := start(c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: found the error %v, expected %q", c.args, err, c.want)
		}
	}
	k := place{dir: t.TempDir(), pythons: []string{"/nowhere"}, setup: "setup"}
	if _, err := k.start(kerasName, 1); err == nil || err.Error() != "tensorflow with keras is not installed; setup keras installs it" {
		t.Errorf("found the error %v", err)
	}
	var gone *venv.Missing
	p := place{dir: t.TempDir(), pythons: []string{"/nowhere"}, setup: "setup"}
	if _, err := p.start(onnxName, 1); !errors.As(err, &gone) || !strings.HasPrefix(err.Error(), "onnxruntime with onnx is not installed; setup ") {
		t.Errorf("found the error %v", err)
	}
}

// TestMeans: of each model the better PyTorch counts, on equal terms.
func TestMeans(t *testing.T) {
	r := example()
	r.Results = nil
	for _, c := range []struct {
		group          string
		eager, comp, j float64
	}{{"M1", 100, 100, 1}, {"M2", 4, 3, 1}, {"M3", 12, 20, 1}} {
		r.Results = append(r.Results, result{Group: c.group, Threads: 1, Peers: []timing{{Name: torchName, Ratio: c.eager}, {Name: compiledName, Ratio: c.comp}, {Name: jaxName, Ratio: c.j}}})
	}
	m := r.means()
	if len(m) != 1 || math.Abs(m[0].Ratio-6) > 1e-12 || m[0].Threads != 1 || !slices.Equal(m[0].Groups, []string{"M2", "M3"}) {
		t.Errorf("found %+v, expected 6", m)
	}
}

// TestStepAllocatesNothing: nor does gathering its batch, at the end of an epoch
// either.
func TestStepAllocatesNothing(t *testing.T) {
	for _, c := range []*Case{
		{Kind: "train", Widths: []int{12, 4, 3}, Loss: "classes", Rate: 1e-3, Rows: 20, Batch: 8},
		{Kind: "table", Rate: 1e-3, Rows: 20, Batch: 8, Table: adult()},
	} {
		c.Dir = t.TempDir()
		if err := c.write(); err != nil {
			t.Fatal(err)
		}
		step, _, err := c.ready(false, 6)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() {
			if _, err := step(); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %g allocations a step", c.Kind, n)
		}
	}
}
