package optimize

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/evaluate"
)

// Evidence is what is known of a trained model. Losses are means over rows of
// one per-row loss, such as the log loss; NaN where unknown.
type Evidence struct {
	Curves evaluate.Training // of the loss that training minimised
	Epochs int               // that were allowed
	// Train and Valid are the losses of the kept model on rows that it trained
	// on and on rows that it did not, both without dropout; Trivial is that of
	// the best constant on the latter. Losses are divided by Trivial below, so
	// that 1 is knowing nothing.
	Train, Valid, Trivial float64
	Rows                  int // that it trained on
	// Ensemble says that the curves are of members, each of which does worse than
	// their mean, which is the kept model.
	Ensemble bool

	Inputs  []Input   // that the model reads
	Task    string    // "binary", "category" or "number"
	Classes []string  // of a classification
	Shares  []float64 // of the classes, in the training rows

	Conflicts int // rows that are bound to be wrong, since an equal row has another target
	// Of the held-out rows that a class was given a probability of at least
	// Confident: how many, how many of them are of another class, and how many
	// that would be if the probabilities were right.
	Sure, SureWrong int
	SureExpected    float64
	// Tail is the share of the squared error that the worst hundredth of the
	// held-out rows makes, of a number.
	Tail float64
}

// An Input is a column and the type that it is read as.
type Input struct{ Name, Type string }

// Confident is the probability from which a prediction counts as sure of its
// class.
const Confident = 0.95

// Kinds of findings.
const (
	RateHigh      = "learning rate too high"
	RateLow       = "learning rate too low"
	Over          = "over-fitting"
	Under         = "under-fitting"
	Regularised   = "regularised too much"
	Imbalance     = "imbalance"
	Noise         = "noisy labels"
	Outliers      = "outlying targets"
	Overconfident = "over-confident"
	Capacity      = "room to learn more"
)

// Thresholds. Those without another unit are parts of the trivial loss. They
// are coarse: a false finding costs a trial, not a worse model.
const (
	overGap      = 0.10  // held-out loss this far above training loss is memorising,
	slightGap    = 0.05  // and at most this far: it learnt nothing by heart
	overRise     = 0.03  // held-out loss ended this far above its lowest
	bumpy        = 0.20  // share of epochs in which both losses rose by bump: dropout makes the one
	bump         = 0.005 // rise now and then, over-fitting the other
	spike        = 1.5   // a training loss so high: steps led away from where the network began
	early        = 0.15  // share of the epochs within which the best one is early
	late         = 0.90  // and from which it is late
	steady       = 0.30  // share of the fall of training loss in the second half of its way
	near         = 0.97  // of the trivial loss: hardly anything was learnt
	handicap     = 0.05  // training loss with dropout this far above that without
	rareShare    = 0.20  // of a fair share
	conflictRows = 0.01  // share of rows
	sureWrong    = 2.0   // times as many as the probabilities say
	sureLeast    = 5     // and at least so many
	heavyTail    = 0.50
)

// findings are the readers of evidence, the gravest first. One that finds
// nothing returns no sentence.
var findings = []struct {
	kind string
	read func(e *Evidence, c *curve) (sentence string, evidence map[string]evaluate.Number)
}{
	{Regularised, regularised},
	{RateHigh, rateHigh},
	{RateLow, rateLow},
	{Under, under},
	{Over, over},
	{Noise, noise},
	{Overconfident, overconfident},
	{Outliers, outliers},
	{Imbalance, imbalance},
	{Capacity, capacity},
}

// Diagnose returns what the evidence shows, the gravest first.
func Diagnose(e Evidence) []evaluate.Finding {
	c := read(&e)
	out := []evaluate.Finding{}
	for _, f := range findings {
		if sentence, evidence := f.read(&e, c); sentence != "" {
			out = append(out, evaluate.Finding{Kind: f.kind, Sentence: sentence, Evidence: evidence})
		}
	}
	return out
}

// curve is what the learning curves and the losses say, as parts of the
// trivial loss.
type curve struct {
	epochs, best int
	early, late  bool
	gap          float64 // held-out − training loss of the kept model
	level        float64 // held-out loss of the kept model
	highest      float64 // training loss of an epoch
	bumps        float64 // share of epochs in which both losses rose
	rise         float64 // of held-out loss at the end above its lowest
	slope        float64 // fall of held-out loss over the last fifth
	secondHalf   float64 // share of the fall of training loss in the second half of the way
	handicap     float64 // training loss in the kept epoch, with dropout, − that of the kept model, without
	trainFall    float64 // of training loss since the kept epoch
}

