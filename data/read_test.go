package data

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"
)

// readText reads a table from memory.
func readText(text string, o Options, tune ...func(*tuning)) (*Table, *Reader, error) {
	tn := defaultTuning()
	for _, f := range tune {
		f(&tn)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	read := func(first func(*Reader) error) (*Table, *Reader, error) {
		r := newReader("t.csv", o, tn)
		r.parts = []*part{{path: "t.csv", open: open}}
		if err := r.look(); err != nil {
			return nil, nil, err
		}
		defer r.Close()
		if err := first(r); err != nil {
			return nil, nil, err
		}
		t, err := r.readAll()
		return t, r, err
	}
	t, r, err := read((*Reader).infer)
	// One pass gives what two give.
	u, q, other := read(func(*Reader) error { return nil })
	if fmt.Sprint(other) != fmt.Sprint(err) {
		return nil, nil, fmt.Errorf("two passes give %v, one gives %v", err, other)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := equalTables(t, u); err != nil {
		return nil, nil, fmt.Errorf("one pass gives another table: %w", err)
	}
	if !reflect.DeepEqual(r.Schema(), q.Schema()) || r.Rows() != q.Rows() {
		return nil, nil, fmt.Errorf("one pass gives the schema %+v, two %+v", q.Schema(), r.Schema())
	}
	return t, r, nil
}

func mustRead(t testing.TB, text string, o Options, tune ...func(*tuning)) (*Table, *Reader) {
	t.Helper()
	table, r, err := readText(text, o, tune...)
	if err != nil {
		t.Fatal(err)
	}
	return table, r
}

// texts returns a table's values, rows first.
func texts(t *Table) [][]string {
	rows := make([][]string, t.Rows)
	for i := range rows {
		for _, c := range t.Columns {
			rows[i] = append(rows[i], c.Text(i))
		}
	}
	return rows
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

func utf16Text(text string, big, mark bool) string {
	var b strings.Builder
	if mark {
		text = "\ufeff" + text
	}
	for _, r := range text {
		if big {
			b.WriteByte(byte(r >> 8))
			b.WriteByte(byte(r))
		} else {
			b.WriteByte(byte(r))
			b.WriteByte(byte(r >> 8))
		}
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	const plain = "name,age,city\nAnna,31,Köln\nBob,,Paris\n"
	want := [][]string{{"Anna", "31", "Köln"}, {"Bob", "", "Paris"}}
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	no, yes := false, true
	for name, c := range map[string]struct {
		text    string
		options Options
		names   string
	}{
		"comma":              {text: plain},
		"tab":                {text: strings.ReplaceAll(plain, ",", "\t")},
		"semicolon":          {text: strings.ReplaceAll(plain, ",", ";")},
		"bar":                {text: strings.ReplaceAll(plain, ",", "|")},
		"other":              {text: strings.ReplaceAll(plain, ",", "^"), options: Options{Delimiter: "^"}},
		"crlf":               {text: strings.ReplaceAll(plain, "\n", "\r\n")},
		"no last line end":   {text: strings.TrimSuffix(plain, "\n")},
		"no last crlf":       {text: strings.TrimSuffix(strings.ReplaceAll(plain, "\n", "\r\n"), "\n")},
		"empty lines":        {text: "\n\n" + strings.ReplaceAll(plain, "\n", "\n\n")},
		"gzip":               {text: gzipped(plain)},
		"gzip members":       {text: gzipped(plain[:20]) + gzipped(plain[20:])},
		"byte-order mark":    {text: "\ufeff" + plain},
		"utf-16le":           {text: utf16Text(plain, false, true)},
		"utf-16be":           {text: utf16Text(plain, true, true)},
		"utf-16le declared":  {text: utf16Text(plain, false, false), options: Options{Encoding: "UTF-16LE"}},
		"latin-1":            {text: strings.ReplaceAll(plain, "ö", "\xf6"), options: Options{Encoding: "latin-1"}},
		"windows-1252, gzip": {text: gzipped(strings.ReplaceAll(plain, "ö", "\xf6")), options: Options{Encoding: "windows-1252"}},
		"gbk":                {text: gbk, options: Options{Encoding: "gbk"}},
		"quoted":             {text: "\"name\",\"age\",\"city\"\n\"Anna\",\"31\",\"Köln\"\n\"Bob\",\"\",\"Paris\"\n"},
		"spaces":             {text: " name , age, city\nAnna , 31 ,  Köln\n Bob, ? ,\"Paris\" \n"},
		"space before quote": {text: "name,age,city\nAnna, \"31\", \"Köln\"\nBob, NA, \"Paris\"\n"},
		"single quotes":      {text: strings.ReplaceAll(plain, "Anna", "'Anna'"), options: Options{Quote: "'"}},
		"lines to skip":      {text: "made by \"us\nin, 2024\n" + plain, options: Options{SkipLines: 2}},
		"no header":          {text: strings.SplitAfterN(plain, "\n", 2)[1], options: Options{Header: &no}, names: "column_1,column_2,column_3"},
		"no header, found":   {text: strings.SplitAfterN(plain, "\n", 2)[1], names: "column_1,column_2,column_3"},
		"names given":        {text: strings.SplitAfterN(plain, "\n", 2)[1], options: Options{Names: []string{"a", "b", "c"}}, names: "a,b,c"},
		"names replaced":     {text: plain, options: Options{Header: &yes, Names: []string{"a", "b", "c"}}, names: "a,b,c"},
	} {
		t.Run(name, func(t *testing.T) {
			table, r := mustRead(t, c.text, c.options)
			if got := texts(table); !equalRows(got, want) {
				t.Errorf("read %q, want %q", got, want)
			}
			if c.names == "" {
				c.names = "name,age,city"
			}
			if got := strings.Join(table.Names(), ","); got != c.names {
				t.Errorf("the columns are %s, want %s", got, c.names)
			}
			if r.Rows() != 2 {
				t.Errorf("Rows() = %d, want 2", r.Rows())
			}
		})
	}
}

func equalRows(a, b [][]string) bool {
	return slices.EqualFunc(a, b, func(x, y []string) bool { return slices.Equal(x, y) })
}

func TestQuoting(t *testing.T) {
	table, _ := mustRead(t, "id,note\n1,\"a \"\"big\"\" one, \nreally\"\n2,5\" pipe\n3,\"\"\n4, \"x\" \n", Options{Types: map[string]Type{"note": Text}})
	want := []string{"a \"big\" one, \nreally", "5\" pipe", "", "x"}
	for i, w := range want {
		if got := table.Column("note").Text(i); got != w {
			t.Errorf("row %d is %q, want %q", i+1, got, w)
		}
	}
	table, _ = mustRead(t, "a,b\n\"x,y\n\"z\",1\n", Options{Quote: "none"})
	if got := table.Column("a").Text(0); got != `"x` {
		t.Errorf("without quotes the field is %q", got)
	}
}

func TestSniffDelimiter(t *testing.T) {
	for text, want := range map[string]string{
		"a;b;c\n1,5;2,5;x\n3,5;4,5;y\n":                  ";",
		"1,5;2,5\n3,5;4,25\n":                            ";",
		"id\ttext\n1\tHello, you\n2\tWell, well, well\n": "\t",
		"text\nHello you\nNo\nWell; well; well\nYes\n":   ",",
		"a|b\n\"x,y\"|1\n\"z,w\"|2\n":                    "|",
		"a\n1\n2\n":                                      ",",
	} {
		if _, r, err := readText(text, Options{}); err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := r.Format().Delimiter; got != want {
			t.Errorf("%q: the delimiter is %q, want %q", text, got, want)
		}
	}
}

func TestSniffHeader(t *testing.T) {
	for text, want := range map[string]bool{
		"a,b\n1,2\n":                             true,
		"1,2\n3,4\n":                             false,
		"text,label\nhi,x\nho,y\n":               true,
		"x,spam\ny,ham\nz,spam\n":                false,
		"842302,M,17.99\n842517,M,20.57\n":       false,
		",a,b\n0,x,y\n1,z,w\n":                   true,
		"when,who\n2024-01-01,x\n2024-01-02,y\n": true,
	} {
		_, r := mustRead(t, text, Options{})
		if r.Format().Header != want {
			t.Errorf("%q: header is %v, want %v", text, !want, want)
		}
	}
}

func TestSchemaGiven(t *testing.T) {
	_, r := mustRead(t, "id,plan,price,since,active\nx1,pro,1.5,03/12/2024,Yes\nx2,basic,2,24/12/2024,No\n", Options{})
	schema := r.Schema()
	// Other order, a column more, no rows to infer from.
	table, _ := mustRead(t, "extra,active,since,price,plan,id\n?,no,01/02/2025,7, pro , x9 \n", Options{Schema: schema})
	if got, want := texts(table), [][]string{{" x9 ", "pro", "7", "01/02/2025", "No"}}; schema[0].Type == Identifier && !equalRows(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
	if got := table.Column("since").Numbers[0]; got != 1738368000 { // date -ud 2025-02-01 +%s
		t.Errorf("the date is %v, want day first", got)
	}
	if got := table.Names(); !slices.Equal(got, schema.Names()) {
		t.Errorf("the columns are %v, want the schema's", got)
	}
}

func TestIdentifiersPassUnchanged(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,x\n")
	for i := range 100 {
		fmt.Fprintf(&b, "\" 00%d \",%d\n", i, i%7)
	}
	table, _ := mustRead(t, b.String(), Options{}, func(tn *tuning) { tn.block = 100 })
	c := table.Column("id")
	if c.Type != Identifier {
		t.Fatalf("the type is %s, want identifier", c.Type)
	}
	for i := range 100 {
		if want := fmt.Sprintf(" 00%d ", i); c.Text(i) != want {
			t.Fatalf("row %d is %q, want %q", i+1, c.Text(i), want)
		}
	}
}

// tableText draws the text of a random table and the values in it.
func tableText(rt *rapid.T) (text string, rows [][]string, delimiter string) {
	delimiter = rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(rt, "delimiter")
	eol := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "eol")
	columns := rapid.IntRange(1, 6).Draw(rt, "columns")
	n := rapid.IntRange(1, 40).Draw(rt, "rows")
	// All columns are read as text: what is written must come back to the byte.
	value := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune("ab \",;|\t\n\r'éあ")), 0, 12, -1),
		rapid.Just(""), rapid.Just("NA"), rapid.Just("1.5"), rapid.Just("  x  "))
	var b strings.Builder
	for j := range columns {
		if j > 0 {
			b.WriteString(delimiter)
		}
		fmt.Fprintf(&b, "col%d", j)
	}
	b.WriteString(eol)
	for range n {
		row := make([]string, columns)
		for j := range row {
			v := value.Draw(rt, "value")
			if j > 0 {
				b.WriteString(delimiter)
			}
			quote := strings.ContainsAny(v, delimiter+"\"\n\r") || v == "" && columns == 1 || strings.TrimSpace(v) == "" && v != "" || rapid.Bool().Draw(rt, "quote")
			if quote {
				b.WriteString(`"` + strings.ReplaceAll(v, `"`, `""`) + `"`)
			} else {
				b.WriteString(v)
			}
			row[j] = v
			if defaultMissing.has(trim([]byte(v))) {
				row[j] = ""
			}
		}
		rows = append(rows, row)
		b.WriteString(eol)
	}
	return b.String(), rows, delimiter
}

func TestWrittenIsRead(t *testing.T) {
	yes := true
	rapid.Check(t, func(rt *rapid.T) {
		text, rows, delimiter := tableText(rt)
		o := Options{Delimiter: delimiter, Header: &yes, Types: map[string]Type{}}
		for j := range rows[0] {
			o.Types[fmt.Sprintf("col%d", j)] = Text
		}
		block := rapid.IntRange(1, 200).Draw(rt, "block")
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		table, _, err := readText(text, o, func(tn *tuning) { tn.block, tn.workers = block, workers })
		if err != nil {
			rt.Fatalf("%v\n%q", err, text)
		}
		if got := texts(table); !equalRows(got, rows) {
			rt.Fatalf("%q\nread    %q\nwritten %q", text, got, rows)
		}
	})
}

// mixed is a table with every type, quoted line ends and missing values.
func mixed(n int) string {
	var b strings.Builder
	b.WriteString("id,n,f,cat,flag,day,text\n")
	for i := range n {
		fmt.Fprintf(&b, "u-%d,%d,%g,\"c %d\",%s,2024-%02d-%02d,\"the number, %d\nis \"\"%d\"\" today\"\n",
			i*7, i%50, float64(i)/7, i%13, []string{"yes", "no", ""}[i%3], i%12+1, i%28+1, i, i)
	}
	return b.String()
}

func equalTables(a, b *Table) error {
	if a.Rows != b.Rows || len(a.Columns) != len(b.Columns) {
		return fmt.Errorf("%d rows and %d columns, against %d and %d", a.Rows, len(a.Columns), b.Rows, len(b.Columns))
	}
	for j, c := range a.Columns {
		d := b.Columns[j]
		if c.Name != d.Name || c.Type != d.Type || c.Layout != d.Layout || c.Decimal != d.Decimal || !slices.Equal(c.Dict, d.Dict) || !slices.Equal(c.Codes, d.Codes) {
			return fmt.Errorf("column %q differs", c.Name)
		}
		if !slices.EqualFunc(c.Numbers, d.Numbers, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }) {
			return fmt.Errorf("the numbers of %q differ", c.Name)
		}
	}
	return nil
}

