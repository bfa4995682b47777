package loss

import (
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/internal/names"
)

// A Loss compares predictions with targets.
type Loss struct {
	name   string
	target tensor.DType
	logits formula // the form that takes logits, if there is one
	formula
}

// A formula gets float32 predictions and, of the same shape, float32 targets
// or, of the shape without the last dimension, int32 ones. It returns [rows …].
type formula func(pred, target *graph.Node) *graph.Node

// New returns a loss of your own. The formula gets predictions and targets of
// one shape, or int32 targets that lack the predictions' last dimension, and
// returns [rows …].
func New(name string, target tensor.DType, formula func(pred, target *graph.Node) *graph.Node) Loss {
	return Loss{name: name, target: target, formula: formula}
}

// Name returns the name of the loss.
func (l Loss) Name() string { return l.name }

// Target returns the type of the targets: float32, or int32 class indices.
func (l Loss) Target() tensor.DType { return l.target }

// FromLogits returns a cross-entropy or focal loss that takes logits as predictions, as the
// network's last layer gives them without sigmoid or softmax.
func (l Loss) FromLogits() Loss {
	l.formula = l.logits
	if l.formula == nil {
		l.formula = fails(l.name, fmt.Errorf("it has no form for logits, only cross-entropies and focal losses have"))
	}
	return l
}

// fails is the formula of a loss that was asked for the impossible.
func fails(name string, err error) formula {
	return func(pred, _ *graph.Node) *graph.Node { return pred.Builder().Fail(name, err) }
}

// Of returns the loss of each row [rows]. Float32 targets have the shape of
// the predictions; int32 ones lack its last dimension. A last dimension of one
// may be missing, so that [rows] goes with [rows 1]. Over further dimensions
// the mean is taken.
func (l Loss) Of(pred, target *graph.Node) *graph.Node {
	b := pred.Builder()
	if b.Err() != nil {
		return pred
	}
	if l.formula == nil {
		return b.Fail("loss", fmt.Errorf("it is the zero Loss, expected one such as loss.MeanSquaredError"))
	}
	p, t := pred.Shape(), target.Shape()
	want := p
	if l.target == tensor.Int32 && len(p) > 0 {
		want = p[:len(p)-1]
	}
	// The target takes the wanted shape where they differ by a last dimension of one.
	same := t.Equal(want) || appended(t).Equal(want) || t.Equal(appended(want))
	if !same || len(want) == 0 || target.Type.DType != l.target || pred.Type.DType != tensor.Float32 {
		return b.Fail(l.name, fmt.Errorf("predictions are %v and targets %v, expected float32[rows …] and for these predictions %v",
			pred.Type, target.Type, graph.Type{DType: l.target, Shape: want}))
	}
	y := l.formula(pred, graph.Reshape(target, want...))
	if axes := inner(y); b.Err() == nil && len(axes) > 0 {
		return graph.Mean(y, axes...)
	}
	return y
}

// appended returns the shape with a last dimension of one.
func appended(s graph.Shape) graph.Shape { return append(append(graph.Shape(nil), s...), graph.N(1)) }

// inner returns all dimensions but the first.
func inner(x *graph.Node) []int {
	var axes []int
	for i := 1; i < len(x.Shape()); i++ {
		axes = append(axes, i)
	}
	return axes
}

// The losses. y is the target, p the prediction.
var (
	// MeanSquaredError is (p−y)².
	MeanSquaredError = New("mean_squared_error", tensor.Float32, func(p, y *graph.Node) *graph.Node {
		return graph.Square(graph.Sub(p, y))
	})
	// HalfSquaredError is ½·Σ(p−y)², the sum over the outputs of a row, as
	// textbooks write it.
	HalfSquaredError = New("half_squared_error", tensor.Float32, func(p, y *graph.Node) *graph.Node {
		e := graph.Scale(graph.Square(graph.Sub(p, y)), 0.5)
		if axes := inner(e); len(axes) > 0 {
			return graph.Sum(e, axes...)
		}
		return e
	})
	// MeanAbsoluteError is |p−y|.
	MeanAbsoluteError = New("mean_absolute_error", tensor.Float32, func(p, y *graph.Node) *graph.Node {
		return graph.Abs(graph.Sub(p, y))
	})
	// BinaryCrossEntropy is −y·log p − (1−y)·log(1−p) of probabilities and
	// targets in [0, 1].
	BinaryCrossEntropy = BinaryCrossEntropyWith(0)
	// CategoricalCrossEntropy is −Σ y·log p of probabilities [rows … k] and
	// one-hot (or soft) targets [rows … k].
	CategoricalCrossEntropy = CategoricalCrossEntropyWith(0)
	// SparseCategoricalCrossEntropy is −log p at the class, of probabilities
	// [rows … k] and int32 classes [rows …]. Class −1 costs nothing.
	SparseCategoricalCrossEntropy = SparseCategoricalCrossEntropyWith(0)
)

