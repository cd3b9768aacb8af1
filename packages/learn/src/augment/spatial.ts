/**
 * Rotation, scaling and elastic deformation as ONE resampling of the scan, evaluated only for the patch's voxels:
 * the image by cubic B-spline on coefficients that were computed once per scan, the labels by nearest neighbour.
 *
 * Source position of patch voxel o:  start + c + scale · R · (o − c + d(o)),  c = the patch's centre, R = Rx · Ry · Rz,
 * d = elastic displacement, all in voxels (as in batchgenerators, so an anisotropic grid shears slightly).
 * Soft votes, where there are some, are interpolated linearly, class by class.
 * The trap is the border: a voxel owns its cell, so the scan ends half a voxel beyond its outermost samples, for
 * image and labels alike; inside that half voxel the spline is mirrored.
 */
import { sampleCubic, type Size3, type Vector3 } from '@quickcolumn/volume';
import { type DisplacementField, readFieldRow } from './elastic.js';
import { readVotes, type SoftVotes } from './soft-votes.js';

export interface SpatialTransform {
  /** About x, y and z, in radians. */
  readonly angles: Vector3;
  /** Multiplies source coordinates. */
  readonly scale: number;
  readonly elastic?: DisplacementField;
}

/** What to resample. Arrays are x fastest, size[0]·size[1]·size[2] long. */
export interface SpatialSource {
  readonly coefficients: Float32Array;
  readonly labels: Uint8Array;
  readonly votes?: SoftVotes | undefined;
  readonly size: Size3;
}

/** Image value and label where there is no scan. */
export interface Fill {
  readonly image: number;
  readonly label: number;
}

export interface SpatialOptions {
  readonly patch: Size3;
  /** Scan voxel under patch voxel 0 0 0 before the transform; negative in padding. */
  readonly start: Size3;
  readonly transform: SpatialTransform;
  /** Fill of the padding of a scan smaller than the patch. */
  readonly padding: Fill;
  /** Fill outside the padded scan. */
  readonly outside: Fill;
}

/** Rows of scale · Rx · Ry · Rz. */
function transformMatrix([ax, ay, az]: Vector3, scale: number): Float64Array {
  const [cx, sx, cy, sy, cz, sz] = [ax, ay, az].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
  const rotation = [
    cy * cz,
    -cy * sz,
    sy,
    cx * sz + sx * sy * cz,
    cx * cz - sx * sy * sz,
    -sx * cy,
    sx * sz - cx * sy * cz,
    sx * cz + cx * sy * sz,
    cx * cy,
  ];
  return Float64Array.from(rotation, (entry) => scale * entry);
}

/** Resamples one patch. Returns new arrays of patch[0]·patch[1]·patch[2] values, `truth` (of votes) of as many a class. */
export function resamplePatch(
  source: SpatialSource,
  options: SpatialOptions,
): { image: Float32Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer>; truth?: Float32Array<ArrayBuffer> } {
  const { coefficients, labels, size } = source;
  const { patch, start, transform, padding, outside } = options;
  const [nx, ny, nz] = size;
  const matrix = transformMatrix(transform.angles, transform.scale);
  const [mxx, mxy, mxz, myx, myy, myz, mzx, mzy, mzz] = matrix;
  const centre = [(patch[0] - 1) / 2, (patch[1] - 1) / 2, (patch[2] - 1) / 2];
  const pad = size.map((length, axis) => Math.floor(Math.max(0, patch[axis] - length) / 2));
  const boxHigh = size.map((length, axis) => Math.max(length, patch[axis]) - pad[axis] - 0.5);

  const image = new Float32Array(patch[0] * patch[1] * patch[2]);
  const outLabels = new Uint8Array(image.length);
  const votes = source.votes && readVotes(source.votes.packed, size, image.length);
  const field = transform.elastic;
  const dx = new Float32Array(patch[0]);
  const dy = new Float32Array(patch[0]);
  const dz = new Float32Array(patch[0]);
  const fieldRow = { rows: [dx, dy, dz] as const, scratch: new Float32Array(field?.size[0] ?? 0) };

  let to = 0;
  for (let z = 0; z < patch[2]; z++) {
    for (let y = 0; y < patch[1]; y++) {
      if (field) readFieldRow(field, y, z, fieldRow);
      for (let x = 0; x < patch[0]; x++, to++) {
        const ox = x - centre[0] + dx[x];
        const oy = y - centre[1] + dy[x];
        const oz = z - centre[2] + dz[x];
        const px = start[0] + centre[0] + mxx * ox + mxy * oy + mxz * oz;
        const py = start[1] + centre[1] + myx * ox + myy * oy + myz * oz;
        const pz = start[2] + centre[2] + mzx * ox + mzy * oy + mzz * oz;

        if (!(px >= -0.5 && py >= -0.5 && pz >= -0.5 && px < nx - 0.5 && py < ny - 0.5 && pz < nz - 0.5)) {
          const padded =
            px >= -pad[0] - 0.5 &&
            py >= -pad[1] - 0.5 &&
            pz >= -pad[2] - 0.5 &&
            px < boxHigh[0] &&
            py < boxHigh[1] &&
            pz < boxHigh[2];
          image[to] = padded ? padding.image : outside.image;
          outLabels[to] = padded ? padding.label : outside.label;
          votes?.fill(to, outLabels[to]);
          continue;
        }
        outLabels[to] = labels[(Math.floor(pz + 0.5) * ny + Math.floor(py + 0.5)) * nx + Math.floor(px + 0.5)];

        image[to] = sampleCubic(coefficients, size, px, py, pz);
        votes?.sample(to, px, py, pz);
      }
    }
  }
  return { image, labels: outLabels, ...(votes && { truth: votes.truth }) };
}
