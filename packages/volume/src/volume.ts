/**
 * A volume: voxels on a regular grid in patient space.
 *
 * Voxels are stored x fastest, then y, then z (the order of NIfTI, and of a C-ordered [D, H, W] tensor with
 * D = z, H = y, W = x). The affine maps voxel indices (i, j, k, 1) to millimetres in RAS+ world space: x increases
 * towards the patient's right, y towards anterior, z towards superior.
 */
export type VoxelArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Number of voxels along x, y, z. */
export type Size3 = readonly [number, number, number];

/** Three numbers along x, y, z (millimetres, voxels or a direction; the name of the variable says which). */
export type Vector3 = readonly [number, number, number];

/** 4×4 matrix, row-major, 16 numbers; last row 0 0 0 1. Voxel index → RAS millimetres. */
export type Affine = readonly number[];

export interface Volume<T extends VoxelArray = VoxelArray> {
  /** size[0]·size[1]·size[2] values, x fastest. */
  readonly voxels: T;
  readonly size: Size3;
  readonly affine: Affine;
}
