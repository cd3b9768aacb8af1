/**
 * Ends the output of a test run: which judges ran (packages/testing), the seed of what was left to chance, in CI whether
 * enough tests passed, and as the very last line `N passed, N failed, N skipped`, for programs that read it.
 *
 * What fails outside of a test counts as failed too: a file that cannot be loaded, a hook, an unhandled error; a judge
 * that QUICKCOLUMN_REQUIRE_JUDGES names and that judged nothing; fewer tests than QUICKCOLUMN_FLOOR (a file) asks for.
 */
import { readFileSync, writeSync } from 'node:fs';
import { describeJudge, findJudge, isRequired, type JudgeName, judgeNames } from '@quickcolumn/testing';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts: Counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const judged = new Map<JudgeName, Counts>(judgeNames.map((name) => [name, { passed: 0, failed: 0, skipped: 0 }]));
    let excused = 0;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that is still pending when the run is over was never run: it is skipped, or its file broke off.
        const kind = state === 'pending' ? 'skipped' : state;
        if (kind === 'failed') failedHere++;
        else counts[kind]++;
        for (const tag of test.tags) {
          const own = judged.get(tag as JudgeName);
          if (own !== undefined) own[kind]++;
        }
        if (kind === 'skipped' && test.tags.some(isMissing)) excused++;
      }
      // A failed file without a failed test: it did not load, or a hook failed.
      counts.failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere;
    }
    const problems = [...judgeProblems(judged), ...floorProblems(counts.passed, excused)];
    counts.failed += problems.length;
    if (problems.length > 0) process.exitCode = 1;
    const lines = [
      '',
      ...table(judged),
      '',
      `seed: QUICKCOLUMN_SEED=${process.env['QUICKCOLUMN_SEED']} gives the same kill times again`,
      ...problems.map((problem) => `FAILED: ${problem}`),
      `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
    ];
    // At exit, so that it comes after the summaries of all other reporters.
    process.once('exit', () => writeSync(1, `${lines.join('\n')}\n`));
  }
}

function table(judged: ReadonlyMap<JudgeName, Counts>): string[] {
  const rows = [...judged].map(([name, { passed, failed, skipped }]) => {
    const { version, hint } = describeJudge(name);
    const state = version === undefined ? `missing (${hint})` : version;
    return `  ${name.padEnd(10)} ${`${passed + failed} ran, ${skipped} skipped`.padEnd(24)} ${state}`;
  });
  return ['judges, tests that need them, and their versions:', ...rows];
}

function judgeProblems(judged: ReadonlyMap<JudgeName, Counts>): string[] {
  return [...judged]
    .filter(([name, { passed }]) => isRequired(name) && (isMissing(name) || passed === 0))
    .map(([name]) =>
      isMissing(name)
        ? `the judge ${name} is missing: ${describeJudge(name).hint}`
        : `the judge ${name} is here and no test that needs it passed`,
    );
}

/**
 * The floor (.ci/floor.json) counts tests that every machine with all judges runs. Where judges are missing, tests that
 * were skipped for them count as passed, and those that are made of the shared folder's files are not asked for.
 */
function floorProblems(passed: number, excused: number): string[] {
  const path = process.env['QUICKCOLUMN_FLOOR'];
  if (path === undefined) return [];
  const { floor, madeOfShared } = JSON.parse(readFileSync(path, 'utf8')) as { floor: number; madeOfShared: number };
  const wanted = floor - excused - (isMissing('shared') ? madeOfShared : 0);
  // Written so that a number that is not there counts as a problem.
  return passed >= wanted ? [] : [`${passed} tests passed, and ${path} asks for ${wanted}`];
}

function isMissing(name: string): boolean {
  return findJudge(name as JudgeName) === undefined;
}
