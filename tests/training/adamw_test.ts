import { assert, assertEquals, assertThrows } from "@std/assert";
import { tf } from "@lib/tensor/mod.ts";
import { forward, lossAndGradients, mergeAdapter } from "@lib/model/mod.ts";
import type { Params } from "@lib/weights/mod.ts";
import { adamW, type AdamWState, initAdamW, TORCH_ADAMW } from "../../lib/training/adamw.ts";
import { assertNear, fixture, NAMES, waysOf } from "../model/fixture.ts";

const project = (p: Params) =>
  Object.fromEntries(Object.entries(p).filter(([n]) => n.startsWith("multi_modal_projector.")));

for (const name of NAMES) {
  for (const [way, run] of waysOf(name, ["image_id_past_vocab"])) {
    Deno.test(`${name}, ${way}: five AdamW steps of each stage end where torch's end, and what is frozen stays`, async () => {
      const { params, config, adapter, inputs, labels, record, info } = await fixture(name);
      const frozen = Object.entries(params).map(([n, t]) => [n, t.dataSync().slice()] as const);
      const stages = [
        { stage: "stage1", start: project(params), base: params, log: info.stage1 },
        {
          stage: "stage2",
          start: adapter.params,
          base: { ...params, ...adapter.projector },
          log: info.stage2,
        },
      ];
      for (const { stage, start, base, log } of stages) {
        const { lr, steps, ...settings } = log.adamw;
        assertEquals(settings, TORCH_ADAMW as typeof settings);
        const step = run((base: Params, trained: Params, state: AdamWState, rate: typeof learningRate) => {
          const w = { tensors: { ...base, ...trained }, loraScale: adapter.config.alpha / adapter.config.r };
          const { loss, gradients } = lossAndGradients(w, Object.keys(trained), inputs, labels, config);
          return { loss, ...adamW(trained, gradients, state, rate, TORCH_ADAMW) };
        });
        const learningRate = tf.scalar(lr);
        let trained = start, state = initAdamW(start);
        for (let i = 0; i <= steps; i++) {
          const out = step(base, trained, state, learningRate), loss = out.loss.dataSync()[0];
          assert(
            Math.abs(loss - log.losses[i]) < 5e-5,
            `${stage}, loss after ${i} steps: ${loss}, torch ${log.losses[i]}`,
          );
          if (i === steps) break;
          trained = out.params;
          state = out.state;
        }
        for (const [n, t] of Object.entries(trained)) {
          assertNear(`${stage} ${n}`, t, record[`${stage}.final.${n}`], 2e-4);
        }
        if (stage === "stage2") {
          const after = { ...adapter, params: trained };
          const { logits } = forward(params, inputs, config, { adapter: after });
          assertNear("logits after stage 2", logits, record["stage2.logits"], 1e-3);
          const merged = forward(mergeAdapter(params, after), inputs, config).logits;
          assertNear("merged logits after stage 2", merged, record["stage2.merged_logits"], 1e-3);
        }
      }
      for (const [n, before] of frozen) assertEquals(params[n].dataSync(), before, `${n} has changed`);
    });
  }
}

Deno.test("AdamW decays by name, and says whose gradient is missing", () => {
  const params = { "a.weight": tf.tensor1d([1, 2]), "a.bias": tf.tensor1d([1, 2]) };
  const zero = { "a.weight": tf.zeros([2]), "a.bias": tf.zeros([2]) };
  const settings = { ...TORCH_ADAMW, weightDecay: (n: string) => n.endsWith("weight") ? 0.1 : 0 };
  const out = adamW(params, zero, initAdamW(params), 0.5, settings);
  assertNear("decayed", out.params["a.weight"], tf.tensor1d([0.95, 1.9]), 1e-6);
  assertEquals([...out.params["a.bias"].dataSync()], [1, 2]);
  assertThrows(() => adamW(params, {}, initAdamW(params), 0.5, settings), Error, '"a.weight"');
});

Deno.test("the first step has the size of the rate, whatever the gradient's size (bias correction)", () => {
  const params = { x: tf.tensor1d([1, 1, 1]) }, gradients = { x: tf.tensor1d([1e-3, 1, -1e3]) };
  const out = adamW(params, gradients, initAdamW(params), 0.1, { ...TORCH_ADAMW, weightDecay: 0 });
  assertNear("stepped", out.params.x, tf.tensor1d([0.9, 0.9, 1.1]), 2e-6);
});
