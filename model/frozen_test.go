package model

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
