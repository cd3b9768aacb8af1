/**
 * The complete configuration of a training run: what `config.yaml` in a run folder holds.
 *
 * A file names its profile and may leave out what it does not change; every key it does have is checked strictly
 * (unknown keys are errors). The parsed object is complete and can be printed, edited and run again.
 * Files of older versions are brought to this one first (migrate-config.ts).
 */
import { type DataConfig, dataSchema } from '@quickcolumn/cases';
import { headCount, type NetworkConfig, networkSchema } from '@quickcolumn/networks';
import { type PreparationConfig, preparationSchema } from '@quickcolumn/pipeline';
import { type PrecisionName, precisionNames, type RuntimeName, runtimeNames } from '@quickcolumn/runtimes';
import type { Size3 } from '@quickcolumn/volume';
import { z } from 'zod';
import { type AugmentationConfig, augmentationSchema } from '../augment/index.js';
import { type LossConfig, lossSchema } from '../losses/loss-config.js';
import { type OptimizerConfig, optimizerSchema } from '../optimizers/optimizer-config.js';
import { type ScheduleConfig, scheduleSchema } from '../schedules/schedule-config.js';
import { configVersion } from './migrate-config.js';

export const profileNames: readonly ['auto', 'paper', 'mueller', 'ma', 'quick'] = [
  'auto',
  'paper',
  'mueller',
  'ma',
  'quick',
];

export type ProfileName = (typeof profileNames)[number];

/** That a training was made longer on the way (see trainer/extend.ts). */
export interface Extension {
  /** Optimiser steps that were done by then. */
  readonly untilStep: number;
  /** How many epochs were planned up to there. */
  readonly epochs: number;
  /** The time that they were fitted to; absent: none. */
  readonly minutes?: number;
}

export interface TrainSettings {
  /** x, y, z in voxels of the prepared grid; multiples of the network's `patchMultipleOf`. */
  readonly patch: Size3;
  readonly batch: number;
  readonly epochs: number;
  /** What was planned before, oldest first; written when a training is extended. Absent: `epochs` from the beginning. */
  readonly extended?: readonly Extension[];
  readonly stepsPerEpoch: number;
  /** Fixed validation patches cut from every validation case (see validation.ts). */
  readonly validationPatches: number;
  readonly learningRate: number;
  readonly schedule: ScheduleConfig;
  /** Stop after this many epochs without a better training loss; null for never. */
  readonly earlyStop: number | null;
  /** Stop at the first epoch end after this many minutes of a session; null for never. */
  readonly maxMinutes: number | null;
  /**
   * How long the whole training shall take, reading and report included: the number of epochs is fitted to it as it goes
   * (fit-epochs.ts). Absent: as many epochs as planned, however long they take.
   */
  readonly minutes?: number;
  /**
   * Patches over which the statistics of batch norm are estimated anew, with the weights fixed, before every validation
   * and for the model (statistics.ts). Absent: validation and model take the running averages of the training, which lag behind the weights.
   */
  readonly statisticsPatches?: number;
  /**
   * Validation and model take an exponential moving average of the weights, of which each step keeps this share
   * (averaged-weights.ts). Absent: the weights themselves.
   */
  readonly averaging?: number;
  /** For classes by name: the share of the patches that are drawn to contain a voxel of it, where the case has one. */
  readonly oversample?: Readonly<Record<string, number>>;
}

/** What executes the network. `auto` is the fastest that the machine has; a run folder names what it was. */
interface ComputeConfig {
  readonly runtime: RuntimeName;
  readonly precision: PrecisionName;
  /** Whether kernels of a graphics card are measured once and the fastest taken; default false. */
  readonly autotune?: boolean | undefined;
}

/** Weights to start from instead of random ones. */
export interface InitConfig {
  /** A model file. Relative to the configuration file. */
  readonly from: string;
  /** Of its weights: written by the training into its run folder, compared where it is given. */
  readonly weightsSha256?: string;
  /** Patterns of variable names (see freeze.ts) that keep what they start with. Absent: everything is trained. */
  readonly freeze?: readonly string[];
}

/** Teachers, whose mean votes are learned beside the labels, or in their place where a scan has none. */
export interface DistillConfig {
  /** Model files, run folders or folders of cross-validations. Relative to the configuration file. */
  readonly from: readonly string[];
  /** Of the weights of all teachers in order: written by the training into its run folder, compared where it is given. */
  readonly weightsSha256?: readonly string[];
  /** How much labels count beside the votes, where a voxel has one: 0 for not at all, 1 for alone. */
  readonly hardShare: number;
}

export interface TrainConfig {
  readonly version: typeof configVersion;
  readonly profile: ProfileName;
  readonly seed: number;
  readonly data: DataConfig;
  readonly preparation: PreparationConfig;
  readonly augmentation: AugmentationConfig;
  readonly network: NetworkConfig;
  readonly train: TrainSettings;
  readonly loss: LossConfig;
  readonly optimizer: OptimizerConfig;
  /** Absent: random weights. */
  readonly init?: InitConfig;
  /** Absent: labels alone are learned. */
  readonly distill?: DistillConfig;
  readonly compute: ComputeConfig;
  readonly predict: {
    /** Overlap of neighbouring windows along x, y, z in voxels; smaller than the patch. */
    readonly overlap: Size3;
  };
}

