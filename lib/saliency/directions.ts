/** Where the parts of a PaliGemma sequence lie: positions in the token sequence. */
export interface SequenceLayout {
  /** Tokens of the sequence. */
  length: number;
  /** The image's patches are the positions imageStart ... imageStart + rows * columns - 1, row by row. */
  imageStart: number;
  /** Patches from top to bottom. */
  rows: number;
  /** Patches from left to right. */
  columns: number;
  /** Positions of the answer's tokens. */
  response: readonly number[];
  /** Positions that collect attention whatever is shown: bos and the newline before the answer. */
  sinks: readonly number[];
}

/**
 * The query whose output predicts the token at `position`: the one before it. Attention of the token itself is what is
 * used for the next one.
 */
export function predictingRow(position: number): number {
  if (position < 1) throw new RangeError(`The token at position ${position} is predicted by nothing.`);
  return position - 1;
}

/** The row of one query over the image's patches, `[rows * columns]`, not normalised. */
const patchesOf = (
  matrix: Float32Array,
  query: number,
  { length, imageStart, rows, columns }: SequenceLayout,
) => matrix.slice(query * length + imageStart, query * length + imageStart + rows * columns);

/**
 * Response to image (paper equation 2, left): where the query looks whose output is the answer's token.
 *
 * @param matrix [L, L], raw attention or rollout; `token` the position of an answer token (`layout.response`).
 * @returns [rows * columns], not normalised.
 */
export const responseToImage = (matrix: Float32Array, token: number, layout: SequenceLayout): Float32Array =>
  patchesOf(matrix, predictingRow(token), layout);

/**
 * Where any token looks: an answer's token by the row that predicts it (`responseToImage`), a token of the prefix, which
 * nothing predicts, by its own.
 *
 * @param matrix [L, L]; `token` a position
 * @returns [rows * columns], not normalised.
 */
export const tokenToImage = (matrix: Float32Array, token: number, layout: SequenceLayout): Float32Array =>
  layout.response.includes(token) ? responseToImage(matrix, token, layout) : patchesOf(matrix, token, layout);

/** How one query's weight is shared between the parts of the sequence. */
export interface AttentionShares {
  /** Share on the patches. */
  image: number;
  /** Share on the layout's sinks. */
  sinks: number;
  /** Share on all other tokens. */
  rest: number;
}

/** Shares of a row that go to the image, to bos and newline, and elsewhere. */
export function attentionShares(
  matrix: Float32Array,
  query: number,
  layout: SequenceLayout,
): AttentionShares {
  const row = matrix.subarray(query * layout.length, (query + 1) * layout.length);
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const total = sum(row);
  const image = sum(patchesOf(matrix, query, layout)) / total;
  const sinks = sum(layout.sinks.map((position) => row[position])) / total;
  return { image, sinks, rest: 1 - image - sinks };
}

/** A copy of [L, L] in which the sinks' columns are zero and each row sums to 1 again (rows left empty stay zero). */
export function withoutSinks(matrix: Float32Array, layout: SequenceLayout): Float32Array {
  const out = matrix.slice();
  for (let i = 0; i < layout.length; i++) {
    const row = out.subarray(i * layout.length, (i + 1) * layout.length);
    for (const j of layout.sinks) row[j] = 0;
    let sum = 0;
    for (const value of row) sum += value;
    if (sum > 0) { for (let j = 0; j < row.length; j++) row[j] /= sum; }
  }
  return out;
}
