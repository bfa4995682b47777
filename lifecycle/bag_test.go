package lifecycle

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBagging looks at a run of a small table: a network for each part of the
// rows, validated on the rows that it did not train on, and the same bits after a
// kill in the middle of it.
func TestBagging(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	text = strings.Replace(text, "bagging: off", "bagging: 3", 1)
	other := t.TempDir()
	writeFile(t, other, "rows.csv", mustRead(t, filepath.Join(dir, "rows.csv")))
	want, w := mustRun(t, configure(t, other, text))
	var names []string
	for _, tr := range w.trainings() {
		names = append(names, tr.What)
		if tr.Rows != 360 {
			t.Errorf("%s has %d rows, expected two thirds of 540", tr.What, tr.Rows)
		}
	}
	if len(names) != 9 || names[1] != "network, 2 of 3" || names[4] != "network, log target, 2 of 3" || names[8] != "linear baseline, 3 of 3" {
		t.Errorf("trainings %v", names)
	}
	if m := mustLoad(t, want.Bundle); m.Members != 3 || want.Rows.Train != 540 || want.Rows.Validation != 0 || want.Rows.Test != 60 || len(want.Validation) == 0 {
		t.Errorf("%d members, %+v", m.Members, want)
	}
	path := writeFile(t, dir, "hone.yaml", text)
	for _, name := range []string{names[1], names[5]} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childConfig+"="+path, childTrains+"="+name, "HONE_HOME=")
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Fatalf("it was not killed in %s: %s", name, out)
		}
	}
	s, _ := mustRun(t, configure(t, dir, text))
	if !s.Resumed || mustRead(t, s.Bundle) != mustRead(t, want.Bundle) {
		t.Error("the bundle differs from that of an uninterrupted run")
	}
}

// TestBaggingValidation: the validation figures of a bag are out of fold. Every
// row has a code of its own that tells a network which trained on it the answer,
// and nobody else.
func TestBaggingValidation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chance(400, 6).write(t, dir, "rows.csv")
	s, _ := mustRun(t, configure(t, dir, "data: {source: rows.csv}\n"+learnByHeart, "train.bagging=4"))
	if v := s.Validation["roc_auc"]; math.Abs(v-0.5) > 0.12 {
		t.Errorf("roc_auc %v on validation rows of pure chance", v)
	}
	if v := s.Test["roc_auc"].Value; v > 0.75 { // 0.09 is a standard error
		t.Errorf("roc_auc %v on test rows of pure chance", v)
	}
}

func TestBaggingConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := shoppers(300, 36).only(append(slices.Clone(plain), "team", "bought")...)
	all.write(t, dir, "rows.csv")
	all.part(0, 50).write(t, dir, "valid.csv")
	for sets, want := range map[string]int{
		"": 8, "train.bagging=auto": 8, "train.bagging=off": 0, "train.bagging=5": 5,
		"data.validation=valid.csv": 0, "data.split={method: time, column: since}": 0, "data.split={method: group, column: team}": 8,
	} {
		var list []string
		if sets != "" {
			list = []string{sets}
		}
		p, err := configure(t, dir, "data: {source: rows.csv}\noutputs: [bought]", list...).prepare()
		if err != nil {
			t.Fatal(sets, err)
		}
		if len(p.bag) != want || (p.valid == nil) != (want > 0) {
			t.Errorf("%s: %d networks, expected %d", sets, len(p.bag), want)
		}
		if !strings.Contains(sets, "group") {
			continue
		}
		seen := map[string]int{}
		for k, f := range p.bag {
			for _, i := range f.Test {
				team := p.train.Column("team").Text(i)
				if other, ok := seen[team]; ok && other != k {
					t.Errorf("%s is in parts %d and %d", team, other, k)
				}
				seen[team] = k
			}
		}
	}
	for sets, want := range map[string]string{
		"train.bagging=1":    `bagging: found "1", expected auto, off or a number of networks from 2 to 100`,
		"train.bagging=some": `expected auto, off or a number`,
		"train.average=1.5":  `average: found "1.5", expected auto, or a number from 0 to 1`,
		"train.average=NaN":  `average: found "NaN", expected auto`,
		"train.bagging=90":   "cannot be divided for 90 networks by group",
	} {
		c, err := LoadConfig(writeFile(t, dir, "hone.yaml", "data: {source: rows.csv, split: {method: group, column: team}}\noutputs: [bought]"), []string{sets})
		if err == nil {
			_, err = c.prepare()
		}
		wantError(t, err, want)
	}
	for text, want := range map[string]string{
		"data: {source: rows.csv, split: {method: time, column: since}}": "the rows are divided by time",
		"data: {source: rows.csv, validation: valid.csv}":                "data.validation.file says by which rows",
	} {
		_, err := LoadConfig(writeFile(t, dir, "hone.yaml", text+"\noutputs: [bought]"), []string{"train.bagging=4"})
		wantError(t, err, want)
	}
}

// TestAverageOfWeights: there is one by default, and none where rows are divided
// by time, unless the configuration says so.
func TestAverageOfWeights(t *testing.T) {
	text := "data: {source: rows.csv}\noutputs: [{name: y}]\n"
	for want, sets := range map[float64][]string{
		0.999: nil,
		0:     {"data.split={method: time, column: day}"},
		0.99:  {"train.average=0.99", "data.split={method: time, column: day}"},
		1:     {"train.average=1"},
	} {
		if got := configure(t, t.TempDir(), text, sets...).options().Average; got != want {
			t.Errorf("%v: the share is %g, expected %g", sets, got, want)
		}
	}
}
