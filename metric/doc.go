// Package metric measures predictions: every metric that hone reports, its
// bootstrap interval, the paired tests of a comparison, the curves a report
// draws, and the requirements a quality gate checks.
//
// Start with [Lookup] or [For], fill a [Sample], call [Metric.Value]; or ask
// [Values] and [Bootstrap] for many metrics at once, which sort the rows once.
// [Resample] gives the resamples themselves, and [Paired] tests whether two
// predictions of the same rows differ by a metric.
//
//	m, err := metric.Lookup("roc_auc")
//	v, err := m.Value(&metric.Sample{Kind: metric.Binary, Target: y, Prob: p})
//
// # Numbers
//
// Names and numbers are scikit-learn's (testdata/reference.json records them,
// testdata/reference.py made them). Where scikit-learn warns that a metric is
// ill-defined, its numeric result is returned; where it raises or returns NaN,
// the value is NaN, which means undefined. Not defined, for example, are
// roc_auc on rows of one class and r2 on a single row. Two things differ on
// purpose:
//
//   - A row of weight 0 counts as absent everywhere (scikit-learn lets it add
//     its class to a macro average), so that a weight is a repetition.
//   - What is not scikit-learn's is the reference's that the metric names: of
//     texts sacrebleu, of rankings the expectation over orders of equal scores.
//   - A constant target gives r2 and explained_variance exactly 0 (or 1 when
//     predicted exactly), also where rounding in the mean makes scikit-learn
//     divide by almost zero.
//
// Samples of [Multilabel], [Ranking], [Text] and [Language] have their fields in
// [Sample]. Rows that do not fit in memory go through a [Stream] in batches;
// streams of parts can be merged.
//
// NaN or an infinity in the input, a probability outside [0, 1], a negative
// weight or a class index out of range is an error that names the row.
//
// # Place in the house
//
// The model floor: it may be imported by train, data, feature, model and all
// of the lifecycle floor, and by other programs. It imports none of hone, and
// knows nothing of models, tables or files.
//
// # Adding a metric
//
// Describe it as a [Metric] in the file of its family, or in one of its own; put
// it into the table in table.go at the place where reports show it; add what an
// independent program says of it to testdata/reference.py (or kinds.py). From
// another program, call [Register] in an init function. A function of the counts
// of decisions is set as OfCounts; a function of the mean of losses of single
// rows as PerRow and OfMean, which also makes its paired test exact; anything
// else as Compute, with a Partial if it is to be streamed. A metric sums over
// rows with their weights; the bootstrap then needs nothing more, since a
// resample is the same sample under other weights. OnRequest keeps it out of
// reports that do not name it. docs/metrics.md is written by
// go test ./metric -update.
package metric
