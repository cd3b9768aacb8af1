/**
 * `loss.classWeights` by the names of the classes, as people write them, becomes the list in class order that the losses
 * take: a class that is not named has 1. A parsed configuration always holds the list, so that both forms are the same
 * training to a resume.
 */
import type { LabelClass } from '@quickcolumn/volume';
import type { ConfigIssue } from './config-error.js';

/** @returns the list, and what is wrong with what was given */
export function listedClassWeights(
  given: Readonly<Record<string, unknown>>,
  classes: readonly Pick<LabelClass, 'name'>[],
): { readonly weights: readonly unknown[]; readonly issues: readonly ConfigIssue[] } {
  const known = classes.map(({ name }) => name);
  const issues: ConfigIssue[] = [];
  for (const [name, value] of Object.entries(given)) {
    const path = `loss.classWeights.${name}`;
    if (!known.includes(name)) issues.push({ path, message: `no class has this name; there are ${known.join(', ')}` });
    else if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
      issues.push({ path, message: `${JSON.stringify(value)} is not a number above 0` });
    }
  }
  return { weights: known.map((name) => (Object.hasOwn(given, name) ? given[name] : 1)), issues };
}
