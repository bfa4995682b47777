package feature

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/text"
)

// TokenOptions are the options that encoders of sequences of tokens share.
type TokenOptions struct {
	Tokenizer TokenizerOptions `yaml:"tokenizer" doc:"what cuts a text into tokens"`
	MaxLength int              `yaml:"max_length" default:"256" min:"1" max:"8192" doc:"tokens of a text at most"`
	Cut       string           `yaml:"cut" default:"end" enum:"end,start,middle" doc:"where a longer text is cut: its end, its start, or its middle"`
	Dimension int              `yaml:"dimension" default:"128" min:"1" max:"4096" doc:"length of a token's vector"`
	Silenced  float64          `yaml:"silenced" default:"0.1" min:"0" max:"0.95" doc:"share of a text's tokens silenced in training"`
	Dropout   float64          `yaml:"dropout" default:"0.5" min:"0" max:"0.95" doc:"share of the units of the text's vector silenced in training"`

	form
}

// TokenizerOptions choose a tokenizer.
type TokenizerOptions struct {
	Type       string `yaml:"type" default:"words" enum:"words,characters,bpe,wordpiece,unigram" doc:"trained on the training texts: words (of Chinese and Japanese, characters), characters, or parts of words: byte-pair encoding, WordPiece, Unigram"`
	Vocabulary int    `yaml:"vocabulary" default:"20000" min:"10" max:"1000000" doc:"tokens at most"`
	MinCount   int    `yaml:"min_count" default:"2" min:"1" doc:"how often a word, a character or a merge has to occur"`
	CJK        string `yaml:"cjk" default:"characters" enum:"characters,bigrams" doc:"of type words: what Chinese and Japanese are cut into"`
	From       string `yaml:"from" doc:"a tokenizer.json, or a folder that has one, in place of all these"`

	at string // From, from the configuration's folder
}

// Locate makes the path of a file one to open.
func (o *TokenOptions) Locate(resolve func(string) string) {
	o.Tokenizer.at = resolve(o.Tokenizer.From)
}

// tokens is what encoders of sequences of tokens have fitted.
type tokens struct {
	Tokenizer json.RawMessage `json:"tokenizer"` // as tokenizer.json
	Length    int             `json:"length"`    // most tokens of a text
	Cut       string          `json:"cut"`
	Texts     int             `json:"texts"`  // seen in training
	Longer    int             `json:"longer"` // of these, cut
	Dimension int             `json:"dimension"`
	Silenced  float64         `json:"silenced"`
	Dropout   float64         `json:"dropout"`

	t      *text.Tokenizer
	digest string // of a tokenizer that was not trained
}

// unknown is the token of what has none.
const unknown = "[UNK]"

// train returns the tokenizer that the options ask for.
func (o *TokenizerOptions) train(texts []string, f form) (*text.Tokenizer, error) {
	if o.From != "" {
		t, err := tokenizer.ReadFile(cmp.Or(o.at, o.From))
		if err != nil {
			return nil, fmt.Errorf("cannot take its tokenizer: %w", err)
		}
		s := t.Spec()
		s.Truncation, s.Padding, s.Processor = nil, nil, nil
		return text.New(s)
	}
	to := text.TrainOptions{Size: o.Vocabulary, MinCount: o.MinCount, Special: []string{unknown}, Lowercase: f.Case != "keep", CJK: o.CJK, Form: cmp.Or(f.Unicode, "nfkc")}
	for _, k := range text.Trainers {
		if k.Name == o.Type {
			return k.Train(texts, to)
		}
	}
	return nil, fmt.Errorf("has a tokenizer of type %q, which is not known", o.Type)
}

