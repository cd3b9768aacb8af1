/** The `onnx` runtime: the embedded default, on any machine. */
import type { RuntimeProvider } from '../contract/provider.js';
import { openOnnx } from './open.js';

export const provider: RuntimeProvider = {
  name: 'onnx',
  title: 'ONNX Runtime',
  runsOn: 'processor',
  precisions: ['float32'],
  installation: 'comes with quickcolumn, as an optional package of npm for the platform',
  measuresKernels: false,
  find: async () => ({ version: (await openOnnx()).version, details: [] }),
  open: () => openOnnx(),
};
