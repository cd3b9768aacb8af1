/**
 * The examples of docs/adding.md: applied to a copy of the sources, compiled with it, and used. An example that is out of
 * date does not apply, does not compile, or is not known to what its list makes known.
 *
 * In the page, a line that begins with a path names the file of the code block after it: the whole file (ts), or lines
 * added between lines that are there already (diff).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '..');
const page = readFileSync(join(repository, 'docs/adding.md'), 'utf8');

interface Block {
  /** Title of the section. */
  readonly of: string;
  readonly path: string;
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = page.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^`([^`\n]+)`[^\n]*:\n\n```(\w+)\n([\s\S]*?)^```$/gm)].map(([, path, language, text]) => ({
    of: section.slice(0, section.indexOf('\n')),
    path,
    language,
    text,
  })),
);

let copy = '';
const problems: string[] = [];

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'quickcolumn-adding-'));
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@quickcolumn'), { recursive: true });
  for (const name of readdirSync(join(repository, 'node_modules'))) {
    if (name !== '@quickcolumn') symlinkSync(join(repository, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(repository, 'packages'))) {
    const [from, to] = [repository, copy].map((root) => join(root, 'packages', name));
    for (const part of ['src', 'package.json', 'tsconfig.json'])
      cpSync(join(from, part), join(to, part), { recursive: true });
    symlinkSync(to, join(modules, '@quickcolumn', name));
  }
  for (const name of ['package.json', 'tsconfig.base.json', 'biome.json', 'docs'])
    cpSync(join(repository, name), join(copy, name), { recursive: true });
  for (const block of blocks) apply(block);
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-b', 'packages/workflows'], { cwd: copy, encoding: 'utf8' });
  problems.push(...stdout.split('\n').filter((line) => line !== ''));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Lines of a hunk, without the marks of those that stay or come: all of them, or without those that are added. */
const linesOf = (hunk: string, added: boolean): string =>
  hunk.replaceAll(/^([ +])(.*\n)/gm, (_all, mark: string, line: string) => (mark === ' ' || added ? line : ''));

function apply({ path, language, text }: Block): void {
  const file = join(copy, path);
  mkdirSync(dirname(file), { recursive: true });
  if (language !== 'diff') return writeFileSync(file, text, { flag: 'wx' });
  const hunks = text.split(/^@@\n/m);
  const result = hunks.reduce(
    (now, hunk) => {
      const places = now.split(linesOf(hunk, false)).length - 1;
      if (places !== 1) problems.push(`${path} has these lines ${places} times, not once:\n${hunk}`);
      return now.replace(linesOf(hunk, false), () => linesOf(hunk, true));
    },
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, result);
}

/** What a program in the copy answers; it hands a value to `tell`. */
function ask(program: string): unknown {
  const script = join(copy, 'ask.mjs');
  writeFileSync(script, `const tell = (value) => console.log(JSON.stringify(value));\n${program}`);
  const { stdout, stderr } = spawnSync(process.execPath, [script], { cwd: copy, encoding: 'utf8' });
  return stderr === '' ? JSON.parse(stdout) : stderr;
}

it('every block of code has a file, and applies, and all of it compiles', () => {
  expect(blocks).toHaveLength([...page.matchAll(/^```\w/gm)].length);
  expect(new Set(blocks.map(({ of }) => of)).size).toBe(6);
  expect(problems).toEqual([]);
});

it('the numbers of files and lines in the table are those of the examples', () => {
  const counted = [...new Set(blocks.map(({ of }) => of))].map((of) => {
    const own = blocks.filter((block) => block.of === of);
    const lines = own.filter(({ language }) => language === 'diff').flatMap(({ text }) => text.split('\n'));
    return [of, own.filter(({ language }) => language === 'ts').length, lines.filter((line) => line[0] === '+').length];
  });
  const rows = [...page.matchAll(/^\| \[([^\]]+)\]\(#[\w-]+\) \| (\d+) \| (\d+) \|/gm)];
  const table = rows.map(([, of, files, lines]) => [of[0].toUpperCase() + of.slice(1), Number(files), Number(lines)]);
  expect(table).toEqual(counted);
});

it('the examples are formatted, and keep to the layers', () => {
  const run = (...command: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: copy, encoding: 'utf8' });
    return status === 0 ? '' : stdout + stderr;
  };
  const biome = join(repository, 'node_modules/@biomejs/biome/bin/biome');
  expect(run(biome, 'format', ...blocks.map(({ path }) => path))).toBe('');
  expect(run(join(import.meta.dirname, 'architecture.mjs'), copy)).toBe('');
});

it('the network is in the catalogue, parses, and builds its graph', () => {
  const answer = ask(`
    import { catalogue, networkSchema, networkSize, predictionGraph } from '@quickcolumn/networks';
    const { config } = catalogue.find(({ id }) => id === 'fcn3d');
    const graph = predictionGraph(networkSchema.parse(config), 4, [5, 6, 7], 2);
    tell([graph.outputs.get('probabilities').shape, networkSize(config, 4, [5, 6, 7]).parameters]);`);
  // Weights 27·16 + 3·27·16², bias and batch norm 3·16 each, the head.
  expect(answer).toEqual([[2, 4, 7, 6, 5], 27 * 16 + 3 * 27 * 16 ** 2 + 4 * 3 * 16 + 4 * 17]);
  const parameters = String((answer as readonly unknown[])[1]).replace(/(?=\d{3}$)/, ' ');
  expect(page).toContain(`${parameters} parameters`);
});

