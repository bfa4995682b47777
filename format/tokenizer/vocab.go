package tokenizer

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/text"
)

// ParseVocab reads BERT's vocab.txt, a token a line, into BERT's tokenizer.
// Its special tokens [UNK], [CLS], [SEP], [PAD] and [MASK] are known by these
// names; the first three have to be there.
func ParseVocab(b []byte, lowercase bool) (*text.Tokenizer, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("not UTF-8")
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	v, err := text.NewVocab(lines)
	if err != nil {
		return nil, fmt.Errorf("a token a line, from 0: %w", err)
	}
	var added []text.AddedToken
	ids := map[string]text.NamedID{}
	for _, name := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if id, ok := v.ID(name); ok {
			ids[name] = text.NamedID{Token: name, ID: id}
			added = append(added, text.AddedToken{ID: id, Content: name, Special: true})
		}
	}
	for _, name := range []string{"[UNK]", "[CLS]", "[SEP]"} {
		if _, ok := ids[name]; !ok {
			return nil, fmt.Errorf("%s is not among its %d lines, expected BERT's vocabulary", name, len(lines))
		}
	}
	return text.New(text.Spec{
		Added:        added,
		Normalizer:   &text.BertNormalizer{CleanText: true, HandleChineseChars: true, Lowercase: lowercase},
		PreTokenizer: &text.BertPreTokenizer{},
		Processor:    &text.BertProcessing{Sep: ids["[SEP]"], Cls: ids["[CLS]"]},
		Decoder:      &text.WordPieceDecoder{Prefix: "##", Cleanup: true},
		Model:        &text.WordPiece{UnkToken: "[UNK]", ContinuingSubwordPrefix: "##", MaxInputCharsPerWord: 100, Vocab: v},
	})
}

// WriteVocab writes the vocabulary of a WordPiece tokenizer as vocab.txt.
func WriteVocab(path string, t *text.Tokenizer) error {
	m, ok := t.Spec().Model.(*text.WordPiece)
	if !ok {
		return fmt.Errorf("vocab.txt holds the vocabulary of WordPiece; the model is %s", typeOf(t.Spec().Model))
	}
	var out bytes.Buffer
	for id := range int32(m.Vocab.Len()) {
		token, ok := m.Vocab.Token(id)
		if !ok || strings.ContainsAny(token, "\r\n") {
			return fmt.Errorf("token %d: found %q, expected text of one line: vocab.txt counts lines", id, token)
		}
		fmt.Fprintln(&out, token)
	}
	return atomicfile.WriteBytes(path, out.Bytes())
}
