package data

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sameBits compares two tables bit for bit.
func sameBits(t *testing.T, got, want *Table) {
	t.Helper()
	if got.Rows != want.Rows || !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("%d rows of %v, expected %d of %v", got.Rows, got.Names(), want.Rows, want.Names())
	}
	for j, c := range got.Columns {
		w := want.Columns[j]
		if c.Type != w.Type || c.Layout != w.Layout || c.Decimal != w.Decimal || !slices.Equal(c.Codes, w.Codes) || !slices.Equal(c.Dict, w.Dict) || len(c.Numbers) != len(w.Numbers) {
			t.Fatalf("column %s differs", c.Name)
		}
		for i, v := range c.Numbers {
			if math.Float64bits(v) != math.Float64bits(w.Numbers[i]) {
				t.Fatalf("column %s, row %d: %v, expected %v", c.Name, i, v, w.Numbers[i])
			}
		}
	}
}

func writeSource(t *testing.T, path, last string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,x,name,when,yes,text\n")
	for i := range 300 {
		x := fmt.Sprint(float64(i) / 7)
		if i%9 == 0 {
			x = ""
		}
		fmt.Fprintf(&b, "k%d,%s,n%d,2024-01-%02d,%v,a sentence of several words %d\n", i, x, i%5, 1+i%28, i%2 == 0, i)
	}
	b.WriteString(last)
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCache(t *testing.T) {
	dir := t.TempDir()
	file, o := filepath.Join(dir, "a.csv"), Options{CacheDir: filepath.Join(dir, "cache")}
	writeSource(t, file, "")
	limits := cacheLimits{least: 100, most: 1 << 30}
	files := func() []string {
		found, _ := filepath.Glob(filepath.Join(o.CacheDir, "*"))
		return found
	}
	read := func(o Options) (*Table, Schema) {
		t.Helper()
		table, schema, err := readCached([]string{file}, o, limits)
		if err != nil {
			t.Fatal(err)
		}
		want, wantSchema, err := ReadFiles([]string{file}, Options{Types: o.Types, Schema: o.Schema})
		if err != nil {
			t.Fatal(err)
		}
		sameBits(t, table, want)
		if fmt.Sprint(schema) != fmt.Sprint(wantSchema) {
			t.Fatalf("schema %v, expected %v", schema, wantSchema)
		}
		return table, schema
	}
	_, schema := read(o)
	if len(files()) != 1 {
		t.Fatalf("files %v, expected one", files())
	}
	path := files()[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSuffix(filepath.Base(path), cacheSuffix)

	// It is used, and what is written to its memory stays out of the file.
	table, _, err := openCache(path, key)
	if err != nil {
		t.Fatal(err)
	}
	table.Column("x").Numbers[0], table.Column("name").Codes[0] = 17, 3
	if again, _ := os.ReadFile(path); !bytes.Equal(again, whole) {
		t.Fatal("the file has changed")
	}
	read(o)

	// Another name or key, other options, another schema, other content are missed.
	if _, _, err := openCache(path, key+"x"); err == nil {
		t.Fatal("another key was not seen")
	}
	other := o
	other.Types = map[string]Type{"name": Identifier}
	read(other)
	other = o
	other.Schema = schema
	read(other)
	if len(files()) != 3 {
		t.Fatalf("files %v, expected three", files())
	}
	writeSource(t, file, "z,1,n1,2024-01-01,true,another\n")
	read(o)
	if len(files()) != 4 {
		t.Fatalf("files %v, expected four", files())
	}

	// A file that is torn or damaged anywhere is not used.
	bad := filepath.Join(dir, "bad")
	try := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(bad, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := openCache(bad, key); err == nil {
			t.Fatalf("%s: not seen", what)
		}
	}
	h := bytes.LastIndexByte(whole[:len(whole)/2], '}')
	for _, n := range []int{0, 7, 47, 48, 100, h, len(whole) - 1} {
		try("cut off", whole[:n])
	}
	try("longer", append(slices.Clone(whole), 0))
	try("foreign", bytes.Repeat([]byte("column,"), 1000))
	// Every byte that is looked at: the gaps between sections and the padding are
	// not.
	unseen := 0
	for i := 0; i < len(whole); i += 97 {
		damaged := slices.Clone(whole)
		damaged[i] ^= 0x10
		if err := os.WriteFile(bad, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _, err := openCache(bad, key); err == nil {
			if whole[i] != 0 {
				t.Fatalf("byte %d: damage was not seen", i)
			}
			unseen++
			want, _, _ := openCache(path, key)
			sameBits(t, got, want)
		}
	}
	if unseen > cacheAlign*20/97 {
		t.Fatalf("damage of %d bytes was not seen", unseen)
	}
	// And is read again, and replaced.
	writeSource(t, file, "")
	if err := os.WriteFile(path, whole[:len(whole)-10], 0o644); err != nil {
		t.Fatal(err)
	}
	read(o)
	if again, _ := os.ReadFile(path); !bytes.Equal(again, whole) {
		t.Fatal("the torn file was not replaced")
	}
}

func TestCacheLimits(t *testing.T) {
	dir := t.TempDir()
	file, o := filepath.Join(dir, "a.csv"), Options{CacheDir: filepath.Join(dir, "cache")}
	writeSource(t, file, "")
	if _, _, err := readCached([]string{file}, o, cacheDefaults); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.CacheDir); err == nil {
		t.Fatal("a small file was cached")
	}
	// Where the folder cannot be made, the file is read all the same.
	blocked := Options{CacheDir: filepath.Join(file, "cache")}
	if _, _, err := readCached([]string{file}, blocked, cacheLimits{1, 1}); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(o.CacheDir, "old"+cacheSuffix)
	if err := os.MkdirAll(o.CacheDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{old, filepath.Join(o.CacheDir, "notes.txt")} {
		if err := os.WriteFile(p, make([]byte, 1000), 0o644); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-time.Hour)
		if err := os.Chtimes(p, then, then); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := readCached([]string{file}, o, cacheLimits{1, 1 << 30}); err != nil {
		t.Fatal(err)
	}
	trimCache(o.CacheDir, 1<<30)
	if _, err := os.Stat(old); err != nil {
		t.Fatal("removed what fits")
	}
	trimCache(o.CacheDir, 1000)
	if _, err := os.Stat(old); err == nil {
		t.Fatal("the oldest was kept")
	}
	if _, err := os.Stat(filepath.Join(o.CacheDir, "notes.txt")); err != nil {
		t.Fatal("a file that is no cache was removed")
	}
}
