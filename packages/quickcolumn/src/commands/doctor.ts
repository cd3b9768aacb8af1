/** `quickcolumn doctor`: what this machine offers, with each runtime's measured speed. What is missing is no failure. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import { chooseRuntime, type RuntimeSurvey, surveyRuntimes } from '@quickcolumn/runtimes';
import { type PretrainedSurvey, surveyPretrained } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { print, printJson } from '../terminal/terminal.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show what this machine offers and how fast it is')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Speeds are those of a 3D convolution, in 10⁹ floating-point operations a second.

Examples:
  quickcolumn doctor
  quickcolumn doctor --json`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const available = availableMemory();
      const machine = {
        node: process.version,
        system: `${platform()} ${release()} ${arch()}`,
        processor: cpus()[0]?.model ?? 'unknown',
        cores: cpus().length,
        memory: formatBytes(totalmem()),
        'available memory': available === undefined ? 'unknown' : formatBytes(available),
      };
      const runtimes = await surveyRuntimes();
      const { runtime, reason } = await chooseRuntime();
      runtime.close?.();
      const models = await surveyPretrained();
      if (json) {
        printJson({ ...machine, runtimes, auto: reason, models });
        return;
      }
      const lines: [string, string | number][] = Object.entries(machine);
      for (const survey of runtimes) lines.push(...linesOf(survey));
      lines.push(['auto', reason], ...models.map(modelRow));
      for (const [name, value] of lines) print(`${name.padEnd(18)} ${value}`);
    });
}

/** Its version or why it is missing, then a line for each precision and each detail. */
function linesOf({ name, runsOn, version, problem, ...about }: RuntimeSurvey): [string, string][] {
  const { speeds, details, notByItself, installation } = about;
  const lines: [string, string][] = [];
  if (version !== undefined) lines.push([name, version]);
  if (problem !== undefined) lines.push([name, problem], ['  to install', installation]);
  const threads = runsOn === 'processor' ? `, ${availableParallelism()} threads` : '';
  for (const { precision, gflops } of speeds)
    lines.push([`  ${precision}`, `${gflops.toFixed(0).padStart(5)} GFLOP/s${threads}`]);
  for (const { label, value } of details) lines.push([`  ${label}`, value]);
  if (notByItself !== undefined) lines.push(['  not by itself', notByItself]);
  return lines;
}

/** A model that comes along: what it is, or why it cannot be used. */
function modelRow({ name, terms, bytes, problem }: PretrainedSurvey): [string, string] {
  const size = bytes === undefined ? [] : [formatBytes(bytes)];
  const about = terms === undefined ? [] : [terms.title, `licence ${terms.licence.name}`, terms.intendedUse, ...size];
  return [`model ${name}`, problem ?? about.join(', ')];
}
