/** Distillation on phantoms: students of two tiny folds, beside networks that learn the labels for as many steps. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readVolume } from '@quickcolumn/io';
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import { writePhantomCases } from '@quickcolumn/phantom';
import { readModel } from '@quickcolumn/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../events.js';
import type { DistillJob } from '../jobs/distill.js';
import type { TrainJobResult } from '../jobs/train.js';
import { runJob } from '../run-job.js';
import { trainConfigFrom } from '../train/train-config.js';

const compute = { runtime: 'onnx', precision: 'float32' } as const;
/** What trainings here share: statistics that belong to the weights, so that few steps are enough to compare. */
const shared = {
  profile: 'quick',
  loss: { kind: 'cross-entropy' },
  train: { patch: [16, 16, 16], epochs: 2, stepsPerEpoch: 2, learningRate: 0.01, statisticsPatches: 8 },
} as const;

let folder = '';
const at = (...path: string[]): string => join(folder, ...path);
const scan = (n: number): string => `data/ct/phantom_000${n}.nii.gz`;
const labelled = (n: number): string => `${scan(n)},data/labels/phantom_000${n}.nii.gz`;
const long = { epochs: 2, stepsPerEpoch: 75 } as const;

function configOf(train: Partial<TrainConfig['train']> = {}, changes: Record<string, unknown> = {}): TrainConfig {
  return parseTrainConfig(
    {
      ...shared,
      data: { list: at('labelled.csv'), split: { kind: 'fraction', validation: 0 } },
      preparation: { spacingMm: [10, 10, 10] },
      network: { rootFilters: 2 },
      train: { ...shared.train, ...train },
      predict: { overlap: [8, 8, 8] },
      compute,
      ...changes,
    },
    'test',
  );
}

interface Distilled {
  readonly result: TrainJobResult;
  readonly events: readonly JobEvent[];
}

async function distill(
  out: string,
  { request, ...job }: Partial<Omit<DistillJob, 'kind' | 'out'>> = {},
  { signal, onEvent }: { readonly signal?: AbortSignal; readonly onEvent?: (event: JobEvent) => void } = {},
): Promise<Distilled> {
  const events: JobEvent[] = [];
  const result = await runJob(
    {
      kind: 'distill',
      model: at('cv'),
      out: at(out),
      threads: 1,
      cacheDir: at('cache'),
      evaluateValidation: false,
      request: { config: at('student.yaml'), list: at('labelled.csv'), ...request },
      ...job,
    },
    { signal, onEvent: (event) => (events.push(event), onEvent?.(event)) },
  );
  return { result, events };
}

const notesOf = (events: readonly JobEvent[]): string =>
  events.flatMap((event) => (event.kind === 'note' ? event.text : [])).join('\n');
const voted = (events: readonly JobEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'finished' && event.activity === 'predict' ? [event.subject ?? ''] : []));
const weightsOf = async (model: string): Promise<string> => (await readModel(model)).metadata.weightsSha256;

/** Probabilities of a phantom that nobody has trained on, class by class. */
async function probabilities(model: string | readonly string[], out: string): Promise<Float32Array[]> {
  await runJob({ kind: 'predict', inputs: [at(scan(6))], model, out: at(out), probabilities: true, ...compute });
  const files = (await readdir(at(out, 'probabilities'))).sort();
  const volumes = await Promise.all(files.map((file) => readVolume(at(out, 'probabilities', file))));
  return volumes.map(({ voxels }) => Float32Array.from(voxels));
}

