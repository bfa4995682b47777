package text

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// A Processor adds what a model expects around the tokens of one or two
// texts, and may trim offsets.
type Processor interface {
	// template returns what the tokens are put into, for one text or two, or
	// nil where it is only the texts.
	template(pair bool) []TemplatePiece
	// trim says how offsets are trimmed.
	trim() (trim, addPrefixSpace bool)
}

// Processors are the post-processors of tokenizer.json by type.
// ProcessorSequence is their type "Sequence".
var Processors = []Kind[Processor]{
	{"BertProcessing", func() Processor { return &BertProcessing{} }, false},
	{"ByteLevel", func() Processor { return &ByteLevel{AddPrefixSpace: true, TrimOffsets: true, UseRegex: true} }, false},
	{"RobertaProcessing", func() Processor { return &RobertaProcessing{TrimOffsets: true, AddPrefixSpace: true} }, false},
	{"TemplateProcessing", func() Processor { return &TemplateProcessing{} }, false},
}

// A TemplatePiece is a text or special tokens in a template.
type TemplatePiece struct {
	Sequence     *SequencePiece `json:"Sequence,omitempty"`
	SpecialToken *SpecialPiece  `json:"SpecialToken,omitempty"`
	tokens       SpecialToken   // that SpecialToken names
}

// A SequencePiece is the first text, A, or the second, B.
type SequencePiece struct {
	ID     string `json:"id"`
	TypeID int32  `json:"type_id"`
}

// A SpecialPiece is special tokens by their name.
type SpecialPiece struct {
	ID     string `json:"id"`
	TypeID int32  `json:"type_id"`
}

// A SpecialToken is what a name in a template stands for.
type SpecialToken struct {
	ID     string   `json:"id"`
	IDs    []int32  `json:"ids"`
	Tokens []string `json:"tokens"`
}

func sequence(id string, typeID int32) TemplatePiece {
	return TemplatePiece{Sequence: &SequencePiece{id, typeID}}
}

func special(t NamedID, typeID int32) TemplatePiece {
	return TemplatePiece{SpecialToken: &SpecialPiece{t.Token, typeID}, tokens: SpecialToken{t.Token, []int32{t.ID}, []string{t.Token}}}
}

// A NamedID is a token and its id. In JSON it is an array of both.
type NamedID struct {
	Token string
	ID    int32
}

// UnmarshalJSON reads an array of a string and a number.
func (t *NamedID) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("found %.40s, expected a token and its id", b)
	}
	if err := json.Unmarshal(pair[0], &t.Token); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &t.ID)
}

// MarshalJSON writes an array of a string and a number.
func (t NamedID) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(appendString([]byte{'['}, t.Token), ",%d]", t.ID), nil
}

// ProcessorSequence applies processors one after another.
type ProcessorSequence struct {
	Processors []Processor `json:"processors"`
}

