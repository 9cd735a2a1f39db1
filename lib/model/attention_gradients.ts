import type { Tensor } from "@tensorflow/tfjs";
import { gather, tf, tidy, valueAndGradients, vjp } from "../tensor/mod.ts";
import { decoderLayer, lmHead } from "./gemma.ts";
import { within } from "./layers.ts";
import { crossEntropy, type LabelRows } from "./loss.ts";
import {
  attentionInputs,
  dtypeOf,
  type FeatureInputs,
  forward,
  type Model,
  type ModelInputs,
  modelWeights,
} from "./paligemma.ts";

/** Where a layer's gradients are taken: its input `[B * L, D]`, and zeros `[B, H, L, L]` beside its probabilities. */
type Leaves = { h: Tensor; nudge: Tensor };

/** One decoder layer's attention probabilities and what is explained's gradient for them, float32 `[B, H, L, L]` each. */
export interface ExplainedAttention {
  /** The probabilities. */
  attention: Tensor;
  /** The gradient. */
  gradient: Tensor;
}

/**
 * Gradients of the labels' log-probability (the negative of `crossEntropy`; their sum, if they were made with `total: 1`) for
 * the attention probabilities of every decoder layer. What reaches the logits through later layers counts too.
 *
 * One layer at a time is computed again and differentiated, so that only the layers' inputs are kept besides.
 *
 * @param onLayer told of every layer and its number, the LAST layer first; both tensors are freed when it returns
 */
export function attentionGradients(
  model: Model,
  inputs: ModelInputs | FeatureInputs,
  labels: LabelRows,
  onLayer: (layer: ExplainedAttention, k: number) => void,
): void {
  const { params, adapter, config } = model, { layers, heads, hiddenSize } = config.text;
  const [batch, length] = inputs.ids.shape as [number, number], w = modelWeights(model);
  tidy(() => {
    const options = { adapter, capture: { hiddenStates: true }, logitsAt: labels.rows };
    const { text: inputsOf } = forward(params, inputs, config, options).hiddenStates!;
    const shared = attentionInputs(inputs, config, dtypeOf(w));
    const nudge = tf.zeros([batch, heads, length, length]);
    let dy: Tensor | null = null; // of the output of the layer at hand
    for (let k = layers - 1; k >= 0; k--) {
      const after: Tensor | null = dy, own = within(w, `language_model.layers.${k}`);
      dy = tidy(() => {
        const seen: Tensor[] = [];
        const layer = ({ h, nudge }: Leaves) => {
          const { h: output, attention } = decoderLayer(own, h, batch, config, { ...shared, nudge });
          seen.push(tf.keep(attention));
          return output;
        };
        const logprob = (at: Leaves) =>
          tf.neg<Tensor>(crossEntropy(lmHead(w, gather(layer(at), labels.rows), config), labels));
        const at = { h: tf.reshape(inputsOf[k], [batch * length, hiddenSize]), nudge };
        try {
          const found: Leaves = after ? vjp(layer, at, after) : valueAndGradients(logprob, at).gradients;
          onLayer({ attention: seen[0], gradient: found.nudge }, k);
          return found.h;
        } finally {
          tf.dispose(seen);
        }
      });
      after?.dispose();
    }
  });
}
