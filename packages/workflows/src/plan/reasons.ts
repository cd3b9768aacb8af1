/** Planned values with their reasons, and the user's own, which are never planned. */

/** A value of the configuration with the reason for it. */
export interface PlannedValue {
  /** Path in the configuration, such as train.patch. */
  readonly key: string;
  /** As people read it. */
  readonly value: string;
  /** One sentence. */
  readonly why: string;
}

/** Collects values with their reasons; what the user has given is none of them. */
export class Reasons {
  readonly values: PlannedValue[] = [];
  readonly #given: Readonly<Record<string, unknown>>;

  constructor(given: Readonly<Record<string, unknown>>) {
    this.#given = given;
  }

  isGiven(key: string): boolean {
    let group: unknown = this.#given;
    for (const part of key.split('.')) {
      if (typeof group !== 'object' || group === null || !Object.hasOwn(group, part)) return false;
      group = (group as Record<string, unknown>)[part];
    }
    return group !== undefined;
  }

  /** The planned value, unless the user has given one. A key that was said before is said anew. */
  choose<T>(key: string, planned: { readonly value: T; readonly shown?: string; readonly why: string }, given: T): T {
    const at = this.values.findIndex((one) => one.key === key);
    if (at >= 0) this.values.splice(at, 1);
    const value = this.isGiven(key) ? given : planned.value;
    const shown = this.isGiven(key) || planned.shown === undefined ? textOf(value) : planned.shown;
    this.values.push({ key, value: shown, why: this.isGiven(key) ? 'as the configuration says' : planned.why });
    return value;
  }
}

/** 0.72 s, 35 s. */
export const seconds = (value: number): string =>
  value < 10 ? `${Number(value.toPrecision(2))} s` : `${Math.round(value)} s`;

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join('×');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
