// Command encoders compares vectors by all-MiniLM-L6-v2 with those of transformers
// and sentence-transformers, and the speed with that of sentence-transformers and
// onnxruntime, in turns on one machine:
//
//	go run ./bench/encoders setup [-venv DIR] [-python python3]
//	go run ./bench/encoders -data DIR [-texts 512] [-repeats 3] [-threads 1,2] [-batches 1,32,0] [-json FILE]
//
// The first makes a virtual environment with the peers and the encoder
// (requirements.txt). The second takes questions of banking77's test file. The
// vectors of all tokens and of the texts are compared; then each encodes the texts
// in processes of their own that warm up by one pass and measure the next: one text
// at a time, 32 at a time, and all in one call, on one thread and on two.
// sentence-transformers and onnxruntime get batches of 32 of the texts in the order
// of their lengths.
package main

import (
	_ "embed"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/embed"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

//go:embed requirements.txt
var requirements []byte

//go:embed peers.py
var script string

const defaultVenv = "bench/.venv-encoders"

func main() {
	if err := start(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "encoders:", err)
		os.Exit(1)
	}
}

type options struct {
	data, venv, json       string
	threads, batches       string
	texts, repeats, passes int
}

func start(args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "setup" {
		return venv.Command("encoders", defaultVenv, requirements, args[1:])
	}
	if len(args) > 0 && args[0] == "child" {
		return child(args[1:], stdout)
	}
	var o options
	flags := flag.NewFlagSet("encoders", flag.ContinueOnError)
	flags.StringVar(&o.data, "data", os.Getenv("HONE_DATA"), "folder of the sets; default $HONE_DATA")
	flags.StringVar(&o.venv, "venv", defaultVenv, "folder of the virtual environment of the peers")
	flags.StringVar(&o.json, "json", "", "also write the results to this file")
	flags.StringVar(&o.threads, "threads", "1,2", "numbers of threads, with commas")
	flags.StringVar(&o.batches, "batches", "1,32,0", "texts at a time, with commas; 0: all in one call")
	flags.IntVar(&o.texts, "texts", 512, "texts")
	flags.IntVar(&o.repeats, "repeats", 3, "processes of each; 0: compare only")
	flags.IntVar(&o.passes, "passes", 3, "measured passes in a process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("found %q, expected flags or setup", flags.Arg(0))
	}
	return run(o, stdout, stderr)
}

// row is a line of the table: texts a second, the median of all passes.
type row struct {
	Threads   int     `json:"threads"`
	Batch     int     `json:"batch"` // 0: all in one call
	Hone      float64 `json:"hone"`
	Sentences float64 `json:"sentence_transformers"`
	ONNX      float64 `json:"onnxruntime"`
}

type results struct {
	Texts    int               `json:"texts"`
	Tokens   int               `json:"tokens"`
	Hidden   float64           `json:"hidden_difference"`  // largest, of the vectors of tokens
	Vectors  float64           `json:"vectors_difference"` // largest, of those of texts
	Rows     []row             `json:"rows"`
	Versions map[string]string `json:"versions"`
}

