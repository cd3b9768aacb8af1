/**
 * JPEG-LS (CharLS), JPEG 2000 (OpenJPEG) and HTJ2K (OpenJPH) through the WebAssembly builds of @cornerstonejs. They
 * read their .wasm from the package's own folder, once, when the first frame of their kind comes.
 *
 * The traps: they allocate what the code stream asks for, so its size is checked before they see it; a code stream
 * that breaks them leaves them broken, so a module that threw is thrown away; their C++ exceptions arrive as bare
 * numbers; and the decoded view dies with its decoder, so it is copied.
 */
import { DicomError } from '../dicom-error.js';
import { checkCodeStream, wholeScan } from './code-stream.js';
import type { FrameSamples, FrameShape } from './codec-types.js';

interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
  delete(): void;
}

type DecoderClass = new () => WasmDecoder;

export type WasmCodec = 'jpeg-ls' | 'jpeg-2000' | 'htj2k';

const silent = (): void => undefined;
// A new object each time: the factory makes it the module.
const options = (): { print: () => void; printErr: () => void } => ({ print: silent, printErr: silent });
const loaders: Readonly<Record<WasmCodec, () => Promise<DecoderClass>>> = {
  'jpeg-ls': async () =>
    (await (await import('@cornerstonejs/codec-charls/decodewasmjs')).default(options())).JpegLSDecoder,
  'jpeg-2000': async () =>
    (await (await import('@cornerstonejs/codec-openjpeg/decodewasmjs')).default(options())).J2KDecoder,
  htj2k: async () => (await (await import('@cornerstonejs/codec-openjph/wasmjs')).default(options())).HTJ2KDecoder,
};
const loaded = new Map<WasmCodec, Promise<DecoderClass>>();

async function load(codec: WasmCodec): Promise<DecoderClass> {
  let decoder = loaded.get(codec);
  if (decoder === undefined) {
    decoder = loaders[codec]();
    loaded.set(codec, decoder);
  }
  return await decoder;
}

/** Decodes one frame. Throws DicomError `pixels`. */
export async function decodeWasm(codec: WasmCodec, stream: Uint8Array, shape: FrameShape): Promise<FrameSamples> {
  const { path, rows, columns, samples } = shape;
  checkCodeStream(codec, stream, shape);
  // CharLS counts zeros beyond the end of its data up to 2³¹, for seconds, before it gives up.
  const bytes = codec === 'jpeg-ls' ? wholeScan(stream) : stream;
  if (bytes === undefined) {
    throw new DicomError(path, 'pixels', 'the jpeg-ls frame is cut short or broken by a marker; the file is damaged');
  }
  const Decoder = await load(codec);
  const failed = (cause: unknown): DicomError => {
    loaded.delete(codec);
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    return new DicomError(path, 'pixels', `the ${codec} frame cannot be decoded${detail}; the file is damaged`, {
      cause,
    });
  };
  let decoder: WasmDecoder | undefined;
  try {
    decoder = new Decoder();
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const info = decoder.getFrameInfo();
    const decoded = decoder.getDecodedBuffer();
    const sampleBytes = info.bitsPerSample <= 8 ? 1 : 2;
    const count = rows * columns * samples;
    if (info.width !== columns || info.height !== rows || info.componentCount !== samples) {
      throw new Error(`${info.width}×${info.height}×${info.componentCount} samples for ${columns}×${rows}×${samples}`);
    }
    if (decoded.length < count * sampleBytes) throw new Error(`${decoded.length} bytes for ${count} samples`);
    const copy = decoded.slice(0, count * sampleBytes);
    return sampleBytes === 1 ? copy : new Uint16Array(copy.buffer);
  } catch (cause) {
    throw failed(cause);
  } finally {
    try {
      decoder?.delete();
    } catch {
      // A decoder of a broken module cannot be freed; its memory goes with the module.
    }
  }
}
