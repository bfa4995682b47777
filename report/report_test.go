package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing")

func render(t testing.TB, r *Report) (page, card string) {
	t.Helper()
	var h, m bytes.Buffer
	if err := HTML(&h, r); err != nil {
		t.Fatal(err)
	}
	if err := ModelCard(&m, r); err != nil {
		t.Fatal(err)
	}
	return h.String(), m.String()
}

func TestGolden(t *testing.T) {
	for name, r := range map[string]*Report{"binary": binaryReport(t), "multiclass": multiclassReport(t), "regression": regressionReport(t)} {
		page, card := render(t, r)
		for file, got := range map[string]string{name + ".html": page, name + ".md": card} {
			path := filepath.Join("testdata", file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs from the golden file at %q; look at it and run go test ./report -update", file, firstDifference(got, string(want)))
			}
		}
		checkSVG(t, page)
	}
}

func firstDifference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return a[max(0, i-40):min(len(a), i+40)]
}

var svgs = regexp.MustCompile(`(?s)<svg .*?</svg>`)

// checkSVG parses every drawing and wants a title and a description in it.
func checkSVG(t *testing.T, page string) {
	t.Helper()
	found := svgs.FindAllString(page, -1)
	if len(found) == 0 {
		t.Error("no drawing on the page")
	}
	for _, s := range found {
		d := xml.NewDecoder(strings.NewReader(s))
		seen := map[string]bool{}
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%v in %.200s", err, s)
				break
			}
			if e, ok := tok.(xml.StartElement); ok {
				seen[e.Name.Local] = true
				for _, a := range e.Attr {
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
						t.Errorf("%s=%q in <%s>", a.Name.Local, a.Value, e.Name.Local)
					}
				}
			}
		}
		if !seen["title"] || !seen["desc"] {
			t.Errorf("drawing without title or description: %.200s", s)
		}
	}
}

