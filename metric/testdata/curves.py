"""Records the points of curves, for gain_test.go:

    pip install scikit-learn==1.9.1
    python curves.py > curves.json

ROC and precision-recall are scikit-learn's; gain and lift, which it has not, are
numpy's cumulative sums at the ends of equal scores; the bounds of observed shares are
scipy's binomtest(...).proportion_ci(method="wilson").
"""

import json
import sys

import numpy as np
import sklearn
import sklearn.metrics as m
from scipy.stats import binomtest

rng = np.random.default_rng(11)
cases = []
for name, n, digits, weighted in [("distinct", 300, 9, False), ("ties", 400, 1, False), ("weights", 400, 2, True), ("few", 4, 9, False)]:
    y = (rng.uniform(size=n) < 0.3).astype(int)
    y[:2] = [0, 1]
    p = np.clip(np.round(0.3 * y + 0.7 * rng.uniform(size=n), digits), 0, 1)
    w = rng.integers(0, 4, size=n).astype(float) if weighted else None
    if weighted:
        w[:2] = 1
    fpr, tpr, _ = m.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    precision, recall, _ = m.precision_recall_curve(y, p, sample_weight=w)
    ws = np.ones(n) if w is None else w
    keep = ws > 0
    order = np.argsort(-p[keep], kind="stable")
    q, t, v = p[keep][order], y[keep][order], ws[keep][order]
    last = np.r_[np.where(np.diff(q))[0], len(q) - 1]
    taken, hits = np.cumsum(v)[last], np.cumsum(v * t)[last]
    case = {
        "name": name, "target": y.tolist(), "prob": p.tolist(), "weight": None if w is None else w.tolist(),
        "fpr": fpr.tolist(), "tpr": tpr.tolist(), "precision": precision[::-1].tolist(), "recall": recall[::-1].tolist(),
        "taken": (taken / v.sum()).tolist(), "gain": (hits / (v * t).sum()).tolist(),
        "lift": (hits / taken / ((v * t).sum() / v.sum())).tolist(),
    }
    if name == "distinct":
        case["bands"] = []
        for part in np.array_split(np.sort(p), 5):
            of = (p >= part[0]) & (p <= part[-1])
            c = binomtest(int(y[of].sum()), int(of.sum())).proportion_ci(0.9, method="wilson")
            case["bands"].append([float(p[of].mean()), float(y[of].mean()), float(c.low), float(c.high)])
    cases.append(case)
json.dump({"sklearn": sklearn.__version__, "cases": cases}, sys.stdout)
