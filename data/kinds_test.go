package data

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The fixtures are written by testdata/make.py, which says with what.
func fixture(name string) string { return filepath.Join("testdata", name) }

// One table is the same from every kind of source, in one pass, in two and in
// pieces.
func TestKindsAgree(t *testing.T) {
	want, schema, err := Read(fixture("table.csv"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(types(want), " "), "paid:boolean city:category code:category day:datetime at:datetime"; got != want {
		t.Fatalf("the types are %s, want %s", got, want)
	}
	for source, kind := range map[string]string{
		"table.csv.gz": "csv", "table.csv.zst": "csv", "part-*.csv": "csv", "table.jsonl": "jsonl", "table.jsonl.zst": "jsonl",
		"table.parquet": "parquet", "table-zstd.parquet": "parquet", "table.xlsx": "xlsx",
	} {
		t.Run(source, func(t *testing.T) {
			got, s, err := Read(fixture(source), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := equalTables(want, got); err != nil {
				t.Error(err)
			}
			if fmt.Sprint(s) != fmt.Sprint(schema) {
				t.Errorf("the schema is\n%+v, want\n%+v", s, schema)
			}
			r, err := Open(fixture(source), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Format().Kind != kind || r.Rows() != want.Rows || fmt.Sprint(r.Schema()) != fmt.Sprint(schema) {
				t.Errorf("the format is %+v, the schema %+v", r.Format(), r.Schema())
			}
			var all appender
			for {
				piece, err := r.Next(7)
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				all.add(piece, 0)
			}
			if err := equalTables(want, all.table); err != nil {
				t.Errorf("in pieces: %v", err)
			}
			// With a schema, columns are found by name, and others are ignored.
			few := Schema{*schema.Field("at"), *schema.Field("whole")}
			got, _, err = Read(fixture(source), Options{Schema: few})
			if err != nil {
				t.Fatal(err)
			}
			if err := equalTables(&Table{Columns: []*Column{want.Column("at"), want.Column("whole")}, Rows: want.Rows}, got); err != nil {
				t.Errorf("by a schema: %v", err)
			}
			few[0].Name = "att"
			if _, _, err = Read(fixture(source), Options{Schema: few}); err == nil || !strings.Contains(err.Error(), `column "att": the file has no such column`) {
				t.Errorf("for a column that is not there the error is %v", err)
			}
			if names, err := Columns(fixture(source), Options{}); err != nil || fmt.Sprint(names) != fmt.Sprint(schema.Names()) {
				t.Errorf("the columns are %v, %v", names, err)
			}
		})
	}
}

func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := write("a.csv", "x,y\n1,u\n2,v\n")
	b := write("b.jsonl", `{"y":"w","x":3}`+"\n")
	empty := write("c.csv", "x,y\n")
	table, _, err := ReadFiles([]string{b, empty, a}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(texts(table)), "[[w 3] [u 1] [v 2]]"; got != want {
		t.Errorf("the rows are %s, want %s", got, want)
	}
	less, more, bad := write("less.csv", "x\n1\n"), write("more.csv", "x,y,z\n1,2,3\n"), write("bad.csv", "y,x\nu,1\nu,1,2\n")
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{[]string{a, less}, less + `, column "y": ` + a + " has it, but this file does not: it has x; give all files of a source the same columns"},
		{[]string{a, more}, more + `, column "z": ` + a + " does not have it: it has x, y; give all files of a source the same columns"},
		{[]string{a, bad}, bad + `, line 3: found 3 fields, expected 2 as the header has`},
		{[]string{a, filepath.Join(dir, "a.*")}, a + ": is named twice, so that its rows would count twice"},
		{[]string{filepath.Join(dir, "d*.csv")}, filepath.Join(dir, "d*.csv") + ": no file matches the pattern"},
		{[]string{filepath.Join(dir, "[a.csv")}, filepath.Join(dir, "[a.csv") + ": is not a pattern of files: syntax error in pattern"},
		{nil, "no file is named"},
	} {
		if _, _, err := ReadFiles(c.paths, Options{}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v gives\n%v, want\n%s", c.paths, err, c.want)
		}
	}
	// The place of a value is named with its file.
	var numbers strings.Builder
	numbers.WriteString("x,y\n")
	for range 30 {
		numbers.WriteString("5,u\n")
	}
	_, schema, err := ReadFiles([]string{write("n.csv", numbers.String()), write("o.csv", "x,y\n1,u\nabc,v\n")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := `the first that is not is "abc" on line 3 of ` + filepath.Join(dir, "o.csv"); !strings.Contains(schema[0].Note, want) {
		t.Errorf("the note is %q, want %q in it", schema[0].Note, want)
	}
	one, err := Fingerprint(a, less)
	two, err2 := Fingerprint(filepath.Join(dir, "a.csv"), filepath.Join(dir, "les?.csv"))
	if err != nil || err2 != nil || one != two {
		t.Errorf("the fingerprints are %s (%v) and %s (%v)", one, err, two, err2)
	}
}

func TestParquetTypes(t *testing.T) {
	table, r, err := func() (*Table, *Reader, error) {
		r, err := lookAt([]string{fixture("types.parquet")}, Options{})
		if err != nil {
			return nil, nil, err
		}
		table, err := r.readAll()
		return table, r, err
	}()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range table.Columns {
		got[c.Name] = fmt.Sprintf("%s %q", c.Type, []string{c.Text(0), c.Text(1), c.Text(2)})
	}
	for name, want := range map[string]string{
		"small": `number ["1" "-2" ""]`, "large": `category ["9223372036854775808" "1" ""]`, "single": `number ["0.1" "2.5" ""]`,
		"nan": `number ["1" "" ""]`, "ms": `datetime ["1970-01-01 00:00:00" "1970-01-01 00:00:01" ""]`,
		"ns": `datetime ["1970-01-01 00:00:00" "1970-01-01 00:00:00" ""]`, "time": `category ["01:02:03" "" "23:59:59"]`,
		"dict": `category ["a" "" "b"]`, "list": `category ["[1,2]" "[]" ""]`, "words": `category ["[\"x\",\"y\\\"\"]" "[null]" ""]`,
		"struct.x": `number ["1" "" ""]`, "struct.y.z": `category ["k" "" ""]`, "small_decimal": `number ["-1.5" "0.07" ""]`,
		"wide": `number ["-12345678901234567000" "0.005" ""]`,
	} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("there are columns %v", got)
	}
	if r.parts[0].unit() != "row" {
		t.Error("places are not rows")
	}
}

// A library's mistake is not passed on.
func TestParquetRunLength(t *testing.T) {
	_, _, err := Read(fixture("run-length.parquet"), Options{})
	if err == nil || !strings.HasPrefix(err.Error(), fixture("run-length.parquet")+`, column "paid": its booleans are run-length encoded`) {
		t.Errorf("the error is %v", err)
	}
}

// memory is a file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// readBytes reads a file from memory.
func readBytes(content []byte, o Options) (*Table, error) {
	r := newReader("t.bin", o, defaultTuning())
	r.parts = []*part{{path: "t.bin", open: func() (io.ReadCloser, error) { return memory{bytes.NewReader(content)}, nil }}}
	if err := r.look(); err != nil {
		return nil, err
	}
	defer r.Close()
	return r.readAll()
}

// Damage is an error, never a panic, and never another table.
func TestParquetDamage(t *testing.T) {
	content, err := os.ReadFile(fixture("table.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{4, 11, 12, 100, len(content) / 2, len(content) - 1} {
		if _, err := readBytes(content[:n], Options{}); err == nil {
			t.Errorf("of %d bytes there is no error", n)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is more than one paragraph: %v", err)
		}
	}
	for at := 4; at < len(content); at += 389 {
		damaged := bytes.Clone(content)
		damaged[at] ^= 0xff
		if _, err := readBytes(damaged, Options{}); err != nil && !strings.HasPrefix(err.Error(), "t.bin") {
			t.Errorf("byte %d gives %v", at, err)
		}
	}
}
