/** What a file holds, as one name for it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { FileError } from './file-error.js';

/** SHA-256 of a file's bytes, lower-case hex; streamed. Throws FileError. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new FileError(path, 'read', cause);
  }
  return hash.digest('hex');
}
