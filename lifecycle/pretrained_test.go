package lifecycle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hone-ml/hone/data"
)

// TestPretrained: an encoder from a folder through a run, frozen and trained further,
// to a bundle that predicts what the run predicted when the folder is gone; a run
// that was done with other files of the folder is another run.
func TestPretrained(t *testing.T) {
	t.Parallel()
	for _, tune := range []string{"none", "all", "last_n, blocks: 1", "lora, rank: 2"} {
		t.Run(tune, func(t *testing.T) {
			dir := t.TempDir()
			folder := filepath.Join(dir, "models", "tiny")
			if err := os.CopyFS(folder, os.DirFS("../embed/testdata/sentence")); err != nil {
				t.Fatal(err)
			}
			letters(t, filepath.Join(dir, "train.csv"), 160, 1)
			letters(t, filepath.Join(dir, "test.csv"), 60, 2)
			yaml := fmt.Sprintf(`data: {source: train.csv, test: test.csv}
inputs:
  - {name: letter, type: text, encoder: {type: pretrained, from: models/tiny, tune: %s}}
  - amount
outputs: [subject]
network: {type: mlp, widths: [8]}
train: {epochs: 1, batch_size: 16}
evaluate: {bootstrap: 0}
`, tune)
			file := filepath.Join(dir, "hone.yaml")
			if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
				t.Fatal(err)
			}
			load := func() *Config {
				t.Helper()
				c, err := LoadConfig(file, nil)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			fingerprint := func() string {
				t.Helper()
				p, err := load().prepare()
				if err != nil {
					t.Fatal(err)
				}
				return p.fingerprint
			}
			before := fingerprint()
			s, _ := mustRun(t, load())
			if after := fingerprint(); after != before {
				t.Errorf("the same folder has the fingerprints %s and %s", before, after)
			}
			prompt := filepath.Join(folder, "config_sentence_transformers.json")
			if err := os.WriteFile(prompt, []byte(`{"prompts": {"some": "my "}, "default_prompt_name": "some"}`), 0o644); err != nil {
				t.Fatal(err)
			}
			if fingerprint() == before {
				t.Error("with another prompt the fingerprint is the same")
			}
			if err := os.RemoveAll(filepath.Dir(folder)); err != nil {
				t.Fatal(err)
			}
			m := mustLoad(t, s.Bundle)
			e, err := EvaluateFile(context.Background(), m, m, filepath.Join(dir, "test.csv"), data.Options{}, 0, 0.95, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"log_loss", "accuracy", "roc_auc"} {
				if got, want := e.Metrics[name].Value, s.Test[name].Value; got != want || want == 0 {
					t.Errorf("%s of the bundle is %v, in the run %v", name, got, want)
				}
			}
			table, _, err := data.Read(filepath.Join(dir, "test.csv"), data.Options{})
			if err != nil {
				t.Fatal(err)
			}
			all, err := m.Predict(context.Background(), table)
			if err != nil {
				t.Fatal(err)
			}
			for i := range table.Rows {
				one, err := m.Predict(context.Background(), table.Slice(i, i+1))
				if err != nil {
					t.Fatal(err)
				}
				if one.Prob[0] != all.Prob[i] {
					t.Errorf("row %d is %v alone and %v among others", i, one.Prob[0], all.Prob[i])
				}
			}
		})
	}
}
