package text

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Unigram cuts a piece into the tokens whose product of probabilities is
// greatest (Kudo 2018, "Subword Regularization", section 3.2, with Viterbi's
// algorithm).
type Unigram struct {
	UnkID        *int   `json:"unk_id"` // null: an unknown character is an error
	Vocab        Scored `json:"vocab" required:"true"`
	ByteFallback bool   `json:"byte_fallback"` // tokens <0x00> to <0xFF> for unknown characters
	vocab        *Vocab // by string; of equal tokens the last
	scores       []float64
	trie         *trie
	unk          int32 // or -1
	unkScore     float64
	bytes        [256]int32 // of <0x00>, …, id or -1
}

// Scored is a vocabulary in the order of ids with the logarithms of the
// tokens' probabilities. In JSON it is an array of pairs.
type Scored []ScoredToken

// A ScoredToken is a token and the logarithm of its probability.
type ScoredToken struct {
	Token string
	Score float64
}

// UnmarshalJSON reads an array of a string and a number.
func (t *ScoredToken) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("found %.40s, expected a token and its score", b)
	}
	if err := json.Unmarshal(pair[0], &t.Token); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &t.Score)
}

// MarshalJSON writes an array of a string and a number.
func (t ScoredToken) MarshalJSON() ([]byte, error) {
	if math.IsNaN(t.Score) || math.IsInf(t.Score, 0) {
		return nil, fmt.Errorf("token %q has the score %v", t.Token, t.Score)
	}
	out := appendString([]byte{'['}, t.Token)
	out = append(out, ',')
	out = strconv.AppendFloat(out, t.Score, 'g', -1, 64)
	return append(out, ']'), nil
}

// unkPenalty is how much worse an unknown character is than the worst token,
// as in SentencePiece.
const unkPenalty = 10

func (m *Unigram) prepare() error {
	ids := make(map[string]int32, len(m.Vocab))
	m.vocab = &Vocab{ids: ids, tokens: make([]string, len(m.Vocab)), has: make([]bool, len(m.Vocab))}
	m.scores = make([]float64, len(m.Vocab))
	m.unkScore = math.Inf(1)
	var texts []string
	var places []int32
	for i, t := range m.Vocab {
		if math.IsNaN(t.Score) || math.IsInf(t.Score, 0) {
			return fmt.Errorf("vocab[%d]: %q has the score %v, expected a finite number", i, t.Token, t.Score)
		}
		ids[t.Token] = int32(i)
		m.vocab.tokens[i], m.vocab.has[i] = t.Token, true
		m.scores[i] = asRead(t.Score)
		m.unkScore = min(m.unkScore, m.scores[i])
		if t.Token != "" {
			texts, places = append(texts, t.Token), append(places, int32(i))
		}
	}
	m.trie = newTrie(texts, places)
	m.unkScore -= unkPenalty
	m.unk = -1
	if m.UnkID != nil {
		if *m.UnkID < 0 || *m.UnkID >= len(m.Vocab) {
			return fmt.Errorf("unk_id: found %d, expected less than the %d tokens of the vocabulary", *m.UnkID, len(m.Vocab))
		}
		m.unk = int32(*m.UnkID)
	}
	for b := range m.bytes {
		m.bytes[b] = -1
		if id, ok := ids[fmt.Sprintf("<0x%02X>", b)]; ok {
			m.bytes[b] = id
		}
	}
	return nil
}

// asRead is a score as tokenizers reads it from its shortest decimal: the
// digits as a float64, times or by a power of ten. That may be off by the last
// bit, which decides between cuts that are equally probable.
func asRead(score float64) float64 {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(score), 'e', -1, 64), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, err := strconv.ParseUint(whole+fraction, 10, 64)
	e, err2 := strconv.Atoi(exponent)
	if e -= len(fraction); err != nil || err2 != nil || e < -300 || e > 300 {
		return score
	}
	v := float64(digits)
	if e < 0 {
		v /= math.Pow10(-e)
	} else {
		v *= math.Pow10(e)
	}
	return math.Copysign(v, score)
}

func (m *Unigram) vocabulary() *Vocab { return m.vocab }

// step is the end of the best way to cut the bytes before a place.
type step struct {
	score float64
	from  int32 // where its last token begins, -1: none ends here
	id    int32
}

