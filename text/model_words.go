package text

import "fmt"

// WordLevel takes every piece for one token.
type WordLevel struct {
	Vocab    *Vocab `json:"vocab" required:"true"`
	UnkToken string `json:"unk_token" required:"true"`
	unk      int32
}

func (m *WordLevel) prepare() (err error) {
	m.unk, err = unknown(m.Vocab, m.UnkToken)
	return err
}

func unknown(v *Vocab, token string) (int32, error) {
	if v == nil {
		return 0, fmt.Errorf("vocab: found null, expected an object")
	}
	id, ok := v.ID(token)
	if !ok {
		return 0, fmt.Errorf("unk_token: %q is not in the vocabulary of %d tokens", token, v.Len())
	}
	return id, nil
}

func (m *WordLevel) vocabulary() *Vocab { return m.Vocab }

func (m *WordLevel) tokenize(s *state, p piece) {
	id, ok := m.Vocab.ids[string(s.b[p.from:p.to])]
	if !ok {
		id = m.unk
	}
	s.emit(id, int(p.from), int(p.to))
}
