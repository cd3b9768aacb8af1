/**
 * Predicts scans one after the other with one compiled model, for jobs that do more with a prediction than write it:
 * pseudo-labels and training rounds. Class probabilities pass by one class at a time, as in `predictScan`.
 */
import { assumptionsOf } from '@quickcolumn/cases';
import type { FormatProperties } from '@quickcolumn/io';
import { type LoadedModel, predictScan, resolveWindow } from '@quickcolumn/predict';
import type { Volume } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import type { ScanConsent, ThreadedCompute } from '../jobs/parts.js';
import { volumeInput } from '../scans/scan-inputs.js';
import { formatSeconds } from '../text.js';
import { modelLines, openModels, readModels } from './load-models.js';

interface PredictedScan {
  readonly labels: Volume<Uint8Array>;
  /** Of the scan's file, for what is written in its likeness. */
  readonly properties?: FormatProperties;
}

export interface ScanPredictor {
  readonly model: LoadedModel;
  /**
   * Labels of a scan file on its own grid; `onProbability` gets the classes one after the other.
   * @throws the reader's and the prediction's errors; `interrupted`
   */
  predict(
    scan: { readonly name: string; readonly path: string },
    onProbability: (classIndex: number, probability: Float32Array) => void,
  ): Promise<PredictedScan>;
  dispose(): Promise<void>;
}

/** @param request.model a model file, a run folder, or several of them */
export async function openPredictor(
  request: ThreadedCompute & ScanConsent & { readonly model: string | readonly string[] },
  context: JobContext,
): Promise<ScanPredictor> {
  const { accept } = request;
  const assume = assumptionsOf(request);
  const models = await readModels(request.model);
  // What is made with a model that others made is bound to its licence; a round's own model needs no word.
  for (const line of modelLines(models.filter(({ file }) => file.terms))) context.note(line);
  const model = await openModels(models, request, context);
  const compiled = await model.compile(resolveWindow(model).patch, model.windowsAtOnce);
  return {
    model,
    async predict({ name, path }, onProbability) {
      context.throwIfInterrupted();
      const start = performance.now();
      const { volume, properties, notes } = await volumeInput(name, path, assume).load();
      const note = (text: string): void => context.note(`${name}: ${text}`);
      notes.forEach(note);
      const task = context.begin('predict', name);
      try {
        const { labels } = await predictScan(model, volume, {
          name: path,
          accept,
          onNote: note,
          compiled,
          signal: context.signal,
          onProgress: ({ done, total }) => task.update(`window ${done} of ${total}`, done, total),
          onProbability: (index, probability) => onProbability(index, probability.voxels),
        });
        task.end(`predicted in ${formatSeconds((performance.now() - start) / 1000)}`);
        return { labels, ...(properties && { properties }) };
      } catch (error) {
        task.end();
        throw error;
      }
    },
    dispose: async () => await compiled.dispose(),
  };
}
