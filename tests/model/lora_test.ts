import { assert, assertEquals, assertThrows } from "@std/assert";
import { tf } from "@lib/tensor/mod.ts";
import { attentionModules, forward, initAdapter, mergeAdapter, type Towers } from "@lib/model/mod.ts";
import { targetPattern } from "@lib/model/lora.ts";
import type { PaliGemmaConfig } from "@lib/weights/mod.ts";
import { assertNear, difference, fixture, NAMES, waysOf } from "./fixture.ts";

for (const name of NAMES) {
  for (const [way, run] of waysOf(name, ["mha_text_only"])) {
    Deno.test(`${name}, ${way}: an adapter that PEFT saved gives PEFT's logits, apart and merged`, async () => {
      const { params, config, inputs, adapter, record } = await fixture(name);
      assertEquals(Object.keys(adapter.projector!).length, 2);
      const logits = run((p: typeof params) => forward(p, inputs, config).logits);
      const adapted = run((p: typeof params) => forward(p, inputs, config, { adapter }).logits)(params);
      assertNear("with the adapter", adapted, record["adapter.logits"], 2e-5);
      assertNear("merged", logits(mergeAdapter(params, adapter)), record["adapter.logits"], 3e-5);
      assert(difference(logits(params), record["adapter.logits"]) > 0.1, "the adapter should matter");
    });
  }

  Deno.test(`${name}: the modules to adapt are those that PEFT found`, async () => {
    const { config, adapter } = await fixture(name),
      towers: Towers = name === "mha_text_only" ? "text" : "both";
    const names = attentionModules(config, towers).flatMap((
      { module: m },
    ) => [`${m}.lora_A.weight`, `${m}.lora_B.weight`]);
    assertEquals(names.sort(), Object.keys(adapter.params).sort());
    for (const { module, inputs, outputs } of attentionModules(config, towers)) {
      assertEquals(adapter.params[`${module}.lora_A.weight`].shape, [adapter.config.r, inputs]);
      assertEquals(adapter.params[`${module}.lora_B.weight`].shape, [outputs, adapter.config.r]);
    }
  });
}

Deno.test("a fresh adapter changes nothing; its A is uniform within PEFT's bounds, and seeded", async () => {
  const { params, config, inputs } = await fixture("gqa_right");
  const make = (seed: number) => initAdapter(config, { r: 8, alpha: 16, towers: "both", seed });
  const adapter = make(1), name = "vision_tower.encoder.layers.0.self_attn.out_proj.lora_A.weight";
  const plain = forward(params, inputs, config).logits,
    adapted = forward(params, inputs, config, { adapter }).logits;
  assertEquals(adapted.dataSync(), plain.dataSync());
  const bound = 1 / Math.sqrt(config.vision.hiddenSize), a = [...adapter.params[name].dataSync()];
  assert(a.every((x) => Math.abs(x) <= bound) && Math.max(...a.map(Math.abs)) > 0.9 * bound);
  const mean = a.reduce((s, x) => s + x, 0) / a.length;
  assert(Math.abs(mean) < 4 * bound / Math.sqrt(3 * a.length), `mean ${mean}`);
  assertEquals(make(1).params[name].dataSync(), adapter.params[name].dataSync());
  assert(difference(make(2).params[name], adapter.params[name]) > 0);
  const other = "vision_tower.encoder.layers.1.self_attn.out_proj.lora_A.weight";
  assert(difference(adapter.params[other], adapter.params[name]) > 0, "each matrix has its own numbers");
});

Deno.test("rank 12 on the attention of both towers of PaliGemma-3B is 180 modules and 5,750,784 parameters", () => {
  const config = {
    vision: { hiddenSize: 1152, layers: 27 },
    text: { hiddenSize: 2048, layers: 18, heads: 8, kvHeads: 1, headDim: 256 },
  } as PaliGemmaConfig;
  const modules = attentionModules(config, "both");
  assertEquals(modules.length, 180);
  assertEquals(modules.reduce((n, { inputs, outputs }) => n + 12 * (inputs + outputs), 0), 5_750_784);
});

Deno.test("the pattern for PEFT matches exactly the modules of the chosen towers", async () => {
  const { config, params } = await fixture("mqa_left");
  const modules = Object.keys(params).filter((n) => n.endsWith(".weight")).map((n) =>
    "model." + n.slice(0, -7)
  );
  for (const towers of ["both", "vision", "text"] as const) {
    const pattern = new RegExp(`^${targetPattern(towers)}$`);
    const expected = attentionModules(config, towers).map(({ module }) => "model." + module);
    assertEquals(modules.filter((m) => pattern.test(m)).sort(), expected.sort());
  }
});

Deno.test("merging shares what it does not change, and refuses an adapter of another model", async () => {
  const { params, adapter } = await fixture("mqa_left"), merged = mergeAdapter(params, adapter);
  const same = Object.keys(params).filter((n) => merged[n] === params[n]);
  const changed = Object.keys(adapter.params).length / 2 + 2;
  assertEquals(same.length, Object.keys(params).length - changed);
  const foreign = {
    ...adapter,
    params: { "vision_tower.encoder.layers.9.self_attn.q_proj.lora_A.weight": tf.zeros([2, 20]) },
  };
  assertThrows(() => mergeAdapter(params, foreign), Error, "trained on another model");
});
