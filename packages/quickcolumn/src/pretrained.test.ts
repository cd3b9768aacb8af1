/**
 * The pretrained model as users have it: installed as a package beside the others. The packages of this clone are linked
 * into a folder of their own, where that of the model holds weights that a test has made, damaged ones, or none.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, type Outcome } from './command.test.helpers.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const modelPackage = '@quickcolumn/model-covid19-ct';
const line = 'model QC-HC U-Net for COVID-19 CT: licence CC BY-NC-SA 4.0, research use only, not a medical device';
const configuration = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

let folder = '';
const at = (...path: string[]): string => join(folder, ...path);

/** Links every package into `node_modules` of the folder, but copies that of the model. */
function install(): void {
  const modules = join(root, 'node_modules');
  const scopes = readdirSync(modules).filter((name) => name.startsWith('@'));
  for (const scope of scopes) mkdirSync(at('node_modules', scope), { recursive: true });
  const names = readdirSync(modules).filter((name) => !name.startsWith('@') && !name.startsWith('.'));
  for (const scope of scopes) names.push(...readdirSync(join(modules, scope)).map((name) => `${scope}/${name}`));
  for (const name of names) {
    if (name === modelPackage) cpSync(realpathSync(join(modules, name)), at('node_modules', name), { recursive: true });
    else symlinkSync(realpathSync(join(modules, name)), at('node_modules', name), 'dir');
  }
}

/** Runs a program with what is installed in the folder. */
async function node(...args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, QUICKCOLUMN_CACHE: at('cache'), NO_COLOR: '1' };
  const links = ['--preserve-symlinks', '--preserve-symlinks-main'];
  return await new Promise((done) => {
    execFile(process.execPath, [...links, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      done({ code, stdout, stderr });
    });
  });
}
const quickcolumn = async (...args: readonly string[]): Promise<Outcome> =>
  await node(at('node_modules/quickcolumn/dist/main.js'), ...args);

const firstLine = (text: string): string => text.split('\n')[0];
const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(at(...path), 'utf8'));
const weights = (): string => at('node_modules', modelPackage, 'model.onnx');
const device = ['--runtime', 'onnx', '--threads', '1'];
const scan = join('data', 'ct', 'phantom_0001.nii.gz');
const predict = async (...args: readonly string[]): Promise<Outcome> =>
  await quickcolumn('predict', scan, ...device, ...args);

