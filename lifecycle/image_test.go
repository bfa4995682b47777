package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
)

// stripes draws a picture of 12 by 12 places, bright from left to right or from
// top to bottom, with noise.
func stripes(tb testing.TB, across bool, r *rand.Rand) []byte {
	tb.Helper()
	m := image.NewGray(image.Rect(0, 0, 12, 12))
	for y := range 12 {
		for x := range 12 {
			at := y
			if across {
				at = x
			}
			m.SetGray(x, y, color.Gray{Y: uint8(min(255, 60+at%4*40+r.IntN(60)))})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// pictures writes folders train and test of two classes.
func pictures(tb testing.TB, dir string, train, test int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(5, 1))
	for part, n := range map[string]int{"train": train, "test": test} {
		for i := range n {
			class := []string{"down", "across"}[i%2]
			path := filepath.Join(dir, part, class)
			if err := os.MkdirAll(path, 0o755); err != nil {
				tb.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, fmt.Sprintf("%03d.png", i)), stripes(tb, i%2 == 1, r), 0o644); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

const tinyImages = "train.bagging=off"

func TestImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pictures(t, dir, 200, 60)
	// Two of the training images cannot be read.
	broken := filepath.Join(dir, "train", "down")
	for name, content := range map[string]string{"a.png": "", "b.jpg": "no image at all"} {
		if err := os.WriteFile(filepath.Join(broken, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := InitOptions{File: dir, Target: "label", Output: filepath.Join(dir, "hone.yaml")}
	sets := []string{tinyImages, "train.epochs=8", "train.batch_size=32", "inputs[0].encoder.widths=[8, 16]", "inputs[0].encoder.depth=1", "evaluate.bootstrap=0"}
	f, c := mustInit(t, o, sets...)
	if f.Rows != 202 || len(f.Inputs) != 1 {
		t.Fatalf("%+v", f)
	}
	s, told := mustRun(t, c)
	if got := s.Test["accuracy"].Value; got < 0.9 {
		t.Errorf("accuracy %g on stripes", got)
	}
	if !strings.Contains(told.notes(), "2 of 202 rows of train are set aside") {
		t.Errorf("nothing is said of images that cannot be read:\n%s", told.notes())
	}
	var row rejected
	lines := strings.Split(strings.TrimSpace(mustRead(t, filepath.Join(dir, ".hone", "runs", s.Run, rejectedFile))), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &row); err != nil || len(lines) != 2 || row.Reason != "the file is empty" || !strings.HasSuffix(row.Value, "down/a.png") {
		t.Errorf("%v: %v", lines, err)
	}

	// What the bundle predicts of a folder is what it predicts of a request.
	m := mustLoad(t, s.Bundle)
	folder, n := predict(t, m, filepath.Join(dir, "test"), false)
	if n != 60 {
		t.Fatalf("%d rows", n)
	}
	table, _, err := data.Read(filepath.Join(dir, "test"), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := m.Predict(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(folder, "\n"); !strings.HasPrefix(head, "image,label,") || !strings.Contains(folder, "test/across/001.png,") {
		t.Errorf("the predictions do not name the images:\n%s", folder)
	}
	one, err := m.Predict(context.Background(), table.Slice(7, 8))
	if err != nil {
		t.Fatal(err)
	}
	if one.Prob[0] != all.Prob[7] || !strings.Contains(folder, fmt.Sprint(all.Prob[7])) {
		t.Errorf("row 7 is %g alone and %g among others", one.Prob[0], all.Prob[7])
	}

	// A prediction of an image that cannot be read names the source and the row.
	var none strings.Builder
	_, err = PredictFile(context.Background(), m, filepath.Join(dir, "train"), data.Options{}, &none, false, 0)
	wantError(t, err, filepath.Join(dir, "train")+", row 201,", "a.png: the file is empty", "replace the image, or take the row out")

	// So does an evaluation.
	e, err := EvaluateFile(context.Background(), m, m, filepath.Join(dir, "train"), data.Options{}, 0, 0.95, 0)
	if err != nil || e.SetAside != 2 || e.Rows != 200 {
		t.Errorf("%+v, %v", e, err)
	}
	// Its report shows the rows that it tells of.
	r, err := e.Report(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range e.Failures.Hardest {
		if !strings.HasPrefix(r.Pictures[row.Row], "data:image/png;base64,") {
			t.Errorf("no picture of row %d", row.Row)
		}
	}

	// More than may be set aside stop the run.
	if c, err = LoadConfig(o.Output, append(sets, "data.max_rejected=0.001")); err != nil {
		t.Fatal(err)
	}
	_, err = Run(context.Background(), c, nil)
	wantError(t, err, "2 of 202 rows hold an image that cannot be read", "data.max_rejected", "the file is empty")
}

// Images are changed at random, and the run that is stopped in the middle of an
// epoch goes on with the same ones, on one goroutine or several.
func TestImagesStoppedAndContinued(t *testing.T) {
	t.Parallel()
	run := func(dir string, at func(Event) bool) string {
		c, err := LoadConfig(filepath.Join(dir, "hone.yaml"), []string{tinyImages, "train.epochs=3", "train.batch_size=16", "inputs[0].encoder.widths=[4]", "inputs[0].encoder.depth=1", "inputs[0].augment.rotate=10", "evaluate.bootstrap=0"})
		if err != nil {
			t.Fatal(err)
		}
		if at != nil {
			ctx, w := stopAt(at)
			if _, err := Run(ctx, c, w.watch); !IsStopped(err) {
				t.Fatal(err)
			}
			return ""
		}
		s, _ := mustRun(t, c)
		return learnt(t, s.Bundle)
	}
	dir := t.TempDir()
	pictures(t, dir, 120, 40)
	mustInit(t, InitOptions{File: dir, Target: "label", Output: filepath.Join(dir, "hone.yaml")})
	want := run(dir, nil)
	run(dir, func(e Event) bool { return e.Step != nil && e.Step.Epoch == 2 && e.Step.Step == 3 })
	if got := run(dir, nil); got != want {
		t.Error("after a stop in the middle of an epoch the bundle has learnt something else")
	}
}

// Real sets of images run as hone init finds them, in short.
func TestRealImages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, metric string
		least        float64
		sets         []string
	}{
		"pneumoniamnist": {"pneumoniamnist/pneumoniamnist.npz", "roc_auc", 0.92, []string{"train.epochs=3", "train.batch_size=64"}},
		"cifar10":        {"cifar10-subset", "accuracy", 0.25, []string{"train.epochs=1", "train.batch_size=64"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := InitOptions{File: filepath.Join(realData(t), filepath.FromSlash(c.path)), Target: "label", Output: filepath.Join(dir, "hone.yaml")}
			_, config := mustInit(t, o, append(c.sets, "inputs[0].encoder.widths=[8, 16]", "inputs[0].encoder.depth=1", "evaluate.bootstrap=0")...)
			s, _ := mustRun(t, config)
			if got := s.Test[c.metric].Value; got < c.least {
				t.Errorf("%s %g, want at least %g", c.metric, got, c.least)
			}
		})
	}
}

// TestMixturesOfImages: a network learns from mixtures, and what cannot be mixed is
// told before training.
func TestMixturesOfImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pictures(t, dir, 200, 60)
	o := InitOptions{File: dir, Target: "label", Output: filepath.Join(dir, "hone.yaml")}
	_, c := mustInit(t, o, tinyImages, "train.epochs=8", "train.batch_size=32", "train.mixup=0.2", "train.cutmix=1", "inputs[0].encoder.widths=[8, 16]", "inputs[0].encoder.depth=1", "evaluate.bootstrap=0")
	s, _ := mustRun(t, c)
	if got := s.Test["accuracy"].Value; got < 0.9 {
		t.Errorf("accuracy %g on stripes", got)
	}

	rows := filepath.Join(dir, "rows.csv")
	var b bytes.Buffer
	b.WriteString("kind,size,bought\n")
	for i := range 200 {
		fmt.Fprintf(&b, "%s,%d.5,%d\n", []string{"a", "b", "c"}[i%3], i*7%50, i%2)
	}
	if err := os.WriteFile(rows, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for set, want := range map[string]string{
		"train.mixup=0.2": `there is no half of a category, as column "kind" is`,
		"train.cutmix=1":  `train.cutmix puts parts of an image into another, and column`,
	} {
		_, c := mustInit(t, InitOptions{File: rows, Target: "bought", Output: filepath.Join(t.TempDir(), "hone.yaml")}, set)
		if _, err := NewPlan(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", set, err, want)
		}
	}
}
