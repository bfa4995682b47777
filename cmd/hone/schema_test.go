package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

const schemaFile = "../../docs/schema/evaluation.schema.json"

// published are the documents that the schema describes, by what writes them.
var published = []struct {
	title string
	value any
}{
	{"metrics.json, in a bundle", evaluate.Result{}},
	{"hone evaluate MODEL FILE --json", lifecycle.Evaluation{}},
	{"hone evaluate --predictions FILE --json", lifecycle.PredictionsEvaluation{}},
	{"hone compare MODEL... --json", lifecycle.Comparison{}},
	{"hone run CONFIG --json", lifecycle.Summary{}},
}

type object = map[string]any

// A schemaMaker describes Go types as JSON Schema; the words are their comments.
type schemaMaker struct {
	comments map[string]string // Type.Field, or Type
	defs     object
}

// readComments collects what is said of the exported structs of a folder.
func readComments(t *testing.T, into map[string]string, folders ...string) {
	t.Helper()
	say := func(name string, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
				into[name] = text
				return
			}
		}
	}
	for _, folder := range folders {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range g.Specs {
					ts, ok := spec.(*ast.TypeSpec)
					if !ok {
						continue
					}
					at := filepath.Base(folder) + "." + ts.Name.Name
					say(at, ts.Doc, g.Doc)
					if st, ok := ts.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							for _, n := range field.Names {
								say(at+"."+n.Name, field.Doc, field.Comment)
							}
						}
					}
				}
			}
		}
	}
}

func (m *schemaMaker) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[evaluate.Number]():
		return object{"type": []string{"number", "null"}}
	case reflect.TypeFor[metric.Interval]():
		number := object{"type": []string{"number", "null"}}
		m.defs["metric.Interval"] = object{"type": "object", "description": m.comments["metric.Interval"], "required": []string{"value", "low", "high"},
			"properties": object{"value": number, "low": number, "high": number, "skipped": object{"type": "integer", "description": "resamples on which the metric is undefined"}}}
		return object{"$ref": "#/$defs/metric.Interval"}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.of(t.Elem())
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float64, reflect.Float32:
		return object{"type": "number"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": m.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": m.of(t.Elem())}
	case reflect.Struct:
		return m.structure(t)
	case reflect.Interface:
		return object{}
	}
	return object{"type": "integer"} // what is left of what is written
}

// structure puts a struct among the definitions.
func (m *schemaMaker) structure(t reflect.Type) object {
	name := t.String()
	ref := object{"$ref": "#/$defs/" + name}
	if m.defs[name] != nil {
		return ref
	}
	properties, required := object{}, []string{}
	def := object{"type": "object", "properties": properties}
	m.defs[name] = def
	if c := m.comments[name]; c != "" {
		def["description"] = c
	}
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || key == "-" || f.Anonymous && key == "" {
			continue
		}
		if key == "" {
			key = f.Name
		}
		// Of fields of one name the shallowest is written.
		if best, ok := t.FieldByName(f.Name); ok && len(best.Index) < len(f.Index) {
			continue
		}
		s := m.of(f.Type)
		if !strings.Contains(options, "omitempty") {
			required = append(required, key)
			switch f.Type.Kind() {
			case reflect.Slice, reflect.Map, reflect.Pointer:
				s = object{"anyOf": []object{s, {"type": "null"}}}
			}
		}
		owner := t
		for _, i := range f.Index[:len(f.Index)-1] {
			if owner = owner.Field(i).Type; owner.Kind() == reflect.Pointer {
				owner = owner.Elem()
			}
		}
		if c := m.comments[owner.String()+"."+f.Name]; c != "" {
			s["description"] = c
		}
		properties[key] = s
	}
	if len(required) > 0 {
		def["required"] = required
	}
	return ref
}