func (m *Unigram) tokenize(s *state, p piece) {
	b := s.b[p.from:p.to]
	if !m.viterbi(s, b) {
		return
	}
	first := len(s.tokens)
	// From the end, so in reverse; neighbouring unknown characters are one.
	for end := len(b); end > 0; {
		from, id := int(s.best[end].from), s.best[end].id
		for id == m.unk && from > 0 && s.best[from].id == m.unk {
			from = int(s.best[from].from)
		}
		m.emit(s, p, from, end, id)
		end = from
	}
	for i, j := first, len(s.tokens)-1; i < j; i, j = i+1, j-1 {
		s.tokens[i], s.tokens[j] = s.tokens[j], s.tokens[i]
	}
}

// viterbi sets s.best for all places in b.
func (m *Unigram) viterbi(s *state, b []byte) bool {
	s.best = s.best[:0]
	for range len(b) + 1 {
		s.best = append(s.best, step{from: -1})
	}
	for i := 0; i < len(b); {
		_, n := runeAt(b, i)
		here := s.best[i].score
		single := false
		node := int32(0)
		for j := i; j < len(b); j++ {
			var ok bool
			if node, ok = m.trie.child(node, b[j]); !ok {
				break
			}
			id := m.trie.ids[node]
			if id < 0 {
				continue
			}
			if e, score := &s.best[j+1], m.scores[id]+here; e.from < 0 || score > e.score {
				*e = step{score, int32(i), id}
			}
			single = single || j+1 == i+n
		}
		if !single {
			if e, score := &s.best[i+n], m.unkScore+here; e.from < 0 || score > e.score {
				if m.unk < 0 {
					s.err = fmt.Errorf("%q is in no token of the vocabulary, which has no unk_id", b[i:i+n])
					return false
				}
				*e = step{score, int32(i), m.unk}
			}
		}
		i += n
	}
	return true
}

// emit adds the token id for the bytes from from to to, in reverse where it
// falls back to bytes.
func (m *Unigram) emit(s *state, p piece, from, to int, id int32) {
	b := s.b[int(p.from)+from : int(p.from)+to]
	at := token{id: id, from: p.from + int32(from), to: p.from + int32(to)}
	if id != m.unk {
		s.tokens = append(s.tokens, at)
		return
	}
	if k, ok := m.vocab.ids[string(b)]; ok {
		at.id = k
		s.tokens = append(s.tokens, at)
		return
	}
	if m.ByteFallback {
		all := true
		for _, c := range b {
			all = all && m.bytes[c] >= 0
		}
		if all {
			for i := len(b) - 1; i >= 0; i-- {
				at.id = m.bytes[b[i]]
				s.tokens = append(s.tokens, at)
			}
			return
		}
	}
	at.surface = true
	s.tokens = append(s.tokens, at)
}

// A trie holds strings by their bytes. Nodes are numbered by their depth, so
// that the children of one are neighbours, in the order of their bytes.
type trie struct {
	ids   []int32 // by node: what ends there, or -1
	label []byte  // by node: the byte that leads to it
	first []int32 // by node: its first child; those up to the next node's first are its
}

// newTrie makes a trie of strings, none of them empty, and their ids; of equal
// ones the last counts.
func newTrie(texts []string, ids []int32) *trie {
	order := make([]int, len(texts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(texts[a], texts[b]) })
	type node struct{ from, to, depth int } // the strings that begin with it
	t := &trie{label: []byte{0}}
	queue := []node{{0, len(order), 0}}
	for k := 0; k < len(queue); k++ {
		n := queue[k]
		id := int32(-1)
		for n.from < n.to && len(texts[order[n.from]]) == n.depth {
			id = ids[order[n.from]]
			n.from++
		}
		t.ids = append(t.ids, id)
		t.first = append(t.first, int32(len(queue)))
		for from := n.from; from < n.to; {
			c := texts[order[from]][n.depth]
			to := from + sort.Search(n.to-from, func(i int) bool { return texts[order[from+i]][n.depth] > c })
			queue = append(queue, node{from, to, n.depth + 1})
			t.label = append(t.label, c)
			from = to
		}
	}
	t.first = append(t.first, int32(len(queue)))
	return t
}

// child returns the node that a byte leads to.
func (t *trie) child(node int32, c byte) (int32, bool) {
	from, to := t.first[node], t.first[node+1]
	for to-from > 8 {
		if middle := (from + to) / 2; t.label[middle] <= c {
			from = middle
		} else {
			to = middle
		}
	}
	for ; from < to; from++ {
		if t.label[from] == c {
			return from, true
		}
	}
	return 0, false
}
