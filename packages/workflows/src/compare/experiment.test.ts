import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, profiles } from '@quickcolumn/learn';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { toYaml } from '../folders/yaml.js';
import { experimentYaml } from './experiment-yaml.js';
import { parseExperiment, readExperiment } from './experiment.js';

const systems = [{ id: 'a' }, { id: 'b', profile: 'ma', train: { epochs: 7 } }];
const file = {
  title: 'test',
  folds: 3,
  seed: 9,
  base: {
    profile: 'quick',
    data: { list: 'cases.csv' },
    network: { rootFilters: 4 },
    train: { patch: [32, 32, 32], epochs: 2 },
    predict: { overlap: [16, 16, 16], gaussian: true },
  },
  systems,
};

/** The message of the error that a changed file gives. */
function problem(changes: object): string {
  try {
    parseExperiment({ ...file, ...changes }, '/x/exp.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('no error');
}

describe('an experiment file', () => {
  it('completes a system from its profile, the base and its own keys', () => {
    const [a, b] = parseExperiment(file, '/x/exp.yaml').systems;
    expect(a.config.network).toEqual({ ...profiles.quick.network, rootFilters: 4 });
    expect(a.config.train.learningRate).toBe(profiles.quick.train.learningRate);
    expect(a.config.predict).toEqual({ overlap: [16, 16, 16] });
    expect(a.testTime).toEqual({ gaussian: true });
    expect(b.config.network).toEqual({ ...profiles.ma.network, rootFilters: 4 });
    expect(b.config.optimizer).toEqual(profiles.ma.optimizer);
    expect(b.config.train).toMatchObject({ epochs: 7, patch: [32, 32, 32], learningRate: 0.01 });
    for (const { config } of [a, b]) {
      expect(config.seed).toBe(9);
      expect(config.data.list).toBe('/x/cases.csv');
    }
  });

  it('gives another network the defaults of that network', () => {
    const changed = { ...file, systems: [{ id: 'pp', network: { name: 'unet-pp' } }] };
    const [{ config }] = parseExperiment(changed, 'exp.yaml').systems;
    expect(config.network).toEqual({ name: 'unet-pp', rootFilters: 4, deepSupervision: true });
  });

  it('lends weights with other test-time options', () => {
    const tta = { id: 'tta', weightsOf: 'a', predict: { mirror: ['x'], postProcessing: { keepLargest: { '1': 1 } } } };
    const experiment = parseExperiment({ ...file, systems: [...systems, tta] }, 'exp.yaml');
    expect(experiment.systems[2]).toMatchObject({
      weightsOf: 'a',
      testTime: { gaussian: true, mirror: ['x'], postProcessing: { keepLargest: { '1': 1 } } },
    });
    expect(experiment.systems[2].config).toEqual(experiment.systems[0].config);
  });

  it('starts systems from models, whose paths are relative to the file', () => {
    const init = { from: 'msd/model.onnx', freeze: ['stem'] };
    const experiment = parseExperiment({ ...file, systems: [{ id: 'a' }, { id: 'transfer', init }] }, '/x/exp.yaml');
    expect(experiment.systems.map(({ config }) => config.init)).toEqual([
      undefined,
      { from: '/x/msd/model.onnx', freeze: ['stem'] },
    ]);
    expect(parseExperiment(parse(experimentYaml(experiment)), '/y/exp.yaml')).toEqual(experiment);
  });

  it('is written complete and reads back as itself', () => {
    const tta = { id: 'tta', title: 'With mirrors', weightsOf: 'a', predict: { mirror: ['x'] } };
    const experiment = parseExperiment({ ...file, systems: [...systems, tta] }, '/x/exp.yaml');
    expect(parseExperiment(parse(experimentYaml(experiment)), '/elsewhere/experiment.yaml')).toEqual(experiment);
  });

  it.each([
    [{ folds: 1 }, 'folds: 1 is too small; use at least 2'],
    [{ fold: 3 }, 'fold: unknown key; did you mean folds?'],
    [{ systems: [] }, 'systems: '],
    [{ systems: [{ id: '../a' }] }, 'systems[0].id: '],
    [{ systems: [{ id: 'a' }, { id: 'a' }] }, 'systems[1].id: a: another system has this id'],
    [{ systems: [{ id: 'a', data: { list: 'x' } }] }, 'systems[0].data.list: unknown key'],
    [{ systems: [{ id: 'a', train: { patch: [30, 32, 32] } }] }, 'exp.yaml: a: train.patch[0]: 30 is not a multiple'],
    [{ systems: [{ id: 'a', network: { depth: 3 } }] }, 'exp.yaml: a: network.depth: unknown key'],
    [{ systems: [{ id: 'a', predict: { mirror: ['w'] } }] }, 'exp.yaml: a: predict.mirror[0]: "w" is not known'],
    [{ systems: [{ id: 'a', predict: { mirrors: ['x'] } }] }, 'exp.yaml: a: predict.mirrors: unknown key'],
    [
      { systems: [{ id: 'a', predict: { postProcessing: { fillHoles: ['liver'] } } }] },
      "a: fill holes: 'liver' is no class",
    ],
    [{ systems: [{ id: 'a', weightsOf: 'b' }] }, "systems[0].weightsOf: a: no system 'b' stands before it"],
    [{ systems: [...systems, { id: 'c', weightsOf: 'a', train: {} }] }, 'systems[2].train: c: trains nothing'],
    [
      { systems: [{ id: 'a' }, { id: 'b', weightsOf: 'a' }, { id: 'c', weightsOf: 'b' }] },
      'systems[2].weightsOf: c: b has no weights of its own; name a',
    ],
    [
      { systems: [{ id: 'a' }, { id: 'b', preparation: { ignoreLabel: 9 } }] },
      'systems[1].preparation.ignoreLabel: b: ',
    ],
    [
      { systems: [{ id: 'a' }, { id: 'b', preparation: { labels: { 4: null } } }] },
      'systems[1].preparation.labels: b: ',
    ],
    [{ version: 3, later: 1 }, '/x/exp.yaml: version: made by a newer version of quickcolumn (format 3'],
  ])('%j says what is wrong', (changes, message) => {
    expect(problem(changes)).toContain(message);
  });

  it('of any version gives the same systems, and says its version once when it is written', () => {
    const current = parseExperiment({ version: 2, ...file }, '/x/exp.yaml');
    expect(parseExperiment(file, '/x/exp.yaml')).toEqual(current);
    expect(parseExperiment({ version: 1, ...file }, '/x/exp.yaml')).toEqual(current);
    expect(experimentYaml(current).match(/version: /g)).toEqual(['version: ']);
  });

  it('begins a system with a configuration file, whose cases, seed and runtime are not taken', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-experiment-'));
    try {
      const { auto } = profiles;
      const planned = {
        ...auto,
        seed: 77,
        data: { ...auto.data, list: 'others.csv', split: { kind: 'fraction' as const, validation: 0 } },
        preparation: { ...auto.preparation, spacingMm: [2.2, 2.2, 3.3] as const },
        train: { ...auto.train, epochs: 17 },
      };
      await writeFile(join(folder, 'plan.yaml'), toYaml(planned));
      const path = join(folder, 'exp.yaml');
      const entries = [{ id: 'quick' }, { id: 'auto', config: 'plan.yaml', train: { epochs: 3 } }];
      const content = { title: 't', folds: 3, seed: 9, base: { data: { list: 'cases.csv' } }, systems: entries };
      await writeFile(path, toYaml(content, ' test'));
      const experiment = await readExperiment(path);
      const [quick, made] = experiment.systems.map(({ config }) => config);
      expect(made.preparation.spacingMm).toEqual([2.2, 2.2, 3.3]);
      expect(made.train).toEqual({ ...auto.train, epochs: 3 });
      expect([made.seed, made.data.list]).toEqual([9, join(folder, 'cases.csv')]);
      expect([quick, made].map(({ data }) => data.split)).toEqual([
        { kind: 'fraction', validation: 0.2 },
        { kind: 'fraction', validation: 0 },
      ]);
      expect(parseExperiment(parse(experimentYaml(experiment)), '/elsewhere/experiment.yaml')).toEqual(experiment);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is valid in the example, with all networks at the same width', async () => {
    const path = fileURLToPath(new URL('../../../../examples/compare-quick.yaml', import.meta.url));
    const { systems: made } = await readExperiment(path);
    expect(made).toHaveLength(11);
    for (const { config } of made) expect(config.network.rootFilters).toBe(16);
  });
});
