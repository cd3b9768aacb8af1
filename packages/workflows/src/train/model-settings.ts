/** What a training on the footing of a model begins with. */
import { type ProfileName, profileNames, type TrainConfig } from '@quickcolumn/learn';
import type { ModelMetadata } from '@quickcolumn/pipeline';

/** Keys of a training configuration, before it is checked. */
export interface ModelSettings extends Pick<TrainConfig, 'preparation' | 'predict'> {
  readonly profile: ProfileName;
  readonly network: ModelMetadata['network'];
  readonly train: Pick<TrainConfig['train'], 'patch'>;
}

/** The network, preparation and windows of a model; everything else is left to its profile. */
export function modelSettings({ network, preparation, patch, overlap, training }: ModelMetadata): ModelSettings {
  const profile = profileNames.find((name) => name === training['profile']) ?? 'paper';
  return { profile, preparation, network: { ...network }, train: { patch }, predict: { overlap } };
}
