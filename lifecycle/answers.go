package lifecycle

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/serve"
)

// Answers are the texts with which a served model answers questions.
type Answers struct {
	Source    string         `yaml:"source" doc:"file of answers, a row each; without it questions are not answered"`
	Class     string         `yaml:"class" doc:"its column of the class of the questions that a row answers; default: that of the output's name"`
	Questions config.Strings `yaml:"questions" default:"question" doc:"its columns of questions, by which a row is found; the first stands for it"`
	Answer    string         `yaml:"answer" default:"answer" doc:"its column of what is replied"`
}

// readAnswers reads the answers that go into the bundle, and puts the content of
// their file into the run's fingerprint.
func (p *prepared) readAnswers(c *Config) error {
	a := c.Answers
	if a.Source == "" {
		return nil
	}
	if a.Class == "" {
		a.Class = p.model.Target
	}
	path := c.doc.Resolve(a.Source)
	columns := append([]string{a.Class, a.Answer}, a.Questions...)
	t, err := readTexts(path, data.Options{}, columns)
	if err != nil {
		return err
	}
	p.answers = &serve.Answers{}
	for i := range t.Rows {
		row := serve.Answer{Class: t.Column(a.Class).Text(i), Text: strings.Join(textsOf(t.Column(a.Answer), i), "\n")}
		for _, name := range a.Questions {
			row.Questions = append(row.Questions, textsOf(t.Column(name), i)...)
		}
		p.answers.Rows = append(p.answers.Rows, row)
	}
	if err := serve.CheckAnswers(p.model, p.answers); err != nil {
		return mistake("%s: answers: %s: %v", c.doc.Name(), path, err)
	}
	if without := withoutAnswer(p.model, p.answers, c.Outputs[0].Abstain.None); len(without) > 0 {
		p.notes = append(p.notes, "answers: "+path+" has none for "+strings.Join(without, ", ")+": questions of these are never answered")
	}
	print, err := data.Fingerprint(path)
	p.fingerprint += " " + print
	return err
}

// withoutAnswer are the classes, but none, that no answer is for.
func withoutAnswer(m *model.Model, a *serve.Answers, none string) []string {
	var out []string
	for _, class := range m.Output.Classes() {
		if class != none && !slices.ContainsFunc(a.Rows, func(r serve.Answer) bool { return r.Class == class }) {
			out = append(out, class)
		}
	}
	return out
}

// answersPart is what a bundle holds of the answers; nothing without them.
func (p *prepared) answersPart() ([]bundle.Part, error) {
	if p.answers == nil {
		return nil, nil
	}
	raw, err := json.MarshalIndent(p.answers, "", "  ")
	return []bundle.Part{{Name: serve.AnswersPart, Content: append(raw, '\n')}}, err
}
