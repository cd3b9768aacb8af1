import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.js';
import { parseTrainConfig } from './parse-config.js';
import { profiles } from './profiles.js';
import { profileNames } from './train-config.js';

function messageOf(object: unknown): string {
  try {
    parseTrainConfig(object, 'config.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'config' });
    return (error as ConfigError).message;
  }
  throw new Error('the configuration was accepted');
}

describe('parseTrainConfig', () => {
  it.each(profileNames)('accepts profile %s complete, as JSON, and as a bare name', (name) => {
    expect(parseTrainConfig(JSON.parse(JSON.stringify(profiles[name])), 'a')).toEqual(profiles[name]);
    expect(parseTrainConfig({ profile: name }, 'a')).toEqual(profiles[name]);
  });

  it('completes from the profile what a file leaves out', () => {
    const config = parseTrainConfig({ profile: 'quick', seed: 5, train: { epochs: 3, patch: [64, 64, 48] } }, 'a');
    const { quick } = profiles;
    expect(config).toEqual({ ...quick, seed: 5, train: { ...quick.train, epochs: 3, patch: [64, 64, 48] } });
    const nearest = parseTrainConfig({ profile: 'paper', network: { resize: 'nearest' } }, 'a');
    expect(nearest.network).toEqual({ ...profiles.paper.network, resize: 'nearest' });
  });

  it('does not mix the keys of two networks or schedules', () => {
    const network = { name: 'unet3d', rootFilters: 8 };
    expect(parseTrainConfig({ profile: 'paper', network }, 'a').network).toEqual(network);
    expect(messageOf({ profile: 'quick', train: { schedule: { kind: 'plateau', factor: 0.5 } } })).toContain(
      'config.yaml: train.schedule.patience: is missing; expected a number',
    );
  });

  it('takes weights of classes by name or as a list, and keeps the list', () => {
    const named = parseTrainConfig({ profile: 'quick', loss: { classWeights: { infection: 2 } } }, 'a');
    expect(named.loss.classWeights).toEqual([1, 1, 1, 2]);
    expect(parseTrainConfig({ profile: 'quick', loss: { classWeights: [1, 1, 1, 2] } }, 'a')).toEqual(named);
    expect(parseTrainConfig(JSON.parse(JSON.stringify(named)), 'a')).toEqual(named);
    for (const [classWeights, message] of [
      [
        { lesion: 2, infection: 0 },
        'loss.classWeights.lesion: no class has this name; there are background, left lung',
      ],
      [{ lesion: 2, infection: 0 }, 'config.yaml: loss.classWeights.infection: 0 is not a number above 0'],
      [[1, 2], 'loss.classWeights: 2 weights for 4 classes; use one for each, the background first'],
      [[1, 1, 1, -1], 'loss.classWeights[3]: -1 is too small; use more than 0'],
      [2, 'loss.classWeights: 2 is not a list'],
    ] as const) {
      expect(messageOf({ profile: 'quick', loss: { classWeights } })).toContain(message);
    }
  });

  it('says where, what came, what was expected and what to write', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ train: { patch: [32, 32, 30] } }, 'train.patch[2]: 30 is not a multiple of 16; use 32'],
      [{ train: { batch: 0 } }, 'train.batch: 0 is too small; use at least 1'],
      [{ train: { batch: 1.5 } }, 'train.batch: 1.5 is not a whole number'],
      [{ train: { learningRate: '1e-3' } }, 'train.learningRate: "1e-3" is not a number'],
      [{ train: { learningRate: Number.NaN } }, 'train.learningRate: NaN is not a number'],
      [{ train: { learningRate: 0 } }, 'train.learningRate: 0 is too small; use more than 0'],
      [{ train: { patch: [32, 32] } }, 'train.patch: has the wrong length; use at least 3 entries'],
      [{ train: { epoch: 3 } }, 'train.epoch: unknown key; did you mean epochs?'],
      [{ colour: 3 }, 'colour: unknown key; known keys are version, profile, seed, data'],
      [{ network: { resize: 'cubic' } }, 'network.resize: "cubic" is not known; use one of "trilinear", "nearest"'],
      [
        { network: { name: 'vnet' } },
        'network.name: "vnet" is not known; use one of "attention-unet3d", "deep-unet3d", "dense-unet3d"',
      ],
      [{ network: 'unet3d' }, 'network: "unet3d" is not a group of keys'],
      [{ loss: null }, 'loss: null is not a group of keys'],
      [{ seed: -1 }, 'seed: -1 is too small; use at least 0'],
      [{ predict: { overlap: [96, 0, 0] } }, 'predict.overlap[0]: 96 is not smaller than the patch (96); use 48'],
      [{ data: { split: { kind: 'folds', folds: 5, fold: 5 } } }, 'data.split.fold: 5 is not one of 0 to 4'],
      [{ preparation: { clipHu: [1, 0] } }, 'preparation.clipHu: '],
      [
        { augmentation: { mirror: { probability: 2 } } },
        'augmentation.mirror.probability: 2 is too large; use at most 1',
      ],
    ];
    for (const [change, expected] of cases) {
      expect(messageOf({ profile: 'quick', ...change })).toContain(`config.yaml: ${expected}`);
    }
  });

  it('takes any loss, optimiser and schedule, alone and complete', () => {
    const train = { schedule: { kind: 'cosine', floor: 0, warmupSteps: 100 } };
    const loss = { kind: 'focal-tversky', alpha: 0.7, beta: 0.3, gamma: 1.33, epsilon: 1e-6 };
    const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
    const config = parseTrainConfig({ profile: 'quick', train, loss, optimizer }, 'a');
    expect(config).toMatchObject({ train, loss, optimizer });
    expect(config.loss).toEqual(loss);
    const cases: [Record<string, unknown>, string][] = [
      [{ loss: { kind: 'dyce' } }, 'loss.kind: "dyce" is not known; use one of "cross-entropy", "dice", "dice-ce"'],
      [{ loss: { kind: 'dice' } }, 'loss.epsilon: is missing; expected a number'],
      [{ loss: { gamma: 2 } }, 'loss.gamma: unknown key; known keys are kind, alpha, beta, epsilon'],
      [{ optimizer: { kind: 'lion' } }, 'optimizer.kind: "lion" is not known; use one of "adam", "adamw", "sgd"'],
      [{ optimizer: { clipNorm: 0 } }, 'optimizer.clipNorm: 0 is too small; use more than 0'],
      [
        { optimizer: { kind: 'sgd', momentum: 0, nesterov: true, weightDecay: 0 } },
        'optimizer.nesterov: true needs a momentum above 0; use momentum 0.99 or nesterov false',
      ],
      [{ train: { schedule: { kind: 'polynomial' } } }, 'train.schedule.power: is missing; expected a number'],
      [
        { loss: { levelWeights: [1, 0.5] } },
        'loss.levelWeights: 2 weights, but qchc-unet has one head; leave the key out',
      ],
    ];
    for (const [change, expected] of cases) {
      expect(messageOf({ profile: 'quick', ...change })).toContain(`config.yaml: ${expected}`);
    }
    expect(messageOf({ profile: 'ma', loss: { levelWeights: [1] } })).toContain(
      'loss.levelWeights: 1 weights, but nnunet3d has 3 heads in training; use 3, the finest head first',
    );
  });

  it('completes a network from its published options', () => {
    const { network } = parseTrainConfig({ profile: 'quick', network: { name: 'unet-pp', rootFilters: 8 } }, 'a');
    expect(network).toEqual({ name: 'unet-pp', rootFilters: 8, deepSupervision: true });
  });

  it('takes the files of the first release, whose loss had no kind', () => {
    const { kind: _kind, ...loss } = { kind: 'tversky-ce', ...profiles.quick.loss };
    const whole = JSON.parse(JSON.stringify({ ...profiles.quick, loss }));
    expect(parseTrainConfig(whole, 'a')).toEqual(profiles.quick);
  });

  it('reads roles from the names of classes in files of version 1 alone', () => {
    const { version: _version, ...first } = profiles.quick;
    const { preparation } = first;
    const classes = preparation.classes.map(({ role: _role, ...rest }) => rest);
    const old = { ...first, preparation: { ...preparation, classes } };
    expect(parseTrainConfig(old, 'a').preparation).toEqual(preparation);
    expect(parseTrainConfig({ ...old, version: 2 }, 'a').preparation.classes).toEqual(classes);
    expect(messageOf({ profile: 'quick', preparation: { classes: [3] } })).toContain('preparation.classes');
  });

  it('takes files of version 1, which did not say their version, and refuses those of a newer quickcolumn', () => {
    const { version: _version, ...first } = profiles.quick;
    expect(parseTrainConfig(JSON.parse(JSON.stringify(first)), 'a')).toEqual(profiles.quick);
    expect(parseTrainConfig({ version: 1, profile: 'quick' }, 'a')).toEqual(profiles.quick);
    expect(messageOf({ version: 3, profile: 'quick', newKey: 1 })).toBe(
      'config.yaml: version: made by a newer version of quickcolumn (format 3, this one reads up to 2); update quickcolumn',
    );
    expect(messageOf({ version: '2', profile: 'quick' })).toBe('config.yaml: version: "2" is not a version; use 2');
  });

  it('reports every problem, one a line', () => {
    const lines = messageOf({ profile: 'quick', seed: 'x', train: { batch: 0, patch: [8, 16, 17] } }).split('\n');
    expect(lines).toEqual([
      'config.yaml: seed: "x" is not a number',
      'config.yaml: train.patch[0]: 8 is too small; use at least 16',
      'config.yaml: train.patch[0]: 8 is not a multiple of 16; use 16',
      'config.yaml: train.patch[2]: 17 is not a multiple of 16; use 32',
      'config.yaml: train.batch: 0 is too small; use at least 1',
    ]);
  });

  it('oversamples classes that there are, in no more than all patches', () => {
    const train = { oversample: { infection: 0.4 } };
    expect(parseTrainConfig({ profile: 'quick', train }, 'a').train.oversample).toEqual({ infection: 0.4 });
    const messageFor = (oversample: object): string => messageOf({ profile: 'quick', train: { oversample } });
    expect(messageFor({ lesion: 0.4 })).toContain(
      "config.yaml: train.oversample.lesion: there is no class 'lesion'; the classes are background, left lung, right lung, infection",
    );
    expect(messageFor({ infection: 0.7, 'left lung': 0.6 })).toContain('train.oversample: the shares add up to 1.3');
    expect(messageFor({ infection: 0 })).toContain('train.oversample.infection: ');
  });

  it('needs a profile and a group of keys', () => {
    const known = 'use one of "auto", "paper", "mueller", "ma", "quick"';
    expect(messageOf({})).toBe(`config.yaml: profile: is missing; ${known}`);
    expect(messageOf({ profile: 'papper', seed: 1 })).toBe(`config.yaml: profile: "papper" is not known; ${known}`);
    expect(messageOf([1])).toBe('config.yaml: expected a group of keys, starting with profile');
    expect(messageOf(null)).toContain('expected a group of keys');
  });

  it('treats a prototype key like any other unknown key', () => {
    expect(messageOf(JSON.parse('{"profile":"quick","constructor":{"a":1}}'))).toContain('constructor: unknown key');
    expect(messageOf(JSON.parse('{"profile":"quick","__proto__":{"a":1}}'))).toContain('__proto__: unknown key');
  });
});

