package metric

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

const bleuOrder = 4

// Tokenizations of BLEU by the names that sacreBLEU gives them.
var bleuTokenizers = map[string]func(string) []string{
	"13a":  tokenize13a,
	"zh":   tokenizeChinese,
	"char": tokenizeCharacters,
	"intl": tokenizeInternational,
	"none": pythonFields,
}

// bleu counts n-grams of up to four words, smoothed as in mteval-v13a.
func bleu(name, tokenizer string) Metric {
	tokenize := bleuTokenizers[tokenizer]
	return ofSums(Metric{
		Name: name, Label: fmt.Sprintf("BLEU (%s)", tokenizer),
		Doc:     "How many runs of one to four words of the answers stand in a reference, with a penalty for answers that are too short; from 0 to 100, over all rows together.",
		Formula: "100·BP·exp(¼ Σₙ ln pₙ), BP = min(1, exp(1 − reference length / answer length)); signature " + bleuSignature(tokenizer, "#"),
		Source:  "Papineni et al. 2002, BLEU: a method for automatic evaluation of machine translation; Post 2018, A call for clarity in reporting BLEU scores; sacrebleu corpus_bleu",
	}, func(answer string, references []string) []float64 {
		return bleuSums(tokenize, answer, references)
	}, bleuOf)
}

// BLEUSignature says how bleu (13a), bleu_zh, bleu_char, bleu_intl or bleu_none
// was computed, in sacreBLEU's words but for the program's version, on a sample
// with so many references for each row.
func BLEUSignature(name string, references int) (string, error) {
	tokenizer, ok := strings.CutPrefix(name, "bleu_")
	if name == "bleu" {
		tokenizer, ok = "13a", true
	}
	if !ok || bleuTokenizers[tokenizer] == nil {
		return "", fmt.Errorf("%q is no BLEU; expected bleu, bleu_zh, bleu_char, bleu_intl or bleu_none", name)
	}
	return bleuSignature(tokenizer, fmt.Sprint(references)), nil
}

func bleuSignature(tokenizer, references string) string {
	return "nrefs:" + references + "|case:mixed|eff:no|tok:" + tokenizer + "|smooth:exp"
}

// bleuSums is a row's answer length, that of the closest reference, and for
// each order the n-grams of the answer that match and all of them.
func bleuSums(tokenize func(string) []string, answer string, references []string) []float64 {
	ids := map[string]int32{}
	number := func(text string) []int32 {
		var out []int32
		for _, w := range tokenize(strings.TrimRightFunc(text, isPythonSpace)) {
			id, ok := ids[w]
			if !ok {
				id = int32(len(ids) + 1)
				ids[w] = id
			}
			out = append(out, id)
		}
		return out
	}
	count := func(words []int32) map[[bleuOrder]int32]int {
		counts := map[[bleuOrder]int32]int{}
		for i := range words {
			var gram [bleuOrder]int32
			for n := 0; n < bleuOrder && i+n < len(words); n++ {
				gram[n] = words[i+n]
				counts[gram]++
			}
		}
		return counts
	}
	words := number(answer)
	closest := math.MaxInt
	most := map[[bleuOrder]int32]int{}
	for _, r := range references {
		of := number(r)
		was, is := max(len(words)-closest, closest-len(words)), max(len(words)-len(of), len(of)-len(words))
		if is < was || is == was && len(of) < closest {
			closest = len(of)
		}
		for gram, n := range count(of) {
			most[gram] = max(most[gram], n)
		}
	}
	sums := make([]float64, 2+2*bleuOrder)
	sums[0], sums[1] = float64(len(words)), float64(closest)
	for gram, n := range count(words) {
		order := slices.Index(gram[:], 0)
		if order < 0 {
			order = bleuOrder
		}
		sums[2*order] += float64(min(n, most[gram]))
		sums[2*order+1] += float64(n)
	}
	return sums
}