// evaluationSchema makes the published schema.
func evaluationSchema(t *testing.T) []byte {
	t.Helper()
	m := &schemaMaker{comments: map[string]string{}, defs: object{}}
	readComments(t, m.comments, "../../evaluate", "../../metric", "../../lifecycle", "../../report", "../../calibrate", "../../explain")
	var any []object
	for _, p := range published {
		ref := m.of(reflect.TypeOf(p.value))
		any = append(any, object{"title": p.title, "$ref": ref["$ref"]})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "What hone measures",
		"description": "Numbers that are undefined are null. Fields may be added in later versions; none is renamed or removed without a new major version.",
		"anyOf":       any, "$defs": m.defs,
	}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// violations holds a value against a schema, as far as evaluationSchema goes.
func violations(root, schema object, v any, path string) (out []string) {
	if ref, ok := schema["$ref"].(string); ok {
		def, ok := root["$defs"].(object)[strings.TrimPrefix(ref, "#/$defs/")].(object)
		if !ok {
			return []string{path + ": " + ref + " is not defined"}
		}
		out = append(out, violations(root, def, v, path)...)
	}
	if some, ok := schema["anyOf"].([]any); ok {
		var all []string
		for _, s := range some {
			wrong := violations(root, s.(object), v, path)
			if len(wrong) == 0 {
				all = nil
				break
			}
			all = append(all, wrong...)
		}
		out = append(out, all...)
	}
	var kinds []string
	switch t := schema["type"].(type) {
	case string:
		kinds = []string{t}
	case []any:
		for _, k := range t {
			kinds = append(kinds, k.(string))
		}
	}
	found := kindOfJSON(v)
	fits := len(kinds) == 0
	for _, k := range kinds {
		fits = fits || k == found || k == "number" && found == "integer"
	}
	if !fits {
		return append(out, fmt.Sprintf("%s is %s, expected %s", path, found, strings.Join(kinds, " or ")))
	}
	switch v := v.(type) {
	case []any:
		if items, ok := schema["items"].(object); ok {
			for i, e := range v {
				out = append(out, violations(root, items, e, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	case object:
		if required, ok := schema["required"].([]any); ok {
			for _, k := range required {
				if _, ok := v[k.(string)]; !ok {
					out = append(out, path+" lacks "+k.(string))
				}
			}
		}
		properties, closed := schema["properties"].(object)
		for k, e := range v {
			if s, ok := properties[k].(object); ok {
				out = append(out, violations(root, s, e, path+"."+k)...)
			} else if more, ok := schema["additionalProperties"].(object); ok {
				out = append(out, violations(root, more, e, path+"."+k)...)
			} else if closed {
				out = append(out, path+"."+k+" is not in the schema")
			}
		}
	}
	return out
}

func kindOfJSON(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// TestSchema holds docs/schema/evaluation.schema.json against the types (go test
// -update writes it anew), and what the commands write against it.
func TestSchema(t *testing.T) {
	made := evaluationSchema(t)
	if *updateScripts {
		if err := os.MkdirAll(filepath.Dir(schemaFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(schemaFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, made) {
		t.Fatal("docs/schema/evaluation.schema.json is not what the types say: go test ./cmd/hone -run TestSchema -update writes it anew")
	}
	var schema object
	if err := json.Unmarshal(have, &schema); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data.csv"), customers("churn", 200), 0o644); err != nil {
		t.Fatal(err)
	}
	hone := func(args ...string) []byte {
		t.Helper()
		c := exec.Command("hone", args...)
		c.Dir = dir
		var o, e bytes.Buffer
		c.Stdout, c.Stderr = &o, &e
		if err := c.Run(); err != nil {
			t.Fatalf("hone %v: %v\n%s", args, err, e.Bytes())
		}
		return o.Bytes()
	}
	check := func(title string, document []byte) {
		t.Helper()
		var v any
		if err := json.Unmarshal(document, &v); err != nil {
			t.Fatalf("%s: %v", title, err)
		}
		for _, p := range schema["anyOf"].([]any) {
			if p.(object)["title"] == title {
				for _, wrong := range violations(schema, p.(object), v, "") {
					t.Errorf("%s: %s", title, wrong)
				}
				return
			}
		}
		t.Errorf("the schema knows nothing of %q", title)
	}
	hone("init", "data.csv", "--target", "churn")
	check("hone run CONFIG --json", hone("run", "hone.yaml", "--json", "--set", "train.epochs=1", "--set", "evaluate.bootstrap=20"))
	check("hone evaluate MODEL FILE --json", hone("evaluate", "churn.hone", "data.csv", "--bootstrap", "20", "--json"))
	check("hone evaluate MODEL FILE --json", hone("evaluate", "churn.hone", "data.csv", "--bootstrap", "0", "--json"))
	hone("predict", "churn.hone", "data.csv", "-o", "out.csv")
	check("hone evaluate --predictions FILE --json", hone("evaluate", "--predictions", "out.csv", "--data", "data.csv", "--target", "churn", "--bootstrap", "20", "--json"))
	check("hone compare MODEL... --json", hone("compare", "churn.hone", "out.csv", "--data", "data.csv", "--bootstrap", "20", "--json"))
	z, err := zip.OpenReader(filepath.Join(dir, "churn.hone"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	check("metrics.json, in a bundle", b.Bytes())

	// The check itself finds what is wrong.
	for _, bad := range []string{`{}`, `[]`, `{"version":"1"}`, `{"version":1.5}`} {
		var v any
		if err := json.Unmarshal([]byte(bad), &v); err != nil {
			t.Fatal(err)
		}
		if len(violations(schema, schema["anyOf"].([]any)[0].(object), v, "")) == 0 {
			t.Errorf("%s was not found wanting", bad)
		}
	}
}
