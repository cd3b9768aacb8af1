/**
 * oneDNN as found on this machine: loading, and everything whose C API is the same in versions 2 and 3.
 *
 * koffi calls the library on the thread that asks, and OpenMP keeps one team of threads for each such thread; so one
 * worker thread owns the library (../thread/worker.ts) and nothing here is called from elsewhere.
 * Source: oneDNN developer guide, https://uxlfoundation.github.io/oneDNN/.
 */
import koffi, { type LibraryHandle } from 'koffi';
import { RuntimeError } from '../../contract/errors.js';
import { installation } from '../installation.js';
import { type Descriptor, type DnnlApi, algorithm, type PostOp, query } from './api.js';
import { apiV2 } from './api-v2.js';
import { apiV3 } from './api-v3.js';
import { checked, type NativeFunction, pointerOut } from './call.js';

/** Tried in this order; `QUICKCOLUMN_DNNL` (a path or a name) goes before them. */
const names: readonly string[] =
  process.platform === 'win32'
    ? ['dnnl.dll']
    : process.platform === 'darwin'
      ? ['libdnnl.3.dylib', 'libdnnl.2.dylib', 'libdnnl.dylib']
      : ['libdnnl.so.3', 'libdnnl.so.2', 'libdnnl.so'];
const installHint = `install it with: ${installation}`;
/** 2.6 is the oldest version whose numbers the binding was made from. */
const oldest = { major: 2, minor: 6 };
const avx512Bf16 = 231;

export interface LoadedLibrary {
  readonly path: string;
  readonly version: string;
  /** The instruction set that it uses: a number of `dnnl_cpu_isa_t`. */
  readonly instructions: number;
  /** The processor multiplies bfloat16 in hardware. */
  readonly bfloat16: boolean;
  readonly api: DnnlApi;
  attributes(postOps?: readonly PostOp[]): bigint;
  destroyAttributes(attributes: bigint): void;
  queryDescriptor(descriptor: bigint, what: number): bigint;
  implementation(descriptor: bigint): string;
  bytesOf(descriptor: Descriptor): number;
  primitive(descriptor: bigint): bigint;
  destroyPrimitive(primitive: bigint): void;
  destroyDescriptor(descriptor: bigint): void;
  memory(descriptor: Descriptor, address: bigint): bigint;
  destroyMemory(memory: bigint): void;
  /** Aligned memory that the library allocates; freed by `destroyMemory(handle)`. */
  allocate(bytes: number): { readonly handle: bigint; readonly address: bigint };
  /** Runs a primitive; `operands` holds dnnl_exec_arg_t records, see `execArguments`. */
  execute(primitive: bigint, count: number, operands: Uint8Array, label: string): void;
  view(address: bigint, bytes: number): ArrayBuffer;
  setThreads(threads: number): void;
  /** Frees the memory descriptors made since the last call; primitives and memories keep their own. */
  releaseDescriptors(): void;
}

/** The records {int argument; pointer memory} that `execute` takes. */
export function execArguments(operands: readonly (readonly [argument: number, memory: bigint])[]): Uint8Array {
  const buffer = new ArrayBuffer(16 * operands.length);
  const data = new DataView(buffer);
  operands.forEach(([number, memory], i) => {
    data.setInt32(16 * i, number, true);
    data.setBigUint64(16 * i + 8, memory, true);
  });
  return new Uint8Array(buffer);
}

/** @throws RuntimeError when there is no usable library; its message says how to install one. */
export function loadLibrary(): LoadedLibrary {
  const { lib, path } = open();
  const readVersion = lib.func('void* dnnl_version()') as NativeFunction;
  const at = readVersion() as bigint;
  const [major, minor, patch] = koffi.decode(at, koffi.array('int', 3)) as number[];
  const version = `${major}.${minor}.${patch}`;
  if (major > 3 || major < oldest.major || (major === oldest.major && minor < oldest.minor)) {
    throw new RuntimeError(`oneDNN ${version} (${path}) is not supported, expected 2.6 to 3.x; ${installHint}`, {
      runtime: 'onednn',
      version,
    });
  }
  return bind(lib, path, version);
}