// bleuOf is BLEU from the sums. An order without a match counts as half, a
// quarter, … of one (NIST's smoothing, method 3 of Chen and Cherry 2014, A
// systematic comparison of smoothing techniques for sentence-level BLEU).
func bleuOf(sums []float64) float64 {
	logs, any, smooth := 0.0, false, 1.0
	for n := 1; n <= bleuOrder; n++ {
		match, all := sums[2*n], sums[2*n+1]
		if all == 0 {
			return 0
		}
		any = any || match > 0
		if match == 0 {
			smooth *= 2
			match = 1 / smooth
		}
		logs += math.Log(100 * match / all)
	}
	if !any {
		return 0
	}
	brevity := 1.0
	if sums[0] < sums[1] {
		brevity = math.Exp(1 - sums[1]/sums[0])
	}
	return brevity * math.Exp(logs/bleuOrder)
}

// spacing is a rule that sets spaces round what it finds.
type spacing struct {
	find *regexp.Regexp
	with string
}

func (s spacing) apply(text string) string { return s.find.ReplaceAllString(text, s.with) }

// The language-independent rules of mteval-v13a (NIST): ASCII punctuation but
// the apostrophe, period, comma and hyphen stands alone; period and comma do
// beside what is no digit; a hyphen does after a digit.
var rules13a = []spacing{
	{regexp.MustCompile("([!-&(-+/:-@\\[-`{-~])"), " $1 "},
	{regexp.MustCompile(`([^0-9])([.,])`), "$1 $2 "},
	{regexp.MustCompile(`([.,])([^0-9])`), " $1 $2"},
	{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
}

func tokenize13a(text string) []string {
	text = strings.NewReplacer("<skipped>", "").Replace(text)
	text = strings.ReplaceAll(text, "-\n", "")
	text = strings.ReplaceAll(text, "\n", " ")
	for _, entity := range [][2]string{{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} {
		text = strings.ReplaceAll(text, entity[0], entity[1])
	}
	text = " " + text + " "
	for _, r := range rules13a {
		text = r.apply(text)
	}
	return pythonFields(text)
}

// rulesInternational are those of mteval-v14 (NIST): punctuation stands alone
// unless digits are on both sides, and symbols always.
var rulesInternational = []spacing{
	{regexp.MustCompile(`(\PN)(\pP)`), "$1 $2 "},
	{regexp.MustCompile(`(\pP)(\PN)`), " $1 $2"},
	{regexp.MustCompile(`(\pS)`), " $1 "},
}

func tokenizeInternational(text string) []string {
	for _, r := range rulesInternational {
		text = r.apply(text)
	}
	return pythonFields(text)
}

// tokenizeChinese sets each Chinese character apart and treats the rest as 13a
// does after its first step.
func tokenizeChinese(text string) []string {
	var b strings.Builder
	for _, r := range strings.TrimFunc(text, isPythonSpace) {
		if isChinese(r) {
			b.WriteRune(' ')
			b.WriteRune(r)
			b.WriteRune(' ')
		} else {
			b.WriteRune(r)
		}
	}
	text = b.String()
	for _, r := range rules13a {
		text = r.apply(text)
	}
	return pythonFields(text)
}

// isChinese is sacreBLEU's table as it works, not as it is meant: of characters
// beyond U+FFFF, which are set apart by none, it makes the ranges 2001–2A6D and
// 2F81–2FA1, which hold the narrower ones of symbols that it lists.
func isChinese(r rune) bool {
	for _, in := range [][2]rune{
		{0x2001, 0x2a6d}, {0x2e80, 0x2fdf}, {0x2ff0, 0x303f}, {0x3100, 0x312f}, {0x31a0, 0x31bf}, {0x31c0, 0x31ef},
		{0x3200, 0x33ff}, {0x3400, 0x4db5}, {0x4e00, 0x9fbb}, {0xf900, 0xfa2d}, {0xfa30, 0xfa6a}, {0xfa70, 0xfad9},
		{0xfe10, 0xfe1f}, {0xfe30, 0xfe4f}, {0xff00, 0xffef},
	} {
		if r >= in[0] && r <= in[1] {
			return true
		}
	}
	return false
}

func tokenizeCharacters(text string) []string {
	var out []string
	for _, r := range text {
		if !isPythonSpace(r) {
			out = append(out, string(r))
		}
	}
	return out
}
