/** Where the parts of a PaliGemma sequence lie: positions in the token sequence. */
export interface SequenceLayout {
  length: number;
  /** The image's patches are the positions imageStart ... imageStart + rows * columns - 1, row by row. */
  imageStart: number;
  rows: number;
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

/**
 * Response to image (paper equation 2, left): the row of one query over the image's patches.
 *
 * @param matrix [L, L], raw attention or rollout; `query` a position (`predictingRow` of an answer token, or the token).
 * @returns [rows * columns], not normalised.
 */
export function responseToImage(matrix: Float32Array, query: number, layout: SequenceLayout): Float32Array {
  const start = query * layout.length + layout.imageStart;
  return matrix.slice(start, start + layout.rows * layout.columns);
}

/** How image to response is read: as the authors' code does, or as equation 2 is written. */
export const IMAGE_TO_RESPONSE_READINGS = {
  column: "weights that the answer's queries give to the patch (what the authors' code shows)",
  row:
    "weights that the patch's query gives to the answer's keys (equation 2 as written; zero in PaliGemma, whose prefix does not see the answer)",
} as const;

/**
 * Image to response (paper equation 2, right): one weight per answer token.
 *
 * @param patch number of the patch within the image; `queries` the positions read for the answer's tokens, by default
 * `layout.response`.
 */
export function imageToResponse(
  matrix: Float32Array,
  patch: number,
  layout: SequenceLayout,
  reading: keyof typeof IMAGE_TO_RESPONSE_READINGS,
  queries: readonly number[] = layout.response,
): Float32Array {
  const position = layout.imageStart + patch;
  return Float32Array.from(
    queries,
    (token) =>
      reading === "column"
        ? matrix[token * layout.length + position]
        : matrix[position * layout.length + token],
  );
}

/**
 * Equation 2 in both readings: the summed weight between one patch and all of the answer, once as the paper writes it (the
 * patch's row) and once as the authors' code shows it (the patch's column, in the rows that predict the answer's tokens).
 *
 * @param patch number of the patch within the image
 */
export function summedReadings(
  matrix: Float32Array,
  patch: number,
  layout: SequenceLayout,
): Record<keyof typeof IMAGE_TO_RESPONSE_READINGS, number> {
  const queries = layout.response.map(predictingRow);
  const sum = (weights: Float32Array) => weights.reduce((total, weight) => total + weight, 0);
  return {
    row: sum(imageToResponse(matrix, patch, layout, "row")),
    column: sum(imageToResponse(matrix, patch, layout, "column", queries)),
  };
}

/** How one query's weight is shared between the parts of the sequence. */
export interface AttentionShares {
  image: number;
  sinks: number;
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
  const image = sum(responseToImage(matrix, query, layout)) / total;
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
