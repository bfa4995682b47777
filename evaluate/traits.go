package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hone-ml/hone/data"
)

// Limits on what rows are told apart by.
const (
	traitBins   = 32  // parts that numbers are cut into
	traitValues = 200 // categories that are told apart; the rarer ones are one
	shownValues = 4   // in words
)

// A trait is something that rows differ in: a column, or what is told of its
// texts or images. Every row has a code; those of an ordered trait rise with
// the number. The code after the last is that of missing values.
type trait struct {
	name    string
	ordered bool
	codes   []uint8
	upper   []float64 // of ordered codes, the greatest number; the last has none
	values  []string  // of the others
	missing bool      // some are
	say     func(float64) string
}

// size is the number of codes, that of missing values being the last.
func (t *trait) size() int {
	if t.ordered {
		return len(t.upper) + 2
	}
	return len(t.values) + 1
}

// A telling is what a trait is made from: numbers, which are yet to be cut, or the
// trait of values itself.
type telling struct {
	name    string
	numbers []float64
	step    float64
	say     func(float64) string
	values  *trait
}

// tellingsOf finds what the rows of columns can be told apart by: numbers and times
// by thresholds, categories by their values, texts by length and script, images
// by their measures.
func tellingsOf(columns []*data.Column) (out []telling) {
	for _, c := range columns {
		switch c.Type {
		case data.Number:
			out = append(out, telling{name: c.Name, numbers: c.Numbers})
		case data.Datetime:
			out = append(out, telling{name: c.Name, numbers: c.Numbers, step: 1, say: func(v float64) string {
				d := *c
				d.Numbers = []float64{v}
				return d.Text(0)
			}})
		case data.Category, data.Boolean:
			out = append(out, telling{values: valuesTrait(c.Name, c.Len(), func(i int) (string, bool) { return c.Text(i), !c.Missing(i) })})
		case data.Text:
			length := make([]float64, c.Len())
			for i := range length {
				length[i] = math.NaN()
				if !c.Missing(i) {
					length[i] = float64(utf8.RuneCountInString(c.Text(i)))
				}
			}
			out = append(out, telling{name: "length of " + c.Name, numbers: length, step: 1},
				telling{values: valuesTrait("script of "+c.Name, c.Len(), func(i int) (string, bool) { return script(c.Text(i)), !c.Missing(i) })})
		case data.Image:
			for _, m := range data.ImageMeasures(c) {
				out = append(out, telling{name: m.Name + " of " + c.Name, numbers: m.Numbers})
			}
		}
	}
	return out
}

// traitsOf cuts numbers at quantiles of the rows that count.
func traitsOf(tellings []telling, count []int) (out []*trait) {
	for _, t := range tellings {
		one := t.values
		if t.numbers != nil {
			one = orderedTrait(t.name, t.numbers, count, t.step, t.say)
		}
		if one != nil {
			out = append(out, one)
		}
	}
	return out
}

// orderedTrait cuts numbers at quantiles of some rows, rounded to what can be
// read, and at least to step; nil where all are equal.
func orderedTrait(name string, numbers []float64, count []int, step float64, say func(float64) string) *trait {
	var sorted []float64
	for _, i := range count {
		if v := numbers[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			sorted = append(sorted, v)
		}
	}
	if len(sorted) == 0 {
		return nil
	}
	slices.Sort(sorted)
	at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1))] }
	if wide := at(0.95) - at(0.05); wide > 0 {
		step = max(step, math.Pow(10, math.Floor(math.Log10(wide))-2))
	}
	t := &trait{name: name, ordered: true, say: say}
	for q := 1; q < traitBins; q++ {
		edge := at(float64(q) / traitBins)
		if step > 0 {
			// A division by a whole number is exact where a product by 0.1 is not.
			if edge = math.Round(edge/step) * step; step < 1 {
				edge = math.Round(edge*math.Round(1/step)) / math.Round(1/step)
			}
		}
		if edge < sorted[len(sorted)-1] && edge >= sorted[0] && (len(t.upper) == 0 || edge > t.upper[len(t.upper)-1]) {
			t.upper = append(t.upper, edge)
		}
	}
	if t.say == nil {
		t.say = func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	}
	t.codes = make([]uint8, len(numbers))
	for i, v := range numbers {
		if math.IsNaN(v) {
			t.codes[i], t.missing = uint8(len(t.upper)+1), true
			continue
		}
		at, _ := slices.BinarySearch(t.upper, v)
		t.codes[i] = uint8(at)
	}
	if len(t.upper) == 0 && !t.missing {
		return nil
	}
	return t
}

