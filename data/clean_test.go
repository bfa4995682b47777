package data

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func ptr[T any](v T) *T { return &v }

func expr(t testing.TB, text string) Expr {
	t.Helper()
	e, err := ParseExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const cleanRowsText = "n,c,b,d,s,y\n" +
	"1,Red,no,2020-01-01,the quick  brown fox,yes\n" +
	"2,red ,yes,1900-01-01, The quick brown fox,no\n" +
	"100,BLUE,no,2021-05-05,,yes\n" +
	"-7,blue,yes,2020-01-01,une ile,no\n" +
	",?,,,the quick  brown fox,\n" +
	"1,Red,no,2020-01-01,the quick  brown fox,yes\n"

func cleanTable(t testing.TB) (*Table, Schema) {
	table, r := mustRead(t, cleanRowsText, Options{Types: map[string]Type{"s": Text, "c": Category}})
	return table, r.Schema()
}

// TestValueSteps holds what each step makes of a column, what it says of it, and
// that it says and makes the same after a way through JSON, and of each row alone.
func TestValueSteps(t *testing.T) {
	table, schema := cleanTable(t)
	for name, c := range map[string]struct {
		options StepOptions
		column  string
		want    string // the column's values
		said    string
	}{
		"cap":            {&CapOptions{Columns: []string{"n"}, Min: ptr(0.0), Max: ptr(1.5)}, "n", "1|1.5|1.5|0||1", "n: 1 value below 0 raised to it, 2 values above 1.5 lowered to it"},
		"cap above":      {&CapOptions{Columns: []string{"n"}, Max: ptr(50.0)}, "n", "1|2|50|-7||1", "n: 1 value above 50 lowered to it"},
		"cap quantiles":  {&CapOptions{Columns: []string{"n"}, Low: ptr(0.25), High: ptr(0.75)}, "n", "1|2|2|1||1", "n: 1 value below 1 raised to it, 1 value above 2 lowered to it"},
		"cap nothing":    {&CapOptions{Columns: []string{"n"}, Max: ptr(1000.0)}, "n", "1|2|100|-7||1", ""},
		"map categories": {&MapOptions{Column: "c", Values: map[string]*string{"Red": ptr("red"), "BLUE": ptr("blue"), "green": ptr("x")}}, "c", "red|red|blue|blue||red", "c: 3 values mapped"},
		"map away":       {&MapOptions{Column: "c", Values: map[string]*string{"blue": nil, "BLUE": ptr("")}}, "c", "Red|red||||Red", "c: 2 values mapped"},
		"map swaps":      {&MapOptions{Column: "c", Values: map[string]*string{"Red": ptr("blue"), "blue": ptr("Red")}}, "c", "blue|red|BLUE|Red||blue", "c: 3 values mapped"},
		"map numbers":    {&MapOptions{Column: "n", Values: map[string]*string{"1.0": ptr("10"), "-7": nil}}, "n", "10|2|100|||10", "n: 3 values mapped"},
		"map booleans":   {&MapOptions{Column: "b", Values: map[string]*string{"NO": ptr("yes"), "yes": ptr("no")}}, "b", "yes|no|yes|no||yes", "b: 5 values mapped"},
		"map dates":      {&MapOptions{Column: "d", Values: map[string]*string{"1900-01-01": ptr("2019-01-01")}}, "d", "2020-01-01|2019-01-01|2021-05-05|2020-01-01||2020-01-01", "d: 1 value mapped"},
		"map text":       {&MapOptions{Column: "s", Values: map[string]*string{"the quick  brown fox": ptr("fox")}}, "s", "fox| The quick brown fox||une ile|fox|fox", "s: 3 values mapped"},
		"missing":        {&MissingOptions{Columns: []string{"n", "d", "c", "b"}, Values: []string{"1", "1900-01-01", "blue"}}, "n", "|2|100|-7||", "n: 2 values taken as missing c: 1 value taken as missing d: 1 value taken as missing"},
		"missing dates":  {&MissingOptions{Columns: []string{"d"}, Values: []string{"1900-01-01"}}, "d", "2020-01-01||2021-05-05|2020-01-01||2020-01-01", "d: 1 value taken as missing"},
		"missing truth":  {&MissingOptions{Columns: []string{"b"}, Values: []string{"no"}}, "b", "|yes||yes||", "b: 3 values taken as missing"},
		"fold case":      {&TextOptions{FoldCase: true}, "c", "red|red|blue|blue||red", "c: 3 values rewritten s: 1 value rewritten"},
		"collapse":       {&TextOptions{Columns: []string{"s"}, CollapseSpaces: true, Trim: true}, "s", "the quick brown fox|The quick brown fox||une ile|the quick brown fox|the quick brown fox", "s: 4 values rewritten"},
		"collapse only":  {&TextOptions{Columns: []string{"s"}, CollapseSpaces: true}, "s", "the quick brown fox| The quick brown fox||une ile|the quick brown fox|the quick brown fox", "s: 3 values rewritten"},
		"convert":        {&ConvertOptions{Column: "n", Value: expr(t, "n / 10"), Where: expr(t, "n > 50")}, "n", "1|2|10|-7||1", "n: 1 value converted to n / 10"},
		"convert all":    {&ConvertOptions{Column: "n", Value: expr(t, "n * 2")}, "n", "2|4|200|-14||2", "n: 5 values converted to n * 2"},
		"convert by 0":   {&ConvertOptions{Column: "n", Value: expr(t, "n / 0"), Where: expr(t, "n < 0")}, "n", "1|2|100|||1", "n: 1 value converted to n / 0"},
	} {
		t.Run(name, func(t *testing.T) {
			step, err := c.options.Fit(table, "y")
			if err != nil {
				t.Fatal(err)
			}
			before := texts(table)
			out, kept, changed, err := ApplyStep(step, table)
			if err != nil || kept != nil {
				t.Fatalf("rows %v, %v", kept, err)
			}
			var said []string
			for _, ch := range changed {
				said = append(said, ch.String())
			}
			if got := strings.Join(valuesOf(out, c.column), "|"); got != c.want {
				t.Errorf("found %s, expected %s", got, c.want)
			}
			if got := strings.Join(said, " "); got != c.said {
				t.Errorf("said %q, expected %q", got, c.said)
			}
			if fmt.Sprint(texts(table)) != fmt.Sprint(before) {
				t.Error("the table itself was changed")
			}
			for _, col := range out.Columns {
				if seen := map[string]bool{}; col.Type == Category {
					for _, v := range col.Dict {
						if seen[v] {
							t.Errorf("%q stands twice in the dictionary of %s", v, col.Name)
						}
						seen[v] = true
					}
				}
			}

			raw, err := MarshalSteps([]Step{step})
			if err != nil {
				t.Fatal(err)
			}
			steps, err := UnmarshalSteps(raw, schema)
			if err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			if steps[0].Type() != step.Type() {
				t.Errorf("type %q, expected %q", steps[0].Type(), step.Type())
			}
			again, err := CleanValues(steps, table)
			if err != nil {
				t.Fatal(err)
			}
			if err := equalTables(again, out); err != nil {
				t.Errorf("read back, the step does something else: %v", err)
			}
			for i := range table.Rows {
				one, err := CleanValues(steps, table.Slice(i, i+1))
				if err != nil {
					t.Fatal(err)
				}
				if fmt.Sprint(texts(one)[0]) != fmt.Sprint(texts(out)[i]) {
					t.Errorf("row %d alone becomes %q, with others %q", i+1, texts(one)[0], texts(out)[i])
				}
			}
			// A model need not read all columns.
			if _, err := CleanValues(steps, &Table{Columns: []*Column{table.Column("y")}, Rows: table.Rows}); err != nil {
				t.Errorf("without the columns: %v", err)
			}
			marked := *out
			marked.Cleaned = true
			if same, err := CleanValues(steps, &marked); err != nil || same != &marked {
				t.Errorf("a clean table is cleaned again: %v", err)
			}
		})
	}
}

func valuesOf(t *Table, name string) []string {
	var out []string
	for i := range t.Rows {
		out = append(out, t.Column(name).Text(i))
	}
	return out
}

func TestUnicodeStep(t *testing.T) {
	table, _ := mustRead(t, "c,y\ncafe\u0301,1\ncaf\u00e9,2\n\ufb01n,1\nfin,2\nSTRASSE,1\nstra\u00dfe,2\n\uff21,3\n", Options{})
	for form, want := range map[string]string{"none": "cafe\u0301|caf\u00e9|\ufb01n|fin|STRASSE|stra\u00dfe|\uff21", "nfc": "caf\u00e9|caf\u00e9|\ufb01n|fin|STRASSE|stra\u00dfe|\uff21", "nfkc": "caf\u00e9|caf\u00e9|fin|fin|STRASSE|stra\u00dfe|A"} {
		step, err := (&TextOptions{Columns: []string{"c"}, Unicode: form, Trim: true}).Fit(table, "y")
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := step.(ValueStep).Apply(table)
		if got := strings.Join(valuesOf(out, "c"), "|"); err != nil || got != want {
			t.Errorf("%s: found %+q, expected %+q (%v)", form, got, want, err)
		}
	}
	step, err := (&TextOptions{Columns: []string{"c"}, FoldCase: true, Unicode: "nfkc"}).Fit(table, "y")
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := step.(ValueStep).Apply(table)
	if want := "caf\u00e9|caf\u00e9|fin|fin|strasse|strasse|a"; err != nil || strings.Join(valuesOf(out, "c"), "|") != want {
		t.Errorf("folded: %+q", valuesOf(out, "c"))
	}
}

// TestQuantile holds against numpy 2.3's np.quantile.
func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 4, 7, 11, 16, 22, 29, 37, 100}
	for q, want := range map[float64]float64{0: 1, 0.01: 1.09, 0.05: 1.45, 0.1: 1.9, 0.25: 4.75, 0.5: 13.5, 0.9: 43.3, 0.95: 71.65, 0.99: 94.33, 1: 100} {
		if got := quantile(x, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("quantile %g is %v, expected %v", q, got, want)
		}
	}
	if got := quantile([]float64{3}, 0.3); got != 3 {
		t.Errorf("of one value: %v", got)
	}
}

