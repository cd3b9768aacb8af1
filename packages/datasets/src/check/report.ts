/** What a check of a dataset finds, as data. */
import type { CaseSplit } from '@quickcolumn/cases';
import type { IntensityScale, Size3, Vector3 } from '@quickcolumn/volume';
import type { GeometryVerdict } from './geometry-difference.js';

export type FindingKind =
  | 'unreadable'
  | 'no-label'
  | 'geometry'
  | 'label-value'
  | 'intensity'
  | 'near-empty'
  | 'duplicate'
  | 'patient';

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: 'error' | 'warning';
  /** Names of the cases concerned. */
  readonly cases: readonly string[];
  readonly message: string;
  /** Whether writeFixed can repair it. */
  readonly fixable: boolean;
}

/** What is known of a case that could be read. */
export interface CaseFacts {
  readonly name: string;
  readonly patient: string;
  readonly split: CaseSplit;
  readonly size: Size3;
  readonly spacingMm: Vector3;
  readonly axes: string;
  readonly scale: IntensityScale;
  readonly min: number;
  readonly max: number;
  readonly geometry?: GeometryVerdict;
  /** Voxels of each class, in the order of the classes; absent without labels. */
  readonly classVoxels?: readonly number[];
  /** Of the voxels as numbers, with the axes in the order L-P-S. */
  readonly voxelSha256: string;
}

export interface CheckReport {
  readonly cases: readonly CaseFacts[];
  readonly findings: readonly Finding[];
}
