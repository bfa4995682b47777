package report

// errorsSection is what the predictions get wrong.
func errorsSection(r reading) *section {
	return chartSection("errors", r.say("Where it errs"), "", confusionChart(r), confusedChart(r), perClassChart(r), residualChart(r), residualHistogram(r))
}
