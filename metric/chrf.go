package metric

import "strings"

const (
	chrfOrder = 6
	chrfBeta2 = 4 // β = 2: recall counts twice as much
)

var chrf = ofSums(Metric{
	Name: "chrf", Label: "chrF",
	Doc:     "How many runs of one to six characters answers and references share, spaces apart; from 0 to 100, over all rows together.",
	Formula: "100·(1 + β²)·P·R / (β²·P + R), β = 2, P and R the means of precision and recall over orders that occur; of several references the best one of each row",
	Source:  "Popović 2015, chrF: character n-gram F-score for automatic MT evaluation; sacrebleu corpus_chrf, signature nrefs:#|case:mixed|eff:yes|nc:6|nw:0|space:no",
}, chrfSums, chrfOf)

// chrfSums is, for each order, the n-grams of the answer, of the reference and
// those that they share.
func chrfSums(answer string, references []string) []float64 {
	count := func(text string) (counts map[[chrfOrder]rune]int, all [chrfOrder]int) {
		counts = map[[chrfOrder]rune]int{}
		chars := []rune(strings.Join(pythonFields(text), ""))
		for i := range chars {
			var gram [chrfOrder]rune
			for n := 0; n < chrfOrder && i+n < len(chars); n++ {
				gram[n] = chars[i+n] + 1 // 0 ends a gram
				counts[gram]++
				all[n]++
			}
		}
		return counts, all
	}
	have, all := count(answer)
	var best []float64
	score := -1.0
	for _, r := range references {
		of, total := count(r)
		sums := make([]float64, 3*chrfOrder)
		for n := range chrfOrder {
			if total[n] > 0 { // an order that the reference is too short for does not count
				sums[3*n], sums[3*n+1] = float64(all[n]), float64(total[n])
			}
		}
		for gram, m := range have {
			n := 0
			for n < chrfOrder && gram[n] != 0 {
				n++
			}
			sums[3*(n-1)+2] += float64(min(m, of[gram]))
		}
		if v := chrfOf(sums); v > score {
			best, score = sums, v
		}
	}
	return best
}

func chrfOf(sums []float64) float64 {
	precision, recall, orders := 0.0, 0.0, 0.0
	for n := range chrfOrder {
		if all, total, match := sums[3*n], sums[3*n+1], sums[3*n+2]; all > 0 && total > 0 {
			precision += match / all
			recall += match / total
			orders++
		}
	}
	if orders > 0 {
		precision, recall = precision/orders, recall/orders
	}
	return 100 * ratio((1+chrfBeta2)*precision*recall, chrfBeta2*precision+recall)
}
