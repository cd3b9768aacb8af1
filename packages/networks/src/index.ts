/** Segmentation networks, one file each, built from named blocks. */
export type { Builder } from './blocks.js';
export {
  buildNetwork,
  type NetworkConfig,
  type NetworkSize,
  networkSchema,
  networkSize,
  patchMultiple,
  predictionGraph,
} from './network.js';
export type { QchcUnetConfig } from './qchc-unet.js';
export type { Unet3dConfig } from './unet3d.js';
