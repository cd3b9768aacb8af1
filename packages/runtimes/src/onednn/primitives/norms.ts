/**
 * Batch normalisation: in training found in the graph and run as one primitive each way, with given statistics folded into
 * one multiply-add a channel.
 *
 * The graph spells it out (mean from a channel sum, variance from the mean; in the gradient two sums a channel and a
 * combination), so that every runtime can execute it; oneDNN has both passes as primitives that read the image once
 * or twice. A group is only taken when all of its parts are there and belong together.
 * The trap: oneDNN 2.6 fails in the backward pass without the shift, which it does not use; 3.x fails with it.
 */
import { elementCount, type GraphNode, hasOwnStatistics, type OperationNode } from '@quickcolumn/graph';
import { argument, prop } from '../library/api.js';
import type { Tensor } from '../program/program.js';
import type { Context } from './context.js';
import { addHost } from './typescript-steps.js';

export interface NormGroup {
  /** The batchNorm node: x, mean, variance, gamma, beta. */
  readonly norm: OperationNode<'batchNorm'>;
  readonly sum: GraphNode;
}

export interface NormGradientGroup {
  readonly group: NormGroup;
  /** Σdy, Σdy·x and a·dy + b·x + c. */
  readonly sum: GraphNode;
  readonly sumProduct: GraphNode;
  readonly combine: OperationNode<'channelCombine'>;
}

export interface NormGroups {
  /** By the id of the node at which the group is listed: its first channel sum. */
  readonly forward: ReadonlyMap<number, NormGroup>;
  readonly backward: ReadonlyMap<number, NormGradientGroup>;
}

export function findNorms(context: Context): NormGroups {
  const forward = new Map<number, NormGroup>();
  const backward = new Map<number, NormGradientGroup>();
  for (const norm of context.nodes) {
    if (norm.op !== 'batchNorm' || !norm.attributes.training || !hasOwnStatistics(norm)) continue;
    const [x, mean, , gamma, beta] = norm.inputs;
    const [sum] = mean.inputs;
    const known = [gamma, beta].every(({ op }) => op === 'variable');
    if (!known || context.form(x).layout !== 'image') continue;
    const group = { norm, sum };
    forward.set(sum.id, group);
    const combine = context
      .readers(x)
      .find(
        (node): node is OperationNode<'channelCombine'> =>
          node.op === 'channelCombine' && node.inputs[1] === x && node.inputs[2].inputs[0] === gamma,
      );
    const sumProduct = context
      .readers(x)
      .find((node) => node.op === 'channelSumProduct' && node.inputs[0] === combine?.inputs[0] && node.inputs[1] === x);
    // Σdy·x − mean·Σdy: norms may share a dy, and each has a sum of its own.
    const covariance = sumProduct && context.readers(sumProduct).find(({ op }) => op === 'sub');
    const dySum = covariance?.inputs[1]?.inputs[1];
    if (combine && sumProduct && dySum?.op === 'channelSum')
      backward.set(dySum.id, { group, sum: dySum, sumProduct, combine });
  }
  return { forward, backward };
}

/** The nodes that a group's primitives make; the lowering passes over them. */
export function normMembers({ forward, backward }: NormGroups): Set<number> {
  const members = new Set<number>();
  for (const { norm, sum } of forward.values())
    for (const node of [norm, sum, norm.inputs[1], norm.inputs[2]]) members.add(node.id);
  for (const { sum, sumProduct, combine } of backward.values())
    for (const node of [sum, sumProduct, combine]) members.add(node.id);
  return members;
}

const flagsOf = (context: Context): number => {
  const { normFlags } = context.program.library.api;
  return normFlags.scale | normFlags.shift;
};

/** Forward descriptors, which the backward ones take as a hint, by the id of the norm. */
export type NormHints = Map<number, bigint>;

export function addNorm(context: Context, { norm, sum }: NormGroup, hints: NormHints): void {
  const { library } = context.program;
  const [x, mean, variance, gamma, beta] = norm.inputs;
  const image = context.get(x, context.form(norm));
  const result = context.produce(norm);
  const channels = library.api.describe(gamma.shape, 'float32', [1]);
  const options = { epsilon: norm.attributes.epsilon, flags: flagsOf(context) };
  const descriptor = context.withAttributes((attributes) =>
    library.api.batchNormForward(prop.training, context.describe(image), options, attributes),
  );
  hints.set(norm.id, descriptor);
  const described = context.describe(image);
  context.program.addPrimitive('batchNorm', descriptor, [
    { argument: argument.src, tensor: image, descriptor: described, role: 'read' },
    { argument: argument.scale, tensor: context.flat(gamma), descriptor: channels, role: 'read' },
    { argument: argument.shift, tensor: context.flat(beta), descriptor: channels, role: 'read' },
    { argument: argument.mean, tensor: context.produce(mean), descriptor: channels, role: 'write' },
    { argument: argument.variance, tensor: context.produce(variance), descriptor: channels, role: 'write' },
    { argument: argument.dst, tensor: result, descriptor: described, role: 'write' },
  ]);
  const sumReaders = context.readers(sum).filter((node) => node !== mean);
  if (sumReaders.length > 0 || context.isPublished(sum)) {
    addScaled(context, sum, mean, x.shape[0] * elementCount(x.shape.slice(2)));
  }
}

