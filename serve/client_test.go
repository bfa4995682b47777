package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

// sameBits compares predictions bit for bit.
func sameBits(a, b *model.Predictions) bool {
	bits := func(xs []float64) []uint64 {
		out := make([]uint64, len(xs))
		for i, x := range xs {
			out[i] = math.Float64bits(x)
		}
		return out
	}
	return a.Kind == b.Kind && reflect.DeepEqual(a.Classes, b.Classes) && reflect.DeepEqual(a.Class, b.Class) &&
		reflect.DeepEqual(bits(a.Prob), bits(b.Prob)) && reflect.DeepEqual(bits(a.Value), bits(b.Value))
}

// TestClientBits is the promise of evaluation over an endpoint: the same table
// gives the same bits here and there, in all three tasks, with missing values,
// unseen categories, times with fractions, and in several requests.
func TestClientBits(t *testing.T) {
	for target := range outputs {
		t.Run(target, func(t *testing.T) {
			s, h := testServer(t, target, Options{MaxRows: 130})
			// Other rows than those of training, so that some categories are unseen.
			rows, _ := readCSV(t, makeCSV(500, 99), data.Options{Schema: s.model.Schema})
			rows.Column("monthly charge").Numbers[3] = math.Copysign(0, -1)
			rows.Column("monthly charge").Numbers[4] = 5e-324
			rows.Column("monthly charge").Numbers[5] = 1.7976931348623157e308
			rows.Column("seen").Numbers[6] = -1234.25
			rows.Column("seen").Numbers[7] = math.NaN()
			want, err := s.model.Predict(context.Background(), rows)
			if err != nil {
				t.Fatal(err)
			}
			c := &Client{URL: h.URL + "/"}
			got, err := c.Predict(context.Background(), rows)
			if err != nil {
				t.Fatal(err)
			}
			if got.Rows() != 500 || !sameBits(got, want) {
				t.Errorf("the endpoint's predictions differ from the model's own")
			}
			// The comparison is able to fail.
			rows.Column("monthly charge").Numbers[0] += 0.01
			if other, err := c.Predict(context.Background(), rows); err != nil || sameBits(other, want) {
				t.Errorf("other rows give the same predictions, %v", err)
			}
		})
	}
}

// TestClientDates sends what is in the layouts of dates, and finds the same
// float on the other side.
func TestClientDates(t *testing.T) {
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "02/Jan/2006:15:04:05 -0700", "1/2/2006 3:04:05 PM", "unix", "2006-01-02T15:04:05.000"} {
		f := data.Field{Name: "at", Type: data.Datetime, Layout: layout}
		c := &data.Column{Name: "at", Type: data.Datetime, Layout: layout, Numbers: []float64{0, 1.7e9, -86400}}
		if strings.Contains(layout, "05") || layout == "unix" {
			c.Numbers = append(c.Numbers, 1700000000.25, 1700000000.123, -0.5)
			if !strings.Contains(layout, ".000") {
				c.Numbers = append(c.Numbers, math.Nextafter(1.7e9, 2e9), 1699999999.9999998)
			}
		}
		for i, v := range c.Numbers {
			if strings.HasPrefix(layout, "2006-01-02") && len(layout) == 10 {
				v = math.Floor(v/86400) * 86400
				c.Numbers[i] = v
			}
			got, err := data.FromRecords(data.Schema{f}, []map[string]any{{"at": exactTime(c, i)}})
			if err != nil {
				t.Errorf("%s: %v", layout, err)
			} else if got.Columns[0].Numbers[0] != v {
				t.Errorf("%s: %v is written as %q and read as %v", layout, v, exactTime(c, i), got.Columns[0].Numbers[0])
			}
		}
	}
}

func TestClientRetries(t *testing.T) {
	s, _ := testServer(t, "churn", Options{})
	rows, _ := readCSV(t, makeCSV(5, 3), data.Options{Schema: s.model.Schema})
	var refusals atomic.Int32
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && refusals.Add(1) <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.Handler().ServeHTTP(w, r)
	}))
	defer h.Close()
	c := &Client{URL: h.URL}
	if p, err := c.Predict(context.Background(), rows); err != nil || p.Rows() != 5 || refusals.Load() != 3 {
		t.Errorf("got %v, %v after %d tries, want 5 rows after 3", p, err, refusals.Load())
	}
	// A server that asks to be left alone for a minute is, until ctx ends.
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer busy.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := (&Client{URL: busy.URL}).Predict(ctx, rows); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v, want that of the context", err)
	}
}

