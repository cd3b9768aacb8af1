/** A volume file in memory, compressed by the platform's CompressionStream: what a browser offers for download. */
import type { Volume } from '@quickcolumn/volume';
import { formatToWrite } from './formats.js';
import type { VolumeEncodeOptions } from './volume-format.js';

/**
 * The file that `writeVolume` would write under this name (compressed as the platform likes to). Throws FormatError for
 * names that nothing is written under, the format's error when it cannot hold the volume.
 */
export async function encodeVolumeBlob(volume: Volume, name: string, options: VolumeEncodeOptions = {}): Promise<Blob> {
  const { header, voxels, compression } = formatToWrite(name).encode(volume, name, options);
  if (compression === undefined) return new Blob([header(voxels.length), voxels], { type: plainType });
  if (compression.of === 'file') {
    return await compressed(new Blob([header(0), voxels]), compression.as, 'application/gzip');
  }
  const data = await compressed(new Blob([voxels]), compression.as, plainType);
  return new Blob([header(data.size), data], { type: plainType });
}

const plainType = 'application/octet-stream';

async function compressed(plain: Blob, as: 'gzip' | 'deflate', type: string): Promise<Blob> {
  const stream = plain.stream().pipeThrough(new CompressionStream(as));
  return await new Response(stream, { headers: { 'Content-Type': type } }).blob();
}
