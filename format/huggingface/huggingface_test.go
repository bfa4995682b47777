package huggingface

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/format/safetensors"
)

// fixtures are the tiny encoders of package embed, whose values are tested there.
const fixtures = "../../embed/testdata"

// copied is a fixture in a folder that a test may change.
func copied(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(fixtures, name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit changes a file of JSON.
func edit(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	change(v)
	if raw, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// reweigh changes the tensors of a file.
func reweigh(t *testing.T, path string, change func(*safetensors.File)) {
	t.Helper()
	f, err := safetensors.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change(f)
	if err := f.WriteFile(path); err != nil {
		t.Fatal(err)
	}
}

func without(f *safetensors.File, name string) {
	f.Tensors = slices.DeleteFunc(f.Tensors, func(e safetensors.Entry) bool { return e.Name == name })
}

func TestMistakes(t *testing.T) {
	config := func(key string, value any) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "config.json"), func(v map[string]any) { v[key] = value })
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	weights := func(change func(*safetensors.File)) func(*testing.T, string) {
		return func(t *testing.T, dir string) { reweigh(t, filepath.Join(dir, "model.safetensors"), change) }
	}
	write := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, folder string
		change       func(*testing.T, string)
		want         []string
	}{
		{"architecture", "bert", config("model_type", "mpnet"), []string{`model_type is "mpnet"`, "known are", "bert, camembert, distilbert, electra, roberta, xlm-roberta"}},
		{"no config", "bert", remove("config.json"), []string{"there is no config.json", "save_pretrained"}},
		{"config", "bert", write("config.json", "{"), []string{"config.json: unexpected end"}},
		{"no size", "bert", config("hidden_size", nil), []string{"hidden_size is missing", "whole number"}},
		{"heads", "bert", config("num_attention_heads", 3), []string{"3 heads of a width of 16"}},
		{"activation", "bert", config("hidden_act", "mish"), []string{`hidden_act is "mish"`, "gelu_new"}},
		{"positions", "bert", config("position_embedding_type", "relative_key"), []string{`"relative_key"`, "absolute"}},
		{"decoder", "bert", config("is_decoder", true), []string{"is_decoder is true"}},
		{"padding", "roberta", config("pad_token_id", nil), []string{"pad_token_id is missing"}},
		{"shape", "roberta", weights(func(f *safetensors.File) {
			f.Tensors[0] = safetensors.FromFloats("embeddings.LayerNorm.bias", make([]float32, 3), 3)
		}), []string{`"embeddings.LayerNorm.bias" is [3], expected [16]`, "model.safetensors)"}},
		{"missing", "roberta", weights(func(f *safetensors.File) { without(f, "encoder.layer.1.output.dense.bias") }), []string{`lack "encoder.layer.1.output.dense.bias"`}},
		{"missing many", "roberta", config("num_hidden_layers", 3), []string{"lack", "encoder.layer.2.", "and 13 more"}},
		{"left over", "roberta", config("num_hidden_layers", 1), []string{"hold", "encoder.layer.1.", "no place"}},
		{"another width", "roberta", config("intermediate_size", 48), []string{"is [32 16], expected [48 16]"}},
		{"both", "roberta", weights(func(f *safetensors.File) { f.Tensors[0].Name = "embeddings.other" }), []string{"lack", "and hold", "embeddings.other"}},
		{"whole numbers", "roberta", weights(func(f *safetensors.File) {
			f.Tensors[0] = safetensors.FromInts("embeddings.LayerNorm.bias", make([]int32, 16), 16)
		}), []string{"I32", "floating point"}},
		{"pickle", "roberta", func(t *testing.T, dir string) {
			remove("model.safetensors")(t, dir)
			write("pytorch_model.bin", "pickle")(t, dir)
		}, []string{"a pickle", "save_pretrained"}},
		{"no weights", "roberta", remove("model.safetensors"), []string{"no model.safetensors and no model.safetensors.index.json"}},
		{"shard", "bert", remove("model-00002-of-00003.safetensors"), []string{"the shard is missing", "3 shards"}},
		{"shard elsewhere", "bert", write("model.safetensors.index.json", `{"weight_map": {"a": "../a.safetensors"}}`), []string{`"../a.safetensors"`, "same folder"}},
		{"damaged", "roberta", write("model.safetensors", "x"), []string{"model.safetensors"}},
		{"no tokenizer", "bert", remove("vocab.txt"), []string{"no tokenizer.json and no vocab.txt"}},
		{"slow tokenizer", "bert", func(t *testing.T, dir string) {
			remove("vocab.txt")(t, dir)
			write("sentencepiece.bpe.model", "x")(t, dir)
		}, []string{"the tokenizer is in sentencepiece.bpe.model", "AutoTokenizer"}},
		{"another tokenizer", "bert", func(t *testing.T, dir string) {
			raw, err := os.ReadFile(filepath.Join(dir, "vocab.txt"))
			if err != nil {
				t.Fatal(err)
			}
			write("vocab.txt", string(raw)+"more\n")(t, dir)
		}, []string{"ids up to 110", "110 tokens", "another model"}},
		{"module", "sentence", write("modules.json", `[{"path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.LSTM"}]`), []string{`"x.LSTM"`, "expected Transformer"}},
		{"module elsewhere", "sentence", write("modules.json", `[{"path": "../..", "type": "x.Transformer"}]`), []string{"leaves the folder"}},
		{"no pooling", "sentence", write("modules.json", `[{"path": "", "type": "x.Transformer"}]`), []string{"no Transformer and Pooling"}},
		{"pooling", "sentence", write("1_Pooling/config.json", `{"pooling_mode": "lasttoken"}`), []string{"lasttoken is not known", "cls, mean or max"}},
		{"many poolings", "sentence", write("1_Pooling/config.json", `{"pooling_mode": "cls+cls+cls+cls"}`), []string{"of 4 modes is not known", "cls, mean or max"}},
		{"old pooling", "sentence", write("1_Pooling/config.json", `{"pooling_mode_weightedmean_tokens": true}`), []string{"pooling_mode_weightedmean_tokens is not known"}},
		{"dense", "sentence", write("2_Dense/config.json", `{"in_features": 16, "out_features": 12, "bias": true, "activation_function": "torch.nn.modules.activation.Mish"}`), []string{"Mish", "Tanh"}},
		{"dense shape", "sentence", write("2_Dense/config.json", `{"in_features": 16, "out_features": 11, "bias": true, "activation_function": "torch.nn.modules.activation.Tanh"}`), []string{"[12 16], expected [11 16]"}},
		{"dense size", "sentence", write("2_Dense/config.json", `{"in_features": 16, "out_features": 1000000000000000000, "bias": false, "activation_function": "torch.nn.modules.activation.Tanh"}`), []string{"[12 16], expected [1000000000000000000 16]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copied(t, c.folder)
			c.change(t, dir)
			_, err := Read(dir)
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v; expected %q in it", err, want)
				}
			}
			if !strings.Contains(err.Error(), filepath.Dir(dir)) {
				t.Errorf("%v; expected the file in it", err)
			}
		})
	}
	if _, err := Read(filepath.Join(fixtures, "make.py")); err == nil || !strings.Contains(err.Error(), "expected a folder") {
		t.Errorf("a file is read: %v", err)
	}
}

