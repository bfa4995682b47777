"""Records what scikit-learn and MAPIE say, for reference_test.go:

    pip install scikit-learn==1.9.1 MAPIE==1.6.0
    python reference.py > reference.json
"""

import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
import mapie
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import APSConformityScore
from mapie.regression import SplitConformalRegressor

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are its probabilities."""

    def __init__(self, k=2):
        self.k = k

    def fit(self, X, y=None):
        self.classes_ = np.arange(self.k)
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return np.argmax(X, axis=1)


class Identity(RegressorMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


def classes(n, k, sharp):
    """Probabilities that are too sure of themselves by a factor, and their truth."""
    z = rng.normal(size=(n, k)) * 1.5
    true = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    y = np.array([rng.choice(k, p=p) for p in true])
    y[:k] = np.arange(k)  # every class occurs
    said = np.exp(sharp * z) / np.exp(sharp * z).sum(1, keepdims=True)
    return np.round(said / said.sum(1, keepdims=True), 9), y


out = {"sklearn": sklearn.__version__, "mapie": mapie.__version__}

out["isotonic"] = []
for n, ties, weighted in [(60, False, False), (80, True, False), (80, True, True), (5, True, False)]:
    x = rng.uniform(size=n)
    if ties:
        x = np.round(x, 1)
    y = (rng.uniform(size=n) < x).astype(float)
    w = rng.integers(0, 4, size=n).astype(float) if weighted else None
    at = np.concatenate([np.linspace(-0.1, 1.1, 25), x[:5]])
    m = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w)
    out["isotonic"].append({"x": x.tolist(), "y": y.tolist(), "w": None if w is None else w.tolist(), "at": at.tolist(), "want": m.predict(at).tolist()})

out["maps"] = []
for k, n, sharp in [(2, 300, 2.5), (4, 400, 2.0), (3, 300, 0.6)]:
    p, y = classes(n, k, sharp)
    for method in ["temperature", "isotonic"]:
        c = CalibratedClassifierCV(FrozenEstimator(Given(k).fit(p)), method=method, cv=None, ensemble=False)
        # Nothing is cross-fitted: the estimator is frozen, and sees each row once.
        c.fit(p, y)
        one = c.calibrated_classifiers_[0]
        entry = {"method": method, "k": k, "p": p.tolist(), "y": y.tolist(), "want": c.predict_proba(p).tolist()}
        if method == "temperature":
            entry["temperature"] = float(1 / one.calibrators[0].beta_)
        out["maps"].append(entry)

out["sets"] = []
for k, n in [(3, 150), (6, 200)]:
    p, y = classes(2 * n, k, 1.3)
    cal, ycal, test = p[:n], y[:n], p[n:]
    entry = {"k": k, "p": cal.tolist(), "y": ycal.tolist(), "test": test.tolist(), "coverage": [0.5, 0.8, 0.9, 0.95], "lac": [], "quantile": []}
    for level in entry["coverage"]:
        m = SplitConformalClassifier(Given(k).fit(cal), confidence_level=level, conformity_score="lac", prefit=True)
        m.conformalize(cal, ycal)
        _, s = m.predict_set(test)
        entry["lac"].append(s[:, :, 0].astype(int).tolist())
        entry["quantile"].append(float(np.ravel(m._mapie_classifier.conformity_score_function_.quantiles_)[0]))
    aps, rank = APSConformityScore.get_true_label_cumsum_proba(ycal, cal, np.arange(k))
    entry["aps_scores"] = aps[:, 0].tolist()
    entry["raps_scores"] = (aps[:, 0] + 0.05 * np.maximum(0, rank - 2)).tolist()  # Angelopoulos et al. 2021, without their u
    out["sets"].append(entry)

pred = rng.normal(size=300) * 10
y = pred + rng.normal(size=300) * 2
entry = {"pred": pred[:120].tolist(), "y": y[:120].tolist(), "test": pred[120:140].tolist(), "coverage": [0.5, 0.8, 0.9, 0.95], "low": [], "high": []}
for level in entry["coverage"]:
    m = SplitConformalRegressor(Identity().fit(pred[:120, None]), confidence_level=level, prefit=True)
    m.conformalize(pred[:120, None], y[:120])
    _, s = m.predict_interval(pred[120:140, None])
    entry["low"].append(s[:, 0, 0].tolist())
    entry["high"].append(s[:, 1, 0].tolist())
out["intervals"] = entry
json.dump(out, sys.stdout)
