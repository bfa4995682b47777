package metric

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestOtherKindsAgree holds metrics of labels, rankings, texts and likelihoods
// against testdata/kinds.json, which kinds.py beside it made.
func TestOtherKindsAgree(t *testing.T) {
	data, err := os.ReadFile("testdata/kinds.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Origin string
		Cases  []struct {
			Name, Kind                        string
			Classes                           []string
			Target, Pred, Prob, Weight, Bytes []float64
			Query                             []int
			Answers                           []string
			References                        [][]string
			Values                            map[string]*float64
		}
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	t.Log(ref.Origin)
	seen := map[string]bool{}
	for _, c := range ref.Cases {
		t.Run(c.Kind+"/"+c.Name, func(t *testing.T) {
			s := &Sample{Kind: Kind(slices.Index(kindNames, c.Kind)), Classes: c.Classes, Target: c.Target, Pred: c.Pred, Prob: c.Prob,
				Weight: c.Weight, Bytes: c.Bytes, Query: c.Query, Answers: c.Answers, References: c.References}
			for name, recorded := range c.Values {
				m, err := Lookup(name)
				if err != nil {
					t.Fatal(err)
				}
				seen[name] = true
				want := math.NaN()
				if recorded != nil {
					want = *recorded
				}
				if got, err := m.Value(s); err != nil || !near(got, want) {
					t.Errorf("%s = %v, %v, the reference has %v", name, got, err, want)
				}
			}
		})
	}
	for _, m := range registered {
		if m.Kinds[0] > Regression && !seen[m.Name] {
			t.Errorf("%s is in no case", m.Name)
		}
	}
}

func TestBLEUSignature(t *testing.T) {
	// As sacrebleu 2.6.0 writes it, but for the version at its end.
	for name, want := range map[string]string{
		"bleu":      "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp",
		"bleu_intl": "nrefs:1|case:mixed|eff:no|tok:intl|smooth:exp",
	} {
		if got, err := BLEUSignature(name, 1); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := BLEUSignature("rouge", 1); err == nil {
		t.Error("rouge has a BLEU signature")
	}
}

func TestFamilies(t *testing.T) {
	for _, name := range []string{"top_1_accuracy", "pinball_25", "tweedie_11", "ndcg_at_3", "hit_rate_at_1", "recall_at_100"} {
		m, err := Lookup(name)
		if err != nil || m.Name != name || !m.OnRequest {
			t.Errorf("%s: %+v, %v", name, m, err)
			continue
		}
		if again, _ := Lookup(name); again != m {
			t.Errorf("%s is another metric each time", name)
		}
	}
	for _, name := range []string{"top_0_accuracy", "top_03_accuracy", "pinball_100", "tweedie_20", "recall_at_-1", "recall_at_"} {
		if _, err := Lookup(name); err == nil {
			t.Errorf("%s is found", name)
		}
	}
}

func TestBadSamplesOfOtherKinds(t *testing.T) {
	for want, s := range map[string]*Sample{
		"expected 2 for each row":            {Kind: Multilabel, Classes: []string{"a", "b"}, Target: []float64{1, 0, 1}},
		"needs the names of its labels":      {Kind: Multilabel, Target: []float64{1}},
		"class index from 0 to 1":            {Kind: Multilabel, Classes: []string{"a"}, Target: []float64{2}},
		"0 values of Query":                  {Kind: Ranking, Target: []float64{1}, Pred: []float64{1}},
		"the relevance is -1":                {Kind: Ranking, Query: []int{1}, Target: []float64{-1}, Pred: []float64{1}},
		"give its rows one weight":           {Kind: Ranking, Query: []int{1, 1}, Target: []float64{1, 0}, Pred: []float64{1, 0}, Weight: []float64{1, 2}},
		"0 rows of References":               {Kind: Text, Answers: []string{"a"}},
		"row 1 has 0 references, expected 1": {Kind: Text, Answers: []string{"a", "b"}, References: [][]string{{"a"}, {}}},
		"number of tokens is 0":              {Kind: Language, Target: []float64{0}, Pred: []float64{1}},
		"number of bytes is 0":               {Kind: Language, Target: []float64{1}, Pred: []float64{1}, Bytes: []float64{0}},
		"needs the length of each text":      {Kind: Language, Target: []float64{1}, Pred: []float64{1}},
		"has no scores":                      {Kind: Regression, Target: []float64{1}, Pred: []float64{1}, Score: []float64{1}},
		"the score is +Inf":                  {Kind: Binary, Target: []float64{1}, Pred: []float64{1}, Score: []float64{math.Inf(1)}},
	} {
		_, err := Values(s, nil)
		if err == nil {
			_, err = Values(s, For(s.Kind))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, want %q", err, want)
		}
	}
}

// Any scores order rows as well as probabilities do.
func TestScores(t *testing.T) {
	p := churnLike(300, 4)
	s := &Sample{Kind: Binary, Target: p.Target, Pred: p.Pred}
	for _, v := range p.Prob {
		s.Score = append(s.Score, 100*v-700)
	}
	for _, m := range []*Metric{&rocAUC, &averagePrecision, &fpr95} {
		a, err := m.Value(p)
		b, err2 := m.Value(s)
		if err != nil || err2 != nil || a != b {
			t.Errorf("%s is %v of probabilities and %v of scores: %v, %v", m.Name, a, b, err, err2)
		}
	}
	if _, err := brier.Value(s); err == nil {
		t.Error("scores have a Brier score")
	}
}
