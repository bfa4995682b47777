package tensor

import (
	"math"
	"testing"
)

func TestIntsKeepTheirBits(t *testing.T) {
	values := []int32{0, -1, math.MaxInt32, math.MinInt32, 2143289344}
	x, err := FromInts(values, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	c := x.Clone()
	for i, v := range c.Ints() {
		if v != values[i] {
			t.Errorf("element %d: got %d, want %d", i, v, values[i])
		}
	}
	if c.DType() != Int32 || c.String() != "int32[5 1]" {
		t.Errorf("clone is %v", c)
	}
}

func TestShapesAreChecked(t *testing.T) {
	if _, err := FromFloats(make([]float32, 5), 2, 3); err == nil {
		t.Error("5 values in a 2×3 tensor: no error")
	}
	for _, shape := range [][]int{{-1}, {math.MaxInt / 2, 4}, {1 << 40, 1 << 40}} {
		if _, err := Elements(shape); err == nil {
			t.Errorf("shape %v: no error", shape)
		}
	}
	if n, err := Elements([]int{0, 1 << 40}); err != nil || n != 0 {
		t.Errorf("an empty shape: %d, %v", n, err)
	}
}

func TestRowsAndReset(t *testing.T) {
	x, _ := FromFloats([]float32{0, 1, 2, 3, 4, 5, 6, 7}, 4, 2)
	r := x.Rows(1, 3)
	if !SameShape(r.Shape(), []int{2, 2}) || r.Floats()[0] != 2 || r.Floats()[3] != 5 {
		t.Errorf("rows 1 to 3 are %v %v", r, r.Floats())
	}
	before := &x.data[0]
	x.Reset(2, 2)
	if &x.data[0] != before || x.Len() != 4 {
		t.Error("a smaller shape must reuse the storage")
	}
	x.Reset(9)
	if x.Len() != 9 {
		t.Errorf("after growing: %v", x)
	}
}
