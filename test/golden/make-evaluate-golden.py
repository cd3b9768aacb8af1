"""Golden numbers for packages/evaluate, from numpy and scipy.

Masks are unions of ellipsoids given by centre and radii in voxels, so that the test draws the same masks from the same
formula: sum(((index - centre) / radius) ** 2) <= 1. Surfaces: mask & ~binary_erosion(mask), 6-connected, outside = 0.

Run: python3 make-evaluate-golden.py > evaluate.json
"""
import json

import numpy as np
from scipy import ndimage, stats

SIZE = [34, 29, 17]
SPACING = [0.8, 0.7, 2.5]
CASES = [
    {"name": "shifted", "truth": [[15, 14, 8, 9, 8, 5]], "prediction": [[17, 13.5, 8.5, 8, 9, 4]]},
    {"name": "border", "truth": [[0, 3, 1, 9, 8, 5]], "prediction": [[1, 4, 0, 9, 6, 4]]},
    {"name": "islands", "truth": [[8, 8, 4, 4, 5, 2], [25, 20, 12, 3, 3, 2]],
     "prediction": [[8, 8, 4, 4, 4, 2], [30, 5, 14, 2, 2, 1]]},
    {"name": "one voxel", "truth": [[10, 10, 5, 6, 6, 3]], "prediction": [[25, 10, 12, 0.5, 0.5, 0.5]]},
]
TOLERANCE = 1.0


def draw(ellipsoids):
    z, y, x = np.mgrid[: SIZE[2], : SIZE[1], : SIZE[0]].astype(float)
    mask = np.zeros(x.shape, bool)
    for cx, cy, cz, rx, ry, rz in ellipsoids:
        mask |= ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1
    return mask


def surface(mask):
    return mask & ~ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 1), border_value=0)


def evaluate(case):
    a, b = draw(case["truth"]), draw(case["prediction"])
    sa, sb = surface(a), surface(b)
    sampling = SPACING[::-1]
    ab = ndimage.distance_transform_edt(~sb, sampling=sampling)[sa]
    ba = ndimage.distance_transform_edt(~sa, sampling=sampling)[sb]
    tp, fp, fn, tn = [int(m.sum()) for m in (a & b, ~a & b, a & ~b, ~a & ~b)]
    both = np.concatenate([ab, ba])
    return {
        **case,
        "counts": [tp, fp, fn, tn],
        "surfaceVoxels": [int(sa.sum()), int(sb.sum())],
        "hd95Mm": float(max(np.percentile(ab, 95), np.percentile(ba, 95))),
        "assdMm": float(both.mean()),
        "surfaceDice": float((both <= TOLERANCE).mean()),
    }


values = [0.91, 0.12, 0.77, 0.83, 0.83, 0.65, 0.71]
differences = [0.031, -0.012, 0.044, 0.02, 0.005, -0.003, 0.051, 0.027]
test = stats.permutation_test((np.array(differences),), np.mean, permutation_type="samples", n_resamples=10**6)
print(json.dumps({
    "size": SIZE, "spacingMm": SPACING, "toleranceMm": TOLERANCE,
    "cases": [evaluate(case) for case in CASES],
    "statistics": {
        "values": values, "mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)),
        "quartiles": [float(q) for q in np.percentile(values, [25, 50, 75])],
        "differences": differences, "signFlipP": float(test.pvalue),
    },
}, indent=1))
