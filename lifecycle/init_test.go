package lifecycle

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
)

var update = flag.Bool("update", false, "write what Init gives to testdata")

// mustInit looks at a file, writes what Init gives beside it and loads it.
func mustInit(tb testing.TB, o InitOptions, sets ...string) (*Found, *Config) {
	tb.Helper()
	if o.Output == "" {
		o.Output = filepath.Join(filepath.Dir(o.File), "hone.yaml")
	}
	f, err := Init(o)
	if err != nil {
		tb.Fatal(err)
	}
	writeFile(tb, filepath.Dir(o.Output), filepath.Base(o.Output), f.YAML)
	c, err := LoadConfig(o.Output, sets)
	if err != nil {
		tb.Fatalf("%v\n%s", err, f.YAML)
	}
	return f, c
}

func TestInitGolden(t *testing.T) {
	dir := t.TempDir()
	all := shoppers(700, 21)
	for target, o := range map[string]InitOptions{
		"bought":  {},
		"level":   {Test: "test.csv", Data: data.Options{Types: map[string]data.Type{"age": data.Category, "team": data.Text}, Delimiter: "comma"}},
		"balance": {}, // with a column of few whole numbers
	} {
		t.Run(target, func(t *testing.T) {
			names := append(slices.Clone(all.names[:9]), target)
			all := all.change("team", 0, 700, func(v string) string {
				if target == "balance" {
					return strings.TrimPrefix(v, "team ")
				}
				return v
			})
			file := all.only(names...).write(t, dir, "shoppers.csv")
			all.only(names...).part(0, 100).write(t, dir, "test.csv")
			o.File, o.Target = file, target
			if o.Test != "" {
				o.Test = filepath.Join(dir, o.Test)
			}
			f, _ := mustInit(t, o)
			golden := filepath.Join("testdata", "init", target+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(f.YAML), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := mustRead(t, golden); f.YAML != want {
				t.Errorf("Init gives\n%s\nexpected (%s)\n%s", f.YAML, golden, want)
			}
		})
	}
}

// What Init writes runs as it is, loads again to the same configuration, and
// every column that it left out can be taken back as it says.
func TestInitRunsAndIsTakenBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := shoppers(400, 22).only("id", "age", "color", "since", "currency", "hint", "bought").write(t, dir, "rows.csv")
	f, c := mustInit(t, InitOptions{File: file, Target: "bought"}, "train.epochs=1", "evaluate.bootstrap=0")
	if !slices.Equal(f.Inputs, []string{"age", "color", "since"}) || len(f.LeftOut) != 3 || f.Task != "binary" || f.Rows != 400 {
		t.Errorf("found %+v", f)
	}
	if s, _ := mustRun(t, c); s.Name != "rows" || s.Rows.Train != 360 || s.Rows.Test != 40 {
		t.Errorf("summary %+v", s)
	}
	loadsTheSame(t, f, dir)
	taken := regexp.MustCompile(`(?m)^  # (- \{name)`).ReplaceAllString(f.YAML, "  $1")
	c = configure(t, dir, taken, "train.epochs=1", "evaluate.bootstrap=0")
	s, w := mustRun(t, c)
	if got := mustLoad(t, s.Bundle).InputSchema().Names(); len(got) != 6 {
		t.Errorf("inputs taken back: %v\n%s", got, w.notes())
	}
}

// loadsTheSame checks that all keys that a configuration shows, defaults too,
// load to the same configuration.
func loadsTheSame(tb testing.TB, f *Found, dir string) {
	tb.Helper()
	c := configure(tb, dir, f.YAML)
	again := configure(tb, dir, string(c.Text(false)))
	c.doc, again.doc = nil, nil
	if !reflect.DeepEqual(c, again) {
		tb.Errorf("loaded again it is\n%+v\nexpected\n%+v", again, c)
	}
}

