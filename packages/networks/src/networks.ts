/** Every network under the name that configurations, model files and the command line call it by. */
import { attentionUnet3d } from './architectures/attention-unet3d.js';
import { deepUnet3d } from './architectures/deep-unet3d.js';
import { denseUnet3d } from './architectures/dense-unet3d.js';
import { druNet } from './architectures/dru-net.js';
import { nnunet3d } from './architectures/nnunet3d.js';
import { qchcUnet } from './architectures/qchc-unet.js';
import { residualUnet3d } from './architectures/residual-unet3d.js';
import { s3dUnet } from './architectures/s3d-unet.js';
import { unetPp } from './architectures/unet-pp.js';
import { unet3d } from './architectures/unet3d.js';
import { vbNet } from './architectures/vb-net.js';
import type { NetworkDefinition } from './definition.js';

/** In the order of the catalogue. */
export const networkDefinitions = {
  'qchc-unet': qchcUnet,
  unet3d,
  'residual-unet3d': residualUnet3d,
  'dense-unet3d': denseUnet3d,
  'dru-net': druNet,
  'unet-pp': unetPp,
  'attention-unet3d': attentionUnet3d,
  'vb-net': vbNet,
  's3d-unet': s3dUnet,
  'deep-unet3d': deepUnet3d,
  nnunet3d,
} satisfies Readonly<Record<string, NetworkDefinition>>;
