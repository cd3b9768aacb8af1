export { type AugmentCase, augmentPatch } from './augment-patch.js';
export {
  type AugmentationConfig,
  augmentationSchema,
  mildAugmentation,
  muellerAugmentation,
  noAugmentation,
  paperAugmentation,
} from './config.js';
export type { Oversampling } from './crop.js';
export type { MirrorClass } from './mirror.js';
export { cropVotes, mixLabels, packVotes, type SoftVotes, votedClasses } from './soft-votes.js';