func TestRowSteps(t *testing.T) {
	table, schema := cleanTable(t)
	for name, c := range map[string]struct {
		options StepOptions
		want    []int
		said    string
	}{
		"duplicates":         {&DropDuplicatesOptions{}, []int{0, 1, 2, 3, 4}, "1 of 6 rows left out, which repeat an earlier one"},
		"duplicates by some": {&DropDuplicatesOptions{Columns: []string{"d", "b"}}, []int{0, 1, 2, 3, 4}, "1 of 6 rows left out, which repeat an earlier one"},
		"duplicates by one":  {&DropDuplicatesOptions{Columns: []string{"s"}}, []int{0, 1, 2, 3}, "2 of 6 rows left out, which repeat an earlier one"},
		"no duplicates":      {&DropDuplicatesOptions{Columns: []string{"n", "s", "c"}}, []int{0, 1, 2, 3, 4}, "1 of 6 rows left out, which repeat an earlier one"},
		"filter":             {&FilterOptions{Where: expr(t, `n > 0 and c != "BLUE"`)}, []int{0, 1, 5}, `3 of 6 rows left out, for which n > 0 and c != "BLUE" does not hold (for 1 of them it is unknown, since a value is missing; ` + "`or … is missing`" + ` keeps such rows)`},
		"filter nothing":     {&FilterOptions{Where: expr(t, `n > -10 or n is missing`)}, []int{0, 1, 2, 3, 4, 5}, ""},
	} {
		step, err := c.options.Fit(table, "y")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		raw, err := MarshalSteps([]Step{step})
		if err != nil {
			t.Fatal(err)
		}
		steps, err := UnmarshalSteps(raw, schema)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range []Step{step, steps[0]} {
			out, kept, changed, err := ApplyStep(s, table)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			said := ""
			for _, ch := range changed {
				said += ch.String()
			}
			if !slices.Equal(kept, c.want) || said != c.said || out.Rows != len(c.want) {
				t.Errorf("%s: kept %v and said %q, expected %v and %q", name, kept, said, c.want, c.said)
			}
		}
	}
	// In their order: what a row is depends on what was done to it before.
	fold := &TextStep{Columns: []string{"c", "s"}, FoldCase: true, Trim: true, CollapseSpaces: true}
	by := &DropDuplicates{Columns: []string{"s"}}
	filter := &Filter{Where: expr(t, `c == "red"`)}
	for _, c := range []struct {
		steps []Step
		want  []int
	}{{[]Step{fold, by}, []int{0, 2, 3}}, {[]Step{by, fold}, []int{0, 1, 2, 3}}, {[]Step{fold, filter}, []int{0, 1, 5}}, {[]Step{filter, fold}, []int{1}}, {[]Step{fold, filter, by}, []int{0}}, {nil, []int{0, 1, 2, 3, 4, 5}}} {
		left, rows, err := CleanRows(c.steps, table)
		if err != nil || !slices.Equal(rows, c.want) || left.Rows != len(rows) {
			t.Errorf("%v: left rows %v, expected %v (%v)", c.steps, rows, c.want, err)
		}
	}
}

