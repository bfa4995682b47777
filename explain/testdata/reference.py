"""Records what scikit-learn and shap make of a formula: python reference.py > reference.json

Versions are in the file. The exchanges of rows are those that scikit-learn drew.
"""
import json

import numpy as np
import shap
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence, permutation_importance

rng = np.random.default_rng(7)
X = np.round(rng.normal(size=(40, 4)), 5)
NAMES = ["a", "b", "c", "d"]


def f(x):
    a, b, c, d = x.T
    return np.sin(2 * a) * b + c * c - 0.5 * d * a + np.where(b > 0, d, 0)


y = np.round(f(X) + 0.3 * rng.normal(size=40), 3)
seen = []


class Formula(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        seen.append(np.array(X))
        return f(np.asarray(X))


model = Formula().fit(X, y)
seen.clear()
importance = permutation_importance(model, X, y, scoring="neg_root_mean_squared_error", n_repeats=3, random_state=5)
orders, at = [], 1  # the first prediction is of the rows as they are
for column in range(4):
    of = {v: i for i, v in enumerate(X[:, column])}
    assert len(of) == 40
    orders.append([[of[v] for v in seen[at + r][:, column]] for r in range(3)])
    at += 3
dependence = []
for column in range(4):
    d = partial_dependence(model, X, [column], kind="both", grid_resolution=1000, percentiles=(0, 1), method="brute")
    dependence.append({"values": d["grid_values"][0].tolist(), "mean": d["average"][0].tolist()})
rows = X[:5]
explainer = shap.explainers.Exact(f, shap.maskers.Independent(X[10:40], max_samples=100))
values = explainer(rows)
print(json.dumps({
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "shap": shap.__version__},
    "x": X.tolist(), "y": y.tolist(), "orders": orders,
    "importance": importance.importances_mean.tolist(), "dependence": dependence,
    "shap": values.values.tolist(), "base": np.broadcast_to(values.base_values, (5,)).tolist(),
}))
