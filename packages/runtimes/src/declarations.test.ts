/**
 * The declarations that programs see name nothing of WebGPU's own types, so that they compile without `@webgpu/types`.
 * `GPUDevice` and its like would be errors there, unless `skipLibCheck` hid them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const dist = resolve(import.meta.dirname, '../dist');

/** A declaration file and all of this package that it leads to. */
function reachable(file: string, known: Set<string> = new Set()): Set<string> {
  if (known.has(file)) return known;
  known.add(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)\.js'/g)) {
    reachable(join(dirname(file), `${name}.d.ts`), known);
  }
  return known;
}

describe.each(['index.d.ts', 'browser.d.ts'])('%s', (entry) => {
  it('is built, and leads to the runtimes', () => {
    expect(existsSync(join(dist, entry)), 'run npm run build first').toBe(true);
    expect(reachable(join(dist, entry))).toContain(join(dist, 'webgpu/runtime.d.ts'));
  });

  it('leads to no type of WebGPU', () => {
    const leaks = [...reachable(join(dist, entry))].flatMap((file) =>
      readFileSync(file, 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .split('\n')
        .filter((line) => /\bGPU([A-Z]\w*)?\b|@webgpu\/types/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(leaks).toEqual([]);
  });
});
