/**
 * Makes `bundle/`: the package as two plain scripts (page and worker, with what they share), the two files of ONNX
 * Runtime and the licences of others' code beside them, for pages without a build step. Runs in Node: `npm run browser -- --bundle`.
 *
 * Whatever cannot run in a browser stops it: an import that is left over, `node:` modules first of all.
 */
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type OutputChunk } from 'rolldown';
import { noticesFile, thirdPartyNotices } from './notices.js';
import { withoutJsonSchema } from './without-json-schema.js';

/** Budget of the package's scripts, the webgpu runtime among them, minified and gzip-compressed, together; the files of ONNX Runtime come on top. */
export const budgetBytes = 125_000;

const ortFiles = ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs'] as const;

export interface BundledFile {
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Paths of the files whose code is in it; names that begin with NUL are the bundler's own code. */
  readonly modules: readonly string[];
}

/**
 * Bundles entries (name to script) for browsers into a folder, which is emptied first.
 * @throws Error for imports that are not resolved, and for code without a licence
 */
export async function bundle(outDir: string, input: Readonly<Record<string, string>>): Promise<BundledFile[]> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const { output } = await build({
    input: { ...input },
    plugins: [withoutJsonSchema],
    platform: 'browser',
    resolve: { conditionNames: ['browser', 'import', 'module', 'onnxruntime-web-use-extern-wasm', 'default'] },
    onLog(level, log) {
      if (level === 'warn') throw new Error(`${log.code}: ${log.message}`);
    },
    output: {
      dir: outDir,
      format: 'esm',
      minify: true,
      entryFileNames: '[name].js',
      chunkFileNames: 'shared-[hash].js',
    },
  });
  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
  const own = new Set(chunks.map(({ fileName }) => fileName));
  for (const { fileName, imports, dynamicImports } of chunks) {
    const foreign = [...imports, ...dynamicImports].filter((name) => !own.has(name));
    if (foreign.length > 0) throw new Error(`${fileName} imports ${foreign.join(', ')}, which browsers do not have`);
  }
  // Found as the package finds it, wherever it is installed.
  const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
  for (const name of ortFiles) await copyFile(join(ort, name), join(outDir, name));
  const files = chunks.map(({ fileName, code, modules }) => ({
    name: fileName,
    bytes: Buffer.byteLength(code),
    gzipBytes: gzipSync(code, { level: 9 }).length,
    // Files that only pass names on leave nothing in the bundle.
    modules: Object.entries(modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : [])),
  }));
  const inside = [...files.flatMap(({ modules }) => modules), ...ortFiles.map((name) => join(ort, name))];
  await writeFile(join(outDir, noticesFile), await thirdPartyNotices(inside));
  return files;
}

/** The entries of the package. */
export const packageEntries: Readonly<Record<string, string>> = {
  quickcolumn: join(import.meta.dirname, '../index.js'),
  worker: join(import.meta.dirname, '../worker.js'),
};
