package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hone-ml/hone/text"
)

// maxFile is the size from which a file is refused. The largest tokenizers
// have some 35 MB.
const maxFile = 256 << 20

// ReadFile reads a tokenizer from tokenizer.json or BERT's vocab.txt, or from
// the folder that holds one of them. A vocab.txt that is not lower-cased
// needs its lowercase option: see ParseVocab.
func ReadFile(path string) (*text.Tokenizer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		dir := path
		path = filepath.Join(dir, "tokenizer.json")
		if _, err := os.Stat(path); os.IsNotExist(err) {
			if path = filepath.Join(dir, "vocab.txt"); !exists(path) {
				return nil, fmt.Errorf("%s: found no tokenizer.json and no vocab.txt", dir)
			}
		}
		if info, err = os.Stat(path); err != nil {
			return nil, err
		}
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes, expected at most %d", path, info.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t *text.Tokenizer
	if strings.EqualFold(filepath.Ext(path), ".txt") {
		lower := true
		if lower, err = lowercase(filepath.Join(filepath.Dir(path), "tokenizer_config.json")); err == nil {
			t, err = ParseVocab(b, lower)
		}
	} else {
		t, err = Parse(b)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lowercase reads do_lower_case of a tokenizer_config.json beside vocab.txt;
// true where there is none.
func lowercase(path string) (bool, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return true, nil
	}
	c := struct {
		DoLowerCase *bool `json:"do_lower_case"`
	}{}
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return false, fmt.Errorf("tokenizer_config.json: %w", err)
	}
	return c.DoLowerCase == nil || *c.DoLowerCase, nil
}

// Parse reads tokenizer.json.
func Parse(b []byte) (*text.Tokenizer, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, fmt.Errorf("an empty file")
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("not UTF-8")
	}
	var file map[string]json.RawMessage
	if err := decode("", b, &file); err != nil {
		return nil, err
	}
	known := []string{"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"}
	if err := checkKeys("", file, known, []string{"model"}); err != nil {
		return nil, err
	}
	if v, ok := file["version"]; ok {
		var version string
		if err := decode("version", v, &version); err != nil {
			return nil, err
		}
		if version != "1.0" {
			return nil, fmt.Errorf("version: found %q, expected \"1.0\"", version)
		}
	}
	var s text.Spec
	var err error
	if raw := file["truncation"]; !null(raw) {
		s.Truncation = &text.Truncation{Direction: "Right"}
		if err := object("truncation", raw, s.Truncation, []string{"max_length", "strategy", "stride"}); err != nil {
			return nil, err
		}
	}
	if raw := file["padding"]; !null(raw) {
		if s.Padding, err = readPadding(raw); err != nil {
			return nil, err
		}
	}
	if raw := file["added_tokens"]; !null(raw) {
		var tokens []json.RawMessage
		if err := decode("added_tokens", raw, &tokens); err != nil {
			return nil, err
		}
		s.Added = make([]text.AddedToken, len(tokens))
		for i, raw := range tokens {
			if err := object(fmt.Sprintf("added_tokens[%d]", i), raw, &s.Added[i], tags(text.AddedToken{})); err != nil {
				return nil, err
			}
		}
	}
	if s.Normalizer, err = union("normalizer", file["normalizer"], "normalizers", text.Normalizers,
		func(l []text.Normalizer) text.Normalizer { return &text.NormalizerSequence{Normalizers: l} }); err != nil {
		return nil, err
	}
	if s.PreTokenizer, err = union("pre_tokenizer", file["pre_tokenizer"], "pretokenizers", text.PreTokenizers,
		func(l []text.PreTokenizer) text.PreTokenizer { return &text.PreTokenizerSequence{PreTokenizers: l} }); err != nil {
		return nil, err
	}
	if s.Processor, err = union("post_processor", file["post_processor"], "processors", text.Processors,
		func(l []text.Processor) text.Processor { return &text.ProcessorSequence{Processors: l} }); err != nil {
		return nil, err
	}
	if s.Decoder, err = union("decoder", file["decoder"], "decoders", text.Decoders,
		func(l []text.Decoder) text.Decoder { return &text.DecoderSequence{Decoders: l} }); err != nil {
		return nil, err
	}
	if s.Model, err = union("model", file["model"], "", text.Models, nil); err != nil {
		return nil, err
	}
	return text.New(s)
}

// paddingFile is Padding as it is written.
type paddingFile struct {
	Strategy        json.RawMessage `json:"strategy"`
	Direction       string          `json:"direction"`
	PadToMultipleOf *int            `json:"pad_to_multiple_of"`
	PadID           int32           `json:"pad_id"`
	PadTypeID       int32           `json:"pad_type_id"`
	PadToken        string          `json:"pad_token"`
}

