import { describe, expect, test } from 'vitest';
import { RuntimeError } from './contract/errors.js';
import { load, loadDawn, loadKoffi, loadOnnxRuntime } from './native.js';

const absent = {
  runtime: 'onnx',
  title: 'ONNX Runtime',
  prefix: '@quickcolumn/no-such-part-',
  fallback: 'no-such-package',
};

const errorOf = async (promise: Promise<unknown>): Promise<RuntimeError> => {
  const error: unknown = await promise.catch((cause: unknown) => cause);
  if (!(error instanceof RuntimeError)) throw new Error(`expected a RuntimeError, not ${String(error)}`);
  return error;
};

describe('native parts', () => {
  test('ONNX Runtime, Dawn and koffi are found', async () => {
    const { ort, version } = await loadOnnxRuntime();
    expect(new ort.Tensor('float32', new Float32Array([1, 2]), [2]).data).toEqual(new Float32Array([1, 2]));
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await loadDawn()).create).toBeTypeOf('function');
    expect((await loadKoffi('onednn')).sizeof('int')).toBe(4);
  });

  test('a missing part is named, with how to get it', async () => {
    const { message, fields } = await errorOf(load(absent, 'linux-x64'));
    expect(message).toContain('npm install @quickcolumn/no-such-part-linux-x64');
    expect(message).toContain('--omit=optional');
    expect(fields).toMatchObject({ runtime: 'onnx', reason: 'no-package' });
  });

  test('where there is no build, nobody is told to install one', async () => {
    const alpine = await errorOf(load(absent, 'linux-x64', () => true));
    const oldMac = await errorOf(load(absent, 'darwin-x64', () => false));
    expect(alpine.message).toContain('no build for linux-x64 with musl (as in Alpine), only for linux-x64');
    expect(oldMac.message).toContain('no build for darwin-x64, only for linux-x64');
    for (const { message, fields } of [alpine, oldMac]) {
      expect(message).not.toContain('npm install');
      expect(fields).toMatchObject({ runtime: 'onnx', reason: 'no-build' });
    }
  });

  test('a part that is there and does not load says what stops it', async () => {
    const broken = { ...absent, prefix: 'data:text/javascript,throw new Error("no glibc")//' };
    const { message, fields } = await errorOf(load(broken));
    expect(message).toContain('does not load: no glibc');
    expect(fields).toMatchObject({ reason: 'broken-package' });
  });
});
