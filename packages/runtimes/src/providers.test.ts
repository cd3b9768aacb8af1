/** The list of runtimes: its names, that listing and importing load nothing native, and the survey of this machine. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runtimeNames, runtimeProviders, surveyRuntimes } from './providers.js';

const library = resolve(import.meta.dirname, '../dist/index.js');
const above = resolve(import.meta.dirname, '../../datasets/dist/index.js');
const command = resolve(import.meta.dirname, '../../cli/dist/main.js');

/** What of native libraries a process has loaded at its end, or where the code says `show()`. */
function nativeOf(code: string): string[] {
  const names = 'libonnxruntime|onnxruntime_binding|koffi|dawn|libvulkan|libdnnl';
  const show = `const show = () => console.log('native ' + JSON.stringify(process.report.getReport().sharedObjects
    .filter((path) => /${names}/.test(path.split('/').at(-1)))));
    process.on('exit', show);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `${show}\n${code}`], {
    encoding: 'utf8',
  });
  const line = stdout.split('\n').find((text) => text.startsWith('native '));
  if (line === undefined) throw new Error(`the process said nothing of its libraries: ${stdout}${stderr}`);
  return JSON.parse(line.slice('native '.length)) as string[];
}

describe('native libraries', () => {
  it.each([
    ['importing the package', `await import('${library}');`],
    ['listing the runtimes', `const { runtimeProviders } = await import('${library}'); await runtimeProviders();`],
    ['importing a package above it', `await import('${above}');`],
    ['quickcolumn --help', `process.argv.splice(1, 0, '${command}', '--help'); await import('${command}');`],
  ])('%s loads none', (_what, code) => {
    expect(nativeOf(code)).toEqual([]);
  });

  it.each([
    ['openOnnx', /onnxruntime/],
    // koffi, whether the library that it looks for is installed or not.
    ['openOneDnn', /koffi|libdnnl/],
  ])('%s loads its own and no others', (open, own) => {
    const loaded = nativeOf(`const { ${open} } = await import('${library}'); await ${open}().catch(() => {}); show();`);
    expect(loaded.some((path) => own.test(path))).toBe(true);
    expect(loaded.filter((path) => !own.test(path))).toEqual([]);
  });
});

describe('the list', () => {
  it('has every name once, and each provider under its own', async () => {
    const providers = await runtimeProviders();
    expect(runtimeNames).toEqual(['auto', ...providers.map(({ name }) => name)]);
    expect(new Set(runtimeNames).size).toBe(runtimeNames.length);
    for (const { precisions } of providers) expect(precisions[0]).toBe('float32');
  });
});

describe('the survey', () => {
  it('has a line for each, with a speed for each precision or the reason why there is none', async () => {
    const surveys = await surveyRuntimes();
    expect(['auto', ...surveys.map(({ name }) => name)]).toEqual(runtimeNames);
    for (const { name, version, problem, speeds, installation } of surveys) {
      expect(installation, name).not.toBe('');
      if (problem === undefined) {
        expect(version, name).toBeTruthy();
        expect(speeds[0], name).toMatchObject({ precision: 'float32' });
        for (const { gflops } of speeds) expect(gflops, name).toBeGreaterThan(0);
      } else expect(problem, name).toMatch(/\S/);
    }
    expect(surveys.find(({ name }) => name === 'onnx')?.problem).toBeUndefined();
  });
});
