/**
 * `npm run browser`: bundles package and example page into `bundle/` and serves them on this machine, with the headers that
 * give WebAssembly its threads. A number as argument is the port; `--bundle` bundles and ends.
 */
import { join } from 'node:path';
import { bundle, packageEntries } from '../bundle/bundle.js';
import { serve } from '../bundle/serve.js';

const root = join(import.meta.dirname, '../..');
const page = { example: join(import.meta.dirname, 'page.js') };
const [argument = '8017'] = process.argv.slice(2);
const onlyBundle = argument === '--bundle';
const files = await bundle(join(root, 'bundle'), onlyBundle ? packageEntries : { ...packageEntries, ...page });
for (const { name, bytes, gzipBytes } of files)
  process.stdout.write(`${name}: ${bytes} bytes, ${gzipBytes} compressed\n`);
if (!onlyBundle) {
  const port = Number(argument);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`port ${argument}: expected a number from 0 to 65535`);
  const folders = {
    '/bundle/': join(root, 'bundle'),
    '/model/': join(root, '../model-covid19-ct'),
    '/': join(root, 'example'),
  };
  const { url } = await serve({ folders, port });
  process.stdout.write(`open ${url} in a browser; Ctrl-C ends\n`);
}