// fit learns a tokenizer and looks at the lengths of texts.
func (o *TokenOptions) fit(texts []string) (*tokens, error) {
	some := false
	for _, t := range texts {
		some = some || t != ""
	}
	if !some {
		return nil, errors.New("has no text in the training rows: leave it out of inputs")
	}
	t, err := o.Tokenizer.train(texts, o.form)
	if err != nil {
		return nil, err
	}
	f := &tokens{Length: o.MaxLength, Cut: o.Cut, Texts: len(texts), Dimension: o.Dimension, Silenced: o.Silenced, Dropout: o.Dropout, t: t}
	if f.Tokenizer, err = tokenizer.Format(t); err != nil {
		return nil, err
	}
	if o.Tokenizer.From != "" {
		sum := sha256.Sum256(f.Tokenizer)
		f.digest = hex.EncodeToString(sum[:8])
	}
	ids, err := t.IDsBatch(texts)
	if err != nil {
		return nil, err
	}
	for _, x := range ids {
		if len(x) > f.Length {
			f.Longer++
		}
	}
	return f, f.valid()
}

// valid checks what was fitted or read.
func (f *tokens) valid() (err error) {
	if f.t == nil {
		if f.t, err = tokenizer.Parse(f.Tokenizer); err != nil {
			return fmt.Errorf("tokenizer: %w", err)
		}
	}
	if f.Length < 1 || f.Length > 1<<16 || f.Dimension < 1 || f.Dimension > 1<<16 || !(f.Silenced >= 0 && f.Silenced < 1) || !(f.Dropout >= 0 && f.Dropout < 1) {
		return fmt.Errorf("length %d, dimension %d, silenced %v and dropout %v: at least one is impossible", f.Length, f.Dimension, f.Silenced, f.Dropout)
	}
	return nil
}

// Digest is of a tokenizer that was taken from a file.
func (f *tokens) Digest() string { return f.digest }

// Specs implements FittedText: the tokens.
func (f *tokens) Specs() []Spec { return []Spec{{tensor.Int32, []int{f.Length}, 1}} }

// Sequences implements FittedText.
func (f *tokens) Sequences(texts []string) (*Sequences, error) {
	ids, err := f.t.IDsBatch(texts)
	if err != nil {
		return nil, err
	}
	for i, x := range ids {
		ids[i] = f.cut(x)
	}
	return newSequences(ids), nil
}

// cut leaves of a text's tokens as many as the encoder reads.
func (f *tokens) cut(ids []int32) []int32 {
	over := len(ids) - f.Length
	switch {
	case over <= 0:
		return ids
	case f.Cut == "start":
		return ids[over:]
	case f.Cut == "middle":
		head := (f.Length + 1) / 2
		return append(ids[:head:head], ids[head+over:]...)
	}
	return ids[:f.Length]
}

// vectors returns the tokens' vectors [rows length dimension], zeros where there is
// none; in training some of them are silenced.
func (f *tokens) vectors(c *nn.Context, ids *graph.Node, options ...nn.EmbeddingOption) *graph.Node {
	x := nn.Embedding(f.t.Size(), f.Dimension, options...).Apply(c, ids)
	if !c.Training || f.Silenced == 0 || c.B.Err() != nil {
		return x
	}
	s := ids.Shape()
	return graph.Mul(x, graph.GreaterEqual(graph.Uniform(c.Seed, c.Step, s[0], s[1], graph.N(1)), c.B.Scalar(f.Silenced)))
}

// bag is what a linear model gets: the mean of short vectors of the tokens.
func (f *tokens) bag(c *nn.Context, ids *graph.Node) *graph.Node {
	return nn.EmbeddingBag(f.t.Size(), min(f.Dimension, linearDimension), nn.BagMean).Apply(c, ids)
}

// shortened tells of training texts that were cut.
func (f *tokens) shortened() string {
	if f.Longer == 0 {
		return ""
	}
	left := map[string]string{"end": "first", "start": "last", "middle": "first and last"}[f.Cut]
	return fmt.Sprintf("%d of %d training texts have more than %d tokens, of which the %s are read (max_length, cut)", f.Longer, f.Texts, f.Length, left)
}

// describe says in a few words what was fitted.
func (f *tokens) describe() string {
	return fmt.Sprintf("%d tokens, up to %d a text, vectors of %d", f.t.Size(), f.Length, f.Dimension)
}
