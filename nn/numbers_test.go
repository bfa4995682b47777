package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/internal/nntest"
)

func floats(t *testing.T, v []float32, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromFloats(v, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// forward runs a layer with given parameters, all it has, on x.
func forward(t *testing.T, net nn.Layer, x *tensor.Tensor, params map[string]*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	b, state := graph.New("layer"), graph.NewState()
	for name, v := range params {
		if _, err := state.Add(name, v.Clone(), true); err != nil {
			t.Fatal(err)
		}
	}
	b.Output("y", net.Apply(&nn.Context{B: b, State: state}, nntest.Input(b, "x", x)))
	if n := len(state.Variables()); params != nil && n != len(params) {
		t.Fatalf("the layer has the variables %v, %d were given", names(state), len(params))
	}
	return nntest.Compile(t, b).Run(map[string]*tensor.Tensor{"x": x})["y"]
}

// TestPiecewiseLinearAgreesWithNumPy holds outputs against values recorded
// from a float64 computation in NumPy 2.4 of version B of the package
// rtdl_num_embeddings: (x−left)/width, clipped to 0 and 1 but for the outer
// ends of the outer pieces, times kernel, plus x·slope + bias.
func TestPiecewiseLinearAgreesWithNumPy(t *testing.T) {
	edges := []float64{-2, -0.5, 0.25, 1, 3}
	params := map[string]*tensor.Tensor{
		"piecewise_linear_1/kernel": floats(t, []float32{0.346, 0.822, 0.33, -1.303, 0.905, 0.446, -0.537, 0.581, 0.365, 0.294, 0.028, 0.547}, 4, 3),
		"piecewise_linear_1/slope":  floats(t, []float32{-0.736, -0.163, -0.482}, 1, 3),
		"piecewise_linear_1/bias":   floats(t, []float32{0.599, 0.04, -0.292}, 3),
	}
	x := floats(t, []float32{-7.5, -2, -1.9, -0.5, -0.25, 0, 0.3, 1, 2.75, 3, 11.5}, 11, 1)
	want := floats(t, []float32{
		4.850333333, -1.7515, 2.113, 2.071, 0.366, 0.672, 2.020466667, 0.4045, 0.6458,
		1.313, 0.9435, 0.279, 0.694666667, 1.204416667, 0.307166667, 0.076333333, 1.465333333, 0.335333333,
		-0.6146, 1.756833333, 0.363733333, -1.631, 2.185, 0.367, -2.66175, 1.92425, 0.002125,
		-2.809, 1.887, -0.05, -7.8155, 0.6205, -1.82225,
	}, 11, 3)
	net := nn.PiecewiseLinear(edges, 3)
	all := forward(t, net, x, params)
	nntest.Near(t, "output", all, want, tolerance)
	// A row alone has the bits that it has among others.
	for i := range 11 {
		if one := forward(t, net, x.Rows(i, i+1), params); !slices.Equal(one.Floats(), all.Rows(i, i+1).Floats()) {
			t.Errorf("row %d alone is %v, among others %v", i, one.Floats(), all.Rows(i, i+1).Floats())
		}
	}
}

// TestPiecewiseLinearStart: before training, and with a single piece always,
// an embedding is linear.
func TestPiecewiseLinearStart(t *testing.T) {
	x := floats(t, []float32{-100, -1, 0, 0.5, 1, 100}, 6, 1)
	for _, edges := range [][]float64{{0, 1}, {-1, 0, 0.5, 1}} {
		y := forward(t, nn.PiecewiseLinear(edges, 2), x, nil).Floats()
		for i, v := range x.Floats() {
			for j := range 2 {
				bias := y[4+j] // x is 0
				slope := (y[8+j] - bias)
				if want := bias + slope*v; math.Abs(float64(y[2*i+j]-want)) > 1e-5*max(1, math.Abs(float64(v))) {
					t.Errorf("edges %v: at %v, %v, expected %v of a line", edges, v, y[2*i+j], want)
				}
			}
		}
	}
}

// TestPeriodicAgreesWithNumPy holds outputs against values recorded from the
// formulas of both papers, computed in NumPy 2.4 in float64.
func TestPeriodicAgreesWithNumPy(t *testing.T) {
	x := floats(t, []float32{-3, -0.4, 0, 0.9, 2.5}, 5, 1)
	frequency := floats(t, []float32{-0.391, -0.129}, 1, 2)
	for name, c := range map[string]struct {
		form   nn.PeriodicForm
		params map[string]*tensor.Tensor
		want   []float32
	}{
		"PLR": {nn.PLR, map[string]*tensor.Tensor{
			"kernel": floats(t, []float32{0.008, -0.276, 1.294, 1.007, -2.711, -1.889, -0.175, -0.422, 0.214, 0.217, 2.118, -1.112}, 4, 3),
			"bias":   floats(t, []float32{-0.378, 2.043, 0.647}, 3),
		}, []float32{0, 4.977553672, 2.146051551, 0.504504802, 0, 0, 0.637, 0, 0.052, 0.363675664, 0, 0, 0, 1.000945835, 3.787895233}},
		"PBLD": {nn.PBLD, map[string]*tensor.Tensor{
			"phase":  floats(t, []float32{-2.893, 0.18}, 1, 2),
			"kernel": floats(t, []float32{-1.648, 0.167, 0.109, -1.227}, 2, 2),
			"bias":   floats(t, []float32{-0.683, -0.072}, 2),
		}, []float32{-0.392979984, 0.947745004, -3, -0.038733682, -1.201922056, -0.4, 1.021578858, -1.441042572, 0, -1.219130973, -1.054633956, 0.9, 0.811618174, 0.107352945, 2.5}},
	} {
		params := map[string]*tensor.Tensor{"periodic_1/frequency": frequency}
		for k, v := range c.params {
			params["periodic_1/"+k] = v
		}
		nntest.Near(t, name, forward(t, nn.Periodic(c.form, 2, 3, 0.1), x, params), floats(t, c.want, 5, 3), tolerance)
	}
}

// TestPeriodicStart: frequencies start normal with deviation sigma, phases even
// over a whole turn, kernel and bias within 1/√n of 0.
func TestPeriodicStart(t *testing.T) {
	const n, sigma = 4000, 0.3
	b, state := graph.New("init"), graph.NewState()
	nn.Periodic(nn.PBLD, n, 3, sigma).Apply(&nn.Context{B: b, State: state, InitSeed: 3}, b.Input("x", tensor.Float32, graph.Rows, graph.N(1)))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	for name, deviation := range map[string]float64{
		"frequency": sigma, "phase": math.Pi / math.Sqrt(3), "kernel": 1 / math.Sqrt(3*n),
	} {
		squares, v := 0.0, state.Lookup("periodic_1/"+name).Value.Floats()
		for _, w := range v {
			squares += float64(w) * float64(w)
		}
		// Five deviations of the estimate for a normal distribution.
		if d := math.Sqrt(squares / float64(len(v))); math.Abs(d/deviation-1) > 5/math.Sqrt(2*float64(len(v))) {
			t.Errorf("%s has the deviation %v, expected %v", name, d, deviation)
		}
	}
}

// TestNumberGradients compares gradients with central differences of
// Σ output·upstream, summed in float64 over float32 outputs. With h = 1/1024
// these are good to about 1e-3.
func TestNumberGradients(t *testing.T) {
	for name, c := range map[string]struct {
		net   nn.Layer
		shape []int
	}{
		"piecewise_linear":           {nn.PiecewiseLinear([]float64{-1.55, -0.45, 0.15, 0.65, 1.75}, 3), []int{7, 1}},
		"piecewise_linear_one_piece": {nn.PiecewiseLinear([]float64{-1, 1}, 2), []int{7, 1}},
		"periodic_plr":               {nn.Periodic(nn.PLR, 5, 4, 0.5), []int{7, 1}},
		"periodic_pbld":              {nn.Periodic(nn.PBLD, 5, 4, 0.5), []int{7, 1}},
		"members":                    {nn.Members(3, nn.Normal(1)), []int{4, 5}},
		"dense_members":              {nn.DenseMembers(2, nn.Tanh), []int{4, 3, 5}},
		"dense_members_one_unit":     {nn.DenseMembers(1, nn.Sigmoid), []int{4, 3, 5}},
		"members_in_a_network":       {nn.Sequential(nn.Members(3, nn.Normal(1)), nn.Dense(4, nn.Tanh), nn.DenseMembers(2, nn.Softmax)), []int{4, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			x := tensor.Zeros(c.shape...)
			for i := range x.Floats() {
				x.Floats()[i] = float32(r.NormFloat64())
			}
			if c.shape[1] == 1 { // between and beyond the edges, away from each
				copy(x.Floats(), []float32{-2.5, -1.2, -0.9, 0, 0.4, 1.2, 3})
			}
			b, state := graph.New("gradient"), graph.NewState()
			in := nntest.Input(b, "x", x)
			y := c.net.Apply(&nn.Context{B: b, State: state, InitSeed: 7, Training: true}, in)
			for _, v := range state.Variables() { // also those that start at 0
				for i := range v.Value.Floats() {
					v.Value.Floats()[i] += float32(r.NormFloat64() / 4)
				}
			}
			b.Output("y", y)
			wrt := []*graph.Node{in}
			at := []*tensor.Tensor{x}
			for _, v := range state.Variables() {
				wrt, at = append(wrt, b.Read(v)), append(at, v.Value)
			}
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			upstream := nntest.Input(b, "upstream", tensor.Zeros(append([]int{1}, fixedDims(y)...)...))
			for i, g := range graph.Gradients(graph.Sum(graph.Mul(y, upstream)), wrt) {
				b.Output(string(rune('0'+i)), g.ToDense(wrt[i]))
			}
			p := nntest.Compile(t, b)
			up := tensor.Zeros(append([]int{c.shape[0]}, fixedDims(y)...)...)
			for i := range up.Floats() {
				up.Floats()[i] = float32(r.NormFloat64())
			}
			run := func() map[string]*tensor.Tensor {
				return p.Run(map[string]*tensor.Tensor{"x": x, "upstream": up})
			}
			loss := func() (sum float64) {
				for i, v := range run()["y"].Floats() {
					sum += float64(v) * float64(up.Floats()[i])
				}
				return sum
			}
			grads := run()
			const h = 1. / 1024
			for i, v := range at {
				g := grads[string(rune('0'+i))].Floats()
				if len(g) != v.Len() {
					t.Fatalf("the gradient of %v has %d elements", v, len(g))
				}
				for j := range v.Floats() {
					saved := v.Floats()[j]
					v.Floats()[j] = saved + h
					high := loss()
					v.Floats()[j] = saved - h
					low := loss()
					v.Floats()[j] = saved
					if want := (high - low) / (2 * h); math.Abs(float64(g[j])-want) > 3e-3*max(1, math.Abs(want)) {
						t.Errorf("%v, element %d: gradient %v, central difference %v", wrt[i].Type, j, g[j], want)
					}
				}
			}
		})
	}
}

// fixedDims are all dimensions but the rows.
func fixedDims(n *graph.Node) (dims []int) {
	for _, d := range n.Shape()[1:] {
		dims = append(dims, d.N)
	}
	return dims
}

func TestNumberErrors(t *testing.T) {
	number := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(1)}}
	wide := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(3)}}
	cube := graph.Type{Shape: graph.Shape{graph.Rows, graph.N(2), graph.N(3)}}
	for _, c := range []struct {
		net   nn.Layer
		input graph.Type
		want  []string
	}{
		{nn.PiecewiseLinear([]float64{0, 1}, 4), wide, []string{"piecewise_linear", "[rows 3]"}},
		{nn.PiecewiseLinear([]float64{0}, 4), number, []string{"1 edges", "two edges"}},
		{nn.PiecewiseLinear([]float64{0, 1}, 0), number, []string{"vectors of 0"}},
		{nn.PiecewiseLinear([]float64{0, 1, 1}, 4), number, []string{"edges 1 and 2 are 1 and 1"}},
		{nn.PiecewiseLinear([]float64{0, math.NaN()}, 4), number, []string{"NaN"}},
		{nn.PiecewiseLinear([]float64{0, math.Inf(1)}, 4), number, []string{"+Inf"}},
		{nn.Periodic(nn.PLR, 0, 4, 1), number, []string{"periodic", "0 frequencies"}},
		{nn.Periodic(nn.PLR, 2, 0, 1), number, []string{"vectors of 0", "length of 1 or more"}},
		{nn.Periodic(nn.PBLD, 2, 1, 1), number, []string{"vectors of 1", "length of 2 or more"}},
		{nn.Periodic(nn.PBLD, 2, 4, math.NaN()), number, []string{"deviation NaN"}},
		{nn.Periodic(nn.PLR, 2, 4, 1), wide, []string{"[rows 3]"}},
		{nn.Members(0, nn.Ones), wide, []string{"members", "0 members"}},
		{nn.Members(2, nn.Ones), cube, []string{"members", "[rows 2 3]"}},
		{nn.DenseMembers(0, nn.ReLU), cube, []string{"dense_members", "0 units"}},
		{nn.DenseMembers(1, nn.ReLU), wide, []string{"dense_members", "[rows 3]"}},
	} {
		_, err := nn.Outline(c.net, c.input)
		if err == nil {
			t.Errorf("%v: no error", c.want)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q lacks %q", err, w)
			}
		}
	}
}
