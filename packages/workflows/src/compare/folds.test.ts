import { type DatasetCase, divideCases } from '@quickcolumn/cases';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from './experiment.js';
import { experimentFolds, foldConfig } from './folds.js';

const cases = Array.from(
  { length: 17 },
  (_, i): DatasetCase => ({ name: `c${i}`, imagePath: `${i}`, labelPath: `${i}`, patient: `p${Math.floor(i / 2)}` }),
);
const file = {
  title: 'test',
  folds: 3,
  seed: 4,
  base: { profile: 'quick', data: { holdOut: ['c0', 'c1'] } },
  systems: [{ id: 'a' }, { id: 'b', network: { name: 'unet3d' } }],
};
const experiment = parseExperiment(file, 'exp.yaml');
const folds = experimentFolds(experiment, cases);
const compute = { runtime: 'onnx', precision: 'float32' } as const;
const namesOf = (some: readonly DatasetCase[]): string[] => some.map(({ name }) => name).sort();

describe('the folds of an experiment', () => {
  it('test every case that is not held out exactly once', () => {
    expect(folds).toHaveLength(3);
    expect(namesOf(folds.flatMap(({ test }) => test))).toEqual(namesOf(cases.slice(2)));
  });

  it('keep the cases of a patient together', () => {
    for (const { train, test } of folds) {
      const patients = new Set(test.map(({ patient }) => patient));
      expect(train.filter(({ patient }) => patients.has(patient))).toEqual([]);
    }
  });

  it('never train on a test case or choose a checkpoint by it', () => {
    for (const { test } of folds) {
      const { train, test: validation } = divideCases(cases, foldConfig(experiment.systems[0].config, test, compute));
      expect(validation.length).toBeGreaterThan(0);
      expect(namesOf([...train, ...validation, ...test])).toEqual(namesOf(cases.slice(2)));
    }
  });

  it('are the same for every system, and whatever the order of the cases', () => {
    for (const { test } of folds) {
      const [a, b] = experiment.systems.map(({ config }) => divideCases(cases, foldConfig(config, test, compute)));
      expect(b).toEqual(a);
    }
    const again = experimentFolds(experiment, [...cases].reverse());
    expect(again.map(({ test }) => namesOf(test))).toEqual(folds.map(({ test }) => namesOf(test)));
    const other = experimentFolds({ ...experiment, seed: 5 }, cases);
    expect(other.map(({ test }) => namesOf(test))).not.toEqual(folds.map(({ test }) => namesOf(test)));
  });

  it('refuse too few patients and folds that are asked for twice', () => {
    expect(() => experimentFolds(experiment, cases.slice(0, 5))).toThrow('patients');
    const split = { kind: 'folds', folds: 2, fold: 0 };
    const twice = parseExperiment({ ...file, base: { ...file.base, data: { split } } }, 'exp.yaml');
    expect(() => experimentFolds(twice, cases)).toThrow('data.split.kind');
  });
});
