/**
 * Which slices make one series: the same series UID, study, patient, modality and frame of reference. A series UID alone is
 * not enough: copies, tests and careless de-identification give one to several patients, or none to anybody.
 */
import type { Findings } from './checks/findings.js';
import { fileNames } from './short-lists.js';
import { keyedHash } from './slice-facts.js';
import type { SliceHeader } from './slice-header.js';

export interface SliceGroup {
  /** The same for the same series within one process; says nothing of a patient. */
  readonly key: string;
  readonly slices: readonly SliceHeader[];
}

/** Groups in the order in which they were found. */
export function groupSlices(slices: readonly SliceHeader[]): SliceGroup[] {
  const groups = new Map<string, SliceHeader[]>();
  for (const slice of slices) {
    const { seriesUid, frameOfReferenceUid, modality, studyUid, identity } = slice;
    const description = seriesUid === '' ? identity.description : '';
    const key = keyedHash(seriesUid, frameOfReferenceUid, modality, studyUid, identity.patient, description);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return [...groups].map(([key, members]) => ({ key, slices: members }));
}

/** What contradicts itself within the group, and between groups of one series UID. */
export function checkIdentity(group: SliceGroup, groups: readonly SliceGroup[], findings: Findings): void {
  const [first] = group.slices;
  const strangers = group.slices.filter(({ identity }) => identity.once !== first.identity.once);
  if (strangers.length > 0) {
    const what = 'birth date or sex of the patient, or the scanner, differ within the series';
    findings.defect('mixed-patients', `${what}: ${fileNames(strangers)}`);
  }
  if (first.seriesUid === '') return;
  const namesakes = groups.filter((other) => other !== group && other.slices[0].seriesUid === first.seriesUid);
  const modalities = namesakes.filter(({ slices: [other] }) => other.modality !== first.modality);
  if (modalities.length > 0) {
    const files = fileNames(modalities.flatMap(({ slices }) => slices));
    findings.defect('mixed-patients', `images of the same series have another modality: ${files}`);
  }
  const differs: readonly (readonly [string, (slice: SliceHeader) => string])[] = [
    ['patient', ({ identity }) => identity.patient],
    ['study', ({ studyUid }) => studyUid],
    ['frame of reference', ({ frameOfReferenceUid }) => frameOfReferenceUid],
  ];
  const what = differs
    .filter(([, valueOf]) => namesakes.some(({ slices: [other] }) => valueOf(other) !== valueOf(first)))
    .map(([name]) => name);
  if (what.length === 0) return;
  const count = namesakes.reduce((sum, { slices }) => sum + slices.length, 0);
  findings.defect(
    'shared-uid',
    `${count} more images have the same series UID but another ${what.join(' and ')}; they are left out`,
  );
}
