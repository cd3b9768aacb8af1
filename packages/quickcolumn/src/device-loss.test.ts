/**
 * What people see when their graphics card fails in the middle of a training: one line with what happened and the command
 * that goes on, which does. The built program on SwiftShader; a network that is mostly frozen, so that shaders are few.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, filesIn, programPath } from './command.test.helpers.js';
import { exitCodes } from '@quickcolumn/errors';
import { has, needs } from '@quickcolumn/testing';

const kit = new URL('../dist/lose-device.test.helpers.js', import.meta.url).href;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-device-loss-'));
  if (has('WebGPU')) await writePhantomCases(join(folder, 'data'), 3, 1);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** @param lost after which file has a line the device is lost */
async function run(args: readonly string[], lost?: string): Promise<Outcome> {
  // Vulkan's loader complains where it is not set.
  const env = {
    ...process.env,
    NO_COLOR: '1',
    XDG_RUNTIME_DIR: folder,
    ...(lost !== undefined && { QUICKCOLUMN_TEST_HISTORY: lost }),
  };
  return await new Promise((done) => {
    execFile(process.execPath, ['--import', kit, programPath, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const data = ['--images', 'data/ct', '--labels', 'data/labels', '--cache', 'cache', '--no-evaluate'];
const size = `
profile: quick
preparation: { spacingMm: [9, 9, 15] }
network: { name: unet3d, rootFilters: 1 }
train: { patch: [16, 16, 16], batch: 1, epochs: 3, stepsPerEpoch: 3, validationPatches: 1 }
predict: { overlap: [8, 8, 8] }
`;

describe('train whose graphics device is lost', () => {
  it('says so in one line, with the command that goes on', needs('WebGPU'), async () => {
    await writeFile(join(folder, 'small.yaml'), size);
    const begin = ['train', '--config', 'small.yaml', ...data];
    const base = await run([...begin, '--runtime', 'onnx', '--epochs', '1', '--out', 'base']);
    expect(base.code, base.stderr).toBe(0);

    const frozen = ['--init-from', 'base', '--freeze', 'encoder,decoder2,decoder3', '--runtime', 'webgpu'];
    const lost = await run([...begin, ...frozen, '--out', 'my run'], join(folder, 'my run', 'history.jsonl'));
    expect(lost.code, lost.stderr).toBe(exitCodes.runtime);
    const lines = lost.stderr.trimEnd().split('\n');
    const [, command] =
      /^error: the graphics device was lost \(.*\); what is finished is kept; go on with: (quickcolumn .*)$/.exec(
        lines[lines.length - 1],
      ) ?? [];
    expect(command, lost.stderr).toBe("quickcolumn train --resume --out 'my run' --cache cache --no-evaluate");
    expect(lines.slice(0, -1).filter((line) => /error|lost|^\s+at /.test(line))).toEqual([]);
    expect((await filesIn(join(folder, 'my run'))).filter((file) => /tmp|model\.onnx|report/.test(file))).toEqual([]);

    const resumed = await run(['train', '--resume', '--out', 'my run', '--cache', 'cache', '--no-evaluate']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain('resuming after epoch 1');
    const history = await readFile(join(folder, 'my run', 'history.jsonl'), 'utf8');
    const epochs = history
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { epoch: number }).epoch);
    expect(epochs).toEqual([1, 2, 3]);
    expect(await filesIn(join(folder, 'my run'))).toContain('model.onnx');
  });
});
