/**
 * The eight ways to turn and mirror a square, by number: bit 2 exchanges x and y, then bit 0 mirrors left and right and
 * bit 1 upper and lower.
 */
export const TURNS = 8;

/** What a person calls them. */
export const TURN_NAMES: readonly string[] = [
  "upright",
  "mirrored left to right",
  "mirrored top to bottom",
  "turned by 180 degrees",
  "mirrored at the diagonal",
  "turned by 90 degrees",
  "turned by 270 degrees",
  "mirrored at the other diagonal",
];

/** Where a turn takes a point of a square of `side` pixels. */
export function turnPoint(turn: number, x: number, y: number, side: number): [x: number, y: number] {
  const [across, down] = turn & 4 ? [y, x] : [x, y];
  return [turn & 1 ? side - 1 - across : across, turn & 2 ? side - 1 - down : down];
}

/** A square picture turned. */
export function turnPicture<T extends Int8Array | Float32Array | Uint8Array>(
  picture: T,
  side: number,
  turn: number,
): T {
  const out = picture.slice() as T;
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      const [across, down] = turnPoint(turn, x, y, side);
      out[down * side + across] = picture[i];
    }
  }
  return out;
}
