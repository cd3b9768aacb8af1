/**
 * The weight gradient of a 3D convolution in standard ONNX operators.
 *
 * ONNX Runtime has no operator for it, and a convolution with a volume-sized kernel is 4–8 times slower than this:
 * for a 3×3×3 kernel, stack the 3 depth shifts of one image (rows) and the 9 in-plane shifts of the other (columns);
 * one matrix product per chunk of planes then gives all 27 taps. A Loop over chunks keeps the stacks in the cache
 * and the memory small. The stack with fewer channels gets the 9 shifts.
 */
import type { GraphNode, Shape } from '@quickcolumn/graph';
import { Emitter } from './emitter.js';
import type { OnnxGraph } from './proto.js';

/** Bytes of the in-plane stack of one chunk that still fit the cache. */
const chunkBytes = 4 << 20;

/** Emits dw for x [N,I,D,H,W] and dy [N,O,…]; returns the name of [O, I, kd, kh, kw]. */
export function emitWeightGradient(out: Emitter, node: GraphNode, x: string, dy: string): string {
  const [image, gradient] = node.inputs;
  const kernel = node.attributes.kernel as Shape;
  if (node.attributes.stride !== 1) return strided(out, image.shape, gradient.shape, kernel[0], x, dy);
  if (kernel.every((k) => k === 1)) return pointwise(out, image.shape, gradient.shape, x, dy);
  if (kernel.join() === '3,3,3') return cube(out, image.shape, gradient.shape, x, dy);
  return general(out, image.shape, gradient.shape, kernel, x, dy);
}

const voxels = (shape: Shape): number => shape[2] * shape[3] * shape[4];

/** Σ_n a[n]·b[n]ᵀ for a [N, A, V], b [N, B, V] → [A, B]. */
function productSum(out: Emitter, batch: number, a: string, b: string): string {
  const product = out.emit('com.microsoft:FusedMatMul', [a, b], { transB: 1 });
  return batch === 1 ? out.emit('Squeeze', [product, out.ints([0])]) : out.reduceSum(product, [0]);
}

function pointwise(out: Emitter, x: Shape, dy: Shape, xName: string, dyName: string): string {
  const [n, inputs] = x;
  const a = out.reshape(dyName, [n, dy[1], voxels(x)]);
  const b = out.reshape(xName, [n, inputs, voxels(x)]);
  return out.reshape(productSum(out, n, a, b), [dy[1], inputs, 1, 1, 1]);
}

/** Kernel = stride: every fine voxel belongs to one tap, so the taps become channels. */
function strided(out: Emitter, x: Shape, dy: Shape, s: number, xName: string, dyName: string): string {
  const [n, inputs] = x;
  const [, outputs, d, h, w] = dy;
  const split = out.reshape(xName, [n, inputs, d, s, h, s, w, s]);
  const taps = out.emit('Transpose', [split], { perm: [0, 1, 3, 5, 7, 2, 4, 6] });
  const b = out.reshape(taps, [n, inputs * s ** 3, d * h * w]);
  const a = out.reshape(dyName, [n, outputs, d * h * w]);
  return out.reshape(productSum(out, n, a, b), [outputs, inputs, s, s, s]);
}

/** Any odd kernel with stride 1: one product per tap. */
function general(out: Emitter, x: Shape, dy: Shape, kernel: Shape, xName: string, dyName: string): string {
  const [n, inputs, d, h, w] = x;
  const pads = kernel.map((k) => (k - 1) / 2);
  const padded = pad(out, xName, pads, pads);
  const a = out.reshape(dyName, [n, dy[1], d * h * w]);
  const taps: string[] = [];
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++)
      for (let k = 0; k < kernel[2]; k++) {
        const shifted = out.emit('Slice', [
          padded,
          out.ints([i, j, k]),
          out.ints([i + d, j + h, k + w]),
          out.ints([2, 3, 4]),
        ]);
        const product = productSum(out, n, a, out.reshape(shifted, [n, inputs, d * h * w]));
        taps.push(out.reshape(product, [dy[1], inputs, 1]));
      }
  return out.reshape(out.emit('Concat', taps, { axis: 2 }), [dy[1], inputs, ...kernel]);
}

