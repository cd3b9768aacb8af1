/**
 * What a prediction can do beyond the plain sliding window: Gaussian weights, mirroring, post-processing. Options of a job
 * in, options of `segment` out. Classes are named by value or by name, as the model has them.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { LabelClass } from '@quickcolumn/volume';
import type { PostProcessing, PredictOptions } from '@quickcolumn/predict';
import type { ClassName, PredictJob, TestTimeOptions } from '../jobs/predict.js';

/** How named scans are predicted. */
export type ScanPredictionOptions = Omit<PredictJob, 'kind' | 'inputs'>;

export type WindowOptions = Pick<PredictOptions, 'overlap' | 'weighting' | 'mirror' | 'postProcessing'>;

/** The options that were asked for, checked against the model's classes. @throws QuickcolumnError `usage` */
export function windowOptions(options: TestTimeOptions, classes: readonly LabelClass[]): WindowOptions {
  const valueOf = (what: string, name: ClassName): number => {
    const text = String(name).toLowerCase();
    const found = classes.find((one) => String(one.value) === text || one.name.toLowerCase() === text);
    if (found !== undefined && found.value !== 0) return found.value;
    const known = classes.slice(1).map((one) => `${one.value} or '${one.name}'`);
    throw new QuickcolumnError('usage', `${what}: '${name}' is no class of the model; use ${known.join(', ')}`);
  };
  const { overlap, gaussian, mirror, postProcessing: { keepLargest, minimumVolume, fillHoles } = {} } = options;
  const postProcessing: PostProcessing = {
    ...(keepLargest && {
      keepLargest: Object.entries(keepLargest).map(([name, components]) => {
        if (!Number.isInteger(components) || components < 1) {
          throw new QuickcolumnError('usage', `keep largest: ${name}=${components}; expected a whole number from 1`);
        }
        return { value: valueOf('keep largest', name), components };
      }),
    }),
    ...(minimumVolume && {
      minimumVolume: Object.entries(minimumVolume).map(([name, volumeMl]) => {
        if (!(volumeMl > 0)) {
          throw new QuickcolumnError('usage', `minimum volume: ${name} needs a volume in ml, such as ${name}=0.05`);
        }
        return { value: valueOf('minimum volume', name), volumeMl };
      }),
    }),
    ...(fillHoles && { fillHoles: fillHoles.map((name) => valueOf('fill holes', name)) }),
  };
  return {
    ...(overlap && { overlap }),
    ...(gaussian && { weighting: 'gaussian' as const }),
    ...(mirror && mirror.length > 0 && { mirror }),
    ...(Object.keys(postProcessing).length > 0 && { postProcessing }),
  };
}
