/**
 * Whether the patient lies as the affine says: a converter that loses an axis leaves a scan that looks right slice by slice,
 * and a network that draws lungs into a chest upside down.
 *
 * Looked at on a grid of about 4 mm along L, P and S. The spine is the one bone that goes through a chest from end to end, it
 * lies behind the middle of the body, and the shoulders above hold more bone than the ribs below. Each conclusion asks for
 * several signs by wide margins: of 14 real scans, whole and in their own orientation, none is doubted; of their copies with
 * axes exchanged or turned round, nearly all are. Left and right cannot be told: the heart is not far enough to the left.
 */
import { intensityScaleOf, reorient, type Size3, spacingMm, type Vector3, type Volume } from '@quickcolumn/volume';

/** Of the coarse grid. */
const coarseMm = 4;
/** A scan must show at least this of the body, and in this many voxels, along each axis. */
const [shortestMm, fewestVoxels] = [180, 16];
/** Beyond this length the pelvis may hold more bone than the shoulders. */
const longestChestMm = 480;
/** HU: lungs and air below, body above; bone, where the scan goes so high. */
const [lungHu, bodyHu, boneHu] = [-500, -300, 180];

interface Coarse {
  readonly hu: Float32Array;
  readonly size: Size3;
  readonly mm: Vector3;
}

/** What is doubtful about the orientation, in words; undefined where nothing is, or where too little can be seen. */
export function anatomyProblem(scan: Volume): string | undefined {
  const upright = reorient(scan);
  const spacing = spacingMm(upright.affine);
  const enough = upright.size.every((n, axis) => n >= fewestVoxels && n * spacing[axis] >= shortestMm);
  if (!enough) return undefined;
  const coarse = coarseOf(upright, spacing);
  const bone = boneOf(coarse);
  if (bone === undefined) return undefined;
  const near = dilated(bone, coarse.size);
  const along = [0, 1, 2].map((axis) => spineAlong(near, coarse, axis));
  const [first, second, third] = along.map(({ share }) => share);
  const sideways = first > second ? 0 : 1;
  if (along[sideways].share >= 0.85 && third <= along[sideways].share - 0.15) {
    const called = ['left–right', 'front–back'][sideways];
    return `the spine runs along the axis that is called ${called}; axes may be exchanged`;
  }
  // Where no spine can be seen from end to end, nothing is said.
  if (third < 0.85 || Math.max(first, second) > third - 0.05) return undefined;
  const middle = centre(coarse, (at) => coarse.hu[at] > bodyHu);
  const bones = centre(coarse, (at) => bone[at] === 1);
  const fromBody = (place: Vector3, axis: number): number => place[axis] - middle[axis];
  const [spine] = [along[2].place];
  const sides = [fromBody(spine, 0), fromBody(bones, 0)];
  const backs = [fromBody(spine, 1), fromBody(bones, 1)];
  if (Math.max(...backs) < -15) {
    const mm = Math.round(-fromBody(spine, 1));
    return `the spine lies ${mm} mm before the middle of the body; front and back may be exchanged`;
  }
  const sideward = Math.sign(sides[0]) === Math.sign(sides[1]) && Math.min(...sides.map(Math.abs)) > 18;
  if (sideward && Math.max(...backs.map(Math.abs)) < 12) {
    const mm = Math.round(Math.abs(sides[0]));
    return `the spine lies ${mm} mm beside the middle of the body, not behind it; axes may be exchanged`;
  }
  if (isUpsideDown(coarse, bone, fromBody(bones, 2))) {
    return 'shoulders and the tops of the lungs lie below; top and bottom may be exchanged';
  }
  return undefined;
}

