/** `predict` with ONNX models of other frameworks and the settings beside them. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLabels, writeVolume } from '@quickcolumn/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, quickcolumn } from './command.test.helpers.js';

const golden = fileURLToPath(new URL('../../predict/src/foreign/golden/', import.meta.url));

let folder = '';
const predict = async (...args: string[]): ReturnType<typeof quickcolumn> =>
  await quickcolumn(folder, 'predict', 'scan.nii.gz', ...args);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-foreign-'));
  for (const file of ['nnunet.onnx', 'nnunet.onnx.json', 'monai.onnx', 'monai.onnx.data', 'monai.onnx.json']) {
    await copyFile(join(golden, file), join(folder, file));
  }
  await copyFile(join(golden, 'nnunet.onnx'), join(folder, 'bare.onnx'));
  const { scan } = JSON.parse(await readFile(join(golden, 'foreign.json'), 'utf8')) as {
    scan: { size: [number, number, number]; affine: number[]; voxels: string };
  };
  const voxels = new Int16Array(Uint8Array.from(Buffer.from(scan.voxels, 'base64')).buffer);
  await writeVolume(join(folder, 'scan.nii.gz'), { ...scan, voxels });
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('predict with a model of another framework', () => {
  it('writes a mask and names model and licence', async () => {
    const { code, stderr } = await predict('--model', 'nnunet.onnx', '--out', 'masks', '--probabilities');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('model nnU-Net with random weights: of another framework, executed by ONNX Runtime');
    expect(stderr).toContain('licence Apache-2.0, research use only');
    expect(await filesIn(join(folder, 'masks'))).toContain('scan.nii.gz');
    expect(new Set((await readLabels(join(folder, 'masks', 'scan.nii.gz'))).voxels)).toEqual(new Set([0, 1, 2]));
  });

  it('other settings are another model for --skip-existing', async () => {
    expect(await predict('--model', 'monai.onnx', '--out', 'skip')).toMatchObject({ code: 0 });
    const again = await predict('--model', 'monai.onnx', '--out', 'skip', '--skip-existing');
    expect(again.stderr).toContain('its mask is there, of the same model and options; left as it is');
    const path = join(folder, 'monai.onnx.json');
    const settings = await readFile(path, 'utf8');
    await writeFile(path, settings.replace('0.6', '0.7'));
    const changed = await predict('--model', 'monai.onnx', '--out', 'skip', '--skip-existing');
    await writeFile(path, settings);
    expect(changed.code).toBe(5);
    expect(changed.stderr).toContain('was made with another model');
  });

  it('without settings it says what is missing and prints a template', async () => {
    const { code, stderr } = await predict('--model', 'bare.onnx', '--out', 'none');
    expect(code).toBe(3);
    expect(stderr).toContain('no bare.onnx.json is beside it');
    expect(stderr).toContain('"spacingMm": "FILL IN: ');
    expect(stderr).toContain('output logits [1, 3, 8, 16, 12] float32');
  });

  it('other runtimes and ensembles that do not fit are refused', async () => {
    const other = await predict('--model', 'nnunet.onnx', '--out', 'none', '--runtime', 'webgpu');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain(
      'runs on ONNX Runtime alone (onnx), not on webgpu; leave the runtime out, or use --runtime to choose onnx',
    );
    const mixed = await predict('--model', 'nnunet.onnx,monai.onnx', '--out', 'none');
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).toContain('monai.onnx cannot join nnunet.onnx: its preparation.');
  });
});
