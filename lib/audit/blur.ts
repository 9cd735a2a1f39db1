/**
 * A square picture blurred by a Gaussian; beyond its border it goes on as at the border.
 * @param sigma in pixels
 */
export function blur(picture: Float32Array, side: number, sigma: number): Float32Array {
  const weights = gaussian(sigma);
  return blurRowsTurned(blurRowsTurned(picture, side, weights), side, weights);
}

/** Half of a Gaussian of sum 1, from its middle on. */
function gaussian(sigma: number): Float32Array {
  const half = Float32Array.from(
    { length: Math.ceil(3 * sigma) + 1 },
    (_, i) => Math.exp(-i * i / (2 * sigma * sigma)),
  );
  const sum = half.reduce((total, weight, i) => total + (i === 0 ? weight : 2 * weight), 0);
  return half.map((weight) => weight / sum);
}

/** Blurs along the rows and turns rows into columns, so that two calls blur in both directions. */
function blurRowsTurned(picture: Float32Array, side: number, weights: Float32Array): Float32Array {
  const reach = weights.length - 1, line = new Float32Array(side + 2 * reach);
  const turned = new Float32Array(side * side);
  for (let y = 0; y < side; y++) {
    const row = y * side;
    line.fill(picture[row], 0, reach);
    line.set(picture.subarray(row, row + side), reach);
    line.fill(picture[row + side - 1], reach + side);
    for (let i = 0, at = reach; i < side; i++, at++) {
      let sum = weights[0] * line[at];
      for (let k = 1; k <= reach; k++) sum += weights[k] * (line[at - k] + line[at + k]);
      turned[i * side + y] = sum;
    }
  }
  return turned;
}
