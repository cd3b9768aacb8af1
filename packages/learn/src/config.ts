/**
 * The complete configuration of a training run: what `config.yaml` in a run folder holds.
 *
 * A file names its profile and may leave out what it does not change; every key it does have is checked strictly
 * (unknown keys are errors). The parsed object is complete and can be printed, edited and run again.
 * Patches must be multiples of 16 because the networks halve the grid four times.
 */
import { catalogue, headCount, type NetworkConfig, networkSchema } from '@quickcolumn/networks';
import { type PreparationConfig, preparationSchema } from '@quickcolumn/pipeline';
import { type PrecisionName, precisionNames, type RuntimeName, runtimeNames } from '@quickcolumn/runtimes';
import type { Size3 } from '@quickcolumn/volume';
import { z } from 'zod';
import { type AugmentationConfig, augmentationSchema } from './augment/index.js';
import { ConfigError, describeIssues } from './config-error.js';
import {
  type LossConfig,
  lossSchema,
  type OptimizerConfig,
  optimizerSchema,
  type ScheduleConfig,
  scheduleSchema,
} from './objective-config.js';
import { type ProfileName, profileNames, profiles } from './profiles.js';

/** Where the cases are and how they are divided. Paths are relative to the configuration file. */
export interface DataConfig {
  /** CSV or JSON list of cases (see case-list.ts); where there is one, `images` and `labels` are not used. */
  readonly list: string | null;
  readonly images: string;
  readonly labels: string;
  /** Case name → patient, where file names do not tell; cases of one patient are never divided. */
  readonly patients: Readonly<Record<string, string>>;
  /** Names of cases kept out of training and validation altogether. */
  readonly holdOut: readonly string[];
  readonly split:
    | { readonly kind: 'fraction'; readonly validation: number }
    | { readonly kind: 'folds'; readonly folds: number; readonly fold: number };
}

export interface TrainSettings {
  /** x, y, z in voxels of the prepared grid; multiples of 16. */
  readonly patch: Size3;
  readonly batch: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Fixed validation patches cut from every validation case (see validation.ts). */
  readonly validationPatches: number;
  readonly learningRate: number;
  readonly schedule: ScheduleConfig;
  /** Stop after this many epochs without a better training loss; null for never. */
  readonly earlyStop: number | null;
  /** Stop at the first epoch end after this many minutes of a session; null for never. */
  readonly maxMinutes: number | null;
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

export interface TrainConfig {
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
  readonly compute: ComputeConfig;
  readonly predict: {
    /** Overlap of neighbouring windows along x, y, z in voxels; smaller than the patch. */
    readonly overlap: Size3;
  };
}

const count = z.int().min(1);
const positive = z.number().gt(0);
const share = z.number().gt(0).lt(1);

const dataSchema = z.strictObject({
  list: z.string().min(1).nullable(),
  images: z.string().min(1),
  labels: z.string().min(1),
  patients: z.record(z.string(), z.string().min(1)),
  holdOut: z.array(z.string().min(1)),
  split: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('fraction'), validation: share }),
    z.strictObject({ kind: z.literal('folds'), folds: z.int().min(2), fold: z.int().min(0) }),
  ]),
});

const patchEdge = z.int().min(16).multipleOf(16);

const settingsSchema = z.strictObject({
  patch: z.tuple([patchEdge, patchEdge, patchEdge]),
  batch: count,
  epochs: count,
  stepsPerEpoch: count,
  validationPatches: count.max(64),
  learningRate: positive,
  schedule: scheduleSchema,
  earlyStop: count.nullable(),
  maxMinutes: positive.nullable(),
});

const initSchema: z.ZodType<InitConfig> = z.strictObject({
  from: z.string().min(1),
  weightsSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'expected 64 lower-case hexadecimal digits; leave the key out' })
    .optional(),
  freeze: z.array(z.string().min(1).max(100)).min(1).max(100).optional(),
});

const edge = z.int().min(0);

const configSchema: z.ZodType<TrainConfig> = z
  .strictObject({
    profile: z.enum(profileNames),
    seed: z.int().min(0).max(0xffff_ffff),
    data: dataSchema,
    preparation: preparationSchema,
    augmentation: augmentationSchema,
    network: networkSchema,
    train: settingsSchema,
    loss: lossSchema,
    optimizer: optimizerSchema,
    init: initSchema.optional(),
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
    const { split } = config.data;
    if (split.kind === 'folds' && split.fold >= split.folds) {
      const message = `${split.fold} is not one of 0 to ${split.folds - 1}; folds count from 0`;
      context.addIssue({ code: 'custom', path: ['data', 'split', 'fold'], message });
    }
    const { levelWeights } = config.loss;
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

/**
 * Checks a configuration and completes it from its profile.
 *
 * @param object what a YAML or JSON file holds; `profile` is required, everything else may be left out.
 * @param sourceName what messages call it, e.g. `config.yaml`.
 * @throws ConfigError (code `config`) with one line per problem.
 */
export function parseTrainConfig(object: unknown, sourceName: string): TrainConfig {
  if (!isGroup(object)) {
    throw new ConfigError(sourceName, [{ path: '', message: 'expected a group of keys, starting with profile' }]);
  }
  const name = profileNames.find((known) => known === object['profile']);
  const template = name === undefined ? undefined : profiles[name];
  const complete =
    template === undefined ? { profile: object['profile'] } : completed(withNetwork(template, object), object);
  const parsed = configSchema.safeParse(complete);
  if (parsed.success) return parsed.data;
  const issues = describeIssues(parsed.error, complete, template ?? profiles.paper);
  // Without a known profile nothing can be completed, and every other key would be reported as missing.
  throw new ConfigError(
    sourceName,
    template === undefined ? issues.filter((issue) => issue.path === 'profile') : issues,
  );
}

/** The template with the published options of the network that is asked for, where it is another one. */
function withNetwork(template: TrainConfig, { network }: Record<string, unknown>): TrainConfig {
  const name = isGroup(network) ? network['name'] : undefined;
  const entry = catalogue.find(({ id }) => id === name);
  return entry === undefined || name === template.network.name ? template : { ...template, network: entry.config };
}

/** `given` over `defaults`: groups merge key by key, unless their `name`/`kind` tells that they are another variant. */
export function completed(defaults: unknown, given: unknown): unknown {
  if (!isGroup(defaults) || !isGroup(given)) return given;
  for (const tag of ['name', 'kind']) {
    if (tag in defaults && given[tag] !== undefined && given[tag] !== defaults[tag]) return given;
  }
  const changes = Object.entries(given).map(([key, value]): [string, unknown] => [
    key,
    Object.hasOwn(defaults, key) ? completed(defaults[key], value) : value,
  ]);
  // Not by assignment: a key `__proto__` must stay a key, to be reported as unknown.
  return Object.fromEntries([...Object.entries(defaults), ...changes]);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
