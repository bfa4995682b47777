package data

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFromRecords(t *testing.T) {
	text := "id,n,cat,flag,day\nu1,1.5,a,Yes,02/12/2024\nu2,-3,b,No,31/12/2024\nu3,,,,\n"
	want, r := mustRead(t, text, Options{Types: map[string]Type{"id": Identifier}})
	records := `[{"id":"u1","n":1.5,"cat":"a","flag":true,"day":"02/12/2024","more":[1]},
		{"id":"u2","n":"-3","cat":" b ","flag":"no","day":"31/12/2024"},
		{"id":"u3","n":null,"cat":"NA"}]`
	for _, exact := range []bool{false, true} {
		d := json.NewDecoder(strings.NewReader(records))
		if exact {
			d.UseNumber()
		}
		var rows []map[string]any
		if err := d.Decode(&rows); err != nil {
			t.Fatal(err)
		}
		got, err := FromRecords(r.Schema(), rows)
		if err != nil {
			t.Fatal(err)
		}
		if err := equalTables(got, want); err != nil {
			t.Errorf("rows from JSON differ from those of the file: %v", err)
		}
	}
	day := time.Date(2024, 12, 2, 0, 0, 0, 0, time.UTC)
	got, err := FromRecords(r.Schema(), []map[string]any{{"id": 7, "n": int64(2), "cat": 5.0, "flag": false, "day": day}})
	if err != nil {
		t.Fatal(err)
	}
	if row := texts(got)[0]; !slices.Equal(row, []string{"7", "2", "5", "No", "02/12/2024"}) {
		t.Errorf("Go values are read as %q", row)
	}
	if got, err := FromRecords(r.Schema(), nil); err != nil || got.Rows != 0 || len(got.Columns) != 5 {
		t.Errorf("no rows give %+v, %v", got, err)
	}
	// The spellings of a missing value that the file had hold for records too.
	got, err = FromRecords(Schema{{Name: "n", Type: Number, Missing: []string{"-999"}}}, []map[string]any{{"n": -999}})
	if err != nil || !math.IsNaN(got.Columns[0].Numbers[0]) {
		t.Errorf("-999 is %v, %v; want missing", got, err)
	}
}

func TestFromRecordsErrors(t *testing.T) {
	schema := Schema{{Name: "tenure", Type: Number}, {Name: "plan", Type: Category}, {Name: "flag", Type: Boolean, False: "no", True: "yes"}}
	ok := map[string]any{"tenure": 1, "plan": "pro", "flag": true}
	with := func(name string, v any) map[string]any {
		m := map[string]any{"tenure": 1, "plan": "pro", "flag": true}
		m[name] = v
		return m
	}
	for _, c := range []struct {
		rows []map[string]any
		want string
	}{
		{[]map[string]any{{"tenur": 1, "plan": "pro", "flag": true}}, `column "tenure": no row has it: it has flag, plan, tenur; did you mean it by "tenur"?`},
		{[]map[string]any{{"tenure": 1, "plan": "pro"}}, `column "flag": no row has it: it has plan, tenure; add it, or send null if its value is missing`},
		{[]map[string]any{ok, with("tenure", "long")}, `column "tenure": row 2: found "long", expected a number; correct it, or send null`},
		{[]map[string]any{with("tenure", math.Inf(1))}, `column "tenure": found "+Inf", expected a finite number`},
		{[]map[string]any{with("plan", []any{1})}, `column "plan": found a []interface {}, expected text, a number, a boolean or null`},
		{[]map[string]any{with("flag", "maybe")}, `column "flag": found "maybe", expected "no" or "yes"`},
		{[]map[string]any{with("tenure", json.Number("1e999"))}, `column "tenure": found "1e999", expected a finite number`},
	} {
		_, err := FromRecords(schema, c.rows)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("the error is\n%v\nwant\n%s…", err, c.want)
		}
	}
}
