/**
 * Every reason for doubt about a mask: what is measured when a scan has been segmented, and told beside the mask. Nothing is
 * refused for it. descriptions.ts says in words what is seen and where the limits come from; docs/doubts.md is written
 * from both. The limits stand where they are applied, each with its source; `bench/doubts.mjs` measures what they are worth.
 */

export const doubtIds = [
  'disagreement',
  'lungs-missing',
  'lung-volume',
  'lung-ratio',
  'lung-pieces',
  'lungs-exchanged',
  'lungs-in-tissue',
  'outside-lungs',
  'unlike-spacing',
  'unlike-field',
  'unlike-intensities',
  'unlike-volumes',
] as const;

export type DoubtId = (typeof doubtIds)[number];

/** Why a mask may be wrong. */
export interface Doubt {
  /** Stable, for programs. */
  readonly id: DoubtId;
  /** What was measured against what was expected, and what to look at; for people, without a full stop. */
  readonly message: string;
  /** The number that was beyond its limit; in the unit of the message. */
  readonly value: number;
}
