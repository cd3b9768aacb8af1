/**
 * `quickcolumn networks`: every network with its source, parameters, operations and memory for a patch.
 * Memory is what `plan` says for one patch: of a prediction, and of a training step with Adam and the paper's loss.
 */
import { plan } from '@quickcolumn/graph';
import { profiles, trainingGraph } from '@quickcolumn/learn';
import { catalogue, type CatalogueEntry, networkSize, patchMultipleOf, predictionGraph } from '@quickcolumn/networks';
import { formatBytes } from '@quickcolumn/predict';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Size3 } from '@quickcolumn/volume';
import { Command } from 'commander';
import { nameList, size3, wholeNumber } from '../flags/arguments.js';
import { print, printJson } from '../terminal/terminal.js';

interface NetworkFlags {
  readonly patch: Size3;
  readonly classes: number;
  readonly batch: number;
  readonly rootFilters?: number;
  readonly network?: readonly string[];
  readonly json?: boolean;
}

interface NetworkRow {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly rootFilters: number;
  readonly parameters: number;
  /** Of the convolutions of one forward pass of one patch. */
  readonly gflop: number;
  readonly predictionBytes: number;
  readonly trainingBytes: number;
}

export function networksCommand(): Command {
  return new Command('networks')
    .description('list the networks with parameters, operations and memory for a patch')
    .option('--patch <x,y,z>', 'patch in voxels, multiples of 16', size3, [160, 160, 80])
    .option('--network <names>', 'only these, separated by commas', nameList)
    .option('--root-filters <n>', 'width of the first level (default: the published one)', wholeNumber(1))
    .option('--classes <n>', 'classes, background included', wholeNumber(2), 4)
    .option('--batch <n>', 'patches a training step', wholeNumber(1), 1)
    .option('--json', 'as JSON, memory in bytes')
    .addHelpText(
      'after',
      `
Memory is the planned size of tensors and variables; the runtime needs some on top.
A network is chosen with train --network, or network.name in the configuration.

Examples:
  quickcolumn networks
  quickcolumn networks --patch 96,96,48 --network qchc-unet,nnunet3d --json`,
    )
    .action((flags: NetworkFlags) => {
      const entries = chosen(flags.network);
      for (const { config } of entries) checkPatch(flags.patch, patchMultipleOf(config));
      const rows = entries.map((entry) => rowOf(entry, flags));
      if (flags.json) printJson(rows);
      else print(table(rows));
    });
}

function checkPatch(patch: Size3, multiple: number): void {
  patch.forEach((length, axis) => {
    if (length > 0 && length % multiple === 0) return;
    const next = Math.max(1, Math.ceil(length / multiple)) * multiple;
    throw new QuickcolumnError('usage', `--patch[${axis}]: ${length} is not a multiple of ${multiple}; use ${next}`);
  });
}

/** Entries of the catalogue by their ids, in the order asked for. @throws `usage` for an unknown one */
function chosen(names: readonly string[] | undefined): readonly CatalogueEntry[] {
  return names === undefined ? catalogue : names.map(catalogueEntry);
}

/** @throws QuickcolumnError `usage` naming the known networks. */
export function catalogueEntry(name: string): CatalogueEntry {
  const entry = catalogue.find(({ id }) => id === name);
  if (entry) return entry;
  const known = catalogue.map(({ id }) => id).join(', ');
  throw new QuickcolumnError('usage', `--network: '${name}' is not known; use one of ${known}`);
}

function rowOf({ id, title, source, config }: CatalogueEntry, flags: NetworkFlags): NetworkRow {
  const { patch, classes, batch } = flags;
  const network = flags.rootFilters === undefined ? config : { ...config, rootFilters: flags.rootFilters };
  const { loss, optimizer } = profiles.paper;
  const bytes = (graph: Parameters<typeof plan>[0]): number => {
    const { peakBytes, variableBytes } = plan(graph);
    return peakBytes + variableBytes;
  };
  const { parameters, flop } = networkSize(network, classes, patch);
  return {
    name: id,
    title,
    source,
    rootFilters: network.rootFilters,
    parameters,
    gflop: Number((flop / 1e9).toFixed(1)),
    predictionBytes: bytes(predictionGraph(network, classes, patch, 1)),
    trainingBytes: bytes(trainingGraph({ network, classes, patch, batch, loss, optimizer, seed: 0 })),
  };
}

function table(rows: readonly NetworkRow[]): string[] {
  const cells = [
    ['network', 'parameters', 'GFLOP', 'prediction', 'training', 'source'],
    ...rows.map((row) => [
      row.name,
      `${(row.parameters / 1e6).toFixed(2)} M`,
      row.gflop.toFixed(1),
      formatBytes(row.predictionBytes),
      formatBytes(row.trainingBytes),
      row.source,
    ]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  );
}
