/**
 * What can be wrong with a scan or its labels before preparation. Codes: `preparation`, `label-value`.
 */
import { QuickcolumnError } from '@quickcolumn/errors';

/** A scan or a prediction that cannot go through the pipeline; code `preparation`, fields {name}. */
export class PreparationError extends QuickcolumnError {
  constructor(name: string, problem: string, cause?: unknown) {
    super('preparation', `${name}: ${problem}`, { name }, { cause });
  }
}

/** Labels with undeclared values; code `label-value`, fields {labelName, counts: [value, voxels][], declared}. */
export class LabelValueError extends QuickcolumnError {
  constructor(labelName: string, counts: readonly (readonly [number, number])[], declared: readonly string[]) {
    const found = counts.slice(0, 5).map(([value, count]) => `value ${value} (${count} voxels)`);
    if (counts.length > 5) found.push(`${counts.length - 5} more`);
    super(
      'label-value',
      `labels ${labelName} have ${found.join(', ')}, which no class declares; declared: ${declared.join(', ')}. ` +
        'Correct the labels, add the class to preparation.classes or map the value in preparation.labels',
      { labelName, counts, declared },
    );
  }
}
