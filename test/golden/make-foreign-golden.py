#!/usr/bin/env python3
"""Models of other frameworks and what these make of one scan with them: packages/predict/src/foreign/golden.

Two networks with fixed random weights, built by the frameworks' own packages and exported by both exporters of PyTorch:
  nnunet.onnx  nnU-Net's PlainConvUNet (dynamic-network-architectures), fixed window, [N, C, z, y, x] in LPS, CT
               normalisation, resampling, three classes as logits
  monai.onnx   MONAI's UNet with residual units, any window, [N, C, x, y, z] in RAS, two sigmoid channels; its larger weights
               in monai.onnx.data, as PyTorch writes them by default. MONAI's are the Orientation, the ScaleIntensityRange,
               padding and windows (sliding_window_inference), too.
The scan is anisotropic, oblique and stored with flipped axes. Everything else is numpy and scipy, in the tensor's own order of
axes: reorientation, cubic resampling, padding, windows, mean, linear resampling, argmax.

Run from the repository root: python3 test/golden/make-foreign-golden.py
Needs torch 2.13, monai 1.6, dynamic-network-architectures 0.4, onnx, onnxscript, numpy, scipy, nibabel.
Weights are seeded; the files change with the exporter's version, the numbers by rounding.
"""
import base64
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from monai.data import MetaTensor
from monai.inferers import sliding_window_inference
from monai.networks.nets import UNet
from monai.transforms import Orientation, ScaleIntensityRange
from scipy import ndimage
from torch import nn

OUT = Path(__file__).resolve().parents[2] / 'packages/predict/src/foreign/golden'
torch.set_num_threads(1)


def nnunet_network():
    return PlainConvUNet(
        1, 2, (6, 12), nn.Conv3d, 3, (1, 2), (2, 2), 3, (2,), conv_bias=True, norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={'eps': 1e-5, 'affine': True}, nonlin=nn.LeakyReLU, nonlin_kwargs={'inplace': True})


def monai_network():
    return UNet(spatial_dims=3, in_channels=1, out_channels=2, channels=(6, 12), strides=(2,), num_res_units=2)


def weighted(network, seed, scale):
    """Fixed weights; the head is larger than usual, so that every class wins somewhere."""
    torch.manual_seed(seed)
    for parameter in network.parameters():
        fan = parameter[0].numel() if parameter.dim() > 1 else 4
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape) * (2 / fan) ** 0.5)
            if parameter.dim() == 1:
                parameter.add_(0.6)
            if parameter.dim() > 1 and parameter.shape[0] <= 3:
                parameter.mul_(scale)
    return network.eval()


def make_scan():
    """Air, a body, two lungs and noise, stored as I, A, R (first index fastest in the file), turned by some degrees."""
    rng = np.random.default_rng(14)
    size, spacing = (11, 15, 19), (2.5, 1.1, 0.9)
    i, j, k = np.meshgrid(*[np.linspace(-1, 1, n) for n in size], indexing='ij')
    hu = np.where(j**2 + k**2 < 0.9, 40.0, -1000.0)
    hu[(np.hypot(j * 1.2, k - 0.45) < 0.35) & (np.abs(i) < 0.8)] = -850
    hu[(np.hypot(j * 1.2, k + 0.5) < 0.3) & (i < 0.6)] = -780
    hu[(np.hypot(j - 0.2, k - 0.5) < 0.15) & (i > -0.2)] = -100
    voxels = np.round(hu + rng.normal(0, 60, size)).astype(np.int16)
    a, b = np.radians(9), np.radians(-6)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    stored = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # columns: I, A, R
    affine = np.eye(4)
    affine[:3, :3] = turn @ stored @ np.diag(spacing)
    affine[:3, 3] = (12.5, -40, 77)
    return voxels, affine


LETTERS = {'R': (0, 1), 'L': (0, -1), 'A': (1, 1), 'P': (1, -1), 'S': (2, 1), 'I': (2, -1)}


