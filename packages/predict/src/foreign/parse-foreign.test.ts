import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOnnx, type Runtime } from '@quickcolumn/runtimes';
import type { Volume } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyModelOn, loadModel } from '../model/load-model.js';
import { predictScan } from '../predict.js';
import { floatTensor, foreign, noFile, onnxModel, settingsOf, shiftModel } from './foreign.test.helpers.js';
import { parseForeign } from './parse-foreign.js';

const model = shiftModel(0);
const size = [8, 7, 6] as const;
const scan: Volume = {
  size,
  affine: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1],
  voxels: Float32Array.from({ length: 8 * 7 * 6 }, (_, at) => ((at * 7919) % 1201) - 1000),
};

let place = '';
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'quickcolumn-foreign-'));
});
afterAll(async () => await rm(place, { recursive: true, force: true }));

async function messageOf(settings: unknown, bytes: Uint8Array = model): Promise<string> {
  const text = typeof settings === 'string' ? settings : JSON.stringify(settings);
  const error: unknown = await parseForeign(bytes, 'a/m.onnx', { settings: text, readFile: noFile }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({ code: 'model' });
  return (error as Error).message;
}

describe('without settings', () => {
  it('says what is missing and gives a template of what the file tells', async () => {
    const path = join(place, 'unet.onnx');
    const fixed = { inputShape: [1, 1, 16, 16, 16], outputShape: [1, 3, 16, 16, 16] };
    await writeFile(path, onnxModel([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], [], fixed));
    const error: unknown = await loadModel(path).catch((cause: unknown) => cause);
    const { message } = error as Error;
    expect(message).toContain(`no ${path}.json is beside it`);
    for (const part of ['a test', 'spacing', 'intensities', 'axes', 'classes', 'x [1, 1, 16, 16, 16] float32']) {
      expect(message).toContain(part);
    }
    const template = JSON.parse(message.slice(message.indexOf('\n{'))) as Record<string, unknown>;
    expect(template).toMatchObject({ patch: [16, 16, 16], overlap: [8, 8, 8], padding: 0 });
    expect(template['classes']).toHaveLength(3);

    // A template is no answer, as long as a mark is left; what is filled in is one.
    await writeFile(`${path}.json`, JSON.stringify(template));
    await expect(loadModel(path)).rejects.toThrow(
      `${path}.json: still to be filled in: output.kind, axes, spacingMm, intensity.kind, classes[1].name, classes[2].name`,
    );
    const filled = {
      ...template,
      output: { kind: 'logits' },
      axes: 'SPL',
      spacingMm: [1, 1, 2],
      intensity: { kind: 'z-score', clipHu: null },
      classes: ['background', 'a', 'b'].map((name, value) => ({ value, name })),
    };
    await writeFile(`${path}.json`, JSON.stringify(filled));
    expect((await loadModel(path)).metadata).toMatchObject({ fixedPatch: [16, 16, 16], axes: 'SPL' });
  });

  it('what is no ONNX file stays none', async () => {
    const path = join(place, 'text.onnx');
    await writeFile(path, 'no model at all');
    await expect(loadModel(path)).rejects.toThrow(/text\.onnx: this is not an ONNX file/);
    await writeFile(`${path}.json`, JSON.stringify(settingsOf()));
    await expect(loadModel(path)).rejects.toThrow(/text\.onnx: this is not an ONNX file/);
  });
});

describe('settings are checked key by key', () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ spacingMm: undefined }, /m\.onnx\.json: spacingMm: missing; expected three numbers/],
    [{ spacingMm: [1, 0, 1] }, /spacingMm\[1\]: /],
    [{ overlap: [3, 5, 1] }, /overlap\[1\]: 5 must be less than the patch, 5/],
    [{ patch: [6, 5] }, /patch: expected three numbers/],
    [{ axes: 'SPS' }, /axes: expected three letters/],
    [{ intensity: { kind: 'ct', clipHu: [-1000, 400], mean: 1 } }, /intensity\.sd: missing/],
    [{ intensity: { kind: 'ct', clipHu: [400, -1000], mean: 1, sd: 1 } }, /intensity\.clipHu: the first value must be/],
    [{ intensity: { kind: 'window' } }, /intensity\.kind: expected .*ct, range, z-score or none/],
    [{ output: { kind: 'sigmoid', of: 'logits', threshold: 1 } }, /output\.threshold: /],
    [{ spacing: [1, 1, 1] }, /"spacing"/],
    [{ version: 2 }, /version 2 is newer than this quickcolumn reads \(1\)/],
    [{ classes: [{ value: 1, name: 'a' }] }, /classes: .*2/],
    [
      {
        classes: [
          { value: 1, name: 'a' },
          { value: 0, name: 'b' },
        ],
      },
      /classes\[0\]\.value: is 1; the first class/,
    ],
    [{ inputName: 'image' }, /inputName: the model has no 'image'; use one of x \[any, 1, any, any, any\] float32/],
  ])('%j', async (changes, expected) => {
    expect(await messageOf(settingsOf(changes))).toMatch(expected);
  });

  it('says so where it is no JSON', async () => {
    expect(await messageOf('{')).toMatch(/m\.onnx\.json: it is not JSON/);
  });

  it('a sigmoid has no class of value 0, and paths count the classes as they are written', async () => {
    const output = { kind: 'sigmoid', of: 'logits', threshold: 0.5 };
    expect(await messageOf(settingsOf({ output }))).toMatch(/classes\[0\]\.value: is 0; channels of a sigmoid/);
    const classes = [
      { value: 1, name: 'a' },
      { value: 1, name: 'b' },
    ];
    expect(await messageOf(settingsOf({ output, classes }))).toMatch(/classes\[1\]\.value: 1 is used twice/);
  });
});

