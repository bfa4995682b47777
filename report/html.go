package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

//go:embed page.html page.css
var files embed.FS

var (
	styleSheet = mustRead("page.css")
	page       = template.Must(template.New("page").Funcs(template.FuncMap{
		"clean":  clean,
		"count":  func(n int) string { return group(strconv.Itoa(n)) },
		"plural": plural, "seconds": seconds, "shell": shell, "lines": cleanLines,
		"metrics": func(v view, rows []numberRow, title string) metricsView {
			return metricsView{title, v.Numbers.Baselines, v.Numbers.Diff, len(v.Result.Validation) > 0, rows}
		},
		"metricsOf": func(o other) metricsView {
			return metricsView{"Metrics of " + clean(o.Target), o.Numbers.Baselines, o.Numbers.Diff, len(o.Result.Validation) > 0, o.Numbers.Rows}
		},
	}).Parse(mustRead("page.html")))
)

func mustRead(name string) string {
	b, err := files.ReadFile(name)
	if err != nil { // embedded at build time, so only a mistake in this file
		panic(err) // programmer error
	}
	return string(b)
}

// view is what the template sees: texts and drawings, nothing to compute.
type view struct {
	*Report
	Policy string
	Style  template.CSS

	Verdict, Learned, HowGood, Stands string
	Comparison                        []chart
	Numbers                           numbers
	Sections                          []section
	Latency                           string
	Tested, Divided                   string
	Folds                             *foldTables
	Improvement                       *improvement
	Others                            []other
}

// HTML writes the report as one self-contained page.
func HTML(w io.Writer, r *Report) error {
	if r == nil || r.Result == nil {
		return errors.New("report: no result to write about")
	}
	sum := sha256.Sum256([]byte(styleSheet))
	v := view{
		Report: r,
		Style:  template.CSS(styleSheet),
		Policy: fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
			base64.StdEncoding.EncodeToString(sum[:])),
		Verdict:     verdict(r.Result),
		Learned:     learned(r),
		HowGood:     howGood(r.Result),
		Stands:      stands(r.Result),
		Comparison:  comparisonCharts(r.Result),
		Numbers:     metricTable(r.Result),
		Sections:    charts(r.Result),
		Latency:     latency(r.LatencyMS),
		Tested:      tested(r.Result),
		Divided:     divided(r.Result),
		Folds:       foldsOf(r.Result),
		Improvement: improvementOf(r.Result),
		Others:      othersOf(r.Result),
	}
	if err := page.Execute(w, v); err != nil {
		return fmt.Errorf("report: write the page: %w", err)
	}
	return nil
}

// numbers is the table of all metrics.
type numbers struct {
	Baselines []string
	Diff      string // the baseline of the difference column
	Rows      []numberRow
	// More holds the averages that say little beyond Rows.
	More []numberRow
}

// All are all rows.
func (n numbers) All() []numberRow { return slices.Concat(n.Rows, n.More) }

// metricsView is one table of metrics, for the template.
type metricsView struct {
	Title      string
	Baselines  []string
	Diff       string
	Validation bool
	Rows       []numberRow
}

type numberRow struct {
	Label, Formula, Better    string
	Value, Interval, Training string
	Validation                string
	Baselines                 []cell
	Diff, DiffInterval        string
	Outcome                   string
}

type cell struct{ Value, Interval string }

func metricTable(r *evaluate.Result) numbers {
	var n numbers
	names := baselineNames(r)
	for _, b := range names {
		n.Baselines = append(n.Baselines, baselineLabel(b))
	}
	if len(names) > 0 {
		n.Diff = baselineLabel(names[0])
	}
	for _, m := range r.Metrics {
		t := metricStyle(r, m.Name)
		row := numberRow{Label: clean(m.Label), Formula: clean(m.Formula), Better: "lower is better", Value: "–"}
		if m.HigherIsBetter {
			row.Better = "higher is better"
		}
		if iv, ok := r.Test[m.Name]; ok {
			row.Value, row.Interval = t.number(iv.Value), t.interval(iv)
		} else if why := r.Undefined[m.Name]; why != "" {
			row.Interval = clean(why)
		}
		if v, ok := r.Validation[m.Name]; ok && !math.IsNaN(v) {
			row.Validation = t.number(v)
		}
		for _, b := range names {
			c := cell{Value: "–"}
			if iv, ok := r.Baselines[b][m.Name]; ok {
				c = cell{t.number(iv.Value), t.interval(iv)}
			}
			row.Baselines = append(row.Baselines, c)
		}
		if len(names) > 0 {
			if c := r.Compare(names[0], m.Name); c != nil {
				row.Diff = t.signed(c.Difference.Value)
				row.DiffInterval = t.signed(c.Difference.Low) + " to " + t.signed(c.Difference.High)
				row.Outcome = c.Outcome
			}
		}
		if len(n.Rows) > 0 && minor(r.Task, m.Name) {
			n.More = append(n.More, row)
		} else {
			n.Rows = append(n.Rows, row)
		}
	}
	return n
}

// minor tells the averages over classes that repeat what others say: all of
// them for two classes, the micro and weighted ones for more.
func minor(task, name string) bool {
	return strings.HasSuffix(name, "_micro") || strings.HasSuffix(name, "_weighted") ||
		task == "binary" && strings.HasSuffix(name, "_macro")
}

func latency(ms float64) string {
	switch {
	case ms <= 0:
		return ""
	case ms < 1:
		return strconv.FormatFloat(round(1000*ms, 2), 'f', -1, 64) + " µs"
	}
	return strconv.FormatFloat(round(ms, 2), 'f', -1, 64) + " ms"
}
