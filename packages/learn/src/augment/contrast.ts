/** Contrast: the distance from the patch's mean times one factor, cut off at the patch's former range. */
import { valueRange } from './value-range.js';

export function applyContrast(image: Float32Array, factor: number): void {
  const { minimum, maximum, mean } = valueRange(image);
  for (let i = 0; i < image.length; i++) {
    image[i] = Math.min(maximum, Math.max(minimum, mean + (image[i] - mean) * factor));
  }
}
