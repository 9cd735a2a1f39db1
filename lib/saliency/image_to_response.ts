import { predictingRow, type SequenceLayout } from "./directions.ts";

/** How "image to response" (paper equation 2, right) is read. */
export const IMAGE_TO_RESPONSE = {
  "masked row":
    "the row of the patch's query at the answer's keys, as the model has it: zero, since the prefix does not see the answer",
  "softmax over the answer":
    "equation 2 as written: the softmax of the patch's query over the answer's keys alone. It sums to 1 for every patch, and no layer uses it",
  "column of raw attention":
    "what the authors' code shows: the patch's weight in the rows that predict the answer's tokens",
  "column of rollout": "the same of the rollout matrix",
} as const;
/** One of {@linkcode IMAGE_TO_RESPONSE}. */
export type ImageToResponse = keyof typeof IMAGE_TO_RESPONSE;

/** What the readings are taken from. */
export interface AnswerMatrices {
  /** Attention, mean over heads and layers, `[L, L]`. */
  raw: Float32Array;
  /** Rollout, bos and newline dropped in every layer, `[L, L]`. */
  rollout: Float32Array;
  /**
   * Equation 2 as it is written: the softmax of every patch's query over the answer's keys alone, mean over heads and
   * layers, `[patches * answer tokens]`. (Of what the mask hides: no layer uses it.)
   */
  overAnswer: Float32Array;
}

/**
 * Image to response in every reading: one weight per answer token.
 *
 * @param patch number of the patch within the image
 */
export function imageToResponse(
  { raw, rollout, overAnswer }: AnswerMatrices,
  patch: number,
  { length, imageStart, response }: SequenceLayout,
): Record<ImageToResponse, Float32Array> {
  const position = imageStart + patch, tokens = response.length;
  const predicting = (matrix: Float32Array) =>
    Float32Array.from(response, (token) => matrix[predictingRow(token) * length + position]);
  return {
    "masked row": Float32Array.from(response, (token) => raw[position * length + token]),
    "softmax over the answer": overAnswer.slice(patch * tokens, (patch + 1) * tokens),
    "column of raw attention": predicting(raw),
    "column of rollout": predicting(rollout),
  };
}

/** What the readings amount to over all patches of an answer. */
export interface ImageToResponseSummary {
  /** Largest weight of a masked row. */
  maskedRow: number;
  /** Smallest and largest sum of a patch's softmax over the answer: 1 and 1. */
  overAnswer: [number, number];
  /** Largest sum of a patch's column over the smallest: how much patches differ. */
  column: { raw: number; rollout: number };
}

/** Sums of every patch in every reading, in short. */
export function summariseImageToResponse(
  matrices: AnswerMatrices,
  layout: SequenceLayout,
): ImageToResponseSummary {
  const patches = Array.from(
    { length: layout.rows * layout.columns },
    (_, patch) => imageToResponse(matrices, patch, layout),
  );
  const sums = (reading: ImageToResponse) =>
    patches.map((one) => one[reading].reduce((sum, weight) => sum + weight, 0));
  const ratio = (values: number[]) => Math.max(...values) / Math.min(...values);
  const written = sums("softmax over the answer");
  return {
    maskedRow: Math.max(...patches.map((one) => Math.max(...one["masked row"]))),
    overAnswer: [Math.min(...written), Math.max(...written)],
    column: { raw: ratio(sums("column of raw attention")), rollout: ratio(sums("column of rollout")) },
  };
}
