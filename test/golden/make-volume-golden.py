#!/usr/bin/env python3
"""Golden numbers for packages/volume from scipy.ndimage and nibabel (Debian: python3-scipy, python3-nibabel).

Run from the repository root: python3 test/golden/make-volume-golden.py
Writes packages/volume/src/golden/*.json. Arrays are flat in the order of a Volume (x fastest): a numpy array indexed
[z, y, x] and ravelled. Seeded, so a run repeats.
"""
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

OUT = Path(__file__).resolve().parents[2] / 'packages/volume/src/golden'
rng = np.random.default_rng(20240229)


def write(name, data):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_text(json.dumps(data, separators=(',', ':')) + '\n')


def rounded(array, digits=6):
    return [round(float(v), digits) for v in np.asarray(array).ravel()]


def grid(old, new):
    """Coordinates [z, y, x] of an edge-aligned grid of `new` voxels over `old` ones (both x, y, z)."""
    axes = [(np.arange(n) + 0.5) * o / n - 0.5 for o, n in zip(old, new)]
    return np.meshgrid(axes[2], axes[1], axes[0], indexing='ij')


def resize():
    cases = []
    for old, new in [
        ((9, 8, 7), (5, 4, 3)),
        ((5, 6, 7), (11, 9, 16)),
        ((13, 6, 4), (7, 11, 4)),
        ((4, 2, 1), (7, 5, 3)),
        ((40, 3, 2), (17, 7, 1)),
        ((2, 45, 3), (3, 31, 2)),
    ]:
        voxels = rng.integers(0, 256, size=old[::-1])
        at = grid(old, new)
        floats = voxels.astype(np.float64)
        cases.append({
            'size': old,
            'newSize': new,
            'voxels': voxels.ravel().tolist(),
            'cubic': rounded(ndimage.map_coordinates(floats, at, order=3, mode='mirror')),
            'linear': rounded(ndimage.map_coordinates(floats, at, order=1, mode='nearest')),
        })
    return cases


def labels():
    cases = []
    for old, new in [((19, 17, 11), (7, 8, 5)), ((6, 5, 4), (13, 9, 7))]:
        # Uneven ratios keep exact ties, where one-hot sums differ by rounding alone, out of the comparison.
        smooth = ndimage.gaussian_filter(rng.normal(size=old[::-1]), 1)
        voxels = np.digitize(smooth, np.quantile(smooth, [0.4, 0.6, 0.9]))
        at = grid(old, new)
        one_hot = [(voxels == c).astype(float) for c in range(4)]
        shares = np.stack([ndimage.map_coordinates(hot, at, order=1, mode='nearest') for hot in one_hot])
        top = np.sort(shares, axis=0)
        best = np.where(top[-1] - top[-2] < 1e-9, -1, shares.argmax(axis=0))
        cases.append({'size': old, 'newSize': new, 'voxels': voxels.ravel().tolist(), 'expected': best.ravel().tolist()})
    return cases


def samples():
    size = (6, 5, 4)
    voxels = rng.integers(-1000, 400, size=size[::-1])
    points = np.concatenate([rng.uniform(-9, 14, size=(40, 3)), rng.uniform(1, 3, size=(20, 3)), [[0, 0, 0], [5, 4, 3]]])
    points = points.round(4)
    values = ndimage.map_coordinates(voxels.astype(np.float64), points[:, ::-1].T, order=3, mode='mirror')
    return {'size': size, 'voxels': voxels.ravel().tolist(), 'points': points.tolist(), 'values': rounded(values)}


def random_affine(shear):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = (rotation + shear * rng.normal(size=(3, 3))) @ np.diag(rng.uniform(0.4, 6, 3))
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    return affine.round(5)


def orientations():
    axis_codes = []
    for n in range(60):
        affine = random_affine([0, 0.05, 0.3][n % 3])
        axis_codes.append({'affine': affine.ravel().tolist(), 'codes': ''.join(nib.aff2axcodes(affine))})
    reoriented = []
    for target in ['LPS', 'RAS', 'SAR']:
        for n in range(8):
            affine = random_affine([0, 0.1][n % 2])
            voxels = rng.integers(0, 1000, size=(4, 3, 2))  # indexed [x, y, z], as nibabel's images are
            change = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(target))
            image = nib.Nifti1Image(voxels.astype(np.int16), affine).as_reoriented(change)
            reoriented.append({
                'target': target,
                'size': voxels.shape,
                'affine': affine.ravel().tolist(),
                'voxels': voxels.ravel(order='F').tolist(),
                'newSize': image.shape,
                'newAffine': rounded(image.affine, 8),
                'newVoxels': np.asarray(image.dataobj).ravel(order='F').tolist(),
            })
    return {'axisCodes': axis_codes, 'reoriented': reoriented}


def regions():
    size = (11, 9, 8)
    cases = []
    for density in [0.15, 0.3, 0.5]:
        mask = (rng.random(size[::-1]) < density).astype(int)
        counts = {}
        for connectivity, rank in [(6, 1), (18, 2), (26, 3)]:
            labelled, count = ndimage.label(mask, ndimage.generate_binary_structure(3, rank))
            counts[connectivity] = sorted(np.bincount(labelled.ravel())[1:].tolist(), reverse=True)
        spacing = rng.uniform(0.5, 4, 3).round(3)
        distance = ndimage.distance_transform_edt(mask == 0, sampling=spacing[::-1])
        cases.append({
            'size': size,
            'mask': mask.ravel().tolist(),
            'componentSizes': counts,
            'spacingMm': spacing.tolist(),
            'distanceMm': rounded(distance, 5),
        })
    return cases


write('resample.json', {'resize': resize(), 'labels': labels(), 'samples': samples()})
write('orientation.json', orientations())
write('regions.json', regions())
