package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/internal/names"
)

// An Initializer gives a parameter its first values, drawn from a generator
// seeded by the run's seed and the parameter's name.
type Initializer struct {
	name string
	draw func(r *rand.Rand, shape []int, x []float32)
}

// Name returns the name by which InitializerByName finds the initialiser.
func (i Initializer) Name() string { return i.name }

func (i Initializer) fill(t *tensor.Tensor, seed uint64, name string) {
	h := fnv.New64a()
	h.Write([]byte(name))
	i.draw(rand.New(rand.NewPCG(seed, h.Sum64())), t.Shape(), t.Floats())
}

// fans returns the numbers of inputs and outputs of a weight [in out], with
// further leading dimensions, as of a convolution, counted to both.
func fans(shape []int) (in, out float64) {
	switch len(shape) {
	case 0:
		return 1, 1
	case 1:
		return float64(shape[0]), float64(shape[0])
	}
	field := 1.0
	for _, d := range shape[:len(shape)-2] {
		field *= float64(d)
	}
	return field * float64(shape[len(shape)-2]), field * float64(shape[len(shape)-1])
}

func uniformIn(limit func(in, out float64) float64) func(*rand.Rand, []int, []float32) {
	return func(r *rand.Rand, shape []int, x []float32) {
		l := limit(fans(shape))
		for i := range x {
			x[i] = float32((2*r.Float64() - 1) * l)
		}
	}
}

func normalWith(deviation func(in, out float64) float64) func(*rand.Rand, []int, []float32) {
	return func(r *rand.Rand, shape []int, x []float32) {
		s := deviation(fans(shape))
		for i := range x {
			x[i] = float32(r.NormFloat64() * s)
		}
	}
}

func signs(r *rand.Rand, _ []int, x []float32) {
	for i := range x {
		x[i] = float32(2*r.IntN(2) - 1)
	}
}

func constant(v float32) func(*rand.Rand, []int, []float32) {
	return func(_ *rand.Rand, _ []int, x []float32) {
		for i := range x {
			x[i] = v
		}
	}
}

// The initialisers. Glorot: Glorot and Bengio 2010, equations 12 and 16. He:
// He et al. 2015, equation 10. LeCun: LeCun et al. 1998, section 4.6.
// Orthogonal: Saxe et al. 2014. FanInUniform is that of PyTorch's Linear. RandomSigns, −1 or 1: Wen et al. 2020. Normal ones are not truncated, as in PyTorch
// and unlike Keras.
var (
	GlorotUniform = Initializer{"glorot_uniform", uniformIn(func(in, out float64) float64 { return math.Sqrt(6 / (in + out)) })}
	GlorotNormal  = Initializer{"glorot_normal", normalWith(func(in, out float64) float64 { return math.Sqrt(2 / (in + out)) })}
	HeUniform     = Initializer{"he_uniform", uniformIn(func(in, _ float64) float64 { return math.Sqrt(6 / in) })}
	HeNormal      = Initializer{"he_normal", normalWith(func(in, _ float64) float64 { return math.Sqrt(2 / in) })}
	FanInUniform  = Initializer{"fan_in_uniform", uniformIn(func(in, _ float64) float64 { return 1 / math.Sqrt(in) })}
	LecunUniform  = Initializer{"lecun_uniform", uniformIn(func(in, _ float64) float64 { return math.Sqrt(3 / in) })}
	LecunNormal   = Initializer{"lecun_normal", normalWith(func(in, _ float64) float64 { return math.Sqrt(1 / in) })}
	Orthogonal    = Initializer{"orthogonal", orthogonal}
	RandomSigns   = Initializer{"random_signs", signs}
	Zeros         = Initializer{"zeros", constant(0)}
	Ones          = Initializer{"ones", constant(1)}
)

// Normal returns the initialiser that draws from N(0, deviation²).
func Normal(deviation float64) Initializer {
	return Initializer{"normal", normalWith(func(_, _ float64) float64 { return deviation })}
}

// Uniform returns the initialiser that draws evenly from [−limit, limit).
func Uniform(limit float64) Initializer {
	return Initializer{"uniform", uniformIn(func(_, _ float64) float64 { return limit })}
}

// Constant returns the initialiser that sets every element to v.
func Constant(v float64) Initializer { return Initializer{"constant", constant(float32(v))} }

// orthogonal makes the rows or the columns, whichever are fewer, of the matrix
// [all but the last dimension, last] orthonormal: Gram–Schmidt in float64, done
// twice, on normal vectors.
func orthogonal(r *rand.Rand, shape []int, x []float32) {
	if len(x) == 0 {
		return
	}
	cols := 1
	if len(shape) > 0 {
		cols = shape[len(shape)-1]
	}
	rows := len(x) / cols
	n, length := min(rows, cols), max(rows, cols)
	basis := make([][]float64, n)
	for i := range basis {
		v := make([]float64, length)
		for j := range v {
			v[j] = r.NormFloat64()
		}
		for range 2 {
			for _, u := range basis[:i] {
				dot := 0.0
				for j := range v {
					dot += u[j] * v[j]
				}
				for j := range v {
					v[j] -= dot * u[j]
				}
			}
		}
		norm := 0.0
		for _, e := range v {
			norm += e * e
		}
		norm = math.Sqrt(norm)
		for j := range v {
			v[j] /= norm
		}
		basis[i] = v
	}
	for i := range rows {
		for j := range cols {
			if rows <= cols {
				x[i*cols+j] = float32(basis[i][j])
			} else {
				x[i*cols+j] = float32(basis[j][i])
			}
		}
	}
}

var initializers = map[string]Initializer{}

func init() {
	for _, i := range []Initializer{GlorotUniform, GlorotNormal, HeUniform, HeNormal, FanInUniform, LecunUniform, LecunNormal, Orthogonal, RandomSigns, Zeros, Ones, Normal(0.05), Uniform(0.05)} {
		initializers[i.name] = i
	}
}

// InitializerByName returns the initialiser of a name, such as "he_normal";
// "normal" has deviation 0.05 and "uniform" limit 0.05, as in Keras.
func InitializerByName(name string) (Initializer, error) {
	if i, ok := initializers[name]; ok {
		return i, nil
	}
	return Initializer{}, names.Unknown("initializer", name, initializers)
}
