/**
 * The nearest of many points, exact: a k-d tree, each part halved at its median along x, y and z in turn (Bentley,
 * "Multidimensional binary search trees", CACM 18, 1975). It serves grids whose axes are slanted.
 */

export interface PointTree {
  /** Squared distance to the nearest point, or `cap` where none is closer. */
  nearestSquared(x: number, y: number, z: number, cap: number): number;
}

/** Parts of so few points are searched one by one. */
const leaf = 8;

/** @param points x, y, z of one point after the other; the tree's own from now on, and put into its order */
export function pointTree(points: Float64Array): PointTree {
  arrange(points, 0, points.length / 3, 0);
  const query = new Float64Array(3);
  let best = 0;
  const see = (n: number): void => {
    const [dx, dy, dz] = [points[3 * n] - query[0], points[3 * n + 1] - query[1], points[3 * n + 2] - query[2]];
    const squared = dx * dx + dy * dy + dz * dz;
    if (squared < best) best = squared;
  };
  const search = (from: number, to: number, axis: number): void => {
    if (to - from <= leaf) {
      for (let n = from; n < to; n++) see(n);
      return;
    }
    const middle = (from + to) >> 1;
    see(middle);
    const beyond = query[axis] - points[3 * middle + axis];
    const next = (axis + 1) % 3;
    if (beyond < 0) search(from, middle, next);
    else search(middle + 1, to, next);
    if (beyond * beyond >= best) return;
    if (beyond < 0) search(middle + 1, to, next);
    else search(from, middle, next);
  };
  return {
    nearestSquared(x, y, z, cap) {
      query[0] = x;
      query[1] = y;
      query[2] = z;
      best = cap;
      search(0, points.length / 3, 0);
      return best;
    },
  };
}

function arrange(points: Float64Array, from: number, to: number, axis: number): void {
  if (to - from <= leaf) return;
  const middle = (from + to) >> 1;
  select(points, from, to - 1, middle, axis);
  const next = (axis + 1) % 3;
  arrange(points, from, middle, next);
  arrange(points, middle + 1, to, next);
}

/** Hoare's selection: the point of rank `rank` along the axis comes to its place, smaller ones before it, larger ones behind. */
function select(points: Float64Array, first: number, last: number, rank: number, axis: number): void {
  let [low, high] = [first, last];
  while (low < high) {
    const pivot = points[3 * ((low + high) >> 1) + axis];
    let [i, j] = [low, high];
    while (i <= j) {
      while (points[3 * i + axis] < pivot) i++;
      while (points[3 * j + axis] > pivot) j--;
      if (i > j) break;
      for (let c = 0; c < 3; c++) {
        const kept = points[3 * i + c];
        points[3 * i + c] = points[3 * j + c];
        points[3 * j + c] = kept;
      }
      i++;
      j--;
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else return;
  }
}
