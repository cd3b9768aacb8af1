/**
 * Mirroring at test time: a window is predicted as it is and mirrored along every combination of the chosen axes, the
 * probabilities are mirrored back and averaged (system specification, section 7; nnU-Net's test-time augmentation). The
 * models of an ensemble are passes like these.
 *
 * The trap: on a mirror along x a left lung looks like a right one, so its channel is read from the class it turns
 * into. The prepared grid has axes L, P, S, hence x is always left-right, however the scan was stored.
 */
import type { LabelClass, Size3 } from '@quickcolumn/volume';
import type { CompiledModel } from '../model/loaded-model.js';
import { comparePass, type Disagreement } from './disagreement.js';

/** Axes of the prepared grid: x left-right, y front-back, z feet-head. */
export type MirrorAxis = 'x' | 'y' | 'z';

/** Each combination of the axes, none of them first. */
function combinations(axes: readonly MirrorAxis[]): MirrorAxis[][] {
  return [...new Set(axes)].reduce<MirrorAxis[][]>(
    (sets, axis) => [...sets, ...sets.map((set) => [...set, axis])],
    [[]],
  );
}

/** What is averaged for every window: the model, or each of an ensemble, on each mirrored copy. */
export interface Passes {
  readonly batch: number;
  /** How many there are. */
  readonly count: number;
  /**
   * As `CompiledModel.run`.
   * @param windows how many of the batch, from the first on, are compared; default all
   */
  run(image: Float32Array, windows?: number): Promise<Float32Array>;
}

/**
 * All passes over the windows of a batch.
 * @param compiled stays the caller's to dispose
 * @param options.disagreement collects how far the passes are apart, each window weighed alike
 */
export function mirrored(
  compiled: CompiledModel,
  options: {
    readonly patch: Size3;
    readonly axes: readonly MirrorAxis[];
    readonly classes: readonly LabelClass[];
    readonly disagreement?: Disagreement;
  },
): Passes {
  const { patch, classes, disagreement } = options;
  const { batch, members = [compiled] } = compiled;
  const sets = combinations(options.axes);
  const count = sets.length * members.length;
  if (count === 1) return { batch, count, run: async (image) => await compiled.run(image) };
  const voxels = patch[0] * patch[1] * patch[2];
  const plain = classes.map((_, c) => c);
  const swapped = classes.map(({ value, mirror = value }) => classes.findIndex((other) => other.value === mirror));
  const input = new Float32Array(batch * voxels);
  const turned = new Float32Array(voxels);
  return {
    batch,
    count,
    async run(image, windows = batch) {
      const sum = new Float32Array(batch * voxels * classes.length);
      disagreement?.ofPasses?.fill(0);
      let done = 0;
      for (const set of sets) {
        for (let n = 0; n < batch; n++) {
          const window = n * voxels;
          eachRow(patch, set, (to, from, step) => {
            for (let i = 0; i < patch[0]; i++) input[window + to + i] = image[window + from + i * step];
          });
        }
        const channels = set.includes('x') ? swapped : plain;
        for (const member of members) {
          const probabilities = await member.run(input);
          for (let n = 0; n < batch; n++) {
            const window = n * voxels * classes.length;
            const compared = done > 0 && n < windows ? disagreement : undefined;
            channels.forEach((channel, c) => {
              const [own, other] = [window + c * voxels, window + channel * voxels];
              eachRow(patch, set, (to, from, step) => {
                for (let i = 0; i < patch[0]; i++) turned[to + i] = probabilities[other + from + i * step];
              });
              const earlier = sum.subarray(own, own + voxels);
              if (compared !== undefined) comparePass(compared, turned, { c, earlier, done, count, first: n * voxels });
              for (let i = 0; i < voxels; i++) earlier[i] += turned[i] / count;
            });
          }
          done++;
        }
      }
      return sum;
    },
  };
}

/** Calls visit(first index of a row, where its mirrored row begins, 1 or −1 along it); a mirror is its own inverse. */
function eachRow(
  [nx, ny, nz]: Size3,
  axes: readonly MirrorAxis[],
  visit: (to: number, from: number, step: 1 | -1) => void,
): void {
  const [x, y, z] = (['x', 'y', 'z'] as const).map((axis) => axes.includes(axis));
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const from = ((z ? nz - 1 - k : k) * ny + (y ? ny - 1 - j : j)) * nx;
      visit((k * ny + j) * nx, x ? from + nx - 1 : from, x ? -1 : 1);
    }
}
