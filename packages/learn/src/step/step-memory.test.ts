/** What a training step says it needs against what its process then takes. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chooseRuntime } from '@quickcolumn/runtimes';
import { needs } from '@quickcolumn/testing';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../dist/step/step-memory.test.helpers.js', import.meta.url));
const run = promisify(execFile);

/** Planned over used, 1 where the plan is right. */
async function plannedShare(...args: readonly (string | number)[]): Promise<number> {
  const { stdout } = await run(process.execPath, [program, ...args.map(String)]);
  const { plannedBytes, usedBytes } = JSON.parse(stdout) as { plannedBytes: number; usedBytes: number };
  expect(usedBytes).toBeGreaterThan(200e6);
  return plannedBytes / usedBytes;
}

const hasBfloat16 = await chooseRuntime({ runtime: 'onednn', precision: 'bfloat16' }).then(
  () => true,
  () => false,
);

describe.skipIf(!existsSync('/proc/self/status'))('the planned memory of a step is within 25 % of what is used', () => {
  it.each([1, 16])('on onnx with %i threads', async (threads) => {
    const share = await plannedShare('onnx', 'float32', threads, 32);
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThan(1.25);
  });

  it.each([1, 16])('on onednn in float32 with %i threads', needs('oneDNN'), async (threads) => {
    const share = await plannedShare('onednn', 'float32', threads, 48);
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThan(1.25);
  });

  // Each thread has blocks of its own here, several times what is used.
  it.skipIf(!hasBfloat16).each([1, 4, 16])(
    'on onednn in bfloat16 with %i threads',
    needs('oneDNN'),
    async (threads) => {
      const share = await plannedShare('onednn', 'bfloat16', threads, 48);
      expect(share).toBeGreaterThan(0.75);
      expect(share).toBeLessThan(1.25);
    },
  );
});
