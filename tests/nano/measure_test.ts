import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { phantomItems, pictureEffect } from "@lib/nano/mod.ts";
import { tf } from "@lib/tensor/mod.ts";

Deno.test("a picture changes the answers of the nano model, and nothing where the projector passes nothing on", async () => {
  const config = loadConfig({}), { model, tokenizer } = await openModel(config);
  const items = phantomItems(2, 9_000_000, "generic");
  assert(await pictureEffect(model, tokenizer, items) > config.checks.pictureEffect);
  const blind = Object.fromEntries(
    Object.entries(model.params).map(([name, x]) =>
      [name, name.startsWith("multi_modal_projector") ? tf.zerosLike(x) : x] as const
    ),
  );
  assertEquals(await pictureEffect({ ...model, params: blind }, tokenizer, items), 0);
});
