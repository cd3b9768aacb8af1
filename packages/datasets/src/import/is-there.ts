/** Whether there is something of a name. */
import { access } from 'node:fs/promises';

export async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
