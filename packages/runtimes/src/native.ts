/**
 * Finds the native libraries that npm installs, when a runtime is opened and not before.
 *
 * Published, ONNX Runtime and Dawn are packages of one platform each (`@quickcolumn/onnxruntime-linux-x64`), optional
 * dependencies of this one, so that an installation gets its own binaries only; `tools/native` makes them. In the
 * repository, and where somebody installed them, the packages that carry all platforms serve.
 */
import type koffi from 'koffi';
import { RuntimeError } from './contract/errors.js';
import type { OrtApi } from './onnx/ort-session.js';
import type { WebGpuEntry } from './webgpu/types.js';

type Koffi = typeof koffi;
interface OnnxRuntime extends OrtApi {
  readonly env: { readonly versions: { readonly common: string; readonly node?: string } };
}
/** What is used of Dawn's module; `create` gives what browsers have as `navigator.gpu`. */
interface Dawn {
  readonly create: (flags: readonly string[]) => WebGpuEntry;
}

interface Part {
  /** The runtime that needs it. */
  readonly runtime: string;
  readonly title: string;
  /** Packages of one platform are called so, with the platform behind it. */
  readonly prefix: string;
  /** The npm package with all platforms. */
  readonly fallback: string;
}

const platforms: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

/** @throws RuntimeError when there is no build for this platform, or it is not installed, or the system refuses it */
export async function loadOnnxRuntime(): Promise<{ ort: OrtApi; version: string }> {
  const ort = await load<OnnxRuntime>({
    runtime: 'onnx',
    title: 'ONNX Runtime',
    prefix: '@quickcolumn/onnxruntime-',
    fallback: 'onnxruntime-node',
  });
  return { ort, version: ort.env.versions.node ?? ort.env.versions.common };
}

/** @throws RuntimeError as `loadOnnxRuntime` does */
export function loadDawn(): Promise<Dawn> {
  return load<Dawn>({ runtime: 'webgpu', title: 'Dawn', prefix: '@quickcolumn/dawn-', fallback: 'webgpu' });
}

/** Calls C functions; oneDNN and the search for Vulkan need it. @throws RuntimeError when it is not installed */
export async function loadKoffi(runtime: string): Promise<Koffi> {
  try {
    return (await import('koffi')).default;
  } catch (cause) {
    throw new RuntimeError(
      `the npm package koffi does not load (${messageOf(cause)}); ${whyMissing}; npm install koffi installs it`,
      { runtime, reason: 'no-package', package: 'koffi' },
      { cause },
    );
  }
}

const whyMissing = 'npm leaves it out where optional dependencies are switched off (--omit=optional)';

/** The arguments behind the part are for its test. @throws RuntimeError */
export async function load<Module>(
  { runtime, title, prefix, fallback }: Part,
  platform: string = `${process.platform}-${process.arch}`,
  musl: () => boolean = runsOnMusl,
): Promise<Module> {
  const name = `${prefix}${platform}`;
  for (const candidate of [name, fallback]) {
    try {
      const module = (await import(candidate)) as Module & { readonly default?: Module };
      // CommonJS: what it exports is the default.
      return module.default ?? module;
    } catch (cause) {
      if (isAbsent(cause, candidate)) continue;
      const hint =
        process.platform === 'win32'
          ? '; on Windows it needs the Microsoft Visual C++ Redistributable'
          : process.platform === 'linux'
            ? '; on Linux it needs glibc 2.28 or newer (Dawn: 2.34) and libstdc++'
            : '';
      throw new RuntimeError(
        `${title} (${candidate}) does not load: ${messageOf(cause)}${hint}`,
        { runtime, reason: 'broken-package', package: candidate },
        { cause },
      );
    }
  }
  if (!platforms.includes(platform) || musl()) {
    const here = musl() ? `${platform} with musl (as in Alpine)` : platform;
    throw new RuntimeError(`${title} has no build for ${here}, only for ${platforms.join(', ')}; Linux with glibc`, {
      runtime,
      reason: 'no-build',
      platform: here,
    });
  }
  throw new RuntimeError(
    `${title} is not installed: there is no package ${name}; npm install ${name} installs it. ` +
      `${whyMissing[0].toUpperCase()}${whyMissing.slice(1)} or a lock file was made on another platform`,
    { runtime, reason: 'no-package', package: name },
  );
}

/** A report takes a while, so it is asked for only where something is missing. */
function runsOnMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/** Whether this very package is absent, and not something that it needs. */
function isAbsent(cause: unknown, name: string): boolean {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' && String(message).includes(`'${name}'`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
