package explain

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
)

// A Text is what the words of a text add to a prediction.
type Text struct {
	Column string `json:"column"`
	// Method is integrated_gradients, by the n-grams of a bag, or exact_shap or
	// sampled_shap, by leaving words out.
	Method string `json:"method"`
	Words  []Word `json:"words"` // in their order
	// Elsewhere is what no word of the text adds: n-grams of the texts that it is
	// compared with.
	Elsewhere float64 `json:"elsewhere"`
}

// A Word is a part of a text: a word, a sign, a character of a script without spaces
// or, of a long text, several of them.
type Word struct {
	Text   string  `json:"text"`
	Start  int     `json:"start"` // in the text, in bytes
	End    int     `json:"end"`
	Effect float64 `json:"effect"`
}

// words cuts a text.
func words(text string) []Word {
	var out []Word
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		start := i
		i += n
		if unicode.IsSpace(r) {
			continue
		}
		if inWord(r) {
			for i < len(text) {
				r, n := utf8.DecodeRuneInString(text[i:])
				if !inWord(r) {
					break
				}
				i += n
			}
		}
		for i < len(text) { // what belongs to the character before it
			r, n := utf8.DecodeRuneInString(text[i:])
			if !unicode.Is(unicode.Mn, r) {
				break
			}
			i += n
		}
		out = append(out, Word{Text: text[start:i], Start: start, End: i})
	}
	return out
}

// inWord reports whether a character is of a word that spaces end.
func inWord(r rune) bool {
	return r == '_' || (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// spread gives the effect of each n-gram to the words that it stands in: in equal
// parts to all places where it stands, and there to its characters but spaces.
func spread(column, text string, grams []feature.Gram, effect map[int32]float64) Text {
	out := Text{Column: column, Method: Gradients, Words: words(text)}
	of := make([]int, len(text)) // the word of each byte, from 1
	for w, word := range out.Words {
		for i := word.Start; i < word.End; i++ {
			of[i] = w + 1
		}
	}
	inside := func(g feature.Gram) (n int) {
		for _, w := range of[g.Start:g.End] {
			if w > 0 {
				n++
			}
		}
		return n
	}
	stands := map[int32]int{}
	for _, g := range grams {
		if inside(g) > 0 {
			stands[g.Place]++
		}
	}
	for _, g := range grams {
		n := inside(g)
		for _, w := range of[g.Start:g.End] {
			if w > 0 {
				out.Words[w-1].Effect += effect[g.Place] / float64(stands[g.Place]*n)
			}
		}
	}
	for _, place := range sortedKeys(effect) {
		if stands[place] == 0 {
			out.Elsewhere += effect[place]
		}
	}
	return out
}

const (
	// wordPlayers are told apart at most; of a longer text neighbours stand together.
	wordPlayers = 64
	// textBudget is how many rows are predicted for one text, about.
	textBudget = 4096
)

// words finds the Shapley values of the words of a text, which are left out of it.
func (l *local) words(ctx context.Context, c *data.Column) error {
	text := c.Text(0)
	all := words(text)
	if len(all) == 0 {
		return nil
	}
	if n := len(all); n > wordPlayers {
		var joined []Word
		for k := range wordPlayers {
			lo, hi := all[k*n/wordPlayers].Start, all[(k+1)*n/wordPlayers-1].End
			joined = append(joined, Word{Text: text[lo:hi], Start: lo, End: hi})
		}
		all = joined
	}
	g := &game{players: len(all), bases: 1, play: func(ctx context.Context, moves []move) ([]float64, error) {
		without := &data.Column{Name: c.Name, Type: c.Type}
		for i, m := range moves {
			var b strings.Builder
			at := 0
			for k, w := range all {
				b.WriteString(text[at:w.Start])
				if at = w.End; m.in[k] {
					b.WriteString(w.Text)
				}
			}
			b.WriteString(text[at:])
			without.Dict, without.Codes = append(without.Dict, b.String()), append(without.Codes, int32(i))
		}
		return l.changed(ctx, without)
	}}
	found, err := g.solve(ctx, min(textBudget, l.o.Budget), l.o.Seed)
	if err != nil {
		return err
	}
	t := Text{Column: c.Name, Method: exactSHAP, Words: all}
	if found.err != nil {
		t.Method = sampleSHAP
	}
	for k := range all {
		all[k].Effect = found.effect[k]
	}
	l.e.Predictions += found.played
	l.e.Texts = append(l.e.Texts, t)
	return nil
}
