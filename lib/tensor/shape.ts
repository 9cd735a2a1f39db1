/** What a shape may be, before TensorFlow is asked: it ends the process where a shape is negative or overflows. */

/** TensorShape::MaxDimensions. */
const MAX_RANK = 254;

/** Why these are not dimensions of a tensor, null if they are. Zeros do not hide what the others multiply to. */
function problem(shape: readonly number[]): string | null {
  if (shape.length > MAX_RANK) return `it has ${shape.length} dimensions, more than ${MAX_RANK}`;
  let product = 1;
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0) return `${d} is not a size`;
    product *= Math.max(d, 1);
  }
  return product <= Number.MAX_SAFE_INTEGER ? null : "its elements cannot be counted";
}

/**
 * The number of elements of a shape.
 * @throws if a size is negative or no whole number, or there are 2^53 elements or more
 */
export function elements(shape: readonly number[]): number {
  const wrong = problem(shape);
  if (wrong !== null) throw new Error(`[${shape.slice(0, 8)}] is not the shape of a tensor: ${wrong}.`);
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Whether this is a shape of which some sizes may be unknown (-1). */
export const isPartialShape = (shape: readonly number[]): boolean =>
  problem(shape.filter((d) => d !== -1)) === null;
