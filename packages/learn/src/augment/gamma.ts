/** Gamma: the patch's own range is mapped to 0…1, raised to a power, and mapped back (ends stay where they are). */
import { valueRange } from './value-range.js';

/** Applies v → min + (max − min) · ((v − min) / (max − min))^exponent in place. */
export function applyGamma(image: Float32Array, exponent: number): void {
  const { minimum, maximum } = valueRange(image);
  const width = maximum - minimum;
  if (!(width > 0)) return;
  for (let i = 0; i < image.length; i++) {
    // exp(log) takes half the time of the ** operator here; log 0 = −∞ gives 0, as it should.
    image[i] = minimum + width * Math.exp(exponent * Math.log((image[i] - minimum) / width));
  }
}
