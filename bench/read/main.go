// Command read measures how long hone takes to read, type and check a large
// table, beside what pandas takes only to parse the same file, in alternation:
//
//	go run ./bench/read [-rows 1000000] [-repeats 5] [-python FILE] [-json FILE]
//
// The table is made by table.go from a fixed seed: 20 columns of whole numbers,
// fractions, categories, dates and booleans, some of their values missing. Each
// reading is a process of its own, which times itself from the call to its end,
// without the start of the program and the import of libraries, and says how much
// memory it took at most. Python is looked for in PATH unless -python names it;
// where it or its pandas is absent, only hone is measured. From 3.1 on pandas reads
// a large file on all cores, and where pyarrow is installed keeps strings there.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hone-ml/hone/data"
)

// measured is what one process says of its reading.
type measured struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu_seconds"` // of all threads
	PeakMiB float64 `json:"peak_mib"`
	Rows    int     `json:"rows"`
}

// row is a line of the table of results: medians over the repeats.
type row struct {
	Reader  string    `json:"reader"`
	Does    string    `json:"does"`
	Seconds []float64 `json:"seconds"` // of each repeat
	Median  float64   `json:"median_seconds"`
	CPU     float64   `json:"cpu_seconds"` // least over the repeats
	PeakMiB float64   `json:"peak_mib"`
	// Ratio is Median over that of pandas; 0 where pandas is absent.
	Ratio float64 `json:"ratio,omitempty"`
}

// output is what -json writes.
type output struct {
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Bytes   int64  `json:"bytes"`
	Cores   int    `json:"cores"`
	Go      string `json:"go"`
	Pandas  string `json:"pandas,omitempty"`
	Results []row  `json:"results"`
}

func main() {
	rows := flag.Int("rows", 1_000_000, "rows of the table")
	repeats := flag.Int("repeats", 5, "how often each reads it")
	python := flag.String("python", "", "a Python that has pandas; default: python3 or python in PATH")
	file := flag.String("json", "", "also write the results to this file")
	child := flag.String("child", "", "used by the command itself: read, check or cached, of the file that is named")
	flag.Parse()
	err := error(nil)
	if *child != "" {
		err = measure(*child, flag.Arg(0), os.Stdout)
	} else {
		err = run(*rows, *repeats, *python, *file, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "read:", err)
		os.Exit(1)
	}
}

// measure does one reading in this process.
func measure(what, path string, w io.Writer) error {
	start, cpu := time.Now(), cpuSeconds()
	o := data.Options{}
	if what == "cached" {
		o.CacheDir = filepath.Join(filepath.Dir(path), "cache")
	}
	t, schema, err := data.Read(path, o)
	if err == nil && what == "check" {
		_, _, err = data.Check(t, data.CheckOptions{Target: target, Schema: schema})
	}
	if err != nil {
		return err
	}
	m := measured{Seconds: time.Since(start).Seconds(), CPU: cpuSeconds() - cpu, Rows: t.Rows, PeakMiB: peak()}
	return json.NewEncoder(w).Encode(m)
}

// pandas parses a file and says what measured holds.
const pandas = `
import json, resource, sys, time, pandas
start, cpu = time.perf_counter(), time.process_time()
t = pandas.read_csv(sys.argv[1], engine="c")
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "cpu_seconds": time.process_time() - cpu, "rows": len(t), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`

