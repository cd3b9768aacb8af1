/** Every volume format there is, one line each. */
export { metaImageFormat } from '../metaimage/format.js';
export { niftiFormat } from '../nifti/format.js';
export { nrrdFormat } from '../nrrd/format.js';
