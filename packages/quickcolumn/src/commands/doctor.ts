/** `quickcolumn doctor`: what this machine offers, with each runtime's measured speed. What is missing is no failure. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import type { RuntimeSurvey } from '@quickcolumn/runtimes';
import { type MachineSurvey, type PretrainedSurvey, surveyMachine, surveyPretrained } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { note, print, printJson } from '../terminal/terminal.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show what this machine offers and how fast it is')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Speeds are those of a 3D convolution, in 10⁹ floating-point operations a second. Between precisions auto decides by the times of
a small network: a training step where it trains, a forward pass where it predicts. They are measured once and kept.

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
      const { notes, ...survey } = await surveyMachine();
      notes.forEach(note);
      const models = await surveyPretrained();
      if (json) {
        printJson({ ...machine, ...survey, models });
        return;
      }
      const lines: [string, string | number][] = Object.entries(machine);
      for (const runtime of survey.runtimes) lines.push(...linesOf(runtime));
      lines.push(...choiceLines(survey), ...models.map(modelRow));
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

/** What `auto` takes, and the measured times of the precisions that it chose from. */
function choiceLines({
  auto: { training, prediction },
  precisions,
}: Pick<MachineSurvey, 'auto' | 'precisions'>): [string, string][] {
  if (precisions === undefined) return [['auto', training.reason]];
  const { speeds, file } = precisions;
  const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(1)} ms`;
  return [
    ['auto to train', training.reason],
    ['auto to predict', prediction.reason],
    ...speeds.map(({ precision, stepSeconds, predictionSeconds }): [string, string] => [
      `  ${precision}`,
      `training step ${milliseconds(stepSeconds)}, forward pass ${milliseconds(predictionSeconds)} (small network)`,
    ]),
    ['  kept in', `${file} (remove it to have them measured anew)`],
  ];
}

/** A model that comes along: what it is, or why it cannot be used. */
function modelRow({ name, terms, bytes, problem }: PretrainedSurvey): [string, string] {
  const size = bytes === undefined ? [] : [formatBytes(bytes)];
  const about = terms === undefined ? [] : [terms.title, `licence ${terms.licence.name}`, terms.intendedUse, ...size];
  return [`model ${name}`, problem ?? about.join(', ')];
}
