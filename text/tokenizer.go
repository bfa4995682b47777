package text

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Spec says what a tokenizer consists of. All but the model may be nil.
type Spec struct {
	Truncation   *Truncation
	Padding      *Padding
	Added        []AddedToken
	Normalizer   Normalizer
	PreTokenizer PreTokenizer
	Processor    Processor
	Decoder      Decoder
	Model        Model
}

// A Tokenizer cuts texts into tokens. It is safe for concurrent use.
type Tokenizer struct {
	spec            Spec
	vocab           *Vocab
	cache           *cache // nil: the model is as quick
	raw, normalized finder
	added           map[int32]*AddedToken
	addedIDs        map[string]int32
	rewritten       map[int32]string // normalized added tokens, by id
	templates       [2][]TemplatePiece
	special         [2]int // how many tokens a template adds
	needsOrigin     bool   // also where nobody asks for offsets
	states          sync.Pool
}

// New makes a tokenizer. The spec belongs to it from then on. An error begins
// with the part's key in tokenizer.json.
func New(spec Spec) (*Tokenizer, error) {
	loadClasses()
	if spec.Model == nil {
		return nil, fmt.Errorf("model: found none, expected one of BPE, Unigram, WordLevel, WordPiece")
	}
	t := &Tokenizer{spec: spec, rewritten: map[int32]string{}}
	t.states.New = func() any { return &state{} }
	for _, p := range []struct {
		key  string
		part any
	}{
		{"truncation", spec.Truncation}, {"padding", spec.Padding}, {"normalizer", spec.Normalizer}, {"pre_tokenizer", spec.PreTokenizer},
		{"model", spec.Model}, {"post_processor", spec.Processor}, {"decoder", spec.Decoder},
	} {
		if err := prepare(p.key, p.part); err != nil {
			return nil, err
		}
	}
	t.vocab = spec.Model.vocabulary()
	if _, plain := spec.Model.(*WordLevel); !plain {
		t.cache = newCache()
	}
	Walk(spec.PreTokenizer, func(p any) {
		if m, ok := p.(*Metaspace); ok && m.PrependScheme == "first" {
			t.needsOrigin = true
		}
	})
	if err := t.prepareAdded(); err != nil {
		return nil, err
	}
	if spec.Processor != nil {
		for i := range t.templates {
			t.templates[i] = spec.Processor.template(i == 1)
			for _, p := range t.templates[i] {
				t.special[i] += len(p.tokens.IDs)
			}
		}
	}
	return t, nil
}

// Walk calls f with a part and all that it consists of.
func Walk(part any, f func(any)) {
	f(part)
	switch q := part.(type) {
	case *NormalizerSequence:
		for _, p := range q.Normalizers {
			Walk(p, f)
		}
	case *PreTokenizerSequence:
		for _, p := range q.PreTokenizers {
			Walk(p, f)
		}
	case *ProcessorSequence:
		for _, p := range q.Processors {
			Walk(p, f)
		}
	case *DecoderSequence:
		for _, p := range q.Decoders {
			Walk(p, f)
		}
	}
}

