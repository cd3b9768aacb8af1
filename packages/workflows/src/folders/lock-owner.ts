/**
 * Who holds a lock, and whether that process is still there.
 *
 * On one machine the kernel tells: host, boot and process-id space name it, the start of a process tells it from a later
 * one of the same number. Of a process elsewhere (another host, a container with its own ids, before a reboot) only its
 * signs of life are known: an owner writes its lock again every few seconds. Their age is taken between two files of
 * the same file system, so that the clocks of two machines need not agree.
 *
 * Source: proc(5), fields 3 (state) and 22 (start time) of /proc/PID/stat.
 */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';
import { z } from 'zod';

/** Name of the lock inside a folder; names of files in the making begin with it. */
export const lockName = '.quickcolumn-lock';

/** How often an owner shows that it lives, and after how long without a sign it is taken for gone. */
export const signEveryMs = 10_000;
export const goneAfterMs = 120_000;

export interface LockOwner {
  readonly host: string;
  /** Names one boot of one machine; empty where the system does not tell. */
  readonly boot: string;
  /** Names the space of process ids: containers have their own. */
  readonly pidSpace: string;
  readonly pid: number;
  /** When the process started, in ticks since the boot; empty where the system does not tell. */
  readonly started: string;
  /** What it does: the kind of its job. */
  readonly doing: string;
  /** When it took the lock, ISO 8601. */
  readonly since: string;
  /** Tells this lock from every other. */
  readonly token: string;
}

const ownerSchema: z.ZodType<LockOwner> = z.object({
  host: z.string(),
  boot: z.string(),
  pidSpace: z.string(),
  pid: z.int().min(1),
  started: z.string(),
  doing: z.string(),
  since: z.string(),
  token: z.string().min(1),
});

/** Undefined for what is no whole lock. */
export function parseOwner(text: string): LockOwner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Where and what this process is. */
export async function thisProcess(): Promise<Pick<LockOwner, 'host' | 'boot' | 'pidSpace' | 'pid' | 'started'>> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const pidSpace = await readlink('/proc/self/ns/pid').catch(() => '');
  return { host: hostname(), boot: boot.trim(), pidSpace, pid, started: (await processStart(pid)) ?? '' };
}

/**
 * @param owner undefined for a lock that cannot be read
 * @param ageMs since its last sign of life, by the clock of the file system
 * @returns `here` and alive, `elsewhere` and perhaps alive, or `gone`
 */
export async function standingOf(owner: LockOwner | undefined, ageMs: number): Promise<'here' | 'elsewhere' | 'gone'> {
  const here = await thisProcess();
  if (owner?.host === here.host && owner.boot === here.boot && owner.pidSpace === here.pidSpace) {
    if (!isAlive(owner.pid)) return 'gone';
    if (owner.started !== '') return (await processStart(owner.pid)) === owner.started ? 'here' : 'gone';
  }
  // A clock that was put back gives a negative age; an owner that lives would have written since.
  return Math.abs(ageMs) > goneAfterMs ? 'gone' : 'elsewhere';
}

function isAlive(id: number): boolean {
  try {
    kill(id, 0);
    return true;
  } catch (error) {
    // It is there and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ticks since the boot; undefined for a process that is not there, has ended, or where the system does not tell. */
async function processStart(id: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
