// Command agreement sets hone's metrics beside the libraries that define them, on
// predictions of simple models on real tables, on hostile rows and on as many as
// asked for:
//
//	go run ./bench/agreement setup [-venv DIR] [-python python3]
//	go run ./bench/agreement -data DIR [-rows 10000000] [-parts real,hostile,large] [-all] [-json FILE]
//
// A line of the table is a metric of a case: hone's value, the library's, the
// difference. With -all every line is shown, else those that differ by more than
// 1e-12, relative for numbers above 1, and a summary. Then come the times of the
// large cases, each metric alone in a pass over the files and all in one, with
// the most memory that was taken; the libraries were timed just before, with the
// arrays in memory.
package main

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/metric"
)

//go:embed peers.py
var script []byte

//go:embed requirements.txt
var requirements []byte

const (
	defaultVenv = "bench/.venv-agreement"
	batch       = 1 << 15 // rows of a stream's batch
	near        = 1e-12
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "agreement:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	if len(args) > 0 && args[0] == "setup" {
		return venv.Command("agreement", defaultVenv, requirements, args[1:])
	}
	flags := flag.NewFlagSet("agreement", flag.ExitOnError)
	data := flags.String("data", os.Getenv("HONE_DATA"), "folder of the tables; default $HONE_DATA")
	rows := flags.Int("rows", 10_000_000, "rows of the large cases")
	parts := flags.String("parts", "real,hostile,large", "which cases, with commas")
	folder := flags.String("venv", defaultVenv, "folder of the virtual environment")
	all := flags.Bool("all", false, "show every line")
	cases := flags.String("cases", "", "folder that keeps the cases: made if it is not there, else read")
	file := flags.String("json", "", "also write the results to this file")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("found %q, expected flags or setup", flags.Arg(0))
	}
	if *data == "" && *cases == "" {
		return errors.New("give the folder of the tables with -data or HONE_DATA")
	}
	return run(*data, *folder, *cases, *parts, *rows, *all, *file, os.Stdout)
}

// A reference is what a library says: its name, the value (null where it has
// none), the seconds that it took.
type reference struct {
	Library string
	Value   float64
	Seconds float64
}

func (r *reference) UnmarshalJSON(raw []byte) error {
	var value *float64
	if err := json.Unmarshal(raw, &[]any{&r.Library, &value, &r.Seconds}); err != nil {
		return err
	}
	r.Value = math.NaN()
	if value != nil {
		r.Value = *value
	}
	return nil
}

// A sample is a case as peers.py writes it.
type sample struct {
	Name, Kind string
	Classes    []string
	Arrays     map[string]string // field to file
	Answers    []string
	References [][]string
	Timed      bool
	PeakMB     float64 `json:"peak_mb"` // of the libraries, all so far
	Values     map[string][]reference
}

// A line is a row of the table.
type line struct {
	Case       string   `json:"case"`
	Metric     string   `json:"metric"`
	Hone       *float64 `json:"hone"` // null: undefined or refused
	Library    string   `json:"library"`
	Value      *float64 `json:"reference"`
	Difference *float64 `json:"difference"` // relative above 1; null: one has a value, the other none
	// Seconds of a large case, hone's in a pass of its own, without reading the file,
	// on all processors and on one.
	Seconds          float64 `json:"seconds,omitempty"`
	SecondsOfOne     float64 `json:"seconds_of_one_processor,omitempty"`
	ReferenceSeconds float64 `json:"reference_seconds,omitempty"`
}

type results struct {
	Versions []string `json:"versions"`
	Lines    []line   `json:"lines"`
	Together []pass   `json:"together"`
}

// A pass measures all metrics of a large case at once.
type pass struct {
	Case             string  `json:"case"`
	Metrics          int     `json:"metrics"`
	Seconds          float64 `json:"seconds"` // without reading the files
	SecondsOfOne     float64 `json:"seconds_of_one_processor"`
	Reading          float64 `json:"reading_seconds"`
	ReferenceSeconds float64 `json:"reference_seconds"`
	PeakMB           float64 `json:"peak_mb"`
	ReferencePeakMB  float64 `json:"reference_peak_mb"`
}

func run(data, folder, dir, parts string, rows int, all bool, file string, w io.Writer) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "hone-agreement-*"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if err := ask(data, folder, dir, parts, rows); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		return err
	}
	var asked struct {
		Versions []string
		Cases    []sample
	}
	if err := json.Unmarshal(raw, &asked); err != nil {
		return err
	}
	out := results{Versions: asked.Versions}
	for _, c := range asked.Cases {
		lines, together, err := c.compare(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		out.Lines = append(out.Lines, lines...)
		if together != nil {
			out.Together = append(out.Together, *together)
		}
	}
	out.markdown(w, all)
	return public.WriteJSON(file, out)
}