func TestClientErrors(t *testing.T) {
	s, h := testServer(t, "churn", Options{MaxRows: 2})
	rows, _ := readCSV(t, makeCSV(5, 3), data.Options{Schema: s.model.Schema})
	// Row 4 is the second of the second request.
	rows.Column("tenure").Type, rows.Column("tenure").Codes, rows.Column("tenure").Dict = data.Category, []int32{0, 0, 0, 1, 0}, []string{"1", "long"}
	_, err := (&Client{URL: h.URL}).Predict(context.Background(), rows)
	if want := `row 4, column "tenure": found "long", expected a number`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is\n%v\nwant\n%s…", err, want)
	}
	reply := func(body string) string {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && body != "schema" {
				s.Handler().ServeHTTP(w, r)
				return
			}
			io.WriteString(w, body)
		}))
		t.Cleanup(h.Close)
		return h.URL
	}
	rows, _ = readCSV(t, makeCSV(1, 3), data.Options{Schema: s.model.Schema})
	version := `{"model":"` + s.schema.Model + `",`
	for _, c := range []struct{ url, want string }{
		{"127.0.0.1:1", "the endpoint"},
		{"http://127.0.0.1:1", "no server answers at "},
		{reply("schema"), "gave a reply that hone serve does not give"},
		{reply(`{"model":"other@1"}`), "the model was changed meanwhile"},
		{reply(version + `"predictions":[]}`), "it has 0 predictions for 1 rows"},
		{reply(version + `"predictions":[{"x":{}}]}`), `a prediction has no "churn"`},
		{reply(version + `"predictions":[{"churn":{"value":"maybe"}}]}`), `it predicts the class "maybe"`},
		{reply(version + `"predictions":[{"churn":{"value":"yes","probabilities":{"yes":1,"x":0}}}]}`), `no probability of the class "no"`},
	} {
		if _, err := (&Client{URL: c.url}).Predict(context.Background(), rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want …%s…", c.url, err, c.want)
		}
	}
	without := &data.Table{Rows: 1, Columns: rows.Columns[:1]}
	if _, err := (&Client{URL: h.URL}).Predict(context.Background(), without); err == nil || !strings.Contains(err.Error(), `no column "tenure"`) {
		t.Errorf("the error is %v", err)
	}
}

// TestLoad asks from many sides at once, more than the server works on at a
// time, and wants the same bits for all.
func TestLoad(t *testing.T) {
	s, h := testServer(t, "segment", Options{MaxConcurrent: 64})
	rows, _ := readCSV(t, makeCSV(40, 5), data.Options{Schema: s.model.Schema})
	want, err := s.model.Predict(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{URL: h.URL}
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if got, err := c.Predict(context.Background(), rows); err != nil || !sameBits(got, want) {
				t.Errorf("under load the predictions differ, %v", err)
			}
		})
	}
	wg.Wait()
}

// TestRun starts the server as the command does, and ends it while a request
// is under way.
func TestRun(t *testing.T) {
	t.Setenv(KeyVariable, "")
	m, facts := trained(t, "spend")
	s, err := New(m, facts, Options{Address: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	urls, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(url string) { urls <- url }) }()
	var url string
	select {
	case url = <-urls:
	case err := <-ended:
		t.Fatal(err)
	}
	if r, err := http.Get(url + "/readyz"); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("not ready once Run says so: %v, %v", r, err)
	}
	// The first half of a request, then the end of the server, then the rest.
	body, w := io.Pipe()
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		r, err := http.Post(url+"/v1/predict", "application/json", body)
		if err != nil {
			answers <- answer{err: err}
			return
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		answers <- answer{string(text), err}
	}()
	io.WriteString(w, `{"row":`)
	for len(s.slots) == 0 { // until the request is worked on
		time.Sleep(time.Millisecond)
	}
	cancel()
	for !s.ending.Load() {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-ended:
		t.Fatalf("the server ended with a request under way: %v", err)
	default:
	}
	w.Write(append(s.schema.Example, '}'))
	w.Close()
	if a := <-answers; a.err != nil || !strings.Contains(a.text, `"spend":{"value":`) {
		t.Errorf("the request under way was answered with %q, %v", a.text, a.err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("the server answers after its end")
	}
}
