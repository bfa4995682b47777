package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

// desk is a small model of questions, with answers in two languages.
func desk(t *testing.T) (*model.Model, *Answers) {
	t.Helper()
	var text strings.Builder
	text.WriteString("text,intent\n")
	for _, q := range []string{"where is my parcel,lost", "I lost my parcel,lost", "包裹在哪里,lost", "包裹丢了,lost", "when are you open,hours", "are you open on Sunday,hours", "几点开门,hours", "周日开门吗,hours", "tell me a joke,other", "sing a song,other", "讲个笑话,other", "唱首歌,other"} {
		text.WriteString(q + "\n")
	}
	rows, schema := readCSV(t, text.String(), data.Options{Types: map[string]data.Type{"text": data.Text, "intent": data.Category}})
	input := &feature.TextOptions{}
	output := &feature.CategoryOutputOptions{}
	for _, o := range []any{input, output} {
		if err := config.Defaults(o); err != nil {
			t.Fatal(err)
		}
	}
	f, err := input.Fit(rows.Column("text"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := output.Fit(rows.Column("intent"))
	if err != nil {
		t.Fatal(err)
	}
	m := &model.Model{Name: "desk", Inputs: []model.Input{{Column: "text", Feature: f}}, Target: "intent", Output: out, Network: &model.Linear{}, Schema: schema, State: graph.NewState(),
		Abstain: map[string]*model.Abstention{"intent": {ErrorRate: 0.1, Threshold: 0.6, None: "other"}}}
	x, sources, err := m.EncodeStreamed(rows, true)
	if err != nil {
		t.Fatal(err)
	}
	y, _, err := m.AllTargets(rows)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := train.NewStream(append(x, y...), sources, nil, 4, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer batches.Close()
	if _, err := train.Run(t.Context(), m.Task(), m.State, batches, nil, train.Options{Epochs: 60, Optimizer: optim.Adam(1e-2)}); err != nil {
		t.Fatal(err)
	}
	return m, &Answers{[]Answer{
		{"lost", []string{"Where is my parcel?"}, "Look at the map."}, {"lost", []string{"我的包裹在哪里？"}, "请看地图。"},
		{"hours", []string{"When are you open?"}, "From nine to six."}, {"hours", []string{"几点开门？"}, "九点到六点。"},
	}}
}

func TestAnswers(t *testing.T) {
	m, a := desk(t)
	s, err := New(m, Facts{Answers: a}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	answer := func(question string) answerReply {
		t.Helper()
		body, err := json.Marshal(map[string]string{"question": question})
		if err != nil {
			t.Fatal(err)
		}
		w := ask(h, "POST", "/v1/answer", string(body), "Content-Type", "application/json")
		var r answerReply
		if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &r) != nil {
			t.Fatalf("%q: %d %s", question, w.Code, w.Body)
		}
		return r
	}
	for question, row := range map[string]int{"where is my parcel now": 1, "我的包裹在哪里": 2, "are you open now": 3, "周日几点开门": 4} {
		r := answer(question)
		if !r.Sure || r.Answer == nil || r.Answer.Row != row || r.Answer.Answer != a.Rows[row-1].Text || r.Sources[0] != *r.Answer {
			t.Errorf("%q is answered by %+v of %+v, expected row %d", question, r.Answer, r, row)
		}
		if len(r.Sources) != 2 || r.Sources[0].Class == r.Sources[1].Class || !(r.Sources[0].Score > r.Sources[1].Score) {
			t.Errorf("%q has the sources %+v, expected one of each class, the best first", question, r.Sources)
		}
	}
	for _, question := range []string{"sing a song", "讲个笑话", "??", "<b>"} {
		if r := answer(question); r.Sure || r.Answer != nil || r.Class != "other" && r.Confidence >= 0.6 {
			t.Errorf("%q is answered: %+v", question, r)
		}
	}
	// The same is told by /v1/predict.
	for question, want := range map[string]string{"sing a song": `"sure":false`, "where is my parcel": `"sure":true`} {
		w := ask(h, "POST", "/v1/predict", `{"row":{"text":"`+question+`"}}`, "Content-Type", "application/json")
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q is predicted as %s, expected %s", question, w.Body, want)
		}
	}
	if w := ask(h, "GET", "/v1/schema", ""); !strings.Contains(w.Body.String(), `"sure_from": 0.6`) {
		t.Errorf("the schema does not say from which probability on the model is sure: %s", w.Body)
	}
}

func TestAnswerErrors(t *testing.T) {
	m, a := desk(t)
	s, err := New(m, Facts{Answers: a}, Options{MaxBody: 1024})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		"":                         {400, "expected {\\\"question\\\""},
		`{"question": 3}`:          {400, "expected {\\\"question\\\""},
		`{"questoin": "x"}`:        {400, "expected {\\\"question\\\""},
		`{"question": "  "}`:       {400, "the question is empty"},
		`{"question": "x`:          {400, "ends too early"},
		`nonsense`:                 {400, "not JSON"},
		"{\"question\": \"\xff\"}": {400, "not UTF-8"},
		`{"question": "` + strings.Repeat("x", 2000) + `"}`: {413, "larger than 1024 bytes"},
	} {
		w := ask(s.Handler(), "POST", "/v1/answer", body, "Content-Type", "application/json")
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%.40q: %d %s, expected %d and %s", body, w.Code, w.Body, want.status, want.text)
		}
	}
	if w := ask(s.Handler(), "POST", "/v1/answer", `{"question": "x"}`, "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("plain text: %d", w.Code)
	}
	for name, rows := range map[string][]Answer{
		"none": nil, "of no class": {{"losst", []string{"q"}, "a"}}, "without a question": {{"lost", nil, "a"}}, "without an answer": {{"lost", []string{"q"}, ""}},
	} {
		if _, err := New(m, Facts{Answers: &Answers{rows}}, Options{}); err == nil {
			t.Errorf("answers %s are served", name)
		}
	}
	table, _ := trained(t, "churn")
	if _, err := New(table, Facts{Answers: a}, Options{}); err == nil || !strings.Contains(err.Error(), "does not read one text") {
		t.Errorf("a model of a table answers questions: %v", err)
	}
}

func TestChatPage(t *testing.T) {
	m, a := desk(t)
	a.Rows[0].Questions[0] = `Where is "</script><b>" my parcel?`
	s, err := New(m, Facts{Name: "desk", Answers: a}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := ask(s.Handler(), "GET", "/", "")
	page := w.Body.String()
	policy := w.Header().Get("Content-Security-Policy")
	for _, tag := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		content, _, _ := strings.Cut(rest, "</"+tag+">")
		if want := tag + "-src 'sha256-" + digest(content) + "'"; len(content) < 100 || !strings.Contains(policy, want) {
			t.Errorf("the policy %q does not allow the page's own %s", policy, tag)
		}
	}
	if strings.Contains(page, "<b>") {
		t.Error("a question is not escaped")
	}
	if form := ask(s.Handler(), "GET", "/form", ""); !strings.Contains(form.Body.String(), "Predict <em>intent</em>") {
		t.Errorf("the model by itself cannot be tried at /form: %d", form.Code)
	}
}
