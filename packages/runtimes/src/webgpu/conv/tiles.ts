/**
 * Which tile a convolution uses: a table by kind of kernel and kind of adapter, or the tile that was measured to be fastest.
 *
 * Each list goes from the largest tile to the smallest; the first one that leaves enough workgroups to fill the adapter is
 * taken. On a software adapter large tiles save reads, which are what costs there, but take seconds to compile,
 * so that small convolutions get small ones. The trap: tiles decide the order of sums. A choice must not
 * change between runs that are to agree bit for bit. The card's tables come from reasoning, not from a card;
 * `../tuning/tune.ts` measures.
 */
import type { GpuTensor } from '../kernels/kernel.js';
import { directGroups } from './direct.js';
import { type Geometry, operationsOf } from './geometry.js';
import { stagedGroups, stagedMemory } from './staged.js';
import type {
  ConvolutionContext,
  ConvolutionKind,
  ConvolutionTile,
  DirectTile,
  GradientTile,
  StagedTile,
  TileFamily,
  Tiles,
  TransposedTile,
} from './tile-types.js';
import { transposedGroups } from './transposed.js';

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
/** Tiles that are only taken when they were measured to be faster. */
const otherProcessor: Readonly<Record<ConvolutionKind, readonly ConvolutionTile[]>> = {
  neighbours: [direct(4, 8, 2, 8), direct(2, 8, 4, 8)],
  pointwise: [direct(1, 8, 4, 8)],
  strided: [],
};
const otherCard: Readonly<Record<ConvolutionKind, readonly ConvolutionTile[]>> = {
  neighbours: [
    staged(8, 4, 1),
    staged(8, 2, 1),
    staged(8, 1, 2),
    staged(4, 4, 2),
    staged(4, 1, 4),
    direct(1, 4, 2, 64),
  ],
  pointwise: [direct(1, 8, 4, 32), direct(1, 2, 4, 64), direct(1, 2, 2, 128)],
  strided: [direct(1, 2, 4, 64), direct(1, 1, 2, 64)],
};
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
const otherTransposed: readonly TransposedTile[] = [
  { columns: 2, blocks: 4, lanes: 64 },
  { columns: 1, blocks: 2, lanes: 64 },
];
const smallGradient: GradientTile = { columns: 2, blocks: 1, lanes: 4, wholePlane: false, join: false, workgroups: 16 };
const processorGradient: readonly GradientTile[] = [
  { ...smallGradient, columns: 4, blocks: 2, wholePlane: true, workgroups: 64 },
  smallGradient,
];
const cardGradient: readonly GradientTile[] = [
  { columns: 1, blocks: 2, lanes: 64, wholePlane: false, join: true, workgroups: 2048 },
];
const otherGradient: readonly GradientTile[] = [
  { columns: 2, blocks: 2, lanes: 64, wholePlane: false, join: true, workgroups: 2048 },
  { columns: 2, blocks: 1, lanes: 64, wholePlane: false, join: true, workgroups: 4096 },
  { columns: 1, blocks: 1, lanes: 64, wholePlane: true, join: true, workgroups: 2048 },
  { columns: 1, blocks: 2, lanes: 128, wholePlane: false, join: true, workgroups: 1024 },
];
/** Workgroups that a card should get at least. */
const fill = 264;
/** Operations on a software adapter from which on the first and the second tile are worth their compilation. */
const worth = [2e8, 4e6];

function kindOf({ kernel, stride }: Pick<Geometry, 'kernel' | 'stride'>): ConvolutionKind {
  if (stride > 1) return 'strided';
  return kernel.some((size) => size > 1) ? 'neighbours' : 'pointwise';
}

/** The tables of a family: those that are chosen from, the ones only measured, and the workgroups a tile makes. */
interface Family<T> {
  readonly processor: (g: Geometry) => readonly T[];
  readonly otherProcessor: (g: Geometry) => readonly T[];
  readonly card: (g: Geometry) => readonly T[];
  readonly otherCard: (g: Geometry) => readonly T[];
  readonly groups: (g: Geometry, tile: T) => number;
}

const families: { readonly [F in TileFamily]: Family<Tiles[F]> } = {
  convolution: {
    processor: (g) => processor[kindOf(g)],
    otherProcessor: (g) => otherProcessor[kindOf(g)],
    card: (g) => card[kindOf(g)],
    otherCard: (g) => otherCard[kindOf(g)],
    groups: (g, tile) => (tile.kind === 'staged' ? stagedGroups(g, tile) : directGroups(g, tile)),
  },
  transposed: {
    processor: () => processorTransposed,
    otherProcessor: () => [],
    card: () => cardTransposed,
    otherCard: () => otherTransposed,
    groups: transposedGroups,
  },
  gradient: {
    processor: () => processorGradient,
    otherProcessor: () => [],
    card: () => cardGradient,
    otherCard: () => otherGradient,
    // It makes as many workgroups as the tile says.
    groups: () => Number.POSITIVE_INFINITY,
  },
};

/** Whether the adapter can run a tile. */
function isPossible(g: Geometry, tile: Tiles[TileFamily], { limits }: ConvolutionContext): boolean {
  const { maxComputeInvocationsPerWorkgroup: most, maxComputeWorkgroupStorageSize: memory } = limits;
  if ('lanes' in tile) return tile.lanes <= most;
  return stagedMemory(g, tile) <= memory && 64 * tile.layers <= most;
}

/** All tiles that the adapter can run this convolution with. */
export function candidates<F extends TileFamily>(family: F, g: Geometry, context: ConvolutionContext): Tiles[F][] {
  const tables: Family<Tiles[F]> = families[family];
  const lists = context.software ? [tables.processor, tables.otherProcessor] : [tables.card, tables.otherCard];
  return lists.flatMap((list) => list(g)).filter((tile) => isPossible(g, tile, context));
}

/** What a measured tile is kept under: the family, the geometry and what the image is stored in. */
export function tileKey(family: TileFamily, g: Geometry, { storage }: Pick<GpuTensor, 'storage'>): string {
  const { batch, inputs, outputs, from, to, kernel, stride } = g;
  const sizes = [[batch, inputs, outputs], from, to, [...kernel, stride]].map((list) => list.join('x')).join('/');
  return `${family} ${storage} ${sizes}`;
}

/** A tile in words, the same for equal tiles. */
export const tileName = (tile: Tiles[TileFamily]): string =>
  Object.entries(tile)
    .map(([name, value]) => (name === 'kind' ? value : `${name} ${value}`))
    .join(', ');

/** @param image the one that the convolution reads. */
export function chooseTile<F extends TileFamily>(
  family: F,
  g: Geometry,
  image: Pick<GpuTensor, 'storage'>,
  context: ConvolutionContext,
): Tiles[F] {
  const { software, tiles } = context;
  const measured = tiles?.get(tileKey(family, g, image));
  const known = measured && candidates(family, g, context).find((tile) => tileName(tile) === measured);
  if (known) return known;
  const tables: Family<Tiles[F]> = families[family];
  const list = (software ? tables.processor : tables.card)(g).filter((tile) => isPossible(g, tile, context));
  const at = software
    ? worth.findIndex((operations) => operationsOf(g) >= operations)
    : list.findIndex((tile) => tables.groups(g, tile) >= fill);
  return list[at] ?? list[list.length - 1];
}
