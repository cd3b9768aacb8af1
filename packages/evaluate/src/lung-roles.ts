/** Which classes are the lungs and the infection. */
import type { LabelClass, LungRoles } from './types.js';

/** Finds left lung, right lung and infection among the classes by their names; null where one is missing. */
export function findLungRoles(classes: readonly LabelClass[]): LungRoles | null {
  const valueOf = (pattern: RegExp): number | undefined => classes.find((c) => pattern.test(c.name))?.value;
  const leftLung = valueOf(/left.*lung|lung.*left/i);
  const rightLung = valueOf(/right.*lung|lung.*right/i);
  const infection = valueOf(/infect|lesion/i);
  if (leftLung === undefined || rightLung === undefined || infection === undefined) return null;
  return { leftLung, rightLung, infection };
}
