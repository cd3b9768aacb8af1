/**
 * What the values of label files become before anything else is done with them: `preparation.labels` names a class for a
 * file's value, or null for the background. Values that it does not name keep their own meaning. The mapping is
 * one step, so values may swap: what a value becomes is not looked up again.
 *
 * The trap: masks that a model made have the classes' own values, not those of the files it was trained on; they go
 * through the same mapping unharmed only where `keepsClassValues`.
 */
import type { LabelClass } from '@quickcolumn/volume';

/** Value in label files → name of a class, or null for the background. */
export type LabelMap = Readonly<Record<string, string | null>>;

/** How label files are read. */
export interface LabelRules {
  readonly classes: readonly Pick<LabelClass, 'value' | 'name'>[];
  readonly labels?: LabelMap;
  readonly ignoreLabel?: number;
}

/**
 * The voxels with mapped values; without a mapping `voxels` itself, else a copy.
 * @throws RangeError for a mapping that `labelMapIssues` complains of
 */
export function mapLabels(voxels: Uint8Array, rules: LabelRules): Uint8Array {
  if (rules.labels === undefined) return voxels;
  const table = tableOf(rules);
  return voxels.map((value) => table[value]);
}

/** Whether every class's own value stays what it is. */
export function keepsClassValues(rules: LabelRules): boolean {
  const table = tableOf(rules);
  return rules.classes.every(({ value }) => table[value] === value);
}

/** The values that change, as [in the file, of the class], in the order of the first. */
export function mappedValues(rules: LabelRules): [number, number][] {
  return [...tableOf(rules).entries()].filter(([from, to]) => from !== to);
}

/** What is wrong with a mapping; `value` is the key that is at fault, absent where it is the whole. */
export function labelMapIssues(rules: LabelRules): { readonly value?: string; readonly message: string }[] {
  const { classes, labels = {}, ignoreLabel } = rules;
  const names = classes.map(({ name }) => name);
  const issues: { value?: string; message: string }[] = [];
  for (const [value, name] of Object.entries(labels)) {
    if (!/^(0|[1-9]\d{0,2})$/.test(value) || Number(value) > 255) {
      issues.push({ value, message: 'is no value of a label file; use a whole number from 0 to 255' });
    } else if (Number(value) === ignoreLabel) {
      issues.push({ value, message: `is the label to ignore, which becomes no class; remove it here or there` });
    }
    if (name !== null && !names.includes(name)) {
      issues.push({
        value,
        message: `no class is named '${name}'; use one of ${names.join(', ')}, or null to drop it`,
      });
    }
  }
  if (issues.length > 0) return issues;
  const table = tableOf(rules);
  return classes
    .filter((one) => !table.includes(one.value))
    .map(({ value, name }) => ({
      message: `no value becomes '${name}': its own, ${value}, is mapped to another class; map one to it or remove the class`,
    }));
}

/** What each of the 256 values becomes. */
function tableOf({ classes, labels = {} }: LabelRules): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, value) => value);
  for (const [value, name] of Object.entries(labels)) {
    const found = name === null ? classes[0] : classes.find((one) => one.name === name);
    if (found === undefined) throw new RangeError(`preparation.labels.${value}: no class is named '${name}'`);
    table[Number(value)] = found.value;
  }
  return table;
}