// TestHostile renders a report whose every text tries to break out.
func TestHostile(t *testing.T) {
	const evil = "</style></title><script>alert(1)</script>\"'`{{.}}|<img src=x onerror=alert(1)>\x00\u202e\xff\n# [x](javascript:1)"
	r := binaryReport(t)
	res := *r.Result
	r.Result = &res
	r.Name, r.RunID, r.Date, r.Version, r.Machine, r.Network, r.Bundle, r.Config = evil, evil, evil, evil, evil, evil, evil, evil
	r.Data = Data{
		Sources: []Source{{evil, evil, 1, evil}}, Used: []Column{{evil, evil, evil}},
		LeftOut: []LeftOut{{evil, evil}}, Findings: []Finding{{evil, evil}},
	}
	res.Target, res.Positive, res.Classes = evil, evil, []string{evil, evil + "2"}
	res.PerClass = []evaluate.ClassScore{{Class: evil, Rows: 3}, {Class: evil, Rows: 1}, {Class: evil, Rows: 2}}
	res.Confused = []evaluate.Mistake{{True: evil, Predicted: evil, Rows: 1, Share: 0.5}}
	res.Baselines = map[string]evaluate.Scores{evil: res.Test, "linear": res.Test}
	res.Metrics = append([]evaluate.Metric{{Name: evil, Label: evil, Formula: evil}}, res.Metrics...)
	res.Test = evaluate.Scores{}
	for k, v := range r.Result.Baselines["linear"] {
		res.Test[k] = v
	}
	res.Test[evil] = metric.Interval{Value: 1, Low: 0, High: 2}
	res.Training.Metric = evil
	res.Notes = []string{evil}
	res.Fit.Sentence, res.Fit.Remedy = evil, evil
	page, card := render(t, r)
	checkSVG(t, page)
	for _, bad := range []string{"<script", "<img", "</style></title>", "\x00", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	// Code is literal in Markdown: the fenced configuration and the indented commands.
	body := regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(card[:strings.Index(card, "```yaml")], "")
	for _, bad := range []string{"<script", "<img", "\x00", "\u202e", "[x](", "\n# [", "\n# \\["} {
		if strings.Contains(body[strings.Index(body[3:], "\n---\n"):], bad) {
			t.Errorf("the model card contains %q", bad)
		}
	}
	if n := strings.Count(page, "<style>"); n != 1 {
		t.Errorf("%d style elements", n)
	}
}

// TestSelfContained looks for anything that a browser would fetch.
func TestSelfContained(t *testing.T) {
	page, _ := render(t, binaryReport(t))
	page = strings.ReplaceAll(page, `href="#`, "")
	page = strings.ReplaceAll(page, `xmlns="http://www.w3.org/2000/svg"`, "")
	for _, bad := range []string{"http:", "https:", "url(", "@import", "src=", "href=", "<link", "<script", " style=", " on"} {
		if i := strings.Index(page, bad); i >= 0 && !(bad == " on" && !regexp.MustCompile(` on[a-z]+=`).MatchString(page)) {
			t.Errorf("the page contains %q: …%s…", bad, page[max(0, i-40):i+40])
		}
	}
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="(.*?)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("no content security policy")
	}
	sum := sha256.Sum256([]byte(regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if got := html.UnescapeString(policy[1]); got != want {
		t.Errorf("policy %q, want %q", got, want)
	}
}

// TestSparse renders what little there may be.
func TestSparse(t *testing.T) {
	nan := evaluate.Number(notANumber())
	for name, res := range map[string]*evaluate.Result{
		"empty":      {Task: "regression"},
		"one epoch":  {Task: "binary", Training: evaluate.Training{Epochs: []evaluate.Epoch{{Epoch: 1, TrainLoss: 0.5, ValidationLoss: nan, Metric: nan}}, Metric: "roc_auc"}},
		"diverged":   {Task: "binary", Training: evaluate.Training{Epochs: []evaluate.Epoch{{Epoch: 1, TrainLoss: nan, ValidationLoss: nan, Metric: nan}, {Epoch: 2, TrainLoss: nan, ValidationLoss: nan}}}},
		"one class":  {Task: "multiclass", Classes: []string{"a"}, Confusion: [][]float64{{0}}, PerClass: []evaluate.ClassScore{{Class: "a"}}},
		"no spread":  {Task: "regression", Residuals: &evaluate.Residuals{Points: []evaluate.Residual{{Predicted: 1, Residual: 0}}, Histogram: []evaluate.HistogramBin{{Low: -1, High: 1, Rows: 1}}}},
		"infinite":   {Task: "regression", Metrics: []evaluate.Metric{{Name: "r2", Label: "R²"}}, Test: evaluate.Scores{"r2": {Value: negativeInfinity(), Low: negativeInfinity(), High: 0.1}}},
		"no dataset": {Task: "binary", Metrics: []evaluate.Metric{{Name: "accuracy", Label: "Accuracy"}}, Test: evaluate.Scores{"accuracy": {Value: 1, Low: 1, High: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			page, _ := render(t, &Report{Name: name, Result: res})
			if svgs.MatchString(page) {
				checkSVG(t, page)
			}
			if strings.Contains(page, "NaN") {
				t.Error("NaN on the page")
			}
		})
	}
	if err := HTML(io.Discard, &Report{}); err == nil {
		t.Error("no error without a result")
	}
	if err := ModelCard(io.Discard, nil); err == nil {
		t.Error("no error without a report")
	}
}

// TestManyClasses keeps a page of 77 classes small.
func TestManyClasses(t *testing.T) {
	k := 77
	res := &evaluate.Result{Task: "multiclass"}
	for i := range k {
		name := "intent_with_a_long_name_" + string(rune('a'+i%26))
		res.Classes = append(res.Classes, name)
		row := make([]float64, k)
		row[i], row[(i+1)%k] = 30, 10
		res.Confusion = append(res.Confusion, row)
		res.PerClass = append(res.PerClass, evaluate.ClassScore{Class: name, Rows: 40, F1: float64(i) / 77})
	}
	page, _ := render(t, &Report{Name: "intents", Result: res})
	checkSVG(t, page)
	if len(page) > 700_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

// TestJSON reads a report back and renders the same page from it.
func TestJSON(t *testing.T) {
	r := binaryReport(t)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	want, _ := render(t, r)
	if got, _ := render(t, &back); got != want {
		t.Errorf("the page changed after a round trip through JSON at %q", firstDifference(got, want))
	}
}
