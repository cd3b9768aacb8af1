import type { StepConfig } from './step-types.js';

/** A network with batch norm, as small as it can be compiled. */
export const smallestStep: StepConfig = {
  network: { name: 'unet3d', rootFilters: 2 },
  classes: 2,
  patch: [16, 16, 16],
  batch: 1,
  loss: { alpha: 0.5, beta: 0.5, epsilon: 1e-6 },
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  seed: 3,
};
