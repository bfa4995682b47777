package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// WriteFile writes the file in one step: a kill leaves the old one or the new.
func (f *File) WriteFile(path string) error { return atomicfile.Write(path, f.Write) }

// Write writes the file. Nothing is written where an entry is wrong.
func (f *File) Write(w io.Writer) error {
	entries := slices.Clone(f.Tensors)
	slices.SortFunc(entries, byType)
	head, err := header(f.Metadata, entries)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := w.Write(e.Data); err != nil {
			return err
		}
	}
	return nil
}

// header returns the length and the JSON header of entries in their order.
func header(metadata map[string]string, entries []Entry) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 8))
	b.WriteByte('{')
	field := func(name string, v any) error {
		if !utf8.ValidString(name) {
			return fmt.Errorf("the name %q is not valid UTF-8", name)
		}
		if b.Len() > 9 {
			b.WriteByte(',')
		}
		if err := encode(b, name); err != nil {
			return err
		}
		b.WriteByte(':')
		return encode(b, v)
	}
	if len(metadata) > 0 {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("metadata %q is not valid UTF-8", k)
			}
		}
		if err := field(metadataKey, metadata); err != nil { // keys are sorted by json
			return nil, err
		}
	}
	seen := map[string]bool{metadataKey: true}
	var at int64
	for i := range entries {
		e := &entries[i]
		if seen[e.Name] {
			return nil, fmt.Errorf("the name %q is taken: tensors need names of their own", e.Name)
		}
		seen[e.Name] = true
		if err := e.check(); err != nil {
			return nil, err
		}
		end := at + int64(len(e.Data))
		if err := field(e.Name, place{e.DType, append([]int{}, e.Shape...), []int64{at, end}}); err != nil {
			return nil, err
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 { // so that the data is aligned
		b.WriteByte(' ')
	}
	n := b.Len() - 8
	if n > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes, at most %d are allowed", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(n))
	return b.Bytes(), nil
}

// encode writes v as JSON without the escapes for HTML and the line break of
// package json: the bytes are then those of the reference implementation.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1)
	return nil
}
