/** Gradients for attention probabilities, against finite differences of passes with other probabilities. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { rng } from "@lib/config/mod.ts";
import { attentionGradients, crossEntropy, forward, labelRows } from "@lib/model/mod.ts";
import { attend } from "@lib/model/attention.ts";
import { lmHead } from "@lib/model/gemma.ts";
import { memory } from "@lib/tensor/memory.ts";
import { gather, matMul, tf, tidy } from "@lib/tensor/mod.ts";
import { decoderLayer } from "../../lib/model/gemma.ts";
import { within } from "../../lib/model/layers.ts";
import { attentionInputs, type Model, modelWeights } from "../../lib/model/paligemma.ts";
import { assertNear, type Fixture, fixture } from "./fixture.ts";

const random = rng("attention gradients");
const drawn = (shape: number[]) =>
  tf.tensor(Float32Array.from({ length: shape.reduce((n, m) => n * m, 1) }, () => 2 * random() - 1), shape);

Deno.test("what is added to probabilities is mixed as they are", () => {
  const q = drawn([2, 4, 3, 5]),
    [k, v] = [drawn([2, 4, 6, 5]), drawn([2, 4, 6, 5])],
    nudge = drawn([2, 4, 3, 6]);
  const plain = attend(q, k, v), nudged = attend(q, k, v, undefined, nudge);
  const more = tf.reshape(tf.transpose(matMul(nudge, v), [0, 2, 1, 3]), [6, 20]);
  assertNear("mixed", nudged.mixed, tf.add(plain.mixed, more), 1e-5);
  assertNear("attention", nudged.attention, tf.add(plain.attention, nudge), 1e-6);
});

/** The labels' log-probability when `nudge` is added to the probabilities of layer `at`. */
function logprob({ inputs, labels }: Fixture, model: Model, at: number, nudge: Tensor): number {
  return tidy(() => {
    const { config } = model, w = modelWeights(model), [batch] = inputs.ids.shape as [number, number];
    const { hiddenStates } = forward(model.params, inputs, config, {
      adapter: model.adapter,
      capture: { hiddenStates: true },
    });
    const shared = attentionInputs(inputs, config, "float32");
    let h: Tensor = tf.reshape(hiddenStates!.text[0], [-1, config.text.hiddenSize]);
    for (let k = 0; k < config.text.layers; k++) {
      const own = within(w, `language_model.layers.${k}`);
      h = decoderLayer(own, h, batch, config, k === at ? { ...shared, nudge } : shared).h;
    }
    return -crossEntropy(lmHead(w, gather(h, labels.rows), config), labels).dataSync()[0];
  });
}

for (const name of ["gqa_right", "mha_text_only"]) {
  Deno.test(`${name}: gradients for the attention of every layer are slopes of the log-probability`, async () => {
    const one = await fixture(name), { params, config, adapter, inputs } = one;
    const model: Model = { params, config, adapter, dtype: "float32" };
    const rows = one.record.labels.dataSync<"int32">(),
      [batch, length] = inputs.ids.shape as [number, number];
    const labels = labelRows(rows, batch, length, { total: 1 });
    const before = memory().tensors,
      gradients: Tensor[] = [],
      attentions: Tensor[] = [],
      order: number[] = [];
    attentionGradients(model, inputs, labels, ({ attention, gradient }, k) => {
      attentions[k] = tf.keep(tf.clone(attention));
      gradients[k] = tf.keep(tf.clone(gradient));
      order.push(k);
    });
    assertEquals(order, [...gradients.keys()].reverse());
    assertEquals(gradients.length, config.text.layers);
    assertEquals(memory().tensors, before + 2 * gradients.length, "attentionGradients leaves tensors behind");
    const stop = () => {
      throw new Error("enough");
    };
    assertThrows(() => attentionGradients(model, inputs, labels, stop), Error, "enough");
    assertEquals(memory().tensors, before + 2 * gradients.length, "an error leaves tensors behind");
    const { adapter: own } = model;
    const whole = forward(params, inputs, config, { adapter: own, capture: { attentions: "text" } });
    for (const [k, g] of gradients.entries()) {
      assertNear(`attention of layer ${k}`, attentions[k], whole.attentions!.text[k], 1e-6);
      const norm = tf.norm(g).dataSync()[0];
      assert(norm > 1e-3, `layer ${k}: a gradient of ${norm} tells nothing`);
      for (const direction of [tf.div<Tensor>(g, norm), tf.mul<Tensor>(drawn(g.shape), tf.sign(g))]) {
        const step = 0.02 / tf.norm(direction).dataSync()[0];
        const [up, down] = [1, -1].map((sign) =>
          logprob({ ...one, labels }, model, k, tf.mul(direction, sign * step))
        );
        const slope = (up - down) / (2 * step), said = tf.sum(tf.mul(g, direction)).dataSync()[0];
        const allowed = 0.02 * Math.max(Math.abs(said), norm * 0.1);
        assert(Math.abs(slope - said) < allowed, `layer ${k}: slope ${slope}, the gradient says ${said}`);
      }
    }
  });
}
