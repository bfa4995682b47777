package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/text"
)

func TestChildAndComparison(t *testing.T) {
	dir := t.TempDir()
	lines := random(50)
	if !slices.Equal(lines, random(50)) {
		t.Error("random texts differ from one call to the next")
	}
	k, err := text.TrainCharacters(lines, text.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path, file, expected := filepath.Join(dir, "tokenizer.json"), filepath.Join(dir, "lines"), filepath.Join(dir, "expected")
	if err := tokenizer.WriteFile(path, k); err != nil {
		t.Fatal(err)
	}
	if err := writeLines(file, lines); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := child([]string{path, file, "3"}, &out); err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(out.Bytes(), &m); err != nil || len(m.Seconds.Encode) != 3 || len(m.Seconds.IDs) != 3 {
		t.Errorf("%s, %v: expected three passes", out.Bytes(), err)
	}
	// What the peer would write, with one token moved in line 7.
	f, err := os.Create(expected)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, l := range lines {
		e, err := k.Encode(l)
		if err != nil {
			t.Fatal(err)
		}
		at := characters(l)
		var offsets [][2]int32
		for _, o := range e.Offsets {
			offsets = append(offsets, [2]int32{at[o.From], at[o.To]})
		}
		if i == 7 {
			offsets[0][1]++
		}
		if err := json.NewEncoder(f).Encode(map[string]any{"ids": e.IDs, "tokens": e.Tokens, "offsets": offsets}); err != nil {
			t.Fatal(err)
		}
	}
	if differ, tokens, err := compare(path, lines, expected, io.Discard); err != nil || differ != 1 || tokens == 0 {
		t.Errorf("%d lines differ, %d tokens, %v: expected one line", differ, tokens, err)
	}
	out.Reset()
	rows := []row{{Tokenizer: "x", Set: "random", Lines: 50, Hone: [2][2]float64{{30, 40}}, Peer: [2][2]float64{{10, 20}}}}
	if err := table(rows, "1.2", &out); err != nil || !strings.Contains(out.String(), "| x | random | 50 | 0 | 0 | 30 | 10 | 3.0 | 40 | 20 | 2.0 | – | – | – |") {
		t.Errorf("%s, %v", out.String(), err)
	}
}

func TestSets(t *testing.T) {
	dir := t.TempDir()
	for path, content := range map[string]string{
		"banking77/train.csv":       "text,category\n\"a, b\",x\n",
		"multi30k-en-de/train.tsv":  "en\tde\none\teins\n",
		"stackfaq/stackfaq.jsonl":   `{"id": 0, "question": "q", "rephrasings": ["r"]}` + "\n",
		"chnsenticorp/train.tsv":    "label\ttext\n1\t好\n",
		"chnsenticorp/test.tsv":     "0\n",
		"thucnews-titles/train.tsv": "",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"banking77": "a, b", "multi30k-en-de": "en|de|one|eins", "stackfaq": "id|question|q|rephrasings|r"} {
		i := slices.IndexFunc(sets, func(s set) bool { return s.name == name })
		if got, err := sets[i].read(dir, 10); err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, %v, expected %q", name, got, err, want)
		}
	}
	i := slices.IndexFunc(sets, func(s set) bool { return s.name == "chnsenticorp" })
	if _, err := sets[i].read(dir, 10); err == nil || !strings.Contains(err.Error(), "test.tsv:1: 1 columns, expected 2") {
		t.Errorf("a line without text: %v", err)
	}
	if _, err := choose("sst3"); err == nil {
		t.Error("an unknown set is no error")
	}
}

// Without Python or the package the command that installs it is named.
func TestNotInstalled(t *testing.T) {
	const want = "tokenizers with sentencepiece is not installed; go run ./bench/tokenizers setup installs it"
	script := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, python := range []string{"/nowhere/python", script} {
		if _, err := (peer{python}).encode("a", "b", 0, 1, ""); err == nil || err.Error() != want {
			t.Errorf("%s: %v, expected %s", python, err, want)
		}
	}
}
