/**
 * Profile `auto`: a training configuration from what the data are like, what the machine can do and how long it may take.
 *
 * Rules with reasons are nnU-Net's idea (Isensee et al., Nature Methods 18:203, 2021). nnU-Net fills a given memory; here a
 * given time is filled, because time is what people without a large card lack. The trap: a finer grid needs larger patches
 * and more steps at once, so that in a short time it is worse than a coarse one.
 */
import { type DatasetStats, suggestPatch } from '@quickcolumn/datasets';
import { QuickcolumnError } from '@quickcolumn/errors';
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import { networkSize } from '@quickcolumn/networks';
import { formatBytes } from '@quickcolumn/predict';
import { type Size3, type Vector3, voxelCount } from '@quickcolumn/volume';
import { type Plan, planLength, type StepCost } from './plan-length.js';
import { Reasons, seconds } from './reasons.js';
import { requireTrainable } from './trainable.js';

export interface PlanRequest {
  /** Of the whole training, from the first case that is read to the report. */
  readonly minutes: number;
  /** What the user has decided: a configuration of which anything may be left out. None of it is planned. */
  readonly given: Readonly<Record<string, unknown>>;
  /** What messages call the configuration. */
  readonly source: string;
  readonly memoryBytes?: number | undefined;
  /** Compiles a step and times it. */
  readonly measure: (config: TrainConfig) => Promise<StepCost>;
}

/** Steps that a training should have at least before anything else may cost more. */
const wantedSteps = 2500;
/** A patch smaller than this sees too little of a lung; rather a narrower network. */
const smallestPatchVoxels = 96 * 96 * 48;
/** The paper's; larger ones are left to those who ask for them. */
const largestPatchVoxels = 160 * 160 * 80;
/** The patch covers at least this share of the median scan, or the grid is made coarser. */
const coveredShare = 1 / 3;
const widths = [24, 16, 12, 8] as const;
const referencePatch: Size3 = [64, 64, 32];
/** Of the memory that is free, what a step may take. */
const memoryShare = 0.7;

/**
 * @throws QuickcolumnError `dataset` for data that cannot be trained on, `usage` for too little time, `memory`; ConfigError
 *   for what is given
 */
export async function planTraining(stats: DatasetStats, request: PlanRequest): Promise<Plan> {
  const { given, source, minutes } = request;
  const template = parseTrainConfig({ ...given, profile: 'auto' }, source);
  requireTrainable(stats, template);
  const reasons = new Reasons(given);
  const reference = await request.measure(withTrain(template, { patch: referencePatch, batch: 1 }));
  const flopPerSecond = (3 * flopOf(template, referencePatch)) / reference.seconds;
  const stepSeconds = (minutes * 60) / wantedSteps;

  const network = chooseWidth(template, { flopPerSecond, stepSeconds }, reasons);
  const shaped: TrainConfig = { ...template, network };
  const voxelsPerSecond = flopPerSecond / ((3 * flopOf(shaped, referencePatch)) / voxelCount(referencePatch));
  let patchVoxels = Math.min(largestPatchVoxels, Math.max(smallestPatchVoxels / 2, stepSeconds * voxelsPerSecond));
  for (;;) {
    const config = onGrid(shaped, stats, { patchVoxels, voxelsPerSecond, stepSeconds }, reasons);
    const cost = await request.measure(config);
    if (request.memoryBytes === undefined || cost.bytes <= memoryShare * request.memoryBytes) {
      return planLength(config, { minutes, stats, cost, reasons, source });
    }
    if (reasons.isGiven('train.patch') || patchVoxels < smallestPatchVoxels / 8) {
      throw new QuickcolumnError(
        'memory',
        `a training step with a patch of ${config.train.patch.join('×')} needs about ${formatBytes(cost.bytes)} of memory, ` +
          `${formatBytes(request.memoryBytes)} are free; close other programs, or use a smaller train.patch`,
        { neededBytes: cost.bytes, availableBytes: request.memoryBytes },
      );
    }
    patchVoxels *= 0.7;
  }
}

