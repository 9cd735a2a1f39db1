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

/**
 * Gradients of the labels' log-probability (the negative of `crossEntropy`; their sum, if they were made with `total: 1`) for
 * the attention probabilities of every decoder layer. What reaches the logits through later layers counts too.
 *
 * One layer at a time is computed again and differentiated, so that only the layers' inputs are kept besides.
 *
 * @returns float32 `[B, H, L, L]` of each layer, first layer first
 */
export function attentionGradients(
  model: Model,
  inputs: ModelInputs | FeatureInputs,
  labels: LabelRows,
): Tensor[] {
  const { params, adapter, config } = model, { layers, heads, hiddenSize } = config.text;
  const [batch, length] = inputs.ids.shape as [number, number], w = modelWeights(model);
  return tidy(() => {
    const options = { adapter, capture: { hiddenStates: true }, logitsAt: labels.rows };
    const { text: inputsOf } = forward(params, inputs, config, options).hiddenStates!;
    const shared = attentionInputs(inputs, config, dtypeOf(w));
    const nudge = tf.zeros([batch, heads, length, length]), gradients: Tensor[] = [];
    let dy: Tensor | null = null; // of the output of the layer at hand
    for (let k = layers - 1; k >= 0; k--) {
      const own = within(w, `language_model.layers.${k}`);
      const layer = ({ h, nudge }: Leaves) => decoderLayer(own, h, batch, config, { ...shared, nudge }).h;
      const logprob = (at: Leaves) =>
        tf.neg<Tensor>(crossEntropy(lmHead(w, gather(layer(at), labels.rows), config), labels));
      const at = { h: tf.reshape(inputsOf[k], [batch * length, hiddenSize]), nudge };
      const found: Leaves = dy ? vjp(layer, at, dy) : valueAndGradients(logprob, at).gradients;
      gradients.unshift(found.nudge);
      dy = found.h;
    }
    return gradients;
  });
}
