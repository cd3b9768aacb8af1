/**
 * Transfer and freezing with real networks, through a model file: equal networks predict the same voxel for voxel, other
 * classes get a new head, frozen variables stay bit for bit, on both runtimes and for every network of the catalogue.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compileEvaluationStep,
  compileTrainingStep,
  exportModel,
  frozenParts,
  type NamedTensor,
  profiles,
  type StepConfig,
  trainingGraph,
  transferWeights,
} from '@quickcolumn/learn';
import { catalogue, type NetworkConfig } from '@quickcolumn/networks';
import { covidClasses, msdClasses, paperPreparation } from '@quickcolumn/pipeline';
import { plan } from '@quickcolumn/graph';
import { readModel } from '@quickcolumn/predict';
import { openOnnx, openOneDnn, type OneDnnRuntime } from '@quickcolumn/runtimes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const onnxRuntime = await openOnnx();
const found: OneDnnRuntime | string = await openOneDnn().catch((error: Error) => error.message);
const present = typeof found !== 'string';
const why = present ? '' : ` (onednn skipped: ${found})`;
const devices: [string, StepConfig['device']][] = [['onnx', { runtime: onnxRuntime, precision: 'float32' }]];
if (typeof found !== 'string') devices.push(['onednn', { runtime: found, precision: found.precision }]);

const patch = [16, 16, 16] as const;
const voxels = 16 ** 3;
const { loss, optimizer } = profiles.quick;

const batchOf = (classes: number): { image: Float32Array; labels: Uint8Array } => {
  const image = Float32Array.from({ length: voxels }, (_, i) => 1.4 * Math.sin(i * 0.1) + Math.cos(i * 0.013));
  return { image, labels: Uint8Array.from(image, (value) => (value > 0 ? 1 : value > -1 ? classes - 1 : 0)) };
};

function configOf(network: NetworkConfig, classes: number, more: Partial<StepConfig> = {}): StepConfig {
  return { network, classes, patch, batch: 1, loss, optimizer, seed: 5, threads: 1, ...more };
}

/** Variables after `steps` steps, and the losses on the way. */
async function trained(
  config: StepConfig,
  steps: number,
): Promise<{ before: Map<string, NamedTensor>; after: Map<string, NamedTensor>; losses: number[] }> {
  const step = await compileTrainingStep(config);
  try {
    const before = await step.variables();
    const losses: number[] = [];
    for (let t = 1; t <= steps; t++)
      losses.push((await step.run(batchOf(config.classes), { learningRate: 1e-2, step: t })).loss);
    return { before, after: await step.variables(), losses };
  } finally {
    await step.dispose();
  }
}

async function lossOf(config: StepConfig, variables: ReadonlyMap<string, NamedTensor>): Promise<number> {
  const evaluation = await compileEvaluationStep(config);
  try {
    await evaluation.setVariables(variables);
    return (await evaluation.run(batchOf(config.classes))).loss;
  } finally {
    await evaluation.dispose();
  }
}

const isWeight = (name: string): boolean => !/\/(adam-[mv]|sgd-v)$/.test(name);

