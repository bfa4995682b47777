package feature

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
)

// head is a dense layer on h [rows n]: [rows width]. Of members, h [rows k n],
// each has a layer of its own; in training they are left side by side, [rows k
// width], for a loss each, elsewhere the mean of their predictions is taken.
func head(c *nn.Context, h *graph.Node, width int, activation nn.Activation) *graph.Node {
	if len(h.Shape()) != 3 {
		return nn.Dense(width, activation).Apply(c, h)
	}
	pred := nn.DenseMembers(width, activation).Apply(c, h)
	if c.Training || c.B.Err() != nil {
		return pred
	}
	return graph.Mean(pred, 1)
}

// lossOf is the loss of each row [rows]; where pred has members, their mean.
func lossOf(l loss.Loss, pred, target *graph.Node) *graph.Node {
	s := pred.Shape()
	if pred.Builder().Err() != nil || len(s) != 3 {
		return l.Of(pred, target)
	}
	k := s[1].N
	if target.Type.DType == tensor.Int32 {
		target = graph.Concat(1, slices.Repeat([]*graph.Node{graph.Reshape(target, s[0], graph.N(1))}, k)...)
	} else {
		target = graph.BroadcastTo(graph.Reshape(target, s[0], graph.N(1), s[2]), s)
	}
	return l.Of(pred, target)
}

func numberLoss(name string, delta float64, pred, target *graph.Node) *graph.Node {
	switch name {
	case "absolute_error":
		return lossOf(loss.MeanAbsoluteError, pred, target)
	case "huber":
		return lossOf(loss.Huber(delta), pred, target)
	}
	return lossOf(loss.MeanSquaredError, pred, target)
}

// focal is the name of the focal loss in options and bundles.
const focal = "focal"

var errSmoothing = errors.New("label_smoothing is of loss: cross_entropy, found loss: focal: remove one of both")

// classLoss is the loss of an output of classes, as it was chosen.
type classLoss struct {
	LossName  string  `json:"loss,omitempty"` // empty: cross-entropy
	Gamma     float64 `json:"gamma,omitempty"`
	Alpha     float64 `json:"alpha,omitempty"` // 0: none
	Smoothing float64 `json:"label_smoothing,omitempty"`
}

func newClassLoss(name string, gamma, alpha, smoothing float64) classLoss {
	if name == focal {
		return classLoss{LossName: focal, Gamma: gamma, Alpha: alpha}
	}
	return classLoss{Smoothing: smoothing}
}

func (l classLoss) valid() error {
	switch {
	case l.LossName != "" && l.LossName != focal:
		return fmt.Errorf("loss is %q, this version knows cross-entropy and %s", l.LossName, focal)
	case !(l.Gamma >= 0 && l.Gamma <= 100) || !(l.Alpha >= 0 && l.Alpha < 1) || !(l.Smoothing >= 0 && l.Smoothing < 1):
		return fmt.Errorf("gamma is %g, alpha %g and label smoothing %g, expected 0 to 100, and twice 0 or more and below 1", l.Gamma, l.Alpha, l.Smoothing)
	}
	return nil
}

// constant returns the least mean loss that probabilities can have that are
// the same for every row, where count is the weight of the rows of each class.
func (l classLoss) constant(count []float64) float64 {
	total, k := 0.0, float64(len(count))
	for _, n := range count {
		total += n
	}
	if total == 0 {
		return 0
	}
	cost, sum := make([]float64, len(count)), 0.0 // what −log p of a class costs
	for i, n := range count {
		cost[i] = (1-l.Smoothing)*n/total + l.Smoothing/k
		if l.Alpha > 0 {
			cost[i] *= []float64{1 - l.Alpha, l.Alpha}[i]
		}
		sum += cost[i]
	}
	least := 0.0
	if l.Gamma == 0 { // the classes' shares
		for _, c := range cost {
			if c > 0 {
				least -= c * math.Log(c/sum)
			}
		}
		return least
	}
	// The focal loss is convex in p with a slope from −∞ to 0. At the minimum
	// all classes have the same cost × slope, the one at which the p add up to 1.
	slope := func(p float64) float64 { // downwards
		return math.Pow(1-p, l.Gamma)/p - l.Gamma*math.Pow(1-p, l.Gamma-1)*math.Log(p)
	}
	at := func(c, level float64) float64 {
		if c == 0 {
			return 0
		}
		return bisect(1e-300, 1-1e-12, func(p float64) bool { return c*slope(p) > level })
	}
	level := bisect(1e-300, 1e300, func(level float64) bool {
		sum := 0.0
		for _, c := range cost {
			sum += at(c, level)
		}
		return sum > 1
	})
	for _, c := range cost {
		if c > 0 {
			p := at(c, level)
			least -= c * math.Pow(1-p, l.Gamma) * math.Log(p)
		}
	}
	return least
}

// bisect returns where above ceases to hold between two positive numbers.
func bisect(low, high float64, above func(float64) bool) float64 {
	for range 200 {
		middle := low + (high-low)/2
		if low*4 < high { // by magnitude first
			middle = math.Sqrt(low) * math.Sqrt(high)
		}
		if middle == low || middle == high {
			break
		}
		if above(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// weightOf is the weight of a row; without weights it is 1.
func weightOf(weights []float32, row int) float64 {
	if weights == nil {
		return 1
	}
	return float64(weights[row])
}
