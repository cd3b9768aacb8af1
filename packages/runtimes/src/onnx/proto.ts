/**
 * Writes and reads ONNX models (ModelProto, onnx/onnx.proto, IR version 8) without a protobuf library.
 *
 * Only the fields that Quickcolumn writes are covered: nodes, attributes, initializers (as raw data), value
 * information, metadata and nested graphs. Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * The trap: protobuf lengths precede their content, so messages are built inside out and joined once at the end.
 */
export type ElementType = 'float32' | 'uint8' | 'int32' | 'int64' | 'bool' | 'float16';

const elementCodes: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

export type OnnxAttribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'graph'; readonly value: OnnxGraph };

export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  /** A string is a symbolic dimension. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian bytes of the elements in C order. */
  readonly bytes: Uint8Array;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxTensor[];
}

export interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly opset: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly producer?: string;
}

type Chunk = Uint8Array | Message;
interface Message {
  readonly chunks: Chunk[];
  length: number;
}

const utf8 = new TextEncoder();

function message(): Message {
  return { chunks: [], length: 0 };
}

function push(target: Message, chunk: Chunk): void {
  target.chunks.push(chunk);
  target.length += chunk.length;
}

function varintBytes(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

function putVarint(target: Message, field: number, value: number | bigint): void {
  push(target, varintBytes(field << 3));
  push(target, varintBytes(value));
}

function putFloat(target: Message, field: number, value: number): void {
  push(target, varintBytes((field << 3) | 5));
  push(target, new Uint8Array(new Float32Array([value]).buffer));
}

function putChunk(target: Message, field: number, chunk: Chunk): void {
  push(target, varintBytes((field << 3) | 2));
  push(target, varintBytes(chunk.length));
  push(target, chunk);
}

const putString = (target: Message, field: number, text: string): void => putChunk(target, field, utf8.encode(text));

function attributeMessage(name: string, attribute: OnnxAttribute): Message {
  const m = message();
  putString(m, 1, name);
  switch (attribute.kind) {
    case 'float':
      putFloat(m, 2, attribute.value);
      putVarint(m, 20, 1);
      break;
    case 'int':
      putVarint(m, 3, attribute.value);
      putVarint(m, 20, 2);
      break;
    case 'string':
      putString(m, 4, attribute.value);
      putVarint(m, 20, 3);
      break;
    case 'graph':
      putChunk(m, 6, graphMessage(attribute.value));
      putVarint(m, 20, 5);
      break;
    case 'ints':
      for (const value of attribute.value) putVarint(m, 8, value);
      putVarint(m, 20, 7);
      break;
  }
  return m;
}

function nodeMessage(node: OnnxNode): Message {
  const m = message();
  for (const input of node.inputs) putString(m, 1, input);
  for (const output of node.outputs) putString(m, 2, output);
  if (node.name) putString(m, 3, node.name);
  putString(m, 4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    putChunk(m, 5, attributeMessage(name, attribute));
  }
  if (node.domain) putString(m, 7, node.domain);
  return m;
}

function valueMessage(value: OnnxValue): Message {
  const shape = message();
  for (const size of value.shape) {
    const dimension = message();
    if (typeof size === 'number') putVarint(dimension, 1, size);
    else putString(dimension, 2, size);
    putChunk(shape, 1, dimension);
  }
  const tensorType = message();
  putVarint(tensorType, 1, elementCodes[value.type]);
  putChunk(tensorType, 2, shape);
  const type = message();
  putChunk(type, 1, tensorType);
  const m = message();
  putString(m, 1, value.name);
  putChunk(m, 2, type);
  return m;
}

function tensorMessage(tensor: OnnxTensor): Message {
  const m = message();
  for (const size of tensor.shape) putVarint(m, 1, size);
  putVarint(m, 2, elementCodes[tensor.type]);
  putString(m, 8, tensor.name);
  putChunk(m, 9, tensor.bytes);
  return m;
}

function graphMessage(graph: OnnxGraph): Message {
  const m = message();
  for (const node of graph.nodes) putChunk(m, 1, nodeMessage(node));
  putString(m, 2, graph.name);
  for (const tensor of graph.initializers) putChunk(m, 5, tensorMessage(tensor));
  for (const value of graph.inputs) putChunk(m, 11, valueMessage(value));
  for (const value of graph.outputs) putChunk(m, 12, valueMessage(value));
  return m;
}

function write(m: Message, target: Uint8Array, start: number): number {
  let at = start;
  for (const chunk of m.chunks) {
    if (chunk instanceof Uint8Array) {
      target.set(chunk, at);
      at += chunk.length;
    } else {
      at = write(chunk, target, at);
    }
  }
  return at;
}

/** The bytes of an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const m = message();
  putVarint(m, 1, 8);
  putString(m, 2, model.producer ?? 'quickcolumn');
  putChunk(m, 7, graphMessage(model.graph));
  for (const [domain, version] of [
    ['', model.opset],
    ['com.microsoft', 1],
  ] as const) {
    const opset = message();
    if (domain) putString(opset, 1, domain);
    putVarint(opset, 2, version);
    putChunk(m, 8, opset);
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    const entry = message();
    putString(entry, 1, key);
    putString(entry, 2, value);
    putChunk(m, 14, entry);
  }
  const bytes = new Uint8Array(m.length);
  write(m, bytes, 0);
  return bytes;
}

export interface Field {
  readonly field: number;
  readonly value: bigint;
  readonly bytes: Uint8Array;
}

/** The fields of one protobuf message, in the order written. Throws RangeError for anything else. */
export function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const readVarint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw new RangeError('truncated protobuf');
      const byte = bytes[at++];
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new RangeError('malformed protobuf varint');
  };
  const take = (length: number): Uint8Array => {
    if (length < 0 || at + length > bytes.length) throw new RangeError('truncated protobuf');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const none = new Uint8Array(0);
  while (at < bytes.length) {
    const key = Number(readVarint());
    const field = key >>> 3;
    switch (key & 7) {
      case 0:
        yield { field, value: readVarint(), bytes: none };
        break;
      case 1:
        yield { field, value: 0n, bytes: take(8) };
        break;
      case 2:
        yield { field, value: 0n, bytes: take(Number(readVarint())) };
        break;
      case 5:
        yield { field, value: 0n, bytes: take(4) };
        break;
      default:
        throw new RangeError('malformed protobuf field');
    }
  }
}

