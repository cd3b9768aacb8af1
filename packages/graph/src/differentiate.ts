/**
 * Reverse-mode differentiation: appends the gradient nodes of a scalar to its own graph.
 * Each operation's rule is written with other operations, so every runtime gets training for free.
 */
import { GraphError } from './errors.js';
import type { Graph, GraphNode } from './graph.js';
import { operations } from './operations/index.js';

/**
 * Appends d loss / d target for every target.
 * @returns One node per target, of the target's shape. Throws when the loss does not depend on a target or passes
 *   through an operation without a gradient.
 */
export function differentiate(graph: Graph, loss: GraphNode, targets: readonly GraphNode[]): GraphNode[] {
  if (loss.shape.length !== 0)
    throw new GraphError('differentiate', `the loss has shape [${loss.shape}], expected a scalar`);
  const depends = dependsOn(graph, targets);
  const gradients = new Map<number, GraphNode>([[loss.id, graph.constant(1)]]);
  const forward = graph.nodes.slice(0, loss.id + 1);
  for (const node of forward.reverse()) {
    const dy = gradients.get(node.id);
    if (!dy || node.inputs.length === 0 || !depends.has(node.id)) continue;
    const operation = operations.get(node.op);
    if (!operation?.gradient) throw new GraphError(node.op, 'this operation has no gradient');
    operation.gradient(node, dy, graph).forEach((contribution, i) => {
      const input = node.inputs[i];
      if (!contribution || !depends.has(input.id)) return;
      const earlier = gradients.get(input.id);
      gradients.set(input.id, earlier ? graph.apply('add', [earlier, contribution]) : contribution);
    });
  }
  return targets.map((target) => {
    const gradient = gradients.get(target.id);
    if (!gradient) throw new GraphError('differentiate', `the loss does not depend on ${target.name ?? target.op}`);
    return gradient;
  });
}

function dependsOn(graph: Graph, targets: readonly GraphNode[]): Set<number> {
  const found = new Set(targets.map((target) => target.id));
  for (const node of graph.nodes) if (node.inputs.some((input) => found.has(input.id))) found.add(node.id);
  return found;
}