/** sum = count · mean, for whoever else asks for the sum. */
function addScaled(context: Context, sum: GraphNode, mean: GraphNode, count: number): void {
  const from = context.flat(mean);
  const to = context.produce(sum);
  addHost(context, 'channelSum', {
    inputs: [from],
    results: [to],
    bind: (place) => {
      const [m, s] = [place.floats(from), place.floats(to)];
      return () => {
        for (let c = 0; c < s.length; c++) s[c] = m[c] * count;
      };
    },
  });
}

export function addNormGradient(
  context: Context,
  { group, sum, sumProduct, combine }: NormGradientGroup,
  hints: NormHints,
): void {
  const { library } = context.program;
  const { norm } = group;
  const [x, mean, variance, gamma, beta] = norm.inputs;
  const form = context.form(norm);
  const image = context.get(x, form);
  const gradient = context.get(combine.inputs[0], form);
  const result = context.program.tensor(x.shape, form.layout, { type: form.type });
  context.set(combine, result);
  const options = { epsilon: norm.attributes.epsilon, flags: flagsOf(context) };
  const hint = hints.get(norm.id);
  if (hint === undefined) throw new Error('batchNorm: its gradient comes before it');
  const described = context.describe(image);
  const descriptor = context.withAttributes((attributes) =>
    library.api.batchNormBackward(described, options, hint, attributes),
  );
  const channels = library.api.describe(gamma.shape, 'float32', [1]);
  const diffScale = context.program.tensor(gamma.shape, 'flat');
  const diffShift = context.produce(sum);
  context.program.addPrimitive('batchNormGradient', descriptor, [
    { argument: argument.src, tensor: image, descriptor: described, role: 'read' },
    { argument: argument.diffDst, tensor: gradient, descriptor: described, role: 'read' },
    { argument: argument.mean, tensor: context.flat(mean), descriptor: channels, role: 'read' },
    { argument: argument.variance, tensor: context.flat(variance), descriptor: channels, role: 'read' },
    { argument: argument.scale, tensor: context.flat(gamma), descriptor: channels, role: 'read' },
    ...(library.api.normGradientTakesShift
      ? [{ argument: argument.shift, tensor: context.flat(beta), descriptor: channels, role: 'read' as const }]
      : []),
    { argument: argument.diffSrc, tensor: result, descriptor: described, role: 'write' },
    { argument: argument.diffScale, tensor: diffScale, descriptor: channels, role: 'write' },
    { argument: argument.diffShift, tensor: diffShift, descriptor: channels, role: 'write' },
  ]);
  // dγ = Σ dy·(x − mean)/√(variance + ε), so Σ dy·x = dγ·√(variance + ε) + mean·Σ dy.
  const inputs = [diffScale, diffShift, context.flat(mean), context.flat(variance)];
  const product = context.produce(sumProduct);
  addHost(context, 'channelSumProduct', {
    inputs,
    results: [product],
    bind: (place) => {
      const [scale, shift, m, v] = inputs.map((tensor) => place.floats(tensor));
      const to = place.floats(product);
      return () => {
        for (let c = 0; c < to.length; c++) to[c] = scale[c] * Math.sqrt(v[c] + options.epsilon) + m[c] * shift[c];
      };
    },
  });
}

/** γ/√(variance + ε) and β − mean·scale: batch norm with given statistics as one multiply-add a channel. */
export function addFoldedNorm(context: Context, node: OperationNode<'batchNorm'>): { scale: Tensor; shift: Tensor } {
  const [, ...perChannel] = node.inputs;
  const [mean, variance, gamma, beta] = perChannel.map((input) => context.flat(input));
  const scale = context.program.tensor(gamma.shape, 'flat');
  const shift = context.program.tensor(gamma.shape, 'flat');
  const epsilon = node.attributes.epsilon;
  addHost(context, 'batchNorm', {
    inputs: [mean, variance, gamma, beta],
    results: [scale, shift],
    bind: (place) => {
      const [m, v, g, b] = [mean, variance, gamma, beta].map((tensor) => place.floats(tensor));
      const [a, k] = [scale, shift].map((tensor) => place.floats(tensor));
      return () => {
        for (let c = 0; c < a.length; c++) {
          a[c] = g[c] / Math.sqrt(v[c] + epsilon);
          k[c] = b[c] - m[c] * a[c];
        }
      };
    },
  });
  return { scale, shift };
}