// Huber is ½·e² up to |e| = delta and delta·(|e| − ½·delta) beyond (Huber
// 1964), where e is p−y.
func Huber(delta float64) Loss {
	const name = "huber"
	if !(delta > 0) {
		return New(name, tensor.Float32, fails(name, fmt.Errorf("delta is %g, expected more than 0", delta)))
	}
	return New(name, tensor.Float32, func(p, y *graph.Node) *graph.Node {
		e := graph.Abs(graph.Sub(p, y))
		d := e.Builder().Scalar(delta)
		near := graph.Min(e, d)
		return graph.Add(graph.Scale(graph.Square(near), 0.5), graph.Mul(d, graph.Sub(e, near)))
	})
}

// BinaryCrossEntropyWith smooths labels: y becomes y·(1−s) + s/2.
func BinaryCrossEntropyWith(smoothing float64) Loss {
	return crossEntropy("binary_crossentropy", tensor.Float32, smoothing,
		func(x, y *graph.Node) *graph.Node { return graph.SigmoidCrossEntropy(x, smoothed(y, smoothing, 2)) },
		sigmoidLogits)
}

// CategoricalCrossEntropyWith smooths labels: y becomes y·(1−s) + s/k for k
// classes (Szegedy et al. 2016, section 7).
func CategoricalCrossEntropyWith(smoothing float64) Loss {
	const name = "categorical_crossentropy"
	return crossEntropy(name, tensor.Float32, smoothing,
		func(x, y *graph.Node) *graph.Node {
			k := x.Shape()[len(x.Shape())-1]
			if k.PerRow {
				return x.Builder().Fail(name, fmt.Errorf("predictions are %v, expected [rows … k] for k classes", x.Type))
			}
			return graph.Neg(graph.Sum(graph.Mul(smoothed(y, smoothing, k.N), graph.LogSoftmax(x)), -1))
		}, softmaxLogits)
}

// SparseCategoricalCrossEntropyWith smooths labels as
// CategoricalCrossEntropyWith.
func SparseCategoricalCrossEntropyWith(smoothing float64) Loss {
	return crossEntropy("sparse_categorical_crossentropy", tensor.Int32, smoothing,
		func(x, y *graph.Node) *graph.Node { return graph.SoftmaxCrossEntropy(x, y, smoothing) }, softmaxLogits)
}

func crossEntropy(name string, target tensor.DType, smoothing float64, logits formula, logitsOf func(*graph.Node) *graph.Node) Loss {
	if !(smoothing >= 0 && smoothing < 1) {
		return failing(name, target, fmt.Errorf("label smoothing is %g, expected 0 ≤ smoothing < 1", smoothing))
	}
	return onProbabilities(name, target, logits, logitsOf)
}

// onProbabilities makes a loss on probabilities of one on logits and of the
// way from probabilities to logits.
func onProbabilities(name string, target tensor.DType, logits formula, logitsOf func(*graph.Node) *graph.Node) Loss {
	return Loss{name, target, logits, func(p, y *graph.Node) *graph.Node { return logits(logitsOf(p), y) }}
}

// failing is a loss that was asked for the impossible.
func failing(name string, target tensor.DType, err error) Loss {
	f := fails(name, err)
	return Loss{name, target, f, f}
}

// smoothed gives each of k classes a share of s.
func smoothed(y *graph.Node, s float64, k int) *graph.Node {
	if s == 0 {
		return y
	}
	return graph.AddScalar(graph.Scale(y, 1-s), s/float64(k))
}

// probabilityFloor keeps the logarithm of a probability that did not come
// from a sigmoid or softmax finite: Keras' epsilon.
const probabilityFloor = 1e-7

func floored(p *graph.Node) *graph.Node {
	return graph.Max(p, p.Builder().Scalar(probabilityFloor))
}

// sigmoidLogits returns logits whose sigmoid is p: those p was made from, or
// log p − log(1−p).
func sigmoidLogits(p *graph.Node) *graph.Node {
	if op, ok := p.Op.(graph.Unary); ok && op.Kind == graph.OpSigmoid {
		return p.In[0]
	}
	p = floored(graph.Min(p, p.Builder().Scalar(1-probabilityFloor)))
	return graph.Sub(graph.Log(p), graph.Log1p(graph.Neg(p)))
}

// softmaxLogits returns logits whose softmax is p: those p was made from, or
// the logarithm of p, which thereby is divided by its sum.
func softmaxLogits(p *graph.Node) *graph.Node {
	if op, ok := p.Op.(graph.Normalize); ok && !op.Log {
		return p.In[0]
	}
	return graph.Log(floored(p))
}

var table = map[string]Loss{}

func init() {
	for _, l := range []Loss{
		MeanSquaredError, HalfSquaredError, MeanAbsoluteError, Huber(1),
		BinaryCrossEntropy, CategoricalCrossEntropy, SparseCategoricalCrossEntropy,
		BinaryFocal(2, 0), SparseCategoricalFocal(2),
	} {
		table[l.name] = l
	}
}

// ByName returns the loss of a name, such as "mean_squared_error"; "huber" has
// delta 1, the focal losses have gamma 2.
func ByName(name string) (Loss, error) {
	if l, ok := table[name]; ok {
		return l, nil
	}
	return Loss{}, names.Unknown("loss", name, table)
}
