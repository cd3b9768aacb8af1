/**
 * Ends the output of a test run with one plain line, `N passed, N failed, N skipped`, for programs that read it.
 * What fails outside of a test counts as failed too: a file that cannot be loaded, a hook, an unhandled error.
 */
import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') failedHere++;
        // A test that is still pending when the run is over was never run: it is skipped, or its file broke off.
        else counts.skipped++;
      }
      // A failed file without a failed test: it did not load, or a hook failed.
      counts.failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere;
    }
    const { passed, failed, skipped } = counts;
    // At exit, so that it comes after the summaries of all other reporters.
    process.once('exit', () => writeSync(1, `${passed} passed, ${failed} failed, ${skipped} skipped\n`));
  }
}
