package report

import (
	"encoding/xml"
	"strings"
	"testing"
)

// TestJUnit reads the file back by the names of the common schema and counts.
func TestJUnit(t *testing.T) {
	const evil = `a<b & "c">=1` + "\x00\n"
	var b strings.Builder
	if err := JUnit(&b, Suite{Name: evil, Cases: []Case{{Class: evil, Name: evil, Failure: evil, Output: evil}, {Class: "m", Name: "accuracy>=0.9", Output: "accuracy is 0.95"}}}); err != nil {
		t.Fatal(err)
	}
	type counted struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
	}
	var got struct {
		XMLName xml.Name `xml:"testsuites"`
		counted
		Suites []struct {
			counted
			Errors  *int `xml:"errors,attr"`
			Skipped *int `xml:"skipped,attr"`
			Cases   []struct {
				Name      string `xml:"name,attr"`
				Classname string `xml:"classname,attr"`
				Time      string `xml:"time,attr"`
				Failure   *struct {
					Message string `xml:"message,attr"`
					Type    string `xml:"type,attr"`
				} `xml:"failure"`
				Output string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	want := clean(evil)
	s := got.Suites[0]
	switch {
	case got.Tests != 2 || got.Failures != 1 || s.Tests != 2 || s.Failures != 1 || len(got.Suites) != 1 || len(s.Cases) != 2:
		t.Errorf("wrong counts: %s", b.String())
	case s.Errors == nil || s.Skipped == nil || s.Cases[0].Time == "":
		t.Errorf("a required attribute is missing: %s", b.String())
	case s.Name != want || s.Cases[0].Name != want || s.Cases[0].Classname != want || s.Cases[0].Failure == nil || s.Cases[0].Failure.Message != want || s.Cases[0].Failure.Type == "":
		t.Errorf("texts changed on the way: %s", b.String())
	case s.Cases[1].Failure != nil || s.Cases[1].Output != "accuracy is 0.95":
		t.Errorf("the second case: %s", b.String())
	}
}
