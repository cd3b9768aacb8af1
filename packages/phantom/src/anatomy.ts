/**
 * The shapes of a synthetic chest as formulas in template millimetres (l, p, s): to the patient's left, posterior
 * and superior, from the middle of the chest. The template fills 291 × 250 × 240 mm; a case scales it to its grid.
 *
 * Shapes are "depth" functions: roughly the distance in millimetres inside the surface, negative outside. They
 * are approximate distances, good enough for edges, layers and a pleural margin, not for measuring.
 */
import { createNoise, type Noise, type Random, smooth } from './random.js';

/** Extent in mm that the template was drawn for: left-right, front-back, head-foot. */
export const templateExtentMm: readonly [number, number, number] = [291, 250, 240];

export interface Patient {
  readonly halfWidth: number;
  readonly halfDepth: number;
  /** Exponent of the superellipse: 2 is an ellipse, more is boxier. */
  readonly roundness: number;
  readonly fat: number;
  readonly muscle: number;
  readonly lungTop: number;
  readonly lungBase: number;
  readonly domeHeight: number;
  readonly rightDomeLift: number;
  readonly heart: {
    readonly centre: readonly [number, number, number];
    readonly radii: readonly [number, number, number];
  };
  readonly spineP: number;
  readonly ribOffset: number;
  readonly parenchymaHu: number;
  readonly gravityHu: number;
  readonly gasBubble:
    | { readonly l: number; readonly p: number; readonly s: number; readonly radius: number }
    | undefined;
  readonly surface: Noise;
  readonly texture: Noise;
}

const skinMm = 2.5;

export function createPatient(random: Random): Patient {
  const halfWidth = random.uniform(118, 134);
  const halfDepth = random.uniform(84, 102);
  const fat = random.uniform(5, 14);
  const muscle = random.uniform(13, 18);
  const lungBase = random.uniform(-104, -94);
  const domeHeight = random.uniform(34, 50);
  const inner = halfDepth - skinMm - fat - muscle;
  return {
    halfWidth,
    halfDepth,
    roundness: random.uniform(2.2, 2.7),
    fat,
    muscle,
    lungTop: random.uniform(92, 104),
    lungBase,
    domeHeight,
    rightDomeLift: random.uniform(4, 12),
    heart: {
      centre: [random.uniform(20, 27), -0.32 * inner, lungBase + domeHeight + random.uniform(24, 34)],
      radii: [random.uniform(46, 54), 0.62 * inner, random.uniform(42, 50)],
    },
    spineP: 0.76 * inner,
    ribOffset: random.uniform(0, 24),
    parenchymaHu: random.uniform(-870, -810),
    gravityHu: random.uniform(20, 70),
    gasBubble:
      random.next() < 0.6
        ? { l: random.uniform(38, 56), p: random.uniform(-25, 5), s: lungBase - 6, radius: random.uniform(12, 22) }
        : undefined,
    surface: createNoise(Math.floor(random.next() * 2 ** 31)),
    texture: createNoise(Math.floor(random.next() * 2 ** 31)),
  };
}

function superellipseDepth(l: number, p: number, halfWidth: number, halfDepth: number, exponent: number): number {
  const r = (Math.abs(l / halfWidth) ** exponent + Math.abs(p / halfDepth) ** exponent) ** (1 / exponent);
  const radius = Math.hypot(l, p);
  return r < 1e-3 ? halfDepth : radius / r - radius;
}

/** Depth below the skin. */
export function bodyDepth(patient: Patient, l: number, p: number, s: number): number {
  const taper = 1 - 0.1 * smooth((s - 60) / 80);
  return superellipseDepth(l, p, patient.halfWidth * taper, patient.halfDepth * taper, patient.roundness);
}

/** Depth inside the rib cage; it closes towards the lung tops, where only the neck goes on. */
export function cavityDepth(patient: Patient, l: number, p: number, s: number): number {
  const wall = skinMm + patient.fat + patient.muscle;
  const shoulder = patient.lungTop - 85;
  const t = Math.min(1, Math.max(0, (s - shoulder) / (patient.lungTop - shoulder)));
  const closing = Math.max(0.02, (1 - t ** 2.4) ** (1 / 2.4));
  const scale = Math.min(closing, 1);
  return superellipseDepth(
    l,
    p,
    (patient.halfWidth - wall) * scale,
    (patient.halfDepth - wall) * scale,
    patient.roundness,
  );
}

