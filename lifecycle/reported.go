package lifecycle

import (
	"fmt"
	"os"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/report"
)

// Report is what a page tells of a model that was measured on a file.
func (e *Evaluation) Report(m *model.Model) (*report.Report, error) {
	result, err := resultOf(m.Target, e.samples[0], OutputEvaluation{Rows: e.Rows, Metrics: e.Metrics, Order: e.Order}, e.bootstrap)
	if err != nil {
		return nil, err
	}
	for i, o := range m.Outputs()[1:] {
		one, err := resultOf(o.Column, e.samples[i+1], e.Outputs[o.Column], e.bootstrap)
		if err != nil {
			return nil, err
		}
		if result.Outputs == nil {
			result.Outputs = map[string]*evaluate.OutputResult{}
		}
		result.Outputs[o.Column] = one.Output()
	}
	result.Weight, result.Failures, result.Diagnosis, result.PredictionSets = e.Weight, e.Failures, e.Diagnosis, e.PredictionSets
	r := &report.Report{
		Name: m.Name, Seed: e.bootstrap.Seed, Version: Version, Network: describeNetwork(m), Parameters: m.Parameters(), File: e.File, Result: result,
		Data: report.Data{Rows: e.Rows}, Pictures: e.pictures, Threshold: e.Threshold,
	}
	for _, f := range m.InputSchema() {
		r.Data.Used = append(r.Data.Used, report.Column{Name: f.Name, Type: string(f.Type)})
	}
	if e.Endpoint != "" {
		result.Notes = append(result.Notes, "predicted by the server at "+e.Endpoint)
	}
	return r, sourced(r, e.File)
}

// Report is what a page tells of a file of predictions.
func (e *PredictionsEvaluation) Report() (*report.Report, error) {
	result, err := resultOf(e.Target, e.sample, OutputEvaluation{Rows: e.Rows, Metrics: e.Metrics, Order: e.Order}, e.bootstrap)
	if err != nil {
		return nil, err
	}
	result.Weight, result.Failures, result.Diagnosis = e.Weight, e.Failures, e.Diagnosis
	result.Notes = append(result.Notes, e.Notes...)
	r := &report.Report{
		Name: e.File, Seed: e.bootstrap.Seed, Version: Version, File: e.File, Predictions: true, Result: result,
		Data: report.Data{Rows: e.Rows}, Slices: e.Slices, SlicedBy: e.SlicedBy, Threshold: e.Threshold,
	}
	return r, sourced(r, e.File)
}

// sourced says which file was measured; a folder of images has no fingerprint.
func sourced(r *report.Report, file string) error {
	s := report.Source{Role: "measured", Path: file, Rows: r.Data.Rows}
	info, err := os.Stat(file)
	if err == nil && !info.IsDir() {
		s.Fingerprint, err = data.Fingerprint(file)
	}
	r.Data.Sources = []report.Source{s}
	return err
}

// resultOf gives what was measured of an output the form of a result, with what a
// page draws of it.
func resultOf(target string, s *metric.Sample, e OutputEvaluation, b evaluate.Bootstrap) (*evaluate.Result, error) {
	order := slices.Clone(e.Order)
	if at := slices.Index(order, evaluate.Headline(s.Kind)); at > 0 {
		order = slices.Insert(slices.Delete(order, at, at+1), 0, evaluate.Headline(s.Kind))
	}
	var r *evaluate.Result
	switch s.Kind {
	case metric.Binary, metric.Multiclass, metric.Regression, metric.Multilabel:
		if s.Pred != nil {
			var err error
			if r, err = evaluate.Evaluate(evaluate.Input{Target: target, Test: s}, evaluate.Options{Metrics: order, Level: b.Level}); err != nil {
				return nil, fmt.Errorf("report: %w", err)
			}
		}
	}
	if r == nil { // nothing can be drawn
		r = &evaluate.Result{Version: 1, Task: s.Kind.String(), Target: target, Classes: s.Classes}
		for _, name := range order {
			m, err := metric.Lookup(name)
			if err != nil {
				return nil, err
			}
			r.Metrics = append(r.Metrics, evaluate.Metric{Name: m.Name, Label: m.Label, Formula: m.Formula, HigherIsBetter: m.HigherIsBetter})
		}
	}
	r.Rows, r.Test, r.Bootstrap = evaluate.Rows{Test: e.Rows}, e.Metrics, b
	return r, nil
}
