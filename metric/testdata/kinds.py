"""Writes kinds.json: what other programs say of labels, rankings, texts and likelihoods.

Run at development time only, from this folder, with scikit-learn and sacrebleu
installed:

    python kinds.py

Multilabel is scikit-learn's; NDCG too, query by query. The other rankings are
the textbook's definition averaged over all orders of rows of equal score. BLEU
and chrF are sacrebleu's. Exact match and token F1 follow the paper, with
Python's string.punctuation; the likelihoods are their formulas. Weights of
texts are whole and given to sacrebleu as repetitions.
"""
import collections
import itertools
import json
import math
import string
import warnings

import numpy as np
import sacrebleu
import sklearn
from sacrebleu.metrics import BLEU, CHRF
from sklearn import metrics as m

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)
cases = []


def case(name, kind, values, **fields):
    clean = {k: None if isinstance(v, float) and not math.isfinite(v) else float(v) for k, v in values.items()}
    cases.append({"name": name, "kind": kind, **fields, "values": clean})


def labels(name, t, p, q, w=None):
    t, p, q = np.array(t), np.array(p), np.array(q, float)
    out = {
        "subset_accuracy": m.accuracy_score(t, p, sample_weight=w),
        "hamming_loss": m.hamming_loss(t, p, sample_weight=w),
        "label_ranking_average_precision": m.label_ranking_average_precision_score(t, q, sample_weight=w),
    }
    for average in ["macro", "micro", "weighted"]:
        for short, f in [("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)]:
            out[f"{short}_{average}"] = f(t, p, average=average, sample_weight=w)
        for short, beta in [("f05", 0.5), ("f2", 2)]:
            out[f"{short}_{average}"] = m.fbeta_score(t, p, beta=beta, average=average, sample_weight=w)
    case(name, "multilabel", out, classes=[f"label {i}" for i in range(t.shape[1])],
         target=t.ravel().tolist(), pred=p.ravel().tolist(), prob=q.ravel().tolist(), weight=None if w is None else list(map(float, w)))


labels("small", [[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 1]], [[0.9, 0.2, 0.4], [0.1, 0.8, 0.8]])
labels("empty and full rows", [[0, 0, 0], [1, 1, 1], [1, 0, 0]], [[0, 0, 0], [1, 1, 1], [0, 0, 0]], [[0.1] * 3, [0.9] * 3, [0.2, 0.2, 0.2]])
labels("a label never true nor predicted", [[1, 0], [0, 0], [1, 0]], [[1, 0], [1, 0], [0, 0]], [[0.9, 0.1], [0.6, 0.2], [0.3, 0.4]])
t = rng.integers(0, 2, (40, 5))
q = np.round(0.4 * t + 0.6 * rng.random((40, 5)), 1)
labels("random, ties", t, (q >= 0.5).astype(int), q)
labels("random, ties, weights", t, (q >= 0.5).astype(int), q, rng.integers(1, 5, 40).astype(float))


def over_orders(relevance, score, f):
    """f of the relevances in rank order, averaged over the orders of ties."""
    groups = [[r for r, s in zip(relevance, score) if s == v] for v in sorted(set(score), reverse=True)]
    orders = itertools.product(*[list(itertools.permutations(g)) for g in groups])
    return float(np.mean([f(list(itertools.chain(*o))) for o in orders]))


def reciprocal(o):
    return next((1 / (i + 1) for i, r in enumerate(o) if r > 0), 0)


def average_precision(o):
    hits = [i for i, r in enumerate(o) if r > 0]
    return float(np.mean([(k + 1) / (i + 1) for k, i in enumerate(hits)])) if hits else 0


def rankings(name, queries, w=None):
    per = collections.defaultdict(list)
    for relevance, score in queries:
        total = sum(r > 0 for r in relevance)
        for short, k in [("ndcg", None), ("ndcg_at_10", 10), ("ndcg_at_2", 2)]:
            alone = (relevance[0] > 0) if len(relevance) == 1 else None  # scikit-learn wants two rows
            per[short].append(alone if alone is not None else m.ndcg_score([relevance], [score], k=k))
        per["mrr"].append(over_orders(relevance, score, reciprocal))
        per["map"].append(over_orders(relevance, score, average_precision))
        for k in [1, 2, 10]:
            per[f"hit_rate_at_{k}"].append(over_orders(relevance, score, lambda o: any(r > 0 for r in o[:k])))
            per[f"recall_at_{k}"].append(over_orders(relevance, score, lambda o: sum(r > 0 for r in o[:k]) / total if total else 0))
    rows = [(i, r, s) for i, (rel, sc) in enumerate(queries) for r, s in zip(rel, sc)]
    rng.shuffle(rows)
    case(name, "ranking", {k: np.average(v, weights=w) for k, v in per.items()},
         query=[int(r[0]) for r in rows], target=[float(r[1]) for r in rows], pred=[float(r[2]) for r in rows],
         weight=None if w is None else [float(w[int(r[0])]) for r in rows])


rankings("small", [([3, 2, 0, 1], [0.9, 0.8, 0.7, 0.1]), ([0, 0, 1], [3.0, 2.0, 1.0])])
rankings("ties", [([3, 0, 0, 1, 2], [1, 1, 0, 0, 0]), ([0, 1, 1, 0], [5, 5, 5, 5]), ([0, 0, 2], [1, 1, 1])])
rankings("nothing relevant", [([0, 0], [1, 2]), ([1, 0], [1, 2])])
rankings("one row", [([2], [1]), ([0], [3])])
many = [(rng.integers(0, 3, n).tolist(), rng.integers(0, 4, n).tolist()) for n in rng.integers(2, 8, 12)]
rankings("random, ties", many)
rankings("random, ties, weights", many, rng.integers(1, 4, 12))


def normal(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return [x for x in text.split() if x not in ("a", "an", "the")]


def shared(a, b):
    a, b = normal(a), normal(b)
    if not a or not b:
        return float(a == b)
    same = sum((collections.Counter(a) & collections.Counter(b)).values())
    return 0.0 if same == 0 else 2 * same / (len(a) + len(b))


def texts(name, answers, references, w=None):
    w = [1] * len(answers) if w is None else w
    hyp = [a for a, n in zip(answers, w) for _ in range(n)]
    ref = [r for r, n in zip(references, w) for _ in range(n)]
    streams = [list(s) for s in zip(*ref)]
    out = {("bleu" if tok == "13a" else f"bleu_{tok}"): BLEU(tokenize=tok).corpus_score(hyp, streams).score for tok in ["13a", "zh", "char", "intl", "none"]}
    out["chrf"] = CHRF().corpus_score(hyp, streams).score
    out["exact_match"] = np.mean([max(normal(h) == normal(r) for r in rs) for h, rs in zip(hyp, ref)])
    out["token_f1"] = np.mean([max(shared(h, r) for r in rs) for h, rs in zip(hyp, ref)])
    case(name, "text", out, answers=answers, references=references, weight=[float(x) for x in w])


texts("small", ["The cat sat on the mat.", "It's 3.5 km, isn't it?"], [["The cat sat on a mat."], ["It is 3.5 km, is it not?"]])
texts("same", ["One two three four five."], [["One two three four five."]])
texts("nothing shared", ["aa bb cc"], [["dd ee ff gg"]])
texts("too short for four", ["two words"], [["two words"]])
texts("an empty answer", ["", "a b c d e"], [["something"], ["a b c d f"]])
texts("all empty", [""], [[""]])
texts("two references", ["the quick brown fox jumps", "a b c d"], [["a quick brown fox jumped", "the fast brown fox jumps over"], ["a b c", "a b c d e"]])
hard = ["Price: $1,234.56 (approx.) -- see p.12-13!", "a&quot;b &amp;&lt;x&gt; <skipped>end", "e-mail: x_y@z.org; 10-fold; 2008-09.", "caf\u00e9 \u00fcber\u2014na\u00efve \u201cquoted\u201d 5\u20ac \u00bd",
        "\u6211\u4eec\u5728\u5317\u4eac3.5\u5ea6\uff0c\u5929\u6c14good\u3002", "tab\there  two\u00a0spaces\u2003wide", "\U0001f600 emoji \U00020000 x", "...,,,!!", "1.,2 ,.3 a.,b -1 1- 1--2", "trailing  \u3000",
        "\u2460\u2200\u2603 \u4e00\u9fa6\u9fbc \uff21\uff22 \u0661\u0662,\u0663", "x\x1cy\x85z"]
other = [x.replace("e", "a").replace("3", "4") for x in hard]
texts("hard to cut", hard, [[x, y[::-1]] for x, y in zip(other, hard)])
for i, x in enumerate(hard):
    texts(f"hard to cut, {i}", [x + " and the same end of it"], [[other[i] + " and the same end of it"]])
texts("weights", hard[:4], [[x] for x in other[:4]], [3, 1, 0, 2])

nll, tokens, sizes = [3.5, 0.0, 12.25], [2, 1, 9], [11, 4, 40]
for name, w in [("small", None), ("weights", [1, 2, 0.5])]:
    ws = np.ones(3) if w is None else np.array(w)
    total = float(ws @ nll)
    case(name, "language", {"perplexity": math.exp(total / (ws @ tokens)), "bits_per_byte": total / math.log(2) / (ws @ sizes)},
         target=tokens, pred=nll, bytes=sizes, weight=w)

origin = f"kinds.py with scikit-learn {sklearn.__version__}, sacrebleu {sacrebleu.__version__}, numpy {np.__version__}"
with open("kinds.json", "w") as f:
    f.write('{"origin":%s,\n"cases":[\n' % json.dumps(origin))
    f.write(",\n".join(json.dumps(c) for c in cases))
    f.write("\n]}\n")
print(len(cases), "cases")
