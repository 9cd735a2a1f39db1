import { assert, assertEquals } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { jit, realType, tf } from "@lib/tensor/mod.ts";
import { promotions } from "@lib/tensor/cast.ts";
import { forward, generate, lossAndGradients, weightsOf } from "@lib/model/mod.ts";
import { loadCheckpoint, type Params } from "@lib/weights/mod.ts";
import { difference, fixture, NAMES } from "./fixture.ts";

const relative = (a: Tensor, b: Tensor) => tf.div(tf.norm(tf.sub(a, b)), tf.norm(b)).dataSync()[0];
const halved = async (folder: string) => (await loadCheckpoint(folder, { dtype: "bfloat16" })).params;
const flat = (g: Params) => tf.concat(Object.keys(g).sort().map((n) => tf.reshape(g[n], [-1])));

/** Error of the gradients against float32's, in units of transformers' error, by model. */
const gradientErrors: number[] = [];

for (const name of NAMES) {
  Deno.test(`${name}: with bf16 weights the logits, loss and gradients are as near float32's as transformers' are`, async () => {
    const { params, config, adapter, inputs, labels, info, folder } = await fixture(name);
    const half = await halved(folder), trained = Object.keys(adapter.params);
    for (const t of Object.values(half)) assertEquals(realType(t), "bfloat16");
    const full = lossAndGradients(weightsOf(params, adapter), trained, inputs, labels, config);
    const logits = forward(params, inputs, config, { adapter }).logits;
    const f = (recompute: boolean) => (base: Params) => ({
      logits: forward(base, inputs, config, { adapter }).logits,
      ...lossAndGradients(weightsOf(base, adapter), trained, inputs, labels, config, { recompute }),
    });
    for (
      const [way, run] of [["eager", f(false)], ["graph", jit(f(false))], [
        "graph, by block",
        jit(f(true)),
      ]] as const
    ) {
      const out = run(half),
        off = relative(out.logits, logits),
        g = relative(flat(out.gradients), flat(full.gradients));
      const theirs = info.bf16;
      assert(
        off > 1e-4 && off < 1.5 * theirs.logits,
        `${way}: logits off by ${off}, transformers' by ${theirs.logits}`,
      );
      const loss = out.loss.dataSync()[0];
      assert(
        Math.abs(loss / info.stage2.losses[0] - 1) < 0.02,
        `${way}: loss ${loss}, float32 ${info.stage2.losses[0]}`,
      );
      // Rounding differently (gelu in float32, say) halves or doubles this in models so small.
      assert(
        g < 3 * theirs.gradients,
        `${way}: gradients off by ${g}, transformers' by ${theirs.gradients}`,
      );
      if (way === "graph") gradientErrors.push(g / theirs.gradients);
      // PEFT keeps adapters in float32 on a bf16 model; so must their gradients be.
      for (const t of Object.values(out.gradients)) assertEquals(realType(t), "float32");
    }
  });
}

Deno.test("over the four models, gradients with bf16 weights are at most twice as far off as transformers'", () => {
  assertEquals(gradientErrors.length, NAMES.length);
  const mean = Math.hypot(...gradientErrors) / Math.sqrt(NAMES.length);
  assert(mean < 2, `${gradientErrors}`);
});

Deno.test("attention probabilities and logits of a bf16 model are float32, hidden states bf16", async () => {
  const { config, inputs, folder } = await fixture("gqa_right"), params = await halved(folder);
  const out = forward(params, inputs, config, {
    capture: { attentions: "all", hiddenStates: true },
  });
  assertEquals(realType(out.logits), "float32");
  assertEquals([...promotions()], [], "bf16 met float32 somewhere, and all behind it went on in float32");
  for (const a of [...out.attentions!.text, ...out.attentions!.vision]) {
    assertEquals(realType(a), "float32");
    const rows = tf.sum(a, -1);
    assert(difference(rows, tf.onesLike(rows)) < 1e-5, "probabilities sum to 1");
  }
  for (const h of [...out.hiddenStates!.text, ...out.hiddenStates!.vision]) {
    assertEquals(realType(h), "bfloat16");
  }
});

Deno.test("a bf16 model generates, and agrees with float32 where the margin is wide", async () => {
  const { config, prompts, info, folder } = await fixture("image_id_past_vocab"),
    params = await halved(folder);
  const model = {
    params,
    config: { ...config, eosId: -1 },
    dtype: "bfloat16" as const,
  };
  const { ids } = generate(model, prompts, { maxNewTokens: 1 });
  info.greedy.ids.forEach((row, b) => {
    if (info.greedy.margins[b][0] > 0.1) assertEquals(ids[b][0], row[0]);
  });
});
