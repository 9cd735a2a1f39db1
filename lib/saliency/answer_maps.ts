import { decodeImage } from "../image/mod.ts";
import type { CapturedAnswer } from "./capture.ts";
import { responseToImage, type SequenceLayout, withoutSinks } from "./directions.ts";

/** Maps of one answer over the image's patches, response to image, mean over the answer's tokens. */
export const ANSWER_MAPS = {
  "raw attention": "mean over heads and layers, bos and newline taken out",
  "raw, with sinks": "the same with bos and newline left in",
  "last layer": "raw attention of the last layer alone",
  "rollout": "attention rollout with skip connections, bos and newline dropped in every layer",
  "rollout, with sinks": "the same with bos and newline left in",
  "rollout, diagonal": "how much of each patch stays at its own position: what the authors' tool shows",
  "gradient × attention":
    "what attention did for the answer's log-probability, layer on layer (Chefer et al. 2021)",
  "rollout through the tower": "rollout, carried on through the vision tower's own to the picture's patches",
} as const;
/** One of {@linkcode ANSWER_MAPS}. */
export type AnswerMap = keyof typeof ANSWER_MAPS;
/** Maps that need no more than the language model's attention. */
export type AttentionMap = Exclude<AnswerMap, "gradient × attention" | "rollout through the tower">;

/** Mean over the answer's tokens of the rows that predict them, `[rows * columns]`. */
export function meanOverAnswer(matrix: Float32Array, layout: SequenceLayout): Float32Array {
  const out = new Float32Array(layout.rows * layout.columns);
  for (const position of layout.response) {
    responseToImage(matrix, position, layout).forEach((weight, p) => out[p] += weight);
  }
  return out.map((weight) => weight / layout.response.length);
}

/** The map "rollout" alone. */
export const rolloutMap = ({ rollout, layout }: CapturedAnswer): Float32Array =>
  meanOverAnswer(rollout, layout);

/**
 * The map "gradient × attention" alone.
 *
 * @throws where no gradients were captured
 */
export function gradientMap({ relevance, layout }: CapturedAnswer): Float32Array {
  if (relevance) return meanOverAnswer(relevance, layout);
  throw new Error(
    "Expected gradients beside the attention, found none: capture with { gradients: true }.",
  );
}

/** All maps of one captured answer that need no more than the language model's attention. */
export function answerMaps(captured: CapturedAnswer): Record<AttentionMap, Float32Array> {
  const { layout, raw, lastLayer, rolloutWithSinks: full } = captured;
  const mean = (matrix: Float32Array) => meanOverAnswer(matrix, layout);
  return {
    "raw attention": mean(withoutSinks(raw, layout)),
    "raw, with sinks": mean(raw),
    "last layer": mean(withoutSinks(lastLayer, layout)),
    "rollout": rolloutMap(captured),
    "rollout, with sinks": mean(full),
    "rollout, diagonal": Float32Array.from(
      { length: layout.rows * layout.columns },
      (_, p) => full[(layout.imageStart + p) * (layout.length + 1)],
    ),
  };
}

/** A lesion's mask from a picture: 1 where it is brighter than half, `[height * width]`. */
export async function readMask(path: string): Promise<{ mask: Uint8Array; rows: number; columns: number }> {
  const { width, height, data } = await decodeImage(path);
  const mask = Uint8Array.from({ length: width * height }, (_, i) => Number(data[3 * i] > 127));
  return { mask, rows: height, columns: width };
}