def to_axes(array, affine, codes):
    """The array with its axes along the codes, and the way back."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    order, flips = [], []
    for letter in codes:
        world, sign = LETTERS[letter]
        axis = int(np.argmax(np.abs(cosines[world])))
        order.append(axis)
        flips.append(cosines[world, axis] * sign < 0)
    flipped = [n for n, flip in enumerate(flips) if flip]

    def back(other):
        return np.transpose(np.flip(other, flipped), np.argsort(order))

    spacing = np.linalg.norm(affine[:3, :3], axis=0)[order]
    return np.flip(np.transpose(array, order), flipped), spacing, back


def resized(array, size, order, mode):
    at = [(np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(size, array.shape)]
    return ndimage.map_coordinates(array.astype(np.float64), np.meshgrid(*at, indexing='ij'), order=order, mode=mode)


def starts(length, window, overlap):
    stride = window - overlap
    steps = max(1, -(-(length - overlap) // stride))
    return [min(step * stride, length - window) for step in range(steps)]


def windows_mean(image, patch, overlap, run):
    """Zero padding (the odd voxel behind), equal weights."""
    pads = [(max(0, p - n) // 2, max(0, p - n) - max(0, p - n) // 2) for n, p in zip(image.shape, patch)]
    padded = np.pad(image, pads)
    total, count = 0, np.zeros(padded.shape)
    for a in starts(padded.shape[0], patch[0], overlap[0]):
        for b in starts(padded.shape[1], patch[1], overlap[1]):
            for c in starts(padded.shape[2], patch[2], overlap[2]):
                box = (slice(a, a + patch[0]), slice(b, b + patch[1]), slice(c, c + patch[2]))
                with torch.no_grad():
                    one = run(torch.from_numpy(np.ascontiguousarray(padded[box], dtype=np.float32))[None, None])[0].numpy()
                if isinstance(total, int):
                    total = np.zeros((one.shape[0], *padded.shape))
                total[(slice(None), *box)] += one
                count[box] += 1
    inside = tuple(slice(low, low + n) for (low, _), n in zip(pads, image.shape))
    return (total / count)[(slice(None), *inside)]


def flat(array):
    """x (the first index) fastest, as a Volume has it."""
    return base64.b64encode(np.asarray(array).ravel(order='F').tobytes()).decode()


def predicted(network, voxels, affine, settings):
    axes = settings['axes']
    upright, spacing, back = to_axes(voxels, affine, axes)

    def along(xyz):
        """From x, y, z (left-right, front-back, feet-head) to the tensor's order."""
        return [xyz[LETTERS[letter][0]] for letter in axes]

    intensity = settings['intensity']
    if intensity['kind'] == 'ct':
        image = (np.clip(upright, *intensity['clipHu']) - intensity['mean']) / intensity['sd']
    else:
        (low, high), (to_low, to_high) = intensity['fromHu'], intensity['to']
        monai_upright = Orientation(axcodes=axes, labels=None)(MetaTensor(voxels[None].astype(np.float32), affine=affine))
        assert np.array_equal(monai_upright[0].numpy(), upright)
        scale = ScaleIntensityRange(low, high, to_low, to_high, clip=intensity['clip'])
        image = np.asarray(scale(np.ascontiguousarray(upright, dtype=np.float32)))
    target = settings['spacingMm'] and along(settings['spacingMm'])
    size = upright.shape if target is None else [int(n * mm / new + 1e-4) for n, mm, new in zip(upright.shape, spacing, target)]
    prepared = image if target is None else resized(image, size, 3, 'mirror')
    is_sigmoid = settings['output']['kind'] == 'sigmoid'
    activation = torch.sigmoid if is_sigmoid else (lambda logits: torch.softmax(logits, 1))
    patch, run = along(settings['patch']), lambda x: activation(network(x))
    if is_sigmoid:
        with torch.no_grad():
            volume = torch.from_numpy(np.ascontiguousarray(prepared, dtype=np.float32))[None, None]
            mean = sliding_window_inference(volume, patch, 1, run, overlap=OVERLAP)[0].numpy()
    else:
        mean = windows_mean(prepared, patch, along(settings['overlap']), run)
    shares = mean if target is None else np.stack([resized(one, upright.shape, 1, 'nearest') for one in mean])
    decisive = np.concatenate([np.full((1, *upright.shape), settings['output']['threshold']), shares]) if is_sigmoid else shares
    values = [0] * is_sigmoid + [one['value'] for one in settings['classes']]
    labels = np.array(values, np.uint8)[np.argmax(decisive, 0)]
    top = np.sort(decisive, 0)
    print(settings['title'], size, np.unique(labels, return_counts=True), 'closest decision', (top[-1] - top[-2]).min())
    return {
        'preparedSize': dict(zip(axes, [int(n) for n in size])),
        'probabilities': [flat(back(one).astype(np.float32)) for one in shares],
        'labels': flat(back(labels)),
    }