// ask has the references make the cases, unless the folder has them.
func ask(data, folder, dir, parts string, rows int) error {
	if _, err := os.Stat(filepath.Join(dir, "cases.json")); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "peers.py")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		return err
	}
	cmd := exec.Command(venv.Python(folder), path, data, dir, fmt.Sprint(rows), parts)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	err := cmd.Run()
	if venv.IsMissing(err) || errors.Is(err, os.ErrNotExist) {
		return &venv.Missing{Package: "scikit-learn, torchmetrics or sacrebleu", Command: "go run ./bench/agreement setup"}
	}
	return err
}

// compare measures a case in memory (large ones as a stream) and as a stream,
// and holds both against the references.
func (c *sample) compare(dir string) ([]line, *pass, error) {
	var ms []*metric.Metric
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		m, err := metric.Lookup(name)
		if err != nil {
			return nil, nil, err
		}
		ms = append(ms, m)
	}
	streamed, took, reading, err := c.stream(dir, ms)
	refused := err != nil // as the references may too: the values of a refusal are none
	if refused {
		fmt.Fprintf(os.Stderr, "%s: hone refuses: %v\n", c.Name, err)
	} else if !c.Timed {
		s, err := c.whole(dir)
		if err != nil {
			return nil, nil, err
		}
		values, err := metric.Values(s, ms)
		if err != nil {
			return nil, nil, err
		}
		for i, v := range values {
			if d := difference(v, streamed[i]); !(d <= near) {
				return nil, nil, fmt.Errorf("%s is %v in memory and %v as a stream", ms[i].Name, v, streamed[i])
			}
		}
		streamed = values
	}
	var lines []line
	var together *pass
	if c.Timed && !refused {
		together = &pass{Case: c.Name, Metrics: len(ms), Seconds: took, Reading: reading, PeakMB: peakMB(), ReferencePeakMB: c.PeakMB}
		if together.SecondsOfOne, err = c.onOne(dir, ms); err != nil {
			return nil, nil, err
		}
	}
	for i, m := range ms {
		alone, onOne := 0.0, 0.0
		if together != nil {
			if _, alone, _, err = c.stream(dir, ms[i:i+1]); err != nil {
				return nil, nil, err
			}
			if onOne, err = c.onOne(dir, ms[i:i+1]); err != nil {
				return nil, nil, err
			}
		}
		for _, r := range c.Values[m.Name] {
			l := line{Case: c.Name, Metric: m.Name, Library: r.Library, Value: number(r.Value)}
			mine := math.NaN()
			if !refused {
				mine = streamed[i]
			}
			l.Hone = number(mine)
			if d := difference(mine, r.Value); !math.IsNaN(d) {
				l.Difference = &d
			}
			if together != nil {
				l.Seconds, l.SecondsOfOne, l.ReferenceSeconds = alone, onOne, r.Seconds
				together.ReferenceSeconds += r.Seconds
			}
			lines = append(lines, l)
		}
	}
	return lines, together, nil
}

func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// difference is relative above 1; 0 between what is undefined in both.
func difference(a, b float64) float64 {
	if math.IsNaN(a) && math.IsNaN(b) || a == b {
		return 0
	}
	return math.Abs(a-b) / max(1, math.Abs(a), math.Abs(b))
}

// whole reads a case.
func (c *sample) whole(dir string) (*metric.Sample, error) {
	r, err := c.open(dir)
	if err != nil {
		return nil, err
	}
	defer r.close()
	s, err := r.next(math.MaxInt32)
	if err == io.EOF {
		err = nil
	}
	return s, err
}

// onOne is the time of a stream on one processor.
func (c *sample) onOne(dir string, ms []*metric.Metric) (seconds float64, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, seconds, _, err = c.stream(dir, ms)
	return seconds, err
}

// stream measures a case batch by batch, and times that apart from reading.
func (c *sample) stream(dir string, ms []*metric.Metric) (values []float64, seconds, reading float64, err error) {
	r, err := c.open(dir)
	if err != nil {
		return nil, 0, 0, err
	}
	defer r.close()
	st, err := metric.NewStream(r.kind, c.Classes, ms, metric.StreamOptions{Dir: dir})
	if err != nil {
		return nil, 0, 0, err
	}
	begin := time.Now()
	defer func() {
		err = errors.Join(err, st.Close())
		seconds = time.Since(begin).Seconds() - reading
	}()
	for {
		from := time.Now()
		s, err := r.next(batch)
		reading += time.Since(from).Seconds()
		if err == io.EOF {
			values, err := st.Values()
			return values, 0, reading, err
		}
		if err != nil {
			return nil, 0, reading, err
		}
		if err := st.Add(s); err != nil {
			return nil, 0, reading, err
		}
	}
}