/** Means of blocks of voxels, in HU; scans in 0–255 are taken for windowed from −1250 to 250 HU. */
function coarseOf({ voxels, size }: Volume, spacing: Vector3): Coarse {
  const block = spacing.map((mm) => Math.max(1, Math.round(coarseMm / mm)));
  const [bx, by, bz] = block;
  const [nx, ny, nz] = size.map((n, axis) => Math.floor(n / block[axis]));
  const hu = new Float32Array(nx * ny * nz);
  for (let z = 0; z < nz * bz; z++) {
    for (let y = 0; y < ny * by; y++) {
      const from = size[0] * (y + size[1] * z);
      const to = nx * (Math.floor(y / by) + ny * Math.floor(z / bz));
      for (let x = 0; x < nx * bx; x++) hu[to + Math.floor(x / bx)] += voxels[from + x];
    }
  }
  const [slope, intercept] = intensityScaleOf(voxels) === 'hu' ? [1, 0] : [1500 / 255, -1250];
  for (let i = 0; i < hu.length; i++) hu[i] = (hu[i] / (bx * by * bz)) * slope + intercept;
  return { hu, size: [nx, ny, nz], mm: [spacing[0] * bx, spacing[1] * by, spacing[2] * bz] };
}

/** 1 where bone is; undefined where the scan shows no body with air beside it. */
function boneOf({ hu }: Coarse): Uint8Array | undefined {
  const body = hu.filter((value) => value > bodyHu).sort();
  if (body.length < 0.05 * hu.length || body.length > 0.95 * hu.length) return undefined;
  // A windowed scan may end below bone: then its brightest voxels are.
  const limit = Math.min(boneHu, body[Math.floor(0.97 * body.length)]);
  return limit > 0 ? Uint8Array.from(hu, (value) => (value >= limit ? 1 : 0)) : undefined;
}

interface Spine {
  /** Of the length of an axis, how much one line along it goes through bone, or beside it. */
  readonly share: number;
  /** Where these lines are, mm; without a place along the axis. */
  readonly place: Vector3;
}

/** Also the six neighbours of each voxel; a spine is not straight. */
function dilated(mask: Uint8Array, [nx, ny, nz]: Size3): Uint8Array {
  const plane = nx * ny;
  const result = mask.slice();
  for (let z = 0, at = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, at++) {
        if (mask[at] === 0) continue;
        if (x > 0) result[at - 1] = 1;
        if (x < nx - 1) result[at + 1] = 1;
        if (y > 0) result[at - nx] = 1;
        if (y < ny - 1) result[at + nx] = 1;
        if (z > 0) result[at - plane] = 1;
        if (z < nz - 1) result[at + plane] = 1;
      }
    }
  }
  return result;
}

/** @param near bone and what lies beside it */
function spineAlong(near: Uint8Array, { size, mm }: Coarse, axis: number): Spine {
  const [u, v] = [0, 1, 2].filter((other) => other !== axis);
  const stride = [1, size[0], size[0] * size[1]];
  const shares = new Float64Array(size[u] * size[v]);
  for (let j = 0; j < size[v]; j++) {
    for (let i = 0; i < size[u]; i++) {
      let through = 0;
      for (let k = 0; k < size[axis]; k++) through += near[i * stride[u] + j * stride[v] + k * stride[axis]];
      shares[i + size[u] * j] = through / size[axis];
    }
  }
  const share = shares.reduce((most, one) => Math.max(most, one), 0);
  const place = [0, 0, 0];
  let count = 0;
  for (const [at, one] of shares.entries()) {
    if (one < 0.85 * share) continue;
    place[u] += (at % size[u]) * mm[u];
    place[v] += Math.floor(at / size[u]) * mm[v];
    count++;
  }
  return { share, place: [place[0] / count, place[1] / count, place[2] / count] };
}

/** Mean place of the voxels that are meant, mm. */
function centre({ size: [nx, ny, nz], mm }: Coarse, isMeant: (at: number) => boolean): Vector3 {
  let [x, y, z, count] = [0, 0, 0, 0];
  for (let at = 0; at < nx * ny * nz; at++) {
    if (!isMeant(at)) continue;
    x += at % nx;
    y += Math.floor(at / nx) % ny;
    z += Math.floor(at / (nx * ny));
    count++;
  }
  return [(x / count) * mm[0], (y / count) * mm[1], (z / count) * mm[2]];
}

