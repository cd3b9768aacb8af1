/** What people must know of a model before they use what it makes: one line for terminals, pages and reports. */
import type { ModelFile } from './loaded-model.js';

/** Title, licence and intended use of a model that others made; of one's own, file and notes. */
export function modelLine({ file, terms, notes }: Pick<ModelFile, 'file' | 'terms' | 'notes'>): string {
  return terms === undefined
    ? `model ${file}: ${notes ?? 'no licence and no intended use are noted in it; research use only'}`
    : `model ${terms.title}: licence ${terms.licence.name}, ${terms.intendedUse}`;
}
