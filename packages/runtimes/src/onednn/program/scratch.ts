/**
 * How much of the scratch memory a run touches, which is what it uses: pages that nothing is written to are never there.
 *
 * oneDNN gives every thread a block of its own that would do for all of the work, in which the thread writes its share
 * alone: 16 threads ask for 16 images and fill one between them (jit_avx512_core_bf16_1x1_convolution, "store_buffer";
 * jit_avx512_core_bf16 backward weights, "tr_src"). Beside that, a weight gradient has one whole sum of the weights a thread.
 * What one thread asks for is therefore what all of them share. Steps have blocks of different sizes in the same memory,
 * so their shares lie in different places.
 */

/** What one step asks for. */
export interface ScratchRequest {
  /** With all threads. */
  readonly bytes: number;
  /** With one. */
  readonly singleBytes: number;
  /** Of this, every thread fills a block of its own. */
  readonly sumBytes: number;
}

const pageBytes = 2 << 20;

/** Bytes of whole huge pages that the steps touch; at most the largest request. */
export function touchedScratch(requests: readonly ScratchRequest[], threads: number): number {
  const pages = new Set<number>();
  const touch = (from: number, to: number): void => {
    for (let page = Math.floor(from / pageBytes); page * pageBytes < to; page++) pages.add(page);
  };
  const seen = new Set<string>();
  let most = 0;
  for (const { bytes, singleBytes, sumBytes } of requests) {
    most = Math.max(most, bytes);
    const key = `${bytes} ${singleBytes} ${sumBytes}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const share = singleBytes / threads + sumBytes;
    const block = bytes / threads;
    for (let thread = 0; thread < threads; thread++) {
      const from = thread * block + (thread * singleBytes) / threads / threads;
      touch(from, Math.min(bytes, from + Math.min(share, block)));
    }
  }
  return Math.min(most, pages.size * pageBytes);
}