function open(): { lib: LibraryHandle; path: string } {
  const wanted = process.env['QUICKCOLUMN_DNNL'];
  const failures: string[] = [];
  for (const path of wanted === undefined ? names : [wanted]) {
    try {
      return { lib: koffi.load(path), path };
    } catch (cause) {
      failures.push(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  throw new RuntimeError(`oneDNN was not found (${failures[0]}); ${installHint}`, { runtime: 'onednn', failures });
}

function bind(lib: LibraryHandle, path: string, version: string): LoadedLibrary {
  const bound = (definition: string): NativeFunction => lib.func(definition) as NativeFunction;
  const engineCreate = bound('int dnnl_engine_create(void*, int, size_t)');
  const streamCreate = bound('int dnnl_stream_create(void*, void*, uint)');
  const streamWait = bound('int dnnl_stream_wait(void*)');
  const instructions = bound('int dnnl_get_effective_cpu_isa()')() as number;
  const queryMd = bound('void* dnnl_primitive_desc_query_md(void*, int, int)');
  const queryAny = bound('int dnnl_primitive_desc_query(void*, int, int, void*)');
  const descriptorBytes = bound('size_t dnnl_memory_desc_get_size(void*)');
  const primitiveCreate = bound('int dnnl_primitive_create(void*, void*)');
  const primitiveDestroy = bound('int dnnl_primitive_destroy(void*)');
  const primitiveExecute = bound('int dnnl_primitive_execute(void*, void*, int, void*)');
  const descriptorDestroy = bound('int dnnl_primitive_desc_destroy(void*)');
  const memoryCreate = bound('int dnnl_memory_create(void*, void*, void*, void*)');
  const memoryDestroy = bound('int dnnl_memory_destroy(void*)');
  const memoryHandle = bound('int dnnl_memory_get_data_handle(void*, void*)');
  const attrCreate = bound('int dnnl_primitive_attr_create(void*)');
  const attrDestroy = bound('int dnnl_primitive_attr_destroy(void*)');
  const attrScratchpad = bound('int dnnl_primitive_attr_set_scratchpad_mode(void*, int)');
  const attrPostOps = bound('int dnnl_primitive_attr_set_post_ops(void*, void*)');
  const postOpsCreate = bound('int dnnl_post_ops_create(void*)');
  const postOpsDestroy = bound('int dnnl_post_ops_destroy(void*)');
  const appendBinary = bound('int dnnl_post_ops_append_binary(void*, int, void*)');

  const engine = pointerOut((out) => checked('dnnl_engine_create', engineCreate(out, 1, 0)));
  const stream = pointerOut((out) => checked('dnnl_stream_create', streamCreate(out, engine, 1)));
  const made: bigint[] = [];
  const api = version.startsWith('2.') ? apiV2(lib, engine) : apiV3(lib, engine, (descriptor) => made.push(descriptor));
  const allocateByLibrary = 0xffff_ffff_ffff_ffffn;

  return {
    path,
    version,
    instructions,
    bfloat16: instructions >= avx512Bf16,
    api,
    attributes(postOps = []) {
      const attributes = pointerOut((out) => checked('dnnl_primitive_attr_create', attrCreate(out)));
      const user = 1;
      checked('dnnl_primitive_attr_set_scratchpad_mode', attrScratchpad(attributes, user));
      if (postOps.length === 0) return attributes;
      const list = pointerOut((out) => checked('dnnl_post_ops_create', postOpsCreate(out)));
      try {
        for (const op of postOps) {
          const status =
            op.kind === 'eltwise'
              ? api.appendEltwise(list, api.eltwise[op.operation], op.alpha, op.beta)
              : appendBinary(list, algorithm[op.operation], op.operand);
          checked('dnnl_post_ops_append', status);
        }
        checked('dnnl_primitive_attr_set_post_ops', attrPostOps(attributes, list));
      } finally {
        postOpsDestroy(list);
      }
      return attributes;
    },
    destroyAttributes: (attributes) => checked('dnnl_primitive_attr_destroy', attrDestroy(attributes)),
    queryDescriptor: (descriptor, what) => queryMd(descriptor, what, 0) as bigint,
    implementation(descriptor) {
      const text = pointerOut((out) => checked('query', queryAny(descriptor, query.implementation, 0, out)));
      return koffi.decode(text, 'char', -1) as string;
    },
    bytesOf: (descriptor) => Number(descriptorBytes(descriptor)),
    primitive: (descriptor) => pointerOut((out) => checked('dnnl_primitive_create', primitiveCreate(out, descriptor))),
    destroyPrimitive: (primitive) => checked('dnnl_primitive_destroy', primitiveDestroy(primitive)),
    destroyDescriptor: (descriptor) => checked('dnnl_primitive_desc_destroy', descriptorDestroy(descriptor)),
    memory: (descriptor, address) =>
      pointerOut((out) => checked('dnnl_memory_create', memoryCreate(out, descriptor, engine, address))),
    destroyMemory: (memory) => checked('dnnl_memory_destroy', memoryDestroy(memory)),
    allocate(bytes) {
      const whole = api.describe([bytes], 'uint8', [1]);
      const place = new BigUint64Array(1);
      if (memoryCreate(place, whole, engine, allocateByLibrary) !== 0) {
        throw new RuntimeError(
          `this graph needs ${(bytes / 1e9).toFixed(1)} GB in one piece and the system has not got them; ` +
            'use a smaller patch, batch or network',
          { runtime: 'onednn', bytes },
        );
      }
      const [handle] = place;
      const address = pointerOut((out) => checked('dnnl_memory_get_data_handle', memoryHandle(handle, out)));
      adviseHugePages(address, bytes);
      return { handle, address };
    },
    execute(primitive, count, operands, label) {
      const status = primitiveExecute(primitive, stream, count, operands);
      if (status !== 0) checked(label, status);
      streamWait(stream);
    },
    view: (address, bytes) => koffi.view(address, bytes),
    setThreads: (threads) => setOpenMpThreads(threads),
    releaseDescriptors() {
      if (made.length === 0) return;
      const destroy = bound('int dnnl_memory_desc_destroy(void*)');
      for (const descriptor of made.splice(0)) checked('dnnl_memory_desc_destroy', destroy(descriptor));
    },
  };
}

const page = 4096n;
const hugePageBytes = 2 << 20;

/** Fewer address translations for the large, fresh allocations of an arena; a hint that the system may ignore. */
function adviseHugePages(address: bigint, bytes: number): void {
  if (process.platform !== 'linux' || bytes < 2 * hugePageBytes) return;
  const start = ((address + page - 1n) / page) * page;
  const length = bytes - Number(start - address);
  try {
    madvise ??= koffi.load('libc.so.6').func('int madvise(void*, size_t, int)') as NativeFunction;
    const hugePage = 14;
    madvise(start, length, hugePage);
  } catch {
    // Another C library: ordinary pages do as well.
  }
}
let madvise: NativeFunction | undefined;

/** Debian's oneDNN runs on OpenMP; its thread count belongs to the calling thread. */
function setOpenMpThreads(threads: number): void {
  for (const name of ['libgomp.so.1', 'libomp.so', 'libomp.dylib', 'libiomp5.so']) {
    try {
      const set = koffi.load(name).func('void omp_set_num_threads(int)') as NativeFunction;
      set(threads);
      return;
    } catch {
      // Another OpenMP, or none: oneDNN then chooses by itself.
    }
  }
}
