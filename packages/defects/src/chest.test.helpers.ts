/** A chest of simple shapes, as like a CT as the rules of this package look at it. */
import type { Volume } from '@quickcolumn/volume';

const [nx, ny, nz] = [88, 64, 72];
const mm = [4, 4, 4.5] as const;

const inside = (p: readonly number[], centre: readonly number[], radii: readonly number[]): boolean =>
  p.reduce((sum, value, axis) => sum + ((value - centre[axis]) / radii[axis]) ** 2, 0) < 1;

/** HU at a place: mm to the left, to the back and upwards of the middle of the chest. */
function huAt(x: number, y: number, z: number): number {
  // Shoulders are wide, the neck above is not.
  const width = z > 80 ? 160 - (z - 80) * 1.2 : 160;
  if (!inside([x, y], [0, 0], [width, 105])) return -1000;
  // Shoulder blades and the heads of the upper arms.
  const aside = Math.abs(x);
  if (z > 20 && z < 130 && inside([aside, y], [95, 70], [40, 12])) return 380;
  if (z > 90 && z < 140 && inside([aside, y], [118, 10], [24, 24])) return 380;
  const spine = inside([x, y], [0, 62], [22, 22]);
  if (spine) return inside([x, y], [0, 58], [16, 14]) ? 250 : 420;
  // The heart, a little to the left.
  if (inside([x, y, z], [20, -30, -40], [60, 45, 70])) return 60;
  const top = (z + 90) / 220;
  for (const side of [-1, 1]) {
    const lung = [58, 76].map((radius) => radius * Math.sqrt(Math.max(0, 1 - Math.max(0, top) ** 3)));
    // The tops of the lungs are near to the middle, their bases lie around the diaphragm.
    const middle = side * (76 - 34 * Math.max(0, top) ** 2);
    const dome = -100 + 100 * Math.max(0, 1 - ((x - middle) / 58) ** 2 - (y / 76) ** 2);
    if (z > dome && top < 1 && inside([x, y], [middle, 0], lung))
      return (400 + z + x / 2 + y / 2) % 80 < 30 ? -700 : -850;
  }
  if (z > -90 && z < 110 && !inside([x, y], [0, 0], [148, 93]) && (400 + z + y + (x * x) / 300) % 60 < 25) return 350;
  return inside([x, y], [0, 0], [width - 14, 91]) ? 40 : -90;
}

/** In HU, axes to left, posterior and superior. */
export function chest(): Volume<Float32Array> {
  const voxels = new Float32Array(nx * ny * nz);
  let noise = 1;
  for (let k = 0, at = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at++) {
        const hu = huAt((i - (nx - 1) / 2) * mm[0], (j - (ny - 1) / 2) * mm[1], (k - (nz - 1) / 2) * mm[2]);
        // A little noise that is the same every time (Park and Miller's generator).
        noise = (noise * 16_807) % 2_147_483_647;
        voxels[at] = hu + (noise % 41) - 20;
      }
    }
  }
  return { voxels, size: [nx, ny, nz], affine: [-mm[0], 0, 0, 0, 0, -mm[1], 0, 0, 0, 0, mm[2], 0, 0, 0, 0, 1] };
}
