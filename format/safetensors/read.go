package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"unicode/utf8"
)

// maxHeader is the largest header that is read, as in the reference
// implementation.
const maxHeader = 100_000_000

const metadataKey = "__metadata__"

// place is a tensor in the JSON header.
type place struct {
	DType   string  `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

// ReadFile reads a file.
func ReadFile(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	f, err := Read(r, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Read reads the file of size bytes that r holds.
func Read(r io.ReaderAt, size int64) (*File, error) {
	n, err := headerLength(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, n)
	if err := readAt(r, raw, 8); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	f, where, err := parseHeader(raw, size-8-n)
	if err != nil {
		return nil, err
	}
	data := make([]byte, size-8-n) // which a file of this size holds
	if err := readAt(r, data, 8+n); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	f.cut(data, where)
	return f, nil
}

// Parse reads a file that is in memory. The entries' data is a part of b.
func Parse(b []byte) (*File, error) {
	n, err := headerLength(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	f, where, err := parseHeader(b[8:8+n], int64(len(b))-8-n)
	if err != nil {
		return nil, err
	}
	f.cut(b[8+n:], where)
	return f, nil
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the file ends at byte %d, expected %d", at+int64(n), at+int64(len(b)))
	}
	return err
}

func headerLength(r io.Reader, size int64) (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("not a safetensors file: it has %d bytes, at least 10 are needed", size)
	}
	n := binary.LittleEndian.Uint64(b[:])
	switch {
	case n < 2 || n > maxHeader:
		return 0, fmt.Errorf("not a safetensors file: its header should have %d bytes, 2 to %d are allowed", n, maxHeader)
	case int64(n) > size-8:
		return 0, fmt.Errorf("truncated: the header should end at byte %d, the file has %d", 8+n, size)
	case size-8-int64(n) > math.MaxInt:
		return 0, fmt.Errorf("%d bytes are more than this machine can address", size)
	}
	return int64(n), nil
}

// parseHeader reads the JSON header of a file with size bytes of data. The
// tensors are sorted by name and without data; where gives their places.
func parseHeader(raw []byte, size int64) (f *File, where [][2]int64, err error) {
	if !utf8.Valid(raw) || raw[0] != '{' {
		return nil, nil, errors.New("not a safetensors file: its header is not a JSON object")
	}
	type placed struct {
		Entry
		lo, hi int64
	}
	var all []placed
	f = &File{}
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil { // {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	for d.More() { // by hand, since a map would hide that a name stands there twice
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, nil, fmt.Errorf("header is not JSON at byte %d: %w", d.InputOffset(), err)
		}
		if seen[name] {
			return nil, nil, fmt.Errorf("header: %q stands there twice", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := d.Decode(&f.Metadata); err != nil {
				return nil, nil, fmt.Errorf("header: %s: %w", metadataKey, err)
			}
			continue
		}
		var p place
		if err := d.Decode(&p); err != nil {
			return nil, nil, fmt.Errorf("header: tensor %q: %w", name, err)
		}
		if p.Shape == nil || len(p.Offsets) != 2 {
			return nil, nil, fmt.Errorf("header: tensor %q needs a shape and two data_offsets", name)
		}
		e := placed{Entry{Name: name, DType: p.DType, Shape: p.Shape}, p.Offsets[0], p.Offsets[1]}
		want, err := e.bytes()
		if err != nil {
			return nil, nil, err
		}
		if e.lo < 0 || e.hi < e.lo || e.hi-e.lo != want {
			return nil, nil, fmt.Errorf("tensor %q: %s%v needs %d bytes, its offsets are %d to %d", name, p.DType, p.Shape, want, e.lo, e.hi)
		}
		all = append(all, e)
	}
	if _, err := d.Token(); err != nil { // }
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if rest := bytes.TrimSpace(raw[d.InputOffset():]); len(rest) > 0 {
		return nil, nil, fmt.Errorf("header: %d bytes after its end", len(rest))
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi))
	})
	var at int64
	for _, p := range all {
		if p.lo != at {
			return nil, nil, fmt.Errorf("tensor %q begins at byte %d of the data, expected %d: overlapping tensors or a hole", p.Name, p.lo, at)
		}
		at = p.hi
	}
	switch {
	case at > size:
		return nil, nil, fmt.Errorf("truncated: the tensors need %d bytes, the file has %d", at, size)
	case at < size:
		return nil, nil, fmt.Errorf("the tensors need %d bytes, the file has %d: something was added", at, size)
	}
	slices.SortFunc(all, func(a, b placed) int { return byName(a.Entry, b.Entry) })
	for _, p := range all {
		f.Tensors = append(f.Tensors, p.Entry)
		where = append(where, [2]int64{p.lo, p.hi})
	}
	return f, where, nil
}

// cut gives each tensor its part of the data.
func (f *File) cut(data []byte, where [][2]int64) {
	for i, w := range where {
		f.Tensors[i].Data = data[w[0]:w[1]:w[1]]
	}
}
