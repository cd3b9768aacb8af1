/**
 * Collects ONNX nodes while a graph is lowered: fresh names, shared constants, short calls.
 * A nested emitter (the body of a Loop) shares the outer names, as ONNX subgraphs see outer values.
 * Generated names start with #, so that they do not meet the names of inputs, variables and outputs.
 */
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './proto.js';

export type AttributeValue = number | string | readonly number[] | OnnxAttribute;

/** A float attribute; plain numbers are integers. */
export const floatAttribute = (value: number): OnnxAttribute => ({ kind: 'float', value });

function attribute(value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if ('kind' in value) return value;
  return { kind: 'ints', value };
}

export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Map<string, OnnxTensor>;
  private readonly counter: { next: number };

  constructor(outer?: Emitter) {
    this.initializers = outer?.initializers ?? new Map();
    this.counter = outer?.counter ?? { next: 0 };
  }

  fresh(): string {
    return `#${this.counter.next++}`;
  }

  /** Emits a node with one output and returns the output's name. `domain:Op` selects another operator set. */
  emit(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.emitMany(op, inputs, 1, attributes)[0];
  }

  emitMany(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.fresh());
    const colon = op.indexOf(':');
    this.nodes.push({
      op: op.slice(colon + 1),
      ...(colon > 0 ? { domain: op.slice(0, colon) } : {}),
      inputs,
      outputs: names,
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attribute(value)])),
    });
    return names;
  }

  /** A constant vector (or scalar, with shape []) of int64. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const name = `#i_${shape.length}_${values.join('_')}`;
    const bytes = (): Uint8Array => new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
    if (!this.initializers.has(name)) this.initializers.set(name, { name, type: 'int64', shape, bytes: bytes() });
    return name;
  }

  /** A constant scalar. */
  float(value: number): string {
    const name = `#f_${value}`;
    const bytes = (): Uint8Array => new Uint8Array(Float32Array.of(value).buffer);
    if (!this.initializers.has(name)) this.initializers.set(name, { name, type: 'float32', shape: [], bytes: bytes() });
    return name;
  }

  /** A named constant tensor, made at most once. */
  floats(name: string, shape: readonly number[], make: () => Float32Array): string {
    if (!this.initializers.has(name)) {
      const data = make();
      this.initializers.set(name, {
        name,
        type: 'float32',
        shape,
        bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      });
    }
    return name;
  }

  reshape(x: string, shape: readonly number[]): string {
    return this.emit('Reshape', [x, this.ints(shape)]);
  }

  slice(x: string, axis: number, start: number, end: number): string {
    return this.emit('Slice', [x, this.ints([start]), this.ints([end]), this.ints([axis])]);
  }

  reduceSum(x: string, axes: readonly number[], keep = false): string {
    return this.emit('ReduceSum', [x, this.ints(axes)], { keepdims: keep ? 1 : 0 });
  }
}
