import { THUMBNAIL } from "../image/mod.ts";
import { detailsOf, UNIT } from "./details.ts";

/** Where a point (x, y) of one thumbnail lies in another: (wide x + right, high y + down). */
export interface Placement {
  /** Factor of x. */
  wide: number;
  /** Factor of y. */
  high: number;
  /** Added to x. */
  right: number;
  /** Added to y. */
  down: number;
}

const SIDE = THUMBNAIL;
/** Steps of the fit, the overlap in shares of the smaller picture, and the range of scales: copies differ by less. */
const STEPS = 12, OVERLAP = 0.5, SMALLEST = 0.6, LARGEST = 1 / SMALLEST;
/** A step by so many points, all four numbers of a placement together, is the last one. */
const SETTLED = 0.02;

/** A placement and how well the details agree there: their correlation, where large differences count little. */
export interface Fit {
  placement: Placement;
  correlation: number;
}

/**
 * Fits a placement so that the details of `a` there agree with those of `b`: Gauss-Newton on their differences, where
 * large ones (a text that one of them has) count little (Cauchy's weights).
 * @param side of the two pictures
 * @param stride of the points of `b` that are compared, in each direction
 * @returns null when the two part: a scale that no copy has, or half of the smaller one not in the other
 */
export function fitPlacement(
  a: Int8Array,
  b: Int8Array,
  start: Placement,
  side: number,
  stride: number,
): Fit | null {
  let { wide, high, right, down } = start, correlation = 0;
  const scale = 1 / UNIT, m = new Float64Array(20), all = Math.ceil(side / stride) ** 2;
  for (let step = 0; step < STEPS; step++) {
    m.fill(0);
    let points = 0, aa = 0, bb = 0, ab = 0;
    for (let y = 0; y < side; y += stride) {
      const py = high * y + down, y0 = Math.floor(py), fy = py - y0;
      if (!(y0 >= 0 && y0 < side - 1)) continue;
      for (let x = 0; x < side; x += stride) {
        const px = wide * x + right, x0 = Math.floor(px), fx = px - x0;
        if (!(x0 >= 0 && x0 < side - 1)) continue;
        points++;
        const at = y0 * side + x0, p = a[at], q = a[at + 1], r = a[at + side], s = a[at + side + 1];
        const upper = p + fx * (q - p), lower = r + fx * (s - r);
        const va = scale * (upper + fy * (lower - upper)), vb = scale * b[y * side + x], error = va - vb;
        const gx = scale * (q - p + fy * (s - r - q + p)), gy = scale * (lower - upper);
        const weight = 1 / (1 + 4 * error * error);
        const gxx = gx * x, gyy = gy * y, wx = weight * gx, wy = weight * gy, wxx = wx * x, wyy = wy * y;
        aa += weight * va * va;
        bb += weight * vb * vb;
        ab += weight * va * vb;
        m[0] += wxx * gxx;
        m[1] += wxx * gx;
        m[2] += wxx * gyy;
        m[3] += wxx * gy;
        m[4] -= wxx * error;
        m[6] += wx * gx;
        m[7] += wx * gyy;
        m[8] += wx * gy;
        m[9] -= wx * error;
        m[12] += wyy * gyy;
        m[13] += wyy * gy;
        m[14] -= wyy * error;
        m[18] += wy * gy;
        m[19] -= wy * error;
      }
    }
    if (points < OVERLAP * all * Math.min(1, 1 / (wide * high))) return null;
    correlation = ab / Math.sqrt(aa * bb || 1);
    const change = solve(m);
    if (change === null) return null;
    wide += change[0];
    right += change[1];
    high += change[2];
    down += change[3];
    if (!(Math.min(wide, high) > SMALLEST && Math.max(wide, high) < LARGEST)) return null;
    const moved = (Math.abs(change[0]) + Math.abs(change[2])) * side + Math.abs(change[1]) +
      Math.abs(change[3]);
    if (moved < SETTLED) break;
  }
  return { placement: { wide, high, right, down }, correlation };
}

/** Solves four symmetric equations of which the upper triangle is given, with right sides in the fifth column. */
function solve(m: Float64Array): number[] | null {
  for (let r = 1; r < 4; r++) for (let c = 0; c < r; c++) m[r * 5 + c] = m[c * 5 + r];
  for (let r = 0; r < 4; r++) m[r * 5 + r] *= 1 + 1e-6;
  for (let k = 0; k < 4; k++) {
    if (!(m[k * 5 + k] > 1e-9)) return null;
    for (let r = k + 1; r < 4; r++) {
      const part = m[r * 5 + k] / m[k * 5 + k];
      for (let c = k; c < 5; c++) m[r * 5 + c] -= part * m[k * 5 + c];
    }
  }
  const x = [0, 0, 0, 0];
  for (let k = 3; k >= 0; k--) {
    let rest = m[k * 5 + 4];
    for (let c = k + 1; c < 4; c++) rest -= m[k * 5 + c] * x[c];
    x[k] = rest / m[k * 5 + k];
  }
  return x;
}