function cube(out: Emitter, x: Shape, dy: Shape, xName: string, dyName: string): string {
  const [n, inputs, depth, height, width] = x;
  const outputs = dy[1];
  // rows: the image whose depth is shifted; columns: the one shifted in the plane. Shifting the other image of the
  // pair reverses the tap order along those axes, hence the reversed lists below.
  const imageInPlane = inputs <= outputs;
  const [rowName, rows] = imageInPlane ? [dyName, outputs] : [xName, inputs];
  const [columnName, columns] = imageInPlane ? [xName, inputs] : [dyName, outputs];
  const depthTaps = imageInPlane ? [2, 1, 0] : [0, 1, 2];
  const planeTaps = imageInPlane ? [0, 1, 2] : [2, 1, 0];
  // Both images get planes of (H+2)·(W+2) voxels, the columns with the margin around, the rows with it behind. Then a
  // shift in the plane is an offset into the flat plane, a contiguous copy; the rows' zeros mask what wraps around.
  const line = width + 2;
  const plane = (height + 2) * line;
  const rowFlat = out.reshape(pad(out, rowName, [1, 0, 0], [1, 2, 2]), [n, rows, (depth + 2) * plane]);
  const columnFlat = out.reshape(pad(out, columnName, [0, 1, 1], [0, 1, 1]), [n, columns, depth * plane]);

  const stackAndMultiply = (
    body: Emitter,
    chunk: number,
    from: (name: string, offset: number, length: number) => string,
  ): string => {
    const length = chunk * plane - 2 * line - 2;
    const rowStack = body.emit(
      'Concat',
      depthTaps.map((tap) => from(rowFlat, tap * plane, length)),
      { axis: 1 },
    );
    const shifts = planeTaps.flatMap((i) => planeTaps.map((j) => from(columnFlat, i * line + j, length)));
    return productSum(body, n, rowStack, body.emit('Concat', shifts, { axis: 1 }));
  };

  const planeBytes = 9 * columns * n * plane * 4;
  const chunk = largestDivisor(depth, Math.max(1, Math.floor(chunkBytes / planeBytes)));
  let product: string;
  if (chunk === depth) {
    product = stackAndMultiply(out, depth, (name, offset, length) => out.slice(name, 2, offset, offset + length));
  } else {
    const body = new Emitter(out);
    const [counter, condition, before] = [out.fresh(), out.fresh(), out.fresh()];
    const first = body.emit('Mul', [counter, body.ints([chunk * plane])]);
    const from = (name: string, offset: number, length: number): string => {
      const start = body.emit('Add', [first, body.ints([offset])]);
      return body.emit('Slice', [name, start, body.emit('Add', [start, body.ints([length])]), body.ints([2])]);
    };
    const after = body.emit('Add', [before, stackAndMultiply(body, chunk, from)]);
    const goOn = body.emit('Identity', [condition]);
    const graph: OnnxGraph = {
      name: 'chunk',
      nodes: body.nodes,
      initializers: [],
      inputs: [
        { name: counter, type: 'int64', shape: [] },
        { name: condition, type: 'bool', shape: [] },
        { name: before, type: 'float32', shape: [3 * rows, 9 * columns] },
      ],
      outputs: [
        { name: goOn, type: 'bool', shape: [] },
        { name: after, type: 'float32', shape: [3 * rows, 9 * columns] },
      ],
    };
    const start = out.emit('Expand', [out.float(0), out.ints([3 * rows, 9 * columns])]);
    product = out.emit('Loop', [out.ints([depth / chunk], []), '', start], { body: { kind: 'graph', value: graph } });
  }
  // [3, rows, 3, 3, columns] → [out, in, kd, kh, kw]
  const taps = out.reshape(product, [3, rows, 3, 3, columns]);
  return out.emit('Transpose', [taps], { perm: imageInPlane ? [1, 4, 0, 2, 3] : [4, 1, 0, 2, 3] });
}

/** Zeros before and after the last three axes. */
function pad(out: Emitter, x: string, before: Shape, after: Shape): string {
  return out.emit('Pad', [x, out.ints([0, 0, ...before, 0, 0, ...after])]);
}

function largestDivisor(value: number, atMost: number): number {
  for (let divisor = Math.min(value, atMost); divisor > 1; divisor--) if (value % divisor === 0) return divisor;
  return 1;
}
