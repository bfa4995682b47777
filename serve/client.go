package serve

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// A Client predicts by asking a server. It is a model.Predictor, gives the same
// numbers as the model itself, and is safe for concurrent use.
type Client struct {
	URL  string       // of the server, such as http://127.0.0.1:8080
	Key  string       // sent as a bearer token; "" for none
	HTTP *http.Client // default one with a time limit of two minutes a request

	mu     sync.Mutex
	schema *Schema
}

var _ model.Predictor = (*Client)(nil)

const (
	blockRows  = 1000     // of a request, unless the server takes fewer
	blockBytes = 1 << 20  // of a request, unless the server takes fewer or one row is longer
	maxReply   = 1 << 28  // bytes
	tries      = 10       // of a request that is refused because the server is busy
	firstWait  = 1e8      // nanoseconds, doubled at every try
	longWait   = 30 * 1e9 // as long as a wait gets
)

var defaultHTTP = &http.Client{Timeout: 2 * time.Minute}

// Schema returns the schema of the served model.
func (c *Client) Schema(ctx context.Context) (*Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.schema != nil {
		return c.schema, nil
	}
	body, err := c.do(ctx, http.MethodGet, "/v1/schema", nil)
	if err != nil {
		return nil, err
	}
	var s Schema
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, c.strange("/v1/schema", err.Error())
	}
	good := len(s.Inputs) > 0 && s.MaxRows > 0
	for _, o := range s.all() {
		_, known := taskKinds[o.Task]
		good = good && known && o.Target != "" && (o.Task == metric.Regression.String() || len(o.Classes) >= 2 || o.Task == metric.Multilabel.String() && len(o.Classes) == 1)
	}
	if !good {
		return nil, c.strange("/v1/schema", "the schema is not one of a hone model")
	}
	c.schema = &s
	return c.schema, nil
}

// Predict implements model.Predictor.
func (c *Client) Predict(ctx context.Context, t *data.Table) (*model.Predictions, error) {
	all, err := c.PredictAll(ctx, t)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// PredictAll implements model.MultiPredictor. Of the table's columns, those that
// the served model reads are sent.
func (c *Client) PredictAll(ctx context.Context, t *data.Table) ([]*model.Predictions, error) {
	s, err := c.Schema(ctx)
	if err != nil {
		return nil, err
	}
	var columns []*data.Column
	for _, in := range s.Inputs {
		col := t.Column(in.Name)
		if col == nil {
			return nil, fmt.Errorf("the table has no column %q, which the model at %s reads", in.Name, c.base())
		}
		columns = append(columns, col)
	}
	var all []*model.Predictions
	for _, o := range s.all() {
		all = append(all, &model.Predictions{Kind: taskKinds[o.Task], Classes: o.Classes})
	}
	limit := blockBytes
	if s.MaxBody > 0 {
		limit = int(min(blockBytes, s.MaxBody))
	}
	const head, tail = `{"rows":[`, `]}`
	for lo := 0; lo < t.Rows; {
		body, n := []byte(head), 0
		for ; lo+n < t.Rows && n < min(blockRows, s.MaxRows); n++ {
			before := len(body)
			if n > 0 {
				body = append(body, ',')
			}
			body = appendRow(body, columns, lo+n)
			if n > 0 && len(body)+len(tail) > limit {
				body = body[:before]
				break
			}
		}
		reply, err := c.do(ctx, http.MethodPost, "/v1/predict", append(body, tail...))
		if err != nil {
			var e *Error
			if errors.As(err, &e) && e.Row > 0 {
				e.Row += lo // the server counts within the request
			}
			return nil, err
		}
		if err := c.add(all, s, reply, n); err != nil {
			return nil, err
		}
		lo += n
	}
	return all, nil
}

// appendRow writes row i as a JSON object that is read to the same bits.
func appendRow(b []byte, columns []*data.Column, i int) []byte {
	b = append(b, '{')
	for k, c := range columns {
		if k > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, c.Name), ':')
		switch {
		case c.Missing(i):
			b = append(b, "null"...)
		case c.Type == data.Number:
			b = appendNumber(b, c.Numbers[i])
		case c.Type == data.Image:
			// One that cannot be read is refused there, by its row.
			content, _ := c.Picture(i).Content()
			b = append(base64.StdEncoding.AppendEncode(append(b, '"'), content), '"')
		case c.Type == data.Datetime:
			b = appendString(b, exactTime(c, i))
		default:
			b = appendString(b, c.Text(i))
		}
	}
	return append(b, '}')
}

// exactTime writes a time in its column's layout, with the fraction of its
// second, which package time reads after the second whether or not the layout
// has one.
func exactTime(c *data.Column, i int) string {
	v := c.Numbers[i]
	whole := math.Floor(v)
	if v == whole || !strings.Contains(c.Layout, ":05") || strings.Contains(c.Layout, ":05.") || strings.Contains(c.Layout, ":05,") {
		return c.Text(i)
	}
	layout := strings.Replace(c.Layout, ":05", ":05.999999999", 1)
	return time.Unix(int64(whole), int64(math.Round((v-whole)*1e9))).UTC().Format(layout)
}

// reply is what /v1/predict replies.
type reply struct {
	Model       string                  `json:"model"`
	Predictions []map[string]prediction `json:"predictions"`
}

type prediction struct {
	Value         json.RawMessage    `json:"value"`
	Probabilities map[string]float64 `json:"probabilities"`
	Sure          *bool              `json:"sure"`
}

