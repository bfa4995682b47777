"""Predictions of simple models on real tables and of hostile rows, and what the
references make of them.

    python peers.py DATA OUT ROWS PARTS

PARTS are some of real, hostile and large, with commas. DATA has the data sets; OUT gets arrays of float64 and cases.json: for each case
its kind, its arrays and by metric a list of [library, value, seconds], the value
null where the library refuses or gives NaN. ROWS is the size of the large cases.
Exit code 3: a package is missing.
"""
import json
import math
import os
import resource
import sys
import time
import warnings

try:
    import numpy as np
    import pandas as pd
    import sacrebleu
    import scipy.stats
    import sklearn
    import torch
    import torchmetrics
    import torchmetrics.functional as tf
    import torchmetrics.functional.classification as tc
    from sklearn import metrics as m
    from torchmetrics.retrieval import RetrievalHitRate, RetrievalMAP, RetrievalMRR, RetrievalNormalizedDCG, RetrievalRecall
    from torchmetrics.text import SQuAD
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)

warnings.simplefilter("ignore")
torch.set_default_dtype(torch.float64)
DATA, OUT, ROWS, PARTS = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].split(",")
SK, SP, TM, SB = (f"{n} {v}" for n, v in [("scikit-learn", sklearn.__version__), ("scipy", scipy.__version__),
                                           ("torchmetrics", torchmetrics.__version__), ("sacrebleu", sacrebleu.__version__)])
cases = []


