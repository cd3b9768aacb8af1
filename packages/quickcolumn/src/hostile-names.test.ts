/** Names of files, cases and classes that would steer a terminal or a spreadsheet. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCaseList } from '@quickcolumn/cases';
import { csvCell } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, programPath, quickcolumn } from './command.test.helpers.js';

/** Sets the window's title, rings, clears, begins a line, runs backwards, and the same in C1. */
const steering = '\u001b]0;owned\u0007\u001b[2J\nerror: forged\r\u009b31m\u202egnp.\u2066';
/** Everything but the line breaks that we write. */
const raw = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

let folder = '';
let outcomes: Record<string, Outcome> = {};

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-hostile-')), 'work');
  await mkdir(folder);
  const cases = await writePhantomCases(join(folder, 'data'), 3, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  for (const [i, { imagePath, labelPath }] of cases.entries()) {
    for (const path of [imagePath, labelPath]) await rename(path, join(path, '..', `${i}${steering}.nii.gz`));
  }
  const classes = ['background', 'left lung', 'right lung', `infection${steering}`].map((name, value) => ({
    value,
    name,
    color: [value, 0, 0],
  }));
  await writeFile(
    join(folder, 'hostile.yaml'),
    JSON.stringify({
      profile: 'quick',
      data: { images: 'data/ct', labels: 'data/labels' },
      preparation: { spacingMm: [10, 10, 10], classes },
      network: { rootFilters: 2 },
      train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 1 },
      predict: { overlap: [4, 4, 4] },
    }),
  );
  await writeFile(join(folder, `model${steering}.onnx`), 'nothing');
  await mkdir(join(folder, 'broken'));
  for (const name of ['a', 'b']) await writeFile(join(folder, 'broken', `${name}${steering}.nii.gz`), 'nothing');
  const scans = ['--images', 'data/ct', '--labels', 'data/labels'];
  const run = async (...args: string[]): Promise<Outcome> => await quickcolumn(folder, ...args);
  outcomes = {
    train: await run('train', '--config', 'hostile.yaml', '--out', 'run'),
    predict: await run('predict', '--model', 'run', 'data/ct', '--out', 'masks'),
    evaluate: await run('evaluate', '--truth', 'data/labels', '--prediction', 'masks', '--out', 'evaluation'),
    check: await run('dataset', 'check', ...scans),
    stats: await run('dataset', 'stats', ...scans),
    prepare: await run('prepare', '--config', 'hostile.yaml', ...scans),
    'a model': await run('predict', '--model', `model${steering}.onnx`, 'data/ct', '--out', 'no'),
    'broken scans': await run('predict', '--model', 'run', 'broken', '--out', 'no'),
    'an unknown flag': await run('doctor', `--${steering}`),
    'a wrong argument': await run('train', '--profile', steering),
  };
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

