/**
 * What the rounds have come to, as a table for the terminal and as report.html: how much the person had to change, and
 * the validation of each round's model. Its cases are the same in every round, so its curve can be compared; the
 * corrections are of other scans each time, so theirs says how much work is left, not how good a model is.
 */
import { join } from 'node:path';
import { buildPage, htmlTable, lineChart, section, type Series } from '@quickcolumn/evaluate';
import { writeFileAtomic } from '@quickcolumn/io';
import { readHistory } from '@quickcolumn/learn';
import { runFiles } from '../folders/run-folder.js';
import { roundPaths, roundsFiles } from './folder.js';
import { casesOfRound, type Correction, type RoundsState } from './rounds-state.js';

interface RoundSummary {
  readonly round: number;
  readonly stage: string;
  readonly trained: number;
  readonly corrections: readonly Correction[];
  /** Mean soft Dice over the classes but the background, of the validation patches in the best epoch. */
  readonly validation?: number;
}

async function summaries(out: string, state: RoundsState): Promise<RoundSummary[]> {
  const result: RoundSummary[] = [];
  for (const [index, { stage, corrections }] of state.rounds.entries()) {
    const round = index + 1;
    const history = await readHistory(join(roundPaths(out, round).run, runFiles.history));
    const dice = history.findLast(({ best }) => best)?.validation?.softDice.slice(1);
    result.push({
      round,
      stage,
      trained: casesOfRound(state, round).filter(({ use }) => use === 'train').length,
      corrections,
      ...(dice && { validation: mean(dice) }),
    });
  }
  return result;
}

const heading = [
  'round',
  'stage',
  'trained on',
  'corrected',
  'ml changed a scan',
  'Dice with correction',
  'validation Dice',
];

/** One row a round, the heading first. */
export async function roundRows(out: string, state: RoundsState): Promise<string[][]> {
  const rows = (await summaries(out, state)).map(({ round, stage, trained, corrections, validation }) => [
    String(round),
    stage,
    stage === 'trained' ? String(trained) : '-',
    String(corrections.length),
    fixed(mean(corrections.map(({ changedMl }) => changedMl)), 2),
    fixed(mean(corrections.flatMap(({ dice }) => Object.values(dice)).filter((value) => value !== null)), 3),
    fixed(stage === 'trained' ? validation : undefined, 3),
  ]);
  return [heading, ...rows];
}

/** Writes report.html. */
export async function writeRoundsReport(out: string, state: RoundsState): Promise<void> {
  const all = await summaries(out, state);
  const corrections = all.flatMap(({ round, corrections: list }) => list.map((one) => ({ round, ...one })));
  const classes = [...new Set(corrections.flatMap(({ dice }) => Object.keys(dice)))];
  const perRound = (valueOf: (one: RoundSummary) => number | undefined): Series['points'] =>
    all.map((one) => [one.round, valueOf(one) ?? Number.NaN]);
  const dice = classes.map(
    (name): Series => ({
      name,
      points: perRound((one) => mean(one.corrections.map((c) => c.dice[name]).filter((value) => value !== null))),
    }),
  );
  const changed: Series = { name: 'ml', points: perRound((one) => mean(one.corrections.map((c) => c.changedMl))) };
  const validation: Series = { name: 'validation', points: perRound((one) => one.validation) };
  const charts = [
    lineChart(dice, { title: 'Prediction and correction', xLabel: 'round', yLabel: 'mean Dice', yRange: [0, 1] }),
    lineChart([changed], { title: 'Changed by the person', xLabel: 'round', yLabel: 'ml a scan' }),
    lineChart([validation], { title: 'Validation', xLabel: 'round', yLabel: 'soft Dice', yRange: [0, 1] }),
  ];
  const cases = corrections.map(({ round, name, changedVoxels, changedMl, dice: values }) => [
    String(round),
    name,
    String(changedVoxels),
    fixed(changedMl, 2),
    ...classes.map((one) => fixed(values[one] ?? undefined, 3)),
  ]);
  const caseHeading = ['round', 'scan', 'voxels changed', 'ml changed', ...classes.map((name) => `Dice ${name}`)];
  const waiting = state.cases.filter(({ use }) => use === 'waiting').length;
  const figures = charts.map((chart) => `<figure class="chart">${chart}</figure>`).join('\n');
  const html = buildPage({
    title: 'Training rounds',
    subtitle: `${all.length} rounds, ${corrections.length} corrected scans, ${waiting} not predicted or corrected yet`,
    sections: [
      section('Rounds', htmlTable(await roundRows(out, state), 2)),
      section('Curves', `<div class="charts">${figures}</div>`),
      corrections.length === 0 ? '' : section('Corrections', htmlTable([caseHeading, ...cases], 2)),
    ],
  });
  await writeFileAtomic(join(out, roundsFiles.report), html);
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(digits);
}
