/** What a check of a dataset finds, as data. */
import type { CaseSplit } from '@quickcolumn/cases';
import { type DefectKind, defects } from '@quickcolumn/defects';
import type { IntensityScale, Size3, Vector3 } from '@quickcolumn/volume';
import type { GeometryVerdict } from './geometry-difference.js';

export interface Finding {
  readonly kind: DefectKind;
  /** An error is what is refused, a warning what is noted, or was accepted. */
  readonly severity: 'error' | 'warning';
  /** Names of the cases concerned. */
  readonly cases: readonly string[];
  readonly message: string;
  /** Whether writeFixed can repair it. */
  readonly fixable: boolean;
}

/** A finding that weighs as the list of defects says. */
export function findingOf(
  kind: DefectKind,
  cases: readonly string[],
  message: string,
  { fixable = false, accepted = false }: { readonly fixable?: boolean; readonly accepted?: boolean } = {},
): Finding {
  const severity = defects[kind].outcome === 'refused' && !accepted ? 'error' : 'warning';
  return { kind, severity, cases, message: accepted ? `${message}; accepted` : message, fixable };
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
