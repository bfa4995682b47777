package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A documentedField is a row of a table of docs/json.md.
type documentedField struct {
	path     string
	types    []string
	optional bool
}

// documented reads the tables of docs/json.md by their headings.
func documented(t *testing.T) map[string][]documentedField {
	t.Helper()
	raw, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\| [^|]+ \\|$")
	out := map[string][]documentedField{}
	heading := ""
	for _, line := range strings.Split(string(raw), "\n") {
		if h, ok := strings.CutPrefix(line, "## "); ok {
			heading = h
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		kind, optional := strings.CutSuffix(m[2], ", optional")
		out[heading] = append(out[heading], documentedField{m[1], strings.Split(kind, " or "), optional})
	}
	return out
}

// fieldsOf lists the paths of a JSON value with their types: a.b, a[], a[].b.
func fieldsOf(v any, path string, into map[string][]string) {
	add := func(kind string) {
		if path != "" && !slices.Contains(into[path], kind) {
			into[path] = append(into[path], kind)
		}
	}
	switch v := v.(type) {
	case nil:
		add("null")
	case bool:
		add("boolean")
	case string:
		add("text")
	case json.Number:
		if strings.ContainsAny(v.String(), ".e") {
			add("number")
		} else {
			add("whole number")
		}
	case []any:
		add("list")
		for _, e := range v {
			fieldsOf(e, path+"[]", into)
		}
	case map[string]any:
		add("object")
		for k, e := range v {
			fieldsOf(e, strings.TrimPrefix(path+"."+k, "."), into)
		}
	}
}

// pattern makes a documented path match the paths that it stands for.
func pattern(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(path), `\*`, `[^.]+`) + "$")
}