describe('profiles', () => {
  it('hold the numbers of the specification', () => {
    const { paper, mueller, ma, quick } = profiles;
    expect(paper.train).toMatchObject({ patch: [160, 160, 80], batch: 2, epochs: 300, stepsPerEpoch: 150 });
    expect(paper.train).toMatchObject({ learningRate: 1e-4, earlyStop: null });
    expect(paper.predict.overlap).toEqual([80, 80, 40]);
    expect(mueller).toMatchObject({
      network: { name: 'unet3d', rootFilters: 32 },
      preparation: { intensity: 'minmax' },
    });
    expect(mueller.train).toMatchObject({ learningRate: 1e-3, earlyStop: 100, batch: 2 });
    expect(quick.train).toMatchObject({ patch: [96, 96, 48], batch: 1, epochs: 10, stepsPerEpoch: 100 });
    expect(ma).toMatchObject({
      network: { name: 'nnunet3d', deepSupervision: true },
      loss: { kind: 'dice-ce' },
      optimizer: { kind: 'sgd', momentum: 0.99, nesterov: true, weightDecay: 3e-5 },
      train: { learningRate: 0.01, schedule: { kind: 'polynomial', power: 0.9 } },
    });
    expect(quick.preparation.spacingMm).toEqual([3, 3, 5]);
  });
});
