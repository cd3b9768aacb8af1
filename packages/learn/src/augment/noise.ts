/**
 * Gaussian noise. The trap is the name of the parameter: the paper draws a variance; batchgenerators, and so
 * Müller et al., draw a number they call variance and use as the standard deviation. The config says which.
 */
import type { RandomStream } from '@quickcolumn/random';
import type { AugmentationConfig } from './config.js';

/** Adds noise in place. */
export function applyNoise(image: Float32Array, random: RandomStream, config: AugmentationConfig['noise']): void {
  const drawn = random.uniform(config.range[0], config.range[1]);
  random.addNormal(image, config.drawn === 'variance' ? Math.sqrt(drawn) : drawn);
}
