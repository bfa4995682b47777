package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/model"
)

// ask sends a request to a handler.
func ask(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// exampleRow is the example of the schema with a column put in or replaced.
func exampleRow(t *testing.T, s *Server, changes ...string) string {
	t.Helper()
	var row map[string]json.RawMessage
	if err := json.Unmarshal(s.schema.Example, &row); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(row, changes[i])
		} else {
			row[changes[i]] = json.RawMessage(changes[i+1])
		}
	}
	b, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPredict(t *testing.T) {
	s, _ := testServer(t, "churn", Options{})
	h := s.Handler()
	w := ask(h, "POST", "/v1/predict", `{"rows":[`+exampleRow(t, s)+`,`+exampleRow(t, s, "churn", `"yes"`, "customer_id", `"c-1"`, "tenure", `null`)+`]}`)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var r struct {
		Model       string
		Predictions []map[string]struct {
			Value         string
			Probability   float64
			Probabilities map[string]float64
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Predictions) != 2 || !regexp.MustCompile(`^churn@[0-9a-f]{12}$`).MatchString(r.Model) {
		t.Fatalf("%+v", r)
	}
	for _, row := range r.Predictions {
		p := row["churn"]
		yes, no := p.Probabilities["yes"], p.Probabilities["no"]
		want := "no"
		if yes >= 0.4 { // the model's threshold
			want = "yes"
		}
		if p.Value != want || p.Probability != p.Probabilities[want] || yes+no != 1 || yes == 0 {
			t.Errorf("%+v", p)
		}
	}
	// One row by itself, and none.
	one := ask(h, "POST", "/v1/predict", `{"row":`+exampleRow(t, s)+`}`, "Content-Type", "application/json; charset=utf-8")
	if first, _, _ := strings.Cut(w.Body.String(), "}}}"); !strings.HasPrefix(one.Body.String(), first) {
		t.Errorf("one row alone: %s, as one of two: %s", one.Body, first)
	}
	if w := ask(h, "POST", "/v1/predict", `{"rows":[]}`); w.Code != 200 || !strings.HasSuffix(w.Body.String(), `"predictions":[]}`+"\n") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// Text that says what a number or a boolean says is read as in a file.
	text := ask(h, "POST", "/v1/predict", `{"row":`+exampleRow(t, s, "tenure", `" 3e1 "`, "paperless", `"no"`)+`}`)
	number := ask(h, "POST", "/v1/predict", `{"row":`+exampleRow(t, s, "tenure", `30`, "paperless", `false`)+`}`)
	if text.Code != 200 || text.Body.String() != number.Body.String() {
		t.Errorf("as text %s, as a number %s", text.Body, number.Body)
	}
}

func TestPredictErrors(t *testing.T) {
	s, _ := testServer(t, "churn", Options{MaxRows: 3, MaxBody: 2048})
	ok := exampleRow(t, s)
	rows := func(rows ...string) string { return `{"rows":[` + strings.Join(rows, ",") + `]}` }
	for _, c := range []struct {
		body   string
		status int
		row    int
		column string
		want   string
	}{
		{rows(ok, exampleRow(t, s, "tenur", "3")), 400, 2, "tenur", `row 2, column "tenur": the model has no such column; did you mean "tenure"?`},
		{`{"row":` + exampleRow(t, s, "zzzzzzzzzz", "3") + `}`, 400, 0, "zzzzzzzzzz", `column "zzzzzzzzzz": the model has no such column; it reads tenure, monthly charge, plan, `},
		{rows(exampleRow(t, s, "plan", "")), 400, 1, "plan", `row 1, column "plan": the row lacks it; add it, or send null if its value is missing`},
		{rows(ok, ok, exampleRow(t, s, "tenure", `"long"`)), 400, 3, "tenure", `row 3, column "tenure": found "long", expected a number; correct it, or send null`},
		{rows(exampleRow(t, s, "tenure", `1e999`)), 400, 1, "tenure", `expected a finite number`},
		{rows(exampleRow(t, s, "joined", `"2024-13-01"`)), 400, 1, "joined", `expected a date and time written as 02/01/2006`},
		{rows(exampleRow(t, s, "paperless", `"perhaps"`)), 400, 1, "paperless", `found "perhaps", expected "No" or "Yes"`},
		{rows(exampleRow(t, s, "plan", `["a"]`)), 400, 1, "plan", `found a list, expected text, a number, a boolean or null`},
		{rows(exampleRow(t, s, "customer_id", `{"a":1}`)), 400, 1, "customer_id", `found an object`},
		{rows(ok[:len(ok)-1] + `,"plan":"x"}`), 400, 1, "plan", `the row has it twice`},
		{rows(ok, ok, ok, ok), 413, 0, "", `there are more than 3 rows`},
		{rows(exampleRow(t, s, "plan", `"`+strings.Repeat("x", 3000)+`"`)), 413, 0, "", `the body is larger than 2048 bytes`},
		{``, 400, 0, "", `the body is empty, expected {"rows":`},
		{`{}`, 400, 0, "", `the body has no rows, expected`},
		{`[]`, 400, 0, "", `the body is a list, expected an object`},
		{`null`, 400, 0, "", `the body is null, expected an object`},
		{`{"instances":[]}`, 400, 0, "", `the body has an unknown key "instances", expected {"rows":`},
		{`{"rows":[],"row":{}}`, 400, 0, "", `the body has both "rows" and "row"`},
		{`{"rows":{}}`, 400, 0, "", `"rows" is an object, expected a list`},
		{`{"rows":[7]}`, 400, 0, "", `row 1 is a number, expected an object`},
		{`{"row":"x"}`, 400, 0, "", `the row is text, expected an object`},
		{rows(ok) + ` {}`, 400, 0, "", `there is more after the end`},
		{rows(ok) + ` ]`, 400, 0, "", `the body is not JSON, at byte`},
		{rows(exampleRow(t, s))[:60], 400, 0, "", `its JSON is not closed`},
		{`{"row":{"tenure":NaN}}`, 400, 0, "", `the body is not JSON, at byte`},
		{`{"row":{"tenure" 3}}`, 400, 0, "", `the body is not JSON, at byte`},
		{"{\"row\":{\"plan\":\"\xff\"}}", 400, 0, "", `the body is not UTF-8`},
		{`{"rows":[[[[[[[`, 400, 0, "", `row 1 is a list, expected an object`},
	} {
		w := ask(s.Handler(), "POST", "/v1/predict", c.body, "Content-Type", "application/json")
		var r errorReply
		d := json.NewDecoder(w.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			t.Errorf("%.80s: the error is not the JSON of one: %v", c.body, err)
		}
		if w.Code != c.status || r.Error.Row != c.row || r.Error.Column != c.column || !strings.Contains(r.Error.Message, c.want) {
			t.Errorf("%.80s:\ngot  %d, row %d, column %q: %s\nwant %d, row %d, column %q: …%s…", c.body, w.Code, r.Error.Row, r.Error.Column, r.Error.Message, c.status, c.row, c.column, c.want)
		}
	}
}

func TestRoutes(t *testing.T) {
	s, _ := testServer(t, "churn", Options{})
	h := s.Handler()
	example := `{"row":` + exampleRow(t, s) + `}`
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		{"GET", "/healthz", "", nil, 200, `"ok"`},
		{"GET", "/readyz", "", nil, 503, "warming up"},
		{"POST", "/v1/predict", example, nil, 200, `"churn"`},
		{"GET", "/readyz", "", nil, 200, `"}`}, // whole: it ends as JSON does
		{"HEAD", "/healthz", "", nil, 200, ""},
		{"GET", "/v1/predict", "", nil, 405, "GET is not answered here, expected POST"},
		{"OPTIONS", "/v1/predict", "", nil, 405, "expected POST"},
		{"POST", "/", example, nil, 405, "expected GET"},
		{"GET", "/v1/predictt", "", nil, 404, "did you mean /v1/predict?"},
		{"GET", "//", "", nil, 404, "there is nothing at this path"},
		{"POST", "/v1/predict", example, []string{"Content-Type", "text/plain"}, 415, `text/plain\", expected application/json`},
		{"POST", "/v1/predict", example, []string{"Content-Encoding", "gzip"}, 415, `the content encoding is \"gzip\"`},
		{"GET", "/", "", []string{"Host", "evil.example:8080"}, 403, `evil.example:8080\", expected localhost`},
		{"GET", "/", "", []string{"Host", "127.0.0.1.evil.example"}, 403, "Host"},
		{"GET", "/", "", []string{"Host", ""}, 403, "Host"},
		{"GET", "/healthz", "", []string{"Host", "LOCALHOST:8080"}, 200, ""},
		{"GET", "/healthz", "", []string{"Host", "[::1]:8080"}, 200, ""},
		{"GET", "/healthz", "", []string{"Host", "[::1]"}, 200, ""},
		{"POST", "/v1/predict", example, []string{"Origin", "https://evil.example"}, 403, "another origin"},
		{"POST", "/v1/predict", example, []string{"Sec-Fetch-Site", "cross-site"}, 403, "another origin"},
		{"POST", "/v1/predict", example, []string{"Origin", "http://127.0.0.1:8080"}, 200, ""},
	} {
		w := ask(h, c.method, c.path, c.body, c.header...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %v: %d %s, want %d …%s…", c.method, c.path, c.header, w.Code, w.Body, c.status, c.want)
		}
		if w.Code >= 400 && c.method != "HEAD" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: the error is not JSON: %s", c.method, c.path, w.Body)
		}
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s permits other origins: %s", c.method, c.path, name)
			}
		}
	}
	if w := ask(h, "GET", "/v1/predict", ""); w.Header().Get("Allow") != "POST" {
		t.Errorf("Allow is %q", w.Header().Get("Allow"))
	}
	text := ask(h, "GET", "/metrics", "").Body.String()
	for _, want := range []string{`hone_serve_requests_total{code="200",path="/v1/predict"} 2`, `hone_serve_requests_total{code="404",path="other"} 2`,
		"hone_serve_rows_total 2", "hone_serve_shed_total 0", "hone_serve_in_flight 1", `hone_serve_request_seconds_count{path="/v1/predict"}`, `hone_serve_model_info{model="churn@`} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics lacks %s:\n%s", want, text)
		}
	}
}