/** What `readModelParts` gives back: the metadata and the initializers. */
export interface ModelParts {
  readonly metadata: Readonly<Record<string, string>>;
  /** Views into the given bytes are copied: `bytes` of each tensor owns its memory. */
  readonly initializers: readonly OnnxTensor[];
}

const elementNames = new Map(Object.entries(elementCodes).map(([name, code]) => [code, name as ElementType]));

/** Reads metadata and initializers of a model file. Throws RangeError when the bytes are not a protobuf message. */
export function readModelParts(bytes: Uint8Array): ModelParts {
  const text = new TextDecoder();
  const metadata: Record<string, string> = {};
  const initializers: OnnxTensor[] = [];
  for (const top of fields(bytes)) {
    if (top.field === 14) {
      let key = '';
      let value = '';
      for (const entry of fields(top.bytes)) {
        if (entry.field === 1) key = text.decode(entry.bytes);
        if (entry.field === 2) value = text.decode(entry.bytes);
      }
      metadata[key] = value;
    }
    if (top.field !== 7) continue;
    for (const part of fields(top.bytes)) {
      if (part.field !== 5) continue;
      const shape: number[] = [];
      let type: ElementType | undefined;
      let name = '';
      let raw = new Uint8Array(0);
      for (const item of fields(part.bytes)) {
        if (item.field === 1) shape.push(Number(item.value));
        if (item.field === 2) type = elementNames.get(Number(item.value));
        if (item.field === 8) name = text.decode(item.bytes);
        if (item.field === 9) raw = new Uint8Array(item.bytes);
      }
      if (type) initializers.push({ name, type, shape, bytes: raw });
    }
  }
  return { metadata, initializers };
}
