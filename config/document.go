package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Document is a parsed file with the overrides that were set on it.
type Document struct {
	name     string
	lines    []string
	root     *node
	problems []Problem // found while parsing, reported when decoding
}

// Load reads a document from a file.
func Load(path string) (*Document, error) {
	f, err := os.Open(path)
	if err != nil {
		var pathError *os.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	if len(src) > maxSize {
		return nil, &Error{Problems: []Problem{{File: path, Message: fmt.Sprintf("found more than %d bytes, expected at most that", maxSize), Hint: "is this a configuration file?"}}}
	}
	return Parse(path, src)
}

// Parse reads a document from memory. The name is that of the file, for
// messages and relative paths.
func Parse(name string, src []byte) (*Document, error) {
	d := &Document{name: name, lines: strings.Split(strings.TrimPrefix(string(src), "\ufeff"), "\n")}
	root, problems := parse(src)
	if root != nil {
		switch {
		case root.kind == null && root.text == "":
			problems = append(problems, Problem{Message: "found nothing, expected \"key: value\" lines", Hint: "the file is empty"})
			root = nil
		case root.kind != mapping:
			p := Problem{Line: root.at.line, Column: root.at.column, length: root.at.length, Message: "found " + describe(root) + `, expected "key: value" lines`}
			if root.kind == scalar && strings.Contains(root.text, ":") {
				p.Hint = "write a space after the colon"
			}
			problems, root = append(problems, p), nil
		}
	}
	for i := range problems {
		problems[i] = d.locate(problems[i])
	}
	if root == nil {
		return nil, newError(problems)
	}
	d.root, d.problems = root, problems
	return d, nil
}

// locate adds what a problem tells of the file.
func (d *Document) locate(p Problem) Problem {
	if p.Flag != "" {
		return p
	}
	p.File = d.name
	if p.Line > 0 && p.Line <= len(d.lines) {
		p.source = strings.TrimRight(d.lines[p.Line-1], "\r")
	}
	return p
}

// Name returns the name of the file.
func (d *Document) Name() string { return d.name }

// Dir returns the folder of the file, which paths in it are relative to.
func (d *Document) Dir() string { return filepath.Dir(d.name) }

// Resolve returns a path that the document gives as one to open: relative to
// the document's folder, unless it is absolute or empty.
func (d *Document) Resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.Dir(), filepath.FromSlash(path))
}

// Values returns the values at a dotted path such as train.epochs: one of a
// scalar, each of a list of scalars; nil where there is none.
func (d *Document) Values(path string) []string {
	steps, err := splitPath(path)
	if err != nil {
		return nil
	}
	n := d.root
	for _, s := range steps {
		if n = n.child(s); n == nil {
			return nil
		}
	}
	switch n.kind {
	case scalar:
		return []string{n.text}
	case sequence:
		var out []string
		for _, v := range n.items {
			if v.kind != scalar {
				return nil
			}
			out = append(out, v.text)
		}
		return out
	}
	return nil
}

// IsSet reports whether the document or an override sets the key at a dotted
// path such as train.epochs.
func (d *Document) IsSet(path string) bool {
	steps, err := splitPath(path)
	if err != nil {
		return false
	}
	n := d.root
	for _, s := range steps {
		if n = n.child(s); n == nil {
			return false
		}
	}
	return true
}
