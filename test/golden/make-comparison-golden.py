"""Golden numbers for packages/evaluate/src/comparison, from numpy and scipy.

Three systems on seven cases of six patients (two cases are of one patient), with undefined values. Everything here is
computed without the code under test: the exact permutation test is scipy's, on sums by patient; Holm's adjustment is
written by its definition; the bootstrap writes down the drawn patients, so that the same draws can be replayed, and is
compared loosely with scipy's own; surface distances are brute force over all pairs of surface voxels.

Run: python3 make-comparison-golden.py > comparison.json
"""
import json

import numpy as np
from scipy import stats

PATIENTS = ["p1", "p2", "p3", "p3", "p4", "p5", "p6"]
# Dice of the lesion; None where truth and prediction are both empty.
SYSTEMS = {
    "first": [0.81, 0.62, 0.74, 0.55, 0.90, None, 0.68],
    "second": [0.84, 0.66, 0.79, 0.61, 0.91, None, 0.75],
    "third": [0.70, 0.65, 0.60, None, 0.88, 0.0, 0.52],
}
DRAWS = 200
random = np.random.default_rng(20211)


def groups(values):
    """Defined values by patient, in order of first appearance."""
    found = {}
    for patient, value in zip(PATIENTS, values):
        if value is not None:
            found.setdefault(patient, []).append(value)
    return list(found.values())


def summary(values):
    defined = [v for v in values if v is not None]
    q1, median, q3 = np.percentile(defined, [25, 50, 75])
    by_patient = groups(values)
    draws = random.integers(0, len(by_patient), (DRAWS, len(by_patient)))
    means = [np.mean(np.concatenate([by_patient[i] for i in draw])) for draw in draws]
    return {
        "defined": len(defined), "undefined": len(values) - len(defined),
        "mean": float(np.mean(defined)), "sd": float(np.std(defined, ddof=1)),
        "median": float(median), "q1": float(q1), "q3": float(q3),
        "drawnPatients": draws.tolist(),
        "interval95": [float(x) for x in np.percentile(means, [2.5, 97.5])],
    }


def pair(a, b):
    differences = [None if x is None or y is None else x - y for x, y in zip(SYSTEMS[a], SYSTEMS[b])]
    sums = np.array([sum(g) for g in groups(differences)])
    # Flipping the sum of a patient flips all of its differences; the number of pairs is fixed, so the sum is the mean.
    test = stats.permutation_test((sums,), np.sum, permutation_type="samples", n_resamples=10**6)
    defined = [d for d in differences if d is not None]
    return {"system": a, "reference": b, "pairs": len(defined), "undefinedPairs": len(differences) - len(defined),
            "patients": len(sums), "meanDifference": float(np.mean(defined)), "pValue": float(test.pvalue)}


def holm(p_values):
    """Reject while p_(k) <= alpha / (m - k): the adjusted value is the smallest alpha that rejects."""
    m = len(p_values)
    ordered = sorted(p_values)
    return [min(1.0, max(p * (m - k) for k, p in enumerate(ordered) if p <= value)) for value in p_values]


def surface(mask):
    padded = np.pad(mask, 1)
    inside = mask.copy()
    for axis in range(3):
        for step in (-1, 1):
            inside &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return np.argwhere(mask & ~inside)


def distances(a, b, spacing):
    sa, sb = surface(a) * spacing, surface(b) * spacing
    d = np.sqrt(((sa[:, None] - sb[None]) ** 2).sum(-1))
    ab, ba = d.min(1), d.min(0)
    both = np.concatenate([ab, ba])
    return {"hd95Mm": float(max(np.percentile(ab, 95), np.percentile(ba, 95))), "assdMm": float(both.mean()),
            "surfaceDice2Mm": float((both <= 2.0).mean()), "surfaceVoxels": [len(sa), len(sb)]}


def mask_case(seed, spacing):
    """Masks as text of 0 and 1, x fastest; arrays here are indexed z, y, x, spacings given as x, y, z."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:6, :9, :11]
    centre = rng.uniform(3, 6, 3)
    body = ((x - centre[0]) / 4) ** 2 + ((y - centre[1]) / 3) ** 2 + ((z - 2.5) / 2) ** 2 <= 1
    truth = body & (rng.random(body.shape) < 0.9)
    prediction = np.roll(body, rng.integers(-2, 3), 2) & (rng.random(body.shape) < 0.7)
    text = lambda mask: "".join(str(int(v)) for v in mask.ravel())
    return {"spacingMm": spacing, "truth": text(truth), "prediction": text(prediction),
            **distances(truth, prediction, np.array(spacing[::-1]))}


pairs = [pair("second", "first"), pair("third", "first"), pair("third", "second")]
family = holm([p["pValue"] for p in pairs[:2]])
everything = holm([p["pValue"] for p in pairs])
for n, p in enumerate(pairs):
    p["holmOfFirst"] = family[n] if n < 2 else None
    p["holmOfAll"] = everything[n]
values = np.array([0.031, -0.012, 0.044, 0.02, 0.005, -0.003, 0.051, 0.027, 0.013, 0.036, -0.02, 0.018])
bootstrap = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20000, random_state=1)
many = np.round(np.random.default_rng(5).normal(0.01, 0.03, 19), 4)
exact = stats.permutation_test((many,), np.mean, permutation_type="samples", n_resamples=2**19)
some = [0.011, 0.02, 0.04, 0.005, 0.04, 0.9]
print(json.dumps({
    "patients": PATIENTS, "systems": SYSTEMS,
    "summaries": {name: summary(dice) for name, dice in SYSTEMS.items()},
    "pairs": pairs,
    "holm": {"pValues": some, "adjusted": holm(some)},
    "bootstrap": {"values": values.tolist(),
                  "interval95": [float(bootstrap.confidence_interval.low), float(bootstrap.confidence_interval.high)]},
    "exact19": {"differences": many.tolist(), "pValue": float(exact.pvalue)},
    "masks": [mask_case(seed, spacing) for seed, spacing in
              [(1, [1.0, 1.0, 1.0]), (2, [0.7, 0.8, 5.0]), (3, [2.5, 0.6, 1.25])]],
}))
