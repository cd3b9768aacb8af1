/**
 * Dates that are shifted by whole days (PS3.15, E.3.6, modified dates): the time of day stays, so every interval is the same
 * to the second.
 */
const dayMs = 86_400_000;

/** Forms of PS3.5, table 6.2-1, and of the ACR-NEMA date with dots. */
const dateForm = /^(\d{4})(\.?)(\d{2})\2(\d{2})$/;
const timeForm = /^([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?$/;
const dateTimeForm = /^(\d{8})((?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?)?([+-]\d{4})?$/;

/** '20200115' of '2020-01-15' less `days`; undefined where it is no date. */
function shiftDate(text: string, days: number): string | undefined {
  const parts = dateForm.exec(text);
  if (parts === null) return undefined;
  const [, year, , month, day] = parts;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const isDate = new Date(time).toISOString().slice(0, 10) === `${year}-${month}-${day}`;
  if (!isDate) return undefined;
  return new Date(time - days * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
}

/**
 * A value of DA, TM or DT, `days` earlier; 0 keeps it.
 * @returns undefined for a value that has not the form of its representation: it may be anything
 */
export function shiftTemporal(vr: string, text: string, days: number): string | undefined {
  if (vr === 'TM') return timeForm.test(text) ? text : undefined;
  if (vr === 'DA') return shiftDate(text, days);
  const parts = dateTimeForm.exec(text);
  const date = parts === null ? undefined : shiftDate(parts[1], days);
  return parts === null || date === undefined ? undefined : `${date}${parts[2] ?? ''}${parts[3] ?? ''}`;
}

/** A date and a time that are nobody's, for objects that must have one. */
export const dummyTemporal: Readonly<Record<string, string>> = {
  DA: '19000101',
  TM: '000000',
  DT: '19000101000000',
};
