/**
 * Synthetic chest CT with its masks, a pure function of a seed: body, ribs, spine, heart, airways and vessels, two
 * lungs, 1 to 6 infection lesions, scanner blur and noise. For demos, tests and timing; it is no substitute for real
 * cases and teaches a network nothing about patients.
 *
 * Voxels are stored L-P-S like the COVID-19-CT-Seg cases: affine diag(−sx, −sy, sz) in RAS, so voxel index i grows
 * towards the patient's left while world x grows to the right. The right lung therefore has positive world x.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Affine, type Size3, type Vector3, type Volume } from '@quickcolumn/volume';
import {
  bodyDepth,
  cavityDepth,
  createPatient,
  lungDepth,
  type Patient,
  templateExtentMm,
  tissueHu,
} from './anatomy.js';
import { type Lesion, type LesionKind, paintLesion } from './lesions.js';
import { addScannerNoise, blurPointSpread } from './scanner.js';
import { createRandom, mix, type Random } from './random.js';
import { airwayTubes, type Frame, tubeCoverage, vesselTubes } from './tubes.js';

/** Label values of a phantom, those of COVID-19-CT-Seg. */
export const phantomLabels: { background: 0; leftLung: 1; rightLung: 2; infection: 3 } = {
  background: 0,
  leftLung: 1,
  rightLung: 2,
  infection: 3,
};

export interface PhantomOptions {
  /** Whole number; equal seeds give equal voxels. */
  readonly seed: number;
  /** Voxels along x, y, z; default about 112 × 96 × 48, at least 24 × 24 × 12. */
  readonly size?: Size3;
  /** Default about 2.6 × 2.6 × 5 mm, varied by the seed; the chest is scaled to fill whatever box results. */
  readonly spacingMm?: Vector3;
  /** Number of lesions; default 1 to 6 by the seed. */
  readonly lesionCount?: number;
  /** Kinds to draw from; default both. */
  readonly lesionKinds?: readonly LesionKind[];
}

export interface Phantom {
  /** HU, −1024 to 3071. */
  readonly image: Volume<Int16Array>;
  /** Values of phantomLabels, on the image's grid. */
  readonly labels: Volume<Uint8Array>;
  readonly lesions: readonly Lesion[];
}

/**
 * Makes one case.
 * @throws QuickcolumnError `phantom` for a seed, size, spacing or number of lesions that makes no case
 */
export function generatePhantom(options: PhantomOptions): Phantom {
  checkOptions(options);
  const random = createRandom(options.seed);
  const { size, spacingMm } = chooseGrid(options, random);
  const patient = createPatient(random);
  const frame = fitFrame(size, spacingMm, random);
  const tissue = rasteriseTissue(patient, frame);

  const count = options.lesionCount ?? random.integer(1, 6);
  const kinds = options.lesionKinds ?? (['ground-glass', 'consolidation'] as const);
  paintVessels(tissue, tubeCoverage(vesselTubes(patient, random), frame));
  const infected = new Uint8Array(tissue.hu.length);
  const canvas = { frame, lungDepthMm: tissue.lungDepthMm, hu: tissue.hu, mask: infected };
  const minVoxels = Math.max(4, Math.round(tissue.lungVoxels * 0.0015));
  const lesions: Lesion[] = [];
  for (let i = 0; i < count; i++) {
    lesions.push(paintLesion(canvas, kinds[random.integer(0, kinds.length - 1)], random, minVoxels));
  }
  const airways = airwayTubes(patient, random);
  paintAirways(tissue.hu, tubeCoverage(airways, frame, 1.8), tubeCoverage(airways, frame));

  const labels = new Uint8Array(tissue.hu.length);
  for (let at = 0; at < labels.length; at++) {
    if (tissue.lungDepthMm[at] <= 0) continue;
    const l = frame.origin[0] + frame.step[0] * (at % size[0]);
    labels[at] = infected[at] ? phantomLabels.infection : l > 0 ? phantomLabels.leftLung : phantomLabels.rightLung;
  }
  const blurred = blurPointSpread(tissue.hu, size);
  const voxels = addScannerNoise(blurred, tissue.bodyDepthMm, size, random);
  const affine = worldAffine(frame, size, spacingMm, random);
  return { image: { voxels, size, affine }, labels: { voxels: labels, size, affine }, lesions };
}

function chooseGrid(options: PhantomOptions, random: Random): { size: Size3; spacingMm: Vector3 } {
  const varied: Size3 = [
    112 + 4 * random.integer(-2, 2),
    96 + 4 * random.integer(-2, 2),
    48 + 2 * random.integer(-3, 3),
  ];
  const stretch: Vector3 = [random.uniform(0.95, 1.08), random.uniform(0.95, 1.08), random.uniform(0.92, 1.1)];
  const size = options.size ?? varied;
  if (options.spacingMm) return { size, spacingMm: options.spacingMm };
  // Square pixels, as in every CT: the wider of the two directions decides.
  const inPlane = stretch[0] * Math.max(templateExtentMm[0] / size[0], templateExtentMm[1] / size[1]);
  return { size, spacingMm: [inPlane, inPlane, (stretch[2] * templateExtentMm[2]) / size[2]] };
}

