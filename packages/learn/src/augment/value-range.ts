/** Minimum, maximum and mean of a patch; the mean is summed in float64. */
export function valueRange(image: Float32Array): { minimum: number; maximum: number; mean: number } {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < image.length; i++) {
    const value = image[i];
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    sum += value;
  }
  return { minimum, maximum, mean: sum / image.length };
}
