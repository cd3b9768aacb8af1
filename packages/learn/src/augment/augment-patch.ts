/**
 * One training patch from one prepared scan (spec section 4): crop and spatial transforms in one step, then
 * mirroring, wavelets, gamma, brightness, contrast and noise, each drawn with its own probability from its own random stream.
 * A pure function of the scan, the config and the key: the same key gives the same patch on every worker.
 */
import { noClass } from '@quickcolumn/cases';
import { createRandom, type RandomStream, type SampleKey, type StreamName } from '@quickcolumn/random';
import type { Size3, Vector3 } from '@quickcolumn/volume';
import { applyBrightness } from './brightness.js';
import type { AugmentationConfig } from './config.js';
import { applyContrast } from './contrast.js';
import { cropPatch, drawCrop, drawFocusedCrop, type Oversampling } from './crop.js';
import { drawAroundOne } from './draw.js';
import { drawElasticField } from './elastic.js';
import { applyGamma } from './gamma.js';
import { drawMirror, flip, type MirrorClass, swapMirrorLabels } from './mirror.js';
import { applyNoise } from './noise.js';
import { cropVotes, mirrorVotes, mixLabels, type SoftVotes } from './soft-votes.js';
import { type Fill, resamplePatch, type SpatialTransform } from './spatial.js';
import { applyWavelet } from './wavelet.js';

/** A prepared scan (LPS oriented, z-scored) as augmentation needs it. Nothing in it is modified. */
export interface AugmentCase {
  /** size[0]·size[1]·size[2] values, x fastest. */
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  /** What teachers say of it, where they are learned from. */
  readonly votes?: SoftVotes | undefined;
  readonly size: Size3;
  /** Prepared value of air, for padding and fill. */
  readonly airValue: number;
  readonly classes: readonly MirrorClass[];
  /** Cubic B-spline coefficients of `image`; asked for only when a spatial transform was drawn. */
  readonly coefficients: () => Float32Array;
}

/** [D, H, W] voxels of one sample: z-scored image and label values (255 = no class, only with fill.label 'none'). */
export interface Patch {
  readonly image: Float32Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
  /** Of a scan with votes: the share of each class, labels included, [C, D, H, W]; 0 in all where there is no class. */
  readonly truth?: Float32Array<ArrayBuffer>;
}

/** Draws and makes one patch of `patch` voxels (x, y, z). Throws RangeError on a key out of range. */
export function augmentPatch(
  scan: AugmentCase,
  config: AugmentationConfig,
  patch: Size3,
  { oversampling = [], ...key }: SampleKey & { readonly oversampling?: readonly Oversampling[] },
): Patch {
  const open = (stream: StreamName): RandomStream => createRandom(key, stream);
  const focused = oversampling.length === 0 ? undefined : drawFocusedCrop(open('focus'), scan, patch, oversampling);
  const start = focused ?? drawCrop(open('crop'), scan.size, patch);
  const padding: Fill = { image: scan.airValue, label: 0 };
  const transform = drawSpatial(config, patch, open);

  let out: Patch;
  if (transform) {
    const outside: Fill = {
      image: config.fill.image === 'air' ? scan.airValue : config.fill.image,
      label: config.fill.label === 'none' ? noClass : 0,
    };
    const { labels, votes, size } = scan;
    const source = { coefficients: scan.coefficients(), labels, votes, size };
    out = resamplePatch(source, { patch, start, transform, padding, outside });
  } else {
    out = cropPatch(scan, { patch, start, fill: padding });
    if (scan.votes) {
      out = { ...out, truth: cropVotes(scan.votes.packed, scan.size, { patch, start, outside: padding.label }) };
    }
  }

  const axes = drawMirror(open('mirror'), config.mirror.probability);
  flip(out.image, patch, axes);
  flip(out.labels, patch, axes);
  if (axes[0] && config.mirror.swapLabels) swapMirrorLabels(out.labels, scan.classes);
  if (out.truth && scan.votes) {
    mirrorVotes(out.truth, patch, { axes, classes: scan.classes, swap: config.mirror.swapLabels });
    mixLabels(out.truth, out.labels, scan.votes.hardShare);
  }

  const { wavelet } = config;
  if (wavelet !== undefined) {
    const random = open('wavelet');
    if (random.chance(wavelet.probability)) applyWavelet(out.image, patch, random, wavelet);
  }
  const intensity = (
    name: 'gamma' | 'brightness' | 'contrast' | 'noise',
    apply: (random: RandomStream) => void,
  ): void => {
    const random = open(name);
    if (random.chance(config[name].probability)) apply(random);
  };
  intensity('gamma', (random) => applyGamma(out.image, drawAroundOne(random, config.gamma.range)));
  intensity('brightness', (random) => applyBrightness(out.image, random.uniform(...config.brightness.range)));
  intensity('contrast', (random) => applyContrast(out.image, drawAroundOne(random, config.contrast.range)));
  intensity('noise', (random) => applyNoise(out.image, random, config.noise));
  return out;
}

/** The spatial transform of a sample, or undefined when none of its three parts was drawn. */
function drawSpatial(
  config: AugmentationConfig,
  patch: Size3,
  open: (stream: StreamName) => RandomStream,
): SpatialTransform | undefined {
  const rotation = open('rotation');
  const scaling = open('scaling');
  const elastic = open('elastic');
  const rotated = rotation.chance(config.rotation.probability);
  const scaled = scaling.chance(config.scaling.probability);
  const deformed = elastic.chance(config.elastic.probability);
  if (!rotated && !scaled && !deformed) return undefined;

  const angle = (): number => (rotated ? (rotation.uniform(...config.rotation.degrees) * Math.PI) / 180 : 0);
  const angles: Vector3 = [angle(), angle(), angle()];
  const scale = scaled ? scaling.uniform(...config.scaling.range) : 1;
  if (!deformed) return { angles, scale };
  const alpha = elastic.uniform(...config.elastic.alpha);
  const sigma = elastic.uniform(...config.elastic.sigma);
  return { angles, scale, elastic: drawElasticField(elastic, patch, { alpha, sigma }) };
}