/** Mean over the voxels of Σ p·log(p/q), in nats. */
function divergence(p: readonly Float32Array[], q: readonly Float32Array[]): number {
  let sum = 0;
  p.forEach((ofClass, c) => {
    for (let i = 0; i < ofClass.length; i++) {
      if (ofClass[i] > 0) sum += ofClass[i] * Math.log(ofClass[i] / Math.max(q[c][i], 1e-6));
    }
  });
  return sum / p[0].length;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-distill-'));
  await writePhantomCases(at('data'), 6, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(at('labelled.csv'), ['image,label', ...[1, 2, 3, 4].map(labelled)].join('\n'));
  await writeFile(
    at('student.yaml'),
    JSON.stringify({ ...shared, data: { split: { kind: 'fraction', validation: 0 } }, compute }),
  );
  const config = configOf({ epochs: 1, stepsPerEpoch: 40, learningRate: 0.005 });
  await runJob({ kind: 'cross-validate', config, out: at('cv'), folds: 2, threads: 1, cacheDir: at('cache') });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a student', () => {
  it('agrees with its teachers more than a network that learned the labels for as many steps, for two seeds', async () => {
    const teachers = await probabilities(at('cv'), 'of-teachers');
    for (const seed of [1, 2]) {
      const { result } = await distill(`student-${seed}`, { hardShare: 0, request: { seed, ...long } });
      const hard = { kind: 'train', config: { ...configOf(long), seed }, out: at(`hard-${seed}`) } as const;
      const { model } = await runJob({ ...hard, threads: 1, cacheDir: at('cache'), evaluateValidation: false });
      const ofStudent = divergence(teachers, await probabilities(result.model, `of-student-${seed}`));
      const ofHard = divergence(teachers, await probabilities(model, `of-hard-${seed}`));
      expect(ofStudent).toBeLessThan(0.6 * ofHard);
    }
  });

  it('says whose votes it learned, and has their network, preparation and windows', async () => {
    const { result, events } = await distill('plain', { hardShare: 0.5 });
    const { metadata } = await readModel(result.model);
    const folds = await Promise.all([0, 1].map((fold) => readModel(at('cv', `fold-${fold}`, 'model.onnx'))));
    const sums = folds.map((fold) => fold.metadata.weightsSha256);
    const { network, preparation, patch, overlap } = folds[0].metadata;
    expect(metadata).toMatchObject({ network, preparation, patch, overlap });
    expect(metadata.training).toMatchObject({ teachers: 2, teacherWeightsSha256: sums.join(' '), hardShare: 0.5 });
    const yaml = await readFile(at('plain', 'config.yaml'), 'utf8');
    for (const sum of sums) expect(yaml).toContain(sum);
    expect(notesOf(events)).toContain('only figures on cases that none of them has seen are test figures');
    expect(await readFile(result.report, 'utf8')).toContain('only figures on cases that none of them has seen');
    // The run folder's configuration is a training like any other.
    const config = await trainConfigFrom({ config: at('plain', 'config.yaml') });
    const again = {
      kind: 'train',
      config,
      out: at('again'),
      cacheDir: at('cache'),
      evaluateValidation: false,
    } as const;
    const repeated = await runJob({ ...again, threads: 1 });
    expect(await weightsOf(repeated.model)).toBe(metadata.weightsSha256);
  });

  it('learns scans without labels from the votes alone', async () => {
    await writeFile(at('bare.csv'), ['image,label', ...[1, 2, 3, 4, 5].map((n) => `${scan(n)},`)].join('\n'));
    const list = ['image,label', ...[1, 2, 3].map(labelled), `${scan(4)},`, `${scan(5)},`].join('\n');
    await writeFile(at('mixed.csv'), list);
    const mixed = await distill('mixed', { request: { list: at('mixed.csv') } });
    expect(notesOf(mixed.events)).toContain('2 of 5 cases have no labels');
    const bare = await distill('bare', { request: { list: at('bare.csv') } });
    expect(notesOf(bare.events)).toContain('5 cases to train on, none validates');
    const none = await distill('none', { hardShare: 0, request: { list: at('bare.csv') } });
    const sums = await Promise.all([mixed, bare, none].map(({ result }) => weightsOf(result.model)));
    // Where there are no labels, their share means nothing.
    expect(sums[2]).toBe(sums[1]);
    expect(sums[0]).not.toBe(sums[1]);
    const plain = { ...configOf(), data: { ...configOf().data, list: at('mixed.csv') } };
    await expect(runJob({ kind: 'train', config: plain, out: at('refused'), cacheDir: at('cache') })).rejects.toThrow(
      'has no label',
    );
  });

  it('of another spacing learns the votes interpolated', async () => {
    await writeFile(
      at('coarse.yaml'),
      JSON.stringify({
        ...shared,
        preparation: { spacingMm: [12, 12, 12] },
        data: { split: { kind: 'fraction', validation: 0 } },
        compute,
      }),
    );
    const { result, events } = await distill('coarse', { request: { config: at('coarse.yaml') } });
    expect(voted(events)).toHaveLength(4);
    expect((await readModel(result.model)).metadata.preparation.spacingMm).toEqual([12, 12, 12]);
  });
});

