package serve

import (
	"fmt"
	"math"
	"mime"
	"net/http"
	"strconv"

	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// predict answers /v1/predict.
func (s *Server) predict(w http.ResponseWriter, r *http.Request) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &Error{Status: http.StatusUnsupportedMediaType, Problem: fmt.Sprintf("the content type is %q, expected application/json: send the header Content-Type: application/json", r.Header.Get("Content-Type"))}
	}
	if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return &Error{Status: http.StatusUnsupportedMediaType, Problem: fmt.Sprintf("the content encoding is %q, expected none: send plain JSON", c)}
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.metrics.shed.Inc()
		w.Header().Set("Retry-After", "1")
		return &Error{Status: http.StatusServiceUnavailable, Problem: fmt.Sprintf("%d predictions are being worked on, which is as many as serve.max_concurrent allows; try again in a second", cap(s.slots))}
	}
	t, err := s.rows.read(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	if err != nil {
		return err
	}
	p, err := s.model.Predict(r.Context(), t)
	if err != nil {
		return err
	}
	body, err := s.reply(p)
	if err != nil {
		return err
	}
	s.warm.Store(true)
	s.metrics.rows.Add(float64(t.Rows))
	writeJSON(w, http.StatusOK, body)
	return nil
}

// replyWriter writes predictions as JSON.
type replyWriter struct {
	head    []byte   // to the list of predictions
	target  []byte   // the target's name, quoted
	classes [][]byte // quoted
}

func newReplyWriter(version, target string, classes []string) *replyWriter {
	w := &replyWriter{target: appendString(nil, target)}
	w.head = append(appendString([]byte(`{"model":`), version), `,"predictions":[`...)
	for _, c := range classes {
		w.classes = append(w.classes, appendString(nil, c))
	}
	return w
}

// reply writes the reply of /v1/predict.
func (s *Server) reply(p *model.Predictions) ([]byte, error) {
	for _, values := range [][]float64{p.Prob, p.Value} {
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("the model predicts %v, which is no number: its weights are damaged or it diverged in training", v)
			}
		}
	}
	w := s.replies
	b := append([]byte(nil), w.head...)
	for i := range p.Rows() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '{'), w.target...), `:{"value":`...)
		if p.Kind == metric.Regression {
			b = append(appendNumber(b, p.Value[i]), "}}"...)
			continue
		}
		b = append(append(b, w.classes[p.Class[i]]...), `,"probability":`...)
		b = append(appendNumber(b, p.Confidence(i)), `,"probabilities":{`...)
		for k, class := range w.classes {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(append(b, class...), ':')
			switch {
			case p.Kind == metric.Multiclass:
				b = appendNumber(b, p.Prob[i*len(w.classes)+k])
			case k == 1:
				b = appendNumber(b, p.Prob[i])
			default:
				b = appendNumber(b, 1-p.Prob[i])
			}
		}
		b = append(b, "}}}"...)
	}
	return append(b, "]}\n"...), nil
}

// appendNumber writes the shortest text that reads as the same float64.
func appendNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }
