/**
 * A small trained model, a scan and what Node makes of it, all by the command line as users run it. Real cases where the
 * shared folder is there, else generated phantoms. A minute or less of training: what matters is that page and Node agree.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writePhantomCases } from '@quickcolumn/phantom';
import { has, pathOf } from '@quickcolumn/testing';

const cli = join(import.meta.dirname, '../../quickcolumn/dist/main.js');
const real = join(pathOf('shared'), 'covid19-ct-seg');

/** What the cases are, for titles. */
export const kindOfCases: string = has('shared') ? 'a real scan' : 'a phantom (no shared folder)';

/** Instance norm, so that few steps give a network that finds all classes. */
const configuration = `
profile: quick
data: { list: cases.csv }
preparation: { spacingMm: [5, 5, 6] }
network: { name: nnunet3d, rootFilters: 4 }
train: { patch: [48, 48, 32], epochs: 1, stepsPerEpoch: 60, learningRate: 0.004, schedule: { kind: constant } }
predict: { overlap: [24, 24, 16] }
`;

/** Flags of `predict`, and the same as options of a page. */
export const extras = {
  flags: ['--gaussian', '--mirror', 'x', '--keep-largest', '1,2', '--fill-holes', '1'],
  options: {
    weighting: 'gaussian',
    mirror: ['x'],
    postProcessing: {
      keepLargest: [
        { value: 1, components: 1 },
        { value: 2, components: 1 },
      ],
      minimumVolume: [],
      fillHoles: [1],
    },
  },
} as const;

/** Fills `folder` with model.onnx, scan.nii.gz and the masks plain.nii.gz and extras.nii.gz that Node makes. */
export async function makeModelAndMasks(folder: string): Promise<void> {
  const cases = has('shared')
    ? ['coronacases_001', 'radiopaedia_4_85506_1', 'radiopaedia_10_85902_1'].map((name) => ({
        imagePath: join(real, 'ct', `${name}.nii.gz`),
        labelPath: join(real, 'labels', `${name}.nii.gz`),
      }))
    : await writePhantomCases(join(folder, 'phantoms'), 3, 1);
  mkdirSync(folder, { recursive: true });
  writeCases(join(folder, 'cases.csv'), cases.slice(0, 2));
  writeFileSync(join(folder, 'config.yaml'), configuration);
  const at = (name: string): string => join(folder, name);
  await run('train', '--config', at('config.yaml'), '--out', at('run'), '--cache', at('cache'), '--no-evaluate');
  copyFileSync(join(at('run'), 'model.onnx'), at('model.onnx'));
  copyFileSync(cases[2].imagePath, at('scan.nii.gz'));
  const predict = ['predict', '--model', at('model.onnx'), '--runtime', 'onnx', at('scan.nii.gz'), '--out'];
  await run(...predict, at('plain.nii.gz'));
  await run(...predict, at('extras.nii.gz'), ...extras.flags);
}

/** Fills `folder` with model.onnx, hardly trained, and scan.nii.gz, a phantom: for tests of everything but the mask. */
export async function makeQuickModel(folder: string): Promise<void> {
  const cases = await writePhantomCases(join(folder, 'phantoms'), 2, 1);
  const at = (name: string): string => join(folder, name);
  writeCases(at('cases.csv'), cases);
  writeFileSync(at('config.yaml'), configuration.replace('stepsPerEpoch: 60', 'stepsPerEpoch: 2'));
  await run('train', '--config', at('config.yaml'), '--out', at('run'), '--cache', at('cache'), '--no-evaluate');
  copyFileSync(join(at('run'), 'model.onnx'), at('model.onnx'));
  copyFileSync(cases[0].imagePath, at('scan.nii.gz'));
}

function writeCases(path: string, cases: readonly { readonly imagePath: string; readonly labelPath: string }[]): void {
  const rows = cases.map(({ imagePath, labelPath }, i) => `${imagePath},${labelPath},${i}`);
  writeFileSync(path, ['image,label,patient', ...rows, ''].join('\n'));
}

async function run(...words: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [cli, ...words]);
}
