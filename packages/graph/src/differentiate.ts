/**
 * Reverse-mode differentiation: appends the gradient nodes of a scalar to its own graph.
 * Each operation's rule is written with other operations, so every runtime gets training for free.
 */
import { GraphError } from './errors.js';
import type { Graph } from './graph.js';
import type { GraphNode, OperationNode } from './node.js';
import { operationOf } from './operations/index.js';
import type { InputGradient } from './operations/operation.js';
import { type OperationName, operationSpecs } from './operations/specs.js';

/**
 * Appends d loss / d target for every target, and no nodes that only other gradients would need.
 * @returns One node per target, of the target's shape.
 * @throws GraphError where no gradient flows from the loss to a target, or where it would have to flow through an input
 *   that an operation has no rule for
 */
export function differentiate(graph: Graph, loss: GraphNode, targets: readonly GraphNode[]): GraphNode[] {
  if (loss.shape.length !== 0)
    throw new GraphError('differentiate', `the loss has shape [${loss.shape}], expected a scalar`);
  const depends = dependsOn(graph, targets);
  const gradients = new Map<number, GraphNode>([[loss.id, graph.constant(1)]]);
  const forward = graph.nodes.slice(0, loss.id + 1);
  for (const node of forward.reverse()) {
    const dy = gradients.get(node.id);
    if (!dy || !isOperation(node) || !depends.has(node.id)) continue;
    for (const [input, contribution] of contributions(node, dy, { graph, depends })) {
      const earlier = gradients.get(input.id);
      gradients.set(input.id, earlier ? graph.apply('add', [earlier, contribution]) : contribution);
    }
  }
  return targets.map((target) => {
    const gradient = gradients.get(target.id);
    if (gradient) return gradient;
    const name = target.name ?? target.op;
    const reason = dependsOn(graph, [target]).has(loss.id)
      ? `no gradient flows to ${name}: the loss reads it only as labels or as a mask`
      : `the loss does not depend on ${name}`;
    throw new GraphError('differentiate', reason);
  });
}

const isOperation = (node: GraphNode): node is OperationNode<OperationName> & GraphNode =>
  node.op !== 'input' && node.op !== 'variable' && node.op !== 'constant';

/** What a node adds to the gradients of its inputs, all made before any is added up. */
function contributions(
  node: OperationNode<OperationName>,
  dy: GraphNode,
  { graph, depends }: { readonly graph: Graph; readonly depends: ReadonlySet<number> },
): [input: GraphNode, contribution: GraphNode][] {
  const rules: readonly InputGradient[] = operationOf(node.op).gradient(node, dy, graph);
  const made: [GraphNode, GraphNode][] = [];
  node.inputs.forEach((input, position) => {
    const rule = rules[position];
    if (rule === 'none' || !depends.has(input.id)) return;
    if (typeof rule !== 'function') {
      const names: readonly string[] | 'variadic' = operationSpecs[node.op].inputs;
      throw new GraphError(node.op, `not differentiable for its input ${names[position]}: ${rule.unsupported}`);
    }
    made.push([input, rule()]);
  });
  return made;
}

function dependsOn(graph: Graph, targets: readonly GraphNode[]): Set<number> {
  const found = new Set(targets.map((target) => target.id));
  for (const node of graph.nodes) if (node.inputs.some((input) => found.has(input.id))) found.add(node.id);
  return found;
}
