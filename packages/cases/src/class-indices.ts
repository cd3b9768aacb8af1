/**
 * Label files may use any values in any order; a network counts its classes from 0, in the order of the configuration.
 * The way back, index c to classes[c].value, is `restoreProbabilities` of the pipeline.
 *
 * The trap: 255 means a voxel without a class to the loss, whatever value the label files use for it.
 */
import { checkLabelValues, type PreparationConfig } from '@quickcolumn/pipeline';
import type { LabelClass } from '@quickcolumn/volume';
import { DatasetError } from './dataset-error.js';

/** Index of voxels that no class is known of. The loss leaves them out. */
export const noClass = 255;

/**
 * Label values as class indices; the value to ignore becomes `noClass`. The result may be `labels` itself, where values
 * are indices already.
 * @param name what an error calls the labels
 * @throws LabelValueError for values that are neither of a class nor to be ignored
 */
export function toClassIndices(
  labels: Uint8Array,
  { classes, ignoreLabel }: Pick<PreparationConfig, 'classes' | 'ignoreLabel'>,
  name: string,
): Uint8Array {
  checkLabelValues(labels, classes, name, ignoreLabel);
  const areIndices = classes.every(({ value }, index) => value === index);
  if (areIndices && (ignoreLabel === undefined || ignoreLabel === noClass)) return labels;
  const indexOf = new Uint8Array(256);
  if (ignoreLabel !== undefined) indexOf[ignoreLabel] = noClass;
  classes.forEach(({ value }, index) => {
    indexOf[value] = index;
  });
  return labels.map((value) => indexOf[value]);
}

/**
 * For each class the index that it has in the mirror, its own where left and right do not matter.
 * @throws DatasetError where the partner of a class is not declared
 */
export function mirroredIndices(classes: readonly Pick<LabelClass, 'name' | 'value' | 'mirror'>[]): number[] {
  return classes.map(({ name, value, mirror = value }) => {
    const index = classes.findIndex((other) => other.value === mirror);
    if (index < 0) {
      throw new DatasetError(`class ${name} mirrors to value ${mirror}, which no class has; correct its mirror`, {
        name,
      });
    }
    return index;
  });
}
