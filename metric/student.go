package metric

import "math"

// StudentP is the two-sided p-value of t in Student's distribution with df degrees
// of freedom, which need not be a whole number; infinity is the normal distribution.
func StudentP(t, df float64) float64 {
	switch {
	case math.IsNaN(t) || !(df > 0):
		return math.NaN()
	case math.IsInf(df, 1) || df > 1e8:
		return twoSided(t)
	case math.IsInf(t, 0):
		return 0
	}
	return incompleteBeta(df/(df+t*t), df/2, 0.5)
}

// StudentQuantile is the t whose two-sided p-value is p.
func StudentQuantile(p, df float64) float64 {
	if !(p > 0 && p < 1) || !(df > 0) {
		return math.NaN()
	}
	low, high := 0.0, 1.0
	for StudentP(high, df) > p && high < 1e300 {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if middle == low || middle == high {
			break
		}
		if StudentP(middle, df) > p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), by its
// continued fraction (Abramowitz and Stegun 1964, 26.5.8, evaluated as by Lentz 1976,
// Generating Bessel functions in Mie scattering calculations using continued
// fractions).
func incompleteBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // where the other side converges quickly
		return 1 - incompleteBeta(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	away := func(v float64) float64 { // from 0
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m < 10_000; m++ {
		for _, e := range []float64{m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)), -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))} {
			d = 1 / away(1+e*d)
			c = away(1 + e/c)
			h *= d * c
		}
		if math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return front * h
}
