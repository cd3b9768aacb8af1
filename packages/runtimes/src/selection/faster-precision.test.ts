/** The choice between measured precisions: by the work, and float32 where the difference is noise. */
import { describe, expect, it } from 'vitest';
import type { Precision } from '../contract/runtime.js';
import { fasterPrecision } from './faster-precision.js';
import type { PrecisionSpeed, Work } from './precision-speed.js';

const speed = (precision: Precision, stepSeconds: number, predictionSeconds: number): PrecisionSpeed => ({
  precision,
  stepSeconds,
  predictionSeconds,
});
const exact = speed('float32', 0.1, 0.04);

describe('the faster precision', () => {
  it.each<[Work, Precision]>([
    ['training', 'float32'],
    ['prediction', 'bfloat16'],
  ])('is that of the work: %s', (work, precision) => {
    expect(fasterPrecision([exact, speed('bfloat16', 0.13, 0.02)], work).precision).toBe(precision);
  });

  it('is float32 within 5 %, either way', () => {
    for (const seconds of [0.0953, 0.1, 0.1049]) {
      const { precision, why } = fasterPrecision([exact, speed('bfloat16', seconds, 1)], 'training');
      expect(precision).toBe('float32');
      expect(why).toContain('bfloat16 differs by less than 5 % here and is less exact');
    }
    expect(fasterPrecision([exact, speed('bfloat16', 0.0951, 1)], 'training').precision).toBe('bfloat16');
  });

  it('is told with both numbers', () => {
    const speeds = [exact, speed('bfloat16', 0.0625, 0.05)];
    expect(fasterPrecision([speed('float32', 1.2868, 1), speeds[1]], 'training').why).toContain(' 1290 ms in float32');
    expect(fasterPrecision(speeds, 'training').why).toBe(
      '1.6 times as fast as float32 here: a training step of a small network takes 100 ms in float32, 62.5 ms in bfloat16',
    );
    expect(fasterPrecision(speeds, 'prediction').why).toBe(
      '1.3 times as fast as bfloat16 here: a forward pass of a small network takes 40 ms in float32, 50 ms in bfloat16',
    );
  });
});
