/**
 * What an ONNX file says of itself: inputs and outputs with types and shapes, who wrote it, and whether its weights lie in
 * another file. Source: onnx/onnx.proto, ModelProto. The trap: older files list their weights among the graph's inputs.
 */
import { fields } from './proto.js';

export interface ModelSignature {
  /** What a run must be given, weights left out. */
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** Such as `pytorch 2.5.1`; empty where the file does not say. */
  readonly producer: string;
  /** Keys of its metadata. */
  readonly metadataKeys: readonly string[];
  /** Names of files beside this one that hold weights; none where it holds them itself. */
  readonly externalFiles: readonly string[];
}

export interface TensorSignature {
  readonly name: string;
  /** `float32`, `float16`, `int64`, …; `unknown` for what is no tensor. */
  readonly type: string;
  /** A number, the name of a dimension that may be any, or undefined where it is not said; absent without any shape. */
  readonly shape?: readonly (number | string | undefined)[];
}

/** TensorProto.DataType. */
const types: readonly string[] = [
  'unknown',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
];

/** Throws RangeError when the bytes are no protobuf message. */
export function readSignature(bytes: Uint8Array): ModelSignature {
  const producer: string[] = [];
  const inputs: TensorSignature[] = [];
  const outputs: TensorSignature[] = [];
  const metadataKeys: string[] = [];
  const weights = new Set<string>();
  const externalFiles = new Set<string>();
  for (const top of fields(bytes)) {
    if (top.field === 2 || top.field === 3) producer.push(decode(top.bytes));
    if (top.field === 14) metadataKeys.push(entryOf(top.bytes)[0]);
    if (top.field !== 7) continue;
    for (const part of fields(top.bytes)) {
      if (part.field === 5) readWeight(part.bytes, { weights, externalFiles });
      if (part.field === 11) inputs.push(valueOf(part.bytes));
      if (part.field === 12) outputs.push(valueOf(part.bytes));
    }
  }
  return {
    inputs: inputs.filter(({ name }) => !weights.has(name)),
    outputs,
    producer: producer.join(' ').trim(),
    metadataKeys,
    externalFiles: [...externalFiles],
  };
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** TensorProto: name 8, external data 13, data location 14 (1: external). */
function readWeight(
  bytes: Uint8Array,
  { weights, externalFiles }: { readonly weights: Set<string>; readonly externalFiles: Set<string> },
): void {
  let isExternal = false;
  let location = '';
  for (const item of fields(bytes)) {
    if (item.field === 8) weights.add(decode(item.bytes));
    if (item.field === 14) isExternal = item.value === 1n;
    if (item.field !== 13) continue;
    const [key, value] = entryOf(item.bytes);
    if (key === 'location') location = value;
  }
  if (isExternal) externalFiles.add(location);
}

/** StringStringEntryProto: key 1, value 2. */
function entryOf(bytes: Uint8Array): [key: string, value: string] {
  const entry: [string, string] = ['', ''];
  for (const { field, bytes: content } of fields(bytes))
    if (field === 1 || field === 2) entry[field - 1] = decode(content);
  return entry;
}

/** ValueInfoProto: name 1, type 2; TypeProto: tensor 1; Tensor: element type 1, shape 2; dimension: value 1, name 2. */
function valueOf(bytes: Uint8Array): TensorSignature {
  let name = '';
  let type = 'unknown';
  let shape: TensorSignature['shape'];
  for (const item of fields(bytes)) {
    if (item.field === 1) name = decode(item.bytes);
    if (item.field !== 2) continue;
    for (const kind of fields(item.bytes)) {
      if (kind.field !== 1) continue;
      for (const part of fields(kind.bytes)) {
        if (part.field === 1) type = types[Number(part.value)] ?? `type ${part.value}`;
        if (part.field === 2) shape = [...fields(part.bytes)].filter(({ field }) => field === 1).map(dimensionOf);
      }
    }
  }
  return { name, type, ...(shape === undefined ? {} : { shape }) };
}

function dimensionOf({ bytes }: { readonly bytes: Uint8Array }): number | string | undefined {
  for (const item of fields(bytes)) {
    if (item.field === 1) return Number(item.value);
    if (item.field === 2) return decode(item.bytes);
  }
  return undefined;
}
