package lifecycle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
)

// letters writes n short and long letters, of which a few words tell the subject.
func letters(t *testing.T, path string, n int, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	about := map[string][]string{"card": {"card", "pin", "信用卡"}, "loan": {"loan", "rate", "贷款"}}
	var b strings.Builder
	b.WriteString("letter,amount,subject\n")
	for range n {
		subject := []string{"card", "loan"}[r.IntN(2)]
		words := []string{about[subject][r.IntN(3)]}
		for range r.IntN(1 + r.IntN(60)) {
			words = append(words, fmt.Sprint("w", r.IntN(40)))
		}
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		fmt.Fprintf(&b, "%s,%d,%s\n", strings.Join(words, " "), r.IntN(100), subject)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTexts: one column read by two encoders beside a number, bagged, from the file
// to the same predictions by the bundle; what is cut is told; a plan knows the
// lengths.
func TestTexts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	letters(t, filepath.Join(dir, "train.csv"), 360, 1)
	letters(t, filepath.Join(dir, "test.csv"), 120, 2)
	file := filepath.Join(dir, "hone.yaml")
	yaml := `data: {source: train.csv, test: test.csv}
inputs:
  - {name: letter, type: text, encoder: {type: ngrams, dimension: 16}}
  - {name: letter, type: text, normalize: {html: true}, encoder: {type: cnn, dimension: 16, filters: 8, max_length: 40}}
  - amount
outputs: [subject]
network: {type: mlp, widths: [16]}
train: {epochs: 8, batch_size: 16, bagging: 2, optimizer: {type: adamw, learning_rate: 0.01}}
evaluate: {bootstrap: 0}
`
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Inputs) != 3 || plan.StepBytes <= 0 || plan.StepFLOP <= 0 || plan.Seconds <= 0 {
		t.Errorf("%+v", plan)
	}
	if w := strings.Join(plan.Warnings, "\n"); !strings.Contains(w, "training texts have more than 40 tokens, of which the first are read") {
		t.Errorf("nothing is said of texts that are cut:\n%s", w)
	}
	s, _ := mustRun(t, c)
	if got := s.Test["accuracy"].Value; got < 0.9 {
		t.Errorf("accuracy %g of words that tell the subject", got)
	}
	m := mustLoad(t, s.Bundle)
	table, _, err := data.Read(filepath.Join(dir, "test.csv"), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := m.Predict(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 7, 119} {
		one, err := m.Predict(context.Background(), table.Slice(i, i+1))
		if err != nil {
			t.Fatal(err)
		}
		if one.Prob[0] != all.Prob[i] {
			t.Errorf("row %d is %g alone and %g among others", i, one.Prob[0], all.Prob[i])
		}
	}
	if len(m.InputSchema()) != 2 {
		t.Errorf("a row to predict has %d fields, expected a letter and an amount", len(m.InputSchema()))
	}

	twice := strings.Replace(yaml, "  - amount", "  - {name: letter, type: text, encoder: {type: ngrams, dimension: 16}}", 1)
	if err := os.WriteFile(file, []byte(twice), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = LoadConfig(file, nil)
	wantError(t, err, `inputs: "letter" stands twice with the same options`)
	numbers := strings.Replace(yaml, "  - amount", "  - {name: amount, type: text}", 1)
	if err := os.WriteFile(file, []byte(numbers), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err = LoadConfig(file, nil); err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(context.Background(), c)
	wantError(t, err, `column "amount" holds number values, an input of type text reads columns of type text`)
}
