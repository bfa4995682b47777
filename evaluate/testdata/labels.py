"""Label errors as cleanlab finds them, for labels_test.go.

pip install cleanlab==2.9.0 scikit-learn==1.8.0; python labels.py > labels.json
"""
import json

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

cases = []
for name, load, most, flipped in [("digits", load_digits, 500, 0.08), ("breast cancer", load_breast_cancer, 569, 0.05), ("wine", load_wine, 178, 0.2), ("clean breast cancer", load_breast_cancer, 569, 0)]:
    x, y = load(return_X_y=True)
    x, y = x[:most], y[:most]
    k = y.max() + 1
    r = np.random.default_rng(0)
    labels = np.where(r.random(len(y)) < flipped, (y + r.integers(1, k, len(y))) % k, y)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    p = cross_val_predict(model, x, labels, cv=5, method="predict_proba").round(4)
    p /= p.sum(1, keepdims=True)
    p = p.round(4)
    if k == 2:  # one number holds both
        p[:, 0] = 1 - p[:, 1]
    cases.append({
        "name": name,
        "labels": labels.tolist(),
        "prob": p[:, 1].tolist() if k == 2 else p.ravel().tolist(),
        "thresholds": get_confident_thresholds(labels, p).tolist(),
        "joint": compute_confident_joint(labels, p).tolist(),
        "issues": find_label_issues(labels, p, filter_by="prune_by_noise_rate", return_indices_ranked_by="self_confidence", n_jobs=1).tolist(),
    })
print(json.dumps(cases, separators=(",", ":")))
