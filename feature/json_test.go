package feature

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
)

func fittedInputs(t testing.TB) map[string]Input {
	number := func(change func(*NumberOptions)) Input {
		return fitInput(t, withDefaults(t, change), numbers(1, nan, 3))
	}
	return map[string]Input{
		`{"type":"number","fitted":{"mean":2,"deviation":1,"center":2,"scale":1,"fill":2,"median":2,"clip":10,"missing_indicator":true}}`:                              number(func(o *NumberOptions) { o.Embedding = "none" }),
		`{"type":"number","fitted":{"mean":2,"deviation":1,"center":2,"scale":1,"fill":2,"median":2,"clip":10,"missing_indicator":true,"edges":[-1,1],"dimension":8}}`: number(func(o *NumberOptions) { o.Embedding, o.Dimension = "piecewise_linear", 8 }),
		`{"type":"number","fitted":{"mean":2,"deviation":1,"center":1,"scale":2,"fill":0,"median":2,"clip":10,"missing_indicator":true,"dimension":8,"periodic":{"form":"periodic","frequencies":4,"sigma":0.25}}}`: number(func(o *NumberOptions) {
			o.Scaling, o.Imputation = "min_max", "zero"
			o.Embedding, o.Dimension, o.Frequencies, o.Sigma = "periodic", 8, 4, 0.25
		}),
		`{"type":"number","fitted":{"mean":2,"deviation":1,"center":0,"scale":1,"quantiles":[1,3],"fill":2,"median":2,"clip":0,"missing_indicator":false,"dimension":8,"periodic":{"form":"pbld","frequencies":4,"sigma":0.25}}}`: number(func(o *NumberOptions) {
			o.Scaling, o.Clip, o.Indicator = "quantile", 0, "never"
			o.Embedding, o.Dimension, o.Frequencies, o.Sigma = "pbld", 8, 4, 0.25
		}),
		`{"type":"category","fitted":{"values":["b","ä\u0000"],"dimension":4}}`:                                                                                                              fitInput(t, withDefaults(t, func(o *CategoryOptions) { o.MinCount = 1 }), categories("b", "ä\x00", "b")),
		`{"type":"text","fitted":{"type":"ngrams","fitted":{"words":1,"texts":2,"hashes":"IwUeSgsQyD8=","counts":"AgAAAA==","length":10,"dimension":8,"silenced":0.3,"dropout":0.5}}}`:       fitInput(t, &TextOptions{Encoder: TextEncoder{Options: &NGramOptions{Words: 1, MinCount: 2, MaxFeatures: 10, MaxLength: 10, Dimension: 8, Silenced: 0.3, Dropout: 0.5}}}, textColumn("a", "a b")),
		`{"type":"boolean","fitted":{"missing_indicator":true}}`:                                                                                                                             fitInput(t, &BooleanOptions{}, booleans("ny?")),
		`{"type":"datetime","fitted":{"time":{"mean":0.5,"deviation":0.5,"center":0.5,"scale":0.5,"fill":0.5,"median":0.5,"clip":10,"missing_indicator":false},"cycles":["weekday","day"]}}`: fitInput(t, withDefaults[DatetimeOptions](t, nil), dates(0, 86400)),
	}
}

func fittedOutputs(t testing.TB) map[string]Output {
	return map[string]Output{
		`{"type":"binary","fitted":{"negative":"no","positive":"yes","threshold":0.5,"share":0.25}}`:                                       fitOutput(t, withDefaults[BinaryOptions](t, nil), booleans("nnny")),
		`{"type":"category","fitted":{"classes":["a","b"],"shares":[0.75,0.25],"label_smoothing":0.1}}`:                                    fitOutput(t, withDefaults(t, func(o *CategoryOutputOptions) { o.Smoothing = 0.1 }), categories("a", "b", "a", "a")),
		`{"type":"binary","fitted":{"negative":"no","positive":"yes","threshold":0.5,"share":0.25,"loss":"focal","gamma":2,"alpha":0.75}}`: fitOutput(t, withDefaults(t, func(o *BinaryOptions) { o.Loss, o.Alpha = focal, 0.75 }), booleans("nnny")),
		`{"type":"set","fitted":{"labels":["a","b"],"shares":[1,0.5],"delimiter":";","thresholds":[0.5,0.5],"mean":1.5}}`:                  fitOutput(t, withDefaults[SetOptions](t, nil), categories("a;b", "a")),
		`{"type":"number","fitted":{"mean":2,"deviation":1,"log":false,"low":1,"high":3,"average":2,"loss":"huber","delta":1}}`:            fitOutput(t, withDefaults(t, func(o *NumberOutputOptions) { o.Loss = "huber" }), numbers(1, 3)),
	}
}

