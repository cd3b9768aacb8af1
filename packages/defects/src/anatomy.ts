/**
 * Whether the patient lies as the affine says: a converter that loses an axis leaves a scan that looks right slice by slice,
 * and a network that draws lungs into a chest upside down.
 *
 * Looked at on a grid of about 4 mm along L, P and S. The spine is the one bone that goes through a chest from end to end, it
 * lies behind the middle of the body, and lungs are narrow above and wide below. Each conclusion asks for wide margins: of 14 real scans, whole and in their own orientation, none is doubted; of their copies with
 * axes exchanged or turned round, nearly all are. Left and right cannot be told: the heart is not far enough to the left.
 */
import { intensityScaleOf, reorient, type Size3, spacingMm, type Vector3, type Volume } from '@quickcolumn/volume';
import { enclosedAir } from './enclosed-air.js';

/** Of the coarse grid. */
const coarseMm = 4;
/** A scan must show at least this of the body, and in this many voxels, along each axis. */
const [shortestMm, fewestVoxels] = [180, 16];
/** Beyond this length gas of the bowel may be taken for lungs. */
const longestChestMm = 480;
/** HU: gas, lungs and air below, body above; bone, where the scan goes so high. */
const [gasHu, lungHu, bodyHu, boneHu] = [-950, -500, -300, 180];

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
  if (isUpsideDown(coarse)) {
    return 'the lungs are narrow below and wide above; top and bottom may be exchanged';
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
 * The tops of the lungs lie beside the windpipe, their lowest parts far out along the ribs: the mean distance from the middle
 * is 1.26 to 1.9 times larger below in 13 real scans.
 */
function isUpsideDown({ hu, size: [nx, ny, nz], mm }: Coarse): boolean {
  if (nz * mm[2] > longestChestMm) return false;
  const plane = nx * ny;
  const lungs = Array.from({ length: nz }, (_, z): number[] => {
    const slice = hu.subarray(z * plane, (z + 1) * plane);
    const columns: number[] = [];
    for (const [at, inside] of enclosedAir(slice, nx, ny, lungHu).entries()) {
      if (inside === 1 && slice[at] > gasHu) columns.push(at % nx);
    }
    return columns;
  });
  const most = lungs.reduce((largest, { length }) => Math.max(largest, length), 0);
  const shown = lungs.filter(({ length }) => length > 0.06 * most);
  if (shown.length < 9) return false;
  const third = Math.floor(shown.length / 3);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(shown.slice(third, 2 * third).flat());
  const part = Math.max(1, Math.round(0.12 * shown.length));
  const spread = (slices: readonly number[][]): number => mean(slices.flat().map((x) => Math.abs(x - middle)));
  return spread(shown.slice(0, part)) < 0.85 * spread(shown.slice(-part));
}
