package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// The options of a document such as hone's, which use all there is.
type document struct {
	Name     string         `yaml:"name" default:"untitled" doc:"name of the model"`
	Data     dataOptions    `yaml:"data" doc:"where the rows come from"`
	Inputs   []input        `yaml:"inputs" doc:"columns to learn from"`
	Train    trainOptions   `yaml:"train" doc:"how to fit"`
	Search   []search       `yaml:"search" doc:"options to vary"`
	Labels   map[string]int `yaml:"labels" min:"0" doc:"numbers by name"`
	Extra    map[string]any `yaml:"extra"`
	Stopping *stopping      `yaml:"early_stopping" doc:"when to stop early"`
	Level    level          `yaml:"level" default:"info"`
	Ignored  int
}

type dataOptions struct {
	Source     string       `yaml:"source" required:"true" doc:"a file"`
	Validation part         `yaml:"validation" doc:"rows to choose by"`
	Split      splitOptions `yaml:"split"`
	Missing    []string     `yaml:"missing_values"`
	Header     *bool        `yaml:"header"`
}

type part struct {
	Fraction float64 `yaml:"fraction" shorthand:"true" min:"0" below:"1"`
	File     string  `yaml:"file" shorthand:"true"`
}

func (p *part) Validate() error {
	if p.Fraction > 0 && p.File != "" {
		return errors.New("found fraction and file, expected one of them")
	}
	return nil
}

type splitOptions struct {
	Method    string    `yaml:"method" default:"random" enum:"random,stratified,group,time"`
	Fractions []float64 `yaml:"fractions" default:"[0.8, 0.1, 0.1]" min:"0" max:"1"`
}

type input struct {
	Name    string `yaml:"name" required:"true" shorthand:"true"`
	Type    string `yaml:"type" required:"false"`
	Options any    `yaml:",variant"`
}

func (input) Variants() map[string]any {
	return map[string]any{"number": &number{}, "category": &category{}}
}

type number struct {
	Scaling string `yaml:"scaling" default:"standard" enum:"standard,none"`
}

type category struct {
	Dimension int `yaml:"dimension" default:"8" min:"1" max:"1024"`
}

type trainOptions struct {
	Epochs    int           `yaml:"epochs" default:"30" min:"1" doc:"passes over the rows at most"`
	BatchSize uint16        `yaml:"batch_size" default:"64" min:"1"`
	Shuffle   bool          `yaml:"shuffle" default:"true"`
	Every     time.Duration `yaml:"checkpoint_every" default:"90s" min:"1s"`
	Optimizer optimizer     `yaml:"optimizer"`
	Seed      uint64        `yaml:"seed"`
	Common    common        `yaml:",inline"`
}

type common struct {
	Threads int8 `yaml:"threads" default:"0" min:"0"`
}

type optimizerOptions interface{ step() }

type optimizer struct {
	Type    string           `yaml:"type" default:"adam" doc:"the rule"`
	Options optimizerOptions `yaml:",variant"`
}

func (*optimizer) Variants() map[string]optimizerOptions {
	return map[string]optimizerOptions{"adam": &adam{}, "sgd": &sgd{}}
}

type adam struct {
	Rate float64 `yaml:"learning_rate" default:"1e-3" above:"0" doc:"step size"`
	Beta float32 `yaml:"beta1" default:"0.9"`
}

type sgd struct {
	Rate     float64 `yaml:"learning_rate" default:"0.1" above:"0"`
	Momentum float64 `yaml:"momentum" default:"0" min:"0" below:"1"`
}

func (*adam) step() {}
func (*sgd) step()  {}

func (s *sgd) Validate() error {
	if s.Rate > 1 && s.Momentum > 0 {
		return errors.New("a learning_rate above 1 diverges with momentum")
	}
	return nil
}

type search struct {
	Path   string    `yaml:",key"`
	Log    []float64 `yaml:"log"`
	Values []any     `yaml:"values" shorthand:"true"`
}

