/** Which values of a label map are the lungs and the lesions, as its classes declare it. */
import type { LabelClass, LabelRole } from '@quickcolumn/volume';

export interface LungValues {
  readonly left: number;
  readonly right: number;
}

export interface RoleValues {
  /** null unless both lungs are declared. */
  readonly lungs: LungValues | null;
  /** Values of all classes that are lesions; they are measured together. */
  readonly lesions: readonly number[];
  /** What the lesions are called: the names of their classes. */
  readonly lesionName: string;
}

/** The values behind the roles of the classes; names are never looked at. */
export function rolesOf(classes: readonly LabelClass[]): RoleValues {
  const withRole = (wanted: LabelRole): LabelClass[] =>
    classes.filter(({ value, role }) => value !== 0 && role === wanted);
  const [left] = withRole('left-lung');
  const [right] = withRole('right-lung');
  const lesions = withRole('lesion');
  return {
    lungs: left === undefined || right === undefined ? null : { left: left.value, right: right.value },
    lesions: lesions.map(({ value }) => value),
    lesionName: lesions.map(({ name }) => name).join(' + '),
  };
}
