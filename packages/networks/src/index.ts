/** Segmentation networks, one file each in `architectures/`, built from named blocks. */
export type { Builder } from './blocks/builder.js';
export type { NetworkHeads } from './blocks/heads.js';
export { catalogue, type CatalogueEntry } from './catalogue.js';
export {
  buildHeads,
  headCount,
  type NetworkConfig,
  type NetworkName,
  networkSchema,
  patchMultipleOf,
} from './config.js';
export type { NetworkDefinition, NetworkOptions } from './definition.js';
export {
  headVariables,
  type NetworkSize,
  networkSize,
  networkVariables,
  predictionGraph,
} from './graphs.js';
export { networkDefinitions } from './networks.js';
