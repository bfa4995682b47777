package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/bench/internal/public"
)

func TestJoined(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if strings.HasSuffix(name, ".gz") {
			z := gzip.NewWriter(f)
			defer z.Close()
			_, err = z.Write([]byte(text))
		} else {
			_, err = f.WriteString(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, c := write("a.csv.gz", "x,y\n1,2\n3,4"), write("b.csv", "x,y\n5,6\n"), write("c.csv", "x,z\n7,8\n")
	got, err := joined(a, b)
	if want := "x,y\n1,2\n3,4\n5,6\n"; err != nil || string(got) != want {
		t.Errorf("found %q, %v, expected %q", got, err, want)
	}
	if _, err := joined(a, c); err == nil || !strings.Contains(err.Error(), `found the header "x,z"`) {
		t.Errorf("found the error %v", err)
	}
}

// said is `hone run --json` with n folds, cut down to what is read.
func said(t *testing.T, n int) (got foldSummary) {
	t.Helper()
	scores := `{"accuracy":0.75,"roc_auc":0.8,"log_loss":0.5}`
	spreads := `{"accuracy":{"mean":0.75,"deviation":0.0625,"folds":20},"roc_auc":{"mean":0.8,"deviation":0.1,"folds":20},"log_loss":{"mean":0.5,"deviation":0.2,"folds":20}}`
	each := strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"repeat":1,"fold":1,"scores":%s},`, scores), n), ",")
	text := fmt.Sprintf(`{"seconds":3,"cross_validation":{"scores":%s,"baselines":{"linear":%[1]s},"each":[%[2]s]}}`, spreads, each)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFoldResults(t *testing.T) {
	sets, err := public.Choose("heart-disease")
	if err != nil {
		t.Fatal(err)
	}
	results, err := foldResults(sets[0], said(t, folds*repeats))
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Metric != "accuracy" || r.Mean != 0.75 || r.SD != 0.0625 || len(r.Values) != 20 || r.Linear.Mean != 0.75 || r.Peer.Linear.Mean != 0.8465 {
		t.Errorf("found %+v", r)
	}
	var text strings.Builder
	foldsMarkdown(&text, output{Version: "hone version test", Folds: results})
	if want := "| heart-disease | accuracy | 0.7500 ± 0.0625 | 0.7500 ± 0.0625 | 0.8465 ± 0.0494 | 0.8201 ± 0.0528 | 0.8076 ± 0.0497 |\n"; !strings.Contains(text.String(), want) {
		t.Errorf("expected %q in:\n%s", want, text.String())
	}
	if _, err := foldResults(sets[0], said(t, 3)); err == nil || !strings.Contains(err.Error(), "does not have 20 folds") {
		t.Errorf("found the error %v", err)
	}
	if _, err := foldResults(sets[0], foldSummary{}); err == nil {
		t.Error("found no error without folds")
	}
}

func TestEveryTableHasPeers(t *testing.T) {
	for _, s := range public.Sets {
		for _, m := range s.Metrics() {
			p := peers[s.Name][m]
			if p.Linear == 0 || p.MLP == 0 || p.HGB == 0 {
				t.Errorf("%s has no figures of the peers for %s", s.Name, m)
			}
		}
	}
}
