package nn_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
)

// TestMembers: member i is x, scaled column by column by row i of the scale.
func TestMembers(t *testing.T) {
	x := floats(t, []float32{1, 2, 3, -4, 5, 0}, 2, 3)
	y := forward(t, nn.Members(2, nn.Ones), x, map[string]*tensor.Tensor{"members_1/scale": floats(t, []float32{1, 1, 1, 2, -1, 0.5}, 2, 3)})
	nntest.Near(t, "members", y, floats(t, []float32{1, 2, 3, 2, -2, 1.5, -4, 5, 0, -8, -5, 0}, 2, 2, 3), 0)
}

// TestDenseMembersAreDenseLayers compares every member with a dense layer of
// the same weights.
func TestDenseMembersAreDenseLayers(t *testing.T) {
	const rows, k, n = 5, 3, 4
	for _, units := range []int{1, 2, 7} {
		for name, activation := range map[string]nn.Activation{"none": {}, "softmax": nn.Softmax, "tanh": nn.Tanh} {
			wave := func(n int) []float32 {
				v := make([]float32, n)
				for i := range v {
					v[i] = float32(math.Sin(float64(3*i + n)))
				}
				return v
			}
			x := floats(t, wave(rows*k*n), rows, k, n)
			kernel, bias := wave(k*n*units), wave(k*units)
			got := forward(t, nn.DenseMembers(units, activation), x, map[string]*tensor.Tensor{
				"dense_members_1/kernel": floats(t, kernel, k, n, units), "dense_members_1/bias": floats(t, bias, k, units)})
			for i := range k {
				xi, gi := tensor.Zeros(rows, n), tensor.Zeros(rows, units)
				for r := range rows {
					copy(xi.Floats()[r*n:], x.Floats()[(r*k+i)*n:][:n])
					copy(gi.Floats()[r*units:], got.Floats()[(r*k+i)*units:][:units])
				}
				want := forward(t, nn.Dense(units, activation), xi, map[string]*tensor.Tensor{
					"dense_1/kernel": floats(t, kernel[i*n*units:][:n*units], n, units), "dense_1/bias": floats(t, bias[i*units:][:units], units)})
				nntest.Near(t, fmt.Sprintf("%d units, %s, member %d", units, name, i), gi, want, 1e-6)
			}
		}
	}
}

// TestDenseMembersInitial: each member starts as a dense layer by itself does,
// whatever the number of members.
func TestDenseMembersInitial(t *testing.T) {
	const k, n, units = 64, 30, 20
	b, state := graph.New("init"), graph.NewState()
	nn.DenseMembers(units, nn.ReLU).Apply(&nn.Context{B: b, State: state, InitSeed: 3}, b.Input("x", tensor.Float32, graph.Rows, graph.N(k), graph.N(n)))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	limit, squares := math.Sqrt(6./(n+units)), 0.0
	v := state.Lookup("dense_members_1/kernel").Value.Floats()
	for _, w := range v {
		squares += float64(w) * float64(w)
		if math.Abs(float64(w)) > limit {
			t.Fatalf("a weight is %v, beyond ±%v", w, limit)
		}
	}
	if d, want := math.Sqrt(squares/float64(len(v))), limit/math.Sqrt(3); math.Abs(d/want-1) > 0.02 {
		t.Errorf("the weights have the deviation %v, expected %v", d, want)
	}
	for i := 1; i < k; i++ {
		if v[i*n*units] == v[0] {
			t.Errorf("members 0 and %d start alike", i)
		}
	}
}
