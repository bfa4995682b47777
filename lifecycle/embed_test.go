package lifecycle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/hone-ml/hone/data"
)

// TestParquetVectors: a Parquet file of vectors reads as what was written, whatever
// the names of the columns beside it.
func TestParquetVectors(t *testing.T) {
	var file bytes.Buffer
	buffered := bufio.NewWriter(&file)
	w := vectorWriter(buffered, ".parquet")
	for i, v := range [][]float32{{0.5, -1, 3e-9}, {0, 2, 0.1}} {
		if err := w.row([]string{"zip", "code"}, []string{"z" + strconv.Itoa(i), "c" + strconv.Itoa(i)}, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.end(2, 3), buffered.Flush()); err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, t.TempDir(), "v.parquet", file.String())
	got, err := readTexts(path, data.Options{}, []string{"code", "vector", "zip"})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range got.Rows {
		for _, name := range got.Names() {
			all = append(all, got.Column(name).Text(i))
		}
	}
	if want := []string{"c0", "[0.5,-1.0,3e-09]", "z0", "c1", "[0.0,2.0,0.1]", "z1"}; !slices.Equal(all, want) {
		t.Errorf("the file has %q, expected %q", all, want)
	}
}

// TestLoadEncoderTellsQueriesFromPassages: a folder's prompts are what texts begin
// with, unless other prefixes are asked for.
func TestLoadEncoderTellsQueriesFromPassages(t *testing.T) {
	plain := filepath.Join("..", "embed", "testdata", "sentence")
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := os.CopyFS(dir, os.DirFS(plain)); err != nil {
		t.Fatal(err)
	}
	prompts, err := json.Marshal(map[string]any{"prompts": map[string]string{"query": "the ", "document": "a "}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config_sentence_transformers.json"), prompts, 0o644); err != nil {
		t.Fatal(err)
	}
	load := func(path string, p Prefixes) *Encoder {
		e, err := LoadEncoder(context.Background(), path, p)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	vector := func(of func([]string) ([][]float32, error), text string) []float32 {
		v, err := of([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	none, own, other := load(plain, Prefixes{}), load(dir+"/", Prefixes{}), load(dir, Prefixes{Text: "to ", Query: "of "})
	if own.Name != "tiny" {
		t.Errorf("the name is %q, expected that of the folder", own.Name)
	}
	const text = "parcel"
	for _, one := range []struct {
		what string
		of   func([]string) ([][]float32, error)
		as   string
	}{
		{"a text of a folder with prompts", own.texts, text},
		{"a query", own.queries, "the " + text},
		{"a passage", own.passages, "a " + text},
		{"a text with a prefix", other.texts, "to " + text},
		{"a query with a prefix", other.queries, "of " + text},
		{"a passage with a prefix", other.passages, "to " + text},
	} {
		if !slices.Equal(vector(one.of, text), vector(none.texts, one.as)) {
			t.Errorf("%s is not embedded as %q", one.what, one.as)
		}
	}
	if slices.Equal(vector(own.queries, text), vector(own.passages, text)) {
		t.Error("the encoder does not tell the prefixes apart: the test shows nothing")
	}
	ctx, stop := context.WithCancel(context.Background())
	e, err := LoadEncoder(ctx, dir, Prefixes{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := e.texts([]string{text}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted encoder ends with %v", err)
	}
	file := writeFile(t, dir, "faq.csv", "id,question\n1,where is my parcel now\n2,when are you open today\n")
	if _, err := NewFinder(SearchOptions{File: file, Text: []string{"question"}, Model: e}); !IsStopped(err) {
		t.Errorf("an interrupted search ends with %v", err)
	}
	if _, _, err := e.EmbedFile(ctx, file, "question", data.Options{}, io.Discard, ".csv"); !IsStopped(err) {
		t.Errorf("interrupted vectors end with %v", err)
	}
}
