package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kind is a way of writing a table into a file.
type kind struct {
	name  string
	magic string                                // what a file that is not text begins with
	match func(path string, sample []byte) bool // for text: whether it is of this kind
	claim func(path string) bool                // for what its name tells, such as a folder
	// open finds the columns' names and how to read them. A kind that is not text
	// gets no sample.
	open func(p *part, sample []byte, whole bool) (decoder, error)
}

// kinds are all that can be read; the first that fits is taken.
var kinds = []kind{
	{name: "folder", claim: isFolder, open: openFolder},
	{name: "npz", claim: isNPZ, open: openNPZ},
	{name: "idx", claim: isIDX, open: openIDX},
	{name: "parquet", magic: "PAR1", open: openParquet},
	{name: "xlsx", magic: "PK\x03\x04", open: openXLSX},
	{name: "jsonl", match: isJSONL, open: openJSONL},
	{name: "csv", match: func(string, []byte) bool { return true }, open: openCSV},
}

// decoder reads a file of some kind.
type decoder interface {
	// pass begins reading the file from its first row.
	pass() (pass, error)
	// each calls row for every record of a block, in order, with the record's
	// fields in sc. Several goroutines call it, each with its own scanner and
	// block. An error of row is returned as it is.
	each(sc *scanner, b *block, row func() error) error
}

// pass cuts a file into blocks.
type pass interface {
	next() (*block, error) // io.EOF after the last
	release(b *block)      // gives a block back, from any goroutine
	Close() error
}

// part is one file of a source.
type part struct {
	path    string
	open    func() (io.ReadCloser, error)
	options *Options
	tuning  tuning
	number  int      // among the parts
	expect  []string // names of columns that it should have, if known

	kind                  string
	encoding, compression string
	header                bool
	names                 []string        // of all fields
	types                 map[string]Type // of those whose values need not be looked at
	fields                []int           // of the reader's columns
	decoder               decoder
}

// commas says for each name whether the schema that is given writes its numbers
// with a decimal comma, and so must those of a kind that has numbers of its own.
func (p *part) commas(names []string) []bool {
	out := make([]bool, len(names))
	for i, name := range names {
		if f := p.options.Schema.Field(name); f != nil && f.Type == Number {
			out[i] = f.Decimal == ","
		}
	}
	return out
}

// withComma gives a number that was written with a point the decimal comma.
func withComma(number []byte) {
	if i := bytes.IndexByte(number, '.'); i >= 0 {
		number[i] = ','
	}
}

// unit is what places in the file are counted in.
func (p *part) unit() string {
	for _, k := range kinds {
		if k.name == p.kind && (k.magic != "" || k.claim != nil) {
			return "row"
		}
	}
	return "line"
}

// checkSheet finds a sheet that is named where there are none.
func (p *part) checkSheet() error {
	if p.options.Sheet == "" || p.kind == "xlsx" {
		return nil
	}
	return &Error{Path: p.path, Problem: fmt.Sprintf("data.sheet is %q, but the file is no Excel workbook", p.options.Sheet), Remedy: "remove data.sheet"}
}

func (p *part) source() (*source, error) {
	f, err := p.open()
	if err != nil {
		return nil, err
	}
	return newSource(p.path, f, p.options)
}

// look finds the kind and the columns.
func (p *part) look() error {
	for _, k := range kinds {
		if k.claim != nil && k.claim(p.path) {
			p.kind = k.name
			err := p.checkSheet()
			if err == nil {
				p.decoder, err = k.open(p, nil, false)
			}
			return err
		}
	}
	f, err := p.open()
	if err != nil {
		return err
	}
	var magic [8]byte
	n, err := io.ReadFull(f, magic[:])
	f.Close()
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return &Error{Path: p.path, Problem: "cannot be read: " + cause(err)}
	}
	for _, k := range kinds {
		if k.magic != "" && bytes.HasPrefix(magic[:n], []byte(k.magic)) {
			p.kind = k.name
			if err := p.checkSheet(); err != nil {
				return err
			}
			p.decoder, err = k.open(p, nil, false)
			return err
		}
	}
	src, err := p.source()
	if err != nil {
		return err
	}
	sample := make([]byte, p.tuning.sample)
	n, err = io.ReadFull(src, sample)
	src.Close()
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		if _, ok := err.(*Error); ok {
			return err
		}
		return &Error{Path: p.path, Problem: "cannot be read: " + cause(err)}
	}
	p.encoding, p.compression = src.encoding, src.compression
	sample, whole := sample[:n], n < len(sample)
	for _, k := range kinds {
		if k.match != nil && k.match(p.path, sample) {
			p.kind = k.name
			if err := p.checkSheet(); err != nil {
				return err
			}
			p.decoder, err = k.open(p, sample, whole)
			return err
		}
	}
	return fmt.Errorf("%s: no kind of source fits", p.path)
}

// expand replaces patterns by the files that they match, in the order of their
// names. A path that exists is never a pattern.
func expand(paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, &Error{Problem: "no file is named, expected at least one"}
	}
	var files []string
	for _, path := range paths {
		if _, err := os.Lstat(path); !strings.ContainsAny(path, "*?[") || !errors.Is(err, os.ErrNotExist) {
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(path)
		if err != nil {
			return nil, &Error{Path: path, Problem: "is not a pattern of files: " + err.Error(), Remedy: "close the bracket, or write \\[ for one that is meant"}
		}
		if len(found) == 0 {
			return nil, &Error{Path: path, Problem: "no file matches the pattern", Remedy: "check it and the folder; it is relative to where it is written or typed"}
		}
		slices.Sort(found)
		files = append(files, found...)
	}
	return files, nil
}

// twice finds a file that is named twice.
func twice(files []string) error {
	seen := map[string]bool{}
	for _, f := range files {
		if seen[filepath.Clean(f)] {
			return &Error{Path: f, Problem: "is named twice, so that its rows would count twice", Remedy: "remove one, or make the patterns narrower"}
		}
		seen[filepath.Clean(f)] = true
	}
	return nil
}
