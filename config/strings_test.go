package config

import (
	"slices"
	"strings"
	"testing"
)

func TestStrings(t *testing.T) {
	type part struct {
		Share float64 `yaml:"share" shorthand:"true"`
		Files Strings `yaml:"files" shorthand:"true"`
	}
	type options struct {
		Source Strings `yaml:"source" required:"true"`
		Part   part    `yaml:"part"`
	}
	for _, c := range []struct {
		text  string
		want  []string
		files []string
		share float64
		shown string
	}{
		{"source: a.csv", []string{"a.csv"}, nil, 0, "source: a.csv"},
		{"source: 2024", []string{"2024"}, nil, 0, `source: "2024"`},
		{"source: [a.csv]\npart: 0.5", []string{"a.csv"}, nil, 0.5, "source: a.csv"},
		{"source: [a.csv, part-*.csv]\npart: b.csv", []string{"a.csv", "part-*.csv"}, []string{"b.csv"}, 0, "part-*.csv"},
		{"source:\n  - a.csv\n  - b.csv\npart: [c.csv, d.csv]", []string{"a.csv", "b.csv"}, []string{"c.csv", "d.csv"}, 0, "d.csv"},
	} {
		doc, err := Parse("t.yaml", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		var o options
		if err := doc.Decode(&o); err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if !slices.Equal(o.Source, c.want) || !slices.Equal(o.Part.Files, c.files) || o.Part.Share != c.share {
			t.Errorf("%s: %+v", c.text, o)
		}
		shown, err := doc.Show(&o, false)
		if err != nil || !strings.Contains(string(shown), c.shown) {
			t.Errorf("%s: shown as %v\n%s", c.text, err, shown)
		}
		again, err := Parse("t.yaml", shown)
		if err != nil {
			t.Fatal(err)
		}
		var p options
		if err := again.Decode(&p); err != nil || !slices.Equal(p.Source, o.Source) || !slices.Equal(p.Part.Files, o.Part.Files) {
			t.Errorf("%s: read again as %+v (%v)\n%s", c.text, p, err, shown)
		}
	}
	doc, err := Parse("t.yaml", []byte("source: {a: b}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Decode(&options{}); err == nil || !strings.Contains(err.Error(), "expected") {
		t.Errorf("a mapping was taken: %v", err)
	}
	schema, err := Schema(&options{}, "t.yaml")
	if err != nil || !strings.Contains(string(schema), `"array"`) || !strings.Contains(string(schema), `"string"`) {
		t.Errorf("%v\n%s", err, schema)
	}
}
