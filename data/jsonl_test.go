package data

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestJSONL(t *testing.T) {
	table, r := mustRead(t, `{"a": 1, "b": {"c": "x\u00e9\n", "d": {"e": true}}, "list": [1, {"k": "v"}]}

{"list": [ ], "b": {"d": {"e": false}}, "a": null}
 {"late": "2024-01-02", "a": "3.5"}
`, Options{})
	if got, want := fmt.Sprint(r.Schema().Names()), "[a b.c b.d.e list late]"; got != want {
		t.Errorf("the columns are %s, want %s", got, want)
	}
	if got, want := fmt.Sprintf("%q", texts(table)), `[["1" "xé\n" "true" "[1,{\"k\":\"v\"}]" ""] ["" "" "false" "[]" ""] ["3.5" "" "" "" "2024-01-02"]]`; got != want {
		t.Errorf("the rows are\n%s, want\n%s", got, want)
	}
	if f := r.Format(); f.Kind != "jsonl" || f.Encoding != "utf-8" {
		t.Errorf("the format is %+v", f)
	}
}

// TestJSONLNumbersAreNumbers: where the schema writes numbers with points between
// thousands and a decimal comma, JSON's own numbers mean what they say in JSON.
func TestJSONLNumbersAreNumbers(t *testing.T) {
	schema := Schema{{Name: "a", Type: Number, Decimal: ",", Thousands: "."}}
	table, _ := mustRead(t, `{"a": 600.123}
{"a": "600.123"}
{"a": -3.5}
{"a": "3,5"}
{"a": 2.5e3}
{"a": 1200}
`, Options{Schema: schema})
	if got, want := fmt.Sprint(table.Columns[0].Numbers), "[600.123 600123 -3.5 3.5 2500 1200]"; got != want {
		t.Errorf("read %s, expected %s", got, want)
	}
}

// A key that the beginning of a file does not have is a column all the same.
func TestJSONLLateColumn(t *testing.T) {
	text := strings.Repeat(`{"a":1}`+"\n", 500) + `{"a":2,"b":{"c":"late"}}` + "\n" + strings.Repeat(`{"a":1}`+"\n", 500)
	table, _ := mustRead(t, text, Options{}, func(tn *tuning) { tn.sample, tn.block = 100, 100 })
	if c := table.Column("b.c"); c == nil || c.Len() != 1001 || c.Text(500) != "late" || !c.Missing(501) {
		t.Errorf("the late column is %+v", c)
	}
	schema := Schema{{Name: "a", Type: Number}}
	table, _ = mustRead(t, text, Options{Schema: schema}, func(tn *tuning) { tn.sample, tn.block = 100, 100 })
	if len(table.Columns) != 1 || table.Rows != 1001 {
		t.Errorf("with a schema there are %d columns", len(table.Columns))
	}
}

func TestJSONLErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1}` + "\n\n" + `{"a":1,}` + "\n":                `, line 3: is not one JSON object: found "}" at character 8, expected a key in quotes; correct the line`,
		`{"a":1}` + "\n[1]\n":                                 `, line 2: is not one JSON object: found "[1]" at character 1, expected an object`,
		`{"a":1}` + "\n" + `{"a":"x` + "\n":                   `, line 2: is not one JSON object: it ends early, expected a closing quote`,
		`{"a":1}` + "\n" + `{"a":1} {"a":2}` + "\n":           `, line 2: is not one JSON object: found "{\"a\":2}" at character 9, expected the end of the line`,
		`{"a":1}` + "\n" + `{"a":{"b":1},"a.b":2}` + "\n":     `, line 2: is not one JSON object: the key "a.b" stands twice`,
		`{"a":1}` + "\n" + `{"a":1e999}` + "\n":               `, line 2, column "a": found "1e999", expected a finite number`,
		`{"a":1}` + "\n" + `{"a":01}` + "\n":                  `, line 2: is not one JSON object: found "1}" at character 7, expected a comma or }`,
		`{"a":1}` + "\n" + strings.Repeat(`{"a":`, 70) + "\n": `, line 2: is not one JSON object: it is nested deeper than 64 levels`,
		`{"a":1}` + "\n{\"a\":\"K\xf6ln\"}\n":                 `, line 2: byte 15 of the text (0xf6) is not valid UTF-8`,
	} {
		_, _, err := readText(text, Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "t.csv"+want) {
			t.Errorf("%s\ngives %v\nwant t.csv%s", text, err, want)
		}
	}
}

// What is read as an object is what encoding/json reads as one.
func FuzzJSONLine(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,2,{"b":"\ud83d\ude00"}],"c":-0.5e+3}`, `{"a":{"b":null}}`, `{"\u12":1}`, `{"a":tru}`, `{"a":"\ud83d\u0041"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n") || strings.ToValidUTF8(text, "") != text {
			return
		}
		flat := map[string]string{}
		twice := false
		err := (&jsonScanner{data: []byte(text)}).object(func(key, value []byte) error {
			_, again := flat[string(key)]
			twice = twice || again
			flat[string(key)] = string(value)
			return nil
		})
		var want map[string]json.RawMessage
		wrong := json.Unmarshal([]byte(text), &want)
		if strings.TrimSpace(text) == "null" || err != nil && strings.Contains(err.Error(), "nested deeper") {
			return
		}
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%q: we say %v, encoding/json says %v", text, err, wrong)
		}
		if twice {
			return
		}
		for key, raw := range want {
			var s string
			if json.Unmarshal(raw, &s) == nil && flat[key] != s {
				t.Fatalf("%q: %q is %q, encoding/json reads %q", text, key, flat[key], s)
			}
		}
	})
}