func TestInitWithAwkwardNames(t *testing.T) {
	t.Parallel()
	names := []string{
		"two words", "it's", `say "hi"`, "a,b", "key: value", "# no comment", "[list]", "{map}", "yes", "null", "~", "123", "1e3", "-", "- dash",
		"?", "! tag", "&anchor", "*alias", "%", "@at", "`tick`", "|", ">", "größe", "年龄", "🙂", "back\\slash", "tab\there", "two\nlines", "nel\u0085x",
		" lead", "trail ", "true", "0x1F", "2024-01-01", "<<", "=", "a: b # c", "'", `"`, "]", "}", "inputs", "line\u2028sep",
	}
	values := []string{"plain", "with: colon", "with # hash", "line\nbreak", "\u0085", `"quoted"`, "- dash", "null", "[1, 2]", "*x", "\u2028"}
	header := true // which nobody could tell by looking
	tab := &table{}
	for i := range 60 {
		var row []string
		for j := range names {
			row = append(row, values[(i*(j+3)+j+i/7)%len(values)])
		}
		tab.rows = append(tab.rows, row)
	}
	tab.names = names
	for _, target := range []string{"two words", "yes", "two\nlines", "# no comment", "a: b # c"} {
		dir := t.TempDir()
		// Two classes with awkward names themselves.
		rows := tab.change(target, 0, 60, func(v string) string {
			if v < "a" {
				return "no: #1\n- x"
			}
			return "yes, {2}"
		})
		file := rows.write(t, dir, "a file: [1], #2.csv")
		f, c := mustInit(t, InitOptions{File: file, Target: target, Data: data.Options{Header: &header}})
		want := target
		if c.Outputs[0].Name != want || f.Task != "binary" {
			t.Errorf("target %q is read back as %q (%s)", want, c.Outputs[0].Name, f.Task)
		}
		var got []string
		for _, in := range c.Inputs {
			got = append(got, in.Name)
		}
		if !slices.Equal(got, f.Inputs) {
			t.Errorf("inputs %q are read back as %q\n%s", f.Inputs, got, f.YAML)
		}
		if len(f.Inputs)+len(f.LeftOut) != len(names)-1 {
			t.Errorf("%d inputs and %d left out of %d columns", len(f.Inputs), len(f.LeftOut), len(names)-1)
		}
		loadsTheSame(t, f, dir)
		if p, err := c.prepare(); err != nil {
			t.Errorf("target %q: %v", target, err)
		} else if len(p.model.Inputs) != len(f.Inputs) {
			t.Errorf("%d inputs of %d", len(p.model.Inputs), len(f.Inputs))
		}
	}
}

func TestInitOptionsAreWritten(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	header := false
	file := writeFile(t, dir, "x.txt", "a comment\n"+strings.Repeat("1;'a';01.02.2024;yes\n2;'b';03.02.2024;no\n-9;'c';04.02.2024;no\n", 20))
	o := InitOptions{File: file, Target: "answer", Output: filepath.Join(out, "conf.yaml"), Data: data.Options{
		Delimiter: ";", Quote: "'", Encoding: "windows-1252", Header: &header, SkipLines: 1, Names: []string{"n: x", "s", "when", "answer"}, MissingValues: []string{"-9", "#"},
		Layouts: map[string]string{"when": "02.01.2006"}, Types: map[string]data.Type{"s": data.Category}, MaxExpansion: 50,
	}}
	f, c := mustInit(t, o)
	if !reflect.DeepEqual(c.Data.Options, o.Data) {
		t.Errorf("options are read back as\n%+v\nexpected\n%+v\n%s", c.Data.Options, o.Data, f.YAML)
	}
	p, err := c.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if p.train.Rows != 54 || p.schema.Field("when").Type != data.Datetime {
		t.Errorf("%d rows, schema %v", p.train.Rows, p.schema)
	}
}

func TestInitRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(200, 23)
	file := all.only("id", "currency", "age", "bought").write(t, dir, "rows.csv")
	for _, tt := range []struct {
		o     InitOptions
		parts []string
	}{
		{InitOptions{File: file}, []string{"--target", "id, currency, age, bought"}},
		{InitOptions{File: file, Target: "bougth"}, []string{"bougth", `did you mean "bought"`}},
		{InitOptions{File: file, Target: "currency"}, []string{"rows.csv", "currency", "EUR"}},
		{InitOptions{File: file, Target: "id"}, []string{"rows.csv", "identifier"}},
		{InitOptions{File: all.only("id", "currency", "bought").write(t, dir, "none.csv"), Target: "bought"}, []string{"no column is left"}},
		{InitOptions{File: file, Target: "bought", Test: all.only("id", "bought").write(t, dir, "test.csv")}, []string{"test.csv", "currency"}},
		{InitOptions{File: writeFile(t, dir, "empty.csv", ""), Target: "x"}, []string{"empty.csv", "empty"}},
	} {
		tt.o.Output = filepath.Join(dir, "hone.yaml")
		_, err := Init(tt.o)
		wantError(t, err, tt.parts...)
	}
}