// TestJSON holds what is saved against its text: bundles of today are read by
// every later version.
func TestJSON(t *testing.T) {
	columns := map[string]*data.Column{"number": numbers(5, nan, 1), "category": categories("b", "new", "", "ä\x00"), "boolean": booleans("y?n"), "text": textColumn("A a", "", "b"), "datetime": dates(123456.5, nan, -1)}
	for want, f := range fittedInputs(t) {
		raw, err := Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if string(raw) != want {
			t.Errorf("saved as\n%s, expected\n%s", raw, want)
		}
		g, err := UnmarshalInput(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(f, g) || f.Describe() != g.Describe() || f.Describe() == "" {
			t.Errorf("%+v came back as %+v", f, g)
		}
		for i, x := range transform(t, f, columns[f.Type()]) {
			same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) } // −1 as a float32 is NaN
			if !slices.EqualFunc(x.Raw(), transform(t, g, columns[f.Type()])[i].Raw(), same) {
				t.Errorf("%s transforms otherwise once read back", f.Type())
			}
		}
		if _, err := UnmarshalOutput(raw); f.Type() != "number" && f.Type() != "category" && (err == nil || !strings.Contains(err.Error(), "unknown output type")) {
			t.Errorf("an input of type %s is read as an output: %v", f.Type(), err)
		}
	}
	for want, f := range fittedOutputs(t) {
		raw, err := Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if string(raw) != want {
			t.Errorf("saved as\n%s, expected\n%s", raw, want)
		}
		g, err := UnmarshalOutput(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(f, g) || f.Describe() != g.Describe() || f.Describe() == "" {
			t.Errorf("%+v came back as %+v", f, g)
		}
	}
}

var corrupt = map[string]string{
	`{`: "", `null`: "unknown", `[]`: "", `"number"`: "", `{"type":"number"}`: "",
	`{"type":"NUMBER","fitted":{}}`: `unknown`,
	`{"type":"text","fitted":{}}`:   `unknown text encoder type ""`,
	`{"type":"text","fitted":null}`: `unknown text encoder type ""`,
	`{"type":"text","fitted":{"type":"ngrams","fitted":{"words":1,"hashes":"AAAA","counts":""}}}`:                 `3 bytes of hashes`,
	`{"type":"text","fitted":{"type":"ngrams","fitted":{"words":0,"hashes":"AAAAAAAAAAA=","counts":"AQAAAA=="}}}`: `neither words nor characters`,
	`{"type":"text","fitted":{"type":"ngrams","fitted":{"words":9,"hashes":"AAAAAAAAAAA=","counts":"AQAAAA=="}}}`: `words is 9`,
	`{"type":"text","fitted":{"type":"ngrams","fitted":{"words":1,"hashes":"AAAAAAAAAAA=","counts":"AQAAAA=="}}}`: `dimension 0`,
	`{"type":"number","fitted":null}`:                                                                                        "deviation",
	`{"type":"number","fitted":{"mean":0,"deviation":0}}`:                                                                    "deviation",
	`{"type":"number","fitted":{"mean":0,"deviation":-1}}`:                                                                   "deviation",
	`{"type":"number","fitted":{"mean":1e999,"deviation":1}}`:                                                                "number",
	`{"type":"number","fitted":{"mean":"0","deviation":1}}`:                                                                  "number",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"clip":-3}}`:                                                          "clip",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"center":1,"scale":0}}`:                                               "scale 0",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"scale":-1}}`:                                                         "scale -1",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"quantiles":[2,1]}}`:                                                  "quantiles",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"quantiles":[2]}}`:                                                    "quantiles",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"edges":[1,1],"dimension":4}}`:                                        "edges",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"edges":[1],"dimension":4}}`:                                          "edges",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"edges":[],"dimension":4}}`:                                           "edges",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"edges":[1,2],"dimension":0}}`:                                        "dimension is 0",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"dimension":4,"periodic":{"form":"saw","frequencies":1,"sigma":1}}}`:  `form "saw"`,
	`{"type":"number","fitted":{"mean":0,"deviation":1,"dimension":4,"periodic":{"form":"pbld","frequencies":0,"sigma":1}}}`: "0 frequencies",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"dimension":4,"periodic":{"form":"pbld","frequencies":1}}}`:           "deviation 0",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"dimension":0,"periodic":{"form":"pbld","frequencies":1,"sigma":1}}}`: "dimension is 0",
	`{"type":"category","fitted":{"values":["a","a"],"dimension":3}}`:                                                        `"a" stands twice`,
	`{"type":"category","fitted":{"values":["a"],"dimension":0}}`:                                                            "dimension is 0",
	`{"type":"category","fitted":{"values":["a"],"dimension":1000000000}}`:                                                   "dimension is 1000000000",
	`{"type":"category","fitted":{"values":"a","dimension":1}}`:                                                              "category",
	`{"type":"datetime","fitted":{"time":{"deviation":1},"cycles":["lunar"]}}`:                                               `unknown cycle "lunar"`,
	`{"type":"datetime","fitted":{"cycles":[]}}`:                                                                             "deviation",
}

