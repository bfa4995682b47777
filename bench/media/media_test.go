package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestUnseen(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"train": "label\ttext\n1\tgood\n0\tbad\n", "test": "label\ttext\n0\tgood\r\n1\tbetter\n0\tbad"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := unseen(filepath.Join(dir, "train"), filepath.Join(dir, "test"), filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := os.ReadFile(got); string(raw) != "label\ttext\n1\tbetter\n" {
		t.Errorf("found %q", raw)
	}
}

func TestChoose(t *testing.T) {
	if s, err := choose("sst2, banking77"); err != nil || len(s) != 2 || s[0].name != "sst2" {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := choose("sst3"); err == nil {
		t.Error("an unknown set is an error")
	}
}