func readPadding(raw []byte) (*text.Padding, error) {
	var f paddingFile
	if err := object("padding", raw, &f, []string{"strategy", "direction", "pad_id", "pad_type_id", "pad_token"}); err != nil {
		return nil, err
	}
	p := &text.Padding{Direction: f.Direction, PadID: f.PadID, PadTypeID: f.PadTypeID, PadToken: f.PadToken}
	if f.PadToMultipleOf != nil {
		p.PadToMultipleOf = *f.PadToMultipleOf
	}
	var fixed struct{ Fixed int }
	if string(f.Strategy) == `"BatchLongest"` {
		return p, nil
	}
	if err := json.Unmarshal(f.Strategy, &fixed); err != nil || fixed.Fixed < 1 {
		return nil, fmt.Errorf("padding.strategy: found %.60s, expected \"BatchLongest\" or {\"Fixed\": length}", f.Strategy)
	}
	p.Fixed = fixed.Fixed
	return p, nil
}

func null(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// maxDepth bounds how deep sequences lie in one another.
const maxDepth = 16

// union reads one of several kinds of parts by its key "type". "Sequence" is
// a list of them under the key list; without a key there is no such type.
func union[T any](path string, raw json.RawMessage, list string, kinds []text.Kind[T], sequence func([]T) T) (T, error) {
	var none T
	if null(raw) {
		return none, nil
	}
	if strings.Count(path, "[") > maxDepth {
		return none, fmt.Errorf("%s: sequences lie more than %d deep in one another", path, maxDepth)
	}
	var keys map[string]json.RawMessage
	if err := decode(path, raw, &keys); err != nil {
		return none, err
	}
	var name string
	if raw, ok := keys["type"]; ok || path != "model" {
		if err := decode(path+".type", raw, &name); err != nil {
			return none, err
		}
	} else {
		name = untyped(keys)
	}
	if list != "" && name == "Sequence" {
		if err := checkKeys(path, keys, []string{"type", list}, []string{list}); err != nil {
			return none, err
		}
		var parts []json.RawMessage
		if err := decode(path+"."+list, keys[list], &parts); err != nil {
			return none, err
		}
		out := make([]T, len(parts))
		for i, raw := range parts {
			at := fmt.Sprintf("%s.%s[%d]", path, list, i)
			if null(raw) {
				return none, fmt.Errorf("%s: found null, expected an object", at)
			}
			var err error
			if out[i], err = union(at, raw, list, kinds, sequence); err != nil {
				return none, err
			}
		}
		return sequence(out), nil
	}
	var types []string
	for _, k := range kinds {
		if k.Type == name {
			part := k.New()
			return part, object(path, raw, part, required(part))
		}
		types = append(types, k.Type)
	}
	if list != "" {
		types = append(types, "Sequence")
	}
	return none, fmt.Errorf("%s.type: found %q, expected one of %s", path, name, strings.Join(types, ", "))
}

// untyped is the type of a model in a file of before 2021, which does not say
// it: that of bert-base-uncased, for one.
func untyped(keys map[string]json.RawMessage) string {
	switch {
	case keys["merges"] != nil:
		return "BPE"
	case keys["max_input_chars_per_word"] != nil:
		return "WordPiece"
	case strings.HasPrefix(string(keys["vocab"]), "["):
		return "Unigram"
	}
	return "WordLevel"
}

// outdated are keys that older files have and that say nothing any more.
var outdated = map[string][]string{"Metaspace": {"str_rep"}}

// object reads an object into a struct, of whose keys it knows all and has
// those that are required.
func object(path string, raw []byte, into any, required []string) error {
	var keys map[string]json.RawMessage
	if err := decode(path, raw, &keys); err != nil {
		return err
	}
	known := append(tags(into), "type")
	var name string
	if json.Unmarshal(keys["type"], &name) == nil {
		known = append(known, outdated[name]...)
	}
	if err := checkKeys(path, keys, known, required); err != nil {
		return err
	}
	return decode(path, raw, into)
}

// tags returns the keys of a struct, or of what points to one.
func tags(v any) (keys []string) { return fields(v, func(reflect.StructField) bool { return true }) }

func required(v any) []string {
	return fields(v, func(f reflect.StructField) bool { return f.Tag.Get("required") != "" })
}

func fields(v any, want func(reflect.StructField) bool) (keys []string) {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" && key != "-" && want(f) {
			keys = append(keys, key)
		}
	}
	return keys
}

func checkKeys(path string, keys map[string]json.RawMessage, known, required []string) error {
	var found []string
	for k := range keys {
		found = append(found, k)
	}
	sort.Strings(found)
	for _, k := range found {
		if !slices.Contains(known, k) {
			return fmt.Errorf("%s: unknown key, expected one of %s", join(path, k), strings.Join(known, ", "))
		}
	}
	for _, k := range required {
		if _, ok := keys[k]; !ok {
			return fmt.Errorf("%s: missing", join(path, k))
		}
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// decode reads JSON and says where a mistake lies.
func decode(path string, raw []byte, into any) error {
	if len(raw) == 0 {
		return fmt.Errorf("%s: missing", path)
	}
	err := json.Unmarshal(raw, into)
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case asError(err, &wrong):
		err = fmt.Errorf("found %s, expected %s", wrong.Value, kindOf(wrong.Type))
		path = join(path, wrong.Field)
	case asError(err, &syntax):
		line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
		err = fmt.Errorf("not JSON in line %d: %w", line, err)
	}
	if path = strings.TrimSuffix(path, "."); path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
