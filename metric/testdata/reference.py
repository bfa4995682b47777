"""Writes reference.json: what scikit-learn says of samples that metrics trip over.

Run at development time only, from this folder, with scikit-learn installed:

    python reference.py

Where scikit-learn warns, its number is recorded; where it raises or gives NaN,
null is. Defaults are used throughout, except that the classes are told to
log_loss, brier_score_loss and roc_auc_score, as hone knows them.
"""
import json
import math
import warnings

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")


def decisions(t, p, w, kind):
    out = {
        "accuracy": lambda: m.accuracy_score(t, p, sample_weight=w),
        "balanced_accuracy": lambda: m.balanced_accuracy_score(t, p, sample_weight=w),
        "mcc": lambda: m.matthews_corrcoef(t, p, sample_weight=w),
        "cohen_kappa": lambda: m.cohen_kappa_score(t, p, sample_weight=w),
    }
    for name, f in [("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)]:
        if kind == "binary":
            out[name] = lambda f=f: f(t, p, sample_weight=w)
        for average in ["macro", "micro", "weighted"]:
            out[f"{name}_{average}"] = lambda f=f, a=average: f(t, p, sample_weight=w, average=a)
    for name, beta in [("f05", 0.5), ("f2", 2)]:
        if kind == "binary":
            out[name] = lambda b=beta: m.fbeta_score(t, p, beta=b, sample_weight=w)
        for average in ["macro", "micro", "weighted"]:
            out[f"{name}_{average}"] = lambda b=beta, a=average: m.fbeta_score(t, p, beta=b, sample_weight=w, average=a)
    return out


# What scikit-learn does not define, or not for every sample, by its definition.


def ones(t, w):
    return np.ones(len(t)) if w is None else w


def fpr95(t, q, w):
    fpr, tpr, _ = m.roc_curve(t, q, sample_weight=w, drop_intermediate=False)
    return fpr[np.argmax(tpr >= 0.95 - 1e-12)] if 0 < sum(t) < len(t) else math.nan


def bins_gap(at, p, right, w):
    return sum(abs(np.sum((w * (p - right))[at == b])) for b in range(15)) / np.sum(w)


def ece(p, right, w):
    return bins_gap(np.searchsorted(np.arange(1, 15) / 15, p), p, right, w)


def adaptive_ece(p, right, w):
    middle = np.array([np.sum(w[p < v]) + np.sum(w[p == v]) / 2 for v in p])
    return bins_gap(np.minimum((middle / np.sum(w) * 15 + 1e-9).astype(int), 14), p, right, w)


def one_vs_one(t, q, w):
    def auc(a, b):
        x, y = t == a, t == b
        pairs = w[x][:, None] * w[y]
        right = (q[x, a][:, None] > q[y, a]) + 0.5 * (q[x, a][:, None] == q[y, a])
        return np.sum(pairs * right) / np.sum(pairs)

    k, there = q.shape[1], sorted(set(t))
    if len(there) < 2:
        return math.nan
    v = float(np.mean([auc(a, b) for a in there for b in there if a != b]))
    if k > 2 and np.all(w == 1):
        assert math.isclose(v, m.roc_auc_score(t, q, multi_class="ovo", labels=list(range(k))), rel_tol=1e-12)
    return v


def top(t, q, w, k):
    if k < q.shape[1]:
        return m.top_k_accuracy_score(t, q, k=k, labels=list(range(q.shape[1])), sample_weight=w)
    return 1.0


def margin_loss(lead, w):
    return np.average(np.maximum(0, 1 - lead), weights=w)


def binary_hinge(t, q, w):
    v = margin_loss((2 * q - 1) * (2 * t - 1), w)
    if 0 < sum(t) < len(t):
        assert math.isclose(v, m.hinge_loss(t, 2 * q - 1, sample_weight=w), rel_tol=1e-12, abs_tol=1e-15)
    return v


def multi_hinge(t, q, w, labels):
    if len(labels) > 2:
        return m.hinge_loss(t, q, labels=labels, sample_weight=w)
    rows = np.arange(len(t))
    return margin_loss(q[rows, t] - q[rows, 1 - t], w)


def spearman(t, p, w):
    def ranks(v):
        return np.array([np.sum(w[v < x]) + np.sum(w[v == x]) / 2 for x in v])

    if len(t) < 2:
        return math.nan
    c = np.cov(ranks(t), ranks(p), aweights=w, ddof=0)
    counted = w > 0
    if len(set(t[counted])) < 2 or len(set(p[counted])) < 2:
        return math.nan
    v = c[0, 1] / math.sqrt(c[0, 0] * c[1, 1])
    if np.all(w == 1):
        assert math.isclose(v, scipy.stats.spearmanr(t, p).statistic, rel_tol=1e-12, abs_tol=1e-15)
    return v


def binary(t, q, w):
    return {
        "roc_auc": lambda: m.roc_auc_score(t, q, sample_weight=w),
        "average_precision": lambda: m.average_precision_score(t, q, sample_weight=w),
        "log_loss": lambda: m.log_loss(t, q, sample_weight=w, labels=[0, 1]),
        "brier": lambda: m.brier_score_loss(t, q, sample_weight=w, pos_label=1),
        "fpr_at_95_tpr": lambda: fpr95(t, q, w),
        "hinge": lambda: binary_hinge(t, q, ones(t, w)),
        "ece": lambda: ece(q, t, ones(t, w)),
        "adaptive_ece": lambda: adaptive_ece(q, t, ones(t, w)),
    }


def multiclass(t, q, w, k):
    labels = list(range(k))
    decided, right = q.max(axis=1), (q.argmax(axis=1) == t).astype(float)
    # Two columns are refused unless the truth has two as well.
    ranked = np.eye(2, dtype=int)[t] if k == 2 else t
    return {
        "roc_auc_ovr": lambda: m.roc_auc_score(ranked, q, sample_weight=w, labels=labels, multi_class="ovr"),
        "average_precision": lambda: m.average_precision_score(ranked, q, sample_weight=w),
        "log_loss": lambda: m.log_loss(t, q, sample_weight=w, labels=labels),
        "brier": lambda: m.brier_score_loss(t, q, sample_weight=w, labels=labels),
        "roc_auc_ovo": lambda: one_vs_one(t, q, ones(t, w)),
        "top_3_accuracy": lambda: top(t, q, w, 3),
        "top_5_accuracy": lambda: top(t, q, w, 5),
        "hinge": lambda: multi_hinge(t, q, w, labels),
        "ece": lambda: ece(decided, right, ones(t, w)),
        "adaptive_ece": lambda: adaptive_ece(decided, right, ones(t, w)),
    }


def numbers(t, p, w):
    return {
        "mse": lambda: m.mean_squared_error(t, p, sample_weight=w),
        "rmse": lambda: m.root_mean_squared_error(t, p, sample_weight=w),
        "mae": lambda: m.mean_absolute_error(t, p, sample_weight=w),
        "median_ae": lambda: m.median_absolute_error(t, p, sample_weight=w),
        "mape": lambda: m.mean_absolute_percentage_error(t, p, sample_weight=w),
        "r2": lambda: m.r2_score(t, p, sample_weight=w),
        "explained_variance": lambda: m.explained_variance_score(t, p, sample_weight=w),
        "smape": lambda: np.average(2 * abs(p - t) / np.where(abs(p) + abs(t) == 0, 1, abs(p) + abs(t)), weights=w),
        "msle": lambda: m.mean_squared_log_error(t, p, sample_weight=w),
        "rmsle": lambda: m.root_mean_squared_log_error(t, p, sample_weight=w),
        "pinball_10": lambda: m.mean_pinball_loss(t, p, alpha=0.1, sample_weight=w),
        "pinball_50": lambda: m.mean_pinball_loss(t, p, alpha=0.5, sample_weight=w),
        "pinball_90": lambda: m.mean_pinball_loss(t, p, alpha=0.9, sample_weight=w),
        "poisson_deviance": lambda: m.mean_poisson_deviance(t, p, sample_weight=w),
        "gamma_deviance": lambda: m.mean_gamma_deviance(t, p, sample_weight=w),
        "tweedie_15": lambda: m.mean_tweedie_deviance(t, p, power=1.5, sample_weight=w),
        "spearman": lambda: spearman(t, p, ones(t, w)),
    }


def value(f):
    try:
        v = float(f())
    except ValueError:
        return None
    return v if math.isfinite(v) else None


cases = []


def case(name, kind, target, pred, prob=None, weight=None, classes=None):
    t = np.asarray(target)
    p = np.asarray(pred)
    w = None if weight is None else np.asarray(weight, float)
    if kind == "regression":
        fs = numbers(t.astype(float), p.astype(float), w)
    else:
        fs = decisions(t, p, w, kind)
        q = np.asarray(prob, float)
        fs |= binary(t, q, w) if kind == "binary" else multiclass(t, q, w, len(classes))
    cases.append({
        "name": name, "kind": kind, "classes": classes,
        "target": t.tolist(), "pred": p.tolist(),
        "prob": None if prob is None else np.asarray(prob, float).ravel().tolist(),
        "weight": None if w is None else w.tolist(),
        "values": {name: value(f) for name, f in fs.items()},
    })


def binary_case(name, target, prob, weight=None):
    case(name, "binary", target, (np.asarray(prob) >= 0.5).astype(int), prob, weight)


def multi_case(name, target, prob, weight=None):
    prob = np.asarray(prob, float)
    classes = [f"class {i}" for i in range(prob.shape[1])]
    case(name, "multiclass", target, prob.argmax(axis=1), prob, weight, classes)


rng = np.random.default_rng(20260101)

binary_case("small", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
binary_case("perfect", [0, 0, 1, 1, 1], [0.1, 0.2, 0.7, 0.8, 0.9])
binary_case("perfect, probabilities of exactly 0 and 1", [0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0])
binary_case("always wrong, probabilities of exactly 0 and 1", [0, 0, 1, 1], [1.0, 1.0, 0.0, 0.0])
binary_case("constant probability, all positive", [0, 1, 0, 1, 1], [0.6] * 5)
binary_case("constant probability, none positive", [0, 1, 0, 1, 1], [0.4] * 5)
binary_case("only negative rows, none predicted", [0, 0, 0], [0.1, 0.2, 0.3])
binary_case("only negative rows, all predicted", [0, 0, 0], [0.7, 0.8, 0.9])
binary_case("only positive rows, all predicted", [1, 1, 1], [0.7, 0.8, 0.9])
binary_case("only positive rows, none predicted", [1, 1, 1], [0.1, 0.2, 0.3])
binary_case("one row", [1], [0.75])
binary_case("ties across classes", [0, 1, 0, 1, 1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5, 0.2, 0.2, 0.9, 0.9])
binary_case("smallest probabilities", [0, 1, 1, 0], [5e-324, 1e-300, 1 - 2**-53, 1 - 2**-53])
binary_case("whole weights", [0, 1, 0, 1, 1], [0.3, 0.6, 0.6, 0.2, 0.9], [1, 2, 3, 1, 2])
binary_case("fractional weights", [0, 1, 0, 1, 1, 0], [0.3, 0.6, 0.6, 0.2, 0.9, 0.3], [0.1, 0.2, 0.3, 0.7, 1.3, 0.05])
binary_case("a row of weight 0", [0, 1, 0, 1, 1], [0.3, 0.6, 0.6, 0.2, 0.9], [1, 0, 3, 1, 2])
binary_case("far apart weights", [0, 1, 0, 1, 1], [0.3, 0.6, 0.6, 0.2, 0.9], [1e-9, 1e9, 1, 3, 1e-3])
n = 60
y = rng.integers(0, 2, n)
binary_case("random", y, np.clip(0.5 * y + 0.5 * rng.random(n), 0, 1))
binary_case("random, many ties", y, np.round(0.4 * y + 0.6 * rng.random(n), 1))
binary_case("random, many ties, weights", y, np.round(0.4 * y + 0.6 * rng.random(n), 1), np.round(rng.random(n) * 3, 2) + 0.01)
rare = (rng.random(n) < 0.08).astype(int)
rare[0] = 1
binary_case("rare positives", rare, np.round(rng.random(n) * 0.7, 2))

tied = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])
multi_case("three classes", [0, 1, 2, 1, 0], tied)
multi_case("perfect", [0, 1, 2, 0], np.eye(3)[[0, 1, 2, 0]])
multi_case("always wrong", [1, 2, 0, 1], np.eye(3)[[0, 1, 2, 0]])
multi_case("constant prediction", [0, 1, 2, 1], [[0.2, 0.5, 0.3]] * 4)
multi_case("one class true", [1, 1, 1], [[0.2, 0.5, 0.3], [0.5, 0.2, 0.3], [0.1, 0.1, 0.8]])
multi_case("one class true and predicted", [1, 1], [[0.2, 0.5, 0.3], [0.3, 0.4, 0.3]])
multi_case("a class never true", [0, 1, 0, 1], [[0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.3, 0.2, 0.5], [0.3, 0.3, 0.4]])
multi_case("a class never predicted", [0, 1, 2, 1], [[0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.6, 0.2, 0.2], [0.3, 0.5, 0.2]])
multi_case("two classes", [0, 1, 1, 0], [[0.5, 0.5], [0.1, 0.9], [0.7, 0.3], [0.8, 0.2]])
multi_case("weights", [0, 1, 2, 1, 0], tied, [0.5, 2, 1, 0.25, 3])
y = rng.integers(0, 4, n)
p = rng.dirichlet(np.ones(4), n) + 0.4 * np.eye(4)[y]
p /= p.sum(axis=1, keepdims=True)
multi_case("random", y, p)
multi_case("random, weights", y, p, np.round(rng.random(n) * 3, 2) + 0.01)
q = np.round(p * 8)
q[:, 0] += (q.sum(axis=1) == 0)
q /= q.sum(axis=1, keepdims=True)
multi_case("random, many ties, weights", y, q, rng.integers(1, 4, n))

case("small", "regression", [3, -0.5, 2, 7], [2.5, 0.0, 2, 8])
case("perfect", "regression", [1, 2, 3], [1, 2, 3])
case("constant prediction", "regression", [1, 2, 4], [2, 2, 2])
case("constant target", "regression", [2, 2, 2], [1, 2, 4])
case("constant target, predicted", "regression", [2, 2, 2], [2, 2, 2])
case("constant target, constant offset", "regression", [2, 2, 2], [3, 3, 3])
case("constant offset", "regression", [1, 2, 4], [2, 3, 5])
case("one row", "regression", [2], [3])
case("one row, predicted", "regression", [2], [2])
case("targets of 0", "regression", [0, 1, 0, 2], [0, 1.5, 1e-3, 2])
case("even number of rows", "regression", [0, 0, 0, 0], [1, 2, 4, 9])
case("far from 0", "regression", [1e9 + 1, 1e9 + 2, 1e9 + 4], [1e9, 1e9 + 2, 1e9 + 3])
case("weights, the median between two rows", "regression", [0, 0, 0], [1, 2, 4], weight=[1, 1, 2])
case("weights, the median on a row", "regression", [0, 0, 0, 1], [1, 2, 4, 4], weight=[1, 3, 1, 2])
case("weights of 0", "regression", [0, 0, 0, 0, 1], [1, 2, 4, 8, 8], weight=[1, 0, 1, 0, 0])
y = rng.normal(size=n) * 3 + 1
case("random", "regression", y, y + rng.normal(size=n))
case("random, ties", "regression", np.round(y), np.round(y + rng.normal(size=n)))
case("random, weights", "regression", y, y + rng.normal(size=n), weight=np.round(rng.random(n) * 3, 2) + 0.01)
other = np.random.default_rng(20261128)  # leaves the numbers of the others as they were
y = other.poisson(3, n)
case("counts", "regression", y, np.exp(other.normal(1, 0.5, n)))
case("counts, weights", "regression", y, np.exp(other.normal(1, 0.5, n)), weight=other.integers(1, 5, n))
y = other.gamma(2, 3, n)
case("amounts", "regression", y, y * np.exp(other.normal(0, 0.3, n)))
case("amounts, weights", "regression", y, y * np.exp(other.normal(0, 0.3, n)), weight=other.random(n) + 0.01)
case("huge and tiny", "regression", [1e-100, 1e100, 1, 5e-324], [2e-100, 1e99, 1.5, 1e-323])

# The curves of one sample, whole.
y = rng.integers(0, 2, n)
score = np.round(0.4 * y + 0.6 * rng.random(n), 1)
fpr, tpr, _ = m.roc_curve(y, score, drop_intermediate=False)
precision, recall, _ = m.precision_recall_curve(y, score)
observed, predicted = calibration_curve(y, score, n_bins=5)
curves = {
    "target": y.tolist(), "prob": score.tolist(),
    "fpr": fpr.tolist(), "tpr": tpr.tolist(),
    "precision": precision[::-1].tolist(), "recall": recall[::-1].tolist(),
    "observed": observed.tolist(), "predicted": predicted.tolist(),
}

# numpy's quantiles, which the bootstrap's intervals follow.
sample = np.sort(rng.normal(size=21))
quantiles = {"sorted": sample.tolist(), "q": [0, 0.025, 0.31, 0.5, 0.975, 1]}
quantiles["values"] = np.quantile(sample, quantiles["q"]).tolist()

origin = f"reference.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}, scipy {scipy.__version__}"
with open("reference.json", "w") as f:
    f.write('{"origin":%s,\n"cases":[\n' % json.dumps(origin))
    f.write(",\n".join(json.dumps(c) for c in cases))
    f.write('\n],\n"curves":%s,\n"quantiles":%s}\n' % (json.dumps(curves), json.dumps(quantiles)))
print(len(cases), "cases")