def case(name, kind, calls, texts=None, classes=None, timed=False, **arrays):
    """Writes the arrays and asks every reference, which has a metric's name, a
    library and a call."""
    print(name, file=sys.stderr)
    c = {"name": name, "kind": kind, "classes": classes, "arrays": {}, "values": {}, "timed": timed, **(texts or {})}
    for field, a in arrays.items():
        if a is None:
            continue
        a = np.ascontiguousarray(a, dtype=np.float64)
        c["arrays"][field] = f"{len(cases)}-{field}.f64"
        a.tofile(os.path.join(OUT, c["arrays"][field]))
    for metric, library, call in calls:
        begin = time.perf_counter()
        try:
            v = float(call())
        except Exception as e:  # a refusal is an answer
            print(f"  {metric}: {library}: {str(e).splitlines()[0][:120]}", file=sys.stderr)
            v = math.nan
        seconds = time.perf_counter() - begin
        c["values"].setdefault(metric, []).append([library, v if math.isfinite(v) else None, seconds])
    c["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cases.append(c)


def t64(a):
    return torch.from_numpy(np.ascontiguousarray(a))


def decisions(t, p, w, average=("macro", "micro", "weighted")):
    yield "accuracy", SK, lambda: m.accuracy_score(t, p, sample_weight=w)
    yield "balanced_accuracy", SK, lambda: m.balanced_accuracy_score(t, p, sample_weight=w)
    yield "mcc", SK, lambda: m.matthews_corrcoef(t, p, sample_weight=w)
    yield "cohen_kappa", SK, lambda: m.cohen_kappa_score(t, p, sample_weight=w)
    for a in average:
        yield f"f1_{a}", SK, lambda a=a: m.f1_score(t, p, average=a, sample_weight=w)
        yield f"f2_{a}", SK, lambda a=a: m.fbeta_score(t, p, beta=2, average=a, sample_weight=w)
        yield f"precision_{a}", SK, lambda a=a: m.precision_score(t, p, average=a, sample_weight=w)
        yield f"recall_{a}", SK, lambda a=a: m.recall_score(t, p, average=a, sample_weight=w)


def fpr95(t, q, w):
    if t.min() == t.max():
        return math.nan
    fpr, tpr, _ = m.roc_curve(t, q, sample_weight=w, drop_intermediate=False)
    return fpr[np.argmax(tpr >= 0.95)]


def binary(name, t, q, w=None, torches=True, timed=False, decided=True):
    t = np.asarray(t).astype(np.int64)
    q = np.asarray(q, float)
    p = (q >= 0.5).astype(np.int64)
    calls = list(decisions(t, p, w, average=["macro"] if timed else ["macro", "micro", "weighted"])) if decided else []
    calls += [] if not decided else [
        ("f1", SK, lambda: m.f1_score(t, p, sample_weight=w)),
        ("precision", SK, lambda: m.precision_score(t, p, sample_weight=w)),
        ("recall", SK, lambda: m.recall_score(t, p, sample_weight=w)),
        ("f05", SK, lambda: m.fbeta_score(t, p, beta=0.5, sample_weight=w)),
    ]
    calls += [
        ("roc_auc", SK, lambda: m.roc_auc_score(t, q, sample_weight=w)),
        ("average_precision", SK, lambda: m.average_precision_score(t, q, sample_weight=w)),
        ("log_loss", SK, lambda: m.log_loss(t, q, sample_weight=w, labels=[0, 1])),
        ("brier", SK, lambda: m.brier_score_loss(t, q, sample_weight=w, pos_label=1)),
        ("hinge", SK, lambda: m.hinge_loss(t, 2 * q - 1, sample_weight=w)),
        ("fpr_at_95_tpr", SK + " (roc_curve)", lambda: fpr95(t, q, w)),
    ]
    if torches and w is None:
        calls += [
            ("roc_auc", TM, lambda: tc.binary_auroc(t64(q), t64(t))),
            ("average_precision", TM, lambda: tc.binary_average_precision(t64(q), t64(t))),
            ("mcc", TM, lambda: tc.binary_matthews_corrcoef(t64(q), t64(t))),
            ("ece", TM, lambda: tc.binary_calibration_error(t64(q), t64(t), n_bins=15, norm="l1")),
        ]
    case(name, "binary", calls, classes=["no", "yes"], timed=timed, target=t, prob=q, pred=p, weight=w)


def multiclass(name, t, q, classes, w=None):
    t = np.asarray(t).astype(np.int64)
    p, labels, k = q.argmax(axis=1), list(range(len(classes))), len(classes)
    calls = list(decisions(t, p, w)) + [
        ("top_3_accuracy", SK, lambda: m.top_k_accuracy_score(t, q, k=3, labels=labels, sample_weight=w)),
        ("top_5_accuracy", SK, lambda: m.top_k_accuracy_score(t, q, k=5, labels=labels, sample_weight=w)),
        ("roc_auc_ovr", SK, lambda: m.roc_auc_score(t, q, multi_class="ovr", labels=labels, sample_weight=w)),
        ("log_loss", SK, lambda: m.log_loss(t, q, labels=labels, sample_weight=w)),
        ("brier", SK, lambda: m.brier_score_loss(t, q, labels=labels, sample_weight=w)),
        ("average_precision", SK, lambda: m.average_precision_score(t, q, sample_weight=w)),
        ("hinge", SK, lambda: m.hinge_loss(t, q, labels=labels, sample_weight=w)),
    ]
    if w is None:
        calls += [
            ("roc_auc_ovo", SK, lambda: m.roc_auc_score(t, q, multi_class="ovo", labels=labels)),
            ("ece", TM, lambda: tc.multiclass_calibration_error(t64(q), t64(t), k, n_bins=15, norm="l1")),
            ("f1_macro", TM, lambda: tc.multiclass_f1_score(t64(q), t64(t), k, average="macro")),
        ]
    case(name, "multiclass", calls, classes=classes, target=t, prob=q, pred=p, weight=w)


def regression(name, t, p, w=None, torches=True, timed=False):
    t, p = np.asarray(t, float), np.asarray(p, float)
    calls = [
        ("mse", SK, lambda: m.mean_squared_error(t, p, sample_weight=w)),
        ("rmse", SK, lambda: m.root_mean_squared_error(t, p, sample_weight=w)),
        ("mae", SK, lambda: m.mean_absolute_error(t, p, sample_weight=w)),
        ("median_ae", SK, lambda: m.median_absolute_error(t, p, sample_weight=w)),
        ("mape", SK, lambda: m.mean_absolute_percentage_error(t, p, sample_weight=w)),
        ("msle", SK, lambda: m.mean_squared_log_error(t, p, sample_weight=w)),
        ("r2", SK, lambda: m.r2_score(t, p, sample_weight=w)),
        ("explained_variance", SK, lambda: m.explained_variance_score(t, p, sample_weight=w)),
        ("pinball_90", SK, lambda: m.mean_pinball_loss(t, p, alpha=0.9, sample_weight=w)),
        ("poisson_deviance", SK, lambda: m.mean_poisson_deviance(t, p, sample_weight=w)),
        ("gamma_deviance", SK, lambda: m.mean_gamma_deviance(t, p, sample_weight=w)),
        ("tweedie_15", SK, lambda: m.mean_tweedie_deviance(t, p, power=1.5, sample_weight=w)),
    ]
    if w is None:
        calls.append(("spearman", SP, lambda: scipy.stats.spearmanr(t, p, nan_policy="raise").statistic if np.isfinite(t).all() else math.nan))
        if torches:
            calls.append(("smape", TM, lambda: tf.symmetric_mean_absolute_percentage_error(t64(p), t64(t))))
            calls.append(("explained_variance", TM, lambda: tf.explained_variance(t64(p), t64(t))))
    case(name, "regression", calls, timed=timed, target=t, pred=p, weight=w)


def path(*parts):
    return os.path.join(DATA, *parts)


def real():
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    train, test = pd.read_csv(path("adult", "train.csv.gz")), pd.read_csv(path("adult", "test.csv"))
    texts = [c for c in train.columns if c != "income" and not pd.api.types.is_numeric_dtype(train[c])]
    numbers = [c for c in train.columns if c not in texts and c not in ("income", "fnlwgt")]
    model = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), texts), (StandardScaler(), numbers)), LogisticRegression(max_iter=300))
    model.fit(train, train["income"].str.contains(">50K"))
    q, t = model.predict_proba(test)[:, 1], test["income"].str.contains(">50K")
    binary("adult", t, q)
    binary("adult, weights", t, q, test["fnlwgt"].to_numpy(float))

    train, test = pd.read_csv(path("banking77", "train.csv")), pd.read_csv(path("banking77", "test.csv"))
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=200)).fit(train["text"], train["category"])
    classes = list(model.classes_)
    q, t = model.predict_proba(test["text"]), [classes.index(c) for c in test["category"]]
    multiclass("banking77", t, q, classes)
    multiclass("banking77, weights", t, q, classes, test["text"].str.len().to_numpy(float))

    train, test = pd.read_csv(path("bike-sharing", "train.csv")), pd.read_csv(path("bike-sharing", "test.csv"))
    inputs = [c for c in train.columns if c not in ("instant", "dteday", "casual", "registered", "cnt")]
    p = np.maximum(HistGradientBoostingRegressor(random_state=0).fit(train[inputs], train["cnt"]).predict(test[inputs]), 0.5)
    regression("bike-sharing", test["cnt"], p)
    regression("bike-sharing, weights", test["cnt"], p, test["hr"].to_numpy(float) + 1)

    # What a user rated in the test file, ranked by the mean rating of the others.
    names = ["user", "item", "rating", "time"]
    train, test = pd.read_csv(path("movielens-100k", "u1.base"), sep="\t", names=names), pd.read_csv(path("movielens-100k", "u1.test"), sep="\t", names=names)
    score = test["item"].map(train.groupby("item")["rating"].mean()).fillna(3.0).rank(method="first")  # no ties, which torchmetrics leaves to chance, and exact in its float32
    liked = (test["rating"] >= 4).to_numpy()
    args = (t64(score.to_numpy()), t64(liked), t64(test["user"].to_numpy()))
    case("movielens-100k", "ranking", [
        (short, TM, lambda f=f: f(*args)) for short, f in [
            ("mrr", RetrievalMRR()), ("map", RetrievalMAP()), ("ndcg", RetrievalNormalizedDCG()), ("ndcg_at_10", RetrievalNormalizedDCG(top_k=10)),
            ("hit_rate_at_10", RetrievalHitRate(top_k=10)), ("recall_at_10", RetrievalRecall(top_k=10))]
    ], target=liked, pred=score, query=test["user"])

    # The nearest training sentence's German.
    train, test = (pd.read_csv(path("multi30k-en-de", f), sep="\t", quoting=3) for f in ("train.tsv", "test_2016_flickr.tsv"))
    v = TfidfVectorizer()
    nearest = (v.fit_transform(train["en"]) @ v.transform(test["en"]).T).toarray().argmax(axis=0)
    written("multi30k", train["de"].iloc[nearest].tolist(), [[r] for r in test["de"]])
    faq = pd.read_json(path("stackfaq", "stackfaq.jsonl"), lines=True).head(400)
    written("stackfaq, a rephrasing beside the question", faq["rephrasings"].str[0].tolist(), [[q] for q in faq["question"]])
    some = pd.read_csv(path("thucnews-titles", "dev.tsv"), sep="\t", quoting=3)["text"].head(401).tolist()
    written("thucnews-titles, each beside the next", some[:-1], [[r] for r in some[1:]])


