"""Writes paired.json: what other programs say of two predictions of the same rows.

Run at development time only, from this folder, with numpy and scipy installed:

    python paired.py

McNemar's exact test is scipy's binomtest, the sign-flip test scipy's
permutation_test over all patterns, DeLong's the definition of the paper: the
full matrix of pairs and numpy's cov, with no ranks. BCa intervals are scipy's
bootstrap, which gives its resampled values too. Row counts are scipy's
quantiles in the formula.
"""
import json

import numpy as np
import scipy
from scipy import stats

r = np.random.default_rng(20)


def delong(t, a, b):
    pos, neg = t == 1, t == 0
    kernels = [(s[pos][:, None] > s[neg]) + 0.5 * (s[pos][:, None] == s[neg]) for s in (a, b)]
    areas = [k.mean() for k in kernels]
    s10 = np.cov([k.mean(axis=1) for k in kernels])
    s01 = np.cov([k.mean(axis=0) for k in kernels])
    s = s10 / pos.sum() + s01 / neg.sum()
    l = np.array([1, -1])
    se = float(np.sqrt(l @ s @ l))
    d = float(areas[0] - areas[1])
    return {"difference": d, "standard_error": se, "p": float(2 * stats.norm.sf(abs(d / se)))}


def ranking(n, decimals, noise):
    t = (r.random(n) < 0.4).astype(int)
    a = 1 / (1 + np.exp(-(t - 0.5 + r.normal(0, 1, n))))
    b = 1 / (1 + np.exp(-(t - 0.5 + r.normal(0, noise, n))))
    if decimals:
        a, b = a.round(decimals), b.round(decimals)
    return {"target": t.tolist(), "a": a.tolist(), "b": b.tolist(), **delong(t, a, b)}


def flips(d):
    p = stats.permutation_test((d,), lambda x, axis: x.mean(axis=axis), permutation_type="samples",
                               n_resamples=np.inf, vectorized=True).pvalue
    return {"d": d.tolist(), "p": float(p)}


def bca(x, f, level):
    found = stats.bootstrap((x,), f, method="BCa", n_resamples=499, confidence_level=level, rng=np.random.default_rng(3), vectorized=True)
    return {"value": float(f(x)), "level": level, "resampled": found.bootstrap_distribution.tolist(),
            "jackknife": [float(f(np.delete(x, i))) for i in range(len(x))],
            "low": float(found.confidence_interval.low), "high": float(found.confidence_interval.high)}


out = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
    "mcnemar": [{"b": b, "c": c, "p": float(stats.binomtest(b, b + c).pvalue)}
                for b, c in [(1, 0), (5, 5), (9, 2), (2, 9), (40, 61), (1200, 1301), (100000, 101000), (0, 30), (300, 900)]],
    "delong": [ranking(60, 0, 1.5), ranking(80, 1, 1.2), ranking(400, 2, 3)],
    "sign_flip": [flips(r.normal(0.4, 1, 12)), flips(r.normal(0, 1, 11)), flips(np.abs(r.normal(0, 1, 8))),
                  flips(r.integers(-2, 4, 12).astype(float))],
    "bca": [bca(x, f, level) for x, f, level in [
        (np.random.default_rng(1).lognormal(0, 1, 40), np.mean, 0.95),
        (np.random.default_rng(2).lognormal(0, 1, 40), np.std, 0.9),
        ((np.random.default_rng(3).random(50) < 0.9).astype(float), np.mean, 0.95)]],
    "rows_needed": [{"rows": n, "t": t, "alpha": al, "power": pw,
                     "needed": float(n * (stats.norm.ppf(1 - al / 2) + stats.norm.ppf(pw)) ** 2 / t ** 2)}
                    for n, t, al, pw in [(1000, 1.2, 0.05, 0.8), (303, -0.4, 0.025, 0.8), (16281, 1.9, 0.01, 0.9)]],
}
with open("paired.json", "w") as f:
    json.dump(out, f, indent=None, separators=(",", ":"))
    f.write("\n")
