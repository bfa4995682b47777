package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sort"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/atomicfile"
)

// maxHeader is the largest header that is read, as in the reference
// implementation.
const maxHeader = 100_000_000

// sizes gives each element type its bytes.
var sizes = map[string]int{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
	"U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "F8_E5M2": 1, "F8_E4M3": 1,
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
	Tensors  []Entry // sorted by name once written or read
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

// FromTensor returns t as an entry, with a copy of its values.
func FromTensor(name string, t *tensor.Tensor) Entry {
	e := Entry{Name: name, DType: "F32", Shape: t.Shape(), Data: make([]byte, 4*t.Len())}
	if t.DType() == tensor.Int32 {
		e.DType = "I32"
	}
	for i, w := range t.Raw() {
		binary.LittleEndian.PutUint32(e.Data[4*i:], math.Float32bits(w))
	}
	return e
}

// Tensor returns an entry of type F32 or I32 as a tensor.
func (e *Entry) Tensor() (*tensor.Tensor, error) {
	words := make([]float32, len(e.Data)/4)
	for i := range words {
		words[i] = math.Float32frombits(binary.LittleEndian.Uint32(e.Data[4*i:]))
	}
	shape := e.Shape
	var t *tensor.Tensor
	switch e.DType {
	case "F32":
		t = tensor.New(tensor.Float32, shape...)
	case "I32":
		t = tensor.New(tensor.Int32, shape...)
	default:
		return nil, fmt.Errorf("tensor %q is %s, expected F32 or I32", e.Name, e.DType)
	}
	copy(t.Raw(), words)
	return t, nil
}

// header is an entry of the JSON header.
type header struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// Write writes the file.
func (f *File) Write(w io.Writer) error {
	sort.Slice(f.Tensors, func(i, j int) bool { return f.Tensors[i].Name < f.Tensors[j].Name })
	var b bytes.Buffer
	b.WriteByte('{')
	field := func(name string, v any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(name)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(raw)
		return nil
	}
	if len(f.Metadata) > 0 {
		if err := field("__metadata__", f.Metadata); err != nil {
			return err
		}
	}
	var at int64
	for i, e := range f.Tensors {
		if i > 0 && f.Tensors[i-1].Name == e.Name {
			return fmt.Errorf("two tensors are named %q", e.Name)
		}
		if n, err := e.bytes(); err != nil || n != int64(len(e.Data)) {
			return fmt.Errorf("tensor %q: %d bytes do not fill %s%v", e.Name, len(e.Data), e.DType, e.Shape)
		}
		shape := e.Shape
		if shape == nil {
			shape = []int{}
		}
		if err := field(e.Name, header{e.DType, shape, [2]int64{at, at + int64(len(e.Data))}}); err != nil {
			return err
		}
		at += int64(len(e.Data))
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 { // so that the data is aligned
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return fmt.Errorf("the header has %d bytes, at most %d are allowed", b.Len(), maxHeader)
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(b.Len())); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	for _, e := range f.Tensors {
		if _, err := w.Write(e.Data); err != nil {
			return err
		}
	}
	return nil
}

// bytes returns the number of bytes the type and the shape call for.
func (e *Entry) bytes() (int64, error) {
	size, ok := sizes[e.DType]
	if !ok {
		return 0, fmt.Errorf("tensor %q has the unknown type %q", e.Name, e.DType)
	}
	n := int64(size)
	for _, d := range e.Shape {
		if d < 0 || (d > 0 && n > math.MaxInt64/int64(d)) {
			return 0, fmt.Errorf("tensor %q has the impossible shape %v", e.Name, e.Shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// WriteFile writes the file in one step: a kill leaves the old one or the new.
func (f *File) WriteFile(path string) error { return atomicfile.Write(path, f.Write) }

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

// Read reads a file of size bytes. Every tensor's data is checked to lie in
// it, one after the other without holes.
func Read(r io.Reader, size int64) (*File, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("not a safetensors file: it has %d bytes, at least 8 are needed", size)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n < 2 || n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("not a safetensors file, or a truncated one: its header should have %d bytes, the file has %d", n, size)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("header is not a JSON object: %w", err)
	}
	f := &File{}
	if meta, ok := fields["__metadata__"]; ok {
		if err := json.Unmarshal(meta, &f.Metadata); err != nil {
			return nil, fmt.Errorf("header: __metadata__: %w", err)
		}
		delete(fields, "__metadata__")
	}
	type placed struct {
		Entry
		lo, hi int64
	}
	var all []placed
	for name, v := range fields {
		var h header
		if err := json.Unmarshal(v, &h); err != nil {
			return nil, fmt.Errorf("header: tensor %q: %w", name, err)
		}
		p := placed{Entry{Name: name, DType: h.DType, Shape: h.Shape}, h.Offsets[0], h.Offsets[1]}
		want, err := p.bytes()
		if err != nil {
			return nil, err
		}
		if p.lo < 0 || p.hi < p.lo || p.hi-p.lo != want {
			return nil, fmt.Errorf("tensor %q: %s%v needs %d bytes, its offsets are %d to %d", name, h.DType, h.Shape, want, p.lo, p.hi)
		}
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].lo != all[j].lo {
			return all[i].lo < all[j].lo
		}
		if all[i].hi != all[j].hi {
			return all[i].hi < all[j].hi
		}
		return all[i].Name < all[j].Name
	})
	var at int64
	for _, p := range all {
		if p.lo != at {
			return nil, fmt.Errorf("tensor %q begins at byte %d, expected %d: overlapping tensors or a hole", p.Name, p.lo, at)
		}
		at = p.hi
	}
	if at != size-8-int64(n) {
		return nil, fmt.Errorf("the tensors need %d bytes, the file has %d: truncated, or with something added", at, size-8-int64(n))
	}
	data := make([]byte, at)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	for _, p := range all {
		p.Data = data[p.lo:p.hi:p.hi]
		f.Tensors = append(f.Tensors, p.Entry)
	}
	sort.Slice(f.Tensors, func(i, j int) bool { return f.Tensors[i].Name < f.Tensors[j].Name })
	return f, nil
}
