/**
 * Reads an ONNX model of another framework (PyTorch, nnU-Net, MONAI) and the settings beside it, MODEL.onnx.json, and holds
 * one against the other: names, number of channels, lengths of the window. Nothing is executed.
 *
 * The trap: such a file tells neither spacing nor intensities nor where left is. So there are no defaults for them, and
 * without the settings the error is a template of them.
 */
import { type ForeignSettings, foreignSettingsSchema, foreignSettingsVersion } from '@quickcolumn/pipeline';
import { type ModelSignature, readSignature, type TensorSignature } from '@quickcolumn/runtimes';
import type { ForeignMetadata, ModelFile } from '../model/loaded-model.js';
import { ModelError } from '../model/open-model.js';
import { sha256 } from '../model/sha256.js';
import { channelsOf } from './activation.js';
import { describeTensor, settingsTemplate, unfilled } from './template.js';
import { tensorAxes } from './tensor-axes.js';

/** What is behind the name of a model for the name of its settings. */
const settingsEnding = '.json';

/** Where the settings of a model are: MODEL.onnx.json for MODEL.onnx. */
export const settingsPathOf = (modelPath: string): string => `${modelPath}${settingsEnding}`;

/** A model of another framework and its settings, checked. */
export interface ForeignContents {
  readonly name: string;
  readonly file: ModelFile;
  readonly metadata: ForeignMetadata;
  readonly inputName: string;
  readonly outputName: string;
  /** The file as it is, for the runtime, and those beside it that hold weights, by name. */
  readonly bytes: Uint8Array;
  readonly externalFiles: ReadonlyMap<string, Uint8Array>;
}

/** What lies beside the model. */
export interface BesideModel {
  /** Text of the settings; undefined where there are none. */
  readonly settings: string | undefined;
  /** Reads a file with weights, as PyTorch writes them (MODEL.onnx.data); its name is one without folders. */
  readonly readFile: (name: string) => Promise<Uint8Array>;
}

/**
 * @param bytes of the ONNX file; kept
 * @throws what reading a file beside it throws; ModelError for what is no ONNX file, for settings that are missing (with a template of them) or wrong, and for a
 *   model that they do not fit
 */
export async function parseForeign(
  bytes: Uint8Array,
  path: string,
  { settings, readFile }: BesideModel,
): Promise<ForeignContents> {
  const signature = signatureOf(bytes, path);
  const settingsPath = settingsPathOf(path);
  if (settings === undefined) throw missingSettings(path, signature);
  const parsed = parseSettings(settings, settingsPath);
  const input = chosen(signature.inputs, { what: 'input', name: parsed.inputName, settingsPath });
  const output = chosen(signature.outputs, { what: 'output', name: parsed.outputName, settingsPath });
  if (signature.inputs.length > 1) {
    throw new ModelError(path, `it needs ${signature.inputs.map(describeTensor).join(' and ')}`, {
      advice: 'expected a model with the image as its only input',
    });
  }
  const fixedPatch = checkInput(input, parsed, { path, settingsPath });
  checkOutput(output, parsed, { path, settingsPath });
  const externalFiles = new Map<string, Uint8Array>();
  for (const name of signature.externalFiles) externalFiles.set(plainName(name, path), await readFile(name));
  const file = path.split(/[\\/]/).at(-1) ?? path;
  const digest = await sha256([bytes]);
  const { title, licence } = parsed;
  return {
    name: path,
    file: {
      file,
      sha256: digest,
      // Where they are in the file, its weights are not told from the rest.
      weightsSha256: externalFiles.size === 0 ? digest : await sha256([...externalFiles.values()]),
      settingsSha256: await sha256([new TextEncoder().encode(settings)]),
      ...(title === undefined ? {} : { title }),
      ...(licence === undefined ? {} : { licence }),
    },
    metadata: { ...parsed, network: { name: title ?? file }, fixedPatch },
    inputName: input.name,
    outputName: output.name,
    bytes,
    externalFiles,
  };
}

/** @throws ModelError for a name that may lead out of the model's folder */
function plainName(name: string, path: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)) return name;
  throw new ModelError(path, `its weights are said to be in '${name}'`, { advice: 'expected a file beside the model' });
}

interface Paths {
  readonly path: string;
  readonly settingsPath: string;
}

function signatureOf(bytes: Uint8Array, path: string): ModelSignature {
  const noOnnx = 'this is not an ONNX file, or it is cut short';
  let signature: ModelSignature;
  try {
    signature = readSignature(bytes);
  } catch (cause) {
    throw new ModelError(path, noOnnx, { cause, advice: 'expected an ONNX model' });
  }
  if (signature.inputs.length === 0 || signature.outputs.length === 0) {
    throw new ModelError(path, `${noOnnx}: it has no input or no output`, { advice: 'expected an ONNX model' });
  }
  return signature;
}

