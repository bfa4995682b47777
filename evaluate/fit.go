package evaluate

import (
	"fmt"
	"math"
	"strconv"
)

// Kinds of a [Verdict].
const (
	FitGood          = "good"
	FitOver          = "over-fitting"
	FitOverLate      = "over-fitting, stopped"
	FitUnder         = "under-fitting"
	FitStillLearning = "still learning"
	FitLinearEnough  = "no better than linear"
	FitDiverged      = "diverged"
	FitUnknown       = "unknown"
)

// Verdict is what the training curves say, in a sentence with its numbers.
type Verdict struct {
	Kind     string `json:"kind"`
	Sentence string `json:"sentence"`
	// Remedy says what to try; empty when nothing need be done.
	Remedy   string   `json:"remedy,omitempty"`
	Evidence Evidence `json:"evidence"`
}

// Evidence holds the quantities that a [Verdict] rests on. Losses divided by
// Scale can be compared between tasks: 1 is knowing nothing.
type Evidence struct {
	// Scale is the validation loss of the trivial predictor where known,
	// otherwise the highest loss of the first epoch.
	Scale Number `json:"scale"`
	// Gap is (validation − training loss) / Scale at the best epoch.
	Gap Number `json:"gap"`
	// Rise is how far validation loss stood above its minimum at the end, on
	// average over the last three epochs / Scale.
	Rise Number `json:"rise"`
	// Slope is the fall of validation loss over the last fifth of training / Scale.
	Slope Number `json:"slope"`
}

// Thresholds, as parts of the scale. They are deliberately coarse: a verdict
// that flips with the seed is worth nothing.
const (
	gapLarge   = 0.10 // training this far below validation is memorising
	riseLarge  = 0.03 // validation this far above its minimum has turned
	slopeLarge = 0.01 // validation falling this much in the last fifth was not done
	riseWindow = 3    // epochs averaged at the end, so that one noisy epoch decides nothing
)

// Diagnose reads over- and under-fitting from training curves. trivialLoss is
// the validation loss of the best constant prediction in the units of the
// curves, 0 if unknown; linear is the paired comparison with a linear model on
// the headline metric, nil if there is none.
func Diagnose(t Training, trivialLoss float64, linear *Comparison) Verdict {
	nan := Number(math.NaN())
	v := Verdict{Kind: FitUnknown, Evidence: Evidence{nan, nan, nan, nan}}
	if len(t.Epochs) == 0 {
		v.Sentence = "No training curves were recorded, so nothing can be said about the fit."
		return v
	}
	for _, e := range t.Epochs {
		if e.TrainLoss.finite() {
			continue
		}
		v.Kind = FitDiverged
		v.Sentence = fmt.Sprintf("Training diverged: the loss was no longer a finite number in epoch %d.", e.Epoch)
		v.Remedy = "Lower the learning rate (a tenth is a good first try), clip gradients, and look for extreme values in the inputs."
		return v
	}
	c := validated(t.Epochs)
	if len(c) == 0 {
		v.Sentence = "Without validation rows, over-fitting cannot be told from learning."
		v.Remedy = "Set data.validation, for example {fraction: 0.1}."
		return v
	}

	first, last := c[0], c[len(c)-1]
	before := c[len(c)-1-fifth(c)]
	best, low := keptEpoch(c, t.Best), lowest(c)
	scale := trivialLoss
	if !(scale > 0) || math.IsInf(scale, 0) {
		scale = math.Max(float64(first.TrainLoss), float64(first.ValidationLoss))
	}
	if !(scale > 0) {
		v.Sentence = "The loss is not positive, so its size says nothing about the fit."
		return v
	}
	part := func(x Number) Number { return x / Number(scale) }
	v.Evidence = Evidence{
		Scale: Number(scale),
		Gap:   part(best.ValidationLoss - best.TrainLoss),
		Rise:  part(tailMean(c, low) - low.ValidationLoss),
		Slope: part(before.ValidationLoss - last.ValidationLoss),
	}
	ev := v.Evidence
	losses := fmt.Sprintf("in epoch %d, whose weights are kept, the loss was %s on training rows and %s on validation rows",
		best.Epoch, loss(best.TrainLoss), loss(best.ValidationLoss))
	separate, linearly := againstLinear(linear)

	switch {
	case ev.Gap > gapLarge:
		v.Kind = FitOver
		v.Sentence = fmt.Sprintf("Over-fitting: %s, a gap of %s of what a model that knows nothing loses.", losses, percent(ev.Gap))
		v.Remedy = "More rows help most; otherwise raise dropout or weight decay, or make the network smaller."
		if ev.Rise > riseLarge {
			v.Remedy += " A lower learning rate would also keep validation from turning so early."
		}
	case linear != nil && linear.Outcome == Worse:
		v.Kind = FitUnder
		v.Sentence = fmt.Sprintf("Under-fitting: %s, close together, and the network is worse than a linear model %s.", losses, linearly)
		v.Remedy = "Train longer, raise the learning rate or widen the network, and take back some dropout or weight decay; until then use the linear model."
	case len(c) < 3:
		v.Sentence = fmt.Sprintf("Too few epochs (%d) to read a trend from: %s.", len(c), losses)
		v.Remedy = "Train for more epochs."
	case ev.Slope > slopeLarge && ev.Rise < slopeLarge && last.TrainLoss < before.TrainLoss && best.Epoch >= before.Epoch:
		v.Kind = FitStillLearning
		v.Sentence = fmt.Sprintf("Not finished: validation loss was still falling when training ended, from %s to %s over the last %d epochs.",
			loss(before.ValidationLoss), loss(last.ValidationLoss), fifth(c))
		v.Remedy = "Allow more epochs, or raise the learning rate."
	case ev.Rise > riseLarge && last.TrainLoss < low.TrainLoss:
		v.Kind = FitOverLate
		v.Sentence = fmt.Sprintf("Over-fitting set in after epoch %d: validation loss rose from %s to %s while training loss went on falling to %s; the weights of epoch %d are kept, so the model is spared most of it.",
			low.Epoch, loss(low.ValidationLoss), loss(tailMean(c, low)), loss(last.TrainLoss), best.Epoch)
		v.Remedy = "Nothing must be done; more dropout or weight decay, or a lower learning rate, may let it learn for longer."
	case linear != nil && !separate:
		v.Kind = FitLinearEnough
		v.Sentence = fmt.Sprintf("No over-fitting, but nothing gained over a linear model either: %s, and the two cannot be told apart %s.", losses, linearly)
		v.Remedy = "A wider network, more epochs or new columns may find more; if not, the relation is linear and the linear model is the simpler choice."
	default:
		v.Kind = FitGood
		v.Sentence = fmt.Sprintf("A sound fit: %s", losses)
		if ev.Gap > 0 {
			v.Sentence += fmt.Sprintf(", a gap of %s of what a model that knows nothing loses", percent(ev.Gap))
		}
		v.Sentence += "."
	}
	return v
}

