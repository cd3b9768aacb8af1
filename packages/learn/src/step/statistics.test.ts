import { describe, expect, it } from 'vitest';
import { compileEvaluationStep, compileTrainingStep } from './step.js';
import { compileStatisticsStep, estimateStatistics } from './statistics.js';
import { smallestStep as config } from './step.test.helpers.js';

const voxels = 16 ** 3;
const patchOf = (k: number): Float32Array =>
  Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 0.37 + k) * (1 + k) + k);
const labels = Uint8Array.from({ length: voxels }, (_, i) => i % 2);

describe('estimated statistics', () => {
  it('of the first norm are mean and variance of its input over all voxels of all patches', async () => {
    const patches = [patchOf(0), patchOf(1), patchOf(2)];
    const training = await compileTrainingStep(config);
    const variables = await training.variables();
    await training.dispose();
    const step = await compileStatisticsStep(config);
    if (step === undefined) throw new Error('a U-Net has batch norms');
    const estimated = await estimateStatistics(step, variables, patches);
    const again = await estimateStatistics(step, variables, patches);
    await step.dispose();
    expect(again).toEqual(estimated);
    expect([...estimated.keys()].sort()).toEqual(
      [...variables.keys()].filter((name) => /\/(mean|variance)$/.test(name)).sort(),
    );

    // The first convolution and its ReLU by hand, 3×3×3 with zeros around.
    const first = [...variables.keys()].find((name) => name.endsWith('conv/weight')) ?? '';
    const { shape, data: weight } = variables.get(first) ?? { shape: [], data: new Float32Array() };
    const norm = first.replace('conv/weight', 'norm');
    for (let channel = 0; channel < shape[0]; channel++) {
      let sum = 0;
      let squares = 0;
      for (const image of patches) {
        for (let z = 0; z < 16; z++) {
          for (let y = 0; y < 16; y++) {
            for (let x = 0; x < 16; x++) {
              let value = 0;
              for (let tap = 0; tap < 27; tap++) {
                const at = [z + Math.floor(tap / 9) - 1, y + (Math.floor(tap / 3) % 3) - 1, x + (tap % 3) - 1];
                if (at.some((place) => place < 0 || place > 15)) continue;
                value += weight[channel * 27 + tap] * image[(at[0] * 16 + at[1]) * 16 + at[2]];
              }
              const activated = Math.max(0, value);
              sum += activated;
              squares += activated ** 2;
            }
          }
        }
      }
      const mean = sum / (3 * voxels);
      expect(estimated.get(`${norm}/mean`)?.data[channel]).toBeCloseTo(mean, 4);
      expect(estimated.get(`${norm}/variance`)?.data[channel]).toBeCloseTo(squares / (3 * voxels) - mean ** 2, 3);
    }
  });

  it('bring the loss in evaluation to that of training after few steps; the running ones lag behind', async () => {
    const training = await compileTrainingStep(config);
    let trained = 0;
    for (let t = 1; t <= 20; t++) {
      trained = (await training.run({ image: patchOf(0), labels }, { learningRate: 1e-2, step: t })).loss;
    }
    const variables = await training.variables();
    await training.dispose();
    const step = await compileStatisticsStep(config);
    if (step === undefined) throw new Error('a U-Net has batch norms');
    const estimated = await estimateStatistics(step, variables, [patchOf(0)]);
    await step.dispose();
    const evaluation = await compileEvaluationStep(config);
    const lossWith = async (values: Parameters<typeof evaluation.setVariables>[0]): Promise<number> => {
      await evaluation.setVariables(values);
      return (await evaluation.run({ image: patchOf(0), labels })).loss;
    };
    const running = await lossWith(variables);
    const settled = await lossWith(new Map([...variables, ...estimated]));
    await evaluation.dispose();
    expect(Math.abs(settled - trained)).toBeLessThan(0.05);
    expect(running).toBeGreaterThan(settled + 0.05);
  });

  it('are of no use to networks without batch norm, and leave frozen ones alone', async () => {
    const network = { name: 'nnunet3d', rootFilters: 2, maxFilters: 8, deepSupervision: true } as const;
    expect(await compileStatisticsStep({ ...config, network, patch: [32, 32, 32] })).toBeUndefined();
    const training = await compileTrainingStep(config);
    const names = [...(await training.variables()).keys()].filter((name) => /\/(mean|variance)$/.test(name));
    await training.dispose();
    expect(await compileStatisticsStep({ ...config, frozen: names })).toBeUndefined();
  });

  it('refuse to be made from nothing', async () => {
    const step = await compileStatisticsStep(config);
    if (step === undefined) throw new Error('a U-Net has batch norms');
    await expect(estimateStatistics(step, new Map(), [])).rejects.toThrow('no patches to estimate statistics from');
    await step.dispose();
  });
});
