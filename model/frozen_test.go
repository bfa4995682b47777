package model

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/feature"
)

// TestTwoFrozenEncoders: a column that two frozen encoders read, and a column whose
// name begins with another's, come back from the bundle.
func TestTwoFrozenEncoders(t *testing.T) {
	rows := articles(t, 40, 1)
	m := reader(t, rows, "pretrained none", &Linear{})
	var twice []Input
	for _, in := range m.Inputs {
		if twice = append(twice, in); in.Feature.Type() == "text" {
			twice = append(twice, in)
		}
	}
	m.Inputs = twice
	learnTexts(t, m, rows, 1)
	want, err := m.Predict(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.hone")
	if err := m.Save(path, "test"); err != nil {
		t.Fatal(err)
	}
	back, _, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := back.Predict(context.Background(), rows)
	if err != nil || !slices.Equal(got.Prob, want.Prob) {
		t.Errorf("%v: other predictions by the bundle", err)
	}
}

// TestDamagedEncoders: a pre-trained encoder with impossible sizes in features.json is
// an error.
func TestDamagedEncoders(t *testing.T) {
	rows := articles(t, 40, 1)
	for _, tune := range []string{"none", "all"} {
		m := reader(t, rows, "pretrained "+tune, &Linear{})
		m.Network = &MLP{Activation: "relu"}
		learnTexts(t, m, rows, 1)
		parts, err := m.Parts()
		if err != nil {
			t.Fatal(err)
		}
		features := parts[0].Content
		for _, damage := range []string{
			`"units": 12|"units": -12`, `"units": 12|"units": 4611686018427387904`, `"vocabulary": 110|"vocabulary": 16777216`,
			`"width": 16|"width": 16777216`, `"modes": [|"modes": ["last",`, `"modes": [|"modes": ["mean","mean","mean",`,
		} {
			old, new, _ := strings.Cut(damage, "|")
			if !bytes.Contains(features, []byte(old)) {
				t.Fatalf("%s: there is no %s", tune, old)
			}
			if _, err := fromParts(bytes.Replace(features, []byte(old), []byte(new), 1), parts[1].Content); err == nil {
				t.Errorf("%s: %s is taken", tune, new)
			}
		}
	}
}

// TestTuned: of an encoder that others have trained, what was asked for is trained, and
// nothing else.
func TestTuned(t *testing.T) {
	rows := articles(t, 40, 1)
	for tune, own := range map[string]func(name string) bool{
		"none": func(string) bool { return false },
		"all":  func(string) bool { return true },
		"last_n": func(name string) bool {
			return strings.Contains(name, "/block_2/") || strings.Contains(name, "/pooled/")
		},
		"lora": func(name string) bool { return strings.Contains(name, "/lora_") },
	} {
		m := reader(t, rows, "pretrained "+tune, &Linear{})
		m.Network = &MLP{Activation: "relu"}
		for _, in := range m.Inputs {
			if f, ok := in.Feature.(*feature.Text); ok {
				f.FittedText.(*feature.Pretrained).Blocks = 1
			}
		}
		learnTexts(t, m, rows, 1)
		for _, v := range m.State.Variables() {
			if part := strings.HasPrefix(v.Name, "input/title/") || strings.HasPrefix(v.Name, "input/body/"); part && v.Trainable != own(v.Name) {
				t.Errorf("%s: trained is %v of %s", tune, v.Trainable, v.Name)
			}
		}
	}
}
