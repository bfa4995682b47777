package serve

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/train"
)

// shade is a PNG of one shade of grey with a spot.
func shade(t testing.TB, v uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range m.Pix {
		m.Pix[i] = v
	}
	m.Pix[9] = 255 - v
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imageServer serves a model of one image.
func imageServer(t *testing.T) (*model.Model, *httptest.Server) {
	t.Helper()
	t.Setenv(KeyVariable, "")
	var files [][]byte
	target := &data.Column{Name: "label", Type: data.Category, Dict: []string{"dark", "light"}}
	for i := range 40 {
		files = append(files, shade(t, uint8(i*6)))
		target.Codes = append(target.Codes, int32(i/20))
	}
	o := &feature.ImageOptions{}
	if err := config.Defaults(o); err != nil {
		t.Fatal(err)
	}
	cnn := feature.CNN{Widths: []int{4}, Depth: 1, Norm: "batch"}
	o.Encoder = feature.ImageEncoder{Type: "cnn", Options: &cnn}
	table := &data.Table{Rows: 40, Columns: []*data.Column{data.NewImages("photo", files), target}}
	in, err := o.Fit(table.Columns[0])
	if err != nil {
		t.Fatal(err)
	}
	out, err := (&feature.BinaryOptions{Threshold: 0.5}).Fit(target)
	if err != nil {
		t.Fatal(err)
	}
	m := &model.Model{Name: "shades", Target: "label", Output: out, Inputs: []model.Input{{Column: "photo", Feature: in}},
		Schema:  data.Schema{{Name: "photo", Type: data.Image}, {Name: "label", Type: data.Category}},
		Network: &model.MLP{Activation: "relu", Norm: "none"}, State: graph.NewState()}
	x, sources, err := m.EncodeStreamed(table, true)
	if err != nil {
		t.Fatal(err)
	}
	y, _, err := m.AllTargets(table)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := train.NewStream(append(x, y...), sources, nil, 8, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer batches.Close()
	if _, err := train.Run(context.Background(), m.Task(), m.State, batches, nil, train.Options{Epochs: 2}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "shades.hone")
	if err := m.Save(path, "hone test"); err != nil {
		t.Fatal(err)
	}
	loaded, b, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := FactsOf(path, b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(loaded, facts, Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Warm(context.Background()); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return loaded, h
}

// post sends a body and returns the status and the reply.
func post(t *testing.T, url, kind string, body []byte) (int, string) {
	t.Helper()
	r, err := http.Post(url+"/v1/predict", kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// form makes a form of files.
func form(t *testing.T, field string, files ...[]byte) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i, content := range files {
		f, err := w.CreateFormFile(field, fmt.Sprint(i, ".png"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

func TestImagesAreServed(t *testing.T) {
	m, h := imageServer(t)
	files := [][]byte{shade(t, 3), shade(t, 200)}
	want, err := m.Predict(context.Background(), &data.Table{Rows: 2, Columns: []*data.Column{data.NewImages("photo", files)}})
	if err != nil {
		t.Fatal(err)
	}
	probability := func(reply string) (p []float64) {
		var r struct {
			Predictions []map[string]struct {
				Probabilities map[string]float64
			}
		}
		if err := json.Unmarshal([]byte(reply), &r); err != nil {
			t.Fatalf("%v: %s", err, reply)
		}
		for _, row := range r.Predictions {
			p = append(p, row["label"].Probabilities[want.Classes[1]])
		}
		return p
	}
	body, err := json.Marshal(map[string]any{"rows": []map[string]any{{"photo": base64.StdEncoding.EncodeToString(files[0])}, {"photo": "data:image/png;base64," + base64.StdEncoding.EncodeToString(files[1])}}})
	if err != nil {
		t.Fatal(err)
	}
	status, text := post(t, h.URL, "application/json", body)
	if p := probability(text); status != 200 || len(p) != 2 || p[0] != want.Prob[0] || p[1] != want.Prob[1] {
		t.Errorf("base64: %d %s, want %v", status, text, want.Prob)
	}
	kind, upload := form(t, "photo", files...)
	status, text = post(t, h.URL, kind, upload)
	if p := probability(text); status != 200 || len(p) != 2 || p[0] != want.Prob[0] || p[1] != want.Prob[1] {
		t.Errorf("upload: %d %s, want %v", status, text, want.Prob)
	}
	c := &Client{URL: h.URL}
	got, err := c.Predict(context.Background(), &data.Table{Rows: 2, Columns: []*data.Column{data.NewImages("photo", files)}})
	if err != nil || !sameBits(got, want) {
		t.Errorf("the client: %v, %v", got, err)
	}
	wrongKind, wrongForm := form(t, "picture", files[0])
	emptyKind, emptyForm := form(t, "photo", files[0], nil)
	brokenKind, brokenForm := form(t, "photo", files[0], []byte("no image"))
	for name, c := range map[string]struct {
		kind string
		body []byte
		want string
	}{
		"no base64":          {"application/json", []byte(`{"row":{"photo":"/etc/passwd"}}`), "base64"},
		"a path":             {"application/json", []byte(`{"row":{"photo":"\u0000f/etc/passwd"}}`), "base64"},
		"no image":           {"application/json", []byte(`{"row":{"photo":"aGVsbG8="}}`), "expected a PNG"},
		"another field":      {wrongKind, wrongForm, "no such column"},
		"a broken upload":    {brokenKind, brokenForm, "row 2"},
		"an empty file":      {emptyKind, emptyForm, "is empty; send another"},
		"a form without end": {kind, upload[:len(upload)/2], "cannot be read"},
		"no boundary":        {"multipart/form-data", upload, "boundary"},
	} {
		if status, text := post(t, h.URL, c.kind, c.body); status != http.StatusBadRequest || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s, want 400 with %q", name, status, text, c.want)
		}
	}
	var labelled bytes.Buffer // with a column twice that is not read
	w := multipart.NewWriter(&labelled)
	for _, part := range [][2]string{{"photo", string(files[0])}, {"label", "a"}, {"label", "b"}} {
		if err := w.WriteField(part[0], part[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if status, text := post(t, h.URL, w.FormDataContentType(), labelled.Bytes()); status != 200 || len(probability(text)) != 1 {
		t.Errorf("a form with one image and two labels: %d %s, want one row", status, text)
	}
	if r, err := http.Get(h.URL + "/"); err != nil {
		t.Error(err)
	} else {
		page, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || !strings.Contains(string(page), `type="file"`) {
			t.Errorf("the page has no field for a file, %v", err)
		}
	}
}
