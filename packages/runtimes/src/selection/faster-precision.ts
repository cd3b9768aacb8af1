/** The choice between measured precisions, with its reason. float32 is the more exact one, so the other must gain something. */
import type { Precision } from '../contract/runtime.js';
import type { PrecisionSpeed, Work } from './precision-speed.js';

/** Differences below this are noise. */
const leastGain = 1.05;

export interface FasterPrecision {
  readonly precision: Precision;
  /** For people, with both numbers. */
  readonly why: string;
}

/**
 * The faster precision for this work; float32 where the other gains less than 5 %.
 * @param speeds as of `measurePrecisions`: float32 and one more
 */
export function fasterPrecision([exact, other]: readonly PrecisionSpeed[], work: Work): FasterPrecision {
  const secondsOf = (one: PrecisionSpeed): number => (work === 'training' ? one.stepSeconds : one.predictionSeconds);
  const numberOf = (one: PrecisionSpeed): string => `${milliseconds(secondsOf(one))} in ${one.precision}`;
  const what = work === 'training' ? 'a training step' : 'a forward pass';
  const numbers = `${what} of a small network takes ${numberOf(exact)}, ${numberOf(other)}`;
  const gain = secondsOf(exact) / secondsOf(other);
  if (gain >= leastGain)
    return { precision: other.precision, why: `${times(gain)} ${exact.precision} here: ${numbers}` };
  if (gain <= 1 / leastGain)
    return { precision: exact.precision, why: `${times(1 / gain)} ${other.precision} here: ${numbers}` };
  const why = `${other.precision} differs by less than 5 % here and is less exact: ${numbers}`;
  return { precision: exact.precision, why };
}

const milliseconds = (seconds: number): string => `${Number((1000 * seconds).toPrecision(3))} ms`;

const times = (gain: number): string => `${gain.toFixed(gain < 1.1 ? 2 : 1)} times as fast as`;