// Real tables: the configuration runs as it is and loads again.
func TestInitOnRealData(t *testing.T) {
	if testing.Short() || slow {
		t.Skip("reads large tables; not with -short or -race")
	}
	t.Parallel()
	for _, tt := range []struct {
		set, file, target, task string
		leftOut                 []string
	}{
		{"adult", "train.csv.gz", "income", "binary", nil},
		{"california-housing", "train.csv", "median_house_value", "number", nil},
		{"bike-sharing", "train.csv", "cnt", "number", []string{"instant", "casual", "registered"}},
		{"breast-cancer", "train.csv", "diagnosis", "binary", []string{"id"}},
		{"heart-disease", "train.csv", "disease", "binary", nil},
		{"pima-diabetes", "train.csv", "Outcome", "binary", nil},
		{"churn", "", "churn", "binary", []string{"customer_id", "currency", "cancellation_reason"}},
	} {
		t.Run(tt.set, func(t *testing.T) {
			file := filepath.Join(root(t), "examples", "churn", "churn.csv.gz")
			if tt.set != "churn" {
				file = filepath.Join(realData(t), tt.set, tt.file)
			}
			dir := t.TempDir()
			f, c := mustInit(t, InitOptions{File: file, Target: tt.target, Output: filepath.Join(dir, "hone.yaml")},
				"train.epochs=1", "network.widths=[8]", "train.batch_size=1024", "evaluate.bootstrap=0")
			var out []string
			for _, l := range f.LeftOut {
				out = append(out, l.Column)
			}
			if f.Task != tt.task || !slices.Equal(out, tt.leftOut) {
				t.Errorf("%s, left out %v; expected %s, %v", f.Task, out, tt.task, tt.leftOut)
			}
			loadsTheSame(t, f, dir)
			if tt.set == "adult" || tt.set == "churn" { // large; prepared is enough
				if _, err := c.prepare(); err != nil {
					t.Error(err)
				}
				return
			}
			if _, err := Run(context.Background(), c, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// root returns the folder of the module.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	tb.Fatal("no go.mod above the test")
	return ""
}

// realData returns the folder of real data sets: $HONE_DATA, or shared/data
// beside the checkout.
func realData(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("HONE_DATA")
	if dir == "" {
		dir = filepath.Join(root(tb), "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Skip("real data is neither in $HONE_DATA nor in shared/data beside the checkout")
	}
	return dir
}

// TestInitTakesStrayQuotesForText: a file of reviews whose quotes do not go in pairs
// is read as it is, and the configuration says so; one whose rows would then be
// broken is still an error.
func TestInitTakesStrayQuotesForText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("text\tlabel\n")
	for i := range 200 {
		fmt.Fprintf(&b, "%s the food was %s on day %d\t%d\n", []string{`"Great", he said;`, "Well,", `"`}[i%3], []string{"good", "bad"}[i%2], i, i%2)
	}
	file := filepath.Join(dir, "reviews.tsv")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	f, c := mustInit(t, InitOptions{File: file, Target: "label"})
	if !strings.Contains(f.YAML, "quote: none") || len(f.Notes) == 0 || !strings.Contains(f.Notes[0], "quotes are text here (data.quote: none): in line 2, found") {
		t.Errorf("%q\n%s", f.Notes, f.YAML)
	}
	if f.Rows != 200 || c.Data.Quote != "none" {
		t.Errorf("%d rows, quote %q", f.Rows, c.Data.Quote)
	}
	broken := strings.Replace(b.String(), "\t0\n", "\t0\tmore\n", 1)
	if err := os.WriteFile(file, []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(InitOptions{File: file, Target: "label"}); err == nil || !strings.Contains(err.Error(), "after a closing quote") {
		t.Errorf("%v, expected the mistake in quoting", err)
	}
}
