package metric

import (
	"fmt"
	"strings"
	"unicode"
)

// The metrics of written answers. Of several references the best one counts.

var (
	written = []Kind{Text}

	exactMatch = Metric{
		Name: "exact_match", Aliases: []string{"em"}, Label: "Exact match",
		Doc:     "The share of answers that are a reference, but for case, punctuation, articles and spaces.",
		Formula: "Σ w·[norm(answer) = norm(reference)] / Σ w",
		Source:  "Rajpurkar et al. 2016, SQuAD: 100,000+ questions for machine comprehension of text, section 6.1; torchmetrics SQuAD (times 100)",
		Kinds:   written, Needs: Written, HigherIsBetter: true, OfMean: oneMinus,
		PerRow: func(s *Sample) []float64 {
			return s.bestReference(func(answer, reference []string) float64 {
				if strings.Join(answer, " ") == strings.Join(reference, " ") {
					return 1
				}
				return 0
			})
		},
	}

	tokenF1 = Metric{
		Name: "token_f1", Label: "Token F1",
		Doc:     "How far the words of answer and reference are the same, order and case, punctuation and articles apart.",
		Formula: "weighted mean of 2·shared / (words of answer + words of reference), words of norm(text); two empty texts: 1",
		Source:  "Rajpurkar et al. 2016, SQuAD, section 6.1; torchmetrics SQuAD (times 100)",
		Kinds:   written, Needs: Written, HigherIsBetter: true, OfMean: oneMinus,
		PerRow: func(s *Sample) []float64 { return s.bestReference(sharedWords) },
	}
)

// sharedWords is the F1 of two bags of words.
func sharedWords(answer, reference []string) float64 {
	if len(answer) == 0 || len(reference) == 0 {
		if len(answer) == len(reference) {
			return 1
		}
		return 0
	}
	left, shared := map[string]int{}, 0
	for _, w := range reference {
		left[w]++
	}
	for _, w := range answer {
		if left[w] > 0 {
			left[w]--
			shared++
		}
	}
	return 2 * float64(shared) / float64(len(answer)+len(reference))
}

// bestReference is 1 less the highest likeness with a reference, for each row.
func (s *Sample) bestReference(like func(answer, reference []string) float64) []float64 {
	return s.perRow(func(i int) float64 {
		answer, best := normalWords(s.Answers[i]), 0.0
		for _, r := range s.References[i] {
			best = max(best, like(answer, normalWords(r)))
		}
		return 1 - best
	})
}

// normalWords are a text's words in lower case without ASCII punctuation and
// English articles.
func normalWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, strings.ToLower(text))
	var words []string
	for _, w := range pythonFields(text) {
		if w != "a" && w != "an" && w != "the" {
			words = append(words, w)
		}
	}
	return words
}

// pythonFields splits at what Python takes for a space, as the reference programs do.
func pythonFields(text string) []string {
	return strings.FieldsFunc(text, isPythonSpace)
}

func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func (s *Sample) checkTexts() error {
	if len(s.References) != len(s.Answers) {
		return fmt.Errorf("found %d rows of References, expected %d, one for each answer", len(s.References), len(s.Answers))
	}
	for i, r := range s.References {
		if len(r) == 0 || len(r) != len(s.References[0]) {
			return fmt.Errorf("row %d has %d references, expected %d as in the first row, and at least one", i, len(r), len(s.References[0]))
		}
	}
	return nil
}

// ofSums is a metric of sums over rows: of says what a row adds, value what the
// sums mean.
func ofSums(m Metric, of func(answer string, references []string) []float64, value func(sums []float64) float64) Metric {
	m.Kinds, m.Needs, m.HigherIsBetter = written, Written, true
	m.Compute = func(s *Sample) float64 {
		rows := cached(s, "sums of "+m.Name, func() [][]float64 {
			rows := make([][]float64, len(s.Answers))
			for i, a := range s.Answers {
				rows[i] = of(a, s.References[i])
			}
			return rows
		})
		p := sumsPartial{}
		for i, w := range s.Weight {
			p.add(rows[i], w)
		}
		return value(p.sums)
	}
	m.Partial = func(*Sample, StreamOptions) Partial { return &sumsPartial{of: of, value: value} }
	return m
}

type sumsPartial struct {
	sums  []float64
	of    func(answer string, references []string) []float64
	value func(sums []float64) float64
}

func (p *sumsPartial) add(row []float64, w float64) {
	if p.sums == nil {
		p.sums = make([]float64, len(row))
	}
	for i, v := range row {
		p.sums[i] += w * v
	}
}

func (p *sumsPartial) Add(s *Sample) error {
	for i, w := range s.Weight {
		p.add(p.of(s.Answers[i], s.References[i]), w)
	}
	return nil
}

func (p *sumsPartial) Merge(other Partial) error {
	if o := other.(*sumsPartial); o.sums != nil {
		p.add(o.sums, 1)
	}
	return nil
}

func (p *sumsPartial) Value() (float64, error) { return p.value(p.sums), nil }
func (p *sumsPartial) Close() error            { return nil }
