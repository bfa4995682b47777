package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/text"
)

func asError[T error](err error, target *T) bool { return errors.As(err, target) }

// kindOf says what JSON a Go type is read from.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// WriteFile writes a tokenizer as tokenizer.json.
func WriteFile(path string, t *text.Tokenizer) error {
	b, err := Format(t)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, b)
}

// Format returns tokenizer.json. Portable says whether others can read it.
func Format(t *text.Tokenizer) ([]byte, error) {
	s := t.Spec()
	f := fileOut{Version: "1.0", Truncation: s.Truncation, Added: s.Added}
	if f.Added == nil {
		f.Added = []text.AddedToken{}
	}
	if p := s.Padding; p != nil {
		o := &paddingFile{Strategy: json.RawMessage(`"BatchLongest"`), Direction: p.Direction, PadID: p.PadID, PadTypeID: p.PadTypeID, PadToken: p.PadToken}
		if p.Fixed > 0 {
			o.Strategy = fmt.Appendf(nil, `{"Fixed":%d}`, p.Fixed)
		}
		if p.PadToMultipleOf > 0 {
			o.PadToMultipleOf = &p.PadToMultipleOf
		}
		f.Padding = o
	}
	for _, p := range []struct {
		to   *json.RawMessage
		part any
	}{{&f.Normalizer, s.Normalizer}, {&f.PreTokenizer, s.PreTokenizer}, {&f.Processor, s.Processor}, {&f.Decoder, s.Decoder}, {&f.Model, s.Model}} {
		var err error
		if *p.to, err = formatPart(p.part); err != nil {
			return nil, err
		}
	}
	b, err := marshal(f)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, err
	}
	return append(bytes.TrimSpace(out.Bytes()), '\n'), nil
}

type fileOut struct {
	Version      string            `json:"version"`
	Truncation   *text.Truncation  `json:"truncation"`
	Padding      *paddingFile      `json:"padding"`
	Added        []text.AddedToken `json:"added_tokens"`
	Normalizer   json.RawMessage   `json:"normalizer"`
	PreTokenizer json.RawMessage   `json:"pre_tokenizer"`
	Processor    json.RawMessage   `json:"post_processor"`
	Decoder      json.RawMessage   `json:"decoder"`
	Model        json.RawMessage   `json:"model"`
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}

// formatPart writes a part with its type first.
func formatPart(part any) (json.RawMessage, error) {
	if part == nil || reflect.ValueOf(part).IsNil() {
		return json.RawMessage("null"), nil
	}
	if name, list, parts := sequenceOf(part); name != "" {
		out := fmt.Appendf(nil, `{"type":"Sequence",%q:[`, list)
		for i, p := range parts {
			if i > 0 {
				out = append(out, ',')
			}
			b, err := formatPart(p)
			if err != nil {
				return nil, err
			}
			out = append(out, b...)
		}
		return append(out, "]}"...), nil
	}
	name := typeOf(part)
	if name == "" {
		return nil, fmt.Errorf("%T is no part of a tokenizer.json", part)
	}
	b, err := marshal(part)
	if err != nil {
		return nil, err
	}
	out := fmt.Appendf(nil, `{"type":%q`, name)
	if rest := b[1:]; string(rest) != "}" {
		out = append(append(out, ','), rest...)
	} else {
		out = append(out, '}')
	}
	return out, nil
}

func sequenceOf(part any) (name, list string, parts []any) {
	switch q := part.(type) {
	case *text.NormalizerSequence:
		return "Sequence", "normalizers", anys(q.Normalizers)
	case *text.PreTokenizerSequence:
		return "Sequence", "pretokenizers", anys(q.PreTokenizers)
	case *text.ProcessorSequence:
		return "Sequence", "processors", anys(q.Processors)
	case *text.DecoderSequence:
		return "Sequence", "decoders", anys(q.Decoders)
	}
	return "", "", nil
}

func anys[T any](l []T) []any {
	out := make([]any, len(l))
	for i, v := range l {
		out[i] = v
	}
	return out
}

// typeOf returns the type by which the tables of text know a part.
func typeOf(part any) string {
	t := reflect.TypeOf(part)
	return cmpOr(find(text.Normalizers, t), find(text.PreTokenizers, t), find(text.Processors, t), find(text.Decoders, t), find(text.Models, t))
}

func cmpOr(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

func find[T any](kinds []text.Kind[T], t reflect.Type) string {
	for _, k := range kinds {
		if reflect.TypeOf(k.New()) == t {
			return k.Type
		}
	}
	return ""
}

// Portable returns an error that names the parts which only hone knows, or
// nil where other readers of tokenizer.json know all.
func Portable(t *text.Tokenizer) error {
	s := t.Spec()
	var own []string
	text.Walk(s.Normalizer, func(p any) { own = append(own, ownType(text.Normalizers, p)...) })
	text.Walk(s.PreTokenizer, func(p any) { own = append(own, ownType(text.PreTokenizers, p)...) })
	if len(own) == 0 {
		return nil
	}
	return fmt.Errorf("only hone knows %s", strings.Join(own, ", "))
}

func ownType[T any](kinds []text.Kind[T], part any) []string {
	for _, k := range kinds {
		if k.Own && reflect.TypeOf(k.New()) == reflect.TypeOf(part) {
			return []string{k.Type}
		}
	}
	return nil
}
