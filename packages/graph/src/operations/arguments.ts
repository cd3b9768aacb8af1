/**
 * Checks what `Graph.apply` is given against the table of operations. The compiler has done so already where it could
 * see; this is for JavaScript, and for what was read from files.
 */
import { GraphError } from '../errors.js';
import { type OperationName, type OperationSpec, operationSpecs } from './specs.js';

/** @throws GraphError for an unknown operation, a wrong number of inputs, a wrong, missing or unknown attribute */
export function checkArguments(
  op: string,
  inputs: readonly unknown[],
  attributes: Readonly<Record<string, unknown>>,
): asserts op is OperationName {
  if (!Object.hasOwn(operationSpecs, op)) throw new GraphError(op, 'there is no such operation');
  const spec: OperationSpec = operationSpecs[op as OperationName];
  checkCount(op, inputs.length, spec);
  for (const name of Object.keys(attributes)) {
    if (Object.hasOwn(spec.attributes, name)) continue;
    const known = Object.keys(spec.attributes).join(', ') || 'none';
    throw new GraphError(op, `there is no attribute ${name}; the attributes are: ${known}`);
  }
  for (const [name, kind] of Object.entries(spec.attributes)) {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (!suits(value, kind))
      throw new GraphError(op, `the attribute ${name} is ${shown(value)}, expected ${wanted(kind)}`);
  }
}

function checkCount(op: string, count: number, { inputs }: OperationSpec): void {
  if (inputs === 'variadic') {
    if (count === 0) throw new GraphError(op, 'expected at least one input, got none');
  } else if (count !== inputs.length) {
    const expected = `${inputs.length} ${inputs.length === 1 ? 'input' : 'inputs'}`;
    throw new GraphError(op, `expected ${expected} (${inputs.join(', ')}), got ${count}`);
  }
}

type Kind = OperationSpec['attributes'][string];

function suits(value: unknown, kind: Kind): boolean {
  if (kind === 'boolean') return typeof value === 'boolean';
  if (kind === 'number') return typeof value === 'number' && !Number.isNaN(value);
  if (kind === 'integer') return Number.isInteger(value);
  if (kind === 'integers') return Array.isArray(value) && value.every(Number.isInteger);
  return typeof value === 'string' && kind.includes(value);
}

const article = { boolean: 'true or false', number: 'a number', integer: 'a whole number', integers: 'whole numbers' };
const wanted = (kind: Kind): string => (typeof kind === 'string' ? article[kind] : kind.join(' or '));
const shown = (value: unknown): string => {
  if (value === undefined) return 'missing';
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
};