var corruptOutputs = map[string]string{
	`{"type":"binary","fitted":{"negative":"a","positive":"a"}}`:                                    `both classes are "a"`,
	`{"type":"binary","fitted":{"negative":"a","positive":"b","threshold":7}}`:                      "threshold is 7",
	`{"type":"category","fitted":{"classes":["a"],"shares":[1]}}`:                                   "two or more",
	`{"type":"category","fitted":{"classes":["a","b"],"shares":[1]}}`:                               "2 classes and 1 shares",
	`{"type":"category","fitted":{"classes":["a","a"],"shares":[0.5,0.5]}}`:                         `"a" stands there twice`,
	`{"type":"number","fitted":{"mean":0,"deviation":0,"low":0,"high":1}}`:                          "deviation 0",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"low":1,"high":1}}`:                          "range",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"low":-2,"high":1,"log":true}}`:              "0 and above",
	`{"type":"boolean","fitted":{}}`:                                                                "unknown output type",
	`{"type":"number","fitted":{"mean":0,"deviation":1,"low":0,"high":1,"loss":"squared_error"}} x`: "",
}

func TestCorruptJSON(t *testing.T) {
	for raw, want := range corrupt {
		if f, err := UnmarshalInput(json.RawMessage(raw)); err == nil || !strings.Contains(err.Error(), want) || f != nil {
			t.Errorf("%s: %v, %v, expected %q", raw, f, err, want)
		}
	}
	for raw, want := range corruptOutputs {
		if f, err := UnmarshalOutput(json.RawMessage(raw)); err == nil || !strings.Contains(err.Error(), want) || f != nil {
			t.Errorf("%s: %v, %v, expected %q", raw, f, err, want)
		}
	}
}

// FuzzUnmarshal: what is read is an error, or works.
func FuzzUnmarshal(f *testing.F) {
	for raw := range fittedInputs(f) {
		f.Add([]byte(raw))
	}
	for raw := range fittedOutputs(f) {
		f.Add([]byte(raw))
	}
	for raw := range corrupt {
		f.Add([]byte(raw))
	}
	for raw := range corruptOutputs {
		f.Add([]byte(raw))
	}
	columns := map[string]*data.Column{"number": numbers(5, nan, -1e300), "category": categories("b", "", "a"), "boolean": booleans("y?n"), "text": textColumn("A a", "", "b"), "datetime": dates(1e9, nan, -1e15)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if in, err := UnmarshalInput(raw); err == nil {
			in.Describe()
			transform(t, in, columns[in.Type()])
			again, err := Marshal(in)
			if err != nil {
				t.Fatalf("%s was read and cannot be saved: %v", raw, err)
			}
			if other, err := UnmarshalInput(again); err != nil || !reflect.DeepEqual(in, other) {
				t.Fatalf("%s was read, saved as %s, and read as %+v, %v", raw, again, other, err)
			}
		}
		if out, err := UnmarshalOutput(raw); err == nil {
			out.Describe()
			out.Decode(make([]float32, out.Width()))
			out.Classes()
			if c := columns[out.Type()]; c != nil {
				if _, err := out.Targets(c, out.Spec().New(c.Len())); err == nil && out.Type() == "number" {
					t.Fatalf("%s takes a missing target", raw)
				}
			}
			if _, err := Marshal(out); err != nil {
				t.Fatalf("%s was read and cannot be saved: %v", raw, err)
			}
		}
	})
}
