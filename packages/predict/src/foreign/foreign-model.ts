/**
 * A model of another framework on a runtime: the window goes into the tensor's order, the network runs as it is, its output
 * becomes probabilities and comes back. Everything around it (windows, merging, the way back) is that of our models.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { RuntimeError } from '@quickcolumn/runtimes';
import { type Size3, voxelCount } from '@quickcolumn/volume';
import type { CompiledModel, LoadedModel } from '../model/loaded-model.js';
import type { ModelDevice } from '../model/open-model.js';
import { channelsOf, toProbabilities } from './activation.js';
import type { ForeignContents } from './parse-foreign.js';
import { tensorAxes } from './tensor-axes.js';

/** @throws QuickcolumnError `usage` for a runtime that executes graphs of ours alone */
export function foreignOn(contents: ForeignContents, { runtime, precision, threads }: ModelDevice): LoadedModel {
  const { name, file, metadata, bytes, externalFiles } = contents;
  const open = runtime.openModel?.bind(runtime);
  if (open === undefined) throw foreignRuntimeError(name, runtime.name);
  return {
    name,
    files: [file],
    metadata,
    runtime: { name: runtime.name, version: runtime.version, precision },
    windowsAtOnce: 1,
    async compile(patch, batch) {
      const options = { precision, externalFiles, ...(threads === undefined ? {} : { threads }) };
      const session = await open(bytes, options).catch((error: unknown) => {
        throw named(error, name);
      });
      return compiledOver(contents, { patch, batch, session });
    },
  };
}

/** The refusal of a runtime that executes graphs of ours alone. @param name of the model */
export function foreignRuntimeError(name: string, runtime: string): QuickcolumnError {
  return new QuickcolumnError(
    'usage',
    `${name}: a model of another framework runs on ONNX Runtime alone (onnx), not on ${runtime}; leave the runtime out`,
    { path: name, options: { runtime: 'choose onnx' } },
  );
}

interface Compiling {
  readonly patch: Size3;
  readonly batch: number;
  readonly session: Awaited<ReturnType<NonNullable<ModelDevice['runtime']['openModel']>>>;
}

function compiledOver(contents: ForeignContents, { patch, batch, session }: Compiling): CompiledModel {
  const { name, inputName, outputName } = contents;
  const { output, axes: codes, preparation } = contents.metadata;
  const classes = preparation.classes.length;
  const axes = tensorAxes(codes);
  const shape = axes.shapeOf(patch);
  const voxels = voxelCount(patch);
  const expected = [1, channelsOf(output, classes), ...shape];
  const one = async (window: Float32Array): Promise<Float32Array> => {
    const inputs = { [inputName]: { shape: [1, 1, ...shape], data: axes.toTensor(window, patch) } };
    const results = await session.run(inputs, [outputName]).catch((error: unknown) => {
      throw named(error, `${name}: patch [${patch.join(', ')}]`);
    });
    const { data, shape: got } = results[outputName];
    if (got.join() !== expected.join()) {
      throw new RuntimeError(
        `${name}: its output ${outputName} is [${got.join(', ')}] for a window of [${shape.join(', ')}] along its axes, ` +
          `expected [${expected.join(', ')}]: a channel for each class of its settings, as large as the input`,
      );
    }
    return toProbabilities(data, output, { voxels, name });
  };
  return {
    batch,
    async run(image) {
      const all = new Float32Array(batch * voxels * classes);
      for (let n = 0; n < batch; n++) {
        const probabilities = await one(image.subarray(n * voxels, (n + 1) * voxels));
        for (let c = 0; c < classes; c++) {
          const channel = probabilities.subarray(c * voxels, (c + 1) * voxels);
          all.set(axes.fromTensor(channel, patch), (n * classes + c) * voxels);
        }
      }
      return all;
    },
    dispose: () => session.dispose(),
  };
}

/** The same error with the model's name before it. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof RuntimeError)) return error;
  return new RuntimeError(`${name}: ${error.message}`, error.fields, { cause: error });
}
