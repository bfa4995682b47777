package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/report"
	"github.com/hone-ml/hone/serve"
)

func predictCommand() *cobra.Command {
	var out string
	var coverage float64
	var asJSON bool
	var flags dataFlags
	c := &cobra.Command{
		Use:     "predict MODEL FILE",
		GroupID: "use",
		Short:   "Predict the rows of a file",
		Long: `Predict reads the file row by row, in memory that does not grow with it, and
writes the columns that identify a row and its prediction: for classes the
class and the probabilities. With --coverage the set of classes (TARGET_set, by |
in CSV) or the interval (TARGET_low, TARGET_high) follows that holds the truth of
that share of rows, if these are like those that the model was made with.`,
		Example: `  hone predict churn.hone new.csv -o predictions.csv
  hone predict churn.hone new.csv --coverage 0.9
  hone predict churn.hone new.csv.gz -o predictions.jsonl`,
		RunE: func(c *cobra.Command, args []string) error {
			lines := strings.HasSuffix(out, ".jsonl") || strings.HasSuffix(out, ".ndjson")
			if out != "" && !lines && !strings.HasSuffix(out, ".csv") {
				return usagef("-o %s: expected a name that ends in .csv or .jsonl", out)
			}
			if asJSON && out == "" {
				return usagef("--json needs -o: without it the predictions go to standard output")
			}
			if c.Flags().Changed("coverage") && !(coverage > 0 && coverage < 1) {
				return usagef("--coverage: found %v, expected a number between 0 and 1, such as 0.9", coverage)
			}
			o, err := flags.options()
			if err != nil {
				return err
			}
			m, _, err := model.Load(args[0])
			if err != nil {
				return err
			}
			if same := sameFile(out, args...); same != "" {
				return usagef("-o %s would replace %s, which is read: give another name", out, same)
			}
			rows := 0
			write := func(w io.Writer) (err error) {
				rows, err = lifecycle.PredictFile(c.Context(), m, args[1], o, w, lines, coverage)
				return flags.explain(err)
			}
			if out == "" {
				return write(c.OutOrStdout())
			}
			if err := atomicfile.Write(out, write); err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "%d rows predicted, in %s\n", rows, out)
			if asJSON {
				return printJSON(c, map[string]any{"rows": rows, "output": out, "model": m.Name, "target": m.Target})
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write, .csv or .jsonl (default: CSV to standard output)")
	c.Flags().Float64Var(&coverage, "coverage", 0, "`SHARE` of rows whose truth a set of classes or an interval is to hold, as 0.9")
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output (with -o)")
	flags.add(c)
	return c
}

// sameFile returns which of the files is the one at path, or "".
func sameFile(path string, files ...string) string {
	a, err := os.Stat(path)
	if err != nil {
		return "" // it is yet to be made, or cannot be written: that is told then
	}
	for _, f := range files {
		if b, err := os.Stat(f); err == nil && os.SameFile(a, b) {
			return f
		}
	}
	return ""
}

func evaluateCommand() *cobra.Command {
	var endpoint string
	var coverage float64
	var metrics []string
	var gate gateFlags
	var page pageFlags
	var decide decideFlags
	var curves bool
	var of lifecycle.PredictionOptions
	var groups []string
	var labelErrors string
	var robustness bool
	var resamples int
	var seed uint64
	var asJSON bool
	var flags dataFlags
	c := &cobra.Command{
		Use:     "evaluate MODEL FILE",
		GroupID: "use",
		Short:   "Measure a model on a file whose answers are known",
		Long: `Evaluate predicts the rows of a file that has the target and measures the
predictions, with bootstrap intervals. With --endpoint the rows go through a
live server instead; a server of the same model gives the same numbers.

With --predictions there is no model: the file has what any program predicted,
and the truth (--target), or --data names the file that has it. It has a column
prediction, or score (of the positive class), or p_CLASS for each class, by these
names or those that --columns gives. By its other columns the rows are sliced.
It may as well hold sets of labels, texts, rankings and likelihoods (--task):
docs/compare.md has the columns of each.

It also says where the model fails and what it suffers from: slices on which it
does worse, the hardest rows, likely label errors; with --group the differences
between groups, with --robustness what typos, noise and missing columns do.
--report writes one page to read: is it good, can the number be trusted, where
does it fail.

With --costs or --threshold-for it says from which probability on a row of two
classes is best taken to be positive, and what that is worth on rows that did not
choose: each fifth is decided by the threshold that is best on the other four.`,
		Example: `  hone evaluate churn.hone test.csv
  hone evaluate --predictions preds.csv --target y --report report.html
  hone evaluate --predictions preds.csv --costs fp=1,fn=5
  hone evaluate --predictions answers.csv --task text
  hone evaluate churn.hone test.csv --endpoint http://127.0.0.1:8080
  hone evaluate churn.hone test.csv --require 'roc_auc>=0.85 and f1>0.8' --junit ci.xml
  hone evaluate churn.hone test.csv --robustness --group sex --label-errors wrong.csv`,
		RunE: func(c *cobra.Command, args []string) error {
			gates, err := gate.parse()
			if err != nil {
				return err
			}
			aim, err := decide.parse()
			if err != nil {
				return err
			}
			if curves && !asJSON {
				return usagef("--curves needs --json: they are numbers; `hone run` draws them in its report")
			}
			if resamples < 0 {
				return usagef("--bootstrap: found %d, expected a whole number of 0 or more", resamples)
			}
			o, err := flags.options()
			if err != nil {
				return err
			}
			if c.Flags().Changed("predictions") {
				for flag, used := range map[string]bool{"endpoint": endpoint != "", "coverage": c.Flags().Changed("coverage")} {
					if used {
						return usagef("--predictions and --%s exclude each other", flag)
					}
				}
				if robustness {
					return usagef("--robustness predicts changed rows, which needs the model: hone evaluate MODEL FILE --robustness, or a server with --endpoint")
				}
				d := evaluate.DefaultOptions()
				of.Data, of.Gates, of.Metrics, of.Resamples, of.Level, of.Seed = o, gates, metrics, d.Bootstrap, d.Level, seed
				of.Groups = groups
				if c.Flags().Changed("bootstrap") {
					of.Resamples = resamples
				}
				return evaluatePredictions(c, of, labelErrors, aim, curves, asJSON, &flags, &gate, &page)
			}
			if c.Flags().Changed("coverage") && !(coverage > 0 && coverage < 1) {
				return usagef("--coverage: found %v, expected a number between 0 and 1, such as 0.9", coverage)
			}
			for _, flag := range []string{"data", "target", "columns", "weight", "task", "query", "positive"} {
				if c.Flags().Changed(flag) {
					return usagef("--%s goes with --predictions: a model knows it", flag)
				}
			}
			if same := sameFile(labelErrors, args...); same != "" {
				return usagef("--label-errors %s would replace %s, which is read: give another name", labelErrors, same)
			}
			if err := page.check(args...); err != nil {
				return err
			}
			m, b, err := model.Load(args[0])
			if err != nil {
				return err
			}
			names, err := namedMetrics(metrics, gates, m)
			if err != nil {
				return err
			}
			boot := lifecycle.BootstrapOf(b)
			if c.Flags().Changed("bootstrap") {
				boot.Resamples = resamples
			}
			if c.Flags().Changed("seed") {
				boot.Seed = seed
			}
			if err := lifecycle.CheckGates(gates, m); err != nil {
				return err
			}
			var p model.Predictor = m
			if endpoint != "" {
				p = &serve.Client{URL: endpoint, Key: os.Getenv(serve.KeyVariable)}
			}
			e, err := lifecycle.Evaluate(c.Context(), m, p, lifecycle.EvaluationOptions{
				File: args[1], Data: o, Metrics: names, Resamples: boot.Resamples, Level: boot.Level, Seed: boot.Seed, Groups: groups, Robustness: robustness,
			})
			if err != nil {
				return flags.explain(err)
			}
			e.Recall(b)
			e.Endpoint = endpoint
			if err := e.MeasureSets(m, coverage); err != nil {
				return err
			}
			if aim != nil {
				if err := e.ChooseThreshold(m, aim, boot.Resamples, boot.Seed); err != nil {
					return err
				}
			}
			if curves {
				if err := e.DrawCurves(); err != nil {
					return err
				}
			}
			if coverage == 0 {
				coverage = shownCoverage
			}
			if err := writeLabelErrors(c.ErrOrStderr(), labelErrors, e.Failures); err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c, e)
			} else {
				printEvaluation(c.OutOrStdout(), e, m.Weight, coverage)
			}
			if err != nil {
				return err
			}
			if err := page.write(c, func() (*report.Report, error) { return e.Report(m) }); err != nil {
				return err
			}
			others := map[string]map[string]metric.Interval{}
			for name, o := range e.Outputs {
				others[name] = o.Metrics
			}
			return gate.check(gates, m.Name, args[1], e.Metrics, others)
		},
	}
	c.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of a server to send the rows to")
	c.Flags().Float64Var(&coverage, "coverage", 0, "`SHARE` of rows whose truth prediction sets are to hold, of which it is told how many do (default 0.9)")
	decide.add(c)
	c.Flags().BoolVar(&curves, "curves", false, "with --json: the points of the curves too (ROC, precision-recall, gain, lift, reliability, residuals)")
	c.Flags().StringVar(&of.Predictions, "predictions", "", "the `FILE` of predictions to measure, instead of a model")
	c.Flags().StringVar(&of.File, "data", "", "the `FILE` of rows that has the truth (default: the file of predictions has it)")
	c.Flags().StringVar(&of.Target, "target", "", "the `COLUMN` that is the truth (default: target, label, y, y_true, truth or actual, the first that there is)")
	c.Flags().StringToStringVar(&of.Columns, "columns", nil, "columns of predictions that have other names, as `NAME=COLUMN` with commas: prediction=yhat,p_yes=prob")
	c.Flags().Lookup("columns").DefValue = "" // else help says (default [])
	c.Flags().StringVar(&of.Weight, "weight", "", "the `COLUMN` by which rows count")
	taskFlags(c, &of.Task, &of.Query, &of.Positive)
	gate.add(c, "")
	page.add(c)
	c.Flags().StringSliceVar(&metrics, "metrics", nil, "`NAMES` of what to measure, with commas, as in default,ece,top_3_accuracy; all: everything that fits (docs/metrics.md lists them)")
	c.Flags().StringArrayVar(&groups, "group", nil, "a `COLUMN` whose groups are compared: demographic parity, equalised odds, errors (may be repeated)")
	c.Flags().BoolVar(&robustness, "robustness", false, "predict changed rows too (typos, case, noise, missing columns, brightness, blur) and say how far the metric falls")
	c.Flags().StringVar(&labelErrors, "label-errors", "", "the CSV `FILE` to write likely label errors to, the likeliest first")
	c.Flags().IntVar(&resamples, "bootstrap", 0, "`RESAMPLES` behind each interval; 0: no intervals (default: as in the run)")
	c.Flags().Uint64Var(&seed, "seed", 0, "`NUMBER` that the resamples are drawn by (default: as in the run)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.add(c)
	return c
}

// taskFlags say what files of predictions hold.
func taskFlags(c *cobra.Command, task, query, positive *string) {
	c.Flags().StringVar(task, "task", "", "what files of predictions hold, where looking does not tell, a `KIND`: set (of labels), text (to be written), ranking or language (likelihoods)")
	c.Flags().StringVar(query, "query", "", "predictions are scores that rank the rows of each value of this `COLUMN`; the truth is how relevant a row is")
	c.Flags().StringVar(positive, "positive", "", "of two classes of a file of predictions, the `CLASS` that scores are for (default: the one that means yes, else the rarer one)")
}

func evaluatePredictions(c *cobra.Command, o lifecycle.PredictionOptions, labelErrors string, aim *metric.Aim, curves, asJSON bool, flags *dataFlags, gate *gateFlags, page *pageFlags) error {
	if err := page.check(o.Predictions, o.File); err != nil {
		return err
	}
	if o.Predictions == "" {
		return usagef("--predictions: the name of the file is empty")
	}
	for _, n := range o.Metrics {
		if _, err := metric.Lookup(n); err != nil && n != lifecycle.DefaultMetrics && n != lifecycle.AllMetrics {
			return usagef("--metrics: %w", err)
		}
	}
	if same := sameFile(labelErrors, o.Predictions, o.File); same != "" {
		return usagef("--label-errors %s would replace %s, which is read: give another name", labelErrors, same)
	}
	e, err := lifecycle.EvaluatePredictions(o)
	if err != nil {
		return flags.explain(err)
	}
	if err := writeLabelErrors(c.ErrOrStderr(), labelErrors, e.Failures); err != nil {
		return err
	}
	if aim != nil {
		if err := e.ChooseThreshold(aim, o.Resamples, o.Seed); err != nil {
			return err
		}
	}
	if curves {
		if err := e.DrawCurves(); err != nil {
			return err
		}
	}
	if asJSON {
		if err := printJSON(c, e); err != nil {
			return err
		}
	} else {
		printPredictions(c.OutOrStdout(), e)
	}
	if err := page.write(c, e.Report); err != nil {
		return err
	}
	return gate.check(o.Gates, o.Predictions, o.Predictions, e.Metrics, nil)
}

// shownSlices is how many of the worst slices are shown, beside those that are
// told from the rest.
const shownSlices = 5

func printPredictions(w io.Writer, e *lifecycle.PredictionsEvaluation) {
	fmt.Fprintf(w, "%s: %s of %s", e.File, plural(e.Rows, "row"), e.Target)
	if e.Task == metric.Binary.String() {
		fmt.Fprintf(w, ", %s being positive", e.Classes[1])
	}
	if e.Unlabeled > 0 {
		fmt.Fprintf(w, " (%s more lack it)", count(e.Unlabeled))
	}
	if e.Weight != "" {
		fmt.Fprintf(w, ", by the weights of %s", e.Weight)
	}
	fmt.Fprintln(w)
	printMetrics(w, e.Metrics, e.Order, e.Level)
	printLabels(w, e.PerLabel)
	printThreshold(w, e.Threshold)
	if len(e.Slices) > 0 {
		fmt.Fprintf(w, "worst slices by %s:\n", e.SlicedBy)
	}
	left := 0
	for i, s := range e.Slices {
		if i >= shownSlices && !s.Worse {
			left++
			continue
		}
		said := ""
		if s.Worse {
			said = fmt.Sprintf(", worse than the rest at %s (p %s)", number(float64(s.Rest)), pValue(s.Adjusted))
		}
		fmt.Fprintf(w, "  %-20s %10s  (%s to %s), %s%s\n", s.Column+" "+s.Value, number(s.Score.Value), number(s.Score.Low), number(s.Score.High), plural(s.Rows, "row"), said)
	}
	if left > 0 {
		fmt.Fprintf(w, "  %d more, none of them told from the rest as worse: --json has all\n", left)
	}
	printFailures(w, e.Failures, e.Diagnosis)
	for _, n := range e.Notes {
		fmt.Fprintf(w, "  %s\n", n)
	}
}

// namedMetrics are the names of --metrics, and those that gates ask for.
func namedMetrics(names []string, gates []metric.Requirement, m *model.Model) ([]string, error) {
	for _, n := range names {
		if n == lifecycle.DefaultMetrics || n == lifecycle.AllMetrics {
			continue
		}
		if err := lifecycle.MetricFits(n, m); err != nil {
			return nil, usagef("--metrics: %w", err)
		}
	}
	if len(names) == 0 && len(gates) > 0 {
		names = []string{lifecycle.DefaultMetrics}
	}
	for _, g := range gates {
		names = append(names, g.Metric)
	}
	return names, nil
}

// shownCoverage is the coverage whose sets are told of where none is asked for.
const shownCoverage = 0.9

func printSets(w io.Writer, sets *evaluate.PredictionSets, coverage float64) {
	if c := sets.At(coverage); c != nil {
		fmt.Fprintf(w, "  %s\n", c.Sentence())
	}
}

func printEvaluation(w io.Writer, e *lifecycle.Evaluation, weight string, coverage float64) {
	fmt.Fprintf(w, "%s on %s: %d rows", e.Model, e.File, e.Rows)
	if e.SetAside > 0 {
		fmt.Fprintf(w, " (%d more are set aside, whose image cannot be read:%s)", e.SetAside, e.Why)
	}
	if e.Filtered > 0 {
		fmt.Fprintf(w, " (%d more are left out by a filter of data.clean)", e.Filtered)
	}
	if e.Unlabeled > 0 {
		fmt.Fprintf(w, " (%d more lack the target)", e.Unlabeled)
	}
	switch {
	case e.Weight != "":
		fmt.Fprintf(w, ", by the weights of %s", e.Weight)
	case weight != "":
		fmt.Fprintf(w, ", each of which counts the same: the file has no column %s, by which the model was trained", weight)
	}
	fmt.Fprintln(w)
	printMetrics(w, e.Metrics, e.Order, e.Level)
	printLabels(w, e.PerLabel)
	for _, n := range e.Notes {
		fmt.Fprintf(w, "  %s\n", n)
	}
	printSets(w, e.PredictionSets, coverage)
	printFailures(w, e.Failures, e.Diagnosis)
	printThreshold(w, e.Threshold)
	for _, name := range slices.Sorted(maps.Keys(e.Outputs)) {
		o := e.Outputs[name]
		fmt.Fprintf(w, "%s: %d rows", name, o.Rows)
		if o.Unlabeled > 0 {
			fmt.Fprintf(w, " (%d more lack it)", o.Unlabeled)
		}
		fmt.Fprintln(w)
		printMetrics(w, o.Metrics, o.Order, e.Level)
		printLabels(w, o.PerLabel)
		printSets(w, o.PredictionSets, coverage)
	}
}

// shownSetLabels is how many labels of sets are shown, the most frequent first.
const shownSetLabels = 20

func printLabels(w io.Writer, labels []evaluate.ClassScore) {
	if len(labels) == 0 {
		return
	}
	labels = slices.Clone(labels)
	slices.SortStableFunc(labels, func(a, b evaluate.ClassScore) int { return cmp.Compare(b.Rows, a.Rows) })
	fmt.Fprintf(w, "  %-30s %8s %10s %10s %10s\n", "label", "rows", "precision", "recall", "f1")
	for _, l := range labels[:min(shownSetLabels, len(labels))] {
		fmt.Fprintf(w, "  %-30s %8s %10.4f %10.4f %10.4f\n", l.Class, strconv.FormatFloat(l.Rows, 'g', 6, 64), l.Precision, l.Recall, l.F1)
	}
	if n := len(labels) - shownSetLabels; n > 0 {
		fmt.Fprintf(w, "  %d rarer labels: --json has all\n", n)
	}
}

func printMetrics(w io.Writer, metrics map[string]metric.Interval, order []string, level float64) {
	for _, name := range order {
		v := metrics[name]
		fmt.Fprintf(w, "  %-20s %10s", name, number(v.Value))
		if v.Low == v.Low { // not NaN
			fmt.Fprintf(w, "  (%g %% interval %s to %s)", 100*level, number(v.Low), number(v.High))
		}
		fmt.Fprintln(w)
	}
}

// number writes a metric's value: four decimals, fewer for large ones.
func number(x float64) string {
	if x >= 1000 || x <= -1000 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.4f", x)
}

func serveCommand() *cobra.Command {
	var address string
	var sets []string
	var asJSON bool
	c := &cobra.Command{
		Use:     "serve MODEL",
		GroupID: "use",
		Short:   "Answer requests by HTTP, with a page to try the model",
		Long: `Serve answers POST /v1/predict with JSON and shows a page to try the model at /;
of a model with answers (docs/answers.md) a page to chat, whose questions
POST /v1/answer takes too.
It listens on this machine alone unless told otherwise; elsewhere it demands a
key (` + serve.KeyVariable + `) on every request. Limits and time-outs are the serve
section of the configuration that the model was made from, unless set here.`,
		Example: `  hone serve churn.hone
  hone serve churn.hone --address 127.0.0.1:9000
  hone serve churn.hone --set serve.max_rows=100`,
		RunE: func(c *cobra.Command, args []string) error {
			m, b, err := model.Load(args[0])
			if err != nil {
				return err
			}
			facts, err := serve.FactsOf(args[0], b)
			if err != nil {
				return err
			}
			o, err := lifecycle.ServeOptions(b, sets)
			if err != nil {
				return err
			}
			if address != "" {
				o.Address = address
			}
			s, err := serve.New(m, facts, o)
			if err != nil {
				return err
			}
			ctx, stop := context.WithCancel(c.Context())
			defer stop()
			return s.Run(ctx, func(url string) {
				if asJSON {
					if err := printJSON(c, map[string]string{"url": url, "model": m.Name}); err != nil {
						stop()
					}
				}
				fmt.Fprintf(c.ErrOrStderr(), "%s is served at %s; Ctrl-C ends it\n", m.Name, url)
			})
		},
	}
	c.Flags().StringVar(&address, "address", "", "`HOST:PORT` to listen at, as 127.0.0.1:8080; port 0 takes a free one")
	c.Flags().StringArrayVar(&sets, "set", nil, "set a key, as `KEY=VALUE`: serve.max_rows=100 (may be repeated)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object with the url once ready")
	return c
}