describe('votes', () => {
  it('are computed once for each scan, and again where their file is damaged', async () => {
    const cacheDir = at('own-cache');
    const first = await distill('first', { cacheDir });
    expect(voted(first.events)).toEqual([1, 2, 3, 4].map((n) => `phantom_000${n}`));
    const files = (await readdir(cacheDir)).filter((file) => file.endsWith('.votes.u8'));
    expect(files).toHaveLength(4);
    await writeFile(join(cacheDir, files[0]), new Uint8Array(7));
    const second = await distill('second', { cacheDir });
    expect(voted(second.events)).toHaveLength(1);
    expect(notesOf(second.events)).toMatch(/votes are made again: .* has 7 bytes, expected \d+/);
    expect(await weightsOf(second.result.model)).toBe(await weightsOf(first.result.model));
    const third = await distill('third', { cacheDir, hardShare: 1 });
    expect(voted(third.events)).toHaveLength(0);
  });
});

describe('an interrupted distillation', () => {
  it('goes on to the weights of one that was not, and refuses other teachers', async () => {
    const request = { epochs: 2, stepsPerEpoch: 4 };
    const whole = await distill('whole', { request });
    const stop = new AbortController();
    const onEvent = (event: JobEvent): void => {
      if (event.kind === 'training' && event.progress.kind === 'step' && event.progress.step === 2) stop.abort();
    };
    await cp(at('cv', 'fold-0', 'model.onnx'), at('teacher.onnx'));
    const model = [at('teacher.onnx'), at('cv', 'fold-1')];
    await expect(distill('stopped', { request, model }, { signal: stop.signal, onEvent })).rejects.toMatchObject({
      code: 'interrupted',
    });
    const resume = {
      kind: 'distill',
      request: {},
      out: at('stopped'),
      resume: true,
      threads: 1,
      cacheDir: at('cache'),
      evaluateValidation: false,
    } as const;

    await expect(runJob({ ...resume, model: at('cv', 'fold-1') })).rejects.toThrow(
      'cannot resume, distill.weightsSha256',
    );
    await expect(runJob({ ...resume, hardShare: 0.5 })).rejects.toThrow('distill.hardShare changed from 0.25 to 0.5');
    await cp(at('cv', 'fold-1', 'model.onnx'), at('teacher.onnx'));
    await expect(runJob(resume)).rejects.toThrow(
      /teacher.onnx.*the weights of teacher 1 are [0-9a-f]{64}, distill.weightsSha256 is/,
    );
    await cp(at('cv', 'fold-0', 'model.onnx'), at('teacher.onnx'));

    const told: string[] = [];
    const resumed = await runJob(resume, {
      onEvent: (event) => {
        if (event.kind === 'training' && event.progress.kind === 'note') told.push(event.progress.message);
      },
    });
    expect(told).toContain('resuming after step 2 of epoch 1');
    expect(await weightsOf(resumed.model)).toBe(await weightsOf(whole.result.model));
  });
});

describe('what is refused', () => {
  const classes = [
    { value: 0, name: 'background', color: [0, 0, 0] },
    { value: 1, name: 'lung', color: [0, 0, 0] },
    { value: 2, name: 'other', color: [0, 0, 0] },
    { value: 3, name: 'infection', color: [0, 0, 0] },
  ];

  it('teachers or a student of other classes, no teachers, minutes', async () => {
    const preparation = { spacingMm: [10, 10, 10], classes };
    const config = configOf({ epochs: 1 }, { preparation });
    const other = await runJob({
      kind: 'train',
      config,
      out: at('other'),
      cacheDir: at('cache'),
      evaluateValidation: false,
    });
    await expect(distill('x', { model: [at('cv'), other.model] })).rejects.toThrow(/cannot join .*preparation.classes/);
    await writeFile(at('classes.yaml'), JSON.stringify({ ...shared, preparation: { classes }, compute }));
    await expect(distill('x', { request: { config: at('classes.yaml') } })).rejects.toThrow(
      /the teachers .* know the classes 0 background, 1 left lung.*; preparation.classes are 0 background, 1 lung, .*a student has the classes of its teachers/,
    );
    await expect(distill('x', { model: undefined })).rejects.toThrow('distillation needs teachers');
    await expect(distill('x', { request: { minutes: 5 } })).rejects.toThrow('not planned for minutes');
    await expect(readdir(at('x'))).rejects.toThrow('ENOENT');
  });

  it('a cross-validation of students, whose teachers may have seen what is tested', async () => {
    const config = configOf({}, { distill: { from: [at('cv')] } });
    await expect(
      runJob({ kind: 'cross-validate', config, out: at('cv2'), folds: 2, cacheDir: at('cache') }),
    ).rejects.toThrow('the teachers may have seen the cases that a fold tests on');
  });
});
