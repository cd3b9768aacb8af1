/** The cases of a training, from wherever the configuration says they are: a list, or two folders of equal names. */
import { acceptableKinds, type DefectKind } from '@quickcolumn/defects';
import { type HeaderAssumptions, type LengthUnit, lengthUnits } from '@quickcolumn/io';
import { allAxisCodes } from '@quickcolumn/volume';
import { z } from 'zod';
import { casesToDistill, type ListedCase, readCaseList, trainingCases } from './case-list.js';
import { type DatasetCase, listCases, type ScanCase } from './dataset.js';
import type { PatientMap } from './patient.js';

/** Where the cases are and how they are divided. Paths are relative to the configuration file. */
export interface DataConfig {
  /** CSV or JSON list of cases (see case-list.ts); where there is one, `images` and `labels` are not used. */
  readonly list: string | null;
  readonly images: string;
  readonly labels: string;
  /** Case name → patient, where file names do not tell; cases of one patient are never divided. */
  readonly patients: PatientMap;
  /** Names of cases kept out of training and validation altogether. */
  readonly holdOut: readonly string[];
  /** A share of 0 trains on every case and validates on none. */
  readonly split:
    | { readonly kind: 'fraction'; readonly validation: number }
    | { readonly kind: 'folds'; readonly folds: number; readonly fold: number };
  /** Defects of scans that are let pass; absent for none. */
  readonly accept?: readonly DefectKind[] | undefined;
  /** For files whose headers give no orientation: where their voxel axes run to, such as LPS. */
  readonly assumeOrientation?: string | undefined;
  /** For files whose headers do not say millimetres. */
  readonly assumeUnits?: LengthUnit | undefined;
}

/** What the user says about scans that would be refused without it. */
export type ScanConsent = Pick<DataConfig, 'accept' | 'assumeOrientation' | 'assumeUnits'>;

interface ConsentShape {
  readonly accept: z.ZodOptional<z.ZodType<DefectKind[]>>;
  readonly assumeOrientation: z.ZodOptional<z.ZodType<string>>;
  readonly assumeUnits: z.ZodOptional<z.ZodType<LengthUnit>>;
}

/** Of ScanConsent, for schemas that have it. */
export const consentShape: ConsentShape = {
  accept: z.array(z.enum(acceptableKinds)).optional(),
  assumeOrientation: z.enum(allAxisCodes).optional(),
  assumeUnits: z.enum(lengthUnits).optional(),
};

/** Of a larger thing, the consent alone; nothing is undefined in it. */
export function consentOf({ accept, assumeOrientation, assumeUnits }: ScanConsent): ScanConsent {
  return {
    ...(accept !== undefined && { accept }),
    ...(assumeOrientation !== undefined && { assumeOrientation }),
    ...(assumeUnits !== undefined && { assumeUnits }),
  };
}

/** As the readers want it. */
export function assumptionsOf({ assumeOrientation, assumeUnits }: ScanConsent): HeaderAssumptions {
  return {
    ...(assumeOrientation !== undefined && { orientation: assumeOrientation }),
    ...(assumeUnits !== undefined && { units: assumeUnits }),
  };
}

/** Strict: unknown keys are errors. */
export const dataSchema: z.ZodType<DataConfig> = z.strictObject({
  list: z.string().min(1).nullable(),
  images: z.string().min(1),
  labels: z.string().min(1),
  patients: z.record(z.string(), z.string().min(1)),
  holdOut: z.array(z.string().min(1)),
  split: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('fraction'), validation: z.number().min(0).lt(1) }),
      z.strictObject({ kind: z.literal('folds'), folds: z.int().min(2), fold: z.int().min(0) }),
    ])
    .superRefine((split, context) => {
      if (split.kind !== 'folds' || split.fold < split.folds) return;
      const message = `${split.fold} is not one of 0 to ${split.folds - 1}; folds count from 0`;
      context.addIssue({ code: 'custom', path: ['fold'], message });
    }),
  ...consentShape,
});

type DataPlaces = Pick<DataConfig, 'list' | 'images' | 'labels' | 'patients'>;

/** Cases that may be trained on, sorted by name; paths of `data` must be absolute or of the working folder. */
export async function casesOf(data: DataPlaces): Promise<DatasetCase[]> {
  const { list, images, labels, patients } = data;
  if (list === null) return await listCases({ images, labels }, { patients });
  return trainingCases(await readCaseList(list, { patients }), list).map(caseOf);
}

/** The same with the rows of a list that have no label; they are train-only. */
export async function casesAndScansOf(data: DataPlaces): Promise<(ScanCase | DatasetCase)[]> {
  if (data.list === null) return await casesOf(data);
  return casesToDistill(await readCaseList(data.list, data), data.list).map(caseOf);
}

function caseOf<T extends ListedCase>({ split, ...entry }: T): Omit<T, 'split'> & Pick<DatasetCase, 'role'> {
  return { ...entry, ...((split === 'train-only' || split === 'validation') && { role: split }) };
}