it('the format reads what it wrote, and refuses what is none', () => {
  const affine = [-0.7, 0, 0, 100.1, 0, 0.8, 0.1, -20, 0, 0, 1.5, 3e-7, 0, 0, 0, 1];
  const answer = ask(`
    import { writeFile } from 'node:fs/promises';
    import { readVolume, volumeFormatNames, volumePath, writeVolume } from '@quickcolumn/io';
    const path = volumePath('scan', 'json-volume');
    await writeVolume(path, { voxels: Int16Array.of(-1024, 0, 1, 300, 5, 6), size: [3, 2, 1], affine: ${JSON.stringify(affine)} });
    const { voxels, size, affine, format } = await readVolume(path);
    const refusals = [];
    for (const text of ['', 'x', 'null\\n', '{"size":3}\\n', '{"size":[1,1,1],"type":"int16","littleEndian":true,"affine":[7]}\\n', '{"size":[9,9,9],"type":"int16","littleEndian":true,"affine":${JSON.stringify(affine.slice(0, 12))}}\\n']) {
      await writeFile(path, text);
      refusals.push(await readVolume(path).then(() => 'read', ({ field }) => field));
    }
    refusals.push(await readVolume('missing.jvol').then(() => 'read', ({ field }) => field));
    const type = voxels.constructor.name;
    tell({ path, type, voxels: [...voxels], size, affine, format, first: volumeFormatNames[0], refusals });`);
  expect(answer).toEqual({
    path: 'scan.jvol',
    type: 'Int16Array',
    voxels: [-1024, 0, 1, 300, 5, 6],
    size: [3, 2, 1],
    affine,
    format: 'json-volume',
    first: 'nifti',
    refusals: ['file', 'header', 'header', 'header', 'affine', 'voxels', 'file'],
  });
});

it('the runtime is found by its name, runs a graph and keeps its variables', () => {
  const answer = ask(`
    import { Graph } from '@quickcolumn/graph';
    import { chooseRuntime, runtimeNames, surveyRuntimes } from '@quickcolumn/runtimes';
    const { runtime, reason } = await chooseRuntime({ runtime: 'reference' });
    const graph = new Graph();
    const count = graph.variable('count', [2], { kind: 'constant', value: 3 });
    graph.assign(count, graph.apply('add', [count, graph.input('x', [2])]));
    graph.output('double', graph.apply('affine', [count], { scale: 2, offset: 0 }));
    const executable = await runtime.compile(graph);
    const runs = [];
    for (const x of [[1, 2], [10, 20]]) runs.push([...(await executable.run({ x: Float32Array.from(x) })).double]);
    const { data } = (await executable.readVariables()).get('count');
    await executable.dispose();
    tell({ runs, count: [...data], reason, last: runtimeNames.at(-1) });`);
  expect(answer).toEqual({
    runs: [
      [6, 6],
      [8, 10],
    ],
    count: [14, 25],
    reason: 'runtime reference float64, float32 (as asked)',
    last: 'reference',
  });
});

it('the loss parses in a configuration and has its hand-computed value', () => {
  const answer = ask(`
    import { Graph, runReference } from '@quickcolumn/graph';
    import { parseTrainConfig } from '@quickcolumn/learn';
    import { buildLoss } from './packages/learn/dist/losses/build-loss.js';
    const settings = { kind: 'jaccard', epsilon: 1e-12 };
    const { loss } = parseTrainConfig({ profile: 'paper', loss: settings }, 'config.yaml');
    const graph = new Graph();
    const logits = graph.input('logits', [1, 2, 1, 2, 2]);
    graph.output('loss', buildLoss(graph, logits, graph.input('labels', [1, 1, 2, 2], 'uint8'), loss).loss);
    const p = [0.9, 0.6, 0.2, 0.1];
    const values = new Map([['logits', [...p.map((x) => Math.log(1 - x)), ...p.map(Math.log)]], ['labels', [1, 1, 0, 0]]]);
    tell(runReference(graph, values).get('loss').data[0]);`);
  // Class 1: TP 1.5, P 1.8, A 2; class 0: TP 1.7, P 2.2, A 2.
  expect(answer).toBeCloseTo(1 - (1.5 / 2.3 + 1.7 / 2.5) / 2, 9);
});

it('the operation has its value and gradient, in a runtime as in the reference', () => {
  const answer = ask(`
    import { differentiate, Graph, runReference } from '@quickcolumn/graph';
    import { openOnnx } from '@quickcolumn/runtimes';
    const graph = new Graph();
    const x = graph.input('x', [3]);
    const y = graph.apply('tanh', [x]);
    graph.output('y', y);
    graph.output('dx', differentiate(graph, graph.apply('sum', [y]), [x])[0]);
    const values = Float32Array.of(-2, 0, 0.5);
    const reference = runReference(graph, new Map([['x', values]]));
    const executable = await (await openOnnx()).compile(graph, { threads: 1 });
    const { y: ys, dx } = await executable.run({ x: values });
    await executable.dispose();
    tell([reference.get('y').data, reference.get('dx').data, ys, dx].map((list) => [...list]));`);
  const y = [-2, 0, 0.5].map(Math.tanh);
  const dx = y.map((value) => 1 - value ** 2);
  expect(answer).toEqual([y, dx, y, dx].map((list) => list.map((value) => expect.closeTo(value, 6))));
});

it('the job parses as JSON, and runs', () => {
  const answer = ask(`
    import { writeVolume } from '@quickcolumn/io';
    import { parseJob, runJob } from '@quickcolumn/workflows';
    const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    await writeVolume('mask.nii.gz', { voxels: Uint8Array.of(0, 0, 3, 1, 0, 3), size: [3, 2, 1], affine });
    tell(await runJob(parseJob({ kind: 'count-labels', mask: 'mask.nii.gz' }, 'job.json')));`);
  expect(answer).toEqual({ voxels: { 0: 3, 1: 1, 3: 2 } });
});