// TestDropDuplicatesRandom holds against rows compared as text.
func TestDropDuplicatesRandom(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		var b strings.Builder
		b.WriteString("a,b,c\n")
		for range 200 {
			fmt.Fprintf(&b, "%s,%s,%d\n", []string{"", "0", "-0", "1.5", "1.50"}[r.IntN(5)], []string{"", "x", "y"}[r.IntN(3)], r.IntN(4))
		}
		table, _ := mustRead(t, b.String(), Options{})
		seen, want := map[string]bool{}, []int{}
		for i, row := range texts(table) {
			if k := strings.ReplaceAll(fmt.Sprint(row), "-0", "0"); !seen[k] {
				seen[k] = true
				want = append(want, i)
			}
		}
		if got, _, err := (&DropDuplicates{}).Keep(table); err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: kept %v, expected %v", seed, got, want)
		}
	}
}

func TestStepErrors(t *testing.T) {
	table, schema := cleanTable(t)
	for name, c := range map[string]struct {
		options StepOptions
		want    string
	}{
		"cap no column":      {&CapOptions{Columns: []string{"m"}, Max: ptr(1.0)}, `the data has no column "m"; did you mean "n"?`},
		"cap category":       {&CapOptions{Columns: []string{"c"}, Max: ptr(1.0)}, `column "c" is of type category, expected one of type number: take it out, or set its type in data.types`},
		"cap twice":          {&CapOptions{Columns: []string{"n", "n"}, Max: ptr(1.0)}, `column "n" is named twice`},
		"cap target":         {&CapOptions{Columns: []string{"n"}, Max: ptr(1.0)}, `column "n" is to be predicted, and capped test rows would measure something else`},
		"cap crossed":        {&CapOptions{Columns: []string{"n"}, Low: ptr(0.9), Max: ptr(0.0)}, `column "n" would be capped to at least 60.8 and at most 0`},
		"map unknown":        {&MapOptions{Column: "colour", Values: map[string]*string{"a": nil}}, `the data has no column "colour": it has n, c, b, d, s, y`},
		"map no number":      {&MapOptions{Column: "n", Values: map[string]*string{"one": ptr("1")}}, `column "n" is of type number, and so never holds "one", expected a number`},
		"map to no number":   {&MapOptions{Column: "n", Values: map[string]*string{"1": ptr("one")}}, `column "n" is of type number, and "1" is to become "one", expected a number: give it the type category`},
		"map to no boolean":  {&MapOptions{Column: "b", Values: map[string]*string{"yes": ptr("maybe")}}, `expected "no" or "yes"`},
		"map to no date":     {&MapOptions{Column: "d", Values: map[string]*string{"2020-01-01": ptr("soon")}}, `expected a date written as 2006-01-02`},
		"map one to two":     {&MapOptions{Column: "n", Values: map[string]*string{"1": ptr("2"), "1.0": ptr("3")}}, `two of the values mean "1.0" and become different ones`},
		"missing no number":  {&MissingOptions{Columns: []string{"n", "b"}, Values: []string{"0", "unknown"}}, `"unknown" is no value of a column such as "n", which is of type number: if it keeps the column from having another type, name it in data.missing`},
		"missing no values":  {&MissingOptions{Columns: []string{"n"}}, "there are no columns or no values"},
		"text number":        {&TextOptions{Columns: []string{"n"}, Trim: true}, `column "n" is of type number, expected one of type category, text, identifier`},
		"duplicates unknown": {&DropDuplicatesOptions{Columns: []string{"nn"}}, `the data has no column "nn"`},
		"filter unknown":     {&FilterOptions{Where: expr(t, "nn > 2")}, `where "nn > 2": column 1: there is no column "nn"`},
		"filter no column":   {&FilterOptions{Where: expr(t, "1 > 2")}, "the condition names no column"},
		"filter no truth":    {&FilterOptions{Where: expr(t, "n")}, `where "n": column 1: expected a condition such as age >= 18, found a number`},
		"convert other":      {&ConvertOptions{Column: "n", Value: expr(t, "n + y2")}, `value "n + y2": column 5: there is no column "y2": it has n`},
		"convert where":      {&ConvertOptions{Column: "n", Value: expr(t, "n"), Where: expr(t, `c == "Red"`)}, `where "c == \"Red\"": column 1: there is no column "c"`},
		"convert truth":      {&ConvertOptions{Column: "n", Value: expr(t, "n > 3")}, "expected a number such as x / 100, found a condition"},
		"convert category":   {&ConvertOptions{Column: "c", Value: expr(t, "c")}, `column "c" is of type category, expected one of type number`},
	} {
		target := "y"
		if name == "cap target" {
			target = "n"
		}
		if _, err := c.options.Fit(table, target); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found %v, expected %s", name, err, c.want)
		}
	}
	empty, _ := mustRead(t, "n,y\n1,a\n2,b\n", Options{})
	if _, err := (&CapOptions{Columns: []string{"n"}, High: ptr(0.5)}).Fit(empty.Select(nil), "y"); err == nil || !strings.Contains(err.Error(), "no value in the training rows") {
		t.Errorf("a cap of no rows: %v", err)
	}
	for want, o := range map[string]interface{ Validate() error }{
		"cap has no bound":                              &CapOptions{},
		"low and min are both given":                    &CapOptions{Low: ptr(0.1), Min: ptr(1.0)},
		"high and max are both given":                   &CapOptions{High: ptr(0.1), Max: ptr(1.0)},
		"low is 0.9 and high is 0.1":                    &CapOptions{Low: ptr(0.9), High: ptr(0.1)},
		"min is 3 and max is 2":                         &CapOptions{Min: ptr(3.0), Max: ptr(2.0)},
		"text has nothing to do: set one of trim, coll": &TextOptions{},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, expected %s", err, want)
		}
	}
	for raw, want := range map[string]string{
		`{"version":2,"steps":[]}`:                                                                    "version 2, this program reads 1",
		`{"version":1,"steps":[{"type":"polish","fitted":{}}]}`:                                       `unknown type "polish", this version knows cap, convert`,
		`{"version":1,"steps":[{"type":"cap","fitted":{"bounds":[{"column":"c","max":1}]}}]}`:         `step 1 (cap): column "c" is of type category`,
		`{"version":1,"steps":[{"type":"cap","fitted":{"bounds":[{"column":"n","min":2,"max":1}]}}]}`: "are no range",
		`{"version":1,"steps":[{"type":"map","fitted":{"columns":["zz"],"values":{"a":"b"}}}]}`:       `no column "zz"`,
		`{"version":1,"steps":[{"type":"filter","fitted":{"where":"n >"}}]}`:                          "column 4: expected a column",
		`{"version":1,"steps":[{"type":"filter","fitted":{}}]}`:                                       "there is no expression",
		`{"version":1,"steps":[{"type":"convert","fitted":{"column":"n","value":"d"}}]}`:              `there is no column "d"`,
		`{"version":1,"steps":[{"type":"text","fitted":{"columns":["n"]}}]}`:                          `column "n" is of type number`,
		`{"version":1,"steps":[{"type":"text","fitted":{"columns":["c"],"unicode":"nfd"}}]}`:          `"nfd" is none of nfc and nfkc`,
		`[]`: "cannot unmarshal",
	} {
		if _, err := UnmarshalSteps(json.RawMessage(raw), schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %s", raw, err, want)
		}
	}
	if raw, err := MarshalSteps(nil); raw != nil || err != nil {
		t.Errorf("no steps are %s", raw)
	}
	if steps, err := UnmarshalSteps(nil, schema); steps != nil || err != nil {
		t.Errorf("no steps are %v", steps)
	}
}

