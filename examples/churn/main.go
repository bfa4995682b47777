// Command churn writes the example's customers to a file:
//
//	go run ./examples/churn -o churn.csv.gz
package main

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hone-ml/hone/examples/churn/customers"
)

func main() {
	out := flag.String("o", "", "file to write, compressed if its name ends in .gz; default: standard output")
	rows := flag.Int("rows", customers.Rows, "number of customers")
	seed := flag.Uint64("seed", customers.Seed, "another seed makes other customers")
	flag.Parse()
	if err := write(*out, *rows, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "churn:", err)
		os.Exit(1)
	}
}

func write(path string, rows int, seed uint64) (err error) {
	if path == "" {
		return customers.Write(os.Stdout, rows, seed)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	var w io.Writer = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
		if err != nil {
			return err
		}
		if err := customers.Write(z, rows, seed); err != nil {
			return err
		}
		return z.Close()
	}
	return customers.Write(w, rows, seed)
}