/** Tiles across a thumbnail, and the points across a tile. */
const TILES = 8, TILE = SIDE / TILES;
/** Share of what two pictures show that must agree, once a band of so many rows or columns of tiles is left out. */
const AGREEING = 0.8, BAND = 3;
/** Tiles with details that two pictures need to have in common to be compared. */
const FEWEST = 12;

/**
 * How much the details of two pictures agree where they overlap, tile by tile: the correlation that tiles with AGREEING of
 * them reach, where the band in which they agree least may be under a text and does not count. -1 when there is too little
 * to compare.
 * @param placement where a point of `b` lies in `a`
 */
export function agreement(a: Int8Array, b: Int8Array, placement: Placement): number {
  const tiles = tilesOf(a, b, placement), smaller = Math.min(1, 1 / (placement.wide * placement.high));
  if (tiles.length < OVERLAP * TILES ** 2 * smaller) return -1;
  tiles.sort((x, y) => y.correlation - x.correlation);
  let best = reached(tiles);
  for (const along of ["row", "column"] as const) {
    for (let from = 0; from + BAND <= TILES; from++) {
      const rest = tiles.filter((tile) => tile[along] < from || tile[along] >= from + BAND);
      best = Math.max(best, reached(rest));
    }
  }
  return best;
}

function tilesOf(a: Int8Array, b: Int8Array, placement: Placement): Tile[] {
  const tiles = Array.from(
    { length: TILES ** 2 },
    (_, i) => compareTile(a, b, placement, Math.floor(i / TILES), i % TILES),
  );
  return tiles.filter((tile) => tile !== null);
}

/** Blur for judging movement: what compression and resampling do to a copy is smaller than that, and a border is larger. */
const COARSE = 1.4;
const IN_PLACE: Placement = { wide: 1, high: 1, right: 0, down: 0 };

/**
 * How far the parts of one picture lie from where they are in the other, once the whole is in place: the median over the
 * tiles' details, in points of a thumbnail, without what noise explains. Near 0 for a copy; from one slice of a scan to the
 * next, borders move.
 * @param a grey levels, as `b`
 * @param placement where a point of `b` lies in `a`
 */
export function movement(a: Uint8Array, b: Uint8Array, placement: Placement): number {
  const [one, other] = inOneFrame(a, b, placement).map((picture) => detailsOf(picture, COARSE));
  const tiles = tilesOf(one, other, IN_PLACE);
  const right = median(tiles, (tile) => tile.right), down = median(tiles, (tile) => tile.down);
  return median(tiles, (tile) => {
    const squared = (tile.right - right) ** 2 + (tile.down - down) ** 2 - GRAINY * tile.variance;
    return Math.sqrt(Math.max(0, squared));
  });
}

/**
 * What two pictures have in common, each in the frame of `b`, and beyond it the nearest point of it: so that details are
 * measured against the same surroundings in both.
 */
function inOneFrame(a: Uint8Array, b: Uint8Array, placement: Placement): [Float32Array, Float32Array] {
  const { wide, high, right, down } = placement, end = SIDE - 1 - 1e-6;
  const [left, last] = [Math.max(0, Math.ceil(-right / wide)), Math.min(SIDE - 1, (end - right) / wide)];
  const [top, bottom] = [Math.max(0, Math.ceil(-down / high)), Math.min(SIDE - 1, (end - down) / high)];
  const one = new Float32Array(SIDE * SIDE), other = new Float32Array(SIDE * SIDE);
  for (let y = 0, i = 0; y < SIDE; y++) {
    const by = Math.min(Math.floor(bottom), Math.max(top, y)), ay = high * by + down;
    const y0 = Math.min(SIDE - 2, Math.max(0, Math.floor(ay))), fy = ay - y0;
    for (let x = 0; x < SIDE; x++, i++) {
      const bx = Math.min(Math.floor(last), Math.max(left, x)), ax = wide * bx + right;
      const x0 = Math.min(SIDE - 2, Math.max(0, Math.floor(ax))), fx = ax - x0, at = y0 * SIDE + x0;
      const upper = a[at] + fx * (a[at + 1] - a[at]);
      const lower = a[at + SIDE] + fx * (a[at + SIDE + 1] - a[at + SIDE]);
      one[i] = upper + fy * (lower - upper);
      other[i] = b[by * SIDE + bx];
    }
  }
  return [one, other];
}

