import { randomInt } from 'node:crypto';
import { describeJudge, judgeNames } from '@quickcolumn/testing';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

// What tests leave to chance, such as the moment of a kill, comes from this seed; the reporter prints it.
process.env['QUICKCOLUMN_SEED'] ??= String(randomInt(2 ** 31));

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Far more than a test needs: a slow machine must not fail one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A test that compares nothing cannot fail.
    expect: { requireAssertions: true },
    tags: judgeNames.map((name) => ({ name, description: describeJudge(name).title })),
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './test/counts-reporter.ts'],
  },
});

export default config;
