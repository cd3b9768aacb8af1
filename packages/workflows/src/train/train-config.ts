/**
 * The configuration of a training from single settings, a file and a profile: settings override the file, the file
 * overrides the profile. Checking is left to `parseTrainConfig`, so that a setting and a key of the file fail with the
 * same message.
 */
import { dirname, resolve } from 'node:path';
import { consentOf } from '@quickcolumn/cases';
import {
  completed,
  type DistillConfig,
  migrateTrainConfig,
  parseTrainConfig,
  type ProfileName,
  type TrainConfig,
} from '@quickcolumn/learn';
import type { CatalogueEntry } from '@quickcolumn/networks';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Size3 } from '@quickcolumn/volume';
import { readYaml } from '../folders/yaml.js';
import type { ModelSettings } from './model-settings.js';
import type { ComputeRequest, ScanConsent } from '../jobs/parts.js';

/** Settings of a training that people often change, and where the rest comes from. */
export interface ConfigRequest extends ComputeRequest, ScanConsent {
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
  /** Plans what is not given, for a training of this length (profile `auto`). */
  readonly minutes?: number;
  readonly rootFilters?: number;
  /** An entry of the catalogue: replaces the network of the file and of the profile. */
  readonly network?: CatalogueEntry;
}

type Group = Record<string, unknown>;

const startsFrom = (init: unknown): boolean => typeof init === 'object' && init !== null && 'from' in init;

/**
 * What the user says, in the current version: the file under the settings.
 * @param profile where neither says one
 * @throws ConfigError, or `usage`.
 */
export async function givenConfig(request: ConfigRequest, profile: ProfileName = 'paper'): Promise<Group> {
  const given = request.config === undefined ? {} : await readYaml(request.config);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    // Not a group of keys: the parser says so in its own words.
    parseTrainConfig(given, request.config ?? 'settings');
  }
  const current = migrateTrainConfig(given as Group, request.config ?? 'settings');
  return withSettings({ profile, ...current }, request);
}

/**
 * Reads, overrides and checks; data paths in the result are absolute.
 * @param like what is taken where the user says nothing, in place of the profile's
 * @throws ConfigError, or `usage`.
 */
export async function trainConfigFrom(
  request: ConfigRequest,
  like?: ModelSettings & { readonly distill: Partial<DistillConfig> },
): Promise<TrainConfig> {
  const given = await givenConfig(request, like?.profile);
  const merged = like === undefined ? given : (completed(like, given) as Group);
  if (request.list !== undefined && (request.images !== undefined || request.labels !== undefined)) {
    throw new QuickcolumnError('usage', 'list replaces images and labels; give one or the other');
  }
  if (request.freeze !== undefined && !startsFrom(merged['init'])) {
    throw new QuickcolumnError(
      'usage',
      'freeze needs a model to start from (initFrom): frozen random weights would learn nothing',
    );
  }
  const config = parseTrainConfig(merged, request.config ?? 'settings');
  if (request.config === undefined && request.list === undefined) {
    for (const key of ['images', 'labels'] as const) {
      if (request[key] === undefined)
        throw new QuickcolumnError('usage', `${key} is needed where there is neither a configuration file nor a list`);
    }
  }
  const base = request.config === undefined ? '.' : dirname(request.config);
  const listBase = request.list === undefined ? base : '.';
  const list = config.data.list === null ? null : resolve(listBase, config.data.list);
  const images = request.images === undefined ? resolve(base, config.data.images) : resolve(request.images);
  const labels = request.labels === undefined ? resolve(base, config.data.labels) : resolve(request.labels);
  const { init } = config;
  const from = init && resolve(request.initFrom === undefined ? base : '.', init.from);
  const { distill } = config;
  return {
    ...config,
    data: { ...config.data, list, images, labels },
    ...(init && from !== undefined && { init: { ...init, from } }),
    ...(distill && { distill: { ...distill, from: distill.from.map((one) => resolve(base, one)) } }),
  };
}

/** Settings are of the current version, and so must `given` be. */
function withSettings(given: Group, request: ConfigRequest): Group {
  const { fold, patch } = request;
  const overlap = patch?.map((length) => Math.floor(length / 2));
  const overlay: Group = {
    profile: request.profile ?? given['profile'],
    seed: request.seed,
    data: {
      // Folders that are asked for replace a list of the file.
      list: request.list ?? (request.images === undefined ? undefined : null),
      images: request.images,
      labels: request.labels,
      holdOut: request.holdOut,
      split: fold === undefined ? undefined : { kind: 'folds', ...fold },
      ...consentOf(request),
    },
    network: { rootFilters: request.rootFilters },
    init: { from: request.initFrom, freeze: request.freeze },
    compute: { runtime: request.runtime, precision: request.precision, autotune: request.autotune },
    train: {
      patch,
      batch: request.batch,
      epochs: request.epochs,
      stepsPerEpoch: request.stepsPerEpoch,
      learningRate: request.learningRate,
      maxMinutes: request.maxMinutes,
    },
    predict: { overlap },
  };
  const chosen = request.network === undefined ? given : { ...given, network: { ...request.network.config } };
  return overlaid(request.initFrom === undefined ? chosen : withoutChecksum(chosen), overlay);
}

/** A checksum in the file is that of the file's model, not of the one that is asked for. */
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