// TestDocumentedJSON holds docs/json.md against what the commands print: every
// documented field is there, of its type, and no other.
func TestDocumentedJSON(t *testing.T) {
	docs := documented(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data.csv"), customers("churn", 200), 0o644); err != nil {
		t.Fatal(err)
	}
	hone := func(args ...string) (stdout, stderr []byte) {
		t.Helper()
		c := exec.Command("hone", args...)
		c.Dir = dir
		var o, e bytes.Buffer
		c.Stdout, c.Stderr = &o, &e
		if err := c.Run(); err != nil {
			t.Fatalf("hone %v: %v\n%s", args, err, e.Bytes())
		}
		return o.Bytes(), e.Bytes()
	}
	checked := map[string]bool{}
	check := func(heading string, objects []byte) {
		t.Helper()
		checked[heading] = true
		rows := docs[heading]
		if len(rows) == 0 {
			t.Errorf("docs/json.md has no table under %q", heading)
			return
		}
		found := map[string][]string{}
		d := json.NewDecoder(bytes.NewReader(objects))
		d.UseNumber()
		for d.More() {
			var v any
			if err := d.Decode(&v); err != nil {
				t.Fatalf("%s: %v\n%s", heading, err, objects)
			}
			fieldsOf(v, "", found)
		}
		explained := map[string]bool{}
		for _, row := range rows {
			re, any := pattern(row.path), false
			for path, kinds := range found {
				if !re.MatchString(path) {
					continue
				}
				any, explained[path] = true, true
				for _, k := range kinds {
					if !slices.Contains(row.types, k) && !(k == "whole number" && slices.Contains(row.types, "number")) {
						t.Errorf("%s: %s is %s, documented as %s", heading, path, k, strings.Join(row.types, " or "))
					}
				}
			}
			if !any && !row.optional {
				t.Errorf("%s: %s is documented and not there", heading, row.path)
			}
		}
		// What stands inside a documented object or list is documented with it
		// where it is the result of another command, or has the shape of a metric.
		for path := range found {
			inside := strings.HasPrefix(path, "result.") || heading != "hone evaluate MODEL FILE --json" && (strings.HasPrefix(path, "failures.") || strings.HasPrefix(path, "diagnosis.")) || strings.HasPrefix(path, "runs[].result.") || strings.HasSuffix(path, "[]") && slices.Contains(found[path], "object") || slices.Equal(found[path], []string{"object"})
			if !explained[path] && !inside {
				t.Errorf("%s: %s is there and not documented", heading, path)
			}
		}
	}
	one := func(heading string, args ...string) {
		t.Helper()
		out, _ := hone(args...)
		check(heading, out)
	}
	one("hone init FILE --target COLUMN --json", "init", "data.csv", "--target", "churn", "--json")
	one("hone check FILE --json", "check", "data.csv", "--target", "churn", "--json")
	const clean = "data.clean=[{type: cap, columns: [spend], high: 0.9}, {type: filter, where: age > 20}]"
	one("hone plan CONFIG --json", "plan", "hone.yaml", "--json", "--set", clean)
	trained, _ := hone("train", "hone.yaml", "--json", "--set", "train.epochs=1")
	check("hone train CONFIG --json", trained)
	trained, _ = hone("train", "hone.yaml", "--json", "--set", "train.epochs=1", "--profile")
	check("hone train CONFIG --json", trained)
	var profiled struct{ Profile struct{ File string } }
	if err := json.Unmarshal(trained, &profiled); err != nil {
		t.Fatal(err)
	}
	profile, err := os.ReadFile(profiled.Profile.File)
	if err != nil {
		t.Fatal(err)
	}
	check("profile.json", profile)
	one("hone learning-curve CONFIG --json", "learning-curve", "hone.yaml", "--json", "--set", "train.epochs=1", "--set", "evaluate.bootstrap=50")
	one("hone learning-curve CONFIG --json", "learning-curve", "hone.yaml", "--json", "--metric", "log_loss", "--set", "train={epochs: 1, bagging: off}", "--set", "evaluate.bootstrap=50")
	one("hone run CONFIG --json", "run", "hone.yaml", "--json", "--profile", "--set", "train.epochs=1", "--set", "evaluate.bootstrap=0")
	out, log := hone("run", "hone.yaml", "--json", "--set", clean, "--log-format", "json", "--set", "train.epochs=2", "--set", "evaluate.bootstrap=50")
	check("hone run CONFIG --json", out)
	one("hone run CONFIG --json", "run", "hone.yaml", "--json", "--set", "train.epochs=1", "--set", "evaluate.bootstrap=0", "--set", "evaluate.cross_validation={folds: 2, repeats: 2}")
	check("Progress as JSON", log)
	one("hone run CONFIG --json", "run", "hone.yaml", "--json", "--set", "train.epochs=1", "--set", "evaluate.bootstrap=20", "--set", "outputs=[{name: churn, abstain: {error_rate: 0.4, none: yes}}]")
	out, log = hone("run", "hone.yaml", "--json", "--log-format", "json", "--set", "train.epochs=2", "--set", "evaluate.bootstrap=50", "--set", "optimize={trials: 2, max_latency_ms: 1000}")
	check("hone run CONFIG --json", out)
	check("Progress as JSON", log)
	one("hone predict MODEL FILE -o OUTPUT --json", "predict", "churn.hone", "data.csv", "-o", "out.csv", "--json")
	one("hone evaluate MODEL FILE --json", "evaluate", "churn.hone", "data.csv", "--bootstrap", "20", "--costs", "fp=1,fn=5", "--curves", "--json")
	one("hone evaluate MODEL FILE --json", "evaluate", "churn.hone", "data.csv", "--bootstrap", "0", "--json")
	one("hone evaluate MODEL FILE --json", "evaluate", "churn.hone", "data.csv", "--bootstrap", "20", "--group", "plan", "--robustness", "--json")
	hone("run", "hone.yaml", "--set", "name=short", "--set", "train.epochs=1", "--set", "evaluate.bootstrap=50")
	one("hone compare MODEL... --data FILE --json", "compare", "churn.hone", "short", "--data", "data.csv", "--bootstrap", "100", "--json")
	one("hone compare MODEL... --data FILE --json", "compare", "churn.hone", "out.csv", "--data", "data.csv", "--bootstrap", "100", "--json")
	one("hone evaluate --predictions FILE --json", "evaluate", "--predictions", "out.csv", "--data", "data.csv", "--target", "churn", "--bootstrap", "20", "--threshold-for", "recall>=0.5", "--curves", "--json")
	one("hone embed MODEL FILE -o OUTPUT --json", "embed", "churn.hone", "data.csv", "-o", "vectors.npy", "--json")
	const faq = "id,question,asked\na,Where is my parcel?,my parcel where\nb,When are you open?,open when\n"
	if err := os.WriteFile(filepath.Join(dir, "faq.csv"), []byte(faq), 0o644); err != nil {
		t.Fatal(err)
	}
	one("hone search FILE QUERY --json", "search", "faq.csv", "parcel", "--text", "question", "--json")
	one("hone search FILE --evaluate --json", "search", "faq.csv", "--text", "question", "--query", "asked", "--evaluate", "--json")
	one("hone explain MODEL FILE --json", "explain", "churn.hone", "data.csv", "--limit", "100", "--json")
	one("hone explain MODEL --rows FILE --json", "explain", "churn.hone", "--rows", "data.csv", "--limit", "1", "--background", "data.csv", "--json")
	const several = "name: several\ndata: {source: data.csv}\noutputs: [churn, {name: spend, weight: 0.5}]\ntrain: {epochs: 2}\nevaluate: {bootstrap: 20}\n"
	if err := os.WriteFile(filepath.Join(dir, "several.yaml"), []byte(several), 0o644); err != nil {
		t.Fatal(err)
	}
	one("hone plan CONFIG --json", "plan", "several.yaml", "--json")
	one("hone run CONFIG --json", "run", "several.yaml", "--json")
	one("hone evaluate MODEL FILE --json", "evaluate", "several.hone", "data.csv", "--bootstrap", "20", "--json")
	one("hone runs --json", "runs", "--json")
	one("hone show RUN --json", "show", "latest", "--json")
	one("hone config show CONFIG --json", "config", "show", "hone.yaml", "--json")
	one("hone runs rm RUN --json", "runs", "rm", "latest", "--json")

	server := exec.Command("hone", "serve", "churn.hone", "--address", "127.0.0.1:0", "--json")
	server.Dir = dir
	pipe, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var ready json.RawMessage
	err = json.NewDecoder(pipe).Decode(&ready)
	server.Process.Kill()
	server.Wait()
	if err != nil {
		t.Fatal(err)
	}
	check("hone serve MODEL --json", ready)

	for heading := range docs {
		if !checked[heading] {
			t.Errorf("docs/json.md: nothing is known of %q", heading)
		}
	}
	if t.Failed() {
		fmt.Fprintln(os.Stderr, "what a command prints and docs/json.md are changed together")
	}
}