// read sums the curves up. What they lack is NaN, which no comparison below
// holds for.
func read(e *Evidence) *curve {
	nan := math.NaN()
	c := &curve{gap: (e.Valid - e.Train) / e.Trivial, level: e.Valid / e.Trivial, bumps: nan, rise: nan, slope: nan, secondHalf: nan, handicap: nan, trainFall: nan}
	h := e.Curves.Epochs
	n := len(h)
	c.epochs, c.best = n, e.Curves.Best
	if n == 0 {
		return c
	}
	var bestTrain, bestValid, lowest float64 = nan, nan, math.Inf(1)
	for _, p := range h {
		if p.Epoch == c.best {
			bestTrain, bestValid = float64(p.TrainLoss), float64(p.ValidationLoss)
		}
		lowest = math.Min(lowest, float64(p.ValidationLoss))
	}
	c.early = float64(c.best) <= math.Max(2, early*float64(n)) && n >= c.best+3
	c.late = c.best >= n-1 && float64(c.best) >= late*float64(e.Epochs)
	// The units of the curves are those of training, which may be another loss
	// than Trivial: theirs is where they began, the level of the kept model that
	// of its held-out loss.
	scale := bestValid / c.level
	for _, p := range h {
		c.highest = math.Max(c.highest, float64(p.TrainLoss)/scale)
	}
	last, back := h[n-1], h[n-1-min(max(1, n/5), n-1)]
	c.slope = float64(back.ValidationLoss-last.ValidationLoss) / scale
	c.rise = (float64(last.ValidationLoss) - lowest) / scale
	if !e.Ensemble { // what it tells of dropout would be drowned
		c.handicap = bestTrain/scale - e.Train/e.Trivial
	}
	c.trainFall = (bestTrain - float64(last.TrainLoss)) / scale
	if n < 4 {
		return c
	}
	bumps := 0
	way := 0.0 // sum of the learning rates: steps count by their length
	for i, p := range h {
		if i > 0 {
			if float64(min(p.TrainLoss-h[i-1].TrainLoss, p.ValidationLoss-h[i-1].ValidationLoss))/scale > bump {
				bumps++
			}
			way += float64(p.LearningRate)
		}
	}
	c.bumps = float64(bumps) / float64(n-1)
	half, gone := h[0], 0.0
	for _, p := range h[1:] {
		if gone += float64(p.LearningRate); gone > way/2 {
			break
		}
		half = p
	}
	if fall := float64(h[0].TrainLoss - last.TrainLoss); fall > 0 {
		c.secondHalf = float64(half.TrainLoss-last.TrainLoss) / fall
	}
	return c
}

func rateHigh(e *Evidence, c *curve) (string, map[string]evaluate.Number) {
	ev := map[string]evaluate.Number{"rising_epochs": evaluate.Number(c.bumps), "best_epoch": evaluate.Number(c.best), "level": evaluate.Number(c.level), "highest": evaluate.Number(c.highest)}
	switch {
	case c.highest > spike:
		return fmt.Sprintf("the training loss of an epoch was %.1f times the trivial one, at which a network begins", c.highest), ev
	case c.bumps > bumpy:
		return fmt.Sprintf("from one epoch to the next, the loss rose on training and on held-out rows in %s of %d epochs", percent(c.bumps), c.epochs), ev
	case c.early && c.trainFall < bump && c.rise > 0:
		return fmt.Sprintf("epoch %d of %d was the best, and the training loss did not fall after it either", c.best, c.epochs), ev
	}
	return "", nil
}

func rateLow(e *Evidence, c *curve) (string, map[string]evaluate.Number) {
	if c.late && c.secondHalf > steady && c.gap < slightGap {
		return fmt.Sprintf("epoch %d of %d was the best, and %s of the fall of the training loss came in the second half of the way: it was still on its way", c.best, e.Epochs, percent(c.secondHalf)),
			map[string]evaluate.Number{"best_epoch": evaluate.Number(c.best), "epochs": evaluate.Number(e.Epochs), "second_half": evaluate.Number(c.secondHalf), "gap": evaluate.Number(c.gap)}
	}
	return "", nil
}

func regularised(e *Evidence, c *curve) (string, map[string]evaluate.Number) {
	if c.handicap > handicap && c.best >= 4 && c.gap < overGap && c.rise <= overRise {
		return fmt.Sprintf("in training, with dropout, the loss of the training rows was %s of the trivial one higher than without, and without it they are predicted hardly better than held-out rows (%s)", percent(c.handicap), percent(c.gap)),
			map[string]evaluate.Number{"handicap": evaluate.Number(c.handicap), "gap": evaluate.Number(c.gap)}
	}
	return "", nil
}

