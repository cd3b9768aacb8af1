/** All doubts about a mask; the one place where they are put together. */
import { type MaskMeasurement, rolesOf } from '@quickcolumn/measure';
import type { ScanFacts, TrainingScans } from '@quickcolumn/pipeline';
import type { LabelClass, Volume } from '@quickcolumn/volume';
import { agreementDoubts } from './agreement.js';
import { coarseMask } from './coarse-mask.js';
import type { Doubt } from './doubts.js';
import { lungDoubts, measureLungs } from './lungs.js';
import { outsideDoubts, shareOutside } from './outside-lungs.js';
import { unlikeTraining } from './unlike-training.js';

/** What is known of a mask, and of the scan that it was made of. */
export interface DoubtEvidence {
  readonly labels: Volume<Uint8Array>;
  /** On the grid of the labels. */
  readonly scan: Volume;
  readonly metadata: {
    readonly preparation: { readonly classes: readonly LabelClass[] };
    /** A model of another framework says nothing of them. */
    readonly trainingScans?: TrainingScans;
  };
  readonly measurement: MaskMeasurement;
  /** Of each class, in their order; null where it was not measured. */
  readonly agreement: readonly (number | null)[];
  readonly facts: ScanFacts;
  /** The scan shows a part of the chest. */
  readonly isPart: boolean;
}

/** In the order of the list of doubts; empty where there is none. */
export function findDoubts(evidence: DoubtEvidence): readonly Doubt[] {
  const { labels, scan, metadata, measurement, agreement, facts, isPart } = evidence;
  const { classes } = metadata.preparation;
  const { volumes } = measurement;
  const roles = rolesOf(classes);
  const { lungs, lesions, lesionName } = roles;
  const mask = coarseMask(labels, scan);
  return [
    ...agreementDoubts(agreement, classes, volumes),
    ...(lungs === null ? [] : lungDoubts(measureLungs(mask, lungs, lesions, measurement), isPart)),
    ...(lesions.length === 0 ? [] : outsideDoubts(shareOutside(mask, lungs, lesions), lesionName)),
    ...(metadata.trainingScans === undefined
      ? []
      : unlikeTraining(facts, metadata.trainingScans, { roles, volumes, isPart })),
  ];
}