func TestParallelIsSequential(t *testing.T) {
	text := mixed(3000)
	want, r1 := mustRead(t, text, Options{}, func(tn *tuning) { tn.workers, tn.block = 1, len(text)+1 })
	for _, tn := range []tuning{{workers: 4, block: 1000}, {workers: 3, block: 77}, {workers: 2, block: 1 << 16}} {
		tn.sample = 200 // which ends within a row
		got, r := mustRead(t, text, Options{}, func(u *tuning) { *u = tn })
		if err := equalTables(got, want); err != nil {
			t.Errorf("%+v: %v", tn, err)
		}
		for j := range r.Schema() {
			if fmt.Sprint(r.Schema()[j]) != fmt.Sprint(r1.Schema()[j]) {
				t.Errorf("%+v: the schema of column %d is %+v, want %+v", tn, j, r.Schema()[j], r1.Schema()[j])
			}
		}
	}
	types := []Type{Identifier, Number, Number, Category, Boolean, Datetime, Text}
	for j, c := range want.Columns {
		if c.Type != types[j] {
			t.Errorf("column %q is of type %s, want %s", c.Name, c.Type, types[j])
		}
	}
}

func TestNextIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mixed.csv.gz")
	if err := os.WriteFile(path, []byte(gzipped(mixed(2500))), 0o600); err != nil {
		t.Fatal(err)
	}
	want, schema, err := Read(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{1, 7, 1000, 5000} {
		for _, o := range []Options{{}, {Schema: schema}} {
			r, err := Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			r.tuning.block = 10_000
			var all appender
			for {
				piece, err := r.Next(most)
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if piece.Rows > most || piece.Rows == 0 {
					t.Fatalf("Next(%d) gave %d rows", most, piece.Rows)
				}
				all.add(piece, 0)
			}
			if err := equalTables(all.table, want); err != nil {
				t.Errorf("Next(%d): %v", most, err)
			}
			if r.Rows() != 2500 {
				t.Errorf("Rows() = %d at the end, want 2500", r.Rows())
			}
			if _, err := r.Next(most); err != io.EOF {
				t.Errorf("Next after the end: %v, want EOF", err)
			}
			r.Close()
		}
	}
	// Closing before the end leaves no goroutine waiting.
	r, err := Open(path, Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	r.tuning.block = 1000
	if _, err := r.Next(10); err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	if _, err := r.Next(10); err == nil || err == io.EOF {
		t.Errorf("Next after Close: %v, want an error", err)
	}
}

func TestSelectAndSlice(t *testing.T) {
	table, _ := mustRead(t, mixed(100), Options{})
	all := texts(table)
	if got, want := texts(table.Select([]int{5, 3, 3})), [][]string{all[5], all[3], all[3]}; !equalRows(got, want) {
		t.Errorf("Select gave %q, want %q", got, want)
	}
	if got, want := texts(table.Slice(10, 20)), all[10:20]; !equalRows(got, want) {
		t.Errorf("Slice gave %q, want %q", got, want)
	}
}

func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	os.WriteFile(a, []byte("abc"), 0o600)
	os.WriteFile(b, []byte("def"), 0o600)
	got, err := Fingerprint(a)
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; err != nil || got != want { // sha256sum
		t.Errorf("got %s, %v", got, err)
	}
	ab, _ := Fingerprint(a, b)
	ba, _ := Fingerprint(b, a)
	if ab == ba || ab == got {
		t.Errorf("the fingerprint does not tell files or their order apart: %s, %s", ab, ba)
	}
	if _, err := Fingerprint(filepath.Join(dir, "c")); err == nil {
		t.Error("a file that is not there has a fingerprint")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,x\n2,\"y\n\"\"z\"\n"), 3)
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\n\x00"), 1)
	f.Add([]byte(gzipped("a\tb\r\n1\t2\r\n")), 5)
	f.Add([]byte("a;b\n\"1\" ;2,5\n;\n"), 2)
	f.Add([]byte("when\n2024-01-02T03:04:05Z\n"), 64)
	f.Fuzz(func(t *testing.T, b []byte, block int) {
		text := string(b)
		block = 1 + int(uint(block)%100)
		a, ra, errA := readText(text, Options{MaxExpansion: 50}, func(tn *tuning) { tn.workers = 1 })
		c, _, errC := readText(text, Options{MaxExpansion: 50}, func(tn *tuning) { tn.workers, tn.block = 3, block })
		if fmt.Sprint(errA) != fmt.Sprint(errC) && !strings.Contains(fmt.Sprint(errA, errC), "NUL") && !strings.Contains(fmt.Sprint(errA, errC), "valid UTF-8") {
			t.Fatalf("errors differ by the size of blocks: %v, %v", errA, errC)
		}
		if errA != nil || errC != nil {
			return
		}
		if err := equalTables(a, c); err != nil {
			t.Fatal(err)
		}
		// What the standard library reads without complaint, we read alike.
		if strings.Contains(text, "\r") || ra.Format().Encoding != "utf-8" || ra.Format().Compression != "" {
			return
		}
		text = strings.TrimPrefix(text, "\ufeff")
		std := csv.NewReader(strings.NewReader(text))
		std.Comma = rune(ra.Format().Delimiter[0])
		records, err := std.ReadAll()
		if err != nil {
			return
		}
		if ra.Format().Header {
			records = records[1:]
		}
		if len(records) != a.Rows {
			t.Fatalf("%q: %d rows, encoding/csv reads %d", text, a.Rows, len(records))
		}
		for i, r := range records {
			for j, col := range a.Columns {
				if col.Type == Category && col.Text(i) != "" && col.Text(i) != string(trim([]byte(r[j]))) {
					t.Fatalf("%q: row %d, column %d is %q, encoding/csv reads %q", text, i, j, col.Text(i), r[j])
				}
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bench.csv")
	var text strings.Builder
	text.WriteString("a,b,c,d,e,f,g,h\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "%d,%.4f,%.12f,plan %d,%t,2024-%02d-%02d,%d,city %d\n", i%1000, float64(i)/7, math.Sin(float64(i)), i%5, i%3 == 0, i%12+1, i%28+1, i*31%100_003, i%400)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	b.Run("infer", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			if _, _, err := Read(path, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	_, schema, err := Read(path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("schema", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			if _, _, err := Read(path, Options{Schema: schema}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
