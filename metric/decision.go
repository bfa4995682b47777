package metric

import (
	"fmt"
	"math"
	"slices"
)

// The metrics of decisions: functions of the confusion matrix.

const (
	sklearnUserGuide = "scikit-learn user guide, section 3.4 (metrics and scoring)"
	noWarning        = "; 0 where the denominator is 0, as in scikit-learn's zero_division default"
)

var (
	classification = []Kind{Binary, Multiclass}

	accuracy = Metric{
		Name: "accuracy", Aliases: []string{"acc", "accuracy_score"}, Label: "Accuracy",
		Doc:     "The share of rows that were decided correctly.",
		Formula: "Σ w·[pred = target] / Σ w",
		Source:  sklearnUserGuide + ", accuracy_score",
		Kinds:   classification, Needs: Pred, HigherIsBetter: true,
		OfCounts: func(c *Counts) float64 { return c.correct() / c.total },
		PerRow:   mistakes,
	}

	balancedAccuracy = Metric{
		Name: "balanced_accuracy", Aliases: []string{"balanced_accuracy_score"}, Label: "Balanced accuracy",
		Doc:     "The recall of each class, averaged over the classes that occur, so that a rare class counts as much as a common one.",
		Formula: "mean over classes that occur of TP / (TP + FN)",
		Source:  "Brodersen et al. 2010, The balanced accuracy and its posterior distribution",
		Kinds:   classification, Needs: Pred, HigherIsBetter: true,
		OfCounts: func(c *Counts) float64 {
			sum, n := 0.0, 0
			for i := range c.k {
				if c.actual[i] > 0 {
					sum += c.cell[i*c.k+i] / c.actual[i]
					n++
				}
			}
			return sum / float64(n)
		},
	}

	mcc = Metric{
		Name: "mcc", Aliases: []string{"matthews_corrcoef"}, Label: "Matthews correlation",
		Doc:     "The correlation between the true and the decided class: 1 perfect, 0 no better than chance, -1 always wrong.",
		Formula: "(c·n − Σ tₖpₖ) / √((n² − Σ pₖ²)(n² − Σ tₖ²)), c correct, tₖ true and pₖ predicted weight of class k; 0 when all rows have one true or one predicted class",
		Source:  "Matthews 1975; Gorodkin 2004, Comparing two K-category assignments by a K-category correlation coefficient",
		Kinds:   classification, Needs: Pred, HigherIsBetter: true,
		OfCounts: matthews,
	}

	cohenKappa = Metric{
		Name: "cohen_kappa", Aliases: []string{"cohen_kappa_score", "kappa"}, Label: "Cohen's kappa",
		Doc:     "How far decisions and truth agree beyond what their class frequencies alone would give.",
		Formula: "1 − Σ_{i≠j} c_ij / Σ_{i≠j} t_i·p_j/n; undefined when only one class occurs in both",
		Source:  "Cohen 1960, A coefficient of agreement for nominal scales",
		Kinds:   classification, Needs: Pred, HigherIsBetter: true,
		OfCounts: kappa,
	}

	precision = rate{"precision", "Precision",
		"Of the rows decided to be of the class, the share that are.",
		"TP / (TP + FP)", precisionOf}
	recall = rate{"recall", "Recall",
		"Of the rows that are of the class, the share that were found.",
		"TP / (TP + FN)", recallOf}
	f1 = rate{"f1", "F1",
		"The harmonic mean of precision and recall.",
		"2·TP / (2·TP + FP + FN)", f1Of}
	f05 = fBeta("f05", "F0.5", 0.5, "half as much")
	f2  = fBeta("f2", "F2", 2, "twice as much")
)

// fBeta is the rate that counts recall beta times as much as precision
// (van Rijsbergen 1979, Information retrieval, chapter 7).
func fBeta(name, label string, beta float64, asMuch string) rate {
	square := beta * beta
	return rate{name, label,
		"The weighted harmonic mean of precision and recall, recall counting " + asMuch + " as precision.",
		fmt.Sprintf("(1 + β²)·TP / ((1 + β²)·TP + FP + β²·FN), β = %v,", beta),
		func(hit, predicted, actual float64) float64 {
			return ratio((1+square)*hit, predicted+square*actual)
		}}
}

// mistakes is 1 for a row that was decided wrongly, 0 for the others; of labels,
// where a row is many decisions, it is nil.
func mistakes(s *Sample) []float64 {
	if s.Kind == Multilabel {
		return nil
	}
	return s.perRow(func(i int) float64 {
		if s.Pred[i] != s.Target[i] {
			return 1
		}
		return 0
	})
}

// Counts are the weighted counts of a sample's decisions: of single classes the
// confusion matrix, of labels (Multilabel) for each label how often it was true,
// decided and both.
type Counts struct {
	k                 int
	cell              []float64 // [true × k + predicted]
	actual, predicted []float64 // the sums of its rows and columns
	total             float64
	labels            bool // Multilabel: the classes are not alternatives
	counted           bool // for the present weights
}

func (c *Counts) correct() float64 {
	sum := 0.0
	for i := range c.k {
		sum += c.cell[i*c.k+i]
	}
	return sum
}

func (s *Sample) cells() []int32 {
	k := float64(s.classes())
	out := make([]int32, s.Rows())
	for i, t := range s.Target {
		out[i] = int32(t*k + s.Pred[i])
	}
	return out
}

func newConfusion(k int) *Counts {
	return &Counts{k: k, actual: make([]float64, k), predicted: make([]float64, k)}
}

// counts is the confusion matrix under the present weights, counted once.
func (s *Sample) counts() *Counts {
	c := s.confusion
	if c.counted {
		return c
	}
	c.counted = true
	if c.cell == nil {
		c.cell = make([]float64, c.k*c.k)
	}
	clear(c.cell)
	clear(c.actual)
	clear(c.predicted)
	c.add(s)
	return c
}