function missingSettings(path: string, signature: ModelSignature): ModelError {
  const { inputs, outputs, producer } = signature;
  const of = producer === '' ? '' : ` of ${producer}`;
  const problem =
    `this ONNX model${of} has no Quickcolumn metadata, and no ${settingsPathOf(path)} is beside it; it does not say ` +
    'spacing, intensities, padding, order and direction of its axes, window and overlap, what its output is, and its classes. ' +
    `It tells: input ${inputs.map(describeTensor).join(', ')}; output ${outputs.map(describeTensor).join(', ')}`;
  const template = settingsTemplate(signature);
  return new ModelError(path, problem, { advice: `fill this in and save it as ${settingsPathOf(path)}:\n${template}` });
}

function parseSettings(text: string, settingsPath: string): ForeignSettings {
  const fail = (problems: readonly string[], cause?: unknown): ModelError =>
    new ModelError(settingsPath, problems.join('\n'), {
      cause,
      advice: 'expected the settings of a model of another framework',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail(['it is not JSON'], cause);
  }
  const { format, version } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (format === 'quickcolumn-foreign-model' && typeof version === 'number' && version > foreignSettingsVersion) {
    throw new ModelError(
      settingsPath,
      `version ${version} is newer than this quickcolumn reads (${foreignSettingsVersion})`,
      {
        advice: 'update quickcolumn',
      },
    );
  }
  const open = unfilled(value);
  if (open.length > 0) throw fail([`still to be filled in: ${open.join(', ')}`]);
  const parsed = foreignSettingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw fail(
    parsed.error.issues.map((issue) => {
      const at = issue.path.reduce<string>(
        (so, key) => (typeof key === 'number' ? `${so}[${key}]` : so === '' ? String(key) : `${so}.${String(key)}`),
        '',
      );
      const isMissing = at !== '' && valueAt(value, issue.path) === undefined;
      return `${at === '' ? '' : `${at}: `}${isMissing ? `missing; ${issue.message}` : issue.message}`;
    }),
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null ? (inside as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

function chosen(
  tensors: readonly TensorSignature[],
  about: { readonly what: 'input' | 'output'; readonly name: string | undefined; readonly settingsPath: string },
): TensorSignature {
  const { what, name, settingsPath } = about;
  const found = name === undefined ? tensors[0] : tensors.find((tensor) => tensor.name === name);
  if (found !== undefined && (name !== undefined || tensors.length === 1)) return found;
  const known = tensors.map(describeTensor).join(', ');
  const problem =
    name === undefined ? `missing; the model has ${tensors.length} ${what}s` : `the model has no '${name}'`;
  throw new ModelError(settingsPath, `${what}Name: ${problem}`, { advice: `use one of ${known}` });
}

/** @returns the lengths along x, y, z that the model takes alone */
function checkInput(
  tensor: TensorSignature,
  { axes: codes, patch }: ForeignSettings,
  { path, settingsPath }: Paths,
): ForeignMetadata['fixedPatch'] {
  const { type, shape } = tensor;
  const unfit = (problem: string): ModelError =>
    new ModelError(path, `its input ${describeTensor(tensor)} ${problem}`, {
      advice: 'expected float32 [1, 1, D, H, W], one channel of a volume',
    });
  if (type !== 'float32') throw unfit(`is ${type}`);
  if (shape === undefined) return [null, null, null];
  if (shape.length !== 5) throw unfit(`has ${shape.length} dimensions`);
  const [batch, channels, ...lengths] = shape;
  if (typeof batch === 'number' && batch !== 1) throw unfit(`takes ${batch} windows at once`);
  if (typeof channels === 'number' && channels !== 1) throw unfit(`has ${channels} channels`);
  const axes = tensorAxes(codes);
  const wanted = axes.shapeOf(patch);
  const fixed: [number | null, number | null, number | null] = [null, null, null];
  lengths.forEach((length, axis) => {
    if (typeof length !== 'number') return;
    fixed[axes.order[axis]] = length;
    if (length === wanted[axis]) return;
    const lay = `which is [${wanted.join(', ')}] along the tensor's axes ${codes}`;
    throw new ModelError(settingsPath, `patch: [${patch.join(', ')}] along x, y, z, ${lay}`, {
      advice: `the model's input is ${describeTensor(tensor)}; correct patch or axes`,
    });
  });
  return fixed;
}

function checkOutput(
  tensor: TensorSignature,
  { output, preparation }: ForeignSettings,
  { path, settingsPath }: Paths,
): void {
  const { type, shape } = tensor;
  if (type !== 'float32' || (shape !== undefined && shape.length !== 5)) {
    throw new ModelError(path, `its output ${describeTensor(tensor)} is no float32 [1, classes, D, H, W]`, {
      advice: 'expected one channel a class, of the size of the input',
    });
  }
  const channels = shape?.[1];
  const expected = channelsOf(output, preparation.classes.length);
  if (typeof channels !== 'number' || channels === expected) return;
  const how = output.kind === 'sigmoid' ? 'a sigmoid has one a class, without the background' : 'one a class';
  throw new ModelError(
    settingsPath,
    `classes: ${expected} for the ${channels} channels of the output ${tensor.name} (${how})`,
    {
      advice: 'name every channel, in its order',
    },
  );
}
