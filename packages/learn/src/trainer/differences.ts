/** What differs between two settings, each as JSON text: only that, however long the settings are. */

/** At most this many differences of one setting are told, and names of one list. */
const most = 5;

/**
 * @param was undefined where there was no such setting
 * @param nameOf what a name in a list of names is called
 * @returns `train.patch[2] changed from 16 to 32`, or `cases.train lost case_2 and got case_9`
 */
export function describeDifference(
  key: string,
  was: string | undefined,
  is: string | undefined,
  nameOf: (name: string) => string = (name) => name,
): string {
  const before = was === undefined ? undefined : (JSON.parse(was) as unknown);
  const now = is === undefined ? undefined : (JSON.parse(is) as unknown);
  if (isNames(before) && isNames(now)) return `${key} ${listDifference(before, now, nameOf)}`;
  const found: string[] = [];
  collect(key, before, now, found);
  return shortened(found);
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

function listDifference(was: readonly string[], is: readonly string[], nameOf: (name: string) => string): string {
  const lost = was.filter((name) => !is.includes(name)).map(nameOf);
  const got = is.filter((name) => !was.includes(name)).map(nameOf);
  const parts = [
    ...(lost.length > 0 ? [`lost ${shortened(lost)}`] : []),
    ...(got.length > 0 ? [`got ${shortened(got)}`] : []),
  ];
  return parts.length === 0 ? 'has another order' : parts.join(' and ');
}

/** `a, b, c and 7 more` */
export function shortened(texts: readonly string[]): string {
  if (texts.length <= most) return texts.join(', ');
  return `${texts.slice(0, most).join(', ')} and ${texts.length - most} more`;
}

function collect(path: string, was: unknown, is: unknown, into: string[]): void {
  if (Array.isArray(was) && Array.isArray(is) && was.length === is.length) {
    was.forEach((value: unknown, index) => collect(`${path}[${index}]`, value, is[index], into));
  } else if (isGroup(was) && isGroup(is)) {
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)]))
      collect(`${path}.${key}`, was[key], is[key], into);
  } else if (JSON.stringify(was) !== JSON.stringify(is)) {
    into.push(`${path} changed from ${shown(was)} to ${shown(is)}`);
  }
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function shown(value: unknown): string {
  if (Array.isArray(value) && value.length > most) return `a list of ${value.length}`;
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
