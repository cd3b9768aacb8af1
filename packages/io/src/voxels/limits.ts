/** Largest voxel array, in bytes, that is read unless the caller allows more: 8 GiB. */
export const defaultMaxBytes: number = 8 * 2 ** 30;