function ellipsoidDistance(
  l: number,
  p: number,
  s: number,
  centre: readonly [number, number, number],
  radii: readonly [number, number, number],
): number {
  const r = Math.hypot((l - centre[0]) / radii[0], (p - centre[1]) / radii[1], (s - centre[2]) / radii[2]);
  return (r - 1) * Math.min(radii[0], radii[1], radii[2]);
}

/** Distance outside the heart. */
function heartDistance(patient: Patient, l: number, p: number, s: number): number {
  return ellipsoidDistance(l, p, s, patient.heart.centre, patient.heart.radii);
}

/** Distance outside the descending aorta, which runs left in front of the spine. */
function aortaDistance(patient: Patient, l: number, p: number, s: number): number {
  return s > 55 ? 40 : Math.hypot(l - 19, p - (patient.spineP - 22)) - 11;
}

function diaphragm(patient: Patient, l: number, p: number): number {
  const side = l < 0 ? patient.rightDomeLift : 0;
  const bulge = Math.exp(-(((Math.abs(l) - 42) / 48) ** 2 + ((p + 8) / 52) ** 2));
  return patient.lungBase + (patient.domeHeight + side) * bulge;
}

/**
 * Depth below the pleura of the lung on this point's side (l > 0 is the left lung), `cavity` being cavityDepth
 * there. The heart and the aorta take more of the left lung: that is its notch and why it is smaller.
 */
export function lungDepth(patient: Patient, l: number, p: number, s: number, cavity: number): number {
  const mediastinum = 9 + 19 * Math.exp(-(((p - 4) / 34) ** 2)) + 5 * smooth((s - 40) / 60);
  let depth = Math.min(cavity, s - diaphragm(patient, l, p), Math.abs(l) - mediastinum);
  if (depth < -12) return depth;
  depth = Math.min(
    depth,
    heartDistance(patient, l, p, s),
    aortaDistance(patient, l, p, s),
    Math.hypot(l, p - patient.spineP) - 25,
  );
  return depth + 2.2 * patient.surface(l / 17, p / 17, s / 17);
}

/** HU of everything that is not lung, `body` being bodyDepth and `cavity` cavityDepth at this point. */
export function tissueHu(patient: Patient, l: number, p: number, s: number, body: number, cavity: number): number {
  if (body < 0) return -1000;
  if (body < skinMm) return 10;
  const bone = boneHu(patient, l, p, s, cavity);
  if (bone !== undefined && body > 7) return bone;
  if (body < skinMm + patient.fat) return -105;
  if (cavity < 0)
    return 50 + 12 * patient.texture(l / 9, p / 9, s / 14) - (patient.texture(l / 20, p / 7, s / 30) > 0.55 ? 120 : 0);
  if (s < diaphragm(patient, l, p)) {
    const gas = patient.gasBubble;
    if (gas && Math.hypot(l - gas.l, p - gas.p, s - gas.s) < gas.radius) return -940;
    return l < 10 ? 58 : 42 + 10 * patient.texture(l / 15, p / 15, s / 15);
  }
  if (heartDistance(patient, l, p, s) < 0 || aortaDistance(patient, l, p, s) < 0) return 44;
  return patient.texture(l / 12, p / 12, s / 12) > 0.05 ? -85 : 40;
}

function boneHu(patient: Patient, l: number, p: number, s: number, cavity: number): number | undefined {
  const spineP = p - patient.spineP;
  const vertebra = Math.hypot(l, spineP) - 17;
  if (vertebra < 0) {
    const disc = Math.abs(s / 25 - Math.round(s / 25)) * 25 < 3;
    return disc ? 85 : vertebra > -3 ? 430 : 210;
  }
  if (Math.hypot(l, spineP - 23) < 7) return 25;
  if (Math.hypot(l, spineP - 23) < 10 || (Math.abs(l) < 3.5 && spineP > 28 && spineP < 42)) return 380;
  const outside = -cavity;
  if (outside < 1.5 || outside > 9.5) return undefined;
  if (p < 0 && Math.abs(l) < 14 && s > -50 && s < 60) return 260;
  const angle = Math.abs(Math.atan2(l, p)) / Math.PI;
  if (s > patient.lungTop) return undefined;
  // Ribs leave the spine and run down towards the front; the last piece in front is cartilage.
  const phase = (s + 60 * angle + patient.ribOffset) / 24;
  const offset = Math.abs(phase - Math.round(phase)) * 24;
  if (offset > 5.5) return undefined;
  if (angle > 0.82) return 110;
  return offset > 3.8 || outside < 3 || outside > 8 ? 560 : 240;
}
