/** What people must know of a model before they use what it makes: one line for terminals, pages and reports. */
import type { ModelFile } from './loaded-model.js';

/** Title, licence and intended use of a model that others made; of one's own, file and notes. */
export function modelLine({
  file,
  terms,
  notes,
  title,
  licence,
  settingsSha256,
}: Pick<ModelFile, 'file' | 'terms' | 'notes' | 'title' | 'licence' | 'settingsSha256'>): string {
  if (terms !== undefined) return `model ${terms.title}: licence ${terms.licence.name}, ${terms.intendedUse}`;
  if (settingsSha256 !== undefined) {
    const about = licence === undefined ? 'no licence is noted' : `licence ${licence}`;
    return `model ${title ?? file}: of another framework, executed by ONNX Runtime; ${about}, research use only`;
  }
  return `model ${file}: ${notes ?? 'no licence and no intended use are noted in it; research use only'}`;
}