func prepare(key string, part any) error {
	sequence := func(name string, n int, at func(int) any) error {
		for i := range n {
			if err := prepare(fmt.Sprintf("%s.%s[%d]", key, name, i), at(i)); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	switch q := part.(type) {
	case *Truncation:
		if q != nil {
			err = q.prepare()
		}
	case *Padding:
		if q != nil {
			err = q.prepare()
		}
	case *NormalizerSequence:
		return sequence("normalizers", len(q.Normalizers), func(i int) any { return q.Normalizers[i] })
	case *PreTokenizerSequence:
		return sequence("pretokenizers", len(q.PreTokenizers), func(i int) any { return q.PreTokenizers[i] })
	case *DecoderSequence:
		return sequence("decoders", len(q.Decoders), func(i int) any { return q.Decoders[i] })
	case *ProcessorSequence:
		if err := sequence("processors", len(q.Processors), func(i int) any { return q.Processors[i] }); err != nil {
			return err
		}
		err = q.prepare()
	case preparer:
		err = q.prepare()
	}
	if err != nil {
		return fmt.Errorf("%s.%w", key, err)
	}
	return nil
}

// Spec returns what the tokenizer was made of.
func (t *Tokenizer) Spec() Spec { return t.spec }

// Size returns one more than the largest id.
func (t *Tokenizer) Size() int {
	n := len(t.vocab.tokens)
	for id := range t.added {
		n = max(n, int(id)+1)
	}
	return n
}

// ID returns the id of a token.
func (t *Tokenizer) ID(token string) (int32, bool) {
	if id, ok := t.addedIDs[token]; ok {
		return id, true
	}
	return t.vocab.ID(token)
}

// Token returns the token of an id.
func (t *Tokenizer) Token(id int32) (string, bool) {
	if text, ok := t.rewritten[id]; ok {
		return text, true
	}
	if a := t.added[id]; a != nil {
		return a.Content, true
	}
	return t.vocab.Token(id)
}

func (t *Tokenizer) state() *state { return t.states.Get().(*state) }

// maxText is the length from which a text is refused: its characters are
// counted in 32 bits, and normalization may multiply it.
const maxText = 1 << 26

func checkLength(text string) error {
	if len(text) > maxText {
		return fmt.Errorf("a text of %d bytes, expected at most %d", len(text), maxText)
	}
	return nil
}

// maxKept is how large buffers may be that are kept for the next text.
const maxKept = 1 << 20

func (t *Tokenizer) release(s *state) {
	s.source = ""
	if max(cap(s.b), cap(s.spare)) < maxKept {
		t.states.Put(s)
	}
}

// Normalize returns a text as the model sees it, before it is cut; nothing of
// one that becomes too long, which the others refuse.
func (t *Tokenizer) Normalize(text string) string {
	out, _ := t.normalize(text)
	return out
}

func (t *Tokenizer) normalize(text string) (string, error) {
	s := t.state()
	defer t.release(s)
	s.noOrigin = false
	s.begin(text)
	if t.spec.Normalizer != nil {
		t.spec.Normalizer.normalize(s)
	}
	var out strings.Builder
	for _, p := range s.pieces {
		out.Write(s.b[p.from:p.to])
	}
	return out.String(), s.err
}

// cut cuts a text into s.pieces.
func (t *Tokenizer) cut(s *state, text string) error {
	if err := checkLength(text); err != nil {
		return err
	}
	s.begin(text)
	if t.raw.any {
		s.splitAll(&t.raw)
	}
	if t.spec.Normalizer != nil {
		t.spec.Normalizer.normalize(s)
	}
	s.splitAll(&t.normalized)
	if t.spec.PreTokenizer != nil {
		t.spec.PreTokenizer.pretokenize(s)
	}
	return s.err
}

// tokenize sets s.tokens.
func (t *Tokenizer) tokenize(s *state, text string) error {
	if err := t.cut(s, text); err != nil {
		return err
	}
	for i, p := range s.pieces {
		first := len(s.tokens)
		switch {
		case p.id >= 0:
			s.tokens = append(s.tokens, token{id: p.id, from: p.from, to: p.to, surface: true})
		case t.cache != nil:
			t.cache.tokenize(s, p, t.spec.Model)
		default:
			t.spec.Model.tokenize(s, p)
		}
		for j := first; j < len(s.tokens); j++ {
			s.tokens[j].word = int32(i)
		}
	}
	return s.err
}

// Encode encodes a text, with the special tokens that the processor adds,
// truncated and padded as the spec says.
func (t *Tokenizer) Encode(text string) (*Encoding, error) { return t.encode(text, "", false, true) }

// EncodePair encodes two texts as one.
func (t *Tokenizer) EncodePair(first, second string) (*Encoding, error) {
	return t.encode(first, second, true, true)
}

// EncodePlain encodes a text without special tokens around it.
func (t *Tokenizer) EncodePlain(text string) (*Encoding, error) {
	return t.encode(text, "", false, false)
}

func (t *Tokenizer) encode(first, second string, pair, special bool) (*Encoding, error) {
	e, err := t.encodeUnpadded(first, second, pair, special)
	if err == nil && t.spec.Padding != nil {
		t.spec.Padding.pad(e, t.spec.Padding.length(len(e.IDs)))
	}
	return e, err
}

// EncodeBatch encodes texts on all processors and pads them to one length,
// where the spec says so.
func (t *Tokenizer) EncodeBatch(texts []string) ([]*Encoding, error) {
	out := make([]*Encoding, len(texts))
	err := parallel(len(texts), func(i int) (err error) {
		out[i], err = t.encodeUnpadded(texts[i], "", false, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p := t.spec.Padding; p != nil {
		n := 0
		for _, e := range out {
			n = max(n, len(e.IDs))
		}
		for _, e := range out {
			p.pad(e, p.length(n))
		}
	}
	return out, nil
}

// IDsBatch returns the ids of texts as AppendIDs does, on all processors.
func (t *Tokenizer) IDsBatch(texts []string) ([][]int32, error) {
	out := make([][]int32, len(texts))
	err := parallel(len(texts), func(i int) (err error) {
		out[i], err = t.AppendIDs(nil, texts[i])
		return err
	})
	return out, err
}

// parallel calls f for 0 to n-1 and returns the error of the least.
func parallel(n int, f func(i int) error) error {
	workers := min(runtime.GOMAXPROCS(0), (n+31)/32)
	if workers <= 1 {
		for i := range n {
			if err := f(i); err != nil {
				return fmt.Errorf("text %d: %w", i, err)
			}
		}
		return nil
	}
	errs := make([]error, workers)
	places := make([]int, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for errs[w] == nil {
				from := int(next.Add(32)) - 32
				if from >= n {
					return
				}
				for i := from; i < min(from+32, n); i++ {
					if err := f(i); err != nil {
						errs[w], places[w] = fmt.Errorf("text %d: %w", i, err), i
						break
					}
				}
			}
		})
	}
	wg.Wait()
	worst := -1
	for w, err := range errs {
		if err != nil && (worst < 0 || places[w] < places[worst]) {
			worst = w
		}
	}
	if worst >= 0 {
		return errs[worst]
	}
	return nil
}

// AppendIDs adds the ids of a text to dst, as Encode gives them but without
// padding, and without the cost of offsets.
func (t *Tokenizer) AppendIDs(dst []int32, text string) ([]int32, error) {
	s := t.state()
	defer t.release(s)
	s.noOrigin = !t.needsOrigin
	err := t.tokenize(s, text)
	s.noOrigin = false
	if err != nil {
		return dst, err
	}
	tokens := s.tokens
	if r := t.spec.Truncation; r != nil {
		n, _, err := r.lengths(len(tokens), 0, false, t.special[0])
		if err != nil {
			return dst, err
		}
		if r.Direction == "Left" {
			tokens = tokens[len(tokens)-n:]
		} else {
			tokens = tokens[:n]
		}
	}
	add := func() {
		for i := range tokens {
			dst = append(dst, tokens[i].id)
		}
	}
	if t.templates[0] == nil {
		add()
		return dst, nil
	}
	for _, p := range t.templates[0] {
		if p.Sequence != nil {
			add()
		} else {
			dst = append(dst, p.tokens.IDs...)
		}
	}
	return dst, nil
}

func (t *Tokenizer) encodeUnpadded(first, second string, pair, special bool) (*Encoding, error) {
	texts := [2]*state{t.state(), nil}
	defer t.release(texts[0])
	if err := t.tokenize(texts[0], first); err != nil {
		return nil, err
	}
	n, m := len(texts[0].tokens), 0
	kind := 0
	if pair {
		kind = 1
		texts[1] = t.state()
		defer t.release(texts[1])
		if err := t.tokenize(texts[1], second); err != nil {
			return nil, fmt.Errorf("second text: %w", err)
		}
		m = len(texts[1].tokens)
	}
	template := t.templates[kind]
	added := t.special[kind]
	if !special {
		added = 0
	}
	if template == nil {
		template = plainTemplates[kind]
	}
	whole := [2][2]int{{0, n}, {0, m}}
	r := t.spec.Truncation
	if r == nil || n+m+added <= r.MaxLength {
		return t.assemble(texts, template, whole, special), nil
	}
	n, m, err := r.lengths(n, m, pair, added)
	if err != nil {
		return nil, err
	}
	firsts, err := r.windows(whole[0][1], n)
	if err != nil {
		return nil, err
	}
	seconds := [][2]int{{0, 0}}
	if pair {
		if seconds, err = r.windows(whole[1][1], m); err != nil {
			return nil, err
		}
	}
	e := t.assemble(texts, template, [2][2]int{firsts[0], seconds[0]}, special)
	for _, a := range firsts[1:] {
		for _, b := range seconds {
			e.Overflow = append(e.Overflow, t.assemble(texts, template, [2][2]int{a, b}, special))
		}
	}
	for _, b := range seconds[1:] {
		e.Overflow = append(e.Overflow, t.assemble(texts, template, [2][2]int{firsts[0], b}, special))
	}
	return e, nil
}

// plainTemplates are those where no processor has any.
var plainTemplates = [2][]TemplatePiece{{sequence("A", 0)}, {sequence("A", 0), sequence("B", 1)}}

// assemble puts windows of the tokens of texts into a template.
func (t *Tokenizer) assemble(texts [2]*state, template []TemplatePiece, window [2][2]int, special bool) *Encoding {
	n := 0
	for _, p := range template {
		if p.Sequence != nil {
			w := window[p.Sequence.place()]
			n += w[1] - w[0]
		} else if special {
			n += len(p.tokens.IDs)
		}
	}
	e := &Encoding{}
	numbers := make([]int32, 3*n)
	e.IDs, e.TypeIDs, e.Words = numbers[:0:n], numbers[n:n:2*n], numbers[2*n:2*n:3*n]
	e.Tokens, e.Offsets = make([]string, 0, n), make([]Span, 0, n)
	flags := make([]int8, 2*n)
	e.Sequences, e.Attention = flags[:0:n], flags[n:]
	for i := range e.Attention {
		e.Attention[i] = 1
	}
	trim, prefix := false, false
	if t.spec.Processor != nil {
		trim, prefix = t.spec.Processor.trim()
	}
	for _, p := range template {
		if p.SpecialToken != nil {
			if special {
				e.IDs = append(e.IDs, p.tokens.IDs...)
				e.Tokens = append(e.Tokens, p.tokens.Tokens...)
				for range p.tokens.IDs {
					e.TypeIDs = append(e.TypeIDs, p.SpecialToken.TypeID)
					e.Words = append(e.Words, -1)
					e.Offsets = append(e.Offsets, Span{})
					e.Sequences = append(e.Sequences, -1)
				}
			}
			continue
		}
		k := p.Sequence.place()
		s, w := texts[k], window[k]
		for i, x := range s.tokens[w[0]:w[1]] {
			text := ""
			if x.surface {
				text = t.surface(s, x)
			} else {
				text = t.vocab.tokens[x.id]
			}
			o := s.span(x)
			if trim {
				o = trimmed(s.source, o, text, i == 0, prefix)
			}
			e.IDs = append(e.IDs, x.id)
			e.TypeIDs = append(e.TypeIDs, p.Sequence.TypeID)
			e.Words = append(e.Words, x.word)
			e.Tokens = append(e.Tokens, text)
			e.Offsets = append(e.Offsets, o)
			e.Sequences = append(e.Sequences, int8(k))
		}
	}
	return e
}

func (p *SequencePiece) place() int {
	if p.ID == "B" {
		return 1
	}
	return 0
}

// surface is the text of a token, without a copy where it is an added one's.
func (t *Tokenizer) surface(s *state, x token) string {
	b := s.b[x.from:x.to]
	if a := t.added[x.id]; a != nil && a.Content == string(b) {
		return a.Content
	}
	return string(b)
}

// span is what of the original a token stands for.
func (s *state) span(x token) Span {
	if x.from >= x.to {
		at := s.at(min(int(x.from), len(s.b)-1)).From
		return Span{at, at}
	}
	if s.same && s.b[x.from] < 0x80 && s.b[x.to-1] < 0x80 {
		return Span{x.from, x.to}
	}
	return Span{s.at(int(x.from)).From, s.at(int(x.to) - 1).To}
}

// Decode returns the text that tokens stand for, without the special ones
// where skipSpecial says so.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) (string, error) {
	tokens := make([]string, 0, len(ids))
	for i, id := range ids {
		text, ok := t.Token(id)
		if !ok {
			return "", fmt.Errorf("ids[%d]: there is no token %d, expected 0 to %d", i, id, t.Size()-1)
		}
		if a := t.added[id]; skipSpecial && a != nil && a.Special {
			continue
		}
		tokens = append(tokens, text)
	}
	if t.spec.Decoder == nil {
		return strings.Join(tokens, " "), nil
	}
	return strings.Join(t.spec.Decoder.decode(slices.Clip(tokens)), ""), nil
}