/**
 * Three signs that must agree: the bones lie below the middle of the body, the lower third holds far more bone than the upper
 * (shoulders), and heart and diaphragm fill the place between the lungs above rather than below.
 */
function isUpsideDown(coarse: Coarse, bone: Uint8Array, bonesUpMm: number): boolean {
  const { hu, size, mm } = coarse;
  const [nx, ny, nz] = size;
  if (nz * mm[2] > longestChestMm || bonesUpMm > -15) return false;
  const plane = nx * ny;
  const sumOf = (from: number, to: number, of: (slice: number) => number): number => {
    let sum = 0;
    for (let z = from; z < to; z++) sum += of(z);
    return sum;
  };
  const third = Math.floor(nz / 3);
  const bones = (z: number): number => bone.subarray(z * plane, (z + 1) * plane).reduce((sum, one) => sum + one, 0);
  if (sumOf(nz - third, nz, bones) > 0.6 * sumOf(0, third, bones)) return false;
  const lungs = Array.from({ length: nz }, (_, z) => lungsOf(hu.subarray(z * plane, (z + 1) * plane), nx, ny));
  const most = Math.max(...lungs.map(({ voxels }) => voxels));
  const shown = lungs.map(({ voxels }, z) => (voxels > 0.1 * most ? z : -1)).filter((z) => z >= 0);
  if (shown.length < 9) return false;
  const part = Math.floor(shown.length / 3);
  const filled = (slices: readonly number[]): number =>
    slices.reduce((sum, z) => sum + lungs[z].filled, 0) / slices.reduce((sum, z) => sum + lungs[z].box, 0);
  return filled(shown.slice(-part)) > filled(shown.slice(0, part));
}

interface LungSlice {
  readonly voxels: number;
  /** Voxels of the box around the lungs, and of those what is filled with tissue. */
  readonly box: number;
  readonly filled: number;
}

/** Air of a slice that the body encloses. */
function lungsOf(slice: Float32Array, nx: number, ny: number): LungSlice {
  const outside = new Uint8Array(slice.length);
  const queue: number[] = [];
  const visit = (at: number): void => {
    if (outside[at] === 1 || slice[at] >= lungHu) return;
    outside[at] = 1;
    queue.push(at);
  };
  for (let x = 0; x < nx; x++) [x, x + nx * (ny - 1)].forEach(visit);
  for (let y = 0; y < ny; y++) [nx * y, nx * y + nx - 1].forEach(visit);
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const x = at % nx;
    if (x > 0) visit(at - 1);
    if (x < nx - 1) visit(at + 1);
    if (at >= nx) visit(at - nx);
    if (at < slice.length - nx) visit(at + nx);
  }
  const [xs, ys]: [number[], number[]] = [[], []];
  for (let at = 0; at < slice.length; at++) {
    if (slice[at] >= lungHu || outside[at] === 1) continue;
    xs.push(at % nx);
    ys.push(Math.floor(at / nx));
  }
  if (xs.length === 0) return { voxels: 0, box: 0, filled: 0 };
  // Without the outermost: a bubble in the skin must not widen the box.
  const range = (list: number[]): readonly [number, number] => {
    list.sort((a, b) => a - b);
    return [list[Math.floor(0.02 * list.length)], list[Math.ceil(0.98 * list.length) - 1]];
  };
  const [[x0, x1], [y0, y1]] = [range(xs), range(ys)];
  let filled = 0;
  for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) if (slice[x + nx * y] > -100) filled++;
  return { voxels: xs.length, box: (x1 - x0 + 1) * (y1 - y0 + 1), filled };
}
