package metric

import (
	"fmt"
	"math"
)

// deviance is the mean unit deviance of the Tweedie family: twice what the
// log-likelihood of a row lacks of the best possible one. Power 1 is Poisson's,
// 2 that of gamma.
func deviance(name, label, doc string, power float64, aliases ...string) Metric {
	formula := fmt.Sprintf("2·(t²⁻ᵖ/((1−p)(2−p)) − t·μ¹⁻ᵖ/(1−p) + μ²⁻ᵖ/(2−p)), p = %v, t ≥ 0 and μ > 0", power)
	switch power {
	case 1:
		formula = "2·(t·ln(t/μ) − t + μ), t ≥ 0 and μ > 0"
	case 2:
		formula = "2·(ln(μ/t) + t/μ − 1), t > 0 and μ > 0"
	}
	return Metric{
		Name: name, Aliases: aliases, Label: label, Doc: doc,
		Formula: "weighted mean, with t the target and μ the prediction, of " + formula + "; else undefined",
		Source:  "Jørgensen 1987, Exponential dispersion models; scikit-learn mean_tweedie_deviance",
		Kinds:   regression, Needs: Pred, OfMean: identity,
		PerRow: func(s *Sample) []float64 {
			return s.perRow(func(i int) float64 { return unitDeviance(s.Target[i], s.Pred[i], power) })
		},
	}
}

func unitDeviance(t, mu, power float64) float64 {
	switch {
	case mu <= 0 || t < 0 || t == 0 && power >= 2:
		return math.NaN()
	case power == 1:
		if t == 0 {
			return 2 * mu
		}
		return 2 * (t*math.Log(t/mu) - t + mu)
	case power == 2:
		return 2 * (math.Log(mu/t) + t/mu - 1)
	}
	q := 2 - power
	return 2 * (math.Pow(t, q)/((1-power)*q) - t*math.Pow(mu, 1-power)/(1-power) + math.Pow(mu, q)/q)
}

var (
	poissonDeviance = deviance("poisson_deviance", "Poisson deviance", "How unlikely the counts are under the predicted rates, beyond what no prediction could avoid.", 1, "mean_poisson_deviance")
	gammaDeviance   = deviance("gamma_deviance", "Gamma deviance", "As the Poisson deviance, for positive amounts whose spread grows with their size.", 2, "mean_gamma_deviance")
)

// tweedie has the power in tenths, from 1.1 to 1.9: sums of a Poisson number of
// gamma amounts, such as claims.
func tweedie(tenths int) Metric {
	p := float64(tenths) / 10
	return deviance(fmt.Sprintf("tweedie_%d", tenths), fmt.Sprintf("Tweedie deviance (power %v)", p),
		"As the Poisson deviance, for amounts that are often 0 and else spread widely.", p)
}
