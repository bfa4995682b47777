package safetensors

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// dtypes are the element types, in the order in which the reference
// implementation lays them out in a file.
var dtypes = []struct {
	name string
	size int64
}{
	{"U64", 8}, {"I64", 8}, {"F64", 8}, {"C64", 8},
	{"F32", 4}, {"U32", 4}, {"I32", 4},
	{"BF16", 2}, {"F16", 2}, {"U16", 2}, {"I16", 2},
	{"F8_E8M0", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I8", 1}, {"U8", 1}, {"BOOL", 1},
}

// dtypeIndex returns the place of a type in dtypes, or -1.
func dtypeIndex(name string) int {
	for i := range dtypes {
		if dtypes[i].name == name {
			return i
		}
	}
	return -1
}

// An Entry is one named tensor: little-endian bytes, row-major.
type Entry struct {
	Name  string
	DType string // F32, I32, …
	Shape []int
	Data  []byte
}

// A File is the content of a safetensors file.
type File struct {
	Metadata map[string]string
	Tensors  []Entry // sorted by name once read
}

// Lookup returns the tensor of a name, or nil.
func (f *File) Lookup(name string) *Entry {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	return nil
}

// bytes returns the number of bytes that the type and the shape call for.
func (e *Entry) bytes() (int64, error) {
	i := dtypeIndex(e.DType)
	if i < 0 {
		return 0, fmt.Errorf("tensor %q has the unknown type %q", e.Name, e.DType)
	}
	n := dtypes[i].size
	for _, d := range e.Shape {
		if d < 0 || (d > 0 && n > math.MaxInt64/int64(d)) {
			return 0, fmt.Errorf("tensor %q has the impossible shape %v", e.Name, e.Shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// check reports data that is not of the size of its type and shape.
func (e *Entry) check() error {
	n, err := e.bytes()
	if err == nil && n != int64(len(e.Data)) {
		err = fmt.Errorf("tensor %q: %s%v needs %d bytes, it has %d", e.Name, e.DType, e.Shape, n, len(e.Data))
	}
	return err
}

// byName orders entries for a reader of the file.
func byName(a, b Entry) int { return strings.Compare(a.Name, b.Name) }

// byType orders entries for the file: wide elements first, so that every
// tensor is aligned to its element.
func byType(a, b Entry) int {
	return cmp.Or(dtypeIndex(a.DType)-dtypeIndex(b.DType), byName(a, b))
}
