"""Golden numbers for the NIfTI reader: tiny files in every variant, and what nibabel reads from them.

Run with Debian's python3-nibabel from the repository root:  python3 test/golden/make-nifti-golden.py
Writes packages/io/src/golden/nifti.json and the files beside it. Files written by nibabel and, for what nibabel does not
write (raw quaternions near 180 degrees, offsets), by patching header bytes; the numbers are always what nibabel reads back.
"""

import gzip
import json
import struct
from pathlib import Path

import nibabel as nib
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "packages" / "io" / "src" / "golden"
SHAPE = (5, 4, 3)
rng = np.random.default_rng(20)

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.3, -0.2, 0.5) @ np.diag([0.75, -0.8, 2.5]), [-101.5, 82.25, -340.125]
)
FLIPPED = np.array([[-0.8, 0, 0, 90], [0, -0.8, 0, 120], [0, 0, 2.5, -300], [0, 0, 0, 1.0]])
SWAPPED = np.array([[0, 0, 3.0, -20], [-1.5, 0, 0, 7], [0, 2.0, 0, 1], [0, 0, 0, 1.0]])
SHEARED = np.array([[0.8, 0.1, 0.0, -5], [0.05, 0.9, 0.4, 6], [0.0, -0.2, 2.5, 7], [0, 0, 0, 1.0]])

DTYPES = "uint8 int8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split()


def values(dtype):
    d = np.dtype(dtype)
    if d.kind == "f":
        return (rng.standard_normal(SHAPE) * 100).astype(d)
    info = np.iinfo(d)
    if d.itemsize == 8:  # only values that a double holds, large ones among them
        v = rng.integers(-(2**40) if d.kind == "i" else 0, 2**40, SHAPE).astype(d)
        v[0, 0, 0], v[1, 0, 0] = 2**60, (-(2**62) if d.kind == "i" else 2**63)
        return v
    return rng.integers(info.min, info.max, SHAPE, dtype=d, endpoint=True)


def image(data, sform=None, qform=None, sform_code=1, qform_code=1, nifti2=False, pair=False, big=False):
    kind = {(False, False): nib.Nifti1Image, (True, False): nib.Nifti2Image,
            (False, True): nib.Nifti1Pair, (True, True): nib.Nifti2Pair}[nifti2, pair]
    header = kind.header_class(endianness=">" if big else "<")
    header.set_data_dtype(data.dtype)
    out = kind(data, None, header)
    out.set_sform(sform, sform_code if sform is not None else 0)
    out.set_qform(qform, qform_code if qform is not None else 0)
    return out


def patch(path, changes):
    raw = bytearray(path.read_bytes())
    for at, fmt, *numbers in changes:
        struct.pack_into(fmt, raw, at, *numbers)
    path.write_bytes(bytes(raw))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("nifti-*"):
        old.unlink()
    names = []

    def save(name, img, patches=()):
        path = OUT / f"nifti-{name}"
        nib.save(img, path)
        if patches:
            patch(path, patches)
        names.append(path.name)

    for i, dtype in enumerate(DTYPES):
        save(f"{dtype}.nii", image(values(dtype), OBLIQUE, OBLIQUE))
        if np.dtype(dtype).itemsize > 1:
            save(f"{dtype}-big.nii", image(values(dtype), FLIPPED, big=True))
    int16 = values("int16")
    save("v2.nii", image(int16, SHEARED, nifti2=True))
    save("v2-big.nii.gz", image(values("float64"), None, OBLIQUE, nifti2=True, big=True))
    save("v2-pair.hdr", image(int16, OBLIQUE, nifti2=True, pair=True))
    save("pair.hdr", image(int16, SWAPPED, pair=True))
    save("pair-big.hdr", image(int16, None, OBLIQUE, pair=True, big=True))
    for part in ("hdr", "img"):  # nibabel writes pairs with both parts compressed only by this name
        (OUT / f"nifti-pairgz.{part}.gz").write_bytes(gzip.compress((OUT / f"nifti-pair.{part}").read_bytes(), 9, mtime=0))
    names.append("nifti-pairgz.hdr.gz")
    save("gz.nii.gz", image(int16, OBLIQUE, OBLIQUE))
    save("qform.nii", image(int16, None, OBLIQUE))
    save("sform-over-qform.nii", image(int16, SHEARED, FLIPPED, 2, 1))
    save("sform-code-0.nii", image(int16, None, SWAPPED))
    save("swapped.nii", image(int16, SWAPPED, SWAPPED))
    # b2+c2+d2 one rounding above 1: the square root of a negative number in naive readers.
    save("quaternion-180.nii", image(int16, None, FLIPPED), [(256, "<3f", 0.0, 0.0, np.nextafter(np.float32(1), np.float32(2)))])
    save("slope.nii", image(int16, OBLIQUE), [(112, "<2f", 0.25, -1024.0)])
    save("slope-big.nii", image(values("uint16"), OBLIQUE, big=True), [(112, ">2f", 1.5, 3.0)])
    save("slope-int32.nii", image(values("int32"), OBLIQUE), [(112, "<2f", 0.5, 0.25)])
    save("slope-0.nii", image(int16, OBLIQUE), [(112, "<2f", 0.0, 7.0)])
    save("slope-nan.nii", image(int16, OBLIQUE), [(112, "<2f", np.nan, np.nan)])
    extended = image(int16, OBLIQUE)
    extended.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 100))
    save("extension.nii", extended)
    save("trailing-1.nii", image(int16.reshape(SHAPE + (1, 1)), OBLIQUE))
    save("two-axes.nii", image(int16[:, :, 0], OBLIQUE))

    golden = {}
    for name in names:
        img = nib.load(OUT / name)
        data = np.asanyarray(img.dataobj)
        golden[name] = {
            "shape": list((img.shape + (1,))[:3]),
            "dtype": img.get_data_dtype().newbyteorder("=").name,
            "affine": img.affine.ravel().tolist(),
            "codes": "".join(nib.aff2axcodes(img.affine)),
            "voxels": [float(v) for v in data.ravel(order="F")],
        }
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in golden.items())
    (OUT / "nifti.json").write_text(f'{{"nibabel": "{nib.__version__}", "files": {{\n{lines}\n}}}}\n')


main()
