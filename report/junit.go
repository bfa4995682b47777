package report

import (
	"encoding/xml"
	"fmt"
	"io"
)

// Suite is the outcome of what was required of one model.
type Suite struct {
	Name  string
	Cases []Case
}

// Case is one requirement and what became of it.
type Case struct {
	Class   string // what is judged: the model
	Name    string // the requirement
	Failure string // why it is not met; "": it is
	Output  string // what was measured
}

// JUnit writes suites as the JUnit XML that CI servers read: a testcase for each
// requirement, with a failure where it is not met.
func JUnit(w io.Writer, suites ...Suite) error {
	type failure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Name      string   `xml:"name,attr"`
		Classname string   `xml:"classname,attr"`
		Time      int      `xml:"time,attr"`
		Failure   *failure `xml:"failure"`
		Output    string   `xml:"system-out,omitempty"`
	}
	type testsuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Time     int        `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	var all struct {
		XMLName  xml.Name    `xml:"testsuites"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Suites   []testsuite `xml:"testsuite"`
	}
	all.Name = "hone"
	for _, s := range suites {
		one := testsuite{Name: clean(s.Name), Tests: len(s.Cases)}
		for _, c := range s.Cases {
			tc := testcase{Name: clean(c.Name), Classname: clean(c.Class), Output: clean(c.Output)}
			if c.Failure != "" {
				one.Failures++
				tc.Failure = &failure{clean(c.Failure), "requirement", clean(c.Failure)}
			}
			one.Cases = append(one.Cases, tc)
		}
		all.Tests, all.Failures = all.Tests+one.Tests, all.Failures+one.Failures
		all.Suites = append(all.Suites, one)
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("report: write JUnit: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, b); err != nil {
		return fmt.Errorf("report: write JUnit: %w", err)
	}
	return nil
}