// TestFolder: what stands in older and newer files of sentence-transformers, heads
// and the length of texts.
func TestFolder(t *testing.T) {
	f, err := Read(filepath.Join(fixtures, "bert"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Ignored) == 0 || !strings.HasPrefix(f.Ignored[0], "cls.") {
		t.Errorf("ignored are %v, expected the head", f.Ignored)
	}
	dir := copied(t, "sentence")
	if err := os.WriteFile(filepath.Join(dir, "1_Pooling/config.json"), []byte(`{"word_embedding_dimension": 16, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sentence_bert_config.json"), []byte(`{"max_seq_length": 9}`), 0o644); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "config_sentence_transformers.json"), func(v map[string]any) {
		v["prompts"], v["default_prompt_name"] = map[string]string{"query": "query: ", "passage": "passage: ", "all": "text: "}, "all"
	})
	if _, err = Read(dir); err == nil || !strings.Contains(err.Error(), "takes vectors of 16, what comes before it makes 32") {
		t.Errorf("a dense layer of another width: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "modules.json"), []byte(`[{"path": "", "type": "x.Transformer"}, {"path": "1_Pooling", "type": "x.Pooling"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err = Read(dir); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Pooling.Modes, []string{"cls", "mean"}) || f.Pooling.Normalize || f.Prompt != "text: " || f.Query != "query: " || f.Passage != "passage: " {
		t.Errorf("pooling %v, prompts %q, %q, %q", f.Pooling, f.Prompt, f.Query, f.Passage)
	}
	ids, err := f.Tokenizer.AppendIDs(nil, strings.Repeat("card ", 50))
	if err != nil || len(ids) != 9 {
		t.Errorf("a text has %d tokens, expected 9: %v", len(ids), err)
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x3555: 0.333251953125, 0x7c00: float32(math.Inf(1)), 0x8000: 0,
	} {
		if got := half(bits); got != want {
			t.Errorf("%#x is %g, expected %g", bits, got, want)
		}
	}
	if h := half(0x7e00); h == h {
		t.Errorf("found %g, expected no number", h)
	}
}

// FuzzConfig: no config.json makes Read panic, or read what its weights are not.
func FuzzConfig(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join(fixtures, "roberta/config.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(bytes.Replace(raw, []byte(`"hidden_size": 16`), []byte(`"hidden_size": 1e300`), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		e, _, err := readConfig(dir)
		if err == nil && (e.Check() != nil || e.Length() < 1) {
			t.Errorf("%+v is read", e)
		}
	})
}
