/** Reads the data, times the machine and writes the configuration that follows from both. */
import { assumptionsOf, casesOf, holdOutCases } from '@quickcolumn/cases';
import { datasetStats } from '@quickcolumn/datasets';
import { writeFileAtomic } from '@quickcolumn/io';
import { compileTrainingStep, type TrainConfig } from '@quickcolumn/learn';
import { availableMemory } from '@quickcolumn/predict';
import type { RuntimeChoice } from '@quickcolumn/runtimes';
import { voxelCount } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import { checkOutputFile } from '../folders/outputs.js';
import type { PlanJob, PlanJobResult } from '../jobs/plan.js';
import { chooseDevice } from '../runtime/choose-device.js';
import { givenConfig, trainConfigFrom } from '../train/train-config.js';
import type { StepCost } from './plan-length.js';
import { planTraining } from './plan-training.js';
import { planYaml } from './plan-yaml.js';

export async function runPlanning(
  { request, minutes, threads, out, force = false }: PlanJob,
  context: JobContext,
): Promise<PlanJobResult> {
  if (out !== undefined) await checkOutputFile(out, force);
  const automatic = { ...request, profile: 'auto' as const };
  const complete = await trainConfigFrom(automatic);
  const device = await chooseDevice({ ...complete.compute, threads, work: 'training' }, context);
  const { data, preparation } = complete;
  const all = await casesOf(data);
  const cases = (data.holdOut.length === 0 ? all : holdOutCases(all, data.holdOut).train).map((entry) => ({
    ...entry,
    split: entry.role ?? ('train' as const),
  }));
  const reading = context.begin('read data');
  let stats;
  try {
    stats = await datasetStats(cases, preparation, {
      assume: assumptionsOf(data),
      onCase: (name, index) => {
        context.throwIfInterrupted();
        reading.update(`${name} (${index + 1} of ${cases.length})`, index, cases.length);
      },
    });
  } finally {
    reading.end();
  }
  const plan = await planTraining(stats, {
    minutes,
    given: await givenConfig(automatic),
    source: request.config ?? 'settings',
    memoryBytes: device.runtime.memory === 'host' ? availableMemory() : undefined,
    measure: (config) => measureStep(config, { device, threads }, context),
  });
  const result = { ...plan, config: { ...plan.config, data: { ...plan.config.data, ...pathsOf(data) } } };
  if (out !== undefined) await writeFileAtomic(out, planYaml(result));
  return result;
}

const pathsOf = ({ list, images, labels }: TrainConfig['data']): Partial<TrainConfig['data']> => ({
  list,
  images,
  labels,
});

const warmUpSteps = 1;
const timedSteps = 5;
/** A slow step is timed once. */
const enoughSeconds = 10;

/** The median of a few steps after the first, on values that cost what real ones do. */
async function measureStep(
  config: TrainConfig,
  { device, threads }: { readonly device: RuntimeChoice; readonly threads: number | undefined },
  context: JobContext,
): Promise<StepCost> {
  const { network, loss, optimizer, seed, preparation } = config;
  const { patch, batch, averaging, learningRate } = config.train;
  const task = context.begin('measure steps');
  task.update(`patch ${patch.join('×')}`, 0, 1);
  const step = await compileTrainingStep({
    network,
    loss,
    optimizer,
    seed,
    patch,
    batch,
    averaging,
    threads,
    device,
    classes: preparation.classes.length,
  });
  try {
    const voxels = batch * voxelCount(patch);
    const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i));
    const labels = Uint8Array.from({ length: voxels }, (_, i) => i % preparation.classes.length);
    const times: number[] = [];
    const started = performance.now();
    for (let t = 1; t <= warmUpSteps + timedSteps; t++) {
      context.throwIfInterrupted();
      const begin = performance.now();
      await step.run({ image, labels }, { learningRate, step: t });
      if (t > warmUpSteps) times.push((performance.now() - begin) / 1000);
      if (times.length > 0 && performance.now() - started > 1000 * enoughSeconds) break;
    }
    times.sort((a, b) => a - b);
    return { seconds: times[times.length >> 1], bytes: step.bytes };
  } finally {
    await step.dispose();
    task.end();
  }
}
