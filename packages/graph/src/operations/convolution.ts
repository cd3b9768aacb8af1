/**
 * 3D convolution (cross-correlation), its two gradients, and the transposed convolution whose kernel equals its stride.
 *
 * conv3d: y[n,o,p] = Σ_{i,k} x[n,i, p·stride + k − pad] · w[o,i,k]; same padding for odd kernels with stride 1
 * (pad = (k−1)/2), no padding when stride = kernel. Weights are [out, in, kd, kh, kw].
 * convTranspose3d: y[n,o, p·s + k] = Σ_i x[n,i,p] · w[i,o,k], kernel = stride = s. Weights are [in, out, s, s, s].
 * Biases are added by `addChannel`, which every runtime may fuse.
 */
import { GraphError } from '../errors.js';
import type { GraphNode, NodeBuilder, Shape } from '../node.js';
import { expectImage, type Operation } from './operation.js';

interface Window {
  readonly stride: number;
  readonly pad: Shape;
}

function windowOf(kernel: Shape, stride: number): Window {
  if (stride === 1 && kernel.every((k) => k % 2 === 1)) return { stride, pad: kernel.map((k) => (k - 1) / 2) };
  if (kernel.every((k) => k === stride)) return { stride, pad: [0, 0, 0] };
  throw new GraphError(
    'conv3d',
    `kernel [${kernel}] with stride ${stride}: use odd kernels with stride 1, or stride = kernel`,
  );
}

/** Calls f(index in x, index in w, index in y) for every multiply-add of y = conv3d(x, w). */
function eachTerm(x: Shape, w: Shape, y: Shape, stride: number, f: (ix: number, iw: number, iy: number) => void): void {
  const { pad } = windowOf(w.slice(2), stride);
  const [batch, inputs, depth, height, width] = x;
  const [outputs, , kd, kh, kw] = w;
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++)
      for (let z = 0; z < y[2]; z++)
        for (let r = 0; r < y[3]; r++)
          for (let c = 0; c < y[4]; c++) {
            const iy = (((n * outputs + o) * y[2] + z) * y[3] + r) * y[4] + c;
            for (let i = 0; i < inputs; i++)
              for (let a = 0; a < kd; a++)
                for (let b = 0; b < kh; b++)
                  for (let e = 0; e < kw; e++) {
                    const zz = z * stride + a - pad[0];
                    const rr = r * stride + b - pad[1];
                    const cc = c * stride + e - pad[2];
                    if (zz < 0 || rr < 0 || cc < 0 || zz >= depth || rr >= height || cc >= width) continue;
                    f(
                      (((n * inputs + i) * depth + zz) * height + rr) * width + cc,
                      (((o * inputs + i) * kd + a) * kh + b) * kw + e,
                      iy,
                    );
                  }
          }
}

function outputShape(x: Shape, w: Shape, stride: number): Shape {
  windowOf(w.slice(2), stride);
  return [x[0], w[0], ...x.slice(2).map((size) => Math.floor(size / stride))];
}

/** The adjoint of y = conv3d(x, w) as a map of x. */
function imageGradient(g: NodeBuilder, dy: GraphNode, w: GraphNode, stride: number): GraphNode {
  return stride === 1 ? g.apply('conv3dInputGradient', [dy, w]) : g.apply('convTranspose3d', [dy, w]);
}

export const conv3d: Operation<'conv3d'> = {
  shape: ([x, w], { stride }) => {
    expectImage('conv3d', x);
    expectImage('conv3d', w);
    if (x.shape[1] !== w.shape[1]) {
      throw new GraphError('conv3d', `the image has ${x.shape[1]} channels, the weights want ${w.shape[1]}`);
    }
    if (x.shape.slice(2).some((size) => size % stride !== 0)) {
      throw new GraphError('conv3d', `grid [${x.shape.slice(2)}] is not a multiple of the stride ${stride}`);
    }
    return outputShape(x.shape, w.shape, stride);
  },
  gradient: ({ inputs: [x, w], attributes: { stride } }, dy, g) => [
    () => imageGradient(g, dy, w, stride),
    () => g.apply('conv3dWeightGradient', [x, dy], { kernel: w.shape.slice(2), stride }),
  ],
  evaluate: ([x, w], { stride }, shape) => {
    const y = new Float64Array(shape.reduce((p, s) => p * s, 1));
    eachTerm(x.shape, w.shape, shape, stride, (ix, iw, iy) => {
      y[iy] += x.data[ix] * w.data[iw];
    });
    return y;
  },
};

