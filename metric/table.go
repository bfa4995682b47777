package metric

// The metrics that come with hone, in the order in which reports show them.
func init() {
	for _, m := range []Metric{
		accuracy, balancedAccuracy,
		rocAUC, rocAUCOvR, averagePrecision,
		f1.binary(), precision.binary(), recall.binary(),
		mcc, cohenKappa,
		logLoss, brier,
		f1.macro(), f1.micro(), f1.weighted(),
		precision.macro(), precision.micro(), precision.weighted(),
		recall.macro(), recall.micro(), recall.weighted(),
		rmse, mae, r2, medianAE, mse, mape, explainedVariance,
	} {
		Register(m)
	}
}
