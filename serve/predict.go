package serve

import (
	"fmt"
	"math"
	"mime"
	"net/http"
	"strconv"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// predict answers /v1/predict.
func (s *Server) predict(w http.ResponseWriter, r *http.Request) error {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form := kind == "multipart/form-data" && s.rows.images() > 0
	if err != nil || kind != "application/json" && !form {
		return &Error{Status: http.StatusUnsupportedMediaType, Problem: fmt.Sprintf("the content type is %q, expected application/json: send the header Content-Type: application/json", r.Header.Get("Content-Type"))}
	}
	if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return &Error{Status: http.StatusUnsupportedMediaType, Problem: fmt.Sprintf("the content encoding is %q, expected none: send plain JSON", c)}
	}
	done, err := s.slot(w)
	if err != nil {
		return err
	}
	defer done()
	body := http.MaxBytesReader(w, r.Body, s.opts.MaxBody)
	var t *data.Table
	var coverage float64
	if form {
		t, coverage, err = s.rows.upload(body, parameters["boundary"])
	} else {
		t, coverage, err = s.rows.read(body)
	}
	if err != nil {
		return err
	}
	if coverage != 0 { // before the work, not after it
		if err := s.model.CheckCoverage(coverage); err != nil {
			return bad("%v", err)
		}
	}
	p, err := s.model.PredictAll(r.Context(), t)
	if err != nil {
		return err
	}
	var sets []*model.PredictionSets
	if coverage != 0 {
		if sets, err = s.model.Sets(p, coverage); err != nil {
			return err
		}
	}
	reply, err := s.reply(p, sets)
	if err != nil {
		return err
	}
	s.warm.Store(true)
	s.metrics.rows.Add(float64(t.Rows))
	writeJSON(w, http.StatusOK, reply)
	return nil
}

// slot takes a place among the predictions that are worked on; done gives it back.
func (s *Server) slot(w http.ResponseWriter) (done func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	default:
	}
	s.metrics.shed.Inc()
	w.Header().Set("Retry-After", "1")
	return nil, &Error{Status: http.StatusServiceUnavailable, Problem: fmt.Sprintf("%d predictions are being worked on, which is as many as serve.max_concurrent allows; try again in a second", cap(s.slots))}
}

// replyWriter writes predictions as JSON.
type replyWriter struct {
	head    []byte // to the list of predictions
	outputs []outputWriter
}

// outputWriter writes the predictions of one output.
type outputWriter struct {
	target  []byte   // its name, quoted
	classes [][]byte // quoted
}

func newReplyWriter(version string, outputs []model.Output) *replyWriter {
	w := &replyWriter{head: append(appendString([]byte(`{"model":`), version), `,"predictions":[`...)}
	for _, o := range outputs {
		of := outputWriter{target: appendString(nil, o.Column)}
		for _, c := range o.Feature.Classes() {
			of.classes = append(of.classes, appendString(nil, c))
		}
		w.outputs = append(w.outputs, of)
	}
	return w
}

// reply writes the reply of /v1/predict for the predictions of each output, with
// their sets where these were asked for.
func (s *Server) reply(all []*model.Predictions, sets []*model.PredictionSets) ([]byte, error) {
	for _, p := range all {
		for _, values := range [][]float64{p.Prob, p.Value} {
			for _, v := range values {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("the model predicts %v, which is no number: its weights are damaged or it diverged in training", v)
				}
			}
		}
	}
	b := append([]byte(nil), s.replies.head...)
	for i := range all[0].Rows() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for k, p := range all {
			if k > 0 {
				b = append(b, ',')
			}
			b = s.replies.outputs[k].append(b, p, i)
			if sets != nil && sets[k] != nil {
				b = s.replies.outputs[k].appendSet(b, sets[k], i)
			}
			b = append(b, '}')
		}
		b = append(b, '}')
	}
	return append(b, "]}\n"...), nil
}

// append writes the name of the output and its prediction of row i, to the closing
// brace.
func (w *outputWriter) append(b []byte, p *model.Predictions, i int) []byte {
	b = append(append(b, w.target...), `:{"value":`...)
	if p.Kind == metric.Regression {
		return appendNumber(b, p.Value[i])
	}
	if p.Kind == metric.Multilabel {
		b = append(b, '[')
		first := true
		for k, v := range p.Present(i) {
			if v == 0 {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			b, first = append(b, w.classes[k]...), false
		}
		b = append(b, "],"...)
	} else {
		b = append(append(b, w.classes[p.Class[i]]...), `,"probability":`...)
		b = append(appendNumber(b, p.Confidence(i)), ',')
	}
	if p.Sure != nil {
		b = append(strconv.AppendBool(append(b, `"sure":`...), p.Sure[i]), ',')
	}
	b = append(b, `"probabilities":{`...)
	for k, class := range w.classes {
		if k > 0 {
			b = append(b, ',')
		}
		b = append(append(b, class...), ':')
		switch {
		case p.Kind == metric.Multiclass || p.Kind == metric.Multilabel:
			b = appendNumber(b, p.Prob[i*len(w.classes)+k])
		case k == 1:
			b = appendNumber(b, p.Prob[i])
		default:
			b = appendNumber(b, 1-p.Prob[i])
		}
	}
	return append(b, '}')
}

// appendSet writes the set or interval of row i.
func (w *outputWriter) appendSet(b []byte, s *model.PredictionSets, i int) []byte {
	if s.Classes == nil {
		b = appendNumber(append(b, `,"low":`...), s.Low[i])
		return appendNumber(append(b, `,"high":`...), s.High[i])
	}
	b = append(b, `,"set":[`...)
	for n, k := range s.Classes[i] {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, w.classes[k]...)
	}
	return append(b, ']')
}

// appendNumber writes the shortest text that reads as the same float64.
func appendNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }
