package text

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Decoder makes text of tokens. It may change the slice it is given.
type Decoder interface {
	decode(tokens []string) []string
}

// Decoders are the decoders of tokenizer.json by type. DecoderSequence is
// their type "Sequence".
var Decoders = []Kind[Decoder]{
	{"BPEDecoder", func() Decoder { return &BPEDecoder{Suffix: "</w>"} }, false},
	{"ByteFallback", func() Decoder { return &ByteFallback{} }, false},
	{"ByteLevel", func() Decoder { return &ByteLevel{AddPrefixSpace: true, TrimOffsets: true, UseRegex: true} }, false},
	{"Fuse", func() Decoder { return &Fuse{} }, false},
	{"Metaspace", func() Decoder { return NewMetaspace() }, false},
	{"Replace", func() Decoder { return &Replace{} }, false},
	{"Strip", func() Decoder { return &StripDecoder{} }, false},
	{"WordPiece", func() Decoder { return &WordPieceDecoder{Prefix: "##", Cleanup: true} }, false},
}

// DecoderSequence applies decoders one after another.
type DecoderSequence struct {
	Decoders []Decoder `json:"decoders"`
}

func (q *DecoderSequence) decode(tokens []string) []string {
	for _, d := range q.Decoders {
		tokens = d.decode(tokens)
	}
	return tokens
}

// BPEDecoder writes a space for the suffix that ends a word.
type BPEDecoder struct {
	Suffix string `json:"suffix" required:"true"`
}

func (d *BPEDecoder) decode(tokens []string) []string {
	for i, t := range tokens {
		with := " "
		if i == len(tokens)-1 {
			with = ""
		}
		tokens[i] = strings.ReplaceAll(t, d.Suffix, with)
	}
	return tokens
}

// ByteFallback makes characters of tokens such as <0xE2>; bytes that are no
// UTF-8 become U+FFFD each.
type ByteFallback struct{}

func (*ByteFallback) decode(tokens []string) []string {
	var out []string
	var bytes []byte
	flush := func() {
		if utf8.Valid(bytes) {
			if len(bytes) > 0 {
				out = append(out, string(bytes))
			}
		} else {
			for range bytes {
				out = append(out, "\uFFFD")
			}
		}
		bytes = bytes[:0]
	}
	for _, t := range tokens {
		if len(t) == 6 && strings.HasPrefix(t, "<0x") && t[5] == '>' {
			if b, err := strconv.ParseUint(t[3:5], 16, 8); err == nil {
				bytes = append(bytes, byte(b))
				continue
			}
		}
		flush()
		out = append(out, t)
	}
	flush()
	return out
}

// decode makes bytes of the characters that stand for them, and text of all.
func (t *ByteLevel) decode(tokens []string) []string {
	var b []byte
	for _, k := range tokens {
		first := len(b)
		for _, r := range k {
			c, ok := runeBytes[r]
			if !ok { // an added token, as it is
				b = append(b[:first], k...)
				break
			}
			b = append(b, c)
		}
	}
	return []string{strings.ToValidUTF8(string(b), "\uFFFD")}
}

// Fuse joins all tokens into one.
type Fuse struct{}

func (*Fuse) decode(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// decode writes spaces for the replacements, but for one that was prepended.
func (t *Metaspace) decode(tokens []string) []string {
	for i, k := range tokens {
		with := " "
		if i == 0 && t.PrependScheme != "never" {
			with = ""
		}
		tokens[i] = strings.ReplaceAll(k, t.Replacement, with)
	}
	return tokens
}

func (t *Replace) decode(tokens []string) []string {
	for i, k := range tokens {
		var out strings.Builder
		for _, g := range t.matcher.match(nil, []byte(k)) {
			if g.match {
				out.WriteString(t.Content)
			} else {
				out.WriteString(k[g.from:g.to])
			}
		}
		tokens[i] = out.String()
	}
	return tokens
}

// StripDecoder takes up to so many of a character off the ends of each token.
type StripDecoder struct {
	Content string `json:"content" required:"true"`
	Start   int    `json:"start" required:"true"`
	Stop    int    `json:"stop" required:"true"`
}

func (d *StripDecoder) prepare() error { return oneRune("content", d.Content) }

func (d *StripDecoder) decode(tokens []string) []string {
	for i, t := range tokens {
		for k := 0; k < d.Start && strings.HasPrefix(t, d.Content); k++ {
			t = t[len(d.Content):]
		}
		for k := 0; k < d.Stop && strings.HasSuffix(t, d.Content); k++ {
			t = t[:len(t)-len(d.Content)]
		}
		tokens[i] = t
	}
	return tokens
}

// WordPieceDecoder puts a space before every token but those that begin with
// the prefix, and with Cleanup none before punctuation and contractions.
type WordPieceDecoder struct {
	Prefix  string `json:"prefix" required:"true"`
	Cleanup bool   `json:"cleanup" required:"true"`
}

// cleanups are done one after another: what one makes the next may change.
var cleanups = [][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
	{" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

func (d *WordPieceDecoder) decode(tokens []string) []string {
	for i, t := range tokens {
		if i > 0 {
			if inner, ok := strings.CutPrefix(t, d.Prefix); ok {
				t = inner
			} else {
				t = " " + t
			}
		}
		if d.Cleanup {
			for _, c := range cleanups {
				t = strings.ReplaceAll(t, c[0], c[1])
			}
		}
		tokens[i] = t
	}
	return tokens
}