describe.each(devices)(`transfer on %s${why}`, (deviceName, device) => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-transfer-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  // The slower runtime takes a few networks where the faster one takes all.
  const few = new Set(['qchc-unet', 'unet3d', 'deep-unet3d', 'nnunet3d']);
  const all = catalogue.filter(({ id }) => !id.startsWith('qchc-unet-'));
  it.each(present && deviceName === 'onnx' ? all.filter(({ id }) => few.has(id)) : all)(
    '$title',
    async ({ id, config }) => {
      const network: NetworkConfig = { ...config, rootFilters: 2 };
      const { after } = await trained(configOf(network, 4, { device }), 2);
      const path = join(folder, `${id}.onnx`);
      const metadata = { preparation: paperPreparation, patch, overlap: [8, 8, 8] as const, training: {}, notes: '' };
      await exportModel(path, { network, variables: after, metadata });
      const { weights } = await readModel(path);
      const source = { name: path, network: { ...network }, classes: covidClasses, weights };

      const equal = transferWeights({ network, classes: covidClasses }, source);
      const taken = configOf(network, 4, { device, seed: 77, initial: equal.initial });
      const start = await trained(taken, 0);
      for (const [name, { data }] of weights) expect(start.before.get(name)?.data, name).toEqual(data);
      expect(await lossOf(taken, start.before)).toBe(await lossOf(taken, after));

      const other = transferWeights({ network, classes: msdClasses }, source);
      const frozen = frozenParts(network, id === 'unet-pp' ? ['node*-0'] : ['encoder', 'decoder3']).flatMap(
        ({ names }) => names,
      );
      const two = configOf(network, 2, { device, seed: 6, initial: other.initial, frozen });
      const result = await trained(two, 3);
      const seeded = await trained(configOf(network, 2, { device, seed: 6 }), 0);
      expect(other.fresh.length).toBeGreaterThan(0);
      for (const name of other.fresh) expect(result.before.get(name), name).toEqual(seeded.before.get(name));
      expect(frozen.length).toBeGreaterThan(4);
      for (const name of frozen) {
        expect(result.after.get(name)?.data, name).toEqual(weights.get(name)?.data);
        expect([...result.after.keys()].filter((key) => key.startsWith(`${name}/`))).toEqual([]);
      }
      const moved = [...result.after].filter(
        ([name, { data }]) => isWeight(name) && data.some((value, i) => value !== result.before.get(name)?.data[i]),
      );
      expect(moved.map(([name]) => name)).toContain([...other.fresh][0]);
      expect(moved.some(([name]) => /^(decoder0|node0-3)/.test(name))).toBe(true);
      expect(result.losses[2]).toBeLessThan(result.losses[0]);
    },
  );

  it('freezes parts of a layer and parts behind trained ones', async () => {
    const network: NetworkConfig = { name: 'unet3d', rootFilters: 2 };
    for (const pattern of ['**/conv/weight', '**/norm/gamma', '**/norm/mean', 'decoder', '**/bias']) {
      const frozen = frozenParts(network, [pattern]).flatMap(({ names }) => names);
      const { before, after, losses } = await trained(configOf(network, 3, { device, frozen }), 3);
      for (const name of frozen) expect(after.get(name)?.data, name).toEqual(before.get(name)?.data);
      // One voxel is left at the deepest level, and batch norm makes nothing of it.
      const rest = [...before.keys()].filter(
        (name) =>
          isWeight(name) && !frozen.includes(name) && !/^(encoder4|decoder3)|\/(mean|variance|bias|beta)$/.test(name),
      );
      for (const name of rest) expect(after.get(name)?.data, name).not.toEqual(before.get(name)?.data);
      expect(losses[2], pattern).toBeLessThan(losses[0]);
    }
  });
});

describe('a frozen part', () => {
  const network: NetworkConfig = { name: 'qchc-unet', rootFilters: 2, resize: 'trilinear', bottomLevel: false, quickConnection: true, hypercolumn: true }; // biome-ignore format: one line

  it('costs no gradient: a step with a frozen encoder has fewer operations and less memory', () => {
    const whole = plan(trainingGraph(configOf(network, 4)));
    const frozen = frozenParts(network, ['stem', 'encoder']).flatMap(({ names }) => names);
    const part = plan(trainingGraph(configOf(network, 4, { frozen })));
    expect(part.order.length).toBeLessThan(0.7 * whole.order.length);
    expect(part.peakBytes).toBeLessThan(0.8 * whole.peakBytes);
    expect(part.variableBytes).toBeLessThan(0.75 * whole.variableBytes);
  });

  it('must leave something to train', () => {
    const frozen = frozenParts(network, ['**']).flatMap(({ names }) => names);
    expect(() => trainingGraph(configOf(network, 4, { frozen }))).toThrow('every variable is frozen');
  });
});
