/** A .nii.gz in memory, made by the platform's CompressionStream: what a browser offers for download. */
import type { Volume } from '@quickcolumn/volume';
import { encodeNiftiHeader, type NiftiEncodeOptions, rawBytes } from './nifti-encode.js';

/** A gzip-compressed NIfTI single file. Throws NiftiError(name) when the volume cannot be stored. */
export async function encodeNiftiBlob(volume: Volume, name: string, options: NiftiEncodeOptions = {}): Promise<Blob> {
  const header = encodeNiftiHeader(volume, name, options);
  const plain = new Blob([header, rawBytes(volume)]);
  return await new Response(plain.stream().pipeThrough(new CompressionStream('gzip')), {
    headers: { 'Content-Type': 'application/gzip' },
  }).blob();
}
