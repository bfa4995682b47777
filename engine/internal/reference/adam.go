package reference

import (
	"math"
	"reflect"

	"github.com/hone-ml/hone/engine/graph"
)

func init() {
	functions[reflect.TypeFor[graph.Moment]()] = moment
	functions[reflect.TypeFor[graph.Adam]()] = adam
}

func moment(op graph.Op, in []*Value, out *Value, _ int) error {
	o := op.(graph.Moment)
	for i := range out.F {
		x := at(in[1], out.Shape, i)
		if o.Square {
			x *= x
		}
		y := at(in[0], out.Shape, i)*float64(o.Keep) + x*float64(o.Take)
		if math.Abs(y) < float64(o.Least) {
			y = 0
		}
		out.F[i] = y
	}
	return nil
}

func adam(op graph.Op, in []*Value, out *Value, _ int) error {
	for i := range out.F {
		p, m, v := at(in[0], out.Shape, i), at(in[1], out.Shape, i), at(in[2], out.Shape, i)
		rate, root := at(in[3], out.Shape, i), at(in[4], out.Shape, i)
		out.F[i] = p - m*rate/(math.Sqrt(v)*root+float64(op.(graph.Adam).Epsilon))
	}
	return nil
}
