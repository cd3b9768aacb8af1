/**
 * How a test names the judges that it needs: `it('…', needs('dcm2niix'), () => …)`, also for `describe` and `each`.
 * Where one is absent the test is skipped, or its file fails where QUICKCOLUMN_REQUIRE_JUDGES names it. The names are
 * tags, by which the reporter counts what was judged and `vitest --tags-filter dcm2niix` selects.
 */
import { describeJudge, findJudge, isRequired, type JudgeName } from './judges.js';

export interface JudgedOptions {
  /** Absent where nothing is missing: `skip: false` would undo a `skipIf` before it. */
  skip?: true;
  tags: JudgeName[];
}

/** @throws Error where a judge is missing that QUICKCOLUMN_REQUIRE_JUDGES names */
export function needs(...names: JudgeName[]): JudgedOptions {
  return { ...(names.every(has) ? {} : { skip: true }), tags: names };
}

/** True where the judge is there. @throws Error where it is missing and required */
export function has(name: JudgeName): boolean {
  if (findJudge(name) !== undefined) return true;
  if (!isRequired(name)) return false;
  throw new Error(`${name} is missing and QUICKCOLUMN_REQUIRE_JUDGES asks for it: ${describeJudge(name).hint}`);
}

/** Where the judge is. A name of nothing where it is not, so that what is read of it is absent. */
export function pathOf(name: JudgeName): string {
  return findJudge(name) ?? `/no ${name}`;
}
