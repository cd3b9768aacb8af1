import { describe, expect, it } from 'vitest';
import { compileTrainingStep } from '../step/step.js';
import { smallestStep } from '../step/step.test.helpers.js';
import type { StepConfig } from '../step/step-types.js';
import { averagedWeights, averageInput } from './averaged-weights.js';

const config: StepConfig = { ...smallestStep, averaging: 0.5 };
const image = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * 0.37));
const labels = Uint8Array.from({ length: 4096 }, (_, i) => i % 2);

describe('averaged weights', () => {
  it('are the moving average of the weights after each step, and change none of them', async () => {
    const step = await compileTrainingStep(config);
    const plain = await compileTrainingStep({ ...config, averaging: undefined });
    const expected = new Map<string, Float64Array>();
    for (let t = 1; t <= 12; t++) {
      await step.run({ image, labels }, { learningRate: 1e-2, step: t });
      await plain.run({ image, labels }, { learningRate: 1e-2, step: t });
      const keep = Math.min(0.5, (t - 1) / (t + 8));
      for (const [name, { data }] of await plain.variables()) {
        const before = expected.get(name) ?? new Float64Array(data.length);
        expected.set(
          name,
          before.map((value, i) => keep * value + (1 - keep) * data[i]),
        );
      }
    }
    const variables = await step.variables();
    const untouched = await plain.variables();
    await step.dispose();
    await plain.dispose();
    const averaged = averagedWeights(variables);
    expect([...averaged.keys()].sort()).toEqual([...untouched.keys()].sort());
    let averages = 0;
    for (const [name, { data }] of untouched) {
      expect(variables.get(name)?.data, name).toEqual(data);
      const average = variables.get(`${name}/average`);
      if (average === undefined) continue;
      averages++;
      const off = average.data.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (expected.get(name)?.[i] ?? 9))),
        0,
      );
      expect(off, name).toBeLessThan(1e-5);
      expect(averaged.get(name)).toBe(average);
    }
    // Every trained weight has one, statistics and moments have none.
    const trained = [...untouched.keys()].filter((name) => untouched.has(`${name}/adam-m`));
    expect(averages).toBe(trained.length);
  });

  it('begin with the weights of the first step', () => {
    expect(averageInput(0.999, 1).averageShare[0]).toBe(1);
    expect(averageInput(0.999, 2).averageShare[0]).toBeCloseTo(0.9, 6);
    expect(averageInput(0.999, 1e6).averageShare[0]).toBeCloseTo(0.001, 6);
  });
});
