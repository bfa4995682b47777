package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/tensor"
)

// The file is testdata/python.py's, written by safetensors 0.8.0.
const pythonFile = "testdata/python.safetensors"

func TestFileFromPython(t *testing.T) {
	f, err := ReadFile(pythonFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Metadata) != 2 || f.Metadata["format"] != "np" || f.Metadata["note"] != "é\n" {
		t.Errorf("metadata %q", f.Metadata)
	}
	want := map[string]struct {
		dtype string
		shape []int
		data  any // as binary.Append writes it
	}{
		"weights":      {"F32", []int{2, 3}, []float32{1.5, -2, float32(math.Inf(1)), 0, float32(math.Copysign(0, -1)), math.MaxFloat32}},
		"labels":       {"I32", []int{2, 1}, []int32{-1, math.MaxInt32}},
		"double":       {"F64", []int{2}, []float64{math.Pi, math.SmallestNonzeroFloat64}},
		"half":         {"F16", []int{2}, []uint16{0x3c00, 0x7bff}},
		"long":         {"I64", []int{2}, []int64{math.MinInt64, math.MaxInt64}},
		"short":        {"I16", []int{2}, []int16{math.MinInt16, math.MaxInt16}},
		"tiny":         {"I8", []int{2}, []int8{math.MinInt8, math.MaxInt8}},
		"bytes":        {"U8", []int{1, 3}, []uint8{0, 255, 7}},
		"flags":        {"BOOL", []int{3}, []bool{true, false, true}},
		"scalar":       {"F32", []int{}, []float32{0.1}},
		"empty":        {"F32", []int{0, 3}, []float32{}},
		"名 \"quoted\"": {"F32", []int{1}, []float32{42}},
	}
	if len(f.Tensors) != len(want) {
		t.Errorf("%d tensors, want %d", len(f.Tensors), len(want))
	}
	for name, w := range want {
		e := f.Lookup(name)
		if e == nil {
			t.Errorf("no tensor %q", name)
			continue
		}
		data, err := binary.Append(nil, binary.LittleEndian, w.data)
		if err != nil {
			t.Fatal(err)
		}
		if e.DType != w.dtype || !slices.Equal(e.Shape, w.shape) || !bytes.Equal(e.Data, data) {
			t.Errorf("%q is %s%v %x, want %s%v %x", name, e.DType, e.Shape, e.Data, w.dtype, w.shape, data)
		}
	}
	if !slices.IsSortedFunc(f.Tensors, byName) {
		t.Error("tensors are not sorted by name")
	}
	// We lay a file out as the reference implementation does.
	old, err := os.ReadFile(pythonFile)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(f.Tensors)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), old) {
		t.Errorf("written again it is\n%q, want\n%q", b.Bytes(), old)
	}
}