/** Gradient of a stride-1 conv3d for its image. Inputs: dy, w. */
export const conv3dInputGradient: Operation<'conv3dInputGradient'> = {
  shape: ([dy, w]) => {
    expectImage('conv3dInputGradient', dy);
    expectImage('conv3dInputGradient', w);
    if (dy.shape[1] !== w.shape[0]) {
      throw new GraphError('conv3dInputGradient', `dy has ${dy.shape[1]} channels, the weights make ${w.shape[0]}`);
    }
    return [dy.shape[0], w.shape[1], ...dy.shape.slice(2)];
  },
  gradient: ({ inputs: [dy, w] }, d, g) => [
    () => g.apply('conv3d', [d, w], { stride: 1 }),
    () => g.apply('conv3dWeightGradient', [d, dy], { kernel: w.shape.slice(2), stride: 1 }),
  ],
  evaluate: ([dy, w], _attributes, shape) => {
    const dx = new Float64Array(shape.reduce((p, s) => p * s, 1));
    eachTerm(shape, w.shape, dy.shape, 1, (ix, iw, iy) => {
      dx[ix] += dy.data[iy] * w.data[iw];
    });
    return dx;
  },
};

/** Gradient of conv3d for its weights. Inputs: x, dy; attributes kernel [kd, kh, kw], stride. */
export const conv3dWeightGradient: Operation<'conv3dWeightGradient'> = {
  shape: ([x, dy], { kernel }) => [dy.shape[1], x.shape[1], ...kernel],
  gradient: ({ inputs: [x, dy], attributes: { stride } }, d, g) => [
    () => imageGradient(g, dy, d, stride),
    () => g.apply('conv3d', [x, d], { stride }),
  ],
  evaluate: ([x, dy], { stride }, shape) => {
    const dw = new Float64Array(shape.reduce((p, s) => p * s, 1));
    eachTerm(x.shape, shape, dy.shape, stride, (ix, iw, iy) => {
      dw[iw] += dy.data[iy] * x.data[ix];
    });
    return dw;
  },
};

export const convTranspose3d: Operation<'convTranspose3d'> = {
  shape: ([x, w]) => {
    expectImage('convTranspose3d', x);
    const [inputs, outputs, ...kernel] = expectImage('convTranspose3d', w);
    if (x.shape[1] !== inputs) {
      throw new GraphError('convTranspose3d', `the image has ${x.shape[1]} channels, the weights want ${inputs}`);
    }
    if (kernel.some((size) => size !== kernel[0])) {
      throw new GraphError('convTranspose3d', `kernel [${kernel}]: use the same size, the stride, on every axis`);
    }
    return [x.shape[0], outputs, ...x.shape.slice(2).map((size) => size * kernel[0])];
  },
  gradient: ({ inputs: [x, w] }, dy, g) => [
    () => g.apply('conv3d', [dy, w], { stride: w.shape[2] }),
    () => g.apply('conv3dWeightGradient', [dy, x], { kernel: w.shape.slice(2), stride: w.shape[2] }),
  ],
  evaluate: ([x, w], _attributes, shape) => {
    const y = new Float64Array(shape.reduce((p, s) => p * s, 1));
    // The adjoint of the strided convolution that maps y's grid to x's grid with the same weights.
    eachTerm(shape, w.shape, x.shape, w.shape[2], (iy, iw, ix) => {
      y[iy] += x.data[ix] * w.data[iw];
    });
    return y;
  },
};
