import type { DatasetStats } from '@quickcolumn/datasets';
import type { TrainConfig } from '@quickcolumn/learn';
import { networkSize } from '@quickcolumn/networks';
import { voxelCount } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import type { Plan } from './plan-length.js';
import { type PlanRequest, planTraining } from './plan-training.js';
import { planYaml } from './plan-yaml.js';

const covid = [
  { value: 0, name: 'background' },
  { value: 1, name: 'left lung' },
  { value: 2, name: 'right lung' },
  { value: 3, name: 'infection' },
];

/** As of twelve cases like those of COVID-19-CT-Seg, two of one patient. */
function statsOf(
  changes: Partial<DatasetStats> = {},
  volumeMl: readonly number[] = [20_000, 2000, 2300, 150],
): DatasetStats {
  return {
    cases: Array.from({ length: 12 }, (_, i) => ({
      name: `case${i}`,
      patient: `patient${Math.min(i, 10)}`,
      split: 'train' as const,
      scale: 'hu' as const,
      size: [256, 256, 150] as const,
      spacingMm: [1.36, 1.36, 2] as const,
      preparedSize: [174, 174, 100] as const,
      volumeMl,
    })),
    classes: covid,
    medianSpacingMm: [1.36, 1.36, 2],
    medianShape: [256, 256, 150],
    spacingAfterMm: [2, 2, 3],
    medianShapeAfter: [174, 174, 100],
    suggestedPatch: [96, 96, 48],
    histograms: [],
    ...changes,
  };
}

/** A machine of so many floating-point operations a second. */
const machine =
  (flopPerSecond: number, bytesPerVoxel = 1500): PlanRequest['measure'] =>
  async ({ network, preparation, train: { patch, batch } }) => ({
    seconds: (3 * batch * networkSize(network, preparation.classes.length, patch).flop) / flopPerSecond,
    bytes: batch * voxelCount(patch) * bytesPerVoxel,
  });

const twoCores = machine(190e9);

const plan = (minutes: number, changes: Partial<PlanRequest> = {}, stats = statsOf()): Promise<Plan> =>
  planTraining(stats, { minutes, given: {}, source: 'settings', measure: twoCores, ...changes });

const stepsOf = ({ train }: TrainConfig): number => train.epochs * train.stepsPerEpoch;