beforeAll(async () => {
  // Without links in it: modules are known by their paths.
  folder = realpathSync(await mkdtemp(join(tmpdir(), 'quickcolumn-pretrained-')));
  install();
  await rm(weights(), { force: true });
  await writePhantomCases(at('data'), 2, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(at('tiny.yaml'), configuration);
  const trained = await quickcolumn('train', '--config', 'tiny.yaml', '--out', 'run', '--no-evaluate');
  if (trained.code !== 0) throw new Error(trained.stderr);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('without the weights', () => {
  it('predict says what is missing and what helps, and writes nothing', async () => {
    const { code, stderr } = await predict('--out', 'none');
    expect(code).toBe(3);
    expect(stderr).toContain(`error: ${weights()} is missing, the weights of the pretrained model covid19-ct`);
    expect(stderr).toContain('use --model to name a model of your own');
    expect(code).toBe((await predict('--model', 'nowhere.onnx', '--out', 'none')).code);
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('doctor tells it', async () => {
    expect((await quickcolumn('doctor')).stdout).toMatch(/^model covid19-ct +\S+model\.onnx is missing/m);
  });
});

describe('with weights', () => {
  beforeAll(async () => {
    const script = [join(root, 'tools/model-card.mjs'), '--package', at('node_modules', modelPackage)];
    const made = await node(...script, '--model', at('run', 'model.onnx'));
    if (made.code !== 0) throw new Error(made.stderr);
  });

  it('predict takes them and says so first; sidecar and report tell licence and use', async () => {
    const { code, stdout, stderr } = await predict('--out', 'masks');
    expect(firstLine(stderr)).toBe(line);
    expect(stdout).toBe(`${join('masks', 'phantom_0001.nii.gz')}\n`);
    expect(code).toBe(0);
    const { terms, file } = (await json('node_modules', modelPackage, 'model.json')) as Record<
      string,
      { sha256: string }
    >;
    const { model } = (await json('masks', 'phantom_0001.json')) as Record<string, unknown>;
    expect(model).toEqual({
      file: 'model.onnx',
      terms,
      sha256: file.sha256,
      weightsSha256: expect.any(String) as string,
    });
    expect(terms).toMatchObject({ licence: { name: 'CC BY-NC-SA 4.0' }, title: 'QC-HC U-Net for COVID-19 CT' });
    const evaluated = await quickcolumn(
      'evaluate',
      '--truth',
      'data/labels',
      '--prediction',
      'masks',
      '--out',
      'report',
    );
    expect(evaluated.code).toBe(0);
    expect(await readFile(at('report', 'report.html'), 'utf8')).toContain(line);
  });

  it('they are taken by name, whatever lies in the working folder, by the library, too', async () => {
    mkdirSync(at('covid19-ct'));
    const named = await predict('--model', 'covid19-ct', '--out', 'named');
    expect(firstLine(named.stderr)).toBe(line);
    await writeFile(
      at('program.mjs'),
      `import { predict } from 'quickcolumn';
       const lines = [];
       const onEvent = (event) => event.kind === 'note' && lines.push(event.text);
       const job = { inputs: ['${scan}'], model: 'covid19-ct', runtime: 'onnx', threads: 1, out: 'by-library' };
       await predict(job, { onEvent });
       console.log(lines[0]);`,
    );
    expect(await node(at('program.mjs'))).toEqual({ code: 0, stdout: `${line}\n`, stderr: '' });
    const [first, second, third] = await Promise.all(
      ['masks', 'named', 'by-library'].map((out) => readFile(at(out, 'phantom_0001.nii.gz'))),
    );
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(await filesIn(at('covid19-ct'))).toEqual([]);
    expect((await predict('--model', './covid19-ct', '--out', 'no')).stderr).toContain(
      'is a folder, but holds no model',
    );
  });

  it("pseudo-labels tell of them, and a model of one's own tells its notes", async () => {
    const labels = ['--images', 'data/ct', '--out', 'pseudo', '--confidence', '0.01', ...device.slice(0, 2)];
    expect(firstLine((await quickcolumn('pseudo-label', '--model', 'covid19-ct', ...labels)).stderr)).toBe(line);
    const own = await predict('--model', 'run', '--out', 'own');
    const notes = 'Research use only, not a medical device. Mind the licence of the training data.';
    expect(firstLine(own.stderr)).toBe(`model model.onnx: ${notes}`);
    const { model } = (await json('own', 'phantom_0001.json')) as { model: Record<string, unknown> };
    expect(model.notes).toBe(notes);
    expect(model).not.toHaveProperty('terms');
  });

  it('doctor lists them', async () => {
    const { stdout } = await quickcolumn('doctor', '--json');
    const { models } = JSON.parse(stdout) as { models: Record<string, unknown>[] };
    expect(models).toMatchObject([{ name: 'covid19-ct', terms: { licence: { name: 'CC BY-NC-SA 4.0' } } }]);
    expect(models[0]).not.toHaveProperty('problem');
  });

  it('damaged ones are refused by their checksum', async () => {
    const bytes = await readFile(weights());
    for (const damaged of [bytes.subarray(0, -1), bytes.map((byte, i) => (i === 5000 ? byte ^ 1 : byte))]) {
      await writeFile(weights(), damaged);
      const { code, stderr } = await predict('--out', 'damaged');
      expect(code).toBe(3);
      expect(stderr).toMatch(
        /model\.onnx is damaged: \d+ bytes with the SHA-256 \w{64}, expected \d+ bytes with \w{64}; install @quickcolumn\S+ again/,
      );
    }
    expect((await quickcolumn('doctor')).stdout).toMatch(/^model covid19-ct +\S+ is damaged/m);
    expect(readdirSync(folder)).not.toContain('damaged');
  });
});
