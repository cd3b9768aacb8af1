/** What happens with the defects that were found: refused, or let pass with a note. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { acceptableKinds, type DefectKind, defects } from './defects.js';

export interface Defect {
  readonly kind: DefectKind;
  /** What is wrong, with the numbers; without the name of the file and without a full stop. */
  readonly message: string;
}

/** A scan that is refused; code `defect`, fields {path, kinds, options}. */
export class DefectError extends QuickcolumnError {
  /** @param accepted what the user lets pass already, to be named again beside the rest */
  constructor(path: string, found: readonly Defect[], accepted: readonly DefectKind[] = []) {
    const kinds = [...new Set(found.map(({ kind }) => kind))];
    const acceptable = kinds.filter((kind) => acceptableKinds.includes(kind));
    // Where one cannot be accepted, accepting the others would not help.
    const all = [...new Set([...accepted, ...kinds])].join(',');
    const options = acceptable.length < kinds.length ? {} : { options: { [`accept ${all}`]: 'use it as it is' } };
    super('defect', `${path}: ${found.map(({ message }) => message).join('; ')}`, { path, kinds, ...options });
  }
}

/**
 * Judges what was found in a scan.
 *
 * @param accepted kinds that the user lets pass
 * @returns notes for people: defects that are only noted, and those that were accepted
 * @throws DefectError naming all that are refused
 */
export function judge(path: string, found: readonly Defect[], accepted: readonly DefectKind[] = []): string[] {
  const refused = found.filter(({ kind }) => defects[kind].outcome === 'refused' && !accepted.includes(kind));
  if (refused.length > 0) throw new DefectError(path, refused, accepted);
  return found.map(({ kind, message }) => (accepted.includes(kind) ? `${message}; accepted` : message));
}
