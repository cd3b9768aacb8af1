import { permuteAndFlip, type Size3, type Vector3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { anatomyProblem } from './anatomy.js';
import { chest } from './chest.test.helpers.js';
import { scanDefects } from './scan-defects.js';

const whole = chest();
const orders = [
  [0, 1, 2],
  [1, 0, 2],
  [0, 2, 1],
  [2, 1, 0],
  [1, 2, 0],
  [2, 0, 1],
] as const;
const windowed = (hu: number): number => Math.max(0, Math.min(255, Math.round(((hu + 1250) / 1500) * 255)));

/** Voxels in another order under the header of an upright scan: what a converter leaves that loses an axis. */
function mistaken(order: Vector3, flips: number, { voxels, size, affine }: Volume = whole): Volume {
  const flip = [(flips & 1) > 0, (flips & 2) > 0, (flips & 4) > 0] as const;
  const turned = permuteAndFlip(voxels, size, { permutation: order, flip });
  const [x, y, z] = order.map((axis) => Math.hypot(affine[axis], affine[4 + axis], affine[8 + axis]));
  return { ...turned, affine: [-x, 0, 0, 0, 0, -y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1] };
}

describe('a chest that lies as its header says', () => {
  it('is not doubted: in HU, in 0–255, mirrored, stored in any order, a part of one', () => {
    expect(anatomyProblem(whole)).toBeUndefined();
    expect(anatomyProblem({ ...whole, voxels: Uint8Array.from(whole.voxels, windowed) })).toBeUndefined();
    // Left and right cannot be told.
    expect(anatomyProblem(mistaken([0, 1, 2], 1))).toBeUndefined();
    const { voxels, size } = permuteAndFlip(whole.voxels, whole.size, {
      permutation: [2, 0, 1],
      flip: [true, false, true],
    });
    const affine = [0, -4, 0, 0, 0, 0, 4, 0, -4.5, 0, 0, 0, 0, 0, 0, 1];
    expect(anatomyProblem({ voxels, size, affine })).toBeUndefined();
    const part: Size3 = [whole.size[0], whole.size[1], 30];
    const lower = whole.voxels.slice(0, part[0] * part[1] * part[2]);
    expect(anatomyProblem({ ...mistaken([0, 1, 2], 2), voxels: lower, size: part })).toBeUndefined();
  });

  it('is not doubted where nothing can be seen', () => {
    for (const value of [-1000, 40]) {
      const voxels = whole.voxels.map((_, at) => value + (at % 3));
      expect(anatomyProblem({ ...whole, voxels })).toBeUndefined();
    }
  });
});

describe('a chest that lies otherwise is doubted', () => {
  it.each(orders.flatMap((order) => [0, 1, 2, 3, 4, 5, 6, 7].map((flips) => ({ order, flips }))).slice(2))(
    'axes $order, flips $flips',
    ({ order, flips }) => {
      const scan = mistaken(order, flips);
      const doubt = anatomyProblem(scan);
      expect(doubt).toMatch(/may be exchanged$/);
      expect(scanDefects(scan)).toContainEqual({ kind: 'anatomy', message: doubt });
    },
  );

  it('in words that say what was seen', () => {
    expect(anatomyProblem(mistaken([0, 1, 2], 2))).toMatch(
      /^the spine lies \d+ mm before the middle of the body; front/,
    );
    expect(anatomyProblem(mistaken([0, 1, 2], 4))).toMatch(
      /^the lungs are narrow below and wide above; top and bottom/,
    );
    expect(anatomyProblem(mistaken([1, 0, 2], 0))).toMatch(/^the spine lies \d+ mm beside the middle of the body/);
    expect(anatomyProblem(mistaken([2, 1, 0], 0))).toMatch(/^the spine runs along the axis that is called left–right/);
    expect(anatomyProblem(mistaken([0, 2, 1], 0))).toMatch(/^the spine runs along the axis that is called front–back/);
  });
});