func under(e *Evidence, c *curve) (string, map[string]evaluate.Number) {
	ev := map[string]evaluate.Number{"best_epoch": evaluate.Number(c.best), "epochs": evaluate.Number(e.Epochs), "slope": evaluate.Number(c.slope), "gap": evaluate.Number(c.gap), "level": evaluate.Number(c.level)}
	switch {
	case c.late && c.epochs == 1:
		return "one epoch is all that was trained", ev
	case c.late && c.slope > 0 && c.gap < overGap:
		return fmt.Sprintf("epoch %d of at most %d was the best: the held-out loss was still falling, by %s of the trivial one over the last fifth", c.best, e.Epochs, percent(c.slope)), ev
	case c.level > near && c.gap < slightGap:
		return fmt.Sprintf("the held-out loss is %s of the trivial one, and the training rows are predicted as badly: hardly anything was learnt", percent(c.level)), ev
	}
	return "", nil
}

func over(e *Evidence, c *curve) (string, map[string]evaluate.Number) {
	ev := map[string]evaluate.Number{"gap": evaluate.Number(c.gap), "rise": evaluate.Number(c.rise), "level": evaluate.Number(c.level), "best_epoch": evaluate.Number(c.best), "epochs_trained": evaluate.Number(c.epochs)}
	switch {
	case c.gap > overGap:
		return fmt.Sprintf("training rows are predicted better than held-out rows by %s of the trivial loss", percent(c.gap)), ev
	case c.level > 1 && c.gap >= slightGap:
		return fmt.Sprintf("held-out rows are predicted worse than by one constant (%s of its loss), training rows better than these", percent(c.level)), ev
	case c.rise > overRise && c.trainFall > bump:
		return fmt.Sprintf("epoch %d of %d was the best; after it the held-out loss rose by %s of the trivial one while the training loss went on falling", c.best, c.epochs, percent(c.rise)), ev
	}
	return "", nil
}

func noise(e *Evidence, _ *curve) (string, map[string]evaluate.Number) {
	share := float64(e.Conflicts) / float64(e.Rows)
	if e.Conflicts > 0 && share >= conflictRows {
		return fmt.Sprintf("%d of %d training rows contradict an equal row with another %s", e.Conflicts, e.Rows, map[bool]string{true: "value", false: "class"}[e.Task == "number"]),
			map[string]evaluate.Number{"conflicts": evaluate.Number(e.Conflicts), "share": evaluate.Number(share)}
	}
	return "", nil
}

func overconfident(e *Evidence, _ *curve) (string, map[string]evaluate.Number) {
	if e.SureWrong >= sureLeast && float64(e.SureWrong) > sureWrong*e.SureExpected {
		return fmt.Sprintf("of %d held-out rows with a class at %g %% or more, %d are of another class, where the probabilities say %.3g", e.Sure, 100*Confident, e.SureWrong, e.SureExpected),
			map[string]evaluate.Number{"sure": evaluate.Number(e.Sure), "wrong": evaluate.Number(e.SureWrong), "expected": evaluate.Number(e.SureExpected)}
	}
	return "", nil
}

func outliers(e *Evidence, _ *curve) (string, map[string]evaluate.Number) {
	if e.Task == "number" && e.Tail > heavyTail {
		return fmt.Sprintf("the worst hundredth of the held-out rows makes %s of the squared error", percent(e.Tail)),
			map[string]evaluate.Number{"tail": evaluate.Number(e.Tail)}
	}
	return "", nil
}

func imbalance(e *Evidence, _ *curve) (string, map[string]evaluate.Number) {
	k := float64(len(e.Shares))
	rarest := -1
	for i, s := range e.Shares {
		if rarest < 0 || s < e.Shares[rarest] {
			rarest = i
		}
	}
	if rarest >= 0 && e.Shares[rarest] < rareShare/k {
		return fmt.Sprintf("only %s of the training rows are of class %q", percent(e.Shares[rarest]), e.Classes[rarest]),
			map[string]evaluate.Number{"share": evaluate.Number(e.Shares[rarest]), "classes": evaluate.Number(k)}
	}
	return "", nil
}

func capacity(_ *Evidence, c *curve) (string, map[string]evaluate.Number) {
	if c.gap < slightGap && !(c.level > near) && !(c.rise > overRise) {
		return fmt.Sprintf("training rows are predicted hardly better than held-out rows (%s of the trivial loss): a larger network would not yet learn by heart", percent(c.gap)),
			map[string]evaluate.Number{"gap": evaluate.Number(c.gap), "level": evaluate.Number(c.level)}
	}
	return "", nil
}

func percent(x float64) string {
	if a := math.Abs(100 * x); a > 0 && a < 1 {
		return fmt.Sprintf("%.2g %%", 100*x)
	}
	return fmt.Sprintf("%.0f %%", 100*x)
}
