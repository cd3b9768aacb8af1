"""Golden numbers for test/network-golden.test.ts, from an independent PyTorch version of every network.

    python3 make-network-golden.py        # torch >= 2, numpy; writes one JSON per network beside this file

Written from the papers and spec section 5, module by module, not from the TypeScript. Attributes are named so that
`encoder0.first.conv.weight` is our variable `encoder0/first/conv/weight`; values of weights and image are a hash of
name and index, so none are stored. A file holds: the parameter count at the published width; logits sampled from the
training and the prediction mode; and for L = sum(logits * pattern), over all heads, each parameter's gradient as its
product with a pattern and its norm. Computed in float64.
"""
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
GRID = (16, 16, 32)
BATCH, CLASSES, SAMPLES = 2, 3, 96


def uniform(name, count):
    """Deterministic values in [-1, 1): FNV-1a of the name, mixed with the index in 32-bit arithmetic."""
    h = 0x811C9DC5
    for ch in name:
        h = ((h ^ ord(ch)) * 0x01000193) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(h)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
    return x.astype(np.float64) / 2**31 - 1


def test_image():
    """Blocks of 8 voxels and noise. Noise alone would average out: the coarse levels would be all but constant, and
    their batch norms would magnify rounding."""
    coarse = uniform("coarse", BATCH * math.prod(GRID) // 512).reshape(BATCH, 1, *(n // 8 for n in GRID))
    for axis in (2, 3, 4):
        coarse = coarse.repeat(8, axis)
    return 2 * coarse + 0.5 * uniform("image", coarse.size).reshape(coarse.shape)


def conv(i, o, k=3, bias=True):
    k = (k, k, k) if isinstance(k, int) else k
    return nn.Conv3d(i, o, k, padding=tuple(s // 2 for s in k), bias=bias)


def down2(i, o, bias=True):
    return nn.Conv3d(i, o, 2, stride=2, bias=bias)


def up2(i, o, bias=True):
    return nn.ConvTranspose3d(i, o, 2, stride=2, bias=bias)


def bn(c):
    return nn.BatchNorm3d(c, eps=1e-3, momentum=0.01)


def inorm(c):
    return nn.InstanceNorm3d(c, eps=1e-5, affine=True)


def cat(*xs):
    return torch.cat(xs, 1)


class ConvNorm(nn.Module):
    def __init__(self, i, o, k=3, norm=bn):
        super().__init__()
        self.conv, self.norm = conv(i, o, k), norm(o)

    def forward(self, x):
        return self.norm(self.conv(x))


class Double(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.first, self.last = ConvNorm(i, o), ConvNorm(o, o)

    def forward(self, x):
        return F.relu(self.last(F.relu(self.first(x))))


class Mueller(nn.Module):
    """Conv, ReLU, then BN."""

    def __init__(self, i, o):
        super().__init__()
        self.first, self.last = ConvNorm(i, o), ConvNorm(o, o)

    def forward(self, x):
        for part in (self.first, self.last):
            x = part.norm(F.relu(part.conv(x)))
        return x


class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.first, self.last, self.shortcut = ConvNorm(i, o), ConvNorm(o, o), ConvNorm(i, o, 1)

    def forward(self, x):
        return F.relu(self.last(F.relu(self.first(x))) + self.shortcut(x))


class PreConv(nn.Module):
    def __init__(self, i, o, k):
        super().__init__()
        self.norm, self.conv = bn(i), conv(i, o, k)

    def forward(self, x):
        return self.conv(F.relu(self.norm(x)))


class DenseBlock(nn.Module):
    def __init__(self, i, growth):
        super().__init__()
        for n in range(4):
            setattr(self, f"layer{n}", PreConv(i + n * growth, growth, 3))

    def forward(self, x):
        for n in range(4):
            x = cat(x, getattr(self, f"layer{n}")(x))
        return x


class Dense(nn.Module):
    def __init__(self, r, classes):
        super().__init__()
        self.stem = conv(1, r)
        w = [r * 2**l for l in range(5)]
        for l in range(5):
            setattr(self, f"encoder{l}", DenseBlock(w[l], w[l] // 2))
            if l:
                setattr(self, f"down{l}", PreConv(3 * w[l - 1], w[l], 1))
        for l in range(4):
            d = DenseBlock(w[l], w[l] // 2)
            below = 3 * w[4] if l == 3 else w[l + 1]
            d.up, d.squeeze, d.transition = up2(below, w[l]), PreConv(4 * w[l], w[l], 1), PreConv(3 * w[l], w[l], 1)
            setattr(self, f"decoder{l}", d)
        self.head = conv(w[0], classes, 1)

    def forward(self, x):
        x, skips = self.stem(x), []
        for l in range(5):
            if l:
                x = F.max_pool3d(getattr(self, f"down{l}")(x), 2)
            x = getattr(self, f"encoder{l}")(x)
            skips.append(x)
        for l in (3, 2, 1, 0):
            d = getattr(self, f"decoder{l}")
            x = d.transition(d(d.squeeze(cat(skips[l], d.up(x)))))
        return [self.head(x)]


class Gate(nn.Module):
    def __init__(self, c, g):
        super().__init__()
        self.x, self.g, self.psi = down2(c, c, bias=False), conv(g, c, 1), conv(c, 1, 1)
        self.conv, self.norm = conv(c, c, 1), bn(c)

    def forward(self, x, g):
        alpha = torch.sigmoid(self.psi(F.relu(self.x(x) + self.g(g))))
        alpha = F.interpolate(alpha, scale_factor=2, mode="trilinear", align_corners=False)
        return self.norm(self.conv(alpha * x))


class UNet(nn.Module):
    """The U with a block of the given class; options for attention gates and for heads on coarser levels."""

    def __init__(self, r, classes, block, gates=False, heads=1, upsample=False):
        super().__init__()
        w = [r * 2**l for l in range(5)]
        self.gates, self.heads, self.upsample = gates, heads, upsample
        for l in range(5):
            setattr(self, f"encoder{l}", block(w[l - 1] if l else 1, w[l]))
        for l in range(4):
            d = block(2 * w[l], w[l])
            d.up = up2(w[l + 1], w[l])
            if gates and l:
                d.gate = Gate(w[l], w[l + 1])
            setattr(self, f"decoder{l}", d)
        self.head = conv(w[0], classes, 1)
        for l in range(1, heads):
            setattr(self, f"head{l}", conv(w[l], classes, 1))

    def forward(self, x):
        skips, features = [], {}
        for l in range(5):
            x = getattr(self, f"encoder{l}")(F.max_pool3d(x, 2) if l else x)
            skips.append(x)
        for l in (3, 2, 1, 0):
            d = getattr(self, f"decoder{l}")
            skip = d.gate(skips[l], x) if self.gates and l else skips[l]
            x = d(cat(skip, d.up(x)))
            features[l] = x
        out = [self.head(x)]
        if self.training:
            for l in range(1, self.heads):
                y = getattr(self, f"head{l}")(features[l])
                if self.upsample:
                    y = F.interpolate(y, scale_factor=2**l, mode="trilinear", align_corners=False)
                out.append(y)
        return out


class Separable(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.plane, self.depth = ConvNorm(i, o, (1, 3, 3), inorm), ConvNorm(o, o, (3, 1, 1), inorm)

    def forward(self, x):
        return self.depth(F.leaky_relu(self.plane(x), 0.01))


class S3dBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.first, self.last, self.shortcut = Separable(i, o), Separable(o, o), ConvNorm(i, o, 1, inorm)

    def forward(self, x):
        return F.leaky_relu(self.last(F.leaky_relu(self.first(x), 0.01)) + self.shortcut(x), 0.01)


class UnetPp(nn.Module):
    def __init__(self, r, classes):
        super().__init__()
        w = [r * 2**l for l in range(5)]
        for i in range(5):
            for j in range(5 - i):
                node = Double((w[i - 1] if i else 1) if j == 0 else w[i] * (j + 1), w[i])
                if j:
                    node.up = up2(w[i + 1], w[i])
                setattr(self, f"node{i}-{j}", node)
        for n in range(4):
            setattr(self, f"head{n or ''}", conv(w[0], classes, 1))

    def forward(self, image):
        x = {}
        for i in range(5):
            x[i, 0] = getattr(self, f"node{i}-0")(F.max_pool3d(x[i - 1, 0], 2) if i else image)
        for j in range(1, 5):
            for i in range(5 - j):
                node = getattr(self, f"node{i}-{j}")
                x[i, j] = node(cat(*[x[i, k] for k in range(j)], node.up(x[i + 1, j - 1])))
        return [getattr(self, f"head{n or ''}")(x[0, 4 - n]) for n in range(4 if self.training else 1)]


class VbUnit(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.reduce, self.spatial, self.expand = ConvNorm(c, c // 4, 1), ConvNorm(c // 4, c // 4), ConvNorm(c // 4, c, 1)

    def forward(self, x):
        return self.expand(F.relu(self.spatial(F.relu(self.reduce(x)))))


class VbLevel(nn.Module):
    def __init__(self, c, units, bottleneck):
        super().__init__()
        self.units = units
        for n in range(units):
            setattr(self, f"unit{n}", VbUnit(c) if bottleneck else ConvNorm(c, c))

    def forward(self, x):
        y = x
        for n in range(self.units):
            y = getattr(self, f"unit{n}")(F.relu(y) if n else y)
        return F.relu(x + y)


class Scale(nn.Module):
    def __init__(self, module, c, norm=bn):
        super().__init__()
        self.conv, self.norm = module, norm(c)

    def forward(self, x):
        return self.norm(self.conv(x))


class VbNet(nn.Module):
    def __init__(self, r, classes):
        super().__init__()
        w = [r * 2**l for l in range(5)]
        self.encoder0 = nn.Module()
        self.encoder0.unit0 = ConvNorm(1, r)
        for l, units in ((1, 2), (2, 3), (3, 3), (4, 3)):
            setattr(self, f"down{l}", Scale(down2(w[l - 1], w[l]), w[l]))
            setattr(self, f"encoder{l}", VbLevel(w[l], units, l >= 2))
        for l, units in ((3, 3), (2, 3), (1, 2), (0, 1)):
            d = VbLevel(2 * w[l], units, l >= 2)
            d.up = Scale(up2(w[4] if l == 3 else 2 * w[l + 1], w[l]), w[l])
            setattr(self, f"decoder{l}", d)
        self.head = conv(2 * r, classes, 1)

    def forward(self, x):
        x = F.relu(self.encoder0.unit0(x))
        skips = [x]
        for l in range(1, 5):
            x = getattr(self, f"encoder{l}")(F.relu(getattr(self, f"down{l}")(x)))
            skips.append(x)
        for l in (3, 2, 1, 0):
            d = getattr(self, f"decoder{l}")
            x = d(cat(skips[l], F.relu(d.up(x))))
        return [self.head(x)]


class Nn(nn.Module):
    def __init__(self, r, classes, cap):
        super().__init__()
        w = [min(r * 2**l, cap) for l in range(5)]

        def pair(i, o):
            m = nn.Module()
            m.first, m.last = ConvNorm(i, o, 3, inorm), ConvNorm(o, o, 3, inorm)
            return m

        self.encoder0 = pair(1, w[0])
        for l in range(1, 5):
            setattr(self, f"down{l}", Scale(down2(w[l - 1], w[l]), w[l], inorm))
            m = nn.Module()
            m.last = ConvNorm(w[l], w[l], 3, inorm)
            setattr(self, f"encoder{l}", m)
        for l in range(4):
            d = pair(2 * w[l], w[l])
            d.up = up2(w[l + 1], w[l], bias=False)
            setattr(self, f"decoder{l}", d)
        for l in range(3):
            setattr(self, f"head{l or ''}", conv(w[l], classes, 1, bias=False))

    def forward(self, x):
        act = lambda y: F.leaky_relu(y, 0.01)
        x = act(self.encoder0.last(act(self.encoder0.first(x))))
        skips, out = [x], {}
        for l in range(1, 5):
            x = act(getattr(self, f"encoder{l}").last(act(getattr(self, f"down{l}")(x))))
            skips.append(x)
        for l in (3, 2, 1, 0):
            d = getattr(self, f"decoder{l}")
            x = act(d.last(act(d.first(cat(skips[l], d.up(x))))))
            if l < 3 and (self.training or l == 0):
                out[l] = getattr(self, f"head{l or ''}")(x)
        return [out[l] for l in sorted(out)]


class DruEncoder(nn.Module):
    def __init__(self, c, quick):
        super().__init__()
        self.quick, self.first, self.last = quick, ConvNorm(c, c), ConvNorm(c, c)

    def forward(self, e):
        u = self.first(e)
        v = self.last(F.relu(u))
        return cat(F.relu(u + v + e if self.quick else v), e)


class DruDecoder(nn.Module):
    def __init__(self, below, skip, c, quick):
        super().__init__()
        self.up = Scale(up2(below, c), c)
        self.first, self.last = ConvNorm(skip + c, c), ConvNorm(c, c)
        if quick:
            setattr(self, "quick", ConvNorm(skip + c, c, 1))
        self.has_quick = quick

    def forward(self, x, skip):
        m = cat(skip, F.relu(self.up(x)))
        u = self.first(m)
        v = self.last(F.relu(u))
        return F.relu(u + v + self.quick(m) if self.has_quick else v)


class Dru(nn.Module):
    """DRU-Net, and with the hypercolumn head QC-HC U-Net."""

    def __init__(self, r, classes, quick=True, head="plain"):
        super().__init__()
        self.stem, self.kind = conv(1, r), head
        w = [r * 2**l for l in range(5)]
        for l in range(5):
            setattr(self, f"encoder{l}", DruEncoder(w[l], quick))
        for l in range(4):
            setattr(self, f"decoder{l}", DruDecoder(2 * w[4] if l == 3 else w[l + 1], 2 * w[l], w[l], quick))
        if head == "plain":
            self.head = conv(r, classes, 1)
        else:
            for l in range(4 if head == "hypercolumn" else 1):
                setattr(self, f"head{l}", conv(w[l], classes, 1, bias=False))
            self.head = nn.Module()
            self.head.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, x):
        x, skips, score = self.stem(x), [], 0
        for l in range(5):
            x = getattr(self, f"encoder{l}")(F.max_pool3d(x, 2) if l else x)
            skips.append(x)
        for l in (3, 2, 1, 0):
            x = getattr(self, f"decoder{l}")(x, skips[l])
            if self.kind == "hypercolumn" or (self.kind == "single" and l == 0):
                y = getattr(self, f"head{l}")(x)
                score = score + (F.interpolate(y, scale_factor=2**l, mode="trilinear") if l else y)
        return [self.head(x) if self.kind == "plain" else score + self.head.bias.view(1, -1, 1, 1, 1)]


def ours(name):
    path, _, leaf = name.replace(".", "/").rpartition("/")
    norm = path == "norm" or path.endswith("/norm")
    names = {"weight": "gamma", "bias": "beta", "running_mean": "mean", "running_var": "variance"}
    return f"{path}/{names[leaf] if norm else leaf}"


def fill(model):
    with torch.no_grad():
        tensors = list(model.named_parameters()) + [b for b in model.named_buffers() if "num_batches" not in b[0]]
        for name, tensor in tensors:
            key = ours(name)
            u = uniform(key, tensor.numel())
            leaf = key.rpartition("/")[2]
            if leaf == "weight":
                u = u * math.sqrt(6 / (tensor.numel() / tensor.shape[0]))
            elif leaf in ("gamma", "variance"):
                u = 1 + 0.3 * u
            else:
                u = 0.3 * u
            tensor.copy_(torch.from_numpy(u.astype(np.float32).reshape(tensor.shape)))


def samples(x):
    flat = x.detach().reshape(-1)
    step = max(1, flat.numel() // SAMPLES)
    return [float(f"{v:.7g}") for v in flat[::step].tolist()]


def golden(make, small, full, config):
    model = make(small, CLASSES).double()
    fill(model)
    image = torch.from_numpy(test_image().astype(np.float32)).double()
    model.eval()
    prediction = samples(model(image)[0])
    model.train()
    heads = model(image)
    loss = 0
    for n, head in enumerate(heads):
        pattern = uniform(f"pattern{n}", head.numel()).astype(np.float32).astype(np.float64)
        loss = loss + (head * torch.from_numpy(pattern).reshape(head.shape)).sum()
    loss.backward()
    gradients = {}
    for name, p in model.named_parameters():
        key = ours(name)
        g = p.grad.reshape(-1)
        dot = float((g * torch.from_numpy(uniform(f"{key}'", g.numel()))).sum())
        gradients[key] = [float(f"{dot:.8g}"), float(f"{float(g.norm()):.3g}")]
    published = make(full, 4)
    auxiliary = {"head1", "head2", "head3"} if config["name"] in ("unet-pp", "deep-unet3d", "nnunet3d") else set()
    count = sum(p.numel() for n, p in published.named_parameters() if n.split(".")[0] not in auxiliary)
    return dict(
        config=dict(config, rootFilters=small),
        rootFilters=full,
        parameters=count,
        prediction=prediction,
        training=[samples(h) for h in heads],
        gradients=gradients,
    )


def qchc(quick, hypercolumn):
    return dict(
        name="qchc-unet", resize="trilinear", bottomLevel=False, quickConnection=quick, hypercolumn=hypercolumn
    )


NETWORKS = {
    "qchc-unet": (lambda r, c: Dru(r, c, True, "hypercolumn"), 2, 16, qchc(True, True)),
    "qchc-unet-no-quick": (lambda r, c: Dru(r, c, False, "hypercolumn"), 2, 16, qchc(False, True)),
    "qchc-unet-no-hypercolumn": (lambda r, c: Dru(r, c, True, "single"), 2, 16, qchc(True, False)),
    "qchc-unet-neither": (lambda r, c: Dru(r, c, False, "single"), 2, 16, qchc(False, False)),
    "unet3d": (lambda r, c: UNet(r, c, Mueller), 2, 32, dict(name="unet3d")),
    "residual-unet3d": (lambda r, c: UNet(r, c, Residual), 2, 32, dict(name="residual-unet3d")),
    "dense-unet3d": (Dense, 2, 16, dict(name="dense-unet3d")),
    "dru-net": (Dru, 2, 16, dict(name="dru-net")),
    "unet-pp": (UnetPp, 2, 32, dict(name="unet-pp", deepSupervision=True)),
    "attention-unet3d": (lambda r, c: UNet(r, c, Double, gates=True), 2, 32, dict(name="attention-unet3d")),
    "vb-net": (VbNet, 2, 16, dict(name="vb-net")),
    "s3d-unet": (lambda r, c: UNet(r, c, S3dBlock), 2, 32, dict(name="s3d-unet")),
    "deep-unet3d": (lambda r, c: UNet(r, c, Double, heads=4, upsample=True), 2, 32, dict(name="deep-unet3d")),
    "nnunet3d": (
        lambda r, c: Nn(r, c, 20 if r == 2 else 320), 2, 32, dict(name="nnunet3d", maxFilters=20, deepSupervision=True)
    ),
}

for title, arguments in NETWORKS.items():
    torch.manual_seed(0)
    result = golden(*arguments)
    (HERE / f"{title}.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
    print(title, result["parameters"])
