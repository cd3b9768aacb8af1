/**
 * `npm run fuzz`: mutated files for one reader or all of them.
 *
 *   npm run fuzz -- --reader nifti --count 20000 --seed 1
 *   npm run fuzz -- --reader nifti --seed 1 --case 4711 --keep finding.nii    # makes one case again, as a file
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeCase } from './run/cases.js';
import { readers } from './readers/readers.js';
import { runFuzz } from './run/run.js';

const { values } = parseArgs({
  options: {
    reader: { type: 'string', default: 'all' },
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
    keep: { type: 'string' },
  },
});

const chosen = readers.filter(({ name }) => values.reader === 'all' || name === values.reader);
const numbers = [values.count, values.seed, values.case ?? '0'].map(Number);
if (chosen.length === 0 || !numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) {
  process.stderr.write(
    `--reader is one of all, ${readers.map(({ name }) => name).join(', ')}; --count, --seed and --case are whole numbers\n`,
  );
  process.exit(2);
}
const [count, seed, index] = numbers;

if (values.keep !== undefined) {
  const [reader] = chosen;
  writeFileSync(values.keep, makeCase(reader, await reader.seeds(), seed, index).bytes);
  process.stdout.write(`${values.keep}\n`);
} else {
  let found = 0;
  for (const { name } of chosen) {
    const range = values.case === undefined ? { count } : { count: 1, from: index };
    const report = await runFuzz(name, {
      seed,
      ...range,
      onProgress: (done) => process.stderr.write(`${name}: ${done} of ${count}\r`),
    });
    const outcomes = Object.entries(report.outcomes).map(([code, times]) => `${times} ${code}`);
    process.stdout.write(
      `${name}: ${report.count} inputs in ${report.seconds.toFixed(1)} s, seed ${seed}: ${outcomes.join(', ')}; ` +
        `slowest ${report.slowestMilliseconds.toFixed(0)} ms, peak ${(report.peakBytes / 1e6).toFixed(0)} MB; ` +
        `${report.findings.length} findings\n`,
    );
    for (const finding of report.findings.slice(0, 40)) {
      process.stdout.write(`  case ${finding.index} (${finding.seedName}): ${finding.problem}\n`);
    }
    found += report.findings.length;
  }
  process.exitCode = found === 0 ? 0 : 1;
}