/** What tiles with AGREEING of all details reach, of tiles in falling order. */
function reached(tiles: readonly Tile[]): number {
  const all = tiles.reduce((sum, { weight }) => sum + weight, 0);
  if (all < FEWEST) return -1;
  let left = AGREEING * all;
  for (const { correlation, weight } of tiles) {
    left -= weight;
    if (left <= 0) return correlation;
  }
  return -1;
}

/** Variance of a shift in units of what white noise makes: that of JPEG and resampling is alike at neighbouring points. */
const GRAINY = 4;

/** The median of a value over the details in tiles. */
function median(tiles: readonly Tile[], valueOf: (tile: Tile) => number): number {
  const values = tiles.map((tile) => ({ value: valueOf(tile), weight: tile.weight }));
  let left = values.reduce((sum, { weight }) => sum + weight, 0) / 2;
  return values.sort((x, y) => x.value - y.value).find(({ weight }) => (left -= weight) <= 0)?.value ?? 0;
}

interface Tile {
  row: number;
  column: number;
  correlation: number;
  /** 1 for a tile full of details, 0 for one without any. */
  weight: number;
  /** The shift that is left between the two, in points of `b`, and its variance if their differences were white noise. */
  right: number;
  down: number;
  variance: number;
}

/** A tile of `b` beside what `a` has there; null when `a` does not reach over half of it. */
function compareTile(
  a: Int8Array,
  b: Int8Array,
  { wide, high, right, down }: Placement,
  row: number,
  column: number,
): Tile | null {
  let n = 0, sa = 0, sb = 0, sx = 0, sy = 0, aa = 0, bb = 0, ab = 0;
  let xx = 0, xy = 0, yy = 0, ax = 0, ay = 0, bx = 0, by = 0;
  for (let y = row * TILE; y < (row + 1) * TILE; y++) {
    const py = high * y + down, y0 = Math.floor(py), fy = py - y0;
    const above = Math.max(0, y - 1) * SIDE, below = Math.min(SIDE - 1, y + 1) * SIDE;
    if (!(y0 >= 0 && y0 < SIDE - 1)) continue;
    for (let x = column * TILE; x < (column + 1) * TILE; x++) {
      const px = wide * x + right, x0 = Math.floor(px), fx = px - x0;
      if (!(x0 >= 0 && x0 < SIDE - 1)) continue;
      const at = y0 * SIDE + x0;
      const upper = a[at] + fx * (a[at + 1] - a[at]);
      const lower = a[at + SIDE] + fx * (a[at + SIDE + 1] - a[at + SIDE]);
      const va = upper + fy * (lower - upper), vb = b[y * SIDE + x];
      const gx = (b[y * SIDE + Math.min(SIDE - 1, x + 1)] - b[y * SIDE + Math.max(0, x - 1)]) / 2;
      const gy = (b[below + x] - b[above + x]) / 2;
      n++;
      sa += va;
      sb += vb;
      sx += gx;
      sy += gy;
      aa += va * va;
      bb += vb * vb;
      ab += va * vb;
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
      ax += va * gx;
      ay += va * gy;
      bx += vb * gx;
      by += vb * gy;
    }
  }
  if (2 * n < TILE * TILE) return null;
  const da = Math.max(0, aa - sa * sa / n), db = Math.max(0, bb - sb * sb / n), dab = ab - sa * sb / n;
  const gain = dab / (da || 1);
  // Least squares: gain * a - b = shift . (slope of b), all without their means; + 1 where there is no slope.
  const ex = gain * (ax - sa * sx / n) - (bx - sb * sx / n),
    ey = gain * (ay - sa * sy / n) - (by - sb * sy / n);
  const hxx = xx - sx * sx / n + 1, hyy = yy - sy * sy / n + 1, hxy = xy - sx * sy / n;
  const determinant = hxx * hyy - hxy * hxy;
  const shift = { right: (hyy * ex - hxy * ey) / determinant, down: (hxx * ey - hxy * ex) / determinant };
  const rest = Math.max(0, db - gain * dab - shift.right * ex - shift.down * ey);
  return {
    row,
    column,
    correlation: dab / Math.sqrt(da * db || 1),
    weight: Math.min(1, 4 * Math.max(da, db) / (n * UNIT * UNIT)),
    ...shift,
    variance: (rest / n) * (hxx + hyy) / determinant,
  };
}
