"""Gaps between groups as fairlearn computes them, for fairness_test.go.

pip install fairlearn==0.15.0; python fairness.py > fairness.json
"""
import json

import numpy as np
from fairlearn.metrics import (demographic_parity_difference, demographic_parity_ratio, equal_opportunity_difference, equal_opportunity_ratio,
                               equalized_odds_difference, equalized_odds_ratio)

cases = []
for groups, n, weighted in [(2, 400, False), (3, 700, False), (3, 700, True)]:
    r = np.random.default_rng(groups + weighted)
    group = r.integers(0, groups, n)
    truth = (r.random(n) < 0.3 + 0.1 * group).astype(int)
    pred = (r.random(n) < 0.2 + 0.5 * truth + 0.05 * group).astype(int)
    weight = r.random(n).round(3) + 0.5 if weighted else None
    of = lambda f: float(f(truth, pred, sensitive_features=group, sample_weight=weight))
    cases.append({
        "group": group.tolist(), "truth": truth.tolist(), "pred": pred.tolist(), "weight": weight.tolist() if weighted else None,
        "demographic_parity": [of(demographic_parity_difference), of(demographic_parity_ratio)],
        "equalized_odds": [of(equalized_odds_difference), of(equalized_odds_ratio)],
        "equal_opportunity": [of(equal_opportunity_difference), of(equal_opportunity_ratio)],
    })
print(json.dumps(cases, separators=(",", ":")))
