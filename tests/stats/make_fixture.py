"""Writes fixtures/reference.json: what scipy and statsmodels compute for the cases below.

Run with any Python that has numpy 2, scipy 1.17 and statsmodels 0.15: python make_fixture.py
"""
import json
import pathlib

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats import contingency_tables, inter_rater, multitest, proportion

rng = np.random.default_rng(7)
out = {"versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__}}

out["wilson"] = [
    [k, n, *proportion.proportion_confint(k, n, method="wilson")]
    for k, n in [(0, 10), (10, 10), (1, 3), (68, 200), (74, 200), (79, 100), (12345, 40000), (33.4, 200)]
]
out["mcnemar"] = [
    [b, c, float(contingency_tables.mcnemar([[5, b], [c, 9]], exact=True).pvalue)]
    for b, c in [(0, 0), (1, 0), (3, 9), (10, 10), (11, 5), (40, 71), (600, 700)]
]


def newcombe(a, b, c, d):
    """Method 10 of Newcombe 1998, from statsmodels' Wilson limits."""
    n = a + b + c + d
    l1, u1 = proportion.proportion_confint(a + b, n, method="wilson")
    l2, u2 = proportion.proportion_confint(a + c, n, method="wilson")
    p1, p2 = (a + b) / n, (a + c) / n
    q = a * d - b * c
    q = max(q - n / 2, 0) if q > 0 else q
    m = np.sqrt(float(a + b) * (c + d) * (a + c) * (b + d))
    phi = 0 if m == 0 else q / m
    lo = np.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    hi = np.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return [p1 - p2 - lo, p1 - p2 + hi]


out["newcombe"] = [[*t, *newcombe(*t)] for t in [(12, 9, 2, 21), (1, 1, 7, 12), (0, 5, 0, 5), (50, 3, 8, 139), (9, 0, 0, 1)]]
out["holm"] = [
    [p, multitest.multipletests(p, method="holm")[1].tolist()] for p in [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.9], [0.2]]
]

kappas = []
for labels, n in [("ab", 40), ("abc", 60), ("yn", 200)]:
    x = rng.choice(list(labels), n)
    y = np.where(rng.random(n) < 0.6, x, rng.choice(list(labels), n))
    table = inter_rater.to_table(np.column_stack([[labels.index(v) for v in x], [labels.index(v) for v in y]]))[0]
    r = inter_rater.cohens_kappa(table)
    kappas.append({"first": x.tolist(), "second": y.tolist(), "kappa": r.kappa, "low": r.kappa_low, "high": r.kappa_upp})
out["kappa"] = kappas

power = []
for n, p in [(200, 0.34), (50, 0.3), (2000, 0.31), (200, 0.79)]:
    f = lambda d: proportion.power_proportions_2indep(d, p, n, alternative="two-sided", alpha=0.05, return_results=False) - 0.8
    power.append([n, p, optimize.brentq(f, 1e-6, 1 - p - 1e-6)])
out["detectable"] = power

n, p = 200, 0.34
out["binomial_percentiles"] = [n, 68, stats.binom.ppf(0.025, n, p) / n, stats.binom.ppf(0.975, n, p) / n]
values, cluster = [], []
for i in range(120):
    level = rng.normal()
    for _ in range(rng.integers(1, 6)):
        values.append(float(level + 0.5 * rng.normal()))
        cluster.append(f"image{i}")
ids = sorted(set(cluster))
sums = np.array([sum(v for v, c in zip(values, cluster) if c == i) for i in ids])
counts = np.array([cluster.count(i) for i in ids])
result = stats.bootstrap(
    (sums, counts), lambda s, c, axis: s.sum(axis) / c.sum(axis), paired=True, method="percentile",
    n_resamples=200000, batch=5000, rng=1,
)
out["clustered"] = {
    "values": values, "clusters": cluster,
    "low": float(result.confidence_interval.low), "high": float(result.confidence_interval.high),
}

flips, flip_rng = [], np.random.default_rng(11)
for n, shift in [(3, 1.0), (9, 0.4), (13, 0.2), (60, 0.25)]:
    sums = np.round(flip_rng.normal(shift, 1, n), 2)
    r = stats.permutation_test(
        (sums,), lambda x, axis: x.mean(axis), permutation_type="samples", n_resamples=200000, rng=1
    )
    flips.append([sums.tolist(), float(r.pvalue)])
out["sign_flip"] = flips

laws = []
for noise, xs in [(0.0, [1e5, 1e6, 1e7]), (0.01, [1e5, 1e6, 1e7]), (0.01, [3e6])]:
    points = []
    for x in xs:
        for d in [1e5, 3e5, 1e6, 3e6, 1e7, 3e7]:
            points.append([x, d, 40 * x**-0.12 * d**-0.18 + 1.3 + noise * rng.normal()])
    points = np.array(points)
    free_x = len(xs) > 1

    def model(v, k, a, b, e):
        return np.exp(k - a * (np.log(v[0]) - np.log(1e6)) - b * (np.log(v[1]) - np.log(1e6))) + e

    if free_x:
        theta, _ = optimize.curve_fit(model, points[:, :2].T, points[:, 2], p0=[0, 0.1, 0.1, 1], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    else:
        sub, _ = optimize.curve_fit(lambda v, k, b, e: model(v, k, 0, b, e), points[:, :2].T, points[:, 2], p0=[0, 0.1, 1], xtol=1e-15, ftol=1e-15, gtol=1e-15)
        theta = np.array([sub[0], 0, sub[1], sub[2]])
    rms = float(np.sqrt(np.mean((model(points[:, :2].T, *theta) - points[:, 2]) ** 2)))
    laws.append({"points": points.tolist(), "alpha": theta[1], "beta": theta[2], "E": theta[3], "rms": rms})
out["laws"] = laws

path = pathlib.Path(__file__).parent / "fixtures" / "reference.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out, default=float))
