"""Dice of real label maps after prepare and restore, by plain numpy: the reference of src/real-cases.test.ts.

Independent of our code. `hard`: linear on one-hot to the paper's grid, argmax (the prepared labels), their one-hot
linear back, argmax. `soft`: the same without the argmax on the paper's grid, the most that this grid can carry.
Usage: python3 prepare_restore.py SHARED > prepare_restore.json      (needs numpy, nibabel)
"""
import json
import sys

import nibabel as nib
import numpy as np

CASES = ('coronacases_001', 'radiopaedia_4_85506_1')
SPACING = (1.58, 1.58, 2.7)


def resize(a, size):
    for axis, n in enumerate(size):
        m = a.shape[axis]
        x = np.clip((np.arange(n) + 0.5) * m / n - 0.5, 0, m - 1)
        low = np.minimum(x.astype(int), m - 2)
        w = (x - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        a = np.take(a, low, axis) * (1 - w) + np.take(a, low + 1, axis) * w
    return a


def one_hot(labels, value):
    return (labels == value).astype(np.float32)


def dice(a, b, value):
    a, b = a == value, b == value
    return round(float(2 * (a & b).sum() / (a.sum() + b.sum())), 5)


result = {}
for name in CASES:
    image = nib.load(f'{sys.argv[1]}/data/covid19-ct-seg/labels/{name}.nii.gz')
    labels = np.asarray(image.dataobj)
    spacing = np.abs(np.diag(image.affine)[:3])
    size = [int(n * mm / new + 1e-4) for n, mm, new in zip(labels.shape, spacing, SPACING)]
    shares = [resize(one_hot(labels, v), size) for v in range(4)]
    prepared = np.argmax(shares, 0)
    hard = np.argmax([resize(one_hot(prepared, v), labels.shape) for v in range(4)], 0)
    soft = np.argmax([resize(s, labels.shape) for s in shares], 0)
    result[name] = {
        'preparedSize': size,
        'hard': [dice(hard, labels, v) for v in (1, 2, 3)],
        'soft': [dice(soft, labels, v) for v in (1, 2, 3)],
    }
json.dump(result, sys.stdout, indent=1)
print()
