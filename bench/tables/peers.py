"""Trains one peer of hone on a table and scores it once on the test file.

    python peers.py JOB

JOB is a JSON object: model (a key of MODELS), train, test (CSV files), target,
positive (the class that scores speak of; empty for a number), drop, categories
(columns), seed, threads, predictions (a CSV file to write, for hone compare; may
be empty). One JSON object comes out as the last line; what the
libraries print goes to stderr. Exit code 3: a package is missing.

Every model has its package's defaults except for what MODELS shows. Missing
values, categories and scaling are prepared as each package asks for.
"""
import json
import os
import sys
import time

job = json.loads(sys.argv[1])
for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):  # read when numpy is imported
    os.environ[name + "_NUM_THREADS"] = str(job["threads"])
out, sys.stdout = sys.stdout, sys.stderr

SEED, THREADS, CLASSES = job["seed"], job["threads"], job["positive"] != ""


def read(path):
    table = pd.read_csv(path, na_values=["?"], skipinitialspace=True).drop(columns=job["drop"])
    y = table.pop(job["target"])
    for c in table.columns:
        if c in job["categories"] or not pd.api.types.is_numeric_dtype(table[c]):
            known = table[c].notna()
            table[c] = table[c].astype(str).astype(object).where(known, None)
        else:
            table[c] = table[c].astype(float)
    return table, (y.astype(str) == job["positive"]).astype(int) if CLASSES else y.astype(float)


def one_hot(model):
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = make_pipeline(
        SimpleImputer(missing_values=None, strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (texts, make_column_selector(dtype_include=object)), (numbers, make_column_selector(dtype_include=float))
        ),
        model,
    )


def linear():
    from sklearn.linear_model import LogisticRegression, Ridge

    return one_hot(LogisticRegression(max_iter=1000) if CLASSES else Ridge())


def mlp():
    from sklearn.neural_network import MLPClassifier

    return one_hot(MLPClassifier(random_state=SEED))


def mlp_number(standardise):
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    model = MLPRegressor(random_state=SEED)
    return one_hot(TransformedTargetRegressor(model, transformer=StandardScaler()) if standardise else model)


class Prepare:
    """What the others ask for: text as pandas' category type with the values of
    the fit, or text and numbers with missing values filled in."""

    def __init__(self, categories=False, fill_text=False, fill_numbers=False):
        self.categories, self.fill_text, self.fill_numbers = categories, fill_text, fill_numbers

    def fit(self, X, y=None):
        texts = [c for c in X.columns if X[c].dtype == object]
        self.types = {c: pd.CategoricalDtype(sorted(X[c].dropna().unique())) for c in texts if self.categories}
        self.values = {c: "missing" for c in texts if self.fill_text}
        if self.fill_numbers:
            self.values |= {c: X[c].median() for c in X.columns if c not in texts}
        return self

    def transform(self, X):
        X = X.fillna(self.values) if self.values else X
        return X.astype(self.types) if self.types else X

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)


def prepared(model, **how):
    from sklearn.pipeline import make_pipeline

    return make_pipeline(Prepare(**how), model)


def hgb():
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if CLASSES else HistGradientBoostingRegressor
    return prepared(kind(random_state=SEED), categories=True)


def lightgbm():
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if CLASSES else LGBMRegressor
    return prepared(kind(random_state=SEED, n_jobs=THREADS, verbose=-1), categories=True)


def catboost():
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostClassifier if CLASSES else CatBoostRegressor
    texts = [c for c in X.columns if X[c].dtype == object]
    model = kind(random_seed=SEED, thread_count=THREADS, cat_features=texts, verbose=0, allow_writing_files=False)
    return prepared(model, fill_text=True)


def realmlp():
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if CLASSES else RealMLP_TD_Regressor
    model = kind(random_state=SEED, n_cv=1, n_threads=THREADS, device="cpu")
    return prepared(model, fill_text=True, fill_numbers=True)  # it takes no missing numbers


# The models by name: the package, and what makes the models to fit. Of several
# the one that is best on the test file counts, in the peer's favour.
MODELS = {
    "linear": ("scikit-learn", [linear]),
    "mlp": ("scikit-learn", [mlp] if CLASSES else [lambda: mlp_number(False), lambda: mlp_number(True)]),
    "hgb": ("scikit-learn", [hgb]),
    "lightgbm": ("lightgbm", [lightgbm]),
    "catboost": ("catboost", [catboost]),
    "realmlp": ("pytabkit", [realmlp]),
}


def answer(model, rows):
    return model.predict_proba(rows)[:, 1] if CLASSES else np.asarray(model.predict(rows)).reshape(-1)


def score(p):
    if CLASSES:
        return {
            "accuracy": metrics.accuracy_score(y_test, p > 0.5),
            "roc_auc": metrics.roc_auc_score(y_test, p),
            "log_loss": metrics.log_loss(y_test, p),
        }
    return {
        "rmse": metrics.mean_squared_error(y_test, p) ** 0.5,
        "mae": metrics.mean_absolute_error(y_test, p),
        "r2": metrics.r2_score(y_test, p),
    }


def peak_mb():
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def latency_ms(model, runs=200):
    """The median time of one row, from a data frame that is there already."""
    rows = [X_test.iloc[[i % len(X_test)]] for i in range(runs)]
    answer(model, rows[0])
    times = []
    for row in rows:
        began = time.perf_counter()
        answer(model, row)
        times.append(time.perf_counter() - began)
    return sorted(times)[runs // 2] * 1000


try:
    from importlib.metadata import version

    import numpy as np
    import pandas as pd
    from sklearn import metrics

    package, makers = MODELS[job["model"]]
    X, y = read(job["train"])
    X_test, y_test = read(job["test"])
    results = []
    for make in makers:
        model = make()
        began = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - began
        found = {"package": f"{package} {version(package)}", "fit_seconds": seconds, "peak_mb": peak_mb()}
        p = answer(model, X_test)
        found["metrics"] = {k: float(v) for k, v in score(p).items()}
        found["latency_ms"] = latency_ms(model)
        results.append((found, p))
    best, p = min(results, key=lambda r: r[0]["metrics"].get("rmse", 0))
    if job["predictions"]:
        pd.DataFrame({"score" if CLASSES else "prediction": p}).to_csv(job["predictions"], index=False)
    print(json.dumps(best), file=out)
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)
