/** Multiplicative brightness: every z-scored value times one factor. */
export function applyBrightness(image: Float32Array, factor: number): void {
  for (let i = 0; i < image.length; i++) image[i] *= factor;
}