describe('names that steer a terminal', () => {
  const works = ['train', 'predict', 'evaluate', 'check', 'stats', 'prepare'];
  it.each([...works, 'a model', 'broken scans', 'an unknown flag', 'a wrong argument'])('%s', (what) => {
    const { code, stdout, stderr } = outcomes[what];
    const text = stdout + stderr;
    expect(code === 0, stderr).toBe(works.includes(what));
    expect(text).toContain('owned');
    expect(text).toContain('\\u001b]0;owned\\u0007');
    expect(raw.exec(text)).toBeNull();
    // Commander shows what was typed with its line breaks; it begins no line of ours.
    if (!/argument|flag/.test(what)) expect(text).not.toMatch(/^error: forged/m);
  });

  it('colours of our own stay', async () => {
    const env = { ...process.env, FORCE_COLOR: '1', NO_COLOR: undefined };
    const stderr = await new Promise<string>((done) => {
      execFile(
        process.execPath,
        [programPath, 'predict', 'scan', '--model', `no${steering}`, '--out', 'x'],
        { env },
        (...all) => done(all[2]),
      );
    });
    expect(stderr.startsWith('\u001b[31merror:\u001b[39m no\\u001b]0;owned')).toBe(true);
  });

  it('pass through one place: nothing else writes to standard output and error', async () => {
    const packages = fileURLToPath(new URL('../..', import.meta.url));
    const files = (await readdir(packages, { recursive: true })).filter(
      (file) => /^[^/\\]+[/\\]src[/\\].*\.ts$/.test(file) && !/\.test\.|[/\\]node_modules[/\\]/.test(file),
    );
    expect(files.length).toBeGreaterThan(300);
    const writing: string[] = [];
    for (const file of files) {
      const text = await readFile(join(packages, file), 'utf8');
      if (/process\s*\.\s*std(out|err)\s*\.\s*write|console\.\w+\(/.test(text))
        writing.push(file.replaceAll('\\', '/'));
    }
    expect(writing.toSorted()).toEqual([
      // Tools of the developers, on files of their own, and JSON on standard output.
      'browser/src/example/run.ts',
      'fuzz/src/main.ts',
      'quickcolumn/src/terminal/terminal.ts',
      'workflows/src/hosts/job-process.ts',
    ]);
  });
});

describe('sidecars of masks', () => {
  const evaluate = async (...args: string[]): Promise<Outcome> =>
    await quickcolumn(
      folder,
      'evaluate',
      '--truth',
      'truth',
      '--prediction',
      'predicted',
      '--out',
      'e',
      '--force',
      ...args,
    );
  const sidecar = (name: string, lesion: string, changes: object = {}): Promise<void> =>
    writeFile(
      join(folder, 'predicted', `${name}.json`),
      JSON.stringify({
        format: 'quickcolumn-mask',
        version: 2,
        classes: ['background', 'left lung', 'right lung', lesion].map((one, value) => ({
          value,
          name: one,
          color: [0, 0, value],
        })),
        ...changes,
      }),
    );
  beforeAll(async () => {
    for (const [i, labels] of (await readdir(join(folder, 'data', 'labels'))).entries()) {
      for (const place of ['truth', 'predicted']) {
        await mkdir(join(folder, place), { recursive: true });
        // The last name is a formula of a spreadsheet.
        const name = ['a', 'b', '=HYPERLINK("x")'][i];
        await copyFile(join(folder, 'data', 'labels', labels), join(folder, place, `${name}.nii.gz`));
      }
    }
  });

  it('are asked for their classes all, and refused where they contradict each other', async () => {
    await sidecar('b', 'infection');
    const one = await evaluate();
    expect(one.code, one.stderr).toBe(0);
    expect(one.stdout).toContain('infection');
    await sidecar('a', 'tumour');
    const two = await evaluate();
    expect(two.code).toBe(3);
    expect(two.stderr).toContain(
      `${join('predicted', 'b.json')} and ${join('predicted', 'a.json')} contradict each other: 3 is 'infection' in the ` +
        "one, 'tumour' in the other; evaluate such masks apart, or use --classes to say what the values mean",
    );
    expect(await evaluate('--classes', 'covid')).toMatchObject({ code: 0 });
    await rm(join(folder, 'predicted', 'a.json'));
  });

  it('are refused where they are no sidecars, or name a class at great length', async () => {
    await sidecar('b', 'x'.repeat(100_000));
    const long = await evaluate();
    expect(long.code).toBe(3);
    expect(long.stderr).toMatch(/b\.json: not the sidecar of a mask \(classes\.3\.name: .*200 characters/);
    await sidecar('b', 'infection', { classes: [1, 1].map((value) => ({ value, name: 'lung', color: [1, 1, 1] })) });
    expect(await evaluate()).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('two classes have the same value'),
    });
    await sidecar('b', 'infection', { classes: 'none' });
    expect(await evaluate()).toMatchObject({ code: 3, stderr: expect.stringContaining('not the sidecar of a mask') });
    await writeFile(join(folder, 'predicted', 'b.json'), '{"other": "program"}');
    expect(await evaluate()).toMatchObject({ code: 0 });
  });

  it('names that are formulas are none in metrics.csv', async () => {
    await sidecar('b', '@lesion');
    expect(await evaluate()).toMatchObject({ code: 0 });
    const csv = await readFile(join(folder, 'e', 'metrics.csv'), 'utf8');
    expect(csv).toContain(csvCell('=HYPERLINK("x")'));
    expect(csv).toContain(`,'@lesion,3,`);
    expect(csv).not.toMatch(/(^|[,"\n])[=+@]/);
    const list = ['dataset', 'import', 'list.json', '--out', 'imported'];
    const image = join(folder, 'data', 'ct', (await readdir(join(folder, 'data', 'ct')))[0]);
    await writeFile(join(folder, 'list.json'), JSON.stringify([{ image, label: image, name: '=1+1', patient: '-2' }]));
    expect(await quickcolumn(folder, ...list)).toMatchObject({ code: 0 });
    const cases = await readFile(join(folder, 'imported', 'cases.csv'), 'utf8');
    expect(cases).toContain("\n'=1+1,");
    expect(cases).toContain(",'-2,");
    // Read back, it is the name again.
    expect(await readCaseList(join(folder, 'imported', 'cases.csv'))).toMatchObject([{ name: '=1+1', patient: '-2' }]);
  });
});
