/** Every network there is, one line each, under the name that configurations, model files and the command line call it by. */
export { attentionUnet3d as 'attention-unet3d' } from './architectures/attention-unet3d.js';
export { deepUnet3d as 'deep-unet3d' } from './architectures/deep-unet3d.js';
export { denseUnet3d as 'dense-unet3d' } from './architectures/dense-unet3d.js';
export { druNet as 'dru-net' } from './architectures/dru-net.js';
export { nnunet3d } from './architectures/nnunet3d.js';
export { qchcUnet as 'qchc-unet' } from './architectures/qchc-unet.js';
export { residualUnet3d as 'residual-unet3d' } from './architectures/residual-unet3d.js';
export { s3dUnet as 's3d-unet' } from './architectures/s3d-unet.js';
export { unet3d } from './architectures/unet3d.js';
export { unetPp as 'unet-pp' } from './architectures/unet-pp.js';
export { vbNet as 'vb-net' } from './architectures/vb-net.js';