// A reader reads rows of a case.
type reader struct {
	c     *sample
	kind  metric.Kind
	files map[string]*os.File
	in    map[string]*bufio.Reader
	row   int // of texts
	// reused from batch to batch
	raw    []byte
	values map[string][]float64
}

func (c *sample) open(dir string) (*reader, error) {
	r := &reader{c: c, kind: -1, files: map[string]*os.File{}, in: map[string]*bufio.Reader{}, values: map[string][]float64{}}
	for k := metric.Binary; k <= metric.Language; k++ {
		if k.String() == c.Kind {
			r.kind = k
		}
	}
	if r.kind < 0 {
		return nil, fmt.Errorf("unknown kind %q", c.Kind)
	}
	for field, name := range c.Arrays {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			r.close()
			return nil, err
		}
		r.files[field], r.in[field] = f, bufio.NewReaderSize(f, 1<<20)
	}
	return r, nil
}

func (r *reader) close() {
	for _, f := range r.files {
		f.Close()
	}
}

// next reads at most n rows, whose arrays are valid until the next call.
func (r *reader) next(n int) (*metric.Sample, error) {
	s := &metric.Sample{Kind: r.kind, Classes: r.c.Classes}
	if r.kind == metric.Text {
		from := r.row
		r.row = min(len(r.c.Answers), from+n)
		if from == r.row {
			return nil, io.EOF
		}
		s.Answers, s.References = r.c.Answers[from:r.row], r.c.References[from:r.row]
		return s, nil
	}
	var query []float64
	for field, into := range map[string]*[]float64{"target": &s.Target, "pred": &s.Pred, "prob": &s.Prob, "weight": &s.Weight, "bytes": &s.Bytes, "query": &query} {
		if r.in[field] == nil {
			continue
		}
		width := 1
		if r.kind == metric.Multilabel || r.kind == metric.Multiclass && field == "prob" {
			width = len(r.c.Classes)
		}
		var err error
		if *into, err = r.numbers(field, n, width); err != nil {
			return nil, err
		}
	}
	for _, v := range query {
		s.Query = append(s.Query, int(v))
	}
	if len(s.Target) == 0 {
		return nil, io.EOF
	}
	return s, nil
}

func (r *reader) numbers(field string, n, width int) ([]float64, error) {
	if info, err := r.files[field].Stat(); err != nil {
		return nil, err
	} else if most := int(info.Size()) / 8 / width; n > most {
		n = most
	}
	r.raw = slices.Grow(r.raw[:0], 8*n*width)[:8*n*width]
	got, err := io.ReadFull(r.in[field], r.raw)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	values := slices.Grow(r.values[field][:0], got/8)[:got/8]
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.raw[8*i:]))
	}
	r.values[field] = values
	return values, nil
}

func (o *results) markdown(w io.Writer, all bool) {
	text := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.15g", *v)
	}
	fmt.Fprintf(w, "Beside %s.\n\n| case | metric | hone | reference | by | difference |\n| --- | --- | --- | --- | --- | --- |\n", strings.Join(o.Versions, ", "))
	agree := map[string]int{}
	total, exact := 0, 0
	for _, l := range o.Lines {
		total++
		same := l.Difference != nil && *l.Difference <= near
		if same {
			exact++
			agree[l.Case]++
		}
		if same && !all {
			continue
		}
		d := "one has none"
		if l.Difference != nil {
			d = fmt.Sprintf("%.1e", *l.Difference)
		}
		fmt.Fprintf(w, "| %s | `%s` | %s | %s | %s | %s |\n", l.Case, l.Metric, text(l.Hone), text(l.Value), l.Library, d)
	}
	fmt.Fprintf(w, "\n%d of %d values agree to %.0e.\n", exact, total, near)
	for _, p := range o.Together {
		fmt.Fprintf(w, "\n%s: %d metrics in one pass %.2f s on all processors, %.2f s on one, beside %.2f s to read the files; the libraries one by one %.1f s (%.0f and %.0f times). Peak memory %.0f MB, of the libraries %.0f MB.\n\n| metric | hone alone, s | on one processor, s | library, s | times | |\n| --- | --- | --- | --- | --- | --- |\n",
			p.Case, p.Metrics, p.Seconds, p.SecondsOfOne, p.Reading, p.ReferenceSeconds, p.ReferenceSeconds/p.Seconds, p.ReferenceSeconds/p.SecondsOfOne, p.PeakMB, p.ReferencePeakMB)
		for _, l := range o.Lines {
			if l.Case == p.Case {
				fmt.Fprintf(w, "| `%s` | %.3f | %.3f | %.2f | %.1f | %.1f |\n", l.Metric, l.Seconds, l.SecondsOfOne, l.ReferenceSeconds, l.ReferenceSeconds/l.Seconds, l.ReferenceSeconds/l.SecondsOfOne)
			}
		}
	}
}
