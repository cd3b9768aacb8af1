/**
 * Mirroring at test time: a window is predicted as it is and mirrored along every combination of the chosen axes, the
 * probabilities are mirrored back and averaged (system specification, section 7; nnU-Net's test-time augmentation).
 *
 * The trap: on a mirror along x a left lung looks like a right one, so its channel is read from the class it turns
 * into. The prepared grid has axes L, P, S, hence x is always left-right, however the scan was stored.
 */
import type { LabelClass, Size3 } from '@quickcolumn/volume';
import type { CompiledModel } from '../model/loaded-model.js';

/** Axes of the prepared grid: x left-right, y front-back, z feet-head. */
export type MirrorAxis = 'x' | 'y' | 'z';

/** Each combination of the axes, none of them first. */
function combinations(axes: readonly MirrorAxis[]): MirrorAxis[][] {
  return [...new Set(axes)].reduce<MirrorAxis[][]>(
    (sets, axis) => [...sets, ...sets.map((set) => [...set, axis])],
    [[]],
  );
}

/**
 * A model that averages over mirrored copies of every window of its batch.
 * @param compiled stays the caller's to dispose
 */
export function mirrored(
  compiled: CompiledModel,
  options: { readonly patch: Size3; readonly axes: readonly MirrorAxis[]; readonly classes: readonly LabelClass[] },
): CompiledModel {
  const { patch, classes } = options;
  const { batch } = compiled;
  const sets = combinations(options.axes);
  const voxels = patch[0] * patch[1] * patch[2];
  const plain = classes.map((_, c) => c);
  const swapped = classes.map(({ value, mirror = value }) => classes.findIndex((other) => other.value === mirror));
  const input = new Float32Array(batch * voxels);
  return {
    batch,
    async run(image) {
      const sum = new Float32Array(batch * voxels * classes.length);
      for (const set of sets) {
        for (let n = 0; n < batch; n++) {
          const window = n * voxels;
          eachRow(patch, set, (to, from, step) => {
            for (let i = 0; i < patch[0]; i++) input[window + to + i] = image[window + from + i * step];
          });
        }
        const probabilities = await compiled.run(input);
        const channels = set.includes('x') ? swapped : plain;
        for (let n = 0; n < batch; n++) {
          const window = n * voxels * classes.length;
          channels.forEach((channel, c) => {
            const [own, other] = [window + c * voxels, window + channel * voxels];
            eachRow(patch, set, (to, from, step) => {
              for (let i = 0; i < patch[0]; i++)
                sum[own + to + i] += probabilities[other + from + i * step] / sets.length;
            });
          });
        }
      }
      return sum;
    },
    dispose: () => undefined,
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
