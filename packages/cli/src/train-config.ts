/**
 * The configuration of a training from flags, a file and a profile: flags override the file, the file overrides the
 * profile. Checking is left to `parseTrainConfig`, so that a flag and a key of the file fail with the same message.
 */
import { dirname, resolve } from 'node:path';
import { migrateTrainConfig, parseTrainConfig, type ProfileName, type TrainConfig } from '@quickcolumn/learn';
import type { CatalogueEntry } from '@quickcolumn/networks';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Size3 } from '@quickcolumn/volume';
import type { DeviceRequest } from './device.js';
import { readYaml } from './yaml.js';

export interface ConfigFlags extends DeviceRequest {
  readonly profile?: ProfileName;
  readonly config?: string;
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly holdOut?: readonly string[];
  readonly fold?: { readonly folds: number; readonly fold: number };
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  readonly batch?: number;
  readonly patch?: Size3;
  readonly seed?: number;
  /** A model file or run folder to start from. */
  readonly initFrom?: string;
  readonly freeze?: readonly string[];
  readonly learningRate?: number;
  readonly maxMinutes?: number;
  readonly rootFilters?: number;
  /** An entry of the catalogue: replaces the network of the file and of the profile. */
  readonly network?: CatalogueEntry;
}

type Group = Record<string, unknown>;

/** Reads, overrides and checks; data paths in the result are absolute. @throws ConfigError, or `usage`. */
export async function trainConfigFrom(flags: ConfigFlags): Promise<TrainConfig> {
  const given = flags.config === undefined ? {} : await readYaml(flags.config);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    // Not a group of keys: the parser says so in its own words.
    return parseTrainConfig(given, flags.config ?? 'command line');
  }
  if (flags.list !== undefined && (flags.images !== undefined || flags.labels !== undefined)) {
    throw new QuickcolumnError('usage', '--list replaces --images and --labels; give one or the other');
  }
  if (flags.freeze !== undefined && flags.initFrom === undefined && !('init' in given)) {
    throw new QuickcolumnError('usage', '--freeze needs --init-from: frozen random weights would learn nothing');
  }
  const current = migrateTrainConfig(given as Group, flags.config ?? 'command line');
  const merged = withFlags(current, flags);
  const config = parseTrainConfig(merged, flags.config ?? 'command line');
  if (flags.config === undefined && flags.list === undefined) {
    for (const key of ['images', 'labels'] as const) {
      if (flags[key] === undefined)
        throw new QuickcolumnError('usage', `--${key} is needed where there is no --config and no --list`);
    }
  }
  const base = flags.config === undefined ? '.' : dirname(flags.config);
  const listBase = flags.list === undefined ? base : '.';
  const list = config.data.list === null ? null : resolve(listBase, config.data.list);
  const images = flags.images === undefined ? resolve(base, config.data.images) : resolve(flags.images);
  const labels = flags.labels === undefined ? resolve(base, config.data.labels) : resolve(flags.labels);
  const { init } = config;
  const from = init && resolve(flags.initFrom === undefined ? base : '.', init.from);
  return {
    ...config,
    data: { ...config.data, list, images, labels },
    ...(init && from !== undefined && { init: { ...init, from } }),
  };
}

/** Flags are of the current version, and so must `given` be. */
function withFlags(given: Group, flags: ConfigFlags): Group {
  const { fold, patch } = flags;
  const overlap = patch?.map((length) => Math.floor(length / 2));
  const overlay: Group = {
    profile: flags.profile ?? given['profile'] ?? 'paper',
    seed: flags.seed,
    data: {
      // Folders on the command line replace a list of the file.
      list: flags.list ?? (flags.images === undefined ? undefined : null),
      images: flags.images,
      labels: flags.labels,
      holdOut: flags.holdOut,
      split: fold === undefined ? undefined : { kind: 'folds', ...fold },
    },
    network: { rootFilters: flags.rootFilters },
    init: { from: flags.initFrom, freeze: flags.freeze },
    compute: { runtime: flags.runtime, precision: flags.precision, autotune: flags.autotune },
    train: {
      patch,
      batch: flags.batch,
      epochs: flags.epochs,
      stepsPerEpoch: flags.stepsPerEpoch,
      learningRate: flags.learningRate,
      maxMinutes: flags.maxMinutes,
    },
    predict: { overlap },
  };
  const chosen = flags.network === undefined ? given : { ...given, network: { ...flags.network.config } };
  return overlaid(flags.initFrom === undefined ? chosen : withoutChecksum(chosen), overlay);
}

/** A checksum in the file is that of the file's model, not of the one on the command line. */
function withoutChecksum(given: Group): Group {
  const { init } = given;
  if (typeof init !== 'object' || init === null) return given;
  return { ...given, init: Object.fromEntries(Object.entries(init).filter(([key]) => key !== 'weightsSha256')) };
}

/** `over` on top of `under`, key by key; undefined changes nothing and makes no group. */
function overlaid(under: Group, over: Group): Group {
  const result: Group = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isPlain || key === 'split') {
      result[key] = value;
      continue;
    }
    if (Object.values(value).every((entry) => entry === undefined)) continue;
    const below = result[key];
    const isGroup = typeof below === 'object' && below !== null && !Array.isArray(below);
    // Something that is no group stays as it is, for the parser to complain about.
    if (below === undefined || isGroup) result[key] = overlaid((below ?? {}) as Group, value as Group);
  }
  return result;
}
