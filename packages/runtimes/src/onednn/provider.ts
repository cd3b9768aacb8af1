/** The `onednn` runtime: the fast way on processors, where the library is installed. */
import type { RuntimeProvider } from '../contract/provider.js';
import { installation } from './installation.js';
import { openOneDnn } from './runtime.js';

export const provider: RuntimeProvider = {
  name: 'onednn',
  title: 'oneDNN',
  runsOn: 'processor',
  precisions: ['float32', 'bfloat16'],
  installation,
  measuresKernels: false,
  async find() {
    const { version, path } = await openOneDnn();
    return { version, details: [{ label: 'library', value: path }] };
  },
  open: () => openOneDnn(),
};
