// Package evaluate turns a model's predictions on rows it has never seen into
// one [Result]: every metric with its confidence interval, the same for each
// baseline, paired comparisons on the same rows, the curves and tables behind
// the charts, and a verdict on over- and under-fitting read from the training
// curves. A Result is plain data that survives JSON; the report, the model
// card and the command line's --json are all drawn from it.
//
// Start with [Evaluate]. [Rank] puts several predictions of the same rows into
// a leaderboard with tests against the best; [Slices] measures the rows of each value
// of columns; [FindFailures] looks for where predictions fail, and [DiagnoseCase]
// for what a model suffers from; [Diagnose] reads training curves
// alone; [Folds] sets the folds of a cross-validation side by side.
//
// It takes predictions ([metric.Sample]), not models, so where they came from
// (a local model, a live endpoint, a file) cannot change a number. Everything
// is deterministic: the same input, options and seed give the same bits on
// any number of threads.
//
// It may be imported by explain, report, optimize, web, serve, lifecycle and
// cmd; it imports the model floor, of which it needs metric, and of data columns,
// the measures of images and the options of folds.
//
// To add a new kind of finding, give it a field in [Result] with a comment and
// a JSON name, fill it in one function of its own file called from [Evaluate],
// and draw it in package report. To add a metric, see package metric; nothing
// changes here.
package evaluate
