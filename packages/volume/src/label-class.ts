/**
 * What the label values of a volume mean: names, colours, partners in a left-right mirror, and roles. Channel c of a
 * network's output is classes[c]; its value in label files is classes[c].value. Colours are for pictures and viewers only.
 */

/** What measuring needs to know of a class, in any language; a class without a role is counted and nothing more. */
export const labelRoles = ['left-lung', 'right-lung', 'lesion'] as const;

export type LabelRole = (typeof labelRoles)[number];

export interface LabelClass {
  /** Value in label files, 0 to 255; 0 is the background. */
  readonly value: number;
  readonly name: string;
  /** sRGB, 0 to 255 each. */
  readonly color: readonly [number, number, number];
  /** Value that this class turns into when left and right are mirrored; absent when it stays. */
  readonly mirror?: number;
  /** At most one class is the left lung and one the right lung; any number are lesions, which are measured together. */
  readonly role?: LabelRole;
}

/** COVID-19-CT-Seg (Zenodo 3757476): the lungs swap on a left-right mirror. */
export const covidClasses: readonly LabelClass[] = [
  { value: 0, name: 'background', color: [0, 0, 0] },
  { value: 1, name: 'left lung', color: [70, 130, 220], mirror: 2, role: 'left-lung' },
  { value: 2, name: 'right lung', color: [80, 180, 120], mirror: 1, role: 'right-lung' },
  { value: 3, name: 'infection', color: [225, 70, 60], role: 'lesion' },
];

/** Medical Segmentation Decathlon, Task06 Lung. */
export const msdClasses: readonly LabelClass[] = [
  { value: 0, name: 'background', color: [0, 0, 0] },
  { value: 1, name: 'tumour', color: [235, 165, 50], role: 'lesion' },
];
