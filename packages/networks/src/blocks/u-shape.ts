/**
 * The U that most of the networks share (Ronneberger et al. 2015, Çiçek et al. 2016): blocks on the way down, their
 * outputs kept as skips, blocks on the way up that join the skip of their level. What the blocks are is the network's.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from './builder.js';
import { concat, maxPool, upConv } from './layers.js';

/** Halvings of the grid. */
export const levels = 4;

/** What every side of a patch must then be a multiple of. */
export const patchMultiple: number = 2 ** levels;

export interface UParts {
  /** The block of a level on the way down; level 0 gets the image. Names lie within `encoder{level}`. */
  encode(builder: Builder, x: GraphNode, level: number): GraphNode;
  /** From level − 1 to `level`, names within `down{level}`. Default: max pooling. */
  down?(builder: Builder, x: GraphNode, level: number): GraphNode;
  /** From level + 1 to `level`, names within `decoder{level}/up`. Default: transposed convolution to `width(level)`. */
  up?(builder: Builder, x: GraphNode, level: number): GraphNode;
  /** What of the skip is joined, given the coarser features; names within `decoder{level}`. Default: all of it. */
  skip?(builder: Builder, skip: GraphNode, coarser: GraphNode, level: number): GraphNode;
  /** The block of a level on the way up; `x` is skip and up-sampled features joined. Names within `decoder{level}`. */
  decode(builder: Builder, x: GraphNode, level: number): GraphNode;
  width(level: number): number;
}

/** The features of every decoder level, finest first. */
export function uShape(builder: Builder, image: GraphNode, parts: UParts): GraphNode[] {
  let x = image;
  const skips: GraphNode[] = [];
  for (let level = 0; level <= levels; level++) {
    const down = within(builder, `down${level}`);
    if (level > 0) x = parts.down === undefined ? maxPool(down, x) : parts.down(down, x, level);
    x = parts.encode(within(builder, `encoder${level}`), x, level);
    skips.push(x);
  }
  const features: GraphNode[] = [];
  for (let level = levels - 1; level >= 0; level--) {
    const decoder = within(builder, `decoder${level}`);
    const up = within(decoder, 'up');
    const skip = parts.skip === undefined ? skips[level] : parts.skip(decoder, skips[level], x, level);
    const fine = parts.up === undefined ? upConv(up, x, parts.width(level)) : parts.up(up, x, level);
    x = parts.decode(decoder, concat(builder, skip, fine), level);
    features.unshift(x);
  }
  return features;
}