// add appends the predictions of a reply to those of each output.
func (c *Client) add(all []*model.Predictions, s *Schema, body []byte, rows int) error {
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		return c.strange("/v1/predict", err.Error())
	}
	if r.Model != s.Model {
		return fmt.Errorf("%s served %s at first and %s later: the model was changed meanwhile; try again", c.base(), s.Model, r.Model)
	}
	if len(r.Predictions) != rows {
		return c.strange("/v1/predict", fmt.Sprintf("it has %d predictions for %d rows", len(r.Predictions), rows))
	}
	for i, o := range s.all() {
		if err := c.addOutput(all[i], &o, r.Predictions); err != nil {
			return err
		}
	}
	return nil
}

// addOutput appends the predictions of one output.
func (c *Client) addOutput(p *model.Predictions, s *SchemaOutput, rows []map[string]prediction) error {
	for _, row := range rows {
		one, ok := row[s.Target]
		if !ok {
			return c.strange("/v1/predict", fmt.Sprintf("a prediction has no %q", s.Target))
		}
		if p.Kind == metric.Regression {
			var v float64
			if err := json.Unmarshal(one.Value, &v); err != nil {
				return c.strange("/v1/predict", err.Error())
			}
			p.Value = append(p.Value, v)
			continue
		}
		var class string
		var labels []string
		into := any(&class)
		if p.Kind == metric.Multilabel {
			into = &labels
		}
		if err := json.Unmarshal(one.Value, into); err != nil {
			return c.strange("/v1/predict", err.Error())
		}
		if p.Kind != metric.Multilabel {
			labels = []string{class}
		}
		present := make([]int, len(s.Classes))
		for _, class := range labels {
			k := slices.Index(s.Classes, class)
			if k < 0 || len(one.Probabilities) != len(s.Classes) {
				return c.strange("/v1/predict", fmt.Sprintf("it predicts the class %q with %d probabilities, expected one of %d classes", class, len(one.Probabilities), len(s.Classes)))
			}
			if present[k] = 1; p.Kind != metric.Multilabel {
				p.Class = append(p.Class, k)
			}
		}
		if p.Kind == metric.Multilabel {
			p.Class = append(p.Class, present...)
		}
		if one.Sure != nil {
			p.Sure = append(p.Sure, *one.Sure)
		}
		for i, name := range s.Classes {
			v, ok := one.Probabilities[name]
			if !ok {
				return c.strange("/v1/predict", fmt.Sprintf("a prediction has no probability of the class %q", name))
			}
			if p.Kind != metric.Binary || i == 1 {
				p.Prob = append(p.Prob, v)
			}
		}
	}
	return nil
}

func (c *Client) base() string {
	return strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/v1/predict")
}

// strange is the error for a reply that hone serve does not give.
func (c *Client) strange(path, why string) error {
	return fmt.Errorf("%s%s gave a reply that hone serve does not give: %s; check the URL", c.base(), path, why)
}

// do sends a request, again and again while the server is busy, and returns
// the body of the reply.
func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	wait := time.Duration(firstWait)
	for try := 1; ; try++ {
		reply, after, err := c.once(ctx, method, path, body)
		var e *Error
		if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable || try == tries {
			return reply, err
		}
		// Half by chance, so that clients refused together do not return together.
		pause := min(longWait, max(after, wait/2+rand.N(wait)/2))
		wait *= 2
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// once sends a request; after is how long a busy server asks to be left alone.
func (c *Client) once(ctx context.Context, method, path string, body []byte) (reply []byte, after time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base()+path, bytes.NewReader(body))
	if err == nil && (r.URL.Host == "" || r.URL.Scheme != "http" && r.URL.Scheme != "https") {
		err = errors.New("it does not begin with http:// and a host")
	}
	if err != nil {
		return nil, 0, &Error{Problem: fmt.Sprintf("the endpoint %q is no URL: %v; expected one such as http://127.0.0.1:8080", c.URL, err)}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.Key != "" {
		r.Header.Set("Authorization", "Bearer "+c.Key)
	}
	client := c.HTTP
	if client == nil {
		client = defaultHTTP
	}
	resp, err := client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		// The address is said already.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		var o *net.OpError
		if errors.As(err, &o) {
			err = o.Err
		}
		return nil, 0, &Error{Problem: fmt.Sprintf("no server answers at %s: %v; check the URL, and that hone serve is running there", c.base(), err)}
	}
	defer resp.Body.Close()
	reply, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return nil, 0, fmt.Errorf("%s%s: %w", c.base(), path, err)
	}
	if len(reply) > maxReply {
		return nil, 0, c.strange(path, fmt.Sprintf("it is longer than %d bytes", maxReply))
	}
	if resp.StatusCode == http.StatusOK {
		return reply, 0, nil
	}
	e := &Error{Status: resp.StatusCode}
	var told errorReply
	if json.Unmarshal(reply, &told) == nil && told.Error.Message != "" {
		e.Row, e.Column = told.Error.Row, told.Error.Column
		e.Problem = strings.TrimPrefix(told.Error.Message, e.where())
	} else {
		e.Problem = "it is not hone serve that answers there, or something between does; check the URL"
	}
	e.Problem = fmt.Sprintf("%s (%s%s replied %s)", e.Problem, c.base(), path, resp.Status)
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		after = time.Duration(min(seconds, 3600)) * time.Second
	} else if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err == nil {
		after = time.Until(at)
	}
	return nil, after, e
}
