package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/report"
)

// gateFlags are --require and --junit.
type gateFlags struct {
	require []string
	junit   string
}

func (f *gateFlags) add(c *cobra.Command, where string) {
	if where != "" {
		where = " " + where
	}
	c.Flags().StringArrayVar(&f.require, "require", nil, "`RULES` for metrics"+where+", joined by and: 'accuracy>=0.9 and f1_macro>=0.85' or, of several outputs, 'churn.accuracy>=0.87': exit with 3 unless all are met (may be repeated)")
	c.Flags().StringVar(&f.junit, "junit", "", "the `FILE` to write what became of --require into, as JUnit XML for CI")
}

// parse reads the rules.
func (f *gateFlags) parse() ([]metric.Requirement, error) {
	var out []metric.Requirement
	for _, t := range f.require {
		some, err := metric.ParseRequirements(t)
		if err != nil {
			return nil, usagef("--require: %w", err)
		}
		out = append(out, some...)
	}
	if f.junit != "" && len(out) == 0 {
		return nil, usagef("--junit %s: there is no --require whose outcome to write", f.junit)
	}
	return out, nil
}

// check holds the metrics of the first output, and of others by name, against the
// rules, and writes the outcome where --junit says.
func (f *gateFlags) check(gates []metric.Requirement, model, where string, first map[string]metric.Interval, others map[string]map[string]metric.Interval) error {
	var failed []string
	suite := report.Suite{Name: model + " on " + where}
	for _, g := range gates {
		values := first
		if other, ok := others[g.Output]; ok {
			values = other
		}
		c := report.Case{Class: model, Name: g.String()}
		v, ok := values[g.Metric]
		if ok {
			c.Output = fmt.Sprintf("%s is %.6g", g.Of(), v.Value)
			if v.Low == v.Low && v.High == v.High { // not NaN
				c.Output += fmt.Sprintf(", interval %.6g to %.6g", v.Low, v.High)
			}
			if err := g.Check(v.Value); err != nil {
				c.Failure = err.Error()
			}
		} else {
			c.Failure = fmt.Sprintf("%v: %s was not measured for this task", g, g.Metric)
		}
		if c.Failure != "" {
			failed = append(failed, c.Failure)
		}
		suite.Cases = append(suite.Cases, c)
	}
	if f.junit != "" {
		if err := atomicfile.Write(f.junit, func(w io.Writer) error { return report.JUnit(w, suite) }); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return &gateError{"not met on " + where + ": " + strings.Join(failed, "; ")}
	}
	return nil
}
