/**
 * Similarity of two strings, equal to Python's `difflib.SequenceMatcher(None, a, b).ratio()`, its rule for frequent
 * characters in strings of 200 and more included.
 *
 * @returns 2 * matching characters / all characters; 1 for two empty strings.
 */
export function sequenceRatio(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  const total = left.length + right.length;
  if (total === 0) return 1;
  const places = positions(right);
  let matches = 0;
  const open: [number, number, number, number][] = [[0, left.length, 0, right.length]];
  while (open.length > 0) {
    const [aLow, aHigh, bLow, bHigh] = open.pop()!;
    const [i, j, size] = longestMatch(left, right, places, aLow, aHigh, bLow, bHigh);
    if (size === 0) continue;
    matches += size;
    if (aLow < i && bLow < j) open.push([aLow, i, bLow, j]);
    if (i + size < aHigh && j + size < bHigh) open.push([i + size, aHigh, j + size, bHigh]);
  }
  return (2 * matches) / total;
}

/** Where each character of b is; characters that make up over 1% of a long b are left out, as difflib does. */
function positions(b: string[]): Map<string, number[]> {
  const out = new Map<string, number[]>();
  b.forEach((character, j) => {
    const list = out.get(character);
    if (list) list.push(j);
    else out.set(character, [j]);
  });
  if (b.length >= 200) {
    const limit = Math.floor(b.length / 100) + 1;
    for (const [character, list] of out) if (list.length > limit) out.delete(character);
  }
  return out;
}

/** The longest common block in the given ranges; the earliest in a, then in b, among equals. */
function longestMatch(
  a: string[],
  b: string[],
  places: Map<string, number[]>,
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
): [number, number, number] {
  let [bestA, bestB, size] = [aLow, bLow, 0];
  let lengths = new Map<number, number>();
  for (let i = aLow; i < aHigh; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i]) ?? []) {
      if (j < bLow) continue;
      if (j >= bHigh) break;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > size) [bestA, bestB, size] = [i - length + 1, j - length + 1, length];
    }
    lengths = next;
  }
  while (bestA > aLow && bestB > bLow && a[bestA - 1] === b[bestB - 1]) {
    [bestA, bestB, size] = [bestA - 1, bestB - 1, size + 1];
  }
  while (bestA + size < aHigh && bestB + size < bHigh && a[bestA + size] === b[bestB + size]) size++;
  return [bestA, bestB, size];
}
