/** Helpers of the command-line tests: they run the built program as a user does. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeVolume } from '@quickcolumn/io';
import { exportModel } from '@quickcolumn/learn';
import { networkSchema, networkVariables } from '@quickcolumn/networks';
import { paperPreparation } from '@quickcolumn/pipeline';
import { randomOf } from '@quickcolumn/testing';
import type { Size3 } from '@quickcolumn/volume';

/** The built program. */
export const programPath: string = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `quickcolumn`; the cache lies in the working folder. */
export async function quickcolumn(cwd: string, ...args: string[]): Promise<Outcome> {
  if (!existsSync(programPath)) throw new Error(`${programPath} is not built; run npm run build first`);
  const env = { ...process.env, QUICKCOLUMN_CACHE: join(cwd, '..', 'cache'), NO_COLOR: '1' };
  return await new Promise((done) => {
    execFile(process.execPath, [programPath, ...args], { cwd, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      done({ code, stdout, stderr });
    });
  });
}

const random = randomOf('kill at a file');

/** Runs it until a file is there, then kills it within 5 ms. Throws when it ends before that. */
export async function killAt(cwd: string, file: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, QUICKCOLUMN_CACHE: join(cwd, '..', 'cache') };
  const child = spawn(process.execPath, [programPath, ...args], { cwd, env, stdio: 'ignore' });
  const ended = new Promise<string | null>((done) => child.on('exit', (_, signal) => done(signal)));
  const watch = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(watch);
    setTimeout(() => child.kill('SIGKILL'), random() * 5);
  }, 2);
  const signal = await ended;
  clearInterval(watch);
  if (signal !== 'SIGKILL' || !existsSync(file))
    throw new Error(`ended by itself before it could be killed at ${file}`);
}

/** All files below a folder, sorted, with forward slashes. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const affine = [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1] as const;

/** A small scan in HU: air with a block of tissue. */
export async function writeScan(path: string, size: Size3 = [24, 24, 12]): Promise<void> {
  const voxels = new Int16Array(size[0] * size[1] * size[2]).map((_, index) => (index % 7 < 3 ? -900 : 40));
  await writeVolume(path, { voxels, size, affine });
}

/** Labels on the grid of `writeScan`, all background but for one voxel of the given value. */
export async function writeLabels(path: string, value: number, size: Size3 = [24, 24, 12]): Promise<void> {
  const voxels = new Uint8Array(size[0] * size[1] * size[2]);
  voxels[100] = value;
  await writeVolume(path, { voxels, size, affine });
}

/** A model of weights that are all 1: it opens, and what it says means nothing. */
export async function writeModel(path: string): Promise<void> {
  const network = networkSchema.parse({ name: 'unet3d', rootFilters: 1 });
  const variables = new Map(
    [...networkVariables(network, paperPreparation.classes.length)].map(
      ([
        name,
        {
          node: { shape },
        },
      ]) => {
        const length = shape.reduce((product, size) => product * size, 1);
        return [name, { shape, data: new Float32Array(length).fill(1) }];
      },
    ),
  );
  const metadata = {
    preparation: paperPreparation,
    patch: [16, 16, 16],
    overlap: [0, 0, 0],
    training: {},
    notes: '',
  } as const;
  await exportModel(path, { network, variables, metadata });
}
