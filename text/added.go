package text

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// An AddedToken is found in a text before it is cut, and is one token.
type AddedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // not inside a word
	LStrip     bool   `json:"lstrip"`      // takes the white space before it
	RStrip     bool   `json:"rstrip"`      // takes the white space behind it
	Normalized bool   `json:"normalized"`  // looked for in the normalized text
	Special    bool   `json:"special"`     // left out by Decode
}

// A finder finds added tokens: the leftmost, of those the longest. Tokenizers
// have thousands that begin with the same character, so it looks in a trie.
type finder struct {
	added  []AddedToken
	texts  []string
	token  []int32 // of each text, its place in added
	trie   *trie
	first  []byte // the bytes that begin one
	begins [256]bool
	any    bool
}

// add has a text found; of equal ones the first counts.
func (f *finder) add(text string, token int) {
	f.texts, f.token = append(f.texts, text), append(f.token, int32(token))
	if !f.begins[text[0]] {
		f.begins[text[0]] = true
		f.first = append(f.first, text[0])
	}
	f.any = true
}

// prepare makes what was added ready to be found.
func (f *finder) prepare() {
	slices.Reverse(f.texts) // the trie keeps the last of equal ones
	slices.Reverse(f.token)
	f.trie = newTrie(f.texts, f.token)
}

// find returns the first match at or after from: its place, its length and
// which token it is.
func (f *finder) find(b []byte, from int) (at, length int, token int32, ok bool) {
	for at = from; at < len(b); at++ {
		if len(f.first) == 1 {
			i := bytes.IndexByte(b[at:], f.first[0])
			if i < 0 {
				break
			}
			at += i
		}
		if !f.begins[b[at]] {
			continue
		}
		node, inside := f.trie.child(0, b[at])
		for i := at + 1; inside; i++ {
			if id := f.trie.ids[node]; id >= 0 {
				length, token = i-at, id
			}
			if i == len(b) {
				break
			}
			node, inside = f.trie.child(node, b[i])
		}
		if length > 0 {
			return at, length, token, true
		}
	}
	return 0, 0, 0, false
}

// split makes pieces of the added tokens in p and of what lies between.
func (f *finder) split(s *state, p piece) {
	if !f.any {
		s.cut(p, int(p.from), int(p.to))
		return
	}
	b := s.b[p.from:p.to]
	last := 0
	for i := 0; i < len(b); {
		from, length, token, ok := f.find(b, i)
		if !ok {
			break
		}
		to := from + length
		i = to
		a := &f.added[token]
		if a.SingleWord && (wordEnds(b[:from]) || wordBegins(b[to:])) {
			continue
		}
		if a.LStrip {
			for from > last {
				r, n := utf8.DecodeLastRune(b[:from])
				if classOf(r)&white == 0 {
					break
				}
				from -= n
			}
		}
		if a.RStrip {
			to += run(b[to:], white, 0)
		}
		if from < last { // what came before took its beginning
			continue
		}
		s.cut(p, int(p.from)+last, int(p.from)+from)
		s.cut(p, int(p.from)+from, int(p.from)+to)
		s.next[len(s.next)-1].id = a.ID
		last = to
	}
	s.cut(p, int(p.from)+last, int(p.to))
}

func wordEnds(b []byte) bool {
	r, _ := utf8.DecodeLastRune(b)
	return len(b) > 0 && classOf(r)&word != 0
}

func wordBegins(b []byte) bool {
	return len(b) > 0 && func() bool { r, _ := runeAt(b, 0); return classOf(r)&word != 0 }()
}

// prepareAdded checks the added tokens and their ids, and fills the finders.
func (t *Tokenizer) prepareAdded() error {
	next := int32(t.vocab.Len())
	t.raw.added, t.normalized.added = t.spec.Added, t.spec.Added
	t.added = map[int32]*AddedToken{}
	t.addedIDs = map[string]int32{}
	for i := range t.spec.Added {
		a := &t.spec.Added[i]
		if a.Content == "" || !utf8.ValidString(a.Content) {
			return fmt.Errorf("added_tokens[%d].content: found %q, expected text", i, a.Content)
		}
		if _, ok := t.addedIDs[a.Content]; ok {
			return fmt.Errorf("added_tokens[%d].content: %q is added twice", i, a.Content)
		}
		id, ok := t.vocab.ID(a.Content)
		if !ok {
			id = next
			next++
		}
		if a.ID != id {
			return fmt.Errorf("added_tokens[%d].id: %q has %d, and %d by the vocabulary of %d tokens and the added tokens before it", i, a.Content, a.ID, id, t.vocab.Len())
		}
		t.added[id], t.addedIDs[a.Content] = a, id
		text := a.Content
		if a.Normalized && t.spec.Normalizer != nil {
			var err error
			if text, err = t.normalize(text); err != nil {
				return fmt.Errorf("added_tokens[%d].content: %w", i, err)
			}
			t.rewritten[id] = text
		}
		switch {
		case text == "": // its normalizer removes it: it cannot be found
		case a.Normalized:
			t.normalized.add(text, i)
		default:
			t.raw.add(text, i)
		}
	}
	t.raw.prepare()
	t.normalized.prepare()
	return nil
}
