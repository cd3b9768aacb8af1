/**
 * The weight gradient of a 3D convolution in standard ONNX operators.
 *
 * ONNX Runtime has no operator for it, and a convolution with a volume-sized kernel is 4–8 times slower than this:
 * for a 3×3×3 kernel, stack the 3 depth shifts of one image (rows) and the 9 in-plane shifts of the other (columns);
 * one matrix product per chunk of planes then gives all 27 taps. A Loop over chunks keeps the stacks in the cache
 * and the memory small. The stack with fewer channels gets the 9 shifts.
 */
import type { OperationNode, Shape } from '@quickcolumn/graph';
import { Emitter } from './emitter.js';
import type { OnnxGraph } from './proto.js';

/** Bytes of the in-plane stack of one chunk that still fit the cache. */
const chunkBytes = 4 << 20;

/** Emits dw for x [N,I,D,H,W] and dy [N,O,…]; returns the name of [O, I, kd, kh, kw]. */
export function emitWeightGradient(
  out: Emitter,
  node: OperationNode<'conv3dWeightGradient'>,
  x: string,
  dy: string,
): string {
  const [image, gradient] = node.inputs;
  const { kernel, stride } = node.attributes;
  if (stride !== 1) return strided(out, image.shape, gradient.shape, kernel[0], x, dy);
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
  // Whole lines move first, then the voxels of a line: two quick passes instead of one slow one.
  const split = out.reshape(xName, [n, inputs, d, s, h, s, w * s]);
  const lines = out.emit('Transpose', [split], { perm: [0, 1, 3, 5, 2, 4, 6] });
  const pairs = out.reshape(lines, [n, inputs * s * s, d * h * w, s]);
  const b = out.reshape(out.emit('Transpose', [pairs], { perm: [0, 1, 3, 2] }), [n, inputs * s ** 3, d * h * w]);
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
  const rowFlat = out.reshape(pad(out, rowName, [1, 0, 0], [1, 2, 2]), [n, rows, 1, (depth + 2) * plane]);
  const columnFlat = out.reshape(pad(out, columnName, [0, 1, 1], [0, 1, 1]), [n, columns, 1, depth * plane]);

  const planeBytes = 9 * columns * n * plane * 4;
  const chunk = largestDivisor(depth, Math.max(1, Math.floor(chunkBytes / planeBytes)));
  const length = chunk * plane - 2 * line - 2;
  /** One chunk's product [3·rows, 9·columns]; the rows start at the given names, the columns' chunk is cut out. */
  const multiply = (body: Emitter, rowStarts: readonly string[], columnChunk: string): string => {
    const lengths = body.ints([length]);
    const rowShifts = rowStarts.map((start) =>
      body.emit('Slice', [rowFlat, start, body.emit('Add', [start, lengths]), body.ints([3])]),
    );
    const columnShifts = planeTaps.flatMap((i) =>
      planeTaps.map((j) => body.slice(columnChunk, 3, i * line + j, i * line + j + length)),
    );
    const stack = (shifts: readonly string[], channels: number): string =>
      body.reshape(body.emit('Concat', shifts, { axis: 2 }), [n, channels, length]);
    return productSum(body, n, stack(rowShifts, 3 * rows), stack(columnShifts, 9 * columns));
  };

  let product: string;
  if (chunk === depth) {
    product = multiply(
      out,
      depthTaps.map((tap) => out.ints([tap * plane])),
      columnFlat,
    );
  } else {
    const body = new Emitter(out);
    const [counter, condition, before] = [out.fresh(), out.fresh(), out.fresh()];
    const first = body.emit('Mul', [counter, body.ints([chunk * plane])]);
    const starts = depthTaps.map((tap) => (tap === 0 ? first : body.emit('Add', [first, body.ints([tap * plane])])));
    const end = body.emit('Add', [first, body.ints([chunk * plane])]);
    const columnChunk = body.emit('Slice', [columnFlat, first, end, body.ints([3])]);
    const after = body.emit('Add', [before, multiply(body, starts, columnChunk)]);
    const goOn = body.emit('Identity', [condition]);
    const sums = [3 * rows, 9 * columns];
    const graph: OnnxGraph = {
      name: 'chunk',
      nodes: body.nodes,
      initializers: [],
      inputs: [
        { name: counter, type: 'int64', shape: [] },
        { name: condition, type: 'bool', shape: [] },
        { name: before, type: 'float32', shape: sums },
      ],
      outputs: [
        { name: goOn, type: 'bool', shape: [] },
        { name: after, type: 'float32', shape: sums },
      ],
    };
    const zero = out.emit('Expand', [out.float(0), out.ints(sums)]);
    product = out.emit('Loop', [out.ints([depth / chunk], []), '', zero], { body: { kind: 'graph', value: graph } });
  }
  // [rows, kd, columns, kh·kw] → [out, in, kd, kh·kw]
  const taps = out.emit('Transpose', [out.reshape(product, [rows, 3, columns, 9])], {
    perm: imageInPlane ? [0, 2, 1, 3] : [2, 0, 1, 3],
  });
  return out.reshape(taps, [outputs, inputs, 3, 3, 3]);
}

/** Zeros before and after the last three axes. */
function pad(out: Emitter, x: string, before: Shape, after: Shape): string {
  return out.emit('Pad', [x, out.ints([0, 0, ...before, 0, 0, ...after])]);
}

function largestDivisor(value: number, atMost: number): number {
  for (let divisor = Math.min(value, atMost); divisor > 1; divisor--) if (value % divisor === 0) return divisor;
  return 1;
}
