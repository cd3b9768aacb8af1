/**
 * Roles for classes that say nothing but their names: files of earlier versions, and datasets whose layout has no roles.
 * Used once, where such a file is read; what computes goes by the roles alone.
 */
import type { LabelClass, LabelRole } from './label-class.js';

/**
 * The classes with roles read from their English names. Classes of which any has a role are given back as they are, and
 * the background gets none. An infection, lesion or tumour is a lesion, also one "of the left lung"; a lung whose name
 * several classes share (the lobes of one) is none of them, unless one is called exactly that.
 */
export function withRoles<T extends LabelClass>(classes: readonly T[]): readonly T[] {
  if (classes.some(({ role }) => role !== undefined)) return classes;
  const roles = new Map<T, LabelRole>();
  for (const one of classes) if (one.value !== 0 && lesion.test(one.name)) roles.set(one, 'lesion');
  for (const side of ['left', 'right'] as const) {
    const called = classes.filter((one) => one.value !== 0 && !roles.has(one) && isLung(one.name, side));
    const exact = called.filter(({ name }) => name.replace(/left|right|lungs?|[^a-z]/gi, '') === '');
    const [lung, another] = exact.length > 0 ? exact : called;
    if (lung !== undefined && another === undefined) roles.set(lung, `${side}-lung`);
  }
  return classes.map((one) => {
    const role = roles.get(one);
    return role === undefined ? one : { ...one, role };
  });
}

const lesion = /infect|lesion|tumou?r/i;

/** Holds both words, in either order: `left lung`, `Lung_Left`, `lungs (left side)`. */
function isLung(name: string, side: 'left' | 'right'): boolean {
  const other = side === 'left' ? 'right' : 'left';
  return /lung/i.test(name) && new RegExp(side, 'i').test(name) && !new RegExp(other, 'i').test(name);
}
