package lifecycle

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

func predicting(file string) PredictionOptions {
	return PredictionOptions{Predictions: file, Resamples: 20, Level: 0.95}
}

// answers writes n rows of two classes, whose scores are worse in the south.
func answers(n int, columns string, row func(i int, truth, class string, p float64, region string) string) string {
	var b strings.Builder
	b.WriteString(columns + "\n")
	for i := range n {
		truth, region := []string{"no", "yes"}[i%2], []string{"north", "south", "east"}[i/2%3]
		// Spread evenly, and by another rule in each region.
		u := float64(i*7919%n) / float64(n)
		p := 0.3*u + 0.5*float64(i%2) + 0.1
		if region == "south" {
			p = u
		}
		class := "no"
		if p >= 0.5 {
			class = "yes"
		}
		b.WriteString(row(i, truth, class, p, region) + "\n")
	}
	return b.String()
}

// TestPredictionForms: the same predictions in every form have the same metrics.
func TestPredictionForms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 600
	forms := map[string]string{
		"score": answers(n, "y,score,region", func(_ int, truth, _ string, p float64, region string) string {
			return fmt.Sprintf("%s,%v,%s", truth, p, region)
		}),
		"both classes": answers(n, "region,p_no,p_yes,y", func(_ int, truth, _ string, p float64, region string) string {
			return fmt.Sprintf("%s,%v,%v,%s", region, 1-p, p, truth)
		}),
		"prediction and score": answers(n, "prediction,score,y,region", func(_ int, truth, class string, p float64, region string) string {
			return fmt.Sprintf("%s,%v,%s,%s", class, p, truth, region)
		}),
	}
	var first *PredictionsEvaluation
	for _, form := range []string{"score", "both classes", "prediction and score"} {
		e, err := EvaluatePredictions(predicting(writeFile(t, dir, strings.ReplaceAll(form, " ", "-")+".csv", forms[form])))
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if e.Target != "y" || e.Rows != n || e.Task != "binary" || e.Classes[1] != "yes" {
			t.Errorf("%s: %+v", form, e)
		}
		if first == nil {
			first = e
		}
		for _, m := range metric.Default(metric.Binary) {
			if math.Abs(e.Metrics[m.Name].Value-first.Metrics[m.Name].Value) > 1e-12 {
				t.Errorf("%s: %s is %v, was %v", form, m.Name, e.Metrics[m.Name].Value, first.Metrics[m.Name].Value)
			}
		}
		if len(e.Slices) != 3 || e.Slices[0].Value != "south" || !e.Slices[0].Worse || e.Slices[1].Worse || e.SlicedBy != "roc_auc" {
			t.Errorf("%s: slices %+v", form, e.Slices)
		}
	}
	// Other names, a truth in another file, rows that are weighed.
	other := writeFile(t, dir, "other.csv", answers(n, "yhat,q", func(_ int, _, class string, p float64, _ string) string { return fmt.Sprintf("%s,%v", class, p) }))
	truth := writeFile(t, dir, "truth.csv", answers(n, "outcome,region,w", func(i int, truth, _ string, _ float64, region string) string {
		return fmt.Sprintf("%s,%s,%d", truth, region, 1)
	}))
	o := predicting(other)
	o.File, o.Target, o.Weight, o.Columns = truth, "outcome", "w", map[string]string{"prediction": "yhat", "score": "q"}
	o.Metrics = []string{DefaultMetrics, "ece"}
	o.Gates = []metric.Requirement{{Metric: "fpr_at_95_tpr", Op: "<=", Value: 1}}
	e, err := EvaluatePredictions(o)
	if err != nil {
		t.Fatal(err)
	}
	if e.Metrics["roc_auc"].Value != first.Metrics["roc_auc"].Value || e.Weight != "w" || len(e.Slices) != 3 {
		t.Errorf("by other names: %+v", e)
	}
	for _, name := range []string{"ece", "fpr_at_95_tpr"} {
		if _, ok := e.Metrics[name]; !ok {
			t.Errorf("%s was not measured", name)
		}
	}
	// Margins order the rows.
	margins := predicting(writeFile(t, dir, "margins.csv", answers(n, "y,score", func(_ int, truth, _ string, p float64, _ string) string { return fmt.Sprintf("%s,%v", truth, 8*p) })))
	if e, err = EvaluatePredictions(margins); err != nil || math.Abs(e.Metrics["roc_auc"].Value-first.Metrics["roc_auc"].Value) > 1e-12 || len(e.Metrics) != 2 {
		t.Errorf("margins: %+v, %v", e, err)
	}
	// A class that no row has.
	three := predicting(writeFile(t, dir, "three.csv", "target,p_a,p_b,p_c\na,0.5,0.3,0.2\nb,0.1,0.8,0.1\na,0.3,0.3,0.4\n"))
	if e, err = EvaluatePredictions(three); err != nil || len(e.Classes) != 3 || math.Abs(e.Metrics["accuracy"].Value-2./3) > 1e-12 {
		t.Errorf("three classes: %+v, %v", e, err)
	}
	one := predicting(writeFile(t, dir, "one.csv", "target,p_a,p_b\na,0.6,0.4\na,0.1,0.9\n"))
	if e, err = EvaluatePredictions(one); err != nil || e.Task != "binary" || e.Metrics["accuracy"].Value != 0.5 {
		t.Errorf("rows of one class: %+v, %v", e, err)
	}
	numbers := predicting(writeFile(t, dir, "numbers.csv", "actual,prediction\n1.5,2\n2.25,2\n7,6.5\n"))
	if e, err = EvaluatePredictions(numbers); err != nil || e.Task != "regression" || math.Abs(e.Metrics["mae"].Value-1.25/3) > 1e-12 {
		t.Errorf("numbers: %+v, %v", e, err)
	}
}

