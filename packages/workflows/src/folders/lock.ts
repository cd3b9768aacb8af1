/**
 * One lock for every place that a job writes: the second process is refused and told the name of the first.
 *
 * The lock is a file of JSON inside the folder (or beside an output file), made whole by a hard link, which fails where
 * there is one already. It is removed at the end, at an error and when the process exits. One whose owner is gone
 * (lock-owner.ts) is taken over; an owner that only stood still, a suspended laptop, notices and stops.
 *
 * Trap: several processes may find the same stale lock, and one that removes it late would remove the lock that another
 * has just put there; see `removeStale`.
 */
import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { type FileHandle, link, open, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { QuickcolumnError, systemErrorCode } from '@quickcolumn/errors';
import { FileError, makeFolder } from '@quickcolumn/io';
import {
  goneAfterMs,
  type LockOwner,
  lockName,
  parseOwner,
  signEveryMs,
  standingOf,
  thisProcess,
} from './lock-owner.js';
import { checkOutputFolder, exists } from './outputs.js';

/** A process that was told to stop, or whose parent was killed, may take this long to let go. */
const patienceMs = 2_000;

export interface LockRequest {
  /** What is written: a folder, made if needed, or a file. */
  readonly place: string;
  /** Whether `place` is a file; the lock then lies beside it. */
  readonly isFile?: boolean;
  /** A folder that is made now is for its owner alone: it will hold names of patients. */
  readonly private?: boolean;
  /** What for, as the refused process is told. */
  readonly doing: string;
  readonly signal?: AbortSignal;
}

/**
 * Holds the lock while `work` runs. A folder that was made for the lock and is empty at the end is removed.
 *
 * @param work its signal aborts with the given one, and when the lock was lost
 * @throws QuickcolumnError `busy` where another process holds the lock or has taken it; OutputError, FileError where
 *   the place cannot be written
 */
export async function withLock<T>(request: LockRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { place, isFile = false, signal } = request;
  const folder = isFile ? dirname(place) : place;
  await checkOutputFolder(folder, true);
  const made = await missingFolders(folder);
  const path = join(folder, isFile ? `${lockName}-${basename(place)}` : lockName);
  try {
    await makeFolder(folder, { private: request.private });
    const lock = await take(path, request);
    try {
      return await work(signal === undefined ? lock.lost : AbortSignal.any([signal, lock.lost]));
    } catch (error) {
      throw lock.lost.aborted ? (lock.lost.reason as Error) : error;
    } finally {
      await lock.release();
    }
  } finally {
    // Only empty folders can be removed so.
    for (const one of made) await rmdir(one).catch(() => undefined);
  }
}

/** `folder` and those above it that are not there, the deepest first. */
async function missingFolders(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let path = resolve(folder); !(await exists(path)); path = dirname(path)) missing.push(path);
  return missing;
}

/** Locks of this process, for its exit. */
const held = new Set<string>();
const removeHeld = (): void => {
  for (const path of held) {
    try {
      unlinkSync(path);
    } catch {
      // What is left is recognised as the lock of a process that is gone.
    }
  }
};

interface HeldLock {
  /** Aborted, with a `busy` error as its reason, when another process has taken the lock. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Takes the lock at `path`, or throws `busy`. */
async function take(path: string, { place, doing }: LockRequest): Promise<HeldLock> {
  const token = randomBytes(8).toString('hex');
  const owner: LockOwner = { ...(await thisProcess()), doing, since: new Date().toISOString(), token };
  const draft: Draft = { path: `${path}.new-${token}`, text: `${JSON.stringify(owner)}\n` };
  try {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const handle = await putInPlace(draft, path);
      if (handle !== undefined) return hold(path, place, { handle, draft, token });
      const other = await holderOf(path, draft);
      if (other === undefined) continue;
      // A lock that cannot be read may be in the making.
      const elsewhere = other.owner !== undefined && !other.alive;
      if (elsewhere || performance.now() > deadline) throw busy(place, path, other);
      await wait(50);
    }
  } catch (error) {
    throw systemErrorCode(error) === undefined ? error : new FileError(path, 'write', error);
  } finally {
    await rm(draft.path, { force: true });
  }
}

/** A lock in the making: it also tells the time of the file system. */
interface Draft {
  readonly path: string;
  readonly text: string;
}

