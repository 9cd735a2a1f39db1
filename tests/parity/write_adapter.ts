/**
 * Writes, for each fixture, an adapter and a merged checkpoint of ours, and the logits that we compute with them, for
 * check_adapter.py to load with PEFT and transformers.
 *
 *     deno run -A tests/parity/write_adapter.ts OUT && python tests/parity/check_adapter.py OUT
 */
import { join } from "@std/path";
import { tf } from "@lib/tensor/mod.ts";
import { randomNormal } from "@lib/tensor/random.ts";
import { forward, initAdapter, mergeAdapter } from "@lib/model/mod.ts";
import { type Adapter, saveAdapter, saveCheckpoint, writeSafetensors } from "@lib/weights/mod.ts";
import { fixture, NAMES } from "../model/fixture.ts";

const out = Deno.args[0];
if (!out) throw new Error("Say where to write: deno run -A tests/parity/write_adapter.ts OUT");
for (const name of NAMES) {
  const { params, config, inputs, adapter: recorded } = await fixture(name), folder = join(out, name);
  const towers = name === "mha_text_only" ? "vision" : "both";
  const fresh = initAdapter(config, { r: 3, alpha: 7, towers, seed: 5 });
  // B must not be zero, or the adapter would do nothing.
  const b = Object.keys(fresh.params).filter((n) => n.includes("lora_B"));
  b.forEach((n, i) => fresh.params[n] = tf.mul(randomNormal(fresh.params[n].shape, [9, i]), 0.2));
  // One of them without a projector: PEFT then keeps the base model's.
  const adapter: Adapter = name === "gqa_right" ? fresh : { ...fresh, projector: recorded.projector };
  await saveAdapter(join(folder, "adapter"), adapter);
  await saveCheckpoint(join(folder, "merged"), mergeAdapter(params, adapter), config);
  writeSafetensors(join(folder, "logits.safetensors"), {
    logits: forward(params, inputs, config, { adapter }).logits,
    base: forward(params, inputs, config).logits,
  });
  console.log(`${name}: wrote ${folder}`);
}