// TestPredictionMistakes are files that cannot be measured.
func TestPredictionMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, c := range []struct {
		text string
		set  func(o *PredictionOptions)
		want []string
	}{
		{"yy,score\nno,0.5\nyes,0.5\n", nil, []string{"--target", "which column", "y_true"}},
		{"yy,score\nno,0.5\nyes,0.5\n", func(o *PredictionOptions) { o.Target = "y" }, []string{`no column "y"`, "did you mean"}},
		{"y,scores\nno,0.5\nyes,0.5\n", nil, []string{"has no predictions beside the truth, y", "--columns"}},
		{"y,score\nno,0.5\nyes,\n", nil, []string{"row 2", "score is missing"}},
		{"y,score\nno,0.5\nyes,nan\n", nil, []string{"row 2", "score"}},
		{"y,score\nno,0.5\nyes,inf\n", nil, []string{"line 3", "score", "inf"}},
		{"y,p_yes\nno,0.5\nyes,1.5\n", nil, []string{"row 2", "p_yes is 1.5", "--columns score=p_yes"}},
		{"y,p_no,p_yes\nno,0.4,0.6\nyes,0.9,0.9\n", nil, []string{"row 2", "p_no and p_yes add up to 1.8"}},
		{"y,p_a,p_b,p_c\na,0.5,0.5,0\nb,0.5,0.3,0.1\nc,1,0,0\n", nil, []string{"row 2", "add up to 0.9", "expected 1"}},
		{"y,p_a,p_b\na,0.5,0.5\nb,0.5,0.3\nc,1,0\n", nil, []string{"probabilities of 2 classes", `"c"`}},
		{"y,prediction\nno,No.\nyes,maybe\n", nil, []string{`none of its predictions`, `"No."`, `["no" "yes"]`}},
		{"y,prediction\n1.5,2\n2.5,much\n", nil, []string{"none of its predictions", "much"}},
		{"y,prediction\nno,no\nyes,no\n", func(o *PredictionOptions) { o.Metrics = []string{"roc_auc"} }, []string{"roc_auc", "lacks probabilities"}},
		{"y,prediction\nno,no\nyes,no\n", func(o *PredictionOptions) { o.Metrics = []string{"rmse"} }, []string{"rmse does not measure a binary task"}},
		{"y,prediction\nno,no\nyes,no\n", func(o *PredictionOptions) { o.Gates = []metric.Requirement{{Metric: "ece", Op: "<", Value: 1}} }, []string{"--require ece<1", "lacks probabilities"}},
		{"y,prediction\nno,no\nyes,no\n", func(o *PredictionOptions) { o.Columns = map[string]string{"probability": "y"} }, []string{"unknown name, expected prediction, score or p_CLASS"}},
		{"y,prediction\nno,no\nyes,no\n", func(o *PredictionOptions) { o.Columns = map[string]string{"score": "scor"} }, []string{`no column "scor"`}},
		{"y,prediction\nno,no\nyes,no\n", func(o *PredictionOptions) { o.Weight = "w" }, []string{`--weight`, `no column "w"`}},
		{"y,prediction,w\nno,no,-1\nyes,no,1\n", func(o *PredictionOptions) { o.Weight = "w" }, []string{"the weight of the row is -1"}},
		{"y,prediction,w\nno,no,0\nyes,no,0\n", func(o *PredictionOptions) { o.Weight = "w" }, []string{"add up to 0"}},
		{"y,prediction\nno,no\nno,no\n", nil, []string{"has only the value"}},
		{"y,prediction\n", nil, []string{".csv"}},
	} {
		o := predicting(writeFile(t, dir, fmt.Sprintf("f%d.csv", i), c.text))
		if c.set != nil {
			c.set(&o)
		}
		e, err := EvaluatePredictions(o)
		if err == nil {
			t.Errorf("%q is measured: %+v", c.text, e)
			continue
		}
		wantError(t, err, c.want...)
	}
}

