/** Operations that move voxels or channels: pooling, resizing, joining and cutting; and the softmax over the classes. */
import { elementCount, type OperationNode, resizeMatrix, type Shape } from '@quickcolumn/graph';
import { algorithm, argument, prop, query } from '../library/api.js';
import { type Context, imageStrides, rowMajor } from './context.js';
import type { Tensor } from '../program/program.js';

/** What a max pool leaves for its gradient. */
export interface Pooled {
  readonly descriptor: bigint;
  readonly workspace: Tensor;
  readonly workspaceDescriptor: bigint;
}

const poolKernel = [2, 2, 2];

export function addMaxPool(context: Context, node: OperationNode<'maxPool'>, pooled: Map<number, Pooled>): void {
  const { library } = context.program;
  const image = context.get(node.inputs[0], context.form(node));
  const result = context.produce(node);
  const [src, dst] = [image, result].map((tensor) => context.describe(tensor));
  const kind = context.readers(node).some(({ op }) => op === 'maxPoolGradient') ? prop.training : prop.inference;
  const descriptor = context.withAttributes((attributes) =>
    library.api.poolForward(kind, src, dst, { kernel: poolKernel }, attributes),
  );
  if (kind === prop.inference) {
    context.program.addPrimitive('maxPool', descriptor, [
      { argument: argument.src, tensor: image, descriptor: src, role: 'read' },
      { argument: argument.dst, tensor: result, descriptor: dst, role: 'write' },
    ]);
    return;
  }
  const workspaceDescriptor = library.queryDescriptor(descriptor, query.workspace);
  const workspace = context.program.tensor(node.shape, 'packed', { bytes: library.bytesOf(workspaceDescriptor) });
  context.program.addPrimitive('maxPool', descriptor, [
    { argument: argument.src, tensor: image, descriptor: src, role: 'read' },
    { argument: argument.dst, tensor: result, descriptor: dst, role: 'write' },
    { argument: argument.workspace, tensor: workspace, descriptor: workspaceDescriptor, role: 'write' },
  ]);
  pooled.set(node.id, { descriptor, workspace, workspaceDescriptor });
}

export function addMaxPoolGradient(
  context: Context,
  node: OperationNode<'maxPoolGradient'>,
  pooled: ReadonlyMap<number, Pooled>,
): void {
  const { library } = context.program;
  const [dy, pool] = node.inputs;
  const forward = pooled.get(pool.id);
  if (!forward) throw new Error('maxPoolGradient: its second input is not a max pool');
  const gradient = context.get(dy, context.form(pool));
  const result = context.program.tensor(node.shape, 'image', { type: gradient.type });
  context.set(node, result);
  const [src, dst] = [result, gradient].map((tensor) => context.describe(tensor));
  const options = { kernel: poolKernel, hint: forward.descriptor };
  const descriptor = context.withAttributes((attributes) => library.api.poolBackward(src, dst, options, attributes));
  context.program.addPrimitive('maxPoolGradient', descriptor, [
    { argument: argument.diffDst, tensor: gradient, descriptor: dst, role: 'read' },
    {
      argument: argument.workspace,
      tensor: forward.workspace,
      descriptor: forward.workspaceDescriptor,
      role: 'read',
    },
    { argument: argument.diffSrc, tensor: result, descriptor: src, role: 'write' },
  ]);
}

export function addResize(context: Context, node: OperationNode<'resize'>): void {
  const { library } = context.program;
  const image = context.get(node.inputs[0], context.form(node));
  const result = context.produce(node);
  const [src, dst] = [image, result].map((tensor) => context.describe(tensor));
  const kind = node.attributes.mode === 'nearest' ? algorithm.nearest : algorithm.linear;
  const descriptor = context.withAttributes((attributes) => library.api.resampleForward(kind, src, dst, attributes));
  context.program.addPrimitive('resize', descriptor, [
    { argument: argument.src, tensor: image, descriptor: src, role: 'read' },
    { argument: argument.dst, tensor: result, descriptor: dst, role: 'write' },
  ]);
}

/**
 * The adjoint of a resize: one matrix product an axis over the flat image, the last axis first, so that the work
 * shrinks on the way. The library's own gradient takes ten times as long.
 */