const noLinks: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/** The open file where it could be put; undefined where there is a lock. */
async function putInPlace(draft: Draft, path: string): Promise<FileHandle | undefined> {
  const handle = await open(draft.path, 'w');
  try {
    await handle.writeFile(draft.text);
    await handle.sync();
    await link(draft.path, path);
    return handle;
  } catch (error) {
    await handle.close();
    const code = systemErrorCode(error);
    if (code === 'EEXIST') return undefined;
    if (!noLinks.has(code)) throw error;
  }
  // A file system without hard links: for a moment the lock is there and empty.
  try {
    const direct = await open(path, 'wx');
    await direct.writeFile(draft.text);
    return direct;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

interface Holder {
  /** Undefined for a lock that cannot be read. */
  readonly owner: LockOwner | undefined;
  /** Whether it is known to live. */
  readonly alive: boolean;
  readonly ageMs: number;
}

/** Who holds the lock; undefined where nobody does any more. A lock whose owner is gone is removed. */
async function holderOf(path: string, draft: Draft): Promise<Holder | undefined> {
  const found = await read(path);
  const { mtimeMs: now } = await stat(draft.path);
  if (found === undefined) return undefined;
  const { text, mtimeMs } = found;
  const owner = parseOwner(text);
  const ageMs = now - mtimeMs;
  const standing = await standingOf(owner, ageMs);
  if (standing !== 'gone') return { owner, alive: standing === 'here', ageMs };
  await removeStale(path, draft, { text, token: owner?.token ?? 'unreadable' });
  return undefined;
}

/**
 * Only the holder of the guard that is named by the stale lock may remove it, so a new lock at the same place is never
 * caught. A guard is itself a lock, should its holder be killed.
 */
async function removeStale(
  path: string,
  draft: Draft,
  { text, token }: { readonly text: string; readonly token: string },
): Promise<void> {
  const guard = `${path}-${token}`;
  const handle = await putInPlace(draft, guard);
  if (handle === undefined) {
    await holderOf(guard, draft);
    return;
  }
  try {
    await handle.close();
    if ((await read(path))?.text === text) await rm(path);
  } finally {
    await rm(guard, { force: true });
  }
}

async function read(path: string): Promise<{ readonly text: string; readonly mtimeMs: number } | undefined> {
  try {
    return { text: await readFile(path, 'utf8'), mtimeMs: (await stat(path)).mtimeMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeps the signs of life until the lock is released or lost. */
function hold(
  path: string,
  place: string,
  { handle, draft, token }: { readonly handle: FileHandle; readonly draft: Draft; readonly token: string },
): HeldLock {
  const lost = new AbortController();
  const isOurs = async (): Promise<boolean> => parseOwner((await read(path))?.text ?? '')?.token === token;
  const sign = async (): Promise<void> => {
    if (await isOurs()) await handle.write(draft.text, 0);
    else lost.abort(taken(place, parseOwner((await read(path))?.text ?? '')));
  };
  // What the system refuses for a moment, a file server that restarts, is tried again.
  const timer = setInterval(() => void sign().catch(() => undefined), signEveryMs).unref();
  if (held.size === 0) process.once('exit', removeHeld);
  held.add(path);
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      held.delete(path);
      if (held.size === 0) process.removeListener('exit', removeHeld);
      await handle.close();
      // Where the system refuses, what is left is the lock of a process that will be gone.
      if (await isOurs().catch(() => false)) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

const described = (owner: LockOwner | undefined): string =>
  owner === undefined
    ? 'another process'
    : `'${owner.doing}', process ${owner.pid} on ${owner.host}, since ${owner.since.slice(0, 19).replace('T', ' ')} UTC`;

function busy(place: string, path: string, { owner, alive, ageMs }: Holder): QuickcolumnError {
  const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));
  const unsure =
    `; it is not of this machine, its last sign of life is ${seconds(ageMs)} s old: ` +
    `if it is gone, run this again in ${seconds(goneAfterMs - ageMs)} s, or remove ${path}`;
  return new QuickcolumnError(
    'busy',
    `${place} is in use by ${described(owner)}; wait until it has ended, end it, or choose another place${alive ? '' : unsure}`,
    { path: place, lock: path, owner },
  );
}

const taken = (place: string, owner: LockOwner | undefined): QuickcolumnError =>
  new QuickcolumnError(
    'busy',
    `${place} was taken over by ${described(owner)}, because this process stood still for long; nothing more is written`,
    { path: place, owner },
  );
