package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/search"
)

// AnswersPart is the part of a bundle that holds its answers.
const AnswersPart = "answers.json"

// Answers are texts that questions are answered with.
type Answers struct {
	Rows []Answer `json:"rows"`
}

// Answer is one of them: a row of the file that they come from.
type Answer struct {
	Class     string   `json:"class"`     // of the questions that it answers
	Questions []string `json:"questions"` // by which it is found; the first stands for it
	Text      string   `json:"answer"`
}

// An answerer answers questions: the model says of which class a question is and
// how sure that is, a search which of the answers is nearest to it.
type answerer struct {
	rows    []Answer
	classes []string
	column  string // the input
	finder  search.Scorer
}

// sources is how many answers a reply names.
const sources = 3

func newAnswerer(m *model.Model, a *Answers) (*answerer, error) {
	if err := CheckAnswers(m, a); err != nil {
		return nil, err
	}
	r := &answerer{rows: a.Rows, classes: m.Output.Classes(), column: m.Inputs[0].Column}
	var questions, texts []string
	for _, row := range a.Rows {
		questions = append(questions, strings.Join(row.Questions, "\n"))
		texts = append(texts, row.Text)
	}
	var all search.Fused
	for _, of := range [][]string{questions, texts} {
		ngrams, err := search.NewNGrams(of)
		if err != nil {
			return nil, err
		}
		words, err := search.NewBM25(of)
		if err != nil {
			return nil, err
		}
		all = append(all, ngrams, words)
	}
	r.finder = all
	return r, nil
}

// CheckAnswers finds answers that a model has no use for.
func CheckAnswers(m *model.Model, a *Answers) error {
	if len(m.Inputs) != 1 || m.Inputs[0].Feature.Type() != "text" || len(m.Output.Classes()) == 0 {
		return fmt.Errorf("the model does not read one text and predict its class, as answering questions needs")
	}
	if len(a.Rows) == 0 {
		return errors.New("there are no answers")
	}
	for i, row := range a.Rows {
		switch {
		case !slices.Contains(m.Output.Classes(), row.Class):
			return fmt.Errorf("row %d answers the class %q, which is none of %s", i+1, row.Class, m.Target)
		case len(row.Questions) == 0 || row.Questions[0] == "" || row.Text == "":
			return fmt.Errorf("row %d has no question, or no answer", i+1)
		}
	}
	return nil
}

// answerReply is the reply of /v1/answer.
type answerReply struct {
	Model      string   `json:"model"`
	Sure       bool     `json:"sure"`
	Class      string   `json:"class"`
	Confidence float64  `json:"confidence"` // probability of the class
	Answer     *source  `json:"answer"`     // null where the model is not sure
	Sources    []source `json:"sources"`    // the nearest answers, each of another class
}

// source is an answer that was found.
type source struct {
	Row      int     `json:"row"` // of the file of answers, from 1
	Class    string  `json:"class"`
	Question string  `json:"question"`
	Answer   string  `json:"answer"`
	Score    float64 `json:"score"` // mean of the class's probability and of how near the texts are, 0 to 1
}

// reply answers a question by the model's predictions of it.
func (r *answerer) reply(question string, p *model.Predictions) (*answerReply, error) {
	out := &answerReply{Class: p.Classes[p.Class[0]], Confidence: p.Confidence(0), Sure: p.Sure == nil || p.Sure[0], Sources: []source{}}
	scores := make([]float64, len(r.rows))
	if err := r.finder.Score(question, scores); err != nil {
		return nil, &Error{Status: http.StatusBadRequest, Problem: "the question: " + err.Error()}
	}
	for i, row := range r.rows {
		k := slices.Index(p.Classes, row.Class)
		scores[i] = (scores[i] + p.Probability(0, k)) / 2
	}
	seen := map[string]bool{}
	for _, h := range search.Top(scores, len(scores)) {
		row := r.rows[h.Row]
		if seen[row.Class] {
			continue // its nearest answer is there; others are the same in another language or form
		}
		seen[row.Class] = true
		s := source{h.Row + 1, row.Class, row.Questions[0], row.Text, h.Score}
		if row.Class == out.Class && out.Sure {
			out.Answer = &s
		}
		if len(out.Sources) < sources {
			out.Sources = append(out.Sources, s)
		}
	}
	out.Sure = out.Answer != nil
	return out, nil
}

// answer answers /v1/answer: {"question": "…"}.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &Error{Status: http.StatusUnsupportedMediaType, Problem: fmt.Sprintf("the content type is %q, expected application/json: send the header Content-Type: application/json", r.Header.Get("Content-Type"))}
	}
	done, err := s.slot(w)
	if err != nil {
		return err
	}
	defer done()
	var q struct {
		Question *string `json:"question"`
	}
	d := json.NewDecoder(transform.NewReader(http.MaxBytesReader(w, r.Body, s.opts.MaxBody), encoding.UTF8Validator))
	d.DisallowUnknownFields()
	err = d.Decode(&q)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == io.EOF, errors.As(err, &wrong), err == nil && q.Question == nil, err != nil && strings.Contains(err.Error(), "unknown field"):
		return &Error{Status: http.StatusBadRequest, Problem: `expected {"question": "…"}, a text`}
	case err != nil:
		return refused(d, err)
	}
	if strings.TrimSpace(*q.Question) == "" {
		return &Error{Status: http.StatusBadRequest, Problem: "the question is empty: send a text"}
	}
	reply, err := s.ask(r.Context(), *q.Question)
	if err != nil {
		return err
	}
	b, err := marshal(reply, "")
	if err != nil {
		return err
	}
	s.metrics.rows.Inc()
	writeJSON(w, http.StatusOK, append(b, '\n'))
	return nil
}

// ask predicts the class of a question, as /v1/predict does, and answers it.
func (s *Server) ask(ctx context.Context, question string) (*answerReply, error) {
	body, err := json.Marshal(map[string]map[string]string{"row": {s.answerer.column: question}})
	if err != nil {
		return nil, err
	}
	t, _, err := s.rows.read(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	p, err := s.model.Predict(ctx, t)
	if err != nil {
		return nil, err
	}
	reply, err := s.answerer.reply(question, p)
	if err != nil {
		return nil, err
	}
	reply.Model = s.schema.Model
	return reply, nil
}