// TestStepTypes holds that every type has options, a fitted step and its name.
func TestStepTypes(t *testing.T) {
	for name, o := range StepTypes() {
		s := stepTypes[name].fitted()
		_, value := s.(ValueStep)
		_, row := s.(RowStep)
		if value == row || o == nil {
			t.Errorf("%s changes values: %v, chooses rows: %v", name, value, row)
		}
		if name != "missing" && s.Type() != name {
			t.Errorf("the step of type %s calls itself %s", name, s.Type())
		}
	}
}

// FuzzSteps holds that steps of a damaged bundle are refused or do something.
func FuzzSteps(f *testing.F) {
	table, schema := cleanTable(f)
	for _, raw := range []string{
		`{"type":"cap","fitted":{"bounds":[{"column":"n","min":2,"max":3}]}}`, `{"type":"map","fitted":{"columns":["c"],"values":{"a":"b","b":null}}}`,
		`{"type":"missing","fitted":{"columns":["n","b","d"],"values":{"1":null,"yes":null},"missing":true}}`, `{"type":"filter","fitted":{"where":"n > 2 or b"}}`,
		`{"type":"text","fitted":{"columns":["c","s"],"trim":true,"fold_case":true,"unicode":"nfkc"}}`, `{"type":"drop_duplicates","fitted":{"columns":["n"]}}`,
		`{"type":"convert","fitted":{"column":"n","value":"n/0","where":"n is not missing"}}`, `{"type":"map","fitted":null}`,
	} {
		f.Add(`{"version":1,"steps":[` + raw + `]}`)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		steps, err := UnmarshalSteps(json.RawMessage(raw), schema)
		if err != nil {
			return
		}
		left, rows, err := CleanRows(steps, table)
		if err == nil && (left.Rows != len(rows) || len(texts(left)) != left.Rows) {
			t.Fatalf("%d rows, %d numbers", left.Rows, len(rows))
		}
		if _, err := CleanValues(steps, table); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkClean cleans one row, as a server does, and many.
func BenchmarkClean(b *testing.B) {
	table, _ := cleanTable(b)
	var steps []Step
	for _, o := range []StepOptions{
		&TextOptions{Columns: []string{"c"}, FoldCase: true, Trim: true},
		&MapOptions{Column: "c", Values: map[string]*string{"red": ptr("r")}},
		&MissingOptions{Columns: []string{"n"}, Values: []string{"-7"}},
		&ConvertOptions{Column: "n", Value: expr(b, "n / 10"), Where: expr(b, "n > 50")},
		&CapOptions{Columns: []string{"n"}, Max: ptr(9.0)},
	} {
		s, err := o.Fit(table, "y")
		if err != nil {
			b.Fatal(err)
		}
		steps = append(steps, s)
	}
	for _, rows := range []int{1, 1_000_000} {
		many := make([]int, rows)
		for i := range many {
			many[i] = i % table.Rows
		}
		t := table.Select(many)
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := CleanValues(steps, t); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	t := table.Select(make([]int, 1_000_000))
	for name, o := range map[string]StepOptions{"filter": &FilterOptions{Where: expr(b, `n > 0 and c in ("Red", "blue") or n is missing`)}, "drop_duplicates": &DropDuplicatesOptions{}} {
		s, err := o.Fit(t, "y")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.(RowStep).Keep(t); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
