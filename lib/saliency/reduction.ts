import { type LayerAttended } from "../model/mod.ts";
import { tf } from "../tensor/mod.ts";
import type { SequenceLayout } from "./directions.ts";
import type { AnswerMatrices } from "./image_to_response.ts";
import { valuesOf } from "./matrices.ts";
import { startRollout } from "./rollout.ts";

/** What is kept of all layers' attention. */
export interface ReducedAttention extends AnswerMatrices {
  /** Attention of the last layer, mean over heads, `[L, L]`. */
  lastLayer: Float32Array;
  /** Rollout with bos and newline left in, `[L, L]`. */
  rolloutWithSinks: Float32Array;
}

/** Takes the attention of one answer layer by layer, first layer first, and holds five `[L, L]` matrices at most. */
export interface Reduction {
  /**
   * Goes on to the next layer.
   * @param layer `[1, H, L, L]` each
   */
  add(layer: LayerAttended): void;
  /** Of the layers so far. */
  result(): ReducedAttention;
}

const addTo = (sum: Float32Array, values: Float32Array) => values.forEach((value, i) => sum[i] += value);

/** Starts the reduction of an answer's attention. */
export function startReduction(
  { length, imageStart, rows, columns, response, sinks }: SequenceLayout,
): Reduction {
  const patches = rows * columns, tokens = response.length;
  const raw = new Float32Array(length * length), overAnswer = new Float32Array(patches * tokens);
  const dropped = startRollout(length, { dropped: sinks }), whole = startRollout(length);
  let layers = 0, lastLayer: Float32Array = raw;
  return {
    add({ attention, scores }) {
      layers++;
      lastLayer = valuesOf(() => {
        const mean = tf.mean(attention, [0, 1]);
        for (const rollout of [dropped, whole]) rollout.add(mean);
        return mean;
      });
      addTo(raw, lastLayer);
      addTo(
        overAnswer,
        valuesOf(() => {
          const keys = tf.slice(scores, [0, 0, imageStart, response[0]], [1, -1, patches, tokens]);
          return tf.mean(tf.softmax(keys), [0, 1]);
        }),
      );
    },
    result: () => ({
      raw: raw.map((weight) => weight / layers),
      lastLayer,
      rollout: dropped.result(),
      rolloutWithSinks: whole.result(),
      overAnswer: overAnswer.map((weight) => weight / layers),
    }),
  };
}
