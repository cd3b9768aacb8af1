/**
 * Which tile a convolution uses: a table by kind of kernel and kind of adapter, or the tile that the caller names.
 *
 * Each list goes from the largest tile to the smallest; the first one that leaves enough workgroups to fill the adapter is
 * taken. On a software adapter large tiles save reads, which are what costs there, but take seconds to compile,
 * so that small convolutions get small ones. The trap: tiles decide the order of sums. A choice must not
 * change between runs that are to agree bit for bit. The card's tables come from reasoning, not from a card.
 */
import type { KernelContext } from '../kernel.js';
import { directGroups } from './direct.js';
import { type Geometry, operationsOf } from './geometry.js';
import { stagedGroups, stagedMemory } from './staged.js';
import { transposedGroups } from './transposed.js';

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
/** Kinds of convolution: kernels with neighbours, of one voxel, and with the kernel as stride. */
type ConvolutionKind = 'neighbours' | 'pointwise' | 'strided';

/** What the convolution kernels may know beside `KernelContext`. */
export interface ConvolutionContext extends KernelContext {
  /** True where a processor plays graphics card (`GpuDevice.software`). */
  readonly software?: boolean;
  /** Tiles by `tileKey`, in place of the tables'. */
  readonly tiles?: ReadonlyMap<string, ConvolutionTile>;
}

const direct = (rows: number, columns: number, blocks: number, lanes: number): DirectTile => ({
  kind: 'direct',
  rows,
  columns,
  blocks,
  lanes,
});
const staged = (planes: number, layers: number, blocks: number): StagedTile => ({
  kind: 'staged',
  planes,
  layers,
  blocks,
});

const processor: Readonly<Record<ConvolutionKind, readonly ConvolutionTile[]>> = {
  neighbours: [direct(4, 4, 4, 4), direct(2, 4, 2, 4), direct(1, 4, 1, 4)],
  pointwise: [direct(1, 8, 4, 4), direct(1, 4, 2, 4), direct(1, 2, 1, 4)],
  strided: [direct(2, 4, 4, 4), direct(1, 4, 2, 4), direct(1, 2, 1, 4)],
};
const card: Readonly<Record<ConvolutionKind, readonly ConvolutionTile[]>> = {
  neighbours: [staged(8, 2, 2), staged(4, 2, 2), staged(4, 2, 1), staged(2, 1, 1), direct(1, 1, 1, 64)],
  pointwise: [direct(1, 4, 4, 64), direct(1, 4, 2, 64), direct(1, 1, 2, 64), direct(1, 1, 1, 64)],
  strided: [direct(1, 4, 4, 64), direct(1, 2, 2, 64), direct(1, 1, 1, 64)],
};
/** Workgroups that a card should get at least. */
const fill = 264;
/** Operations on a software adapter from which on the first and the second tile are worth their compilation. */
const worth = [2e8, 4e6];

function kindOf({ kernel, stride }: Pick<Geometry, 'kernel' | 'stride'>): ConvolutionKind {
  if (stride > 1) return 'strided';
  return kernel.some((size) => size > 1) ? 'neighbours' : 'pointwise';
}

/** All tiles that the adapter can run this convolution with. */
export function candidates(g: Geometry, { software = false, limits }: ConvolutionContext): ConvolutionTile[] {
  return (software ? processor : card)[kindOf(g)].filter(
    (tile) =>
      tile.kind === 'direct' ||
      (stagedMemory(g, tile) <= limits.maxComputeWorkgroupStorageSize &&
        64 * tile.layers <= limits.maxComputeInvocationsPerWorkgroup),
  );
}

/** Under which a measured tile is kept: the geometry, on one adapter. */
export function tileKey({ batch, inputs, outputs, from, to, kernel, stride }: Geometry): string {
  return [[batch, inputs, outputs], from, to, [...kernel, stride]].map((list) => list.join('x')).join('/');
}

const groupsOf = (g: Geometry, tile: ConvolutionTile): number =>
  tile.kind === 'staged' ? stagedGroups(g, tile) : directGroups(g, tile);

export function chooseTile(g: Geometry, context: ConvolutionContext): ConvolutionTile {
  const measured = context.tiles?.get(tileKey(g));
  if (measured) return measured;
  const list = candidates(g, context);
  return pick(list, g, { software: context.software, groups: (tile) => groupsOf(g, tile) });
}

const processorTransposed: readonly TransposedTile[] = [
  { columns: 8, blocks: 4, lanes: 4 },
  { columns: 4, blocks: 2, lanes: 4 },
  { columns: 2, blocks: 1, lanes: 4 },
];
const cardTransposed: readonly TransposedTile[] = [
  { columns: 4, blocks: 2, lanes: 64 },
  { columns: 2, blocks: 2, lanes: 64 },
  { columns: 1, blocks: 1, lanes: 64 },
];

export function chooseTransposedTile(g: Geometry, { software }: ConvolutionContext): TransposedTile {
  const list = software ? processorTransposed : cardTransposed;
  return pick(list, g, { software, groups: (tile) => transposedGroups(g, tile) });
}

export function chooseGradientTile(g: Geometry, { software }: ConvolutionContext): GradientTile {
  if (!software) return { columns: 1, blocks: 2, lanes: 64, wholePlane: false, join: true, workgroups: 2048 };
  const small = { columns: 2, blocks: 1, lanes: 4, wholePlane: false, join: false, workgroups: 16 };
  return operationsOf(g) < worth[0] ? small : { ...small, columns: 4, blocks: 2, wholePlane: true, workgroups: 64 };
}

function pick<T>(
  list: readonly T[],
  g: Geometry,
  { software = false, groups }: { software?: boolean; groups: (tile: T) => number },
): T {
  const at = software
    ? worth.findIndex((operations) => operationsOf(g) >= operations)
    : list.findIndex((tile) => groups(tile) >= fill);
  return at < 0 ? list[list.length - 1] : list[at];
}