func TestTensorsKeepTheirBits(t *testing.T) {
	quietNaN := math.Float32frombits(0x7fc12345)
	x, err := tensor.FromFloats([]float32{1, -0.5, quietNaN, math.SmallestNonzeroFloat32}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.FromInts([]int32{-7, 1 << 30, math.MinInt32}, 3)
	if err != nil {
		t.Fatal(err)
	}
	f := File{Metadata: map[string]string{"step": "3"}, Tensors: []Entry{
		FromTensor("y", y), FromTensor("x", x), {Name: "byte", DType: "U8", Shape: []int{1}, Data: []byte{9}}, FromTensor("s", tensor.Scalar(3)),
	}}
	path := filepath.Join(t.TempDir(), "f.safetensors")
	if err := f.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]*tensor.Tensor{"x": x, "y": y, "s": tensor.Scalar(3)} {
		got, err := read.Lookup(name).Tensor()
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
		for i := range want.Raw() {
			if math.Float32bits(got.Raw()[i]) != math.Float32bits(want.Raw()[i]) {
				t.Errorf("%s[%d] is %v, want %v", name, i, got.Raw()[i], want.Raw()[i])
			}
		}
	}
	// A tensor's memory is its own.
	e := read.Lookup("x")
	got, _ := e.Tensor()
	got.Floats()[0] = 99
	if again, _ := e.Floats(); again[0] != 1 {
		t.Error("changing the tensor changed the entry")
	}
	if _, err := read.Lookup("byte").Tensor(); err == nil || !strings.Contains(err.Error(), `"byte" is U8`) {
		t.Errorf("a U8 tensor: %v", err)
	}
	if _, err := e.Ints(); err == nil || !strings.Contains(err.Error(), "is F32, expected I32") {
		t.Errorf("floats as ints: %v", err)
	}
	if read.Lookup("absent") != nil {
		t.Error("found a tensor that is not there")
	}
	if _, err := ReadFile(path + ".absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestViews reads values at every alignment, and as a big-endian machine does.
func TestViews(t *testing.T) {
	defer func(old bool) { littleEndian = old }(littleEndian)
	values := []float32{1, -2.5, float32(math.Inf(-1))}
	ints := []int32{1, -2, math.MinInt32}
	raw, _ := binary.Append(nil, binary.LittleEndian, values)
	rawInts, _ := binary.Append(nil, binary.LittleEndian, ints)
	for _, little := range []bool{littleEndian, false} {
		littleEndian = little
		for shift := range 8 {
			b := append(make([]byte, shift, shift+len(raw)), raw...)[shift:]
			e := Entry{Name: "x", DType: "F32", Shape: []int{3}, Data: b}
			if got, err := e.Floats(); err != nil || !slices.Equal(got, values) {
				t.Errorf("little endian %v, shift %d: %v, %v", little, shift, got, err)
			}
		}
		if !little { // toBytes then lays values out as a big-endian machine would see them
			if got := FromFloats("x", values, 3); !bytes.Equal(got.Data, raw) {
				t.Errorf("floats are % x, want % x", got.Data, raw)
			}
			e := FromInts("x", ints, 3)
			if !bytes.Equal(e.Data, rawInts) {
				t.Errorf("ints are % x, want % x", e.Data, rawInts)
			}
			if got, err := e.Ints(); err != nil || !slices.Equal(got, ints) {
				t.Errorf("ints: %v, %v", got, err)
			}
		}
	}
	e := Entry{Name: "x", DType: "F32", Shape: []int{4}, Data: raw}
	if _, err := e.Floats(); err == nil || !strings.Contains(err.Error(), "needs 16 bytes, it has 12") {
		t.Errorf("too few bytes: %v", err)
	}
}

// file lays out a header and data by hand.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestBadFiles(t *testing.T) {
	two := `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}}`
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "it has 0 bytes"},
		{"seven bytes", make([]byte, 7), "it has 7 bytes"},
		{"no header", make([]byte, 8), "its header should have 0 bytes"},
		{"endless header", []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "its header should have 18446744073709551615 bytes"},
		{"header beyond the limit", binary.LittleEndian.AppendUint64(nil, maxHeader+1), "2 to 100000000 are allowed"},
		{"header beyond the file", binary.LittleEndian.AppendUint64(nil, 1000), "truncated: the header should end at byte 1008, the file has 8"},
		{"a CSV file", []byte("age,plan,churn\n12,pro,no\n"), "not a safetensors file"},
		{"a list", file(`[1,2]`, 0), "not a JSON object"},
		{"invalid UTF-8", file("{\"\xff\":1}", 0), "not a JSON object"},
		{"no JSON", file(`{"a":}`, 0), "header"},
		{"unended", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, 0), "header"},
		{"two objects", file(`{}{}`, 0), "after its end"},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), `"__metadata__" stands there twice`},
		{"a name twice", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), `"a" stands there twice`},
		{"unknown type", file(`{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, 4), `unknown type "F31"`},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "needs a shape"},
		{"null shape", file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, 4), "needs a shape"},
		{"one offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`, 4), "two data_offsets"},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4), "two data_offsets"},
		{"a fraction", file(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4), `tensor "a"`},
		{"a negative dimension", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "impossible shape [-1]"},
		{"a product that overflows", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "impossible shape"},
		{"a product that overflows to the right size", file(`{"a":{"dtype":"U8","shape":[4294967297,4294967297,4294967296],"data_offsets":[0,4]}}`, 4), "impossible shape"},
		{"shape against offsets", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "needs 8 bytes, its offsets are 0 to 4"},
		{"offsets backwards", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "its offsets are 4 to 0"},
		{"negative offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 4), "its offsets are -4 to 0"},
		{"overlap", file(fmt.Sprintf(two, 2, 6), 6), `tensor "b" begins at byte 2 of the data, expected 4`},
		{"the same place", file(fmt.Sprintf(two, 0, 4), 4), "begins at byte 0 of the data, expected 4"},
		{"hole", file(fmt.Sprintf(two, 6, 10), 10), `tensor "b" begins at byte 6 of the data, expected 4`},
		{"cut", file(fmt.Sprintf(two, 4, 8), 7), "truncated: the tensors need 8 bytes, the file has 7"},
		{"added", file(fmt.Sprintf(two, 4, 8), 9), "something was added"},
		{"a terabyte", file(`{"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}`, 4), "need 1099511627776 bytes, the file has 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.b), int64(len(c.b)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
			if _, again := Parse(c.b); fmt.Sprint(again) != fmt.Sprint(err) {
				t.Errorf("Parse says %v, Read %v", again, err)
			}
		})
	}
	whole := file(fmt.Sprintf(two, 4, 8), 8)
	if _, err := Parse(whole); err != nil {
		t.Errorf("the two tensors in order: %v", err)
	}
	if _, err := Read(bytes.NewReader(whole[:len(whole)-3]), int64(len(whole))); err == nil || !strings.Contains(err.Error(), "the file ends at byte") {
		t.Errorf("a file that shrinks while it is read: %v", err)
	}
	path := filepath.Join(t.TempDir(), "bad.safetensors")
	if err := os.WriteFile(path, whole[:20], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name the file: %v", err)
	}
}

