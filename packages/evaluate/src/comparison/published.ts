/**
 * Published results that stand beside ours in the tables of the QC-HC paper.
 *
 * They were made with other data, splits and budgets: context, never a rank. Sources: Zhang, Ren, Wei, Sci Rep
 * 11:22854 (2021), whose tables are not open, so that its abstract and text are the source; Müller, Soto-Rey, Kramer,
 * Inform Med Unlocked 25:100681 (2021); Ma et al., Med Phys 48:1197 (2021).
 */

/** The three tables of the paper; regions of other classes have none. */
export type PaperTable = 'lungs' | 'infection' | 'tumour';

export interface PublishedResult {
  readonly table: PaperTable;
  readonly system: string;
  /** Where it stands and how it was measured. */
  readonly source: string;
  /** As published; `–` where it says nothing. */
  readonly dice: string;
  readonly sensitivity: string;
  readonly specificity: string;
}

const zhang = 'Zhang et al. 2021, abstract and text';
const mueller = 'Müller et al. 2021, 20 volumes, 5-fold';
const ma = 'Ma et al. 2021';
const unsaid = '–';

export const publishedResults: readonly PublishedResult[] = [
  {
    table: 'lungs',
    system: '3D U-Net (Müller et al.)',
    source: mueller,
    dice: '0.956',
    sensitivity: unsaid,
    specificity: unsaid,
  },
  {
    table: 'lungs',
    system: 'nnU-Net 3D (Ma et al.)',
    source: `${ma}, 4 to train, 16 to test; left / right lung`,
    dice: '0.858 / 0.879',
    sensitivity: unsaid,
    specificity: unsaid,
  },
  {
    table: 'infection',
    system: 'QC-HC U-Net (Zhang et al.)',
    source: `${zhang}: 4 test volumes, one split`,
    dice: '0.853',
    sensitivity: '0.836',
    specificity: '0.9996',
  },
  {
    table: 'infection',
    system: '3D U-Net (Müller et al.)',
    source: `${mueller}; median DSC about 0.80`,
    dice: '0.761',
    sensitivity: '0.730',
    specificity: '0.999',
  },
  {
    table: 'infection',
    system: 'nnU-Net 3D (Ma et al.)',
    source: `${ma}, 80 % to train, five-fold`,
    dice: '0.777 ± 0.187',
    sensitivity: unsaid,
    specificity: unsaid,
  },
  {
    table: 'infection',
    system: 'nnU-Net 3D (Ma et al.)',
    source: `${ma}, 4 to train, 16 to test`,
    dice: '0.673 ± 0.223',
    sensitivity: unsaid,
    specificity: unsaid,
  },
  {
    table: 'tumour',
    system: 'QC-HC U-Net (Zhang et al.)',
    source: `${zhang}: MSD lung, 13 test cases`,
    dice: '0.8145',
    sensitivity: '0.8093',
    specificity: unsaid,
  },
  {
    table: 'tumour',
    system: 'nnU-Net (Ma et al.)',
    source: `${ma}, MSD lung`,
    dice: '0.672 ± 0.271',
    sensitivity: unsaid,
    specificity: unsaid,
  },
];

/** Said under every table that shows published values. */
export const publishedNote: string =
  'Rows marked “published” are taken from the papers named. They were made with other data, other splits and other ' +
  'budgets of training, were not tested against ours, and must not be compared with the rows above as equals.';

/** Which of the paper's tables a region belongs to, by its name. */
export function paperTable(region: string): PaperTable | null {
  if (/^lungs$/i.test(region)) return 'lungs';
  if (/infect|lesion/i.test(region)) return 'infection';
  return /tumou?r|nodule/i.test(region) ? 'tumour' : null;
}
