/**
 * Measures which tile is the fastest on an adapter, for the convolutions of a graph, and remembers it.
 *
 * Each tile runs alone, on buffers of the real size, several times in one submission, so that a fast card is not
 * measured by the way to it. The table's own choice stays unless another is clearly faster. The trap: tiles decide the order
 * of sums, so what was measured once is kept: only convolutions that the store does not know are measured.
 */
import type { TileStore } from '../../contract/provider.js';
import { convolutionKernels, tileQuestion } from '../conv/conv3d.js';
import type { ConvolutionOp } from '../conv/geometry.js';
import type { ConvolutionContext } from '../conv/tile-types.js';
import { candidates, chooseTile, tileKey, tileName } from '../conv/tiles.js';
import type { GpuDevice } from '../device/device.js';
import type { Kernel } from '../kernels/kernel.js';
import { Program, planMemory } from '../program/program.js';
import { makeTensor } from '../kernels/tensors.js';

/** By how much a tile must be faster than the table's. */
const clearly = 0.97;
/** Milliseconds that a submission should take, and the most repeats for it. */
const submission = 20;
const mostRepeats = 32;
const rounds = 3;

/** The store's tiles, with those of these convolutions. @throws RuntimeError (`memory`, `device-lost`, `shader`) */
export async function tuneTiles(
  gpu: GpuDevice,
  wanted: readonly ConvolutionOp[],
  store: TileStore,
): Promise<ReadonlyMap<string, string>> {
  const tiles = new Map(await store.load(gpu.name));
  const missing = new Map<string, ConvolutionOp>();
  for (const op of wanted) {
    const { family, g, image } = tileQuestion(op);
    const key = tileKey(family, g, image);
    if (!tiles.has(key)) missing.set(key, op);
  }
  if (missing.size === 0) return tiles;
  let done = 0;
  for (const [key, op] of missing) {
    store.onProgress?.({ done: done++, total: missing.size });
    tiles.set(key, await fastestTile(gpu, op));
    // At once, so that an interruption loses one measurement.
    await store.save(gpu.name, tiles);
  }
  store.onProgress?.({ done, total: missing.size });
  return tiles;
}

async function fastestTile(gpu: GpuDevice, op: ConvolutionOp): Promise<string> {
  const { family, g, image } = tileQuestion(op);
  const key = tileKey(family, g, image);
  const { limits, software } = gpu;
  const context: ConvolutionContext = {
    limits,
    software,
    scratch: (shape, layout) => makeTensor(shape, layout, { limits }),
  };
  const usual = tileName(chooseTile(family, g, image, context));
  const list = candidates(family, g, context).map(tileName);
  if (list.length === 1) return usual;
  let best = { name: usual, time: Number.POSITIVE_INFINITY };
  for (const name of [usual, ...list.filter((other) => other !== usual)]) {
    const kernels = convolutionKernels({ ...context, tiles: new Map([[key, name]]) }, op);
    const time = await timeOf(gpu, kernels);
    if (time < best.time * (name === usual ? 1 : clearly)) best = { name, time };
  }
  return best.name;
}

/** Milliseconds of one run of these passes, the shortest of several. */
async function timeOf(gpu: GpuDevice, kernels: readonly Kernel[]): Promise<number> {
  const once = await timed(gpu, kernels, 1);
  const repeats = Math.min(mostRepeats, Math.ceil(submission / once));
  return repeats === 1 ? once : (await timed(gpu, kernels, repeats)) / repeats;
}

async function timed(gpu: GpuDevice, kernels: readonly Kernel[], repeats: number): Promise<number> {
  const list = Array.from({ length: repeats }, () => kernels).flat();
  const none = new Map();
  const lowered = { kernels: list, convolutions: [], inputs: none, variables: none, outputs: none, copies: [] };
  const program = await Program.create(gpu, lowered, planMemory(lowered, gpu.limits));
  try {
    // The first run also compiles what the driver left for later.
    await program.run({});
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < rounds; i++) {
      const start = performance.now();
      await program.run({});
      best = Math.min(best, performance.now() - start);
    }
    return best;
  } finally {
    program.destroy();
  }
}
