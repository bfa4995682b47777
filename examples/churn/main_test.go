package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hone-ml/hone/examples/churn/customers"
)

func TestWrite(t *testing.T) {
	var want bytes.Buffer
	if err := customers.Write(&want, 50, 3); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c.csv", "c.csv.gz"} {
		path := filepath.Join(t.TempDir(), name)
		if err := write(path, 50, 3); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".gz" {
			z, err := gzip.NewReader(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if got, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s does not hold what the generator makes", name)
		}
	}
	if err := write(filepath.Join(t.TempDir(), "no", "c.csv"), 50, 3); err == nil {
		t.Error("a folder that is not there gives no error")
	}
}
