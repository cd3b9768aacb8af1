/** The sizes that kernels of convolutions may be cut into: what a tile is, for each family of kernels. */
import type { KernelContext } from '../kernels/kernel.js';

/** `rows` × `columns` voxels of `blocks` × 4 channels for each of `lanes` invocations of a workgroup. */
export interface DirectTile {
  readonly kind: 'direct';
  readonly rows: number;
  readonly columns: number;
  readonly blocks: number;
  readonly lanes: number;
}

/** 8 × 8 × `layers` invocations; each has `planes` voxels of `blocks` × 4 channels. */
export interface StagedTile {
  readonly kind: 'staged';
  readonly planes: number;
  readonly layers: number;
  readonly blocks: number;
}

export interface TransposedTile {
  readonly columns: number;
  readonly blocks: number;
  readonly lanes: number;
}

export interface GradientTile {
  /** Neighbouring voxels of a step, and output blocks of an invocation. */
  readonly columns: number;
  readonly blocks: number;
  /** Invocations of a workgroup; a multiple of 8 when `join`. */
  readonly lanes: number;
  /** All rows of taps of one kz in one invocation. */
  readonly wholePlane: boolean;
  /** Whether a workgroup joins its sums in workgroup memory. */
  readonly join: boolean;
  /** How many workgroups there should be. */
  readonly workgroups: number;
}

export type ConvolutionTile = DirectTile | StagedTile;

/** Families of kernels: conv3d and its input gradient, the transposed convolution, the weight gradient. */
export interface Tiles {
  readonly convolution: ConvolutionTile;
  readonly transposed: TransposedTile;
  readonly gradient: GradientTile;
}
export type TileFamily = keyof Tiles;

/** Kinds of convolution: kernels with neighbours, of one voxel, and with the kernel as stride. */
export type ConvolutionKind = 'neighbours' | 'pointwise' | 'strided';

/** What the convolution kernels may know beside `KernelContext`. */
export interface ConvolutionContext extends KernelContext {
  /** Names of tiles by `tileKey`, in place of the tables' choice. */
  readonly tiles?: ReadonlyMap<string, string>;
}