function chooseWidth(
  template: TrainConfig,
  { flopPerSecond, stepSeconds }: { readonly flopPerSecond: number; readonly stepSeconds: number },
  reasons: Reasons,
): TrainConfig['network'] {
  const { network } = template;
  if (!('rootFilters' in network)) return network;
  const secondsOf = (rootFilters: number): number => {
    const perVoxel =
      flopOf({ ...template, network: { ...network, rootFilters } }, referencePatch) / voxelCount(referencePatch);
    return (3 * perVoxel * smallestPatchVoxels) / flopPerSecond;
  };
  const widest = widths.find((width) => secondsOf(width) <= stepSeconds) ?? widths[widths.length - 1];
  const rootFilters = reasons.choose(
    'network.rootFilters',
    {
      value: widest,
      why:
        `the widest of ${widths.join(', ')} that makes ${wantedSteps} steps with patches of 96×96×48 in the time ` +
        `(a step of it takes about ${seconds(secondsOf(widest))} here)`,
    },
    network.rootFilters,
  );
  return { ...network, rootFilters };
}

/** Spacing, patch and batch. */
function onGrid(
  config: TrainConfig,
  stats: DatasetStats,
  speed: { readonly patchVoxels: number; readonly voxelsPerSecond: number; readonly stepSeconds: number },
  reasons: Reasons,
): TrainConfig {
  const { patchVoxels, voxelsPerSecond, stepSeconds } = speed;
  const fieldMm = stats.medianShape.map((size, axis) => size * stats.medianSpacingMm[axis]) as unknown as Vector3;
  const spacingMm = reasons.choose(
    'preparation.spacingMm',
    planSpacing(stats.medianSpacingMm, fieldMm, patchVoxels),
    config.preparation.spacingMm,
  );
  const shape = fieldMm.map((mm, axis) => Math.max(1, Math.floor(mm / spacingMm[axis]))) as unknown as Size3;
  const patch = reasons.choose(
    'train.patch',
    {
      value: suggestPatch(shape, patchVoxels),
      why: `what a step of ${seconds(stepSeconds)} allows, in the proportions of the median scan on this grid (${shape.join('×')})`,
    },
    config.train.patch,
  );
  const share = voxelCount(patch) / voxelsPerSecond;
  const batch = reasons.choose(
    'train.batch',
    share * 2 <= stepSeconds
      ? { value: 2, why: 'two patches fit into the time of a step' }
      : { value: 1, why: 'a second patch would halve the number of steps' },
    config.train.batch,
  );
  const overlap = reasons.choose(
    'predict.overlap',
    {
      value: patch.map((side) => side / 2) as unknown as Size3,
      why: 'half of the patch: every voxel is seen eight times',
    },
    config.predict.overlap,
  );
  return {
    ...config,
    preparation: { ...config.preparation, spacingMm },
    train: { ...config.train, patch, batch },
    predict: { ...config.predict, overlap },
  };
}

/** The data's own spacing, made coarser until the patch covers enough of a scan; the finest axes first. */
function planSpacing(
  ownMm: Vector3,
  fieldMm: Vector3,
  patchVoxels: number,
): { readonly value: Vector3; readonly shown: string; readonly why: string } {
  const spacing: [number, number, number] = [...ownMm];
  const scanVoxels = (): number => spacing.reduce((product, mm, axis) => (product * fieldMm[axis]) / mm, 1);
  while (patchVoxels < coveredShare * scanVoxels()) {
    // Slices are usually thicker than pixels: those wait until the pixels are within a half of them.
    const coarsest = Math.max(...spacing);
    const finer = ([0, 1, 2] as const).filter((axis) => 1.5 * spacing[axis] < coarsest);
    for (const axis of finer.length > 0 ? finer : ([0, 1, 2] as const)) spacing[axis] *= 1.02;
  }
  const value: Vector3 = [round(spacing[0]), round(spacing[1]), round(spacing[2])];
  const own = ownMm.map((mm) => round(mm)).join('×');
  return {
    value,
    shown: `${value.join('×')} mm`,
    why: value.every((mm, axis) => mm === round(ownMm[axis]))
      ? 'the median of the scans'
      : `the scans have ${own} mm in the median; so much coarser, that a patch covers a third of a scan`,
  };
}

const flopOf = ({ network, preparation }: TrainConfig, patch: Size3): number =>
  networkSize(network, preparation.classes.length, patch).flop;

const withTrain = (config: TrainConfig, train: Partial<TrainConfig['train']>): TrainConfig => ({
  ...config,
  train: { ...config.train, ...train },
});

const round = (value: number): number => Math.round(value * 100) / 100;
