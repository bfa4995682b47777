package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A list of files is the rows of one file, and a mistake names the file it is in.
func TestListOfSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(700, 1).only(append(append([]string{}, plain...), "bought")...)
	all.part(0, 500).write(t, dir, "train.csv")
	all.part(0, 200).write(t, dir, "a.csv")
	all.part(200, 350).write(t, dir, "part-1.csv")
	all.part(350, 500).write(t, dir, "part-2.csv")
	all.part(500, 600).write(t, dir, "test-1.csv")
	all.part(600, 700).write(t, dir, "test-2.csv")
	prepared := func(sources string) *prepared {
		t.Helper()
		p, err := configure(t, dir, "name: m\ndata: {source: "+sources+", validation: test-2.csv, test: [test-1.csv, test-2.csv]}\noutputs: [{name: bought}]\n"+quick).prepare()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one, many := prepared("train.csv"), prepared("[a.csv, part-*.csv]")
	if many.train.Rows != one.train.Rows || many.train.Rows != 500 || many.test.Rows != 200 || many.valid.Rows != 100 {
		t.Fatalf("%d, %d and %d rows", many.train.Rows, many.valid.Rows, many.test.Rows)
	}
	for j, c := range one.train.Columns {
		for i := range c.Len() {
			if got := many.train.Columns[j].Text(i); got != c.Text(i) {
				t.Fatalf("column %s, row %d: %q, expected %q", c.Name, i, got, c.Text(i))
			}
		}
	}
	if s := many.facts.Sources; len(s) != 3 || s[0].Path != "a.csv, part-*.csv" || s[2].Role != "test" || s[2].Path != "test-1.csv, test-2.csv" {
		t.Fatalf("sources %+v", s)
	}
	if one.fingerprint == many.fingerprint {
		t.Error("other files have the same fingerprint")
	}

	text := mustRead(t, filepath.Join(dir, "part-2.csv"))
	if err := os.WriteFile(filepath.Join(dir, "part-2.csv"), []byte(text+"1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := configure(t, dir, "name: m\ndata: {source: [a.csv, part-*.csv]}\noutputs: [{name: bought}]\n"+quick).prepare()
	if err == nil || !strings.Contains(err.Error(), "part-2.csv, line 152:") {
		t.Errorf("found %v", err)
	}
}