def written(name, answers, references):
    streams = [list(s) for s in zip(*references)]
    calls = [("bleu" if tok == "13a" else f"bleu_{tok}", SB, lambda tok=tok: sacrebleu.corpus_bleu(answers, streams, tokenize=tok, force=True).score)
             for tok in ["13a", "zh", "char", "intl", "none"]]
    calls.append(("chrf", SB, lambda: sacrebleu.corpus_chrf(answers, streams).score))
    squad = SQuAD()
    score = squad([{"prediction_text": a, "id": str(i)} for i, a in enumerate(answers)],
                  [{"answers": {"answer_start": [0] * len(r), "text": r}, "id": str(i)} for i, r in enumerate(references)])
    calls += [("exact_match", TM, lambda: score["exact_match"] / 100), ("token_f1", TM, lambda: score["f1"] / 100)]
    case(name, "text", calls, texts={"answers": answers, "references": references})


def hostile():
    r = np.random.default_rng(0)
    n = 5000
    t = (r.random(n) < 0.3).astype(int)
    q = 1 / (1 + np.exp(-(t - 0.7 + r.normal(size=n))))
    binary("ties", t, q.round(1), torches=False)
    binary("all scores equal", t, np.full(n, 0.5), torches=False)
    binary("one class", np.zeros(n), q, torches=False)
    binary("one positive row", np.arange(n) == 7, q)
    binary("probabilities of 0 and 1", t, q.round())
    binary("weights over 20 orders of magnitude", t, q, 10.0 ** r.uniform(-10, 10, n))
    q2 = q.copy()
    q2[5] = np.inf
    binary("an infinity", t, q2, torches=False, decided=False)
    k = 4
    t = r.integers(0, k - 1, n)
    q = r.dirichlet(np.ones(k), n)
    multiclass("a class without rows", t, q, list("abcd"))
    q = np.round(q * 4) + 1
    multiclass("ties of classes", r.integers(0, k, n), q / q.sum(axis=1, keepdims=True), list("abcd"))
    y = r.gamma(1, 10, n)
    regression("skewed numbers", y, y * np.exp(r.normal(0, 0.5, n)))
    regression("numbers with ties, zeros", np.round(y), np.round(y * np.exp(r.normal(0, 0.5, n))) + 1)
    regression("far from 0", 1e9 + y, 1e9 + y + r.normal(size=n))
    regression("constant target", np.full(n, 3.0), y)
    regression("huge and tiny", 10.0 ** r.uniform(-100, 100, n), 10.0 ** r.uniform(-100, 100, n), torches=False)
    y2 = y.copy()
    y2[3] = -np.inf
    regression("an infinity, numbers", y2, y, torches=False)

    t = r.integers(0, 2, (n, 6))
    t[:, 5] = 0
    q = np.round(np.clip(0.3 * t + 0.7 * r.random(t.shape), 0, 1), 2)
    p = (q >= 0.5).astype(int)
    calls = [("subset_accuracy", SK, lambda: m.accuracy_score(t, p)), ("hamming_loss", SK, lambda: m.hamming_loss(t, p)),
             ("label_ranking_average_precision", SK, lambda: m.label_ranking_average_precision_score(t, q)),
             ("label_ranking_average_precision", TM, lambda: tc.multilabel_ranking_average_precision(t64(q), t64(t), 6))]
    for a in ["macro", "micro", "weighted"]:
        calls.append((f"f1_{a}", SK, lambda a=a: m.f1_score(t, p, average=a)))
    case("labels, one never true", "multilabel", calls, classes=[f"label {i}" for i in range(6)], target=t, pred=p, prob=q)

    logits, ids = torch.randn(50, 20, 100, generator=torch.Generator().manual_seed(0)), torch.randint(0, 100, (50, 20), generator=torch.Generator().manual_seed(1))
    nll = -torch.log_softmax(logits, -1).gather(2, ids[..., None])[..., 0].sum(1).numpy()
    case("likelihoods", "language", [("perplexity", TM, lambda: tf.text.perplexity(logits, ids))], target=np.full(50, 20.0), pred=nll, bytes=np.full(50, 71.0))


def large():
    r = np.random.default_rng(1)
    t = r.random(ROWS) < 0.3
    binary(f"{ROWS:,} rows", t, 1 / (1 + np.exp(-(t - 0.7 + r.normal(size=ROWS)))), torches=False, timed=True)
    y = r.gamma(2, 10, ROWS)
    regression(f"{ROWS:,} rows, numbers", y, y * np.exp(r.normal(0, 0.3, ROWS)), torches=False, timed=True)


for part in (real, hostile, large):
    if part.__name__ in PARTS:
        part()
with open(os.path.join(OUT, "cases.json"), "w") as f:
    json.dump({"versions": [SK, SP, TM, SB, f"numpy {np.__version__}"], "cases": cases}, f)