// TestCompareWithoutRows: files of predictions that have the truth themselves.
func TestCompareWithoutRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := writeFile(t, dir, "a.csv", answers(400, "y,score", func(_ int, truth, _ string, p float64, _ string) string { return fmt.Sprintf("%s,%v", truth, p) }))
	worse := func(i int, truth, _ string, p float64, _ string) string {
		return fmt.Sprintf("%s,%v", truth, 0.4*p+0.6*float64(i*31%17)/17)
	}
	b := writeFile(t, dir, "b.csv", answers(400, "y,score", worse))
	compare := func(models ...string) (*Comparison, error) {
		o := CompareOptions{Models: models, Dir: dir, RankOptions: evaluate.DefaultRankOptions()}
		o.Resamples = 200
		return Compare(context.Background(), o)
	}
	c, err := compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if c.Winner != "a.csv" || c.Target != "y" || c.Rows != 400 || c.File != a {
		t.Errorf("%+v", c)
	}
	bare := writeFile(t, dir, "bare.csv", answers(400, "score", func(i int, truth, _ string, p float64, _ string) string {
		return strings.SplitN(worse(i, truth, "", p, ""), ",", 2)[1]
	}))
	without, err := compare(a, bare)
	if err != nil || without.Standings[1].Score.Value != c.Standings[1].Score.Value {
		t.Errorf("without the truth in it: %+v, %v", without, err)
	}
	few := writeFile(t, dir, "few.csv", answers(399, "y,score", worse))
	_, err = compare(a, few)
	wantError(t, err, "few.csv has 399 rows", "has 400")
	turned := writeFile(t, dir, "turned.csv", strings.NewReplacer("yes,", "no,", "no,", "yes,").Replace(mustRead(t, b)))
	_, err = compare(a, turned)
	wantError(t, err, "turned.csv, row 1", "the same rows")
	_, err = compare(bare)
	wantError(t, err, "nothing says which column")
}

