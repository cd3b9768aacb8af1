/**
 * Predicts scans one after the other with one compiled model, for commands that do more with a prediction than write it:
 * pseudo-labels and training rounds. Class probabilities pass by one class at a time, as in `predictScan`.
 */
import type { FormatProperties } from '@quickcolumn/io';
import { type LoadedModel, predictScan, resolveWindow } from '@quickcolumn/predict';
import type { Volume } from '@quickcolumn/volume';
import { chooseDevice, type DeviceRequest } from './device.js';
import { interruptSignal, throwIfInterrupted } from './interrupt.js';
import { loadModels, type ModelFiles } from './prediction-options.js';
import { volumeInput } from './scan-inputs.js';
import { formatSeconds, progressLine, secondsSince } from './terminal.js';

interface PredictedScan {
  readonly labels: Volume<Uint8Array>;
  /** Of the scan's file, for what is written in its likeness. */
  readonly properties?: FormatProperties;
}

export interface ScanPredictor {
  readonly model: LoadedModel;
  readonly files: ModelFiles;
  /**
   * Labels of a scan file on its own grid; `onProbability` gets the classes one after the other.
   * @throws the reader's and the prediction's errors; `interrupted` after Ctrl-C
   */
  predict(
    scan: { readonly name: string; readonly path: string },
    onProbability: (classIndex: number, probability: Float32Array) => void,
  ): Promise<PredictedScan>;
  dispose(): Promise<void>;
}

/** @param flags.model a model file, a run folder, or several of them separated by commas */
export async function openPredictor(
  flags: DeviceRequest & { readonly model: string; readonly threads?: number },
): Promise<ScanPredictor> {
  const { threads } = flags;
  const device = await chooseDevice(flags);
  const { model, files } = await loadModels(flags.model, { ...device, ...(threads === undefined ? {} : { threads }) });
  const compiled = await model.compile(resolveWindow(model).patch, 1);
  return {
    model,
    files,
    async predict({ name, path }, onProbability) {
      throwIfInterrupted();
      const start = performance.now();
      const { volume, properties } = await volumeInput(name, path).load();
      const line = progressLine(name);
      try {
        const { labels } = await predictScan(model, volume, {
          name: path,
          compiled,
          signal: interruptSignal,
          onProgress: ({ done, total }) => line.update(`window ${done} of ${total}`, done / total),
          onProbability: (index, probability) => onProbability(index, probability.voxels),
        });
        line.end(`predicted in ${formatSeconds(secondsSince(start))}`);
        return { labels, ...(properties && { properties }) };
      } catch (error) {
        line.end();
        throw error;
      }
    },
    dispose: async () => await compiled.dispose(),
  };
}