# Of MONAI's windows: 10 - int(10 * 0.75) = 3, 16 - 12 = 4, 8 - 6 = 2 voxels.
OVERLAP = 0.25

NNUNET = {
    'format': 'quickcolumn-foreign-model', 'version': 1, 'title': 'nnU-Net with random weights', 'licence': 'Apache-2.0',
    'output': {'kind': 'logits'},
    'axes': 'SPL', 'spacingMm': [1.0, 1.3, 2.2],
    'intensity': {'kind': 'ct', 'clipHu': [-1000, 300], 'mean': -310.5, 'sd': 402.25}, 'padding': 0,
    'patch': [12, 16, 8], 'overlap': [6, 8, 4],
    'classes': [{'value': 0, 'name': 'background'}, {'value': 1, 'name': 'left lung', 'role': 'left-lung', 'mirror': 2},
                {'value': 2, 'name': 'right lung', 'role': 'right-lung', 'mirror': 1}],
}
MONAI = {
    'format': 'quickcolumn-foreign-model', 'version': 1, 'title': 'MONAI with random weights',
    'output': {'kind': 'sigmoid', 'of': 'logits', 'threshold': 0.6},
    'axes': 'RAS', 'spacingMm': None,
    'intensity': {'kind': 'range', 'fromHu': [-1000, 400], 'to': [0, 1], 'clip': True},
    'patch': [10, 16, 8], 'overlap': [3, 4, 2],
    'classes': [{'value': 3, 'name': 'infection', 'role': 'lesion', 'color': [225, 70, 60]}, {'value': 7, 'name': 'effusion'}],
}

def strip(name):
    """Without the stack traces that the exporter keeps, which hold the paths of a machine."""
    model = onnx.load(str(OUT / name), load_external_data=False)
    for graph in [model.graph, *model.functions]:
        for part in [graph, *graph.node, *getattr(graph, 'input', []), *graph.value_info, *getattr(graph, 'output', [])]:
            part.doc_string = ''
            if hasattr(part, 'metadata_props') and part.metadata_props:
                del part.metadata_props[:]
    for weight in model.graph.initializer:
        del weight.metadata_props[:]
    (OUT / name).write_bytes(model.SerializeToString(deterministic=True))


OUT.mkdir(exist_ok=True)
voxels, affine = make_scan()
nnunet, monai = weighted(nnunet_network(), 6, 2), weighted(monai_network(), 12, 1)
torch.onnx.export(nnunet, (torch.zeros(1, 1, 8, 16, 12),), str(OUT / 'nnunet.onnx'), dynamo=False, opset_version=17,
                  input_names=['input'], output_names=['logits'])
dimension = torch.export.Dim
torch.onnx.export(monai, (torch.zeros(1, 1, 10, 16, 8),), str(OUT / 'monai.onnx'), dynamo=True,
                  dynamic_shapes=({2: 2 * dimension('a', min=2), 3: 2 * dimension('b', min=2), 4: 2 * dimension('c', min=2)},))
for name in ('nnunet.onnx', 'monai.onnx'):
    strip(name)
result = {
    'scan': {'size': voxels.shape, 'affine': affine.ravel().tolist(), 'voxels': flat(voxels)},
    'nnunet': predicted(nnunet, voxels, affine, NNUNET),
    'monai': predicted(monai, voxels, affine, MONAI),
}
for name, settings in (('nnunet', NNUNET), ('monai', MONAI)):
    (OUT / f'{name}.onnx.json').write_text(json.dumps(settings, indent=2) + '\n')
(OUT / 'foreign.json').write_text(json.dumps(result, indent=1) + '\n')