func (q *ProcessorSequence) prepare() error {
	n := 0
	for _, p := range q.Processors {
		if p.template(false) != nil {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("processors: found %d that add special tokens, expected at most one", n)
	}
	return nil
}

func (q *ProcessorSequence) template(pair bool) []TemplatePiece {
	for _, p := range q.Processors {
		if t := p.template(pair); t != nil {
			return t
		}
	}
	return nil
}

func (q *ProcessorSequence) trim() (trim, addPrefixSpace bool) {
	for _, p := range q.Processors {
		if t, a := p.trim(); t {
			trim, addPrefixSpace = true, a
		}
	}
	return trim, addPrefixSpace
}

// BertProcessing puts one text as CLS A SEP and two as CLS A SEP B SEP.
type BertProcessing struct {
	Sep NamedID `json:"sep" required:"true"`
	Cls NamedID `json:"cls" required:"true"`
}

func (p *BertProcessing) template(pair bool) []TemplatePiece {
	t := []TemplatePiece{special(p.Cls, 0), sequence("A", 0), special(p.Sep, 0)}
	if pair {
		t = append(t, sequence("B", 1), special(p.Sep, 1))
	}
	return t
}

func (p *BertProcessing) trim() (trim, addPrefixSpace bool) { return false, false }

// RobertaProcessing puts one text as CLS A SEP and two as CLS A SEP SEP B SEP,
// all of type 0.
type RobertaProcessing struct {
	Sep            NamedID `json:"sep" required:"true"`
	Cls            NamedID `json:"cls" required:"true"`
	TrimOffsets    bool    `json:"trim_offsets" required:"true"`
	AddPrefixSpace bool    `json:"add_prefix_space" required:"true"`
}

func (p *RobertaProcessing) template(pair bool) []TemplatePiece {
	t := []TemplatePiece{special(p.Cls, 0), sequence("A", 0), special(p.Sep, 0)}
	if pair {
		t = append(t, special(p.Sep, 0), sequence("B", 0), special(p.Sep, 0))
	}
	return t
}

func (p *RobertaProcessing) trim() (trim, addPrefixSpace bool) {
	return p.TrimOffsets, p.AddPrefixSpace
}

// template of ByteLevel adds nothing: as a processor it trims offsets.
func (t *ByteLevel) template(bool) []TemplatePiece { return nil }

func (t *ByteLevel) trim() (trim, addPrefixSpace bool) { return t.TrimOffsets, t.AddPrefixSpace }

// TemplateProcessing puts one text, or two, as a template says.
type TemplateProcessing struct {
	Single        []TemplatePiece         `json:"single" required:"true"`
	Pair          []TemplatePiece         `json:"pair" required:"true"`
	SpecialTokens map[string]SpecialToken `json:"special_tokens" required:"true"`
}

func (p *TemplateProcessing) prepare() error {
	for _, t := range []struct {
		key    string
		pieces []TemplatePiece
		b      bool
	}{{"single", p.Single, false}, {"pair", p.Pair, true}} {
		for i := range t.pieces {
			k := &t.pieces[i]
			switch {
			case (k.Sequence == nil) == (k.SpecialToken == nil):
				return fmt.Errorf("%s[%d]: expected either Sequence or SpecialToken", t.key, i)
			case k.Sequence != nil && k.Sequence.ID != "A" && (k.Sequence.ID != "B" || !t.b):
				return fmt.Errorf("%s[%d].Sequence.id: found %q, expected A, or B in pair", t.key, i, k.Sequence.ID)
			case k.SpecialToken != nil:
				tokens, ok := p.SpecialTokens[k.SpecialToken.ID]
				if !ok {
					return fmt.Errorf("%s[%d].SpecialToken.id: %q is not in special_tokens", t.key, i, k.SpecialToken.ID)
				}
				if len(tokens.IDs) != len(tokens.Tokens) {
					return fmt.Errorf("special_tokens[%q]: found %d ids and %d tokens, expected as many", k.SpecialToken.ID, len(tokens.IDs), len(tokens.Tokens))
				}
				k.tokens = tokens
			}
		}
	}
	return nil
}

func (p *TemplateProcessing) template(pair bool) []TemplatePiece {
	if pair {
		return p.Pair
	}
	return p.Single
}

func (p *TemplateProcessing) trim() (trim, addPrefixSpace bool) { return false, false }

// trimmed takes the white space at the ends of a token off its offsets, as
// many characters of the original as it has there. A single space before the
// first token is taken for one that was prepended, where spaces are.
func trimmed(original string, o Span, token string, first, addPrefixSpace bool) Span {
	head, tail := 0, 0
	for rest := token; rest != ""; head++ {
		r, n := utf8.DecodeRuneInString(rest)
		if !spacelike(r) {
			break
		}
		rest = rest[n:]
	}
	for rest := token; rest != ""; tail++ {
		r, n := utf8.DecodeLastRuneInString(rest)
		if !spacelike(r) {
			break
		}
		rest = rest[:len(rest)-n]
	}
	if head == 1 && (first || o.From == 0) && addPrefixSpace {
		head = 0
	}
	for ; head > 0 && o.From < o.To; head-- {
		_, n := utf8.DecodeRuneInString(original[o.From:o.To])
		o.From += int32(n)
	}
	for ; tail > 0 && o.From < o.To; tail-- {
		_, n := utf8.DecodeLastRuneInString(original[o.From:o.To])
		o.To -= int32(n)
	}
	return o
}

func spacelike(r rune) bool { return r == byteRunes[' '] || classOf(r)&white != 0 }