func run(o options, stdout, stderr io.Writer) error {
	threadsOf, err := numbers(o.threads)
	if err != nil {
		return err
	}
	batches, err := numbers(o.batches)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "hone-encoders-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	texts, err := questions(filepath.Join(o.data, "banking77", "test.csv"), o.texts)
	if err != nil {
		return err
	}
	file, onnx := filepath.Join(work, "texts"), filepath.Join(work, "encoder.onnx")
	if err := writeLines(file, texts); err != nil {
		return err
	}
	p := peer{venv.Python(o.venv), work}
	var installed struct {
		Folder   string            `json:"folder"`
		Versions map[string]string `json:"versions"`
	}
	if err := p.call(&installed, "folder"); err != nil {
		return err
	}
	r := results{Texts: len(texts), Versions: installed.Versions}
	if err := compare(&r, p, installed.Folder, file, texts); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "vectors of tokens differ by %.2g at most, of texts by %.2g\n", r.Hidden, r.Vectors)
	if o.repeats > 0 {
		if err := p.call(nil, "export", installed.Folder, onnx); err != nil {
			return err
		}
	}
	for _, threads := range threadsOf {
		for _, batch := range batches {
			if o.repeats < 1 {
				continue
			}
			var passes [3][]float64
			for range o.repeats {
				for i, who := range []string{"", "sentence-transformers", "onnxruntime"} {
					var m measured
					args := []string{installed.Folder, onnx, file, strconv.Itoa(threads), strconv.Itoa(batch), strconv.Itoa(o.passes)}
					if i == 0 {
						err = measureChild(&m, args)
					} else {
						err = p.call(&m, append([]string{"measure", who}, args...)...)
					}
					if err != nil {
						return err
					}
					passes[i] = append(passes[i], m.Seconds...)
				}
			}
			speed := func(s []float64) float64 {
				slices.Sort(s)
				return float64(len(texts)) / s[len(s)/2]
			}
			line := row{threads, batch, speed(passes[0]), speed(passes[1]), speed(passes[2])}
			r.Rows = append(r.Rows, line)
			fmt.Fprintf(stderr, "%d threads, batch %d: %.0f, %.0f, %.0f\n", threads, batch, line.Hone, line.Sentences, line.ONNX)
		}
	}
	table(r, stdout)
	if o.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, b, 0o644)
}

func table(r results, w io.Writer) {
	fmt.Fprintf(w, "%d texts, %d tokens; vectors of tokens differ by %.2g at most, of texts by %.2g\n\n", r.Texts, r.Tokens, r.Hidden, r.Vectors)
	fmt.Fprintln(w, "| threads | at a time | hone | sentence-transformers | onnxruntime | hone over the better |\n| --- | --- | --- | --- | --- | --- |")
	for _, l := range r.Rows {
		batch := strconv.Itoa(l.Batch)
		if l.Batch == 0 {
			batch = "all"
		}
		fmt.Fprintf(w, "| %d | %s | %.0f | %.0f | %.0f | %.2f × |\n", l.Threads, batch, l.Hone, l.Sentences, l.ONNX, l.Hone/max(l.Sentences, l.ONNX))
	}
	fmt.Fprintf(w, "\ntexts a second, median; %v\n", r.Versions)
}

func numbers(list string) (out []int, err error) {
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 0 {
			return nil, fmt.Errorf("found %q, expected numbers with commas", list)
		}
		out = append(out, n)
	}
	return out, nil
}

// questions returns the first texts of a file of texts and categories.
func questions(path string, n int) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: name the folder of the sets by -data or HONE_DATA", err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var texts []string
	for _, r := range records[min(1, len(records)):] {
		if len(texts) < n {
			texts = append(texts, r[0])
		}
	}
	return texts, nil
}