describe('the documentation', () => {
  it('has settings that are right, for windows of any size', async () => {
    const page = await readFile(new URL('../../../../docs/foreign-models.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/^```json\n(.*?)^```/gms)].map(([, text]) => text);
    expect(blocks).toHaveLength(2);
    const outputs = [3, 1].map((channels) => ({ outputShape: ['n', channels, 'a', 'b', 'c'] }));
    for (const [at, settings] of blocks.entries()) {
      const bytes = onnxModel([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], [], outputs[at]);
      const { metadata } = await parseForeign(bytes, 'm.onnx', { settings, readFile: noFile });
      expect(metadata.preparation.classes[0]).toMatchObject({ value: 0, name: 'background' });
    }
  });
});

describe('settings that do not fit the model', () => {
  const one = [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }];
  it.each<[string, Parameters<typeof onnxModel>[2], RegExp]>([
    ['window', { inputShape: [1, 1, 4, 5, 8] }, /patch: \[6, 5, 4\] along x, y, z, which is \[4, 5, 6\] along .*SPL/],
    ['2D', { inputShape: [1, 1, 4, 5] }, /input x \[1, 1, 4, 5\] float32 has 4 dimensions/],
    ['channels', { inputShape: [1, 4, 4, 5, 6] }, /has 4 channels/],
    ['batch', { inputShape: [2, 1, 4, 5, 6] }, /takes 2 windows at once/],
    ['classes', { outputShape: [1, 5, 4, 5, 6] }, /classes: 2 for the 5 channels of the output y/],
  ])('%s', async (_what, shapes, expected) => {
    expect(await messageOf(settingsOf(), onnxModel(one, [], shapes))).toMatch(expected);
  });

  it('weights are only looked for beside the model', async () => {
    const golden = await readFile(join(import.meta.dirname, 'golden', 'monai.onnx'));
    const led = Buffer.from(golden.toString('latin1').replaceAll('monai.onnx.data', '../ai.onnx.data'), 'latin1');
    expect(await messageOf(settingsOf({ patch: [8, 8, 8], overlap: [0, 0, 0] }), led)).toContain(
      "a/m.onnx: its weights are said to be in '../ai.onnx.data'; expected a file beside the model",
    );
  });
});

describe('on a runtime', () => {
  it('other runtimes than ONNX Runtime are refused', async () => {
    const contents = await parseForeign(model, 'm.onnx', { settings: JSON.stringify(settingsOf()), readFile: noFile });
    const other: Runtime = { ...(await openOnnx()), name: 'onednn', openModel: undefined };
    expect(() => anyModelOn(contents, { runtime: other, precision: 'float32' })).toThrow(
      'm.onnx: a model of another framework runs on ONNX Runtime alone (onnx), not on onednn',
    );
  });

  it('operators that ONNX Runtime does not know are named', async () => {
    const odd = onnxModel([{ op: 'DreamOfMasks', inputs: ['x'], outputs: ['y'] }]);
    await expect((await foreign(odd)).compile([6, 5, 4], 1)).rejects.toThrow(
      /made\.onnx: ONNX Runtime .* does not open the model: .*DreamOfMasks/,
    );
  });

  it('an output of another size is an error', async () => {
    const flat = onnxModel(
      [{ op: 'ReduceMax', inputs: ['x'], outputs: ['y'], attributes: { axes: { kind: 'ints', value: [2] } } }],
      [],
      { outputShape: ['n', 'c', 'a', 'b', 'd'] },
    );
    await expect(predictScan(await foreign(flat), scan)).rejects.toThrow(
      /its output y is \[1, 1, 1, 5, 6\] for a window of \[4, 5, 6\] along its axes, expected \[1, 2, 4, 5, 6\]/,
    );
  });

  it('several windows in one batch are those one after the other', async () => {
    const opened = await foreign(model);
    const windows = Float32Array.from({ length: 240 }, (_, at) => Math.sin(at));
    const two = await opened.compile([6, 5, 4], 2);
    const one = await opened.compile([6, 5, 4], 1);
    const both = await two.run(windows);
    expect(both.subarray(0, 240)).toEqual((await one.run(windows.subarray(0, 120))).slice());
    expect(both.subarray(240)).toEqual((await one.run(windows.subarray(120))).slice());
    await two.dispose();
    await one.dispose();
  });
});

describe('outputs', () => {
  const both = (first: string): Uint8Array =>
    onnxModel(
      [
        { op: 'Mul', inputs: ['x', 'zero'], outputs: ['none'] },
        { op: 'Add', inputs: ['none', first], outputs: ['a'] },
        { op: 'Sub', inputs: ['one', 'a'], outputs: ['b'] },
        { op: 'Concat', inputs: ['b', 'a'], outputs: ['y'], attributes: { axis: { kind: 'int', value: 1 } } },
      ],
      [
        floatTensor('zero', [], [0]),
        floatTensor('one', [], [1]),
        floatTensor('p', [], [0.7]),
        floatTensor('big', [], [9]),
      ],
    );
  const shareOf = async (
    bytes: Uint8Array,
    changes: object,
  ): Promise<{ first: number; background: number; label: number }> => {
    const seen: number[] = [];
    const { labels } = await predictScan(await foreign(bytes, { ...changes }), scan, {
      onProbability: (c, { voxels }) => void (seen[c] = voxels[0]),
    });
    return { first: seen[1], background: seen[0], label: labels.voxels[0] };
  };

  it('probabilities are taken as they are, and refused where they are none', async () => {
    const output = { kind: 'probabilities' };
    const { first, background, label } = await shareOf(both('p'), { output });
    expect([first, background, label]).toEqual([expect.closeTo(0.7, 6), expect.closeTo(0.3, 6), 1]);
    await expect(shareOf(both('big'), { output })).rejects.toThrow(
      /no probabilities.*a value is -8\.000; say logits there/,
    );
  });

  it('a sigmoid has its class above the threshold', async () => {
    const classes = [
      { value: 4, name: 'a' },
      { value: 9, name: 'b' },
    ];
    const sigmoid = (threshold: number): object => ({
      classes,
      output: { kind: 'sigmoid', of: 'probabilities', threshold },
    });
    expect(await shareOf(both('p'), sigmoid(0.69))).toMatchObject({
      label: 9,
      first: expect.closeTo(0.3, 6) as number,
    });
    expect(await shareOf(both('p'), sigmoid(0.71))).toMatchObject({
      label: 0,
      background: expect.closeTo(0.3, 6) as number,
    });
  });

  it('what is not finite is no mask', async () => {
    const endless = floatTensor('p', [], [Number.NaN]);
    const bytes = onnxModel(
      [
        { op: 'Mul', inputs: ['x', 'p'], outputs: ['a'] },
        { op: 'Concat', inputs: ['x', 'a'], outputs: ['y'], attributes: { axis: { kind: 'int', value: 1 } } },
      ],
      [endless],
    );
    await expect(shareOf(bytes, {})).rejects.toMatchObject({ code: 'runtime', fields: { reason: 'not-finite' } });
  });
});
