import type { Volume } from '@quickcolumn/volume';

/** Whether a scan is in HU: spec section 3, a minimum below −200 can be nothing else. */
export function holdsHu({ voxels }: Volume): boolean {
  for (let i = 0; i < voxels.length; i++) if (voxels[i] < -200) return true;
  return false;
}