const count = z.int().min(1);
const positive = z.number().gt(0);
const share = z.number().gt(0).lt(1);

const patchEdge = (multiple: number): z.ZodInt => z.int().min(multiple).multipleOf(multiple);

const settingsSchema = (multiple: number): z.ZodType<TrainSettings> =>
  z.strictObject({
    patch: z.tuple([patchEdge(multiple), patchEdge(multiple), patchEdge(multiple)]),
    batch: count,
    epochs: count,
    extended: z
      .array(z.strictObject({ untilStep: z.int().min(0), epochs: count, minutes: positive.optional() }))
      .min(1)
      .optional(),
    stepsPerEpoch: count,
    validationPatches: count.max(64),
    learningRate: positive,
    schedule: scheduleSchema,
    earlyStop: count.nullable(),
    maxMinutes: positive.nullable(),
    minutes: positive.optional(),
    statisticsPatches: count.max(10_000).optional(),
    averaging: share.optional(),
    oversample: z.record(z.string(), share).optional(),
  });

const weightsSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: 'expected 64 lower-case hexadecimal digits; leave the key out' });

const initSchema: z.ZodType<InitConfig> = z.strictObject({
  from: z.string().min(1),
  weightsSha256: weightsSha256.optional(),
  freeze: z.array(z.string().min(1).max(100)).min(1).max(100).optional(),
});

/** Hinton et al. 2015 (section 2) found a considerably lower weight of the labels than of the teacher to be best. */
const defaultHardShare = 0.25;

const distillSchema: z.ZodType<DistillConfig> = z.strictObject({
  from: z.array(z.string().min(1)).min(1).max(100),
  weightsSha256: z.array(weightsSha256).min(1).optional(),
  hardShare: z.number().min(0).max(1).default(defaultHardShare),
});

const edge = z.int().min(0);

/** @param patchMultiple what the sides of the patch must be multiples of, for the network of the configuration */
export const configSchema = (patchMultiple: number): z.ZodType<TrainConfig> =>
  z
    .strictObject({
      version: z.literal(configVersion),
      profile: z.enum(profileNames),
      seed: z.int().min(0).max(0xffff_ffff),
      data: dataSchema,
      preparation: preparationSchema,
      augmentation: augmentationSchema,
      network: networkSchema,
      train: settingsSchema(patchMultiple),
      loss: lossSchema,
      optimizer: optimizerSchema,
      init: initSchema.optional(),
      distill: distillSchema.optional(),
      compute: z.strictObject({
        runtime: z.enum(runtimeNames),
        precision: z.enum(precisionNames),
        autotune: z.boolean().optional(),
      }),
      predict: z.strictObject({ overlap: z.tuple([edge, edge, edge]) }),
    })
    .superRefine((config, context) => {
      config.predict.overlap.forEach((overlap, axis) => {
        const side = config.train.patch[axis];
        if (overlap < side) return;
        const message = `${overlap} is not smaller than the patch (${side}); use ${side / 2}`;
        context.addIssue({ code: 'custom', path: ['predict', 'overlap', axis], message });
      });
      const classNames = config.preparation.classes.map(({ name }) => name);
      for (const name of Object.keys(config.train.oversample ?? {})) {
        if (classNames.includes(name)) continue;
        const message = `there is no class '${name}'; the classes are ${classNames.join(', ')}`;
        context.addIssue({ code: 'custom', path: ['train', 'oversample', name], message });
      }
      const oversampled = Object.values(config.train.oversample ?? {}).reduce((sum, one) => sum + one, 0);
      if (oversampled > 1) {
        const message = `the shares add up to ${Number(oversampled.toFixed(3))}; expected at most 1`;
        context.addIssue({ code: 'custom', path: ['train', 'oversample'], message });
      }
      const { epochs, extended = [] } = config.train;
      extended.forEach((one, index) => {
        const next = extended[index + 1] ?? { untilStep: Number.POSITIVE_INFINITY, epochs };
        const message = `${one.epochs} epochs up to step ${one.untilStep} are followed by ${next.epochs}; only more can follow`;
        if (one.epochs >= next.epochs || one.untilStep > next.untilStep)
          context.addIssue({ code: 'custom', path: ['train', 'extended', index], message });
      });
      const { classWeights, levelWeights } = config.loss;
      const classes = config.preparation.classes.length;
      if (classWeights !== undefined && classWeights.length !== classes) {
        const message = `${classWeights.length} weights for ${classes} classes; use one for each, the background first`;
        context.addIssue({ code: 'custom', path: ['loss', 'classWeights'], message });
      }
      if (levelWeights === undefined) return;
      const heads = headCount(config.network);
      if (levelWeights.length !== heads) {
        const what = heads === 1 ? 'one head' : `${heads} heads in training`;
        const message =
          `${levelWeights.length} weights, but ${config.network.name} has ${what}; ` +
          (heads === 1 ? 'leave the key out' : `use ${heads}, the finest head first`);
        context.addIssue({ code: 'custom', path: ['loss', 'levelWeights'], message });
      }
    });
