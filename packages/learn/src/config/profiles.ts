/**
 * The named training configurations (spec 1), complete and plain: print one, copy it, edit it.
 *
 * `paper`: the QC-HC U-Net paper's numbers, Müller et al.'s where it is silent. `mueller`: Müller et al.'s 3D U-Net
 * run (their limit of 1000 epochs, normally ended by the early stop). `ma`: the nnU-Net-style 3D U-Net of Ma et al.'s
 * benchmark, 1000 epochs of 250 steps as nnU-Net trains. `quick`: a small machine, about half an hour. `auto`: what the
 * planner begins with; it puts spacing, patch, width and steps that fit data, machine and time in the place of these.
 */
import { paperPreparation } from '@quickcolumn/pipeline';
import { mildAugmentation, muellerAugmentation, paperAugmentation } from '../augment/index.js';
import { configVersion } from './migrate-config.js';
import type { ProfileName, TrainConfig } from './train-config.js';
import type { ScheduleConfig } from '../schedules/schedule-config.js';

const plateau: ScheduleConfig = {
  kind: 'plateau',
  factor: 0.1,
  patience: 15,
  minDelta: 1e-4,
  cooldown: 1,
  floor: 1e-5,
};

const paper: TrainConfig = {
  version: configVersion,
  profile: 'paper',
  seed: 1,
  data: {
    list: null,
    images: 'ct',
    labels: 'labels',
    patients: {},
    holdOut: [],
    split: { kind: 'fraction', validation: 0.2 },
  },
  preparation: paperPreparation,
  augmentation: paperAugmentation,
  network: {
    name: 'qchc-unet',
    rootFilters: 16,
    resize: 'trilinear',
    bottomLevel: false,
    quickConnection: true,
    hypercolumn: true,
  },
  train: {
    patch: [160, 160, 80],
    batch: 2,
    epochs: 300,
    stepsPerEpoch: 150,
    validationPatches: 2,
    learningRate: 1e-4,
    schedule: plateau,
    earlyStop: null,
    maxMinutes: null,
  },
  loss: { kind: 'tversky-ce', alpha: 0.5, beta: 0.5, epsilon: 1e-6 },
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  compute: { runtime: 'auto', precision: 'auto' },
  predict: { overlap: [80, 80, 40] },
};

const mueller: TrainConfig = {
  ...paper,
  profile: 'mueller',
  preparation: { ...paper.preparation, intensity: 'minmax' },
  augmentation: muellerAugmentation,
  network: { name: 'unet3d', rootFilters: 32 },
  train: { ...paper.train, epochs: 1000, learningRate: 1e-3, earlyStop: 100 },
};

const ma: TrainConfig = {
  ...paper,
  profile: 'ma',
  network: { name: 'nnunet3d', rootFilters: 32, maxFilters: 320, deepSupervision: true },
  train: {
    ...paper.train,
    epochs: 1000,
    stepsPerEpoch: 250,
    learningRate: 0.01,
    schedule: { kind: 'polynomial', power: 0.9 },
  },
  // nnU-Net leaves the background out of its Dice and clips the gradients' norm at 12.
  loss: { kind: 'dice-ce', epsilon: 1e-5, background: false },
  optimizer: { kind: 'sgd', momentum: 0.99, nesterov: true, weightDecay: 3e-5, clipNorm: 12 },
};

const quick: TrainConfig = {
  ...paper,
  profile: 'quick',
  preparation: { ...paper.preparation, spacingMm: [3, 3, 5] },
  train: {
    ...paper.train,
    patch: [96, 96, 48],
    batch: 1,
    epochs: 10,
    stepsPerEpoch: 100,
    learningRate: 1e-3,
    schedule: { kind: 'steps', lowerAt: 2 / 3, factor: 0.1 },
  },
  predict: { overlap: [48, 48, 24] },
};

const auto: TrainConfig = {
  ...paper,
  profile: 'auto',
  data: { ...paper.data, split: { kind: 'fraction', validation: 0 } },
  preparation: { ...paper.preparation, spacingMm: [2, 2, 3] },
  augmentation: mildAugmentation,
  // With a batch of one patch batch norm would predict otherwise than it was trained.
  network: {
    name: 'qchc-unet',
    rootFilters: 16,
    resize: 'trilinear',
    bottomLevel: false,
    quickConnection: true,
    hypercolumn: true,
    normalization: 'instance',
  },
  train: {
    ...paper.train,
    patch: [96, 96, 48],
    batch: 1,
    epochs: 30,
    stepsPerEpoch: 80,
    learningRate: 1e-3,
    schedule: { kind: 'cosine', floor: 0, warmupSteps: 100 },
    averaging: 0.98,
  },
  predict: { overlap: [48, 48, 24] },
};

export const profiles: Readonly<Record<ProfileName, TrainConfig>> = { auto, paper, mueller, ma, quick };
