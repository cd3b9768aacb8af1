/**
 * Roles for classes that say nothing but their names: files of earlier versions, and datasets whose layout has no roles.
 * Used once, where such a file is read; what computes goes by the roles alone.
 */
import type { LabelClass, LabelRole } from './label-class.js';

/**
 * The classes with roles read from their English names. Classes of which any has a role are given back as they are, and
 * the background gets none. An infection, lesion or tumour is a lesion, also one "of the left lung"; a lung is what its name
 * calls so and nothing else: neither its lobes nor its vessels, nor a "consolidation of the left lung".
 */
export function withRoles<T extends LabelClass>(classes: readonly T[]): readonly T[] {
  if (classes.some(({ role }) => role !== undefined)) return classes;
  const roles = new Map<T, LabelRole>();
  for (const one of classes) if (one.value !== 0 && lesion.test(one.name)) roles.set(one, 'lesion');
  for (const side of ['left', 'right'] as const) {
    const called = classes.filter((one) => one.value !== 0 && !roles.has(one) && isLung(one.name, side));
    const [lung, another] = called;
    if (lung !== undefined && another === undefined) roles.set(lung, `${side}-lung`);
  }
  return classes.map((one) => {
    const role = roles.get(one);
    return role === undefined ? one : { ...one, role };
  });
}

const lesion = /infect|lesion|tumou?r/i;

/** Holds both words, in either order, and none that makes it something else: `left lung`, `Lung_Left`, `lungs (left side)`. */
function isLung(name: string, side: 'left' | 'right'): boolean {
  const rest = name.replace(new RegExp(side, 'i'), '').replace(/lungs?/i, '');
  return new RegExp(side, 'i').test(name) && /lung/i.test(name) && plain.test(rest);
}

/** What may stand beside the two words: numbers, punctuation, and words that leave the lung a lung. */
const plain = /^(?:[^a-z]|side|of|the|whole|healthy|normal)*$/i;
