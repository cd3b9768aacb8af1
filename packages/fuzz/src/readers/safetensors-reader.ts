/** Checkpoints: the weights of an interrupted training, as `train --resume` reads them. */
import { readFile } from 'node:fs/promises';
import { decodeSafetensors, encodeSafetensors } from '@quickcolumn/io';
import type { FuzzReader } from './reader.js';
import { varyBytes, varyHead } from '../mutation/vary.js';

export const safetensorsReader: FuzzReader = {
  name: 'safetensors',
  seeds: async () => {
    const tensors = new Map([
      ['conv.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['__proto__', { shape: [], data: Float32Array.of(7) }],
      ['empty', { shape: [0, 4], data: new Float32Array(0) }],
    ]);
    const files = [encodeSafetensors(tensors, { epoch: '3' }), encodeSafetensors(new Map())];
    return files.map((bytes, i) => ({ name: `made-${i}.safetensors`, extension: '.safetensors', bytes }));
  },
  // The header is JSON text behind eight bytes of its length.
  vary: ({ bytes }, random, other) =>
    random.next() < 0.5
      ? varyBytes(bytes, random, other)
      : Buffer.concat([bytes.subarray(0, 8), varyHead(bytes.subarray(8), random, bytes.length - 8 - 28)]),
  read: async (path) => {
    const { tensors } = decodeSafetensors(await readFile(path), path);
    for (const [name, { shape, data }] of tensors) {
      const values = shape.reduce((product, size) => product * size, 1);
      if (values !== data.length) throw new Error(`${name}: ${data.length} values for ${shape.join('×')}`);
    }
  },
};
