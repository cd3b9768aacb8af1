/**
 * Predicts scans one after the other with one compiled model, for commands that do more with a prediction than write it:
 * pseudo-labels and training rounds. Class probabilities pass by one class at a time, as in `predictScan`.
 */
import type { NiftiHeader } from '@quickcolumn/io';
import { type LoadedModel, predictScan, resolveWindow } from '@quickcolumn/predict';
import type { Volume } from '@quickcolumn/volume';
import { chooseDevice, type DeviceRequest } from './device.js';
import { interruptSignal, throwIfInterrupted } from './interrupt.js';
import { loadModels } from './prediction-options.js';
import { volumeInput } from './scan-inputs.js';
import { formatSeconds, progressLine, secondsSince } from './terminal.js';

interface PredictedScan {
  readonly labels: Volume<Uint8Array>;
  /** Of the scan, where it is NIfTI. */
  readonly header?: NiftiHeader;
}

export interface ScanPredictor {
  readonly model: LoadedModel;
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
  const model = await loadModels(flags.model, { ...device, ...(threads === undefined ? {} : { threads }) });
  const compiled = await model.compile(resolveWindow(model).patch, model.windowsAtOnce);
  return {
    model,
    async predict({ name, path }, onProbability) {
      throwIfInterrupted();
      const start = performance.now();
      const { volume, header } = await volumeInput(name, path).load();
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
        return { labels, ...(header && { header }) };
      } catch (error) {
        line.end();
        throw error;
      }
    },
    dispose: async () => await compiled.dispose(),
  };
}