// valuesTrait tells rows apart by values, the rarest of many as one; nil where
// there is one alone.
func valuesTrait(name string, n int, value func(i int) (v string, known bool)) *trait {
	counts := map[string]int{}
	for i := range n {
		if v, known := value(i); known {
			counts[v]++
		}
	}
	t := &trait{name: name}
	for v := range counts {
		t.values = append(t.values, v)
	}
	slices.SortFunc(t.values, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	rare := len(t.values) > traitValues
	if rare {
		t.values = append(t.values[:traitValues], "a rarer value")
	}
	code := map[string]uint8{}
	for k, v := range t.values[:min(traitValues, len(t.values))] {
		code[v] = uint8(k)
	}
	t.codes = make([]uint8, n)
	for i := range n {
		v, known := value(i)
		k, ok := code[v]
		switch {
		case !known:
			k, t.missing = uint8(len(t.values)), true
		case !ok:
			k = uint8(traitValues)
		}
		t.codes[i] = k
	}
	if len(t.values) < 2 && !t.missing {
		return nil
	}
	return t
}

// script names the writing that most letters of a text are of.
func script(text string) string {
	best, most := "no letters", 0
	counts := map[string]int{}
	latin, other := 0, 0 // letters of Latin: those of ASCII need no tables
	for _, r := range text {
		if r < utf8.RuneSelf {
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				latin++
				if n := latin + other; n > most {
					best, most = "Latin", n
				}
			}
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		name := "another"
		for _, s := range scripts {
			if unicode.Is(s.table, r) {
				name = s.name
				break
			}
		}
		counts[name]++
		n := counts[name]
		if name == "Latin" {
			other = n
			n += latin
		}
		if n > most {
			best, most = name, n
		}
	}
	return best
}

var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Latin", unicode.Latin}, {"Han", unicode.Han}, {"Cyrillic", unicode.Cyrillic}, {"Arabic", unicode.Arabic}, {"kana", unicode.Hiragana},
	{"kana", unicode.Katakana}, {"Hangul", unicode.Hangul}, {"Greek", unicode.Greek}, {"Hebrew", unicode.Hebrew}, {"Devanagari", unicode.Devanagari}, {"Thai", unicode.Thai},
}

// A condition is the codes of a trait that it lets pass.
type condition struct {
	trait *trait
	pass  []bool
}

// words says a condition: "age from 18 to 25", "region is north or east".
func (c condition) words() string {
	t := c.trait
	missing := t.missing && c.pass[len(c.pass)-1]
	codes := c.pass[:len(c.pass)-1]
	first, last, n := -1, -1, 0
	for k, ok := range codes {
		if ok {
			if first < 0 {
				first = k
			}
			last = k
			n++
		}
	}
	or := ""
	if missing {
		or = " or missing"
	}
	switch {
	case n == 0:
		return t.name + " missing"
	case n == len(codes):
		return t.name + " not missing"
	case !t.ordered:
		var in, out []string
		for k, ok := range codes {
			if ok {
				in = append(in, t.values[k])
			} else {
				out = append(out, t.values[k])
			}
		}
		if len(in) > shownValues && len(out) < len(in) {
			return t.name + " is not " + listed(out) + map[bool]string{true: ", nor missing"}[t.missing && !missing]
		}
		return t.name + " is " + listed(in) + or
	case first == 0:
		return t.name + " ≤ " + t.say(t.upper[last]) + or
	case last == len(codes)-1:
		return t.name + " > " + t.say(t.upper[first-1]) + or
	}
	return fmt.Sprintf("%s > %s and ≤ %s%s", t.name, t.say(t.upper[first-1]), t.say(t.upper[last]), or)
}

func listed(values []string) string {
	said := make([]string, 0, len(values))
	for _, v := range values[:min(shownValues, len(values))] {
		if r := []rune(v); len(r) > 40 {
			v = string(r[:40]) + "…"
		}
		said = append(said, strconv.Quote(v))
	}
	if more := len(values) - shownValues; more > 0 {
		said = append(said, fmt.Sprintf("%d more", more))
	}
	if len(said) == 1 {
		return said[0]
	}
	return strings.Join(said[:len(said)-1], ", ") + " or " + said[len(said)-1]
}