// add counts a sample's rows.
func (c *Counts) add(s *Sample) {
	if s.Kind == Multilabel {
		c.labels = true
		for i, t := range s.Target {
			w, label := s.Weight[i/c.k], i%c.k
			c.actual[label] += w * t
			c.predicted[label] += w * s.Pred[i]
			c.cell[label*c.k+label] += w * t * s.Pred[i]
		}
		return
	}
	for i, cell := range s.fixed.cell() {
		c.cell[cell] += s.Weight[i]
	}
	c.sum()
}

// sum adds up the rows and columns of the matrix.
func (c *Counts) sum() {
	c.total = 0
	clear(c.actual)
	clear(c.predicted)
	for i := range c.k {
		for j := range c.k {
			v := c.cell[i*c.k+j]
			c.actual[i] += v
			c.predicted[j] += v
			c.total += v
		}
	}
}

// ConfusionMatrix counts the weight of each pair of true class (outer) and
// decided class (inner).
func ConfusionMatrix(s *Sample) ([][]float64, error) {
	p, err := prepare(s, []*Metric{&accuracy})
	if err != nil {
		return nil, err
	}
	c := p.counts()
	out := make([][]float64, c.k)
	for i := range out {
		out[i] = c.cell[i*c.k : (i+1)*c.k : (i+1)*c.k]
	}
	return out, nil
}

// matthews decides "one class only" by the counts and not by a product that
// rounding may keep from being zero.
func matthews(c *Counts) float64 {
	both, actual2, predicted2 := 0.0, 0.0, 0.0
	actualClasses, predictedClasses := 0, 0
	for i := range c.k {
		both += c.actual[i] * c.predicted[i]
		actual2 += c.actual[i] * c.actual[i]
		predicted2 += c.predicted[i] * c.predicted[i]
		if c.actual[i] > 0 {
			actualClasses++
		}
		if c.predicted[i] > 0 {
			predictedClasses++
		}
	}
	if actualClasses < 2 || predictedClasses < 2 {
		return 0
	}
	n2 := c.total * c.total
	return (c.correct()*c.total - both) / (math.Sqrt(n2-predicted2) * math.Sqrt(n2-actual2))
}

func kappa(c *Counts) float64 {
	wrong, expected := 0.0, 0.0
	for i := range c.k {
		for j := range c.k {
			if i != j {
				wrong += c.cell[i*c.k+j]
				expected += c.actual[i] * c.predicted[j] / c.total
			}
		}
	}
	if expected == 0 {
		return math.NaN()
	}
	return 1 - wrong/expected
}

// A rate is a ratio made of the true positives, the predicted and the actual
// weight of one class, and its averages over classes.
type rate struct {
	name, label, doc, formula string
	of                        func(hit, predicted, actual float64) float64
}

func precisionOf(hit, predicted, _ float64) float64 { return ratio(hit, predicted) }
func recallOf(hit, _, actual float64) float64       { return ratio(hit, actual) }
func f1Of(hit, predicted, actual float64) float64   { return ratio(2*hit, predicted+actual) }
func (r rate) class(c *Counts, class int) float64 {
	return r.of(c.cell[class*c.k+class], c.predicted[class], c.actual[class])
}

// ratio gives 0 for 0/0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// binary is the rate of the positive class.
func (r rate) binary() Metric {
	return Metric{
		Name: r.name, Aliases: []string{r.name + "_score"}, Label: r.label,
		Doc:     r.doc + " (The class is the positive one.)",
		Formula: r.formula + noWarning,
		Source:  sklearnUserGuide + ", " + r.name + "_score",
		Kinds:   []Kind{Binary}, Needs: Pred, HigherIsBetter: true,
		OfCounts: func(c *Counts) float64 { return r.class(c, 1) },
	}
}

// averaged is the rate over all classes. A class counts when it occurs, be it
// as the truth or as a decision; of labels each counts.
func (r rate) averaged(average, doc, formula string, compute func(c *Counts) float64) Metric {
	return Metric{
		Name: r.name + "_" + average, Label: r.label + " (" + average + ")",
		Doc:     r.doc + " " + doc,
		Formula: formula + " " + r.formula + noWarning,
		Source:  sklearnUserGuide + ", " + r.name + "_score(average='" + average + "')",
		Kinds:   append(slices.Clone(classification), Multilabel), Needs: Pred, HigherIsBetter: true,
		OfCounts: compute,
	}
}

func (r rate) macro() Metric {
	return r.averaged("macro", "Each class counts the same.", "mean over classes of", func(c *Counts) float64 {
		sum, n := 0.0, 0
		for i := range c.k {
			if c.labels || c.actual[i] > 0 || c.predicted[i] > 0 {
				sum += r.class(c, i)
				n++
			}
		}
		return sum / float64(n)
	})
}

func (r rate) weighted() Metric {
	return r.averaged("weighted", "Each class counts by how often it occurs.", "mean over classes, weighted by TP + FN, of", func(c *Counts) float64 {
		sum, all := 0.0, 0.0
		for i := range c.k {
			sum += c.actual[i] * r.class(c, i)
			all += c.actual[i]
		}
		return ratio(sum, all)
	})
}

func (r rate) micro() Metric {
	m := r.averaged("micro", "Counted over all classes together, which for single labels is the accuracy.", "with TP, FP and FN summed over classes,", func(c *Counts) float64 {
		predicted, actual := 0.0, 0.0
		for i := range c.k {
			predicted += c.predicted[i]
			actual += c.actual[i]
		}
		return r.of(c.correct(), predicted, actual)
	})
	m.PerRow = mistakes // nil for labels
	return m
}
