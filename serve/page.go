package serve

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
)

//go:embed page.html page.css page.js chat.html chat.css chat.js
var files embed.FS

var (
	styleSheet = mustRead("page.css")
	script     = mustRead("page.js")
	page       = template.Must(template.New("page").Parse(mustRead("page.html")))
	// policy lets the page use its own style sheet and script, by their
	// digests, and talk to this server; nothing else.
	policy = policyOf(styleSheet, script)
)

func policyOf(style, script string) string {
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		digest(style), digest(script))
}

func mustRead(name string) string {
	b, err := files.ReadFile(name)
	if err != nil { // embedded at build time, so only a mistake in this file
		panic(err) // programmer error
	}
	return string(b)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// view is what the template sees.
type view struct {
	Name, Version, Target string
	Style                 template.CSS
	Script                template.JS
	Measured              string // how good the model is, "" where unknown
	Facts                 string // for the script, JSON
	Fields                []field
}

// field is one input of the form.
type field struct {
	Name, ID string
	Kind     string // number, select, list, date, datetime or text
	Type     data.Type
	Layout   string
	Hint     string
	Value    string
	Options  []option
}

type option struct {
	Value, Label string
	Selected     bool
}

// mostChoices is how many known values a menu shows; longer lists are
// suggestions while typing.
const mostChoices = 40

// makePage draws the page once; it depends on the model alone.
func (s *Server) makePage(f Facts) ([]byte, error) {
	others := []string{}
	for _, o := range s.schema.Outputs {
		others = append(others, o.Target)
	}
	facts, err := json.Marshal(map[string]any{
		"target": s.schema.Target, "task": s.schema.Task, "threshold": s.schema.Threshold, "positive": s.schema.Positive,
		"range": s.schema.Range, "key": s.opts.Key != "", "others": others,
	})
	if err != nil {
		return nil, err
	}
	v := view{
		Name: f.Name, Version: s.schema.Model, Target: s.schema.Target, Facts: string(facts), Measured: measured(f.Metrics),
		Style: template.CSS(styleSheet), Script: template.JS(script),
	}
	for i, in := range s.schema.Inputs {
		v.Fields = append(v.Fields, newField(i, in))
	}
	var b bytes.Buffer
	err = page.Execute(&b, v)
	return b.Bytes(), err
}

func newField(i int, in SchemaInput) field {
	f := field{Name: in.Name, ID: "f" + strconv.Itoa(i), Kind: "text", Type: in.Type, Layout: in.Layout}
	if in.Example != nil {
		f.Value = fmt.Sprint(in.Example)
	}
	switch {
	case in.Type == data.Image:
		f.Kind, f.Value, f.Hint = "image", "", "PNG, JPEG, GIF, WebP or BMP"
	case in.Type == data.Boolean:
		f.Kind = "select"
		f.Options = []option{{Value: "false", Label: in.Values[0], Selected: true}, {Value: "true", Label: in.Values[1]}}
	case len(in.Values) > 0:
		f.Kind = "select"
		if in.Total > 0 || len(in.Values) > mostChoices {
			f.Kind = "list"
			f.Hint = fmt.Sprintf("%d known values", max(in.Total, len(in.Values)))
		}
		for _, v := range in.Values {
			f.Options = append(f.Options, option{Value: v, Label: v, Selected: f.Kind == "select" && v == f.Value})
		}
	case in.Type == data.Number:
		f.Kind = "number"
		if v, ok := in.Example.(float64); ok {
			f.Value = strconv.FormatFloat(v, 'f', -1, 64)
		}
		if in.Mean != nil {
			f.Hint = fmt.Sprintf("mean %s, deviation %s", short(*in.Mean), short(*in.Deviation))
		}
	case in.Type == data.Datetime:
		f.Kind = "date"
		if in.Example != nil {
			f.Value = day(in.days)
		}
		if strings.Contains(in.Layout, "15") || strings.Contains(in.Layout, "3:") || in.Layout == "unix" {
			f.Kind = "datetime"
			if f.Value != "" {
				f.Value += "T00:00"
			}
		}
	}
	return f
}

// short writes a number in four digits.
func short(v float64) string {
	x, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		x = v
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// measured says how good the model was on its test rows, from metrics.json as
// package evaluate writes it; "" where it holds no such thing.
func measured(metrics json.RawMessage) string {
	var m struct {
		Rows    struct{ Test int }
		Metrics []struct{ Name, Label string }
		Test    map[string]struct{ Value, Low, High float64 }
	}
	if json.Unmarshal(metrics, &m) != nil || len(m.Metrics) == 0 {
		return ""
	}
	first := m.Metrics[0]
	v, ok := m.Test[first.Name]
	if !ok {
		return ""
	}
	label := first.Label
	if label == "" {
		label = first.Name
	}
	s := fmt.Sprintf("%s %s on test rows", label, short(v.Value))
	if v.Low < v.High {
		s = fmt.Sprintf("%s %s (%s to %s) on test rows", label, short(v.Value), short(v.Low), short(v.High))
	}
	return s
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) error {
	s.writePage(w, s.page, policy)
	return nil
}

func (s *Server) writePage(w http.ResponseWriter, page []byte, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	h.Set("Content-Security-Policy", policy)
	if _, err := w.Write(page); err != nil {
		s.opts.Logger.Debug("page not read", "error", err)
	}
}