func TestBadEntriesAreNotWritten(t *testing.T) {
	good := FromFloats("a", []float32{1}, 1)
	for _, c := range []struct {
		f    File
		want string
	}{
		{File{Tensors: []Entry{good, good}}, `the name "a" is taken`},
		{File{Tensors: []Entry{FromFloats("__metadata__", []float32{1}, 1)}}, "is taken"},
		{File{Tensors: []Entry{FromFloats("a\xff", []float32{1}, 1)}}, "not valid UTF-8"},
		{File{Metadata: map[string]string{"k": "\xff"}}, `metadata "k" is not valid UTF-8`},
		{File{Tensors: []Entry{FromFloats("a", []float32{1, 2}, 3)}}, "needs 12 bytes, it has 8"},
		{File{Tensors: []Entry{{Name: "a", DType: "float32", Data: make([]byte, 4)}}}, `unknown type "float32"`},
	} {
		var b bytes.Buffer
		if err := c.f.Write(&b); err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
			t.Errorf("error is %v after %d bytes, want one with %q", err, b.Len(), c.want)
		}
	}
}

// FuzzRead: no input makes the reader panic, and what it reads it writes and
// reads again to the same tensors.
func FuzzRead(f *testing.F) {
	python, err := os.ReadFile(pythonFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(python)
	f.Add(file(`{}`, 0))
	f.Add(file(`{"__metadata__":{"<a>":"&"},"a":{"dtype":"BF16","shape":[2,0],"data_offsets":[0,0]}}  `, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := Parse(b)
		if err != nil {
			return
		}
		var w bytes.Buffer
		if err := one.Write(&w); err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		two, err := Read(bytes.NewReader(w.Bytes()), int64(w.Len()))
		if err != nil {
			t.Fatalf("written, but not read: %v", err)
		}
		if len(one.Tensors) != len(two.Tensors) || len(one.Metadata) != len(two.Metadata) {
			t.Fatalf("%d tensors became %d", len(one.Tensors), len(two.Tensors))
		}
		for i, e := range one.Tensors {
			g := two.Tensors[i]
			if e.Name != g.Name || e.DType != g.DType || !slices.Equal(e.Shape, g.Shape) || !bytes.Equal(e.Data, g.Data) {
				t.Fatalf("%v became %v", e, g)
			}
			_, _ = e.Tensor()
		}
	})
}
