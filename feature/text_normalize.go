package feature

import (
	"golang.org/x/text/unicode/norm"

	"github.com/hone-ml/hone/text"
)

// Normalization is what becomes of a text before an encoder sees it.
type Normalization struct {
	Unicode string `yaml:"unicode" json:"unicode" default:"auto" enum:"auto,nfkc,nfc,none" doc:"the form of characters that can be written in several ways; nfkc also takes those that are alike for the same (ﬁ for fi); auto: nfkc, but what a loaded tokenizer does"`
	Case    string `yaml:"case" json:"case" default:"auto" enum:"auto,lower,keep" doc:"auto: lower, but what a loaded tokenizer does"`
	Width   bool   `yaml:"width" json:"width,omitempty" default:"false" doc:"full-width letters become half-width and half-width kana full-width, as nfkc does too"`
	HTML    bool   `yaml:"html" json:"html,omitempty" default:"false" doc:"tags become spaces and &amp; becomes &"`
	URLs    string `yaml:"urls" json:"urls" default:"keep" enum:"keep,remove,word" doc:"addresses are kept, removed, or become the word URL"`
	Emoji   string `yaml:"emoji" json:"emoji" default:"keep" enum:"keep,remove,isolate" doc:"emoji are kept, removed, or set apart by spaces, each a word"`
}

// normalizing options normalise texts themselves, and are told before Fit what of it
// they are to leave.
type normalizing interface{ leave(n *Normalization) }

// form says what an encoder of ours leaves of a text as it is.
type form struct {
	Unicode string `json:"unicode,omitempty"` // nfc or none; "": nfkc
	Case    string `json:"case,omitempty"`    // keep; "": lower
}

func (f *form) leave(n *Normalization) {
	if n.Unicode == "nfc" || n.Unicode == "none" {
		f.Unicode = n.Unicode
	}
	if n.Case == "keep" {
		f.Case = n.Case
	}
}

// appendTo appends a text in its Unicode form.
func (f *form) appendTo(dst []byte, s string) []byte {
	switch f.Unicode {
	case "nfc":
		return norm.NFC.AppendString(dst, s)
	case "none":
		return append(dst, s...)
	}
	return norm.NFKC.AppendString(dst, s)
}

// boundary is the length of the first part of a text that appendTo treats by itself.
func (f *form) boundary(s string) int {
	switch f.Unicode {
	case "nfc":
		return norm.NFC.NextBoundaryInString(s, true)
	case "none":
		return 1
	}
	return norm.NFKC.NextBoundaryInString(s, true)
}

// normalizer returns what makes of a text what was asked for; nil for nothing.
func (n *Normalization) normalizer() (func(string) string, error) {
	if n == nil {
		return nil, nil
	}
	var all []text.Normalizer
	if n.HTML {
		all = append(all, &text.HTML{})
	}
	switch n.URLs {
	case "remove":
		all = append(all, &text.URLs{})
	case "word":
		all = append(all, &text.URLs{With: "URL"})
	}
	if n.Emoji == "remove" || n.Emoji == "isolate" {
		all = append(all, &text.Emoji{Policy: n.Emoji})
	}
	if n.Width {
		all = append(all, &text.Width{})
	}
	switch n.Unicode {
	case "nfkc":
		all = append(all, &text.NFKC{})
	case "nfc":
		all = append(all, &text.NFC{})
	}
	if n.Case == "lower" {
		all = append(all, &text.Lowercase{})
	}
	if len(all) == 0 {
		return nil, nil
	}
	v, err := text.NewVocab([]string{unknown})
	if err != nil {
		return nil, err
	}
	t, err := text.New(text.Spec{Normalizer: &text.NormalizerSequence{Normalizers: all}, Model: &text.WordLevel{Vocab: v, UnkToken: unknown}})
	if err != nil {
		return nil, err
	}
	return t.Normalize, nil
}
