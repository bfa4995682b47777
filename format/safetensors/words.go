package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// littleEndian says that this machine's numbers lie in memory as in a file.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// FromFloats returns an entry of type F32. On little-endian machines its data
// is the memory of values: write it before they change.
func FromFloats(name string, values []float32, shape ...int) Entry {
	return Entry{Name: name, DType: "F32", Shape: shape, Data: toBytes(values)}
}

// FromInts returns an entry of type I32; as FromFloats it shares memory.
func FromInts(name string, values []int32, shape ...int) Entry {
	return Entry{Name: name, DType: "I32", Shape: shape, Data: toBytes(values)}
}

// Floats returns the values of an entry of type F32: the entry's own memory
// where the machine and the alignment allow it, else a copy. Do not change
// them.
func (e *Entry) Floats() ([]float32, error) {
	if err := e.is("F32"); err != nil {
		return nil, err
	}
	return fromBytes[float32](e.Data), nil
}

// Ints returns the values of an entry of type I32, as Floats does.
func (e *Entry) Ints() ([]int32, error) {
	if err := e.is("I32"); err != nil {
		return nil, err
	}
	return fromBytes[int32](e.Data), nil
}

func (e *Entry) is(dtype string) error {
	if e.DType != dtype {
		return fmt.Errorf("tensor %q is %s, expected %s", e.Name, e.DType, dtype)
	}
	return e.check()
}

// toBytes and fromBytes are the one place where memory changes its type.
// float32 and int32 are four bytes without pointers, so that any bytes are
// values of theirs; only the alignment has to be checked.

func toBytes[T float32 | int32](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
	}
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, bits(v))
	}
	return b
}

func fromBytes[T float32 | int32](b []byte) []T {
	n := len(b) / 4
	if n == 0 {
		return nil
	}
	if littleEndian && uintptr(unsafe.Pointer(&b[0]))%4 == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
	}
	values := make([]T, n)
	for i := range values {
		w := binary.LittleEndian.Uint32(b[4*i:])
		switch v := any(&values[i]).(type) {
		case *float32:
			*v = math.Float32frombits(w)
		case *int32:
			*v = int32(w)
		}
	}
	return values
}

func bits[T float32 | int32](v T) uint32 {
	switch v := any(v).(type) {
	case float32:
		return math.Float32bits(v)
	case int32:
		return uint32(v)
	}
	return 0 // no other type is possible
}