describe('a plan', () => {
  it('fills the time, and says why for every value', async () => {
    for (const minutes of [10, 30, 60, 600]) {
      const { config, values, secondsPerStep } = await plan(minutes);
      expect(stepsOf(config) * secondsPerStep).toBeLessThan(60 * minutes);
      expect(stepsOf(config) * secondsPerStep).toBeGreaterThan(60 * minutes * 0.8 - 60);
      for (const { key, value, why } of values) {
        expect(value, key).not.toBe('');
        expect(why.length, key).toBeGreaterThan(10);
      }
      expect(config.train.oversample).toEqual({ infection: 0.4 });
      expect(config.data.split).toEqual({ kind: 'fraction', validation: 0 });
      expect(config.predict.overlap).toEqual(config.train.patch.map((side) => side / 2));
    }
  });

  it('takes a finer grid, larger patches and a wider network with more time', async () => {
    const [short, middle, long] = await Promise.all([5, 30, 600].map((minutes) => plan(minutes)));
    const voxelMm3 = ({ config }: Plan): number =>
      config.preparation.spacingMm.reduce((product, mm) => product * mm, 1);
    expect(voxelMm3(short)).toBeGreaterThan(voxelMm3(middle));
    expect(voxelMm3(middle)).toBeGreaterThan(voxelMm3(long));
    expect(voxelCount(short.config.train.patch)).toBeLessThan(voxelCount(long.config.train.patch));
    const width = ({ config: { network } }: Plan): number =>
      'rootFilters' in network ? (network.rootFilters ?? 0) : 0;
    expect(width(short)).toBeLessThan(width(long));
    // Never finer than the scans, however much time there is.
    const endless = await plan(60_000);
    endless.config.preparation.spacingMm.forEach((mm, axis) =>
      expect(mm).toBeGreaterThanOrEqual([1.36, 1.36, 2][axis]),
    );
    const small = statsOf({ medianShape: [128, 128, 100], medianSpacingMm: [1.36, 1.36, 2] });
    expect((await plan(60_000, {}, small)).config.preparation.spacingMm).toEqual([1.36, 1.36, 2]);
    expect(voxelCount(endless.config.train.patch)).toBeLessThanOrEqual(160 * 160 * 80);
    expect(endless.config.train.batch).toBe(2);
  });

  it('keeps what the user has decided, and plans the rest around it', async () => {
    const given = {
      preparation: { spacingMm: [3, 3, 5] },
      train: { patch: [64, 64, 48] },
      network: { rootFilters: 12 },
    };
    const { config, values } = await plan(30, { given });
    expect(config.preparation.spacingMm).toEqual([3, 3, 5]);
    expect(config.train.patch).toEqual([64, 64, 48]);
    expect(config.network).toMatchObject({ rootFilters: 12 });
    const reasonOf = (key: string): string | undefined => values.find((one) => one.key === key)?.why;
    for (const key of ['preparation.spacingMm', 'train.patch', 'network.rootFilters']) {
      expect(reasonOf(key)).toBe('as the configuration says');
    }
    expect(reasonOf('train.epochs')).toContain('30 minutes at');
  });

  it('estimates statistics of batch norm for the networks that have them', async () => {
    expect((await plan(30)).config.train.statisticsPatches).toBeUndefined();
    const { config } = await plan(30, { given: { network: { name: 'unet3d' } } });
    expect(config.train.statisticsPatches).toBe(32);
  });

  it('of anisotropic scans makes the pixels coarser, not the slices', async () => {
    const thick = statsOf({ medianSpacingMm: [0.7, 0.7, 6], medianShape: [512, 512, 45] });
    const { config } = await plan(30, {}, thick);
    expect(config.preparation.spacingMm[2]).toBe(6);
    expect(config.preparation.spacingMm[0]).toBeGreaterThan(1);
    expect(config.train.patch[2]).toBeLessThanOrEqual(48);
  });

  it('of two classes and many patients oversamples nothing that is common and validates', async () => {
    const many = statsOf({
      classes: [covid[0], { value: 1, name: 'lung' }],
      cases: Array.from({ length: 40 }, (_, i) => ({
        ...statsOf().cases[0],
        name: `case${i}`,
        patient: `p${i}`,
        volumeMl: [20_000, 4000],
      })),
    });
    const classes = [
      { value: 0, name: 'background', color: [0, 0, 0] },
      { value: 1, name: 'lung', color: [0, 0, 255] },
    ];
    const { config, values } = await plan(60, { given: { preparation: { classes } } }, many);
    expect(config.train.oversample).toBeUndefined();
    expect(config.data.split).toEqual({ kind: 'fraction', validation: 0.2 });
    expect(values.find(({ key }) => key === 'train.oversample')?.why).toContain('no class is rare');
  });

  it('takes a smaller patch where memory is short, and refuses where that is not enough', async () => {
    const wide = await plan(60);
    const tight = await plan(60, { memoryBytes: 0.5e9 });
    expect(voxelCount(tight.config.train.patch)).toBeLessThan(voxelCount(wide.config.train.patch));
    await expect(plan(60, { memoryBytes: 1e6 })).rejects.toMatchObject({ code: 'memory' });
    await expect(plan(60, { memoryBytes: 1e6 })).rejects.toThrow(/needs about .* of memory, 1 MB are free/);
  });

  it('refuses too little time, classes that no case has and scans without labels, with numbers', async () => {
    await expect(plan(1, { measure: machine(5e9) })).rejects.toMatchObject({ code: 'usage', fields: { minutes: 1 } });
    await expect(plan(1, { measure: machine(5e9) })).rejects.toThrow(
      /at least 100 are needed.*give at least \d+ minutes/,
    );
    await expect(plan(30, {}, statsOf({}, [20_000, 2000, 2300, 0]))).rejects.toThrow(
      'no label map has infection (value 3), of the 4 classes of the configuration; found: background (0), left lung (1), right lung (2)',
    );
    const [first, ...others] = statsOf().cases;
    const { volumeMl: _volume, ...bare } = first;
    await expect(plan(30, {}, statsOf({ cases: [bare, ...others] }))).rejects.toThrow('no labels for case0');
  });

  it('is written with its reasons above the values', async () => {
    const yaml = planYaml(await plan(30));
    expect(yaml).toMatch(/# .*so much coarser, that a patch covers a third of a scan\n {2}spacingMm: \[/);
    expect(yaml).toMatch(/# 30 minutes at .* a step, measured here.*\n {2}epochs: \d+/);
  });
});
