/** What every importer gives: cases as a list, and what the label values mean. Nothing is copied or written yet. */
import type { ListedCase } from '@quickcolumn/cases';
import type { LabelClass } from '@quickcolumn/volume';

/** A case whose label map may have to be made of two masks first. */
export interface ImportedCase extends ListedCase {
  /** Lungs (1 left, 2 right) and infection (1) in files of their own; then there is no `labelPath`. */
  readonly combine?: { readonly lungPath: string; readonly infectionPath: string };
}

export interface ImportedDataset {
  readonly layout: 'covid19-ct-seg' | 'msd' | 'nnunet' | 'list';
  readonly title: string;
  readonly cases: readonly ImportedCase[];
  /** Undefined where the source does not say (a list). */
  readonly classes?: readonly LabelClass[];
  /** The folder that it is made of, out of which its files must not lead; undefined for a list, which may name any file. */
  readonly root?: string;
  /** For people: licence, what was left out. */
  readonly notes: readonly string[];
}
