package feature

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/embed"
)

const tinyEncoder = "../embed/testdata/sentence"

func pretrained(t *testing.T, change func(*PretrainedOptions)) *PretrainedOptions {
	t.Helper()
	o := &PretrainedOptions{From: tinyEncoder}
	if err := config.Defaults(o); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(o)
	}
	return o
}

// TestFrozen: the vector of a frozen encoder is that of package embed, for known and
// new texts and after its weights went through a bundle's parts.
func TestFrozen(t *testing.T) {
	e, err := embed.Load(tinyEncoder)
	if err != nil {
		t.Fatal(err)
	}
	c, err := data.FromRecords(data.Schema{{Name: "a", Type: data.Text}}, []map[string]any{{"a": "my card"}, {"a": nil}, {"a": "the café"}, {"a": "my card"}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := e.Embed([]string{"my card", "", "the café", "my card"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := (&TextOptions{Encoder: TextEncoder{"pretrained", pretrained(t, nil)}}).Fit(c.Columns[0])
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalInput(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.(Sequence).Sequences(c.Columns[0]); err == nil {
		t.Error("an encoder without weights makes vectors")
	}
	if err := back.(Weighted).SetWeights(in.(Weighted).Weights()); err != nil {
		t.Fatal(err)
	}
	for _, in := range []Input{in, in, back} {
		s, err := in.(Sequence).Sequences(c.Columns[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Values[0].Floats(); !slices.Equal(got, slices.Concat(want...)) {
			t.Errorf("found %v, expected %v", got, want)
		}
	}
	less := in.(Weighted).Weights()
	delete(less, "encoder/types")
	if err := back.(Weighted).SetWeights(less); err == nil || !strings.Contains(err.Error(), "encoder/types") {
		t.Errorf("missing weights: %v", err)
	}
}

func TestPretrainedMistakes(t *testing.T) {
	for want, change := range map[string]func(*PretrainedOptions){
		"no such folder":       func(o *PretrainedOptions) { o.From = filepath.Join(tinyEncoder, "none") },
		"3 of the last blocks": func(o *PretrainedOptions) { o.Tune, o.Blocks = "last_n", 3 },
		"rank is 17":           func(o *PretrainedOptions) { o.Tune, o.Rank = "lora", 17 },
		"texts of 35 tokens":   func(o *PretrainedOptions) { o.MaxLength = 35 },
	} {
		if _, err := pretrained(t, change).Fit([]string{"card"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	if err := pretrained(t, func(o *PretrainedOptions) { o.From = "" }).Validate(); err == nil || !strings.Contains(err.Error(), "from is missing") {
		t.Errorf("without a folder: %v", err)
	}
	f, err := pretrained(t, func(o *PretrainedOptions) { o.Tune, o.Prefix, o.MaxLength = "lora", "query: ", 9 }).Fit([]string{"card"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{`"tune":"lora"|"tune":"some"`, `"rank":8|"rank":800`, `"dropout":0.1|"dropout":1`, `"rate":0.1|"rate":-1`} {
		old, new, _ := strings.Cut(damage, "|")
		var back Pretrained
		err := json.Unmarshal([]byte(strings.Replace(string(raw), old, new, 1)), &back)
		if err == nil {
			err = back.valid()
		}
		if err == nil || !strings.Contains(string(raw), old) {
			t.Errorf("%s is not refused", new)
		}
	}
	var back Pretrained
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	s, err := back.Sequences([]string{strings.Repeat("card ", 30)})
	if err != nil || s.Offsets[1] != 9 || back.Model.Prefix != "query: " {
		t.Errorf("%v tokens by prefix %q: %v", s.Offsets, back.Model.Prefix, err)
	}
}
