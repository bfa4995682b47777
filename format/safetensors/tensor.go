package safetensors

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// FromTensor returns t as an entry that shares its memory on little-endian
// machines: write it before t changes.
func FromTensor(name string, t *tensor.Tensor) Entry {
	if t.DType() == tensor.Int32 {
		return FromInts(name, t.Ints(), t.Shape()...)
	}
	return FromFloats(name, t.Floats(), t.Shape()...)
}

// Tensor returns an entry of type F32 or I32 as a tensor with memory of its
// own.
func (e *Entry) Tensor() (*tensor.Tensor, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	if _, err := tensor.Elements(e.Shape); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
	}
	switch e.DType {
	case "F32":
		t := tensor.New(tensor.Float32, e.Shape...)
		copy(t.Floats(), fromBytes[float32](e.Data))
		return t, nil
	case "I32":
		t := tensor.New(tensor.Int32, e.Shape...)
		copy(t.Ints(), fromBytes[int32](e.Data))
		return t, nil
	}
	return nil, fmt.Errorf("tensor %q is %s, expected F32 or I32", e.Name, e.DType)
}
