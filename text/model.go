package text

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"sync/atomic"
	"unicode/utf8"
)

// A Model cuts a piece of text into tokens.
type Model interface {
	// vocabulary returns the strings of the tokens by id.
	vocabulary() *Vocab
	// tokenize adds the tokens of the piece to s.tokens, by calls to emit.
	tokenize(s *state, p piece)
}

// Models are the models of tokenizer.json by type.
var Models = []Kind[Model]{
	{"BPE", func() Model { return &BPE{} }, false},
	{"Unigram", func() Model { return &Unigram{} }, false},
	{"WordLevel", func() Model { return &WordLevel{UnkToken: "<unk>"} }, false},
	{"WordPiece", func() Model {
		return &WordPiece{UnkToken: "[UNK]", ContinuingSubwordPrefix: "##", MaxInputCharsPerWord: 100}
	}, false},
}

// Vocab is a vocabulary: strings and their ids. In JSON it is an object,
// written in ascending order of ids.
type Vocab struct {
	ids    map[string]int32
	tokens []string // by id; "" also where there is none
	has    []bool
}

// NewVocab returns a vocabulary in which each token's id is its place.
func NewVocab(tokens []string) (*Vocab, error) {
	ids := make(map[string]int32, len(tokens))
	for i, t := range tokens {
		if k, ok := ids[t]; ok {
			return nil, fmt.Errorf("vocabulary: %q is token %d and %d, expected each once", t, k, i)
		}
		ids[t] = int32(i)
	}
	v := &Vocab{}
	return v, v.set(ids)
}

func (v *Vocab) set(ids map[string]int32) error {
	top := int32(-1)
	for t, id := range ids {
		// Holes are allowed; a vocabulary that consists of them is not.
		if id < 0 || int64(id) >= 16*int64(len(ids))+1<<16 {
			return fmt.Errorf("token %q has id %d in a vocabulary of %d", t, id, len(ids))
		}
		top = max(top, id)
	}
	v.ids, v.tokens, v.has = ids, make([]string, top+1), make([]bool, top+1)
	for t, id := range ids {
		if v.has[id] {
			a, b := min(t, v.tokens[id]), max(t, v.tokens[id])
			return fmt.Errorf("tokens %q and %q have the same id %d", a, b, id)
		}
		v.tokens[id], v.has[id] = t, true
	}
	return nil
}

// Len returns the number of tokens.
func (v *Vocab) Len() int { return len(v.ids) }

// ID returns the id of a token.
func (v *Vocab) ID(token string) (int32, bool) {
	id, ok := v.ids[token]
	return id, ok
}

// Token returns the token of an id.
func (v *Vocab) Token(id int32) (string, bool) {
	if id < 0 || int(id) >= len(v.tokens) || !v.has[id] {
		return "", false
	}
	return v.tokens[id], true
}

// UnmarshalJSON reads an object of tokens and ids.
func (v *Vocab) UnmarshalJSON(b []byte) error {
	var ids map[string]int32
	if err := json.Unmarshal(b, &ids); err != nil {
		return err
	}
	return v.set(ids)
}

// MarshalJSON writes the tokens in ascending order of their ids.
func (v *Vocab) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for id, t := range v.tokens {
		if !v.has[id] {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendString(out, t)
		out = fmt.Appendf(out, ":%d", id)
	}
	return append(out, '}'), nil
}

// appendString adds s as a JSON string in which only what has to be is
// escaped.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r < ' ':
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return append(out, '"')
}

// emit adds a token for the bytes from from to to.
func (s *state) emit(id int32, from, to int) {
	s.tokens = append(s.tokens, token{id: id, from: int32(from), to: int32(to)})
}

// A cache keeps what a model made of pieces, in as many places as it has
// slots: a new one takes the place of the last of its hash. It is safe for
// concurrent use and never blocks; whether something is in it changes no
// result.
type cache struct {
	seed  maphash.Seed
	slots [cacheSlots]atomic.Pointer[cached]
}

const (
	cacheSlots = 1 << 14
	// cacheBytes is the length from which a piece is not worth keeping.
	cacheBytes = 128
)

type cached struct {
	text   string
	tokens []token // whose places count from the start of the piece
}

func newCache() *cache { return &cache{seed: maphash.MakeSeed()} }

// tokenize adds the tokens of a piece as m finds them, or found them before.
func (c *cache) tokenize(s *state, p piece, m Model) {
	b := s.b[p.from:p.to]
	if len(b) >= cacheBytes {
		m.tokenize(s, p)
		return
	}
	slot := &c.slots[maphash.Bytes(c.seed, b)%cacheSlots]
	first := len(s.tokens)
	if e := slot.Load(); e != nil && e.text == string(b) {
		s.tokens = append(s.tokens, e.tokens...)
		for i := first; i < len(s.tokens); i++ {
			s.tokens[i].from += p.from
			s.tokens[i].to += p.from
		}
		return
	}
	m.tokenize(s, p)
	if s.err != nil {
		return
	}
	e := &cached{string(b), slices.Clone(s.tokens[first:])}
	for i := range e.tokens {
		e.tokens[i].from -= p.from
		e.tokens[i].to -= p.from
	}
	slot.Store(e)
}