func TestKey(t *testing.T) {
	t.Setenv(KeyVariable, "")
	m, facts := trained(t, "churn")
	for _, address := range []string{":8080", "0.0.0.0:8080", "192.0.2.7:80", "[::]:80", "example.org:80"} {
		if _, err := New(m, facts, Options{Address: address}); err == nil || !strings.Contains(err.Error(), "there is no key; set HONE_SERVE_KEY") {
			t.Errorf("%s without a key: %v", address, err)
		}
	}
	for _, address := range []string{"localhost:1", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1"} {
		if _, err := New(m, facts, Options{Address: address}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, o := range []Options{{Address: "8080"}, {Key: "a b"}, {Key: "a\n"}, {MaxRows: -1}, {ReadTimeout: -1}} {
		if _, err := New(m, facts, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	t.Setenv(KeyVariable, "s3cret")
	s, err := New(m, facts, Options{Address: ":8080"})
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	for _, path := range []string{"/", "/v1/schema", "/v1/predict", "/healthz", "/readyz", "/metrics", "/nothing"} {
		for _, header := range [][]string{{}, {"Authorization", "Bearer wrong"}, {"Authorization", "Bearer "}, {"Authorization", "s3cret"}, {"Authorization", "Basic eDp5"}} {
			if w := ask(h, "GET", path, "", header...); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s with %v: %d %s", path, header, w.Code, w.Body)
			}
		}
	}
	// As a token, and as a browser asks for it; under any name.
	for _, header := range []string{"Bearer s3cret", "bearer s3cret", "Basic YW55b25lOnMzY3JldA=="} {
		if w := ask(h, "GET", "/v1/schema", "", "Authorization", header, "Host", "models.example"); w.Code != 200 {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
	if w := ask(h, "GET", "/", "", "Authorization", "Bearer s3cret"); strings.Contains(w.Body.String(), "s3cret") {
		t.Error("the page tells the key")
	}
}

func TestShed(t *testing.T) {
	s, h := testServer(t, "churn", Options{MaxConcurrent: 1})
	body, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		r, err := http.Post(h.URL+"/v1/predict", "application/json", body)
		if err != nil {
			done <- 0
			return
		}
		r.Body.Close()
		done <- r.StatusCode
	}()
	io.WriteString(w, `{"row":`)
	for len(s.slots) == 0 {
		continue
	}
	full := ask(s.Handler(), "POST", "/v1/predict", `{"rows":[]}`)
	if full.Code != 503 || full.Header().Get("Retry-After") != "1" || !strings.Contains(full.Body.String(), "try again") {
		t.Errorf("%d %v %s", full.Code, full.Header(), full.Body)
	}
	if w := ask(s.Handler(), "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("a busy server is not healthy: %d", w.Code)
	}
	w.Write([]byte(exampleRow(t, s) + "}"))
	w.Close()
	if code := <-done; code != 200 {
		t.Errorf("the request under way got %d", code)
	}
	if w := ask(s.Handler(), "POST", "/v1/predict", `{"rows":[]}`); w.Code != 200 {
		t.Errorf("the place is not free again: %d", w.Code)
	}
}

func TestSchema(t *testing.T) {
	for target := range outputs {
		s, _ := testServer(t, target, Options{})
		var got Schema
		if err := json.Unmarshal(ask(s.Handler(), "GET", "/v1/schema", "").Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Target != target || got.Task != s.model.Output.Kind().String() || fmt.Sprint(got.Classes) != fmt.Sprint(s.model.Output.Classes()) {
			t.Errorf("%+v", got)
		}
		if ignored := fmt.Sprint(got.Ignored); ignored != "[customer_id churn segment spend]" {
			t.Errorf("ignored are %s", ignored)
		}
		var test map[string]struct{ Value float64 }
		if err := json.Unmarshal(got.Test, &test); err != nil || test["accuracy"].Value != 0.8612 {
			t.Errorf("the metrics are %s, %v", got.Test, err)
		}
		if !strings.Contains(string(got.Example), `"the \"<b>\" one":`) {
			t.Errorf("the example is not for people: %s", got.Example)
		}
		by := map[string]SchemaInput{}
		for _, in := range got.Inputs {
			by[in.Name] = in
		}
		if plan := by["plan"]; len(plan.Values) != 3 || plan.Values[0] != "basic" || plan.Example != "basic" {
			t.Errorf("%+v", plan)
		}
		if charge := by["monthly charge"]; charge.Mean == nil || math.Abs(*charge.Mean-60) > 5 || math.Abs(charge.Example.(float64)-60) > 5 {
			t.Errorf("%+v", charge)
		}
		if at := by["joined"]; at.Layout != "02/01/2006" || !regexp.MustCompile(`^\d\d/\d\d/20\d\d$`).MatchString(at.Example.(string)) {
			t.Errorf("%+v", at)
		}
		if w := ask(s.Handler(), "POST", "/v1/predict", `{"row":`+string(got.Example)+`}`); w.Code != 200 {
			t.Errorf("the example cannot be sent: %s", w.Body)
		}
	}
}

func TestSchemaLimits(t *testing.T) {
	var values []string
	for i := range 2000 {
		values = append(values, fmt.Sprint("v", i))
	}
	m := &model.Model{Name: "m", Target: "y", Schema: data.Schema{{Name: "x", Type: data.Category}, {Name: "y", Type: data.Category}},
		Inputs: []model.Input{{Column: "x", Feature: &feature.Category{Values: values, Dimension: 2}}}, Output: &feature.CategoryOutput{Names: values}}
	s, err := newSchema(m, Facts{Name: "m"}, Options{MaxRows: 10000})
	if err != nil {
		t.Fatal(err)
	}
	if in := s.Inputs[0]; len(in.Values) != maxValues || in.Total != 2000 || s.MaxRows != maxCells/2000 {
		t.Errorf("%d of %d values, %d rows", len(in.Values), in.Total, s.MaxRows)
	}
	for _, c := range []struct{ x, deviation, want float64 }{{38.6, 13, 39}, {1077.6, 7385, 1100}, {0.3333, 0.02, 0.333}, {5, 1e-300, 5}, {-2.55e9, 3e9, -2.6e9}} {
		if got := rounded(c.x, c.deviation); got != c.want {
			t.Errorf("%v beside %v is %v, want %v", c.x, c.deviation, got, c.want)
		}
	}
}

// TestPage checks that what the policy allows is what the page holds, and that
// names cannot break out of it.
// TestSeveralOutputs: a reply holds every output of a row, and what the page, the
// schema and the client make of it.
func TestSeveralOutputs(t *testing.T) {
	s, h := testServer(t, "churn+spend+segment", Options{})
	w := ask(s.Handler(), "POST", "/v1/predict", `{"row":`+exampleRow(t, s, "spend", "3")+`}`)
	var r struct {
		Predictions []struct {
			Churn, Segment struct {
				Value         string
				Probabilities map[string]float64
			}
			Spend map[string]any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 || len(r.Predictions) != 1 {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	p := r.Predictions[0]
	if len(p.Churn.Probabilities) != 2 || len(p.Segment.Probabilities) != 4 || p.Segment.Value == "" || len(p.Spend) != 1 || p.Spend["value"].(float64) <= 0 {
		t.Errorf("%s", w.Body)
	}
	var told Schema
	if err := json.Unmarshal(ask(s.Handler(), "GET", "/v1/schema", "").Body.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	if told.Target != "churn" || told.Threshold != 0.4 || len(told.Outputs) != 2 || told.Outputs[0].Target != "spend" || len(told.Outputs[0].Range) != 2 || len(told.Outputs[1].Classes) != 4 {
		t.Errorf("schema %+v", told)
	}
	if page := html.UnescapeString(ask(s.Handler(), "GET", "/", "").Body.String()); !strings.Contains(page, `"others":["spend","segment"]`) {
		t.Error("the page does not know of the other outputs")
	}
	rows, _ := readCSV(t, makeCSV(200, 98), data.Options{Schema: s.model.Schema})
	want, err := s.model.PredictAll(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&Client{URL: h.URL}).PredictAll(context.Background(), rows)
	if err != nil || len(got) != 3 {
		t.Fatal(len(got), err)
	}
	for i := range want {
		if !sameBits(got[i], want[i]) {
			t.Errorf("output %d: the endpoint's predictions differ from the model's own", i)
		}
	}
}

func TestPage(t *testing.T) {
	s, _ := testServer(t, "churn", Options{})
	w := ask(s.Handler(), "GET", "/", "")
	page := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, tag := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		content, _, _ := strings.Cut(rest, "</"+tag+">")
		if want := tag + "-src 'sha256-" + digest(content) + "'"; len(content) < 100 || !strings.Contains(policy, want) {
			t.Errorf("the policy %q does not allow the page's own %s", policy, tag)
		}
	}
	if strings.Contains(page, " style=") || regexp.MustCompile(`(?i)\son\w+=|(src|href)="(https?:)?//`).MatchString(page) {
		t.Error("the page holds what its policy forbids, or something from elsewhere")
	}
	if strings.Contains(page, "<b>\" one") || !strings.Contains(page, `the &#34;&lt;b&gt;&#34; one`) {
		t.Error("a column's name is not escaped")
	}
	for _, in := range s.schema.Inputs {
		if !strings.Contains(html.UnescapeString(page), `data-name="`+in.Name+`"`) {
			t.Errorf("the page has no field for %q", in.Name)
		}
	}
	for _, want := range []string{`type="number"`, `type="date"`, `type="datetime-local"`, `<option value="O&#39;Neil &amp; sons">`, `<option value="false" selected>No</option>`, "Accuracy 0.8612 (0.83 to 0.89) on test rows"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// TestPanic checks that a mistake of ours costs one reply, not the server.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	s, _ := testServer(t, "churn", Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	rows := s.rows
	s.rows = nil
	w := ask(s.Handler(), "POST", "/v1/predict", `{"rows":[]}`)
	if w.Code != 500 || !json.Valid(w.Body.Bytes()) || strings.Contains(w.Body.String(), "nil pointer") || !strings.Contains(log.String(), "nil pointer") {
		t.Errorf("%d %s, log %s", w.Code, w.Body, log.String())
	}
	s.rows = rows
	if len(s.slots) != 0 {
		t.Error("the place of the failed request is not free again")
	}
	if w := ask(s.Handler(), "POST", "/v1/predict", `{"rows":[]}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestNotFinite checks that a damaged model does not answer with broken JSON.
func TestNotFinite(t *testing.T) {
	s, _ := testServer(t, "spend", Options{})
	p, err := s.reply([]*model.Predictions{{Kind: s.model.Output.Kind(), Value: []float64{1, math.NaN()}}}, nil)
	if err == nil {
		t.Errorf("NaN is written as %s", p)
	}
}

// FuzzRows sends anything at all: no panic, and what is taken has all columns.
func FuzzRows(f *testing.F) {
	schema := data.Schema{{Name: "n", Type: data.Number}, {Name: "c", Type: data.Category}, {Name: "b", Type: data.Boolean, False: "no", True: "yes"}, {Name: "d", Type: data.Datetime, Layout: "2006-01-02"}}
	r := newRowReader(schema, []string{"y"}, 5)
	f.Add(`{"rows":[{"n":1,"c":"a","b":true,"d":"2024-01-02","y":0},{"n":null,"c":3,"b":null,"d":null}]}`)
	f.Add(`{"row":{"n":1e5,"c":"a","b":"yes","d":"2024-01-02"}}`)
	f.Add(`{"rows":[{"n":{}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		table, _, err := r.read(strings.NewReader(body))
		if err == nil && (len(table.Columns) != 4 || table.Rows > 5 || !json.Valid([]byte(body))) {
			t.Errorf("%q is taken as %v", body, table)
		}
		if e, ok := err.(*Error); err != nil && (!ok || e.Status < 400 || e.Status > 499) {
			t.Errorf("%q: %v is not an error of the client's", body, err)
		}
	})
}
