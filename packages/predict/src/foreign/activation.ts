/**
 * From the output of a model of another framework to class probabilities, one voxel after the other. What cannot be what the
 * settings say it is, such as logits that are called probabilities, is an error and no mask.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { ForeignOutput } from '@quickcolumn/pipeline';

/** Channels that the output has for so many classes, background included. */
export const channelsOf = (output: ForeignOutput, classes: number): number =>
  output.kind === 'sigmoid' ? classes - 1 : classes;

/** Rounding of a softmax in half precision is below it; logits are far above. */
const tolerance = 1e-2;

/**
 * @param raw [channels, voxels], in any order of voxels; not changed
 * @returns [classes, voxels]; of a sigmoid, the background is what the largest class leaves of 1
 * @throws QuickcolumnError `runtime` for numbers that are not finite, or no probabilities where there
 *   should be
 */
export function toProbabilities(
  raw: Float32Array,
  output: ForeignOutput,
  { voxels, name }: { readonly voxels: number; readonly name: string },
): Float32Array {
  for (let i = 0; i < raw.length; i++) if (!Number.isFinite(raw[i])) throw notFinite(name);
  switch (output.kind) {
    case 'logits':
      return softmax(raw, voxels);
    case 'probabilities':
      checkShares(raw, voxels, name);
      return raw.slice();
    case 'sigmoid': {
      const channels = output.of === 'logits' ? raw.map((value) => 1 / (1 + Math.exp(-value))) : raw;
      if (output.of === 'probabilities') checkRange(raw, name);
      return withBackground(channels, voxels);
    }
  }
}

function softmax(logits: Float32Array, voxels: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let v = 0; v < voxels; v++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = v; i < logits.length; i += voxels) largest = Math.max(largest, logits[i]);
    let sum = 0;
    for (let i = v; i < logits.length; i += voxels) sum += Math.exp(logits[i] - largest);
    for (let i = v; i < logits.length; i += voxels) out[i] = Math.exp(logits[i] - largest) / sum;
  }
  return out;
}

function withBackground(classes: Float32Array, voxels: number): Float32Array {
  const out = new Float32Array(classes.length + voxels);
  out.set(classes, voxels);
  for (let v = 0; v < voxels; v++) {
    let largest = 0;
    for (let i = v; i < classes.length; i += voxels) largest = Math.max(largest, classes[i]);
    out[v] = 1 - largest;
  }
  return out;
}

function checkShares(raw: Float32Array, voxels: number, name: string): void {
  checkRange(raw, name);
  for (let v = 0; v < voxels; v++) {
    let sum = 0;
    for (let i = v; i < raw.length; i += voxels) sum += raw[i];
    if (Math.abs(sum - 1) > tolerance) throw noProbabilities(name, `the classes of a voxel sum to ${sum.toFixed(3)}`);
  }
}

function checkRange(raw: Float32Array, name: string): void {
  for (let i = 0; i < raw.length; i++) {
    if (raw[i] < -tolerance || raw[i] > 1 + tolerance)
      throw noProbabilities(name, `a value is ${raw[i].toPrecision(4)}`);
  }
}

const notFinite = (name: string): QuickcolumnError =>
  new QuickcolumnError('runtime', `${name}: the model returned numbers that are not finite`, { reason: 'not-finite' });

const noProbabilities = (name: string, problem: string): QuickcolumnError =>
  new QuickcolumnError(
    'runtime',
    `${name}: its output is no probabilities, as the settings beside it say: ${problem}; say logits there`,
    { path: name },
  );
