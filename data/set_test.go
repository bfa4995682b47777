package data

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestSplitSet(t *testing.T) {
	for _, c := range []struct {
		cell, delimiter string
		want            []string
	}{
		{"news;sport", ";", []string{"news", "sport"}},
		{" news ; sport;;news ", ";", []string{"news", "sport"}},
		{";", ";", nil},
		{"[]", ";", nil},
		{"[]", "", nil},
		{`["a, b","c"]`, ";", []string{"a, b", "c"}},
		{`[1, true, "x"]`, "", []string{"1", "true", "x"}},
		{"[a; b]", ";", []string{"a", "b"}},
		{"one", "", []string{"one"}},
	} {
		got, err := SplitSet(c.cell, c.delimiter)
		if err != nil || len(got)+len(c.want) > 0 && !reflect.DeepEqual(got, c.want) {
			t.Errorf("SplitSet(%q, %q) = %q, %v, want %q", c.cell, c.delimiter, got, err, c.want)
		}
		again, err := SplitSet(JoinSet(got, c.delimiter), c.delimiter)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
			t.Errorf("%q is read as %q after writing, %v", got, again, err)
		}
	}
	for _, bad := range []string{`["a",null]`, `[["a"]]`} {
		if _, err := SplitSet(bad, ";"); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if got := JoinSet([]string{"a;b", "c"}, ";"); got != `["a;b","c"]` {
		t.Errorf("a label with the delimiter is written %s", got)
	}
}

// TestTargetKindOfSets: only short lists of recurring words are taken for sets.
func TestTargetKindOfSets(t *testing.T) {
	column := func(values ...string) *Column {
		c := &Column{Name: "x", Type: Category}
		for range 10 {
			for _, v := range values {
				c.Codes = append(c.Codes, int32(len(c.Dict)))
				c.Dict = append(c.Dict, v)
			}
		}
		return once(c)
	}
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"a;b", "a", "b;c", "c", "a;c", "a;b;c", "[]"}, TargetSet},
		{[]string{`["a","b"]`, `["b"]`, `["a"]`, `[]`, `["a","c"]`}, TargetSet},
		{[]string{"a, b", "a", "b, c", "c", "a, c", "b"}, TargetSet},
		{[]string{"young|male", "young|female", "old|male", "old|female"}, TargetCategory},                    // a composite
		{[]string{"Berlin, Germany", "Paris, France", "Rome", "Kyoto, Japan"}, TargetCategory},                // no combination
		{[]string{"a", "b", "c", "d;e"}, TargetCategory},                                                      // one cell alone
		{[]string{"it rained, and then it did not rain for a long while", "it rained", "no"}, TargetCategory}, // sentences
	} {
		if got, why, err := TargetKind(column(c.values...)); got != c.want || err != nil {
			t.Errorf("%q is taken for %s (%s), %v, want %s", c.values, got, why, err, c.want)
		}
	}
}

func TestEmptySets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	rows := strings.Repeat("1,a;b\n2,\n3,[]\n4,NA\n", 5)
	if err := os.WriteFile(path, []byte("n,tags\n"+rows), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Types: map[string]Type{"tags": Set}}, `["a;b" "" "[]" ""]`},
		{Options{EmptySets: []string{"tags"}}, `["a;b" "[]" "[]" ""]`},
	} {
		table, schema, err := Read(path, c.o)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := Read(path, Options{Schema: schema}) // as a bundle reads it
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []*Table{table, again} {
			col := table.Column("tags")
			var got []string
			for i := range 4 {
				got = append(got, col.Text(i))
			}
			if fmt.Sprintf("%q", got) != c.want || !col.Missing(3) || col.Missing(2) {
				t.Errorf("%+v reads %q, want %s", c.o, got, c.want)
			}
		}
	}
	if _, _, err := Read(path, Options{EmptySets: []string{"tag"}}); err == nil || !strings.Contains(err.Error(), "data.empty_sets") {
		t.Errorf("an unknown column: %v", err)
	}
}