/** Scales the template to the grid's box and puts the patient a few millimetres off its middle. */
function fitFrame(size: Size3, spacingMm: Vector3, random: Random): Frame {
  const across = Math.min(
    (size[0] * spacingMm[0]) / templateExtentMm[0],
    (size[1] * spacingMm[1]) / templateExtentMm[1],
  );
  const along = (size[2] * spacingMm[2]) / templateExtentMm[2];
  const step: Vector3 = [spacingMm[0] / across, spacingMm[1] / across, spacingMm[2] / along];
  const middle = (axis: number, jitterMm: number): number =>
    -0.5 * (size[axis] - 1) * step[axis] + random.uniform(-jitterMm, jitterMm);
  return { size, origin: [middle(0, 5), middle(1, 6), middle(2, 4)], step };
}

/** World x = 0 is the patient's midline; y and z start anywhere, as on a scanner's table. */
function worldAffine(frame: Frame, size: Size3, spacingMm: Vector3, random: Random): Affine {
  const [sx, sy, sz] = spacingMm;
  const x = (-frame.origin[0] / frame.step[0]) * sx;
  const y = 0.5 * (size[1] - 1) * sy + random.uniform(-20, 20);
  const z = random.uniform(-300, 100);
  return [-sx, 0, 0, x, 0, -sy, 0, y, 0, 0, sz, z, 0, 0, 0, 1];
}

interface Tissue {
  readonly hu: Float32Array;
  readonly bodyDepthMm: Float32Array;
  readonly lungDepthMm: Float32Array;
  readonly lungVoxels: number;
}

function rasteriseTissue(patient: Patient, frame: Frame): Tissue {
  const [nx, ny, nz] = frame.size;
  const hu = new Float32Array(nx * ny * nz);
  const bodyDepthMm = new Float32Array(hu.length);
  const lungDepthMm = new Float32Array(hu.length);
  let lungVoxels = 0;
  let at = 0;
  for (let k = 0; k < nz; k++) {
    const s = frame.origin[2] + k * frame.step[2];
    for (let j = 0; j < ny; j++) {
      const p = frame.origin[1] + j * frame.step[1];
      for (let i = 0; i < nx; i++, at++) {
        const l = frame.origin[0] + i * frame.step[0];
        const body = bodyDepth(patient, l, p, s);
        const cavity = body < 0 ? -100 : cavityDepth(patient, l, p, s);
        const lung = cavity < 0 ? -100 : lungDepth(patient, l, p, s, cavity);
        bodyDepthMm[at] = body;
        lungDepthMm[at] = lung;
        if (lung > 0) {
          lungVoxels++;
          hu[at] = patient.parenchymaHu + (patient.gravityHu * p) / 60 + 18 * patient.texture(l / 8, p / 8, s / 8);
        } else {
          hu[at] = tissueHu(patient, l, p, s, body, cavity);
        }
      }
    }
  }
  return { hu, bodyDepthMm, lungDepthMm, lungVoxels };
}

function paintVessels(tissue: Tissue, coverage: Float32Array): void {
  for (let at = 0; at < coverage.length; at++) {
    if (coverage[at] > 0 && tissue.lungDepthMm[at] > 0) tissue.hu[at] = mix(tissue.hu[at], 40, coverage[at]);
  }
}

function paintAirways(hu: Float32Array, wall: Float32Array, lumen: Float32Array): void {
  for (let at = 0; at < hu.length; at++) {
    if (wall[at] > 0 && hu[at] < 20) hu[at] = mix(hu[at], 20, 0.7 * wall[at]);
    if (lumen[at] > 0) hu[at] = mix(hu[at], -970, lumen[at]);
  }
}

function checkOptions(options: PhantomOptions): void {
  const fail = (message: string): never => {
    throw new QuickcolumnError('phantom', `phantom: ${message}`, { options });
  };
  const { seed, size, spacingMm, lesionCount, lesionKinds } = options;
  if (!Number.isSafeInteger(seed)) fail(`seed is ${seed}; expected a whole number`);
  if (size?.some((n, axis) => !Number.isInteger(n) || n < [24, 24, 12][axis] || n > 1024)) {
    fail(`size is ${size.join('×')} voxels; expected whole numbers from 24×24×12 to 1024×1024×1024`);
  }
  if (spacingMm?.some((mm) => !(mm > 0 && mm < 100))) {
    fail(`spacingMm is ${spacingMm.join('×')}; expected three numbers between 0 and 100`);
  }
  if (lesionCount !== undefined && !(Number.isInteger(lesionCount) && lesionCount >= 0 && lesionCount <= 50)) {
    fail(`lesionCount is ${lesionCount}; expected a whole number from 0 to 50`);
  }
  if (lesionKinds?.length === 0) fail('lesionKinds is empty; name at least one kind, or set lesionCount to 0');
}
