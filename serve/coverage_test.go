package serve

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// withSets gives a copy of a model scores of a hundred rows that are all the same.
func withSets(t testing.TB, m *model.Model, scores ...float64) *model.Model {
	t.Helper()
	c := m.With(m.Output, m.Network)
	c.State, c.Members = m.State, m.Members
	for i, o := range m.Outputs() {
		method := calibrate.LAC
		if o.Feature.Kind() == metric.Regression {
			method = calibrate.Residual
		}
		var all []float64
		for range 100 {
			all = append(all, scores[i])
		}
		c.Calibration = append(c.Calibration, model.Calibration{Sets: &calibrate.Sets{Method: method, Groups: []calibrate.Scores{{Rows: 100, Sorted: all}}}})
	}
	return c
}

func TestCoverage(t *testing.T) {
	m, facts := trained(t, "churn+spend")
	s, err := New(withSets(t, m, 1, 7), facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Schema().HighestCoverage < 0.99 {
		t.Errorf("the schema says %v", s.Schema().HighestCoverage)
	}
	predict := func(body string) (int, string) {
		w := ask(s.Handler(), "POST", "/v1/predict", body)
		return w.Code, w.Body.String()
	}
	example := string(s.Schema().Example)
	for _, body := range []string{`{"coverage":0.9,"row":` + example + `}`, `{"rows":[` + example + `],"coverage":0.9}`} {
		code, reply := predict(body)
		var got struct {
			Predictions []struct {
				Churn struct{ Set []string }
				Spend struct{ Value, Low, High float64 }
			}
		}
		if err := json.Unmarshal([]byte(reply), &got); err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d %s (%v)", body, code, reply, err)
		}
		p := got.Predictions[0]
		if len(p.Churn.Set) != 2 || p.Spend.Low != p.Spend.Value-7 || p.Spend.High != p.Spend.Value+7 {
			t.Errorf("%s: %s", body, reply)
		}
	}
	if _, reply := predict(`{"row":` + example + `}`); strings.Contains(reply, "set") || strings.Contains(reply, "low") {
		t.Errorf("nobody asked for sets: %s", reply)
	}
	for body, want := range map[string]string{
		`{"coverage":0.999,"row":` + example + `}`:              "ask for 0.99",
		`{"coverage":1.5,"row":` + example + `}`:                "between 0 and 1",
		`{"coverage":"0.9","row":` + example + `}`:              "is text",
		`{"coverage":0.9,"coverage":0.9,"row":` + example + `}`: "twice",
		`{"coverage":0.9}`:                                      "no rows",
	} {
		if code, reply := predict(body); code != http.StatusBadRequest || !strings.Contains(reply, want) {
			t.Errorf("%s: %d %s, expected %q", body, code, reply, want)
		}
	}
	plain, err := New(m, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(plain.Handler(), "POST", "/v1/predict", `{"coverage":0.9,"row":`+example+`}`); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "no prediction sets") {
		t.Errorf("a model without sets: %d %s", w.Code, w.Body)
	}
}

func TestCoverageOfForm(t *testing.T) {
	r := newRowReader(data.Schema{{Name: "n", Type: data.Number}}, nil, 5)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range map[string]string{"n": "3", "coverage": "0.8"} {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	table, coverage, err := r.upload(&body, w.Boundary())
	if err != nil || coverage != 0.8 || table.Rows != 1 || table.Columns[0].Numbers[0] != 3 {
		t.Errorf("%v, %v, %v", table, coverage, err)
	}
}
