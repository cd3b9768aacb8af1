/**
 * How much work something is, as a number that no busy machine changes: the executions of all functions and blocks
 * (bodies of loops, branches) that V8's precise coverage counts. It stands where a limit in milliseconds would.
 *
 * The traps: V8 counts blocks only of code that it compiles while counting is on, so counting begins when this module is
 * loaded; and what is not JavaScript is not counted. Of regular expressions those are
 * told that meet long texts, to be compared with a list of such as take linear time; WebAssembly and zlib count as the
 * calls to them.
 * https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#method-startPreciseCoverage
 */
import { Session } from 'node:inspector/promises';

export interface Work {
  /** Executions of functions and blocks. */
  readonly steps: number;
  /** Patterns that were applied to texts of more than `longText` characters. */
  readonly patternsOnLongTexts: readonly string[];
}

const longText = 10_000;

const session: Session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** Executions since the last call. */
async function takeSteps(): Promise<number> {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  let sum = 0;
  for (const { functions } of result) for (const { ranges } of functions) for (const { count } of ranges) sum += count;
  return sum;
}

/**
 * Runs `task` and counts what it does, and what else runs in this thread until it is done.
 * @throws what `task` throws
 */
export async function countSteps(task: () => unknown): Promise<Work> {
  const { prototype } = RegExp;
  const exec = Object.getOwnPropertyDescriptor(prototype, 'exec') as { value: RegExp['exec'] };
  const patterns = new Set<string>();
  await takeSteps();
  // All that matches goes through `exec` once it is replaced (ECMA-262, RegExpExec).
  Object.defineProperty(prototype, 'exec', {
    ...exec,
    value(this: RegExp, text: string) {
      if (text.length > longText) patterns.add(this.source);
      return exec.value.call(this, text);
    },
  });
  try {
    await task();
  } finally {
    Object.defineProperty(prototype, 'exec', exec);
  }
  return { steps: await takeSteps(), patternsOnLongTexts: [...patterns].sort() };
}