// validated returns the epochs that have a validation loss.
func validated(epochs []Epoch) []Epoch {
	var c []Epoch
	for _, e := range epochs {
		if e.ValidationLoss.finite() {
			c = append(c, e)
		}
	}
	return c
}

func lowest(c []Epoch) Epoch {
	low := c[0]
	for _, e := range c {
		if e.ValidationLoss < low.ValidationLoss {
			low = e
		}
	}
	return low
}

// keptEpoch is the epoch numbered best, or that of lowest validation loss.
func keptEpoch(c []Epoch, best int) Epoch {
	for _, e := range c {
		if e.Epoch == best {
			return e
		}
	}
	return lowest(c)
}

// fifth is the number of epochs in the last fifth of training, at least one.
func fifth(c []Epoch) int { return min(max(1, len(c)/5), len(c)-1) }

// tailMean is where validation loss ended: the mean of the last epochs, none of
// them before the lowest.
func tailMean(c []Epoch, low Epoch) Number {
	tail := c[max(0, len(c)-riseWindow):]
	for len(tail) > 1 && tail[0].Epoch < low.Epoch {
		tail = tail[1:]
	}
	sum := Number(0)
	for _, e := range tail {
		sum += e.ValidationLoss
	}
	return sum / Number(len(tail))
}

// againstLinear reports whether the model is separable from the linear
// baseline, and the interval of the difference in words.
func againstLinear(c *Comparison) (separate bool, words string) {
	if c == nil {
		return false, ""
	}
	d := c.Difference
	return c.Outcome != NotSeparable, fmt.Sprintf("(%s differs by %s, interval %s to %s)",
		c.Metric, loss(Number(d.Value)), loss(Number(d.Low)), loss(Number(d.High)))
}

func loss(x Number) string {
	if a := math.Abs(float64(x)); a == 0 || a >= 0.001 && a < 1000 {
		return strconv.FormatFloat(float64(x), 'f', 3, 64)
	}
	return strconv.FormatFloat(float64(x), 'g', 3, 64)
}

// percent is a share in words.
func percent(x Number) string {
	if x > 0 && x < 0.01 {
		return "less than 1%"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(x))
}