func writeLines(path string, lines []string) error {
	var b strings.Builder
	for _, l := range lines {
		raw, err := json.Marshal(l)
		if err != nil {
			return err
		}
		b.Write(append(raw, '\n'))
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func readLines(path string) (lines []string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for i, l := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		var s string
		if err := json.Unmarshal([]byte(l), &s); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		lines = append(lines, s)
	}
	return lines, nil
}

// compare has both make the vectors of tokens and of texts.
func compare(r *results, p peer, folder, file string, texts []string) error {
	hidden, vectors := filepath.Join(p.work, "hidden"), filepath.Join(p.work, "vectors")
	if err := p.call(nil, "reference", folder, file, hidden, vectors); err != nil {
		return err
	}
	e, err := embed.Load(folder)
	if err != nil {
		return err
	}
	ids, err := e.Model.IDs(texts)
	if err != nil {
		return err
	}
	var ours []float32
	for _, row := range ids {
		h, err := hiddenOf(e.Model, row)
		if err != nil {
			return err
		}
		r.Tokens += len(row)
		ours = append(ours, h...)
	}
	if r.Hidden, err = difference(hidden, ours); err != nil {
		return err
	}
	made, err := e.Embed(texts)
	if err != nil {
		return err
	}
	r.Vectors, err = difference(vectors, slices.Concat(made...))
	return err
}

// hiddenOf returns the vectors of a text's tokens.
func hiddenOf(m *embed.Model, ids []int32) ([]float32, error) {
	b := graph.New("hidden")
	c := &nn.Context{B: b, State: graph.NewState(), Fixed: true}
	n := len(ids)
	b.Output("hidden", m.Hidden(c, b.Input("ids", tensor.Int32, graph.Rows, graph.N(n)), b.Input("lengths", tensor.Int32, graph.Rows), embed.Options{}))
	p, err := b.Program()
	if err != nil {
		return nil, err
	}
	exe, err := cpu.Compile(p)
	if err != nil {
		return nil, err
	}
	x, lengths := tensor.New(tensor.Int32, 1, n), tensor.New(tensor.Int32, 1)
	copy(x.Ints(), ids)
	lengths.Ints()[0] = int32(n)
	out := []*tensor.Tensor{tensor.Zeros(0)}
	if err := exe.Run([]*tensor.Tensor{x, lengths}, out); err != nil {
		return nil, err
	}
	return out[0].Floats(), nil
}

// difference is the largest between numbers and those of a file.
func difference(path string, ours []float32) (float64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	if len(raw) != 4*len(ours) {
		return 0, fmt.Errorf("the peer made %d numbers, hone %d", len(raw)/4, len(ours))
	}
	most := 0.0
	for i, v := range ours {
		d := math.Abs(float64(v) - float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))))
		if !(d <= most) {
			most = d
		}
	}
	return most, nil
}

// measured is what a process says of its passes.
type measured struct {
	Seconds []float64 `json:"seconds"`
}

// child is hone's process: FOLDER ONNX TEXTS THREADS BATCH PASSES.
func child(args []string, w io.Writer) error {
	if len(args) != 6 {
		return fmt.Errorf("child: found %d arguments, expected 6", len(args))
	}
	var n [3]int
	for i, a := range args[3:] {
		var err error
		if n[i], err = strconv.Atoi(a); err != nil {
			return err
		}
	}
	threads, batch, passes := n[0], n[1], n[2]
	texts, err := readLines(args[2])
	if err != nil {
		return err
	}
	e, err := embed.Load(args[0])
	if err != nil {
		return err
	}
	cpu.SetThreads(threads)
	if batch == 0 {
		batch = len(texts)
	}
	var m measured
	for pass := range passes + 1 {
		began := time.Now()
		for part := range slices.Chunk(texts, batch) {
			if _, err := e.Embed(part); err != nil {
				return err
			}
		}
		if pass > 0 {
			m.Seconds = append(m.Seconds, time.Since(began).Seconds())
		}
	}
	return json.NewEncoder(w).Encode(m)
}

func measureChild(m *measured, args []string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(own, append([]string{"child"}, args...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+args[3])
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	return json.Unmarshal(out, m)
}

// peer runs peers.py.
type peer struct{ python, work string }

func (p peer) call(into any, args ...string) error {
	path := filepath.Join(p.work, "peers.py")
	if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
		return err
	}
	cmd := exec.Command(p.python, append([]string{path}, args...)...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	switch {
	case venv.IsMissing(err), errors.Is(err, os.ErrNotExist):
		return &venv.Missing{Package: "sentence-transformers", Command: "go run ./bench/encoders setup"}
	case err != nil:
		return fmt.Errorf("peers.py %s: %w\n%s", args[0], err, problems.String())
	case into == nil:
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return json.Unmarshal([]byte(lines[len(lines)-1]), into)
}
