/** Segmentation networks, one file each, built from named blocks. */
export type { AttentionUnet3dConfig } from './attention-unet3d.js';
export type { Builder } from './blocks.js';
export { catalogue, type CatalogueEntry } from './catalogue.js';
export type { DeepUnet3dConfig } from './deep-unet3d.js';
export type { DenseUnet3dConfig } from './dense-unet3d.js';
export type { DruNetConfig } from './dru-net.js';
export {
  buildHeads,
  buildNetwork,
  headCount,
  headVariables,
  type NetworkConfig,
  type NetworkName,
  type NetworkSize,
  networkSchema,
  networkSize,
  networkVariables,
  patchMultiple,
  predictionGraph,
} from './network.js';
export type { Nnunet3dConfig } from './nnunet3d.js';
export type { QchcUnetConfig } from './qchc-unet.js';
export type { ResidualUnet3dConfig } from './residual-unet3d.js';
export type { S3dUnetConfig } from './s3d-unet.js';
export type { NetworkHeads } from './u-shape.js';
export type { Unet3dConfig } from './unet3d.js';
export type { UnetPpConfig } from './unet-pp.js';
export type { VbNetConfig } from './vb-net.js';
