package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/embed"
)

const encoder = "../../embed/testdata/sentence"

func TestChild(t *testing.T) {
	file := filepath.Join(t.TempDir(), "texts")
	texts := []string{"I lost my card", "why\n\"now\"?", ""}
	if err := writeLines(file, texts); err != nil {
		t.Fatal(err)
	}
	for _, batch := range []string{"1", "2", "0"} {
		var out bytes.Buffer
		if err := child([]string{encoder, "", file, "1", batch, "2"}, &out); err != nil {
			t.Fatal(err)
		}
		var m measured
		if err := json.Unmarshal(out.Bytes(), &m); err != nil || len(m.Seconds) != 2 {
			t.Errorf("%s, %v: expected two passes", out.Bytes(), err)
		}
	}
}

func TestDifference(t *testing.T) {
	e, err := embed.Load(encoder)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := e.Model.IDs([]string{"my card"})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := hiddenOf(e.Model, ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := len(ids[0]) * e.Model.Encoder.Width; len(ours) != want {
		t.Fatalf("%d numbers, expected %d", len(ours), want)
	}
	var raw []byte
	for i, v := range ours {
		if i == 5 {
			v += 0.25
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	path := filepath.Join(t.TempDir(), "hidden")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if d, err := difference(path, ours); err != nil || math.Abs(d-0.25) > 1e-6 {
		t.Errorf("the difference is %g, expected 0.25: %v", d, err)
	}
	if _, err := difference(path, ours[1:]); err == nil {
		t.Error("another number of numbers is no error")
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "banking77"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "banking77", "test.csv"), []byte("text,category\nhello,a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var missing *venv.Missing
	if err := start([]string{"-data", dir, "-venv", filepath.Join(dir, "none")}, io.Discard, io.Discard); !errors.As(err, &missing) {
		t.Errorf("%v, expected what to install", err)
	}
	var out bytes.Buffer
	table(results{Texts: 2, Rows: []row{{1, 0, 30, 10, 20}}}, &out)
	if !strings.Contains(out.String(), "| 1 | all | 30 | 10 | 20 | 1.50 × |") {
		t.Errorf("the table is %s", out.String())
	}
}