// TestPredictionsOfOtherKinds are texts and rankings.
func TestPredictionsOfOtherKinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := predicting(writeFile(t, dir, "texts.csv", "target,prediction\nThe cat sat on the mat.,The cat sat on a mat.\nIt rains,\n"))
	o.Task, o.Metrics = TaskText, []string{DefaultMetrics, "bleu_char"}
	e, err := EvaluatePredictions(o)
	if err != nil || e.Task != "text" || e.Rows != 2 || e.Metrics["exact_match"].Value != 0.5 || e.Metrics["bleu_char"].Value <= e.Metrics["bleu"].Value {
		t.Errorf("texts: %+v, %v", e, err)
	}
	rows := "q,y,score\na,1,0.9\na,0,0.8\nb,0,0.9\nb,2,0.1\n"
	o = predicting(writeFile(t, dir, "ranked.csv", rows))
	o.Query, o.Metrics = "q", []string{"mrr", "recall_at_1"}
	e, err = EvaluatePredictions(o)
	if err != nil || e.Task != "ranking" || e.Metrics["mrr"].Value != 0.75 || e.Metrics["recall_at_1"].Value != 0.5 || !strings.Contains(e.Notes[0], "2 queries") {
		t.Errorf("rankings: %+v, %v", e, err)
	}
	// Likelihoods: of texts, of tokens, and lists of those of a text's tokens.
	for name, c := range map[string]struct {
		text       string
		perplexity float64
		bits       float64
	}{
		"texts.jsonl": {`{"nll":3,"tokens":2,"bytes":8}` + "\n" + `{"nll":5,"tokens":2,"bytes":4}` + "\n", math.Exp(2), 8 / math.Ln2 / 12},
		"tokens.csv":  {"logprob\n-1\n-3\n", math.Exp(2), 0},
		"lists.jsonl": {`{"text":"é!","token_logprobs":[-1,-0.5]}` + "\n" + `{"text":"ab","token_logprobs":[-3]}` + "\n", math.Exp(1.5), 4.5 / math.Ln2 / 5},
		"spaces.csv":  {"token_logprobs,bytes\n-1 -0.5,3\n-3,2\n", math.Exp(1.5), 4.5 / math.Ln2 / 5},
	} {
		e, err := EvaluatePredictions(predicting(writeFile(t, dir, name, c.text)))
		if err != nil || e.Task != "language" || math.Abs(e.Metrics["perplexity"].Value-c.perplexity) > 1e-12 || math.Abs(e.Metrics["bits_per_byte"].Value-c.bits) > 1e-12 {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	// Out of scope: which of two classes the scores are for is said.
	scope := "in_scope,score\nyes,0.9\nyes,0.8\nno,0.3\nyes,0.4\nno,0.85\n"
	for positive, auc := range map[string]float64{"yes": 4. / 6, "no": 2. / 6} {
		o := predicting(writeFile(t, dir, "scope.csv", scope))
		o.Target, o.Positive, o.Metrics = "in_scope", positive, []string{"roc_auc", "fpr_at_95_tpr"}
		if e, err := EvaluatePredictions(o); err != nil || math.Abs(e.Metrics["roc_auc"].Value-auc) > 1e-12 || e.Classes[1] != positive {
			t.Errorf("%s positive: %+v, %v", positive, e, err)
		}
	}
	// Sets that are too few to be found by looking; an empty cell is no label.
	o = predicting(writeFile(t, dir, "sets.csv", "y,prediction\na;b,a\nb,b;z\n[],\n"))
	o.Task = TaskSet
	if e, err := EvaluatePredictions(o); err != nil || e.Task != "multilabel" || len(e.PerLabel) != 3 || math.Abs(e.Metrics["f1_micro"].Value-2./3) > 1e-12 || math.Abs(e.Metrics["subset_accuracy"].Value-1./3) > 1e-12 {
		t.Errorf("sets: %+v, %v", e, err)
	}
	o = predicting(writeFile(t, dir, "probable.csv", "y,p_a,p_b\na;b,0.9,0.5\nb,0.2,0.4\n"))
	o.Task = TaskSet
	if e, err := EvaluatePredictions(o); err != nil || e.Metrics["f1_micro"].Value != 0.8 || e.Metrics["log_loss"].Value == 0 {
		t.Errorf("probabilities of labels: %+v, %v", e, err)
	}
	for i, c := range []struct {
		text string
		set  func(o *PredictionOptions)
		want []string
	}{
		{"nll,bytes\n-1,3\n", nil, []string{"row 1", "likelier than certain"}},
		{"token_logprobs\n[]\n[-1]\n", nil, []string{"row 1", "a number for each token"}},
		{"y,prediction\na,b\n", func(o *PredictionOptions) { o.Task = "words" }, []string{`found "words"`, "language"}},
		{"y,prediction\na,b\n", func(o *PredictionOptions) { o.Task = TaskLanguage }, []string{"has no likelihoods", "nll"}},
		{rows, func(o *PredictionOptions) { o.Task = TaskRanking }, []string{"needs --query"}},
		{scope, func(o *PredictionOptions) { o.Target, o.Positive = "in_scope", "in" }, []string{`--positive: "in" is none`}},
		{rows, func(o *PredictionOptions) { o.Query, o.Task = "q", TaskText }, []string{"--query is of --task ranking"}},
		{rows, func(o *PredictionOptions) { o.Query = "query" }, []string{`no column "query"`}},
		{rows, func(o *PredictionOptions) { o.Query, o.Metrics = "q", []string{"rmse"} }, []string{"rmse does not measure a ranking task"}},
		{rows, func(o *PredictionOptions) { o.Query, o.File = "q", "rows.csv" }, []string{"one file"}},
		{"q,y,score\na,-1,0.9\n", func(o *PredictionOptions) { o.Query = "q" }, []string{"row 1", "relevance"}},
		{"q,y,score\na,1,\n", func(o *PredictionOptions) { o.Query = "q" }, []string{"row 1", "score is missing"}},
		{"q,y\na,1\n", func(o *PredictionOptions) { o.Query = "q" }, []string{"has no predictions"}},
	} {
		o := predicting(writeFile(t, dir, fmt.Sprintf("o%d.csv", i), c.text))
		if c.set != nil {
			c.set(&o)
		}
		_, err := EvaluatePredictions(o)
		wantError(t, err, c.want...)
	}
}

// TestNamedMetrics: a model is measured by what is named, and a gate's metric is
// measured in a run that evaluate.metrics leaves it out of.
func TestNamedMetrics(t *testing.T) {
	t.Parallel()
	m, _, dir := trained(t, "bought")
	e, err := EvaluateFile(context.Background(), m, m, dir+"/rows.csv", data.Options{}, 0, 0.95, 0, "ece", "accuracy")
	if err != nil || len(e.Order) != 2 || e.Order[0] != "ece" || e.Metrics["accuracy"].Value == 0 {
		t.Errorf("%+v, %v", e, err)
	}
	all, err := EvaluateFile(context.Background(), m, m, dir+"/rows.csv", data.Options{}, 0, 0.95, 0, AllMetrics)
	if err != nil || all.Metrics["ece"].Value != e.Metrics["ece"].Value || len(all.Order) < len(metric.For(metric.Binary))-2 {
		t.Errorf("%d metrics, %v", len(all.Order), err)
	}
	c := configure(t, dir, "name: gated\ndata: {source: rows.csv}\noutputs: [bought]\nevaluate: {metrics: [accuracy], bootstrap: 20}\n"+strings.Replace(quick, "evaluate:", "#", 1))
	c.Gates = []metric.Requirement{{Metric: "ece", Op: "<=", Value: 1}}
	s, _ := mustRun(t, c)
	if _, ok := s.Test["ece"]; !ok || len(s.Test) != 2 {
		t.Errorf("the run measured %v", s.Test)
	}
}

// TestCompareWritten: files of texts, rankings and likelihoods.
func TestCompareWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		a, b   string
		set    func(o *CompareOptions)
		metric string
	}{
		"texts":    {"target,prediction\nthe cat sat here,the cat sat here\nit rains in Rome today,it rains in Rome\n", "target,prediction\nthe cat sat here,a dog\nit rains in Rome today,it rains in Rome\n", func(o *CompareOptions) { o.Task = TaskText }, "bleu"},
		"rankings": {"q,y,score\na,1,0.9\na,0,0.8\nb,2,0.9\nb,0,0.1\n", "q,y,score\na,1,0.9\na,0,0.95\nb,2,0.9\nb,0,0.1\n", func(o *CompareOptions) { o.Query = "q" }, "ndcg"},
		"models":   {"nll,tokens,bytes\n3,2,8\n5,2,4\n", "nll,tokens,bytes\n4,1,8\n6,3,4\n", func(*CompareOptions) {}, "bits_per_byte"},
		"tokens":   {"logprob\n-1\n-2\n", "logprob\n-1.5\n-2\n", func(*CompareOptions) {}, "perplexity"},
		"sets":     {"y,prediction\na;b,a;b\nb,b\n[],\n", "y,prediction\na;b,a\nb,b;z\n[],\n", func(o *CompareOptions) { o.Task = TaskSet }, "f1_micro"},
	} {
		a, b := writeFile(t, dir, name+"-a.csv", c.a), writeFile(t, dir, name+"-b.csv", c.b)
		o := CompareOptions{Models: []string{b, a}, Dir: dir, RankOptions: evaluate.DefaultRankOptions()}
		o.Resamples = 50
		c.set(&o)
		found, err := Compare(context.Background(), o)
		if err != nil || found.Standings[0].Name != name+"-a.csv" || found.Metric.Name != c.metric {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	a, b := writeFile(t, dir, "a.csv", "nll,bytes\n3,8\n"), writeFile(t, dir, "b.csv", "nll,bytes\n3,9\n")
	_, err := Compare(context.Background(), CompareOptions{Models: []string{a, b}, Dir: dir, RankOptions: evaluate.DefaultRankOptions()})
	wantError(t, err, "predict other rows")
}