func run(rows, repeats int, python, file string, stdout, stderr io.Writer) error {
	if rows < 1 || repeats < 1 {
		return fmt.Errorf("-rows is %d and -repeats %d, expected 1 or more", rows, repeats)
	}
	work, err := os.MkdirTemp("", "hone-read-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	path := filepath.Join(work, "table.csv")
	if err := writeTable(path, rows); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	readers := []struct {
		row
		command []string
	}{
		{row{Reader: "hone", Does: "parse and type"}, []string{self, "-child", "read", path}},
		{row{Reader: "hone", Does: "parse, type and check"}, []string{self, "-child", "check", path}},
		{row{Reader: "hone", Does: "map what the cache kept"}, []string{self, "-child", "cached", path}},
	}
	if out, err := exec.Command(self, "-child", "cached", path).CombinedOutput(); err != nil { // fills the cache
		return fmt.Errorf("hone: %w: %s", err, out)
	}
	o := output{Rows: rows, Columns: columns, Bytes: info.Size(), Cores: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	if python, o.Pandas, err = findPandas(python); err != nil {
		fmt.Fprintf(stderr, "read: pandas is not measured: %v\n", err)
	} else {
		readers = append(readers, readers[0])
		readers[3].row, readers[3].command = row{Reader: "pandas " + o.Pandas, Does: "parse"}, []string{python, "-c", pandas, path}
	}
	for n := range repeats {
		for i := range readers {
			// Whoever comes first is another one in every repeat.
			r := &readers[(i+n)%len(readers)]
			out, err := exec.Command(r.command[0], r.command[1:]...).Output()
			if err != nil {
				return fmt.Errorf("%s: %w%s", r.Reader, err, stderrOf(err))
			}
			var m measured
			if err := json.Unmarshal(out, &m); err != nil {
				return fmt.Errorf("%s: %w", r.Reader, err)
			}
			if m.Rows != rows {
				return fmt.Errorf("%s read %d rows of %d", r.Reader, m.Rows, rows)
			}
			r.Seconds = append(r.Seconds, m.Seconds)
			if r.CPU == 0 || m.CPU < r.CPU {
				r.CPU = m.CPU
			}
			r.PeakMiB = max(r.PeakMiB, m.PeakMiB)
		}
	}
	for _, r := range readers {
		r.Median = median(r.Seconds)
		if o.Pandas != "" {
			r.Ratio = r.Median / median(readers[3].Seconds)
		}
		o.Results = append(o.Results, r.row)
	}
	markdown(stdout, o)
	if file == "" {
		return nil
	}
	raw, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}

// versions says which pandas it is, and whether it has pyarrow, which it then keeps
// strings in: that takes a fraction of the time of its own strings.
const versions = `
import pandas
try:
    import pyarrow
    print(pandas.__version__ + " with pyarrow " + pyarrow.__version__)
except ImportError:
    print(pandas.__version__ + " without pyarrow")
`

// findPandas returns a Python that has pandas, and the version of that.
func findPandas(python string) (path, version string, err error) {
	candidates := []string{python}
	if python == "" {
		candidates = []string{"python3", "python"}
	}
	for _, c := range candidates {
		var out []byte
		if out, err = exec.Command(c, "-c", versions).Output(); err == nil {
			return c, strings.TrimSpace(string(out)), nil
		}
	}
	return "", "", fmt.Errorf("%s: %w (name one that has it with -python)", candidates[len(candidates)-1], err)
}

// stderrOf is the last line that a failed command wrote.
func stderrOf(err error) string {
	e, ok := err.(*exec.ExitError)
	if !ok || len(e.Stderr) == 0 {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(e.Stderr), []byte{'\n'})
	return ": " + string(lines[len(lines)-1])
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func markdown(w io.Writer, o output) {
	fmt.Fprintf(w, "%d rows × %d columns, %.0f MB, %d cores, %s; median of %d (least to most)\n\n", o.Rows, o.Columns, float64(o.Bytes)/1e6, o.Cores, o.Go, len(o.Results[0].Seconds))
	fmt.Fprintf(w, "| reader | does | seconds | of pandas | CPU seconds (least) | MB/s | peak MiB |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range o.Results {
		ratio := "–"
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f ×", r.Ratio)
		}
		fmt.Fprintf(w, "| %s | %s | %.2f (%.2f to %.2f) | %s | %.2f | %.0f | %.0f |\n", r.Reader, r.Does, r.Median, slices.Min(r.Seconds), slices.Max(r.Seconds), ratio, r.CPU, float64(o.Bytes)/1e6/r.Median, r.PeakMiB)
	}
}
