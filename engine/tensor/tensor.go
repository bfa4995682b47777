package tensor

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// A DType is the type of a tensor's elements.
type DType uint8

const (
	// Float32 is IEEE 754 binary32, the type of values, parameters and gradients.
	Float32 DType = iota
	// Int32 is a two's complement integer, the type of labels, indices and seeds.
	Int32
)

// String returns the NumPy name of the type.
func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Int32:
		return "int32"
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// Size returns the bytes an element takes.
func (d DType) Size() int { return 4 }

// A Tensor is a dense row-major array. Its storage is shared by whoever holds
// the slice that Floats or Ints returns.
type Tensor struct {
	dtype DType
	shape []int
	data  []float32 // of an Int32 tensor too: the same four bytes, read through asInts
}

// New returns a tensor of zeros. A negative or overflowing shape is a
// programmer error and panics; sizes that come from a file are checked by the
// reader with Elements first.
func New(dtype DType, shape ...int) *Tensor {
	n, err := Elements(shape)
	if err != nil {
		panic("tensor: " + err.Error()) // programmer error
	}
	return &Tensor{dtype: dtype, shape: append([]int(nil), shape...), data: make([]float32, n)}
}

// Zeros returns a Float32 tensor of zeros.
func Zeros(shape ...int) *Tensor { return New(Float32, shape...) }

// FromFloats wraps values, which are not copied, as a Float32 tensor. With no
// shape it is a vector.
func FromFloats(values []float32, shape ...int) (*Tensor, error) {
	if len(shape) == 0 {
		shape = []int{len(values)}
	}
	n, err := Elements(shape)
	if err != nil {
		return nil, err
	}
	if n != len(values) {
		return nil, fmt.Errorf("tensor: %d values do not fill shape %v (%d elements)", len(values), shape, n)
	}
	return &Tensor{shape: append([]int(nil), shape...), data: values}, nil
}

// FromInts wraps values, which are not copied, as an Int32 tensor. With no
// shape it is a vector.
func FromInts(values []int32, shape ...int) (*Tensor, error) {
	t, err := FromFloats(asFloats(values), shape...)
	if err == nil {
		t.dtype = Int32
	}
	return t, err
}

// Scalar returns a Float32 tensor of rank 0.
func Scalar(v float32) *Tensor {
	return &Tensor{shape: []int{}, data: []float32{v}}
}

// Elements returns the number of elements of a shape, or an error where a
// dimension is negative or the product overflows.
func Elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", slices.Clone(shape)) // a copy, so that shape need not live on the heap
		}
		if d != 0 && n > math.MaxInt/4/d {
			return 0, fmt.Errorf("shape %v has too many elements to address", slices.Clone(shape))
		}
		n *= d
	}
	return n, nil
}

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Shape returns the dimensions; the caller must not change them.
func (t *Tensor) Shape() []int { return t.shape }

// Len returns the number of elements.
func (t *Tensor) Len() int { return len(t.data) }

// Floats returns the storage of a Float32 tensor, row-major.
func (t *Tensor) Floats() []float32 {
	if t.dtype != Float32 {
		panic("tensor: Floats of " + t.dtype.String()) // programmer error
	}
	return t.data
}

// Ints returns the storage of an Int32 tensor, row-major.
func (t *Tensor) Ints() []int32 {
	if t.dtype != Int32 {
		panic("tensor: Ints of " + t.dtype.String()) // programmer error
	}
	return Ints(t.data)
}

// Raw returns the storage as four-byte words whatever the type; engines use it.
func (t *Tensor) Raw() []float32 { return t.data }

// Reset gives the tensor a new shape, reusing the storage where it is large
// enough. Elements are undefined afterwards. It is how a loop reuses one
// tensor for batches of changing size without allocating.
func (t *Tensor) Reset(shape ...int) {
	n, err := Elements(shape)
	if err != nil {
		panic("tensor: " + err.Error()) // programmer error
	}
	t.shape = append(t.shape[:0], shape...)
	if cap(t.data) >= n {
		t.data = t.data[:n]
	} else {
		t.data = make([]float32, n)
	}
}

// Rows returns rows lo to hi (exclusive) of the first dimension, sharing storage.
func (t *Tensor) Rows(lo, hi int) *Tensor {
	w := t.RowLen()
	shape := append([]int{hi - lo}, t.shape[1:]...)
	return &Tensor{dtype: t.dtype, shape: shape, data: t.data[lo*w : hi*w]}
}

// RowLen returns the number of elements under one index of the first dimension.
func (t *Tensor) RowLen() int {
	w := 1
	for _, d := range t.shape[1:] {
		w *= d
	}
	return w
}

// Clone returns a copy with storage of its own.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{dtype: t.dtype, shape: append([]int(nil), t.shape...), data: append([]float32(nil), t.data...)}
}

// SameShape reports whether two shapes are equal.
func SameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// String describes the tensor without its values, as float32[32 128].
func (t *Tensor) String() string { return fmt.Sprintf("%s%v", t.dtype, t.shape) }

// Ints reads four-byte words as int32: the one place, with asFloats, where
// storage changes its type. Both types have the same size and alignment and
// hold no pointers.
func Ints(words []float32) []int32 {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&words[0])), len(words))
}

func asFloats(words []int32) []float32 {
	if len(words) == 0 {
		return []float32{}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&words[0])), len(words))
}
