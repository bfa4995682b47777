package serve

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
)

var (
	chatStyle  = styleSheet + mustRead("chat.css")
	chatScript = mustRead("chat.js")
	chatPage   = template.Must(template.New("chat").Parse(mustRead("chat.html")))
	chatPolicy = policyOf(chatStyle, chatScript)
)

// suggested is how many questions of the file of answers the page knows, from which
// it suggests some in the reader's language.
const suggested = 200

// makeChat draws the page on which people ask; it depends on the bundle alone.
func (s *Server) makeChat(f Facts) ([]byte, error) {
	var questions []string
	for _, row := range s.answerer.rows[:min(suggested, len(s.answerer.rows))] {
		questions = append(questions, row.Questions[0])
	}
	facts, err := json.Marshal(map[string]any{"questions": questions})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = chatPage.Execute(&b, view{
		Name: f.Name, Version: s.schema.Model, Facts: string(facts), Measured: measured(f.Metrics),
		Style: template.CSS(chatStyle), Script: template.JS(chatScript),
	})
	return b.Bytes(), err
}

func (s *Server) serveChat(w http.ResponseWriter, _ *http.Request) error {
	s.writePage(w, s.chat, chatPolicy)
	return nil
}
