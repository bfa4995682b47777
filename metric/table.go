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
		subsetAccuracy, hammingLoss, labelRankingAP,
		ndcg, ndcgAt(10), mrr, meanAP, hitRateAt(10), recallAt(10),
		exactMatch, tokenF1, bleu("bleu", "13a"), chrf,
		perplexity, bitsPerByte,
	} {
		Register(m)
	}
	// Those that are computed where they are named.
	for _, m := range []Metric{
		topK(3), topK(5), rocAUCOvO, fpr95, hinge, ece, adaptiveECE,
		f05.binary(), f2.binary(), f05.macro(), f05.micro(), f05.weighted(), f2.macro(), f2.micro(), f2.weighted(),
		smape, msle, rmsle, pinball(10), pinball(50), pinball(90),
		poissonDeviance, gammaDeviance, tweedie(15), spearman,
		bleu("bleu_zh", "zh"), bleu("bleu_char", "char"), bleu("bleu_intl", "intl"), bleu("bleu_none", "none"),
	} {
		m.OnRequest = true
		Register(m)
	}
}

// The metrics whose names hold a number that may be another.
var families = []family{
	{"top_", "_accuracy", 1, maxClasses, topK},
	{"pinball_", "", 1, 99, pinball},
	{"tweedie_", "", 11, 19, tweedie},
	{"ndcg_at_", "", 1, 1_000_000, ndcgAt},
	{"hit_rate_at_", "", 1, 1_000_000, hitRateAt},
	{"recall_at_", "", 1, 1_000_000, recallAt},
}