export function addResizeGradient(context: Context, node: OperationNode<'resizeGradient'>): void {
  const { api } = context.program.library;
  const factor = node.attributes.factor;
  const mode = node.attributes.mode;
  const [n, c, ...fine] = node.inputs[0].shape;
  const coarse = node.shape.slice(2);
  const matrix = (axis: number): Tensor =>
    context.constant(`resize ${mode} ${coarse[axis]} ${factor}`, [fine[axis], coarse[axis]], (view) =>
      view.set(resizeMatrix(coarse[axis], factor, mode)),
    );
  let from = context.flat(node.inputs[0]);
  const sizes: number[] = [...fine];
  for (const axis of [2, 1, 0]) {
    const outer = n * c * elementCount(sizes.slice(0, axis));
    const inner = elementCount(sizes.slice(axis + 1));
    const [long, short] = [fine[axis], coarse[axis]];
    sizes[axis] = short;
    const last = axis === 0;
    const to = last ? context.produce(node) : context.program.tensor([n, c, ...sizes], 'flat');
    // Last axis: rows × matrix. The others: transposed matrix × planes, one product per outer index.
    const shapes: readonly [Shape, readonly number[]][] =
      inner === 1
        ? [
            [
              [1, outer, long],
              [outer * long, long, 1],
            ],
            [
              [1, long, short],
              [long * short, short, 1],
            ],
            [
              [1, outer, short],
              [outer * short, short, 1],
            ],
          ]
        : [
            [
              [1, short, long],
              [long * short, 1, short],
            ],
            [
              [outer, long, inner],
              [long * inner, inner, 1],
            ],
            [
              [outer, short, inner],
              [short * inner, inner, 1],
            ],
          ];
    const [left, right, product] = shapes.map(([dims, strides]) => api.describe(dims, 'float32', strides));
    const descriptor = context.withAttributes((attributes) => api.matmul(left, right, product, attributes));
    const [a, b] = inner === 1 ? [from, matrix(axis)] : [matrix(axis), from];
    context.program.addPrimitive('resizeGradient', descriptor, [
      { argument: argument.src, tensor: a, descriptor: left, role: 'read' },
      { argument: argument.weights, tensor: b, descriptor: right, role: 'read' },
      { argument: argument.dst, tensor: to, descriptor: product, role: 'write' },
    ]);
    from = to;
  }
}

/** Each image is copied into its channels of the result. */
export function addConcat(context: Context, node: OperationNode<'concat'>): void {
  const { api } = context.program.library;
  const form = context.form(node);
  const images = node.inputs.map((input) => context.get(input, form));
  const result = context.produce(node);
  let start = 0;
  for (const image of images) {
    const part = api.describe(image.shape, form.type, imageStrides(image.shape, node.shape[1]));
    const offset = (start * result.bytes) / elementCount(result.shape);
    context.reorder('concat', [image, context.describe(image)], [result, part, offset]);
    start += image.shape[1];
  }
}

export function addSlice(context: Context, node: OperationNode<'sliceChannels'>): void {
  const { api } = context.program.library;
  const image = context.get(node.inputs[0], context.form(node));
  const result = context.produce(node);
  const part = api.describe(node.shape, image.type, imageStrides(node.shape, image.shape[1]));
  const offset = (node.attributes.start * image.bytes) / elementCount(image.shape);
  context.reorder('sliceChannels', [image, part, offset], [result, context.describe(result)]);
}

const float32Image = { layout: 'image', type: 'float32' } as const;

/** The softmax wants the classes innermost, what follows wants them flat. */
export function addLogSoftmax(context: Context, node: OperationNode<'logSoftmax'>, hints: Map<number, bigint>): void {
  const { library } = context.program;
  const image = context.get(node.inputs[0], float32Image);
  const described = context.describe(image);
  const result = context.program.tensor(node.shape, 'image');
  const descriptor = context.withAttributes((attributes) => library.api.logSoftmaxForward(described, 1, attributes));
  hints.set(node.id, descriptor);
  context.program.addPrimitive('logSoftmax', descriptor, [
    { argument: argument.src, tensor: image, descriptor: described, role: 'read' },
    { argument: argument.dst, tensor: result, descriptor: described, role: 'write' },
  ]);
  context.set(node, context.convert(result, { layout: 'flat', type: 'float32' }));
}

export function addLogSoftmaxGradient(
  context: Context,
  node: OperationNode<'logSoftmaxGradient'>,
  hints: ReadonlyMap<number, bigint>,
): void {
  const { library } = context.program;
  const [dy, y] = node.inputs.map((input) => context.get(input, float32Image));
  const described = context.describe(y);
  const forward =
    hints.get(node.inputs[1].id) ??
    context.withAttributes((attributes) => library.api.logSoftmaxForward(described, 1, attributes));
  if (!hints.has(node.inputs[1].id)) context.program.own(forward);
  const descriptor = context.withAttributes((attributes) =>
    library.api.logSoftmaxBackward(described, 1, forward, attributes),
  );
  const result = context.produce(node);
  context.program.addPrimitive('logSoftmaxGradient', descriptor, [
    { argument: argument.dst, tensor: y, descriptor: described, role: 'read' },
    { argument: argument.diffDst, tensor: dy, descriptor: described, role: 'read' },
    { argument: argument.diffSrc, tensor: result, descriptor: described, role: 'write' },
  ]);
}

/** Sums of rows: [rows, length] → [rows]. */
export function addRowSums(context: Context, op: string, from: Tensor, to: Tensor, rows: number): void {
  const { api } = context.program.library;
  const length = elementCount(from.shape) / rows;
  const [src, dst] = [
    api.describe([rows, length], 'float32', rowMajor([rows, length])),
    api.describe([rows, 1], 'float32', [1, 1]),
  ];
  if (length === 1) {
    // The library refuses to reduce what is already reduced.
    context.reorder(op, [from, src], [to, dst]);
    return;
  }
  const descriptor = context.withAttributes((attributes) => api.reduce(algorithm.sum, src, dst, attributes));
  context.program.addPrimitive(op, descriptor, [
    { argument: argument.src, tensor: from, descriptor: src, role: 'read' },
    { argument: argument.dst, tensor: to, descriptor: dst, role: 'write' },
  ]);
}
