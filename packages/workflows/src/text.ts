/** Numbers and lists as people read them. */

/** Seconds as '12 s', '3 min 05 s' or '1 h 20 min'. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** So many lines of a list are shown in a message. */
const mostListed = 50;

/** The lines, and how many more there are where they are too many to read. */
export function listed(lines: readonly string[]): string[] {
  if (lines.length <= mostListed) return [...lines];
  return [...lines.slice(0, mostListed), `and ${lines.length - mostListed} more`];
}
