/** The last part of a plan: how many steps the time allows, and what follows from their number. */
import type { DatasetStats } from '@quickcolumn/datasets';
import { QuickcolumnError } from '@quickcolumn/errors';
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import { networkVariables } from '@quickcolumn/networks';
import { type PlannedValue, type Reasons, seconds } from './reasons.js';

export interface Plan {
  readonly config: TrainConfig;
  readonly values: readonly PlannedValue[];
  /** Of a training step on this machine. */
  readonly secondsPerStep: number;
}

/** What a training step of a configuration takes here. */
export interface StepCost {
  readonly seconds: number;
  readonly bytes: number;
}

/** Fewer steps teach a network nothing. */
const fewestSteps = 100;
/** Epochs are what a crash may lose and a report shows; this many, if they are of 10 steps at least. */
const wantedEpochs = 30;
/** Reading and preparing a case, writing model and report: what is not steps. */
const secondsPerCase = 3;
const secondsAround = 15;
/** What validation, statistics and checkpoints take beside the steps. */
const shareBeside = 0.06;
/** From this many patients on a fifth of them is not missed in the training. */
const patientsToValidate = 20;
/** Classes below this share of the voxels are drawn more often. */
const rareShare = 0.03;
const rarePatches = 0.4;

export function planLength(
  config: TrainConfig,
  about: {
    readonly minutes: number;
    readonly stats: DatasetStats;
    readonly cost: StepCost;
    readonly reasons: Reasons;
    readonly source: string;
  },
): Plan {
  const { minutes, stats, cost, reasons, source } = about;
  const free = Math.max(0, 60 * minutes - secondsAround - secondsPerCase * stats.cases.length);
  const steps = Math.floor((free * (1 - shareBeside)) / cost.seconds);
  if (steps < fewestSteps) {
    const needed = Math.ceil((60 * minutes - free + (fewestSteps * cost.seconds) / (1 - shareBeside)) / 60);
    throw new QuickcolumnError(
      'usage',
      `${minutes} minutes are ${steps} steps of ${seconds(cost.seconds)} here, at least ${fewestSteps} are needed to learn ` +
        `anything; give at least ${needed} minutes`,
      { minutes, steps, neededMinutes: needed },
    );
  }
  const { train } = config;
  const stepsPerEpoch = reasons.choose(
    'train.stepsPerEpoch',
    {
      value: Math.min(250, Math.max(10, Math.round(steps / wantedEpochs / 10) * 10)),
      why: `about ${wantedEpochs} epochs: what is kept after each is what a crash cannot lose`,
    },
    train.stepsPerEpoch,
  );
  const epochs = reasons.choose(
    'train.epochs',
    {
      value: Math.max(1, Math.floor(steps / stepsPerEpoch)),
      why: `${minutes} minutes at ${seconds(cost.seconds)} a step, measured here, without what else takes time`,
    },
    train.epochs,
  );
  const total = epochs * stepsPerEpoch;
  const warmupSteps = Math.min(200, Math.ceil(total / 20));
  const schedule = reasons.choose(
    'train.schedule',
    {
      value: { kind: 'cosine' as const, floor: 0, warmupSteps },
      shown: `cosine to 0, ${warmupSteps} steps of warm-up`,
      why: 'ends with the time, whatever it is',
    },
    train.schedule,
  );
  const averaging = reasons.choose(
    'train.averaging',
    {
      value: Math.max(0.9, Number((1 - 50 / total).toFixed(4))),
      why: 'the model is the mean of the weights over about the last fiftieth of the steps',
    },
    train.averaging,
  );
  const oversample = reasons.choose('train.oversample', planOversampling(stats), train.oversample);
  const patients = new Set(stats.cases.map(({ patient }) => patient)).size;
  const validation = patients >= patientsToValidate ? 0.2 : 0;
  const split = reasons.choose(
    'data.split',
    {
      value: { kind: 'fraction' as const, validation },
      shown: validation === 0 ? 'all cases are trained on' : 'a fifth of the cases validate',
      why:
        validation === 0
          ? `${patients} patients are too few to leave some out; cross-validate tells how good such a model is`
          : `${patients} patients are enough to leave some out, which show how the training goes`,
    },
    config.data.split,
  );
  const hasBatchNorm = [...networkVariables(config.network, stats.classes.length).keys()].some((name) =>
    name.endsWith('/variance'),
  );
  const statisticsPatches = hasBatchNorm
    ? reasons.choose(
        'train.statisticsPatches',
        {
          value: Math.max(32, 2 * stats.cases.length),
          why: 'the statistics of batch norm, for the weights of the model, from two patches of every scan or 32 of all',
        },
        train.statisticsPatches,
      )
    : undefined;
  const planned: TrainConfig = {
    ...config,
    data: { ...config.data, split },
    train: {
      ...train,
      // Epochs that the user has decided are made, however long they take.
      ...(!reasons.isGiven('train.epochs') && { minutes }),
      stepsPerEpoch,
      epochs,
      schedule,
      averaging,
      ...(statisticsPatches !== undefined && { statisticsPatches }),
      ...(oversample !== undefined && { oversample }),
    },
  };
  return { config: parseTrainConfig(planned, source), values: reasons.values, secondsPerStep: cost.seconds };
}

function planOversampling({ cases, classes }: DatasetStats): {
  readonly value: Readonly<Record<string, number>> | undefined;
  readonly shown: string;
  readonly why: string;
} {
  const shareOf = (c: number): number => {
    const volumes = cases.flatMap(({ volumeMl }) => (volumeMl === undefined ? [] : [volumeMl]));
    const all = volumes.reduce((sum, one) => sum + one.reduce((ml, value) => ml + value, 0), 0);
    return volumes.reduce((sum, one) => sum + one[c], 0) / all;
  };
  const rare = classes.map(({ name }, c) => ({ name, share: shareOf(c) })).filter(({ share }) => share < rareShare);
  if (rare.length === 0) {
    return {
      value: undefined,
      shown: 'none',
      why: `no class is rare: each has at least ${100 * rareShare} % of the voxels`,
    };
  }
  const share = Number((rarePatches / rare.length).toFixed(3));
  return {
    value: Object.fromEntries(rare.map(({ name }) => [name, share])),
    shown: rare.map(({ name }) => `${name} in ${Math.round(100 * share)} % of the patches`).join(', '),
    why: rare.map((one) => `${one.name} is ${(100 * one.share).toPrecision(2)} % of the voxels`).join(', '),
  };
}