type stopping struct {
	Patience int `yaml:"patience" default:"5" min:"1" shorthand:"true"`
}

// level is read and written by its own methods.
type level int

func (l *level) UnmarshalText(b []byte) error {
	for i, name := range []string{"debug", "info", "warn"} {
		if name == string(b) {
			*l = level(i)
			return nil
		}
	}
	return errors.New("expected debug, info or warn")
}

func (l level) MarshalText() ([]byte, error) {
	return []byte([]string{"debug", "info", "warn"}[l]), nil
}

// A test case in testdata begins with a line "=== name", followed by lines of
// directives ("set a.b=c" is an override, "docs" shows documentation,
// "quoted" means that the input is one Go string), a line "<<<", the input, a
// line ">>>" and what is expected: the document as Show writes it, or the
// text of the error.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rewritten strings.Builder
		head, rest, _ := strings.Cut("\n"+string(b), "\n=== ")
		rewritten.WriteString(strings.TrimPrefix(head, "\n"))
		for i, c := range strings.Split(rest, "\n=== ") {
			title, body, ok := strings.Cut(c, "<<<\n")
			in, want, ok2 := strings.Cut(body, ">>>\n")
			if !ok || !ok2 {
				t.Fatalf("%s: case %d lacks <<< or >>>", file, i+1)
			}
			lines := strings.Split(strings.TrimSpace(title), "\n")
			got := ""
			t.Run(filepath.Base(file)+"/"+lines[0], func(t *testing.T) {
				got = runCase(t, lines[1:], in)
				if strings.TrimSpace(got) != strings.TrimSpace(want) && !*update {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
			if i > 0 || head != "" {
				rewritten.WriteString("\n")
			}
			fmt.Fprintf(&rewritten, "=== %s<<<\n%s>>>\n%s\n", title, in, strings.TrimRight(got, "\n"))
		}
		if *update {
			if err := os.WriteFile(file, []byte(rewritten.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func runCase(t *testing.T, directives []string, in string) string {
	var sets []string
	docs := false
	for _, d := range directives {
		word, rest, _ := strings.Cut(d, " ")
		switch word {
		case "set":
			sets = append(sets, rest)
		case "docs":
			docs = true
		case "quoted":
			s, err := strconv.Unquote(strings.TrimSpace(in))
			if err != nil {
				t.Fatal(err)
			}
			in = s
		default:
			t.Fatalf("unknown directive %q", d)
		}
	}
	fail := func(err error) string {
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("found %T %v, expected an *Error", err, err)
		}
		return e.Text()
	}
	doc, err := Parse("hone.yaml", []byte(in))
	if err != nil {
		return fail(err)
	}
	if err := doc.Set(sets...); err != nil {
		return fail(err)
	}
	var v document
	if err := doc.Decode(&v); err != nil {
		return fail(err)
	}
	checkRoundTrip(t, v)
	shown, err := doc.Show(&v, docs)
	if err != nil {
		t.Fatal(err)
	}
	return string(shown)
}

// checkRoundTrip checks that what Marshal writes is read as the same again.
func checkRoundTrip(t *testing.T, v document) {
	t.Helper()
	b, err := Marshal(&v)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("marshalled", b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	var w document
	if err := again.Decode(&w); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if s := Show(&v, false); string(s) != string(b) {
		t.Fatalf("Show without documentation is not Marshal: %s", s)
	}
	if b2, err := Marshal(&w); err != nil || string(b) != string(b2) {
		t.Fatalf("found\n%s\nexpected (%v)\n%s", b2, err, b)
	}
}

func TestDecodedValues(t *testing.T) {
	doc, err := Parse("hone.yaml", []byte(`
data: {source: a.csv, validation: v.csv, header: false}
inputs: [age, {name: plan, type: category, dimension: 3}]
train: {optimizer: {type: sgd, momentum: 0.9}, batch_size: 1e3, checkpoint_every: 2m}
search: {b: [1, x], a: {log: [1e-4, 1e-2]}}
extra: {i: 7, f: 1e3, b: true, s: 2024-01-01, n: null, l: ["1"]}
early_stopping: 3
level: warn
`))
	if err != nil {
		t.Fatal(err)
	}
	var v document
	if err := doc.Decode(&v); err != nil {
		t.Fatal(err)
	}
	no := false
	want := document{
		Name: "untitled",
		Data: dataOptions{Source: "a.csv", Validation: part{File: "v.csv"}, Header: &no,
			Split: splitOptions{"random", []float64{0.8, 0.1, 0.1}}},
		Inputs: []input{{Name: "age"}, {"plan", "category", &category{3}}},
		Train: trainOptions{Epochs: 30, BatchSize: 1000, Shuffle: true, Every: 2 * time.Minute,
			Optimizer: optimizer{"sgd", &sgd{0.1, 0.9}}},
		Search:   []search{{Path: "b", Values: []any{1, "x"}}, {Path: "a", Log: []float64{1e-4, 1e-2}}},
		Extra:    map[string]any{"i": 7, "f": 1000.0, "b": true, "s": "2024-01-01", "n": nil, "l": []any{"1"}},
		Stopping: &stopping{3},
		Level:    2,
	}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("found    %+v\nexpected %+v", v, want)
	}
	if !doc.IsSet("train.optimizer.momentum") || !doc.IsSet("inputs.plan.dimension") || doc.IsSet("train.epochs") || doc.IsSet("train..x") {
		t.Error("IsSet is wrong")
	}
	doc, err = Parse("a.yaml", []byte("a: {b: 1, c: [2, x], d: [{e: 3}], f: }"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{"a.b": {"1"}, "a.c": {"2", "x"}, "a.c[1]": {"x"}, "a.d[0].e": {"3"}, "a.d": nil, "a": nil, "a.f": nil, "a.z": nil, "a..": nil} {
		if got := doc.Values(path); !slices.Equal(got, want) {
			t.Errorf("the values at %s are %q, expected %q", path, got, want)
		}
	}
}

func TestDefaultsKeepWhatIsSet(t *testing.T) {
	v := document{Train: trainOptions{Epochs: 3, Optimizer: optimizer{"adam", &adam{Rate: 0.5}}}}
	if err := Defaults(&v); err != nil {
		t.Fatal(err)
	}
	if v.Train.Epochs != 3 || v.Train.BatchSize != 64 || *v.Train.Optimizer.Options.(*adam) != (adam{0.5, 0.9}) || v.Stopping != nil || v.Level != 1 {
		t.Errorf("found %+v", v)
	}
	var zero document
	if err := Defaults(&zero); err != nil || zero.Train.Optimizer.Type != "adam" {
		t.Errorf("found %+v, %v", zero.Train.Optimizer, err)
	}
	for _, bad := range []any{nil, document{}, (*document)(nil), new(int)} {
		if err := Defaults(bad); err == nil {
			t.Errorf("no error for %T", bad)
		}
	}
}

func TestWrongTagsAreErrors(t *testing.T) {
	for want, v := range map[string]any{
		"count: the default is wrong: found text \"many\", expected a whole number": &struct {
			Count int `yaml:"count" default:"many"`
		}{},
		"count: found 1, expected at least one": &struct {
			Count int `yaml:"count" min:"one"`
		}{},
		"the union config.lame lacks a field of type or variants": &lame{},
	} {
		doc, err := Parse("x.yaml", []byte("count: 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(want, "default") {
			doc.root.entries = nil
		}
		if err := doc.Decode(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, expected %s", err, want)
		}
	}
}

type lame struct {
	Options any `yaml:",variant"`
}

func (lame) Variants() map[string]any { return map[string]any{"x": &adam{}} }

func TestLoadAndPaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hone.yaml")
	if _, err := Load(path); err == nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("found %v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder was loaded")
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("# padding\n", maxSize/10+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("found %v", err)
	}
	if err := os.WriteFile(path, []byte("\ufeffname: a\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	doc, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	abs := filepath.Join(dir, "x")
	if doc.Dir() != dir || doc.Name() != path || doc.Resolve("a/b.csv") != filepath.Join(dir, "a", "b.csv") || doc.Resolve(abs) != abs || doc.Resolve("") != "" {
		t.Error("paths are not relative to the document")
	}
	if !doc.IsSet("name") {
		t.Error("the byte-order mark is part of the first key")
	}
}

func TestErrorForMachines(t *testing.T) {
	doc, err := Parse("hone.yaml", []byte("data: {source: a}\ntrain:\n  epoch: 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(doc.Decode(&document{}))
	want := `{"problems":[{"file":"hone.yaml","line":3,"column":3,"key":"train","message":"unknown key \"epoch\"","hint":"did you mean \"epochs\"?"}]}`
	if err != nil || string(b) != want {
		t.Errorf("found %s, %v", b, err)
	}
}

func TestSchema(t *testing.T) {
	got, err := Schema(&document{}, "hone")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/schema.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(got) != string(want) {
		t.Errorf("found\n%s\nexpected another (%v); -update rewrites it", got, err)
	}
}

func TestWrite(t *testing.T) {
	got, err := Write(Map{
		{Key: "name", Value: "churn", Head: "Written by hone init from churn.csv. This comment is long enough to be wrapped onto a second line.\n\nSee hone config show."},
		{Key: "data", Head: "where the rows come from", Value: Map{
			{Key: "source", Value: "churn.csv", Line: "20000 rows"},
			{Key: "validation", Value: Map{{Key: "fraction", Value: 0.1}}, Line: "chosen by"},
			{Key: "test", Value: "test.csv", Off: true},
		}},
		{Key: "inputs", Value: List{
			{Value: Map{{Key: "name", Value: "tenure"}, {Key: "type", Value: "number"}}},
			{Value: Map{{Key: "name", Value: "no"}, {Key: "type", Value: "category"}}, Line: "quoted"},
			{Value: Map{{Key: "name", Value: "id"}}, Off: true, Head: "left out:", Line: "identifier"},
			{Value: Map{{Key: "name", Value: strings.Repeat("long", 20)}, {Key: "type", Value: "text"}}},
		}},
		{Key: "network", Value: Map{{Key: "type", Value: "mlp"}, {Key: "widths", Value: []int{256, 128}}}},
		{Key: "serve", Off: true, Value: Map{{Key: "address", Value: "127.0.0.1:8080", Line: "loopback"}}},
		{Key: "empty", Value: Map{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `# Written by hone init from churn.csv. This comment is long enough to be wrapped
# onto a second line.
#
# See hone config show.
name: churn

# where the rows come from
data:
  source: churn.csv            # 20000 rows
  validation: {fraction: 0.1}  # chosen by
  # test: test.csv
inputs:
  - {name: tenure, type: number}
  - {name: "no", type: category}  # quoted
  # left out:
  # - {name: id}  # identifier
  - name: ` + strings.Repeat("long", 20) + `
    type: text
network: {type: mlp, widths: [256, 128]}
# serve:
#   address: "127.0.0.1:8080"  # loopback
empty: {}
`
	if string(got) != want {
		t.Errorf("found\n%s\nexpected\n%s", got, want)
	}
	if _, err := Write(Map{{Key: "f", Value: func() {}}}); err == nil {
		t.Error("a function was written")
	}
}

// Any text and number is read back as it was.
func TestScalarsRoundTrip(t *testing.T) {
	type scalars struct {
		S string         `yaml:"s" default:"x"`
		L []string       `yaml:"l"`
		M map[string]any `yaml:"m"`
		F float64        `yaml:"f"`
		G float32        `yaml:"g"`
		I int64          `yaml:"i"`
		U uint64         `yaml:"u"`
		D time.Duration  `yaml:"d"`
	}
	tricky := rapid.SampledFrom([]string{"", "~", "null", "true", "yes", "1e3", "0x1f", "-", "- a", "a: b", "a #b", " a", "a ", "'", `"`, "\\", "a\nb", "\t", "@", "%", "&a", "*a", "!t", "{", "[", "|", ">", "?", "---", "...", "<<", ".5", "1_000", "٣", "日本 語", "\u2028", "\u0085", "\ufeff", "a\u00a0b", "\x07", "😀"})
	text := rapid.OneOf(rapid.String(), tricky)
	rapid.Check(t, func(t *rapid.T) {
		in := scalars{
			S: text.Draw(t, "s"),
			L: rapid.SliceOfN(text, 0, 4).Draw(t, "l"),
			F: rapid.Float64().Draw(t, "f"),
			G: rapid.Float32().Draw(t, "g"),
			I: rapid.Int64().Draw(t, "i"),
			U: rapid.Uint64().Draw(t, "u"),
			D: time.Duration(rapid.Int64().Draw(t, "d")),
			M: map[string]any{text.Draw(t, "k"): text.Draw(t, "v")},
		}
		b, err := Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse("m", b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		var out scalars
		if err := doc.Decode(&out); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if len(in.L) == 0 {
			in.L, out.L = nil, nil
		}
		if math.Signbit(in.F) && in.F == 0 || math.Signbit(float64(in.G)) && in.G == 0 {
			in.F, in.G, out.F, out.G = 0, 0, 0, 0
		}
		if !reflect.DeepEqual(in, out) {
			t.Fatalf("found %+v, expected %+v\n%s", out, in, b)
		}
	})
}

// No document and no override panics, problems lie within the file, and what
// is accepted can be shown and read again.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range strings.Split(string(b), "\n=== ") {
			_, in, _ := strings.Cut(c, "<<<\n")
			in, _, _ = strings.Cut(in, ">>>\n")
			if s, err := strconv.Unquote(strings.TrimSpace(in)); err == nil {
				in = s
			}
			f.Add([]byte(in), "train.epochs=5")
		}
	}
	f.Add([]byte("inputs: [a]"), `inputs.a."x.y"[0]={b: [1`)
	f.Fuzz(func(t *testing.T, in []byte, set string) {
		doc, err := Parse("f", in)
		if err == nil {
			if err = doc.Set(set); err == nil {
				var v document
				if err = doc.Decode(&v); err == nil {
					checkRoundTrip(t, v)
					if _, err := doc.Show(&v, true); err != nil {
						t.Fatal(err)
					}
					return
				}
			}
		}
		var e *Error
		if !errors.As(err, &e) || len(e.Problems) == 0 || e.Text() == "" {
			t.Fatalf("found %T %v, expected an *Error", err, err)
		}
		for _, p := range e.Problems {
			if p.Line > strings.Count(string(in), "\n")+1 || p.Message == "" {
				t.Fatalf("found %+v", p)
			}
		}
	})
}

// Depth and size that would exhaust the parser are refused before it runs.
func TestBombs(t *testing.T) {
	for name, in := range map[string]string{
		"flow lists":    "a: " + strings.Repeat("[", 100_000),
		"flow mappings": "a: " + strings.Repeat("{a: ", 50_000),
		"dashes":        strings.Repeat("- ", 100_000),
		"questions":     strings.Repeat("? ", 100_000),
		"aliases":       "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
		"indentation": func() string {
			var b strings.Builder
			for i := range 200 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(),
	} {
		doc, err := Parse("bomb", []byte(in))
		if err == nil {
			err = doc.Decode(&document{})
		}
		var e *Error
		if !errors.As(err, &e) || len(e.Error()) > 2000 {
			t.Errorf("%s: found %v", name, err)
		}
	}
}
