package lifecycle

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/hone-ml/hone/data"
)

// troubled writes a table with one of several problems: the sum that gives the
// target away, zeros for missing heights, lengths in two columns, an identifier.
func troubled(t *testing.T, rows int, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("id,height,meters,feet,part,rest,total\n")
	for i := range rows {
		height, meters, part, rest := 100+r.IntN(80), 100*r.Float64(), r.IntN(500), r.IntN(700)
		if i%20 == 0 {
			height = 0
		}
		fmt.Fprintf(&b, "%d,%d,%.3f,%.2f,%d,%d,%d\n", int(seed)*10_000+i, height, meters, 3.28084*meters, part, rest, part+rest)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheck(t *testing.T) {
	path, other := troubled(t, 1000, 1), troubled(t, 300, 2)
	c, err := Check(CheckOptions{File: path, Target: "total", Against: other})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range c.Findings {
		got = append(got, f.Column+":"+f.Kind)
		if f.YAML == "" {
			t.Errorf("%s:%s has no YAML", f.Column, f.Kind)
		}
	}
	want := []string{"part:leak", "rest:leak", "feet:alike", "height:zeros", "id:identifier"}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if c.Worst(data.SeverityError) != 2 || c.Worst(data.SeverityWarning) != 4 || c.Counts[data.SeverityNote] != 1 {
		t.Errorf("%v", c.Counts)
	}
	if s := c.Summary(); s != "rows.csv: 1000 rows of 7 columns, against rows.csv: 300 rows; 2 errors, 2 warnings, 1 note" {
		t.Errorf("the summary is %s", s)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}

	// What the findings would have a configuration say is understood and helps.
	doc := map[string]any{}
	if err := yaml.Unmarshal([]byte(c.YAML), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, c.YAML)
	}
	doc["data"].(map[string]any)["source"] = path
	doc["outputs"] = []string{"total"}
	text, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hone.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadConfig(file, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	p, err := cfg.prepare()
	if err != nil {
		t.Fatal(err)
	}
	var inputs []string
	for _, in := range p.model.Inputs {
		inputs = append(inputs, in.Column)
	}
	if !slices.Equal(inputs, []string{"height", "meters"}) || len(p.warnings) != 0 {
		t.Errorf("the inputs are %v, the warnings %q", inputs, p.warnings)
	}
	missing := 0
	for i, h := 0, p.train.Column("height"); i < h.Len(); i++ {
		if h.Missing(i) {
			missing++
		} else if h.Numbers[i] == 0 {
			t.Fatal("a zero is left")
		}
	}
	if missing == 0 {
		t.Error("no height is missing")
	}
}

func TestCheckMistakes(t *testing.T) {
	path := troubled(t, 100, 1)
	for _, c := range []struct {
		o    CheckOptions
		want string
	}{
		{CheckOptions{File: path, Target: "totl"}, `has no column "totl" to predict`},
		{CheckOptions{File: path + "x"}, "rows.csvx"},
		{CheckOptions{File: path, Against: path + "y"}, "rows.csvy"},
	} {
		if _, err := Check(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v gives %v", c.o, err)
		}
	}
}

// A file of new rows need not have the answer.
func TestCheckAgainstWithoutTarget(t *testing.T) {
	path := troubled(t, 1000, 1)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for l := range strings.Lines(string(text)) {
		b.WriteString(l[:strings.LastIndexByte(l, ',')] + "\n")
	}
	other := filepath.Join(t.TempDir(), "new.csv")
	if err := os.WriteFile(other, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Check(CheckOptions{File: path, Target: "total", Against: other})
	if err != nil {
		t.Fatal(err)
	}
	if f := c.Findings[0]; f.Kind != data.FindingLeak && f.Kind != data.FindingSharedRows {
		t.Errorf("found %+v", f)
	}
	i := slices.IndexFunc(c.Findings, func(f CheckFinding) bool { return f.Kind == data.FindingSharedRows })
	if i < 0 || c.Findings[i].Evidence["rows"] != 1000 {
		t.Errorf("the same rows are not found: %+v", c.Findings)
	}
}

// The run warns of test rows that it has learnt from.
func TestPrepareWarnsOfSharedRows(t *testing.T) {
	path := troubled(t, 1000, 1)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.SplitAfter(string(text), "\n")
	test := filepath.Join(filepath.Dir(path), "test.csv")
	if err := os.WriteFile(test, []byte(strings.Join(rows[:401], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(path), "hone.yaml")
	if err := os.WriteFile(file, []byte("data: {source: rows.csv, test: test.csv}\ninputs: [height, meters, feet]\noutputs: [total]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadConfig(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cfg.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(p.warnings, func(w string) bool {
		return strings.Contains(w, "of 400 test rows have the inputs of a training row")
	}) {
		t.Errorf("the warnings are %q", p.warnings)
	}
}
