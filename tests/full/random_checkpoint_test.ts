import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { openModel } from "@lib/model/mod.ts";
import { loadConfig, paths } from "@lib/config/mod.ts";
import { realType } from "@lib/tensor/mod.ts";
import { NANO_CONFIG } from "@lib/nano/config.ts";
import { weightRange } from "../../lib/cli/support/random_weights.ts";
import { PALIGEMMA_3B_448 } from "../bench/models.ts";
import { shardsOf, writeRandomCheckpoint } from "./make_random_3b.ts";

Deno.test("the weights of PaliGemma-3B are cut into files of at most 5 GB, each weight once", () => {
  const shards = shardsOf(PALIGEMMA_3B_448, 5e9);
  const sizes = shards.map((entries) => entries.reduce((sum, { bytes }) => sum + bytes, 0));
  assert(sizes.every((size) => size <= 5e9));
  assertEquals(sizes.reduce((a, b) => a + b, 0), 2 * 2_924_351_216);
  const names = shards.flat().map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("a random checkpoint in shards is read like one of the hub, and is always the same", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const tokenizer = JSON.parse(await Deno.readTextFile(join(paths.data, "nano/tokenizer.json")));
    await writeRandomCheckpoint(dir, NANO_CONFIG, tokenizer, 300_000);
    const index = JSON.parse(await Deno.readTextFile(join(dir, "model.safetensors.index.json")));
    assert(new Set(Object.values(index.weight_map)).size > 2);
    const config = loadConfig({ LAB_SET: `model.checkpoint=${dir}` });
    config.model.dtype = "bfloat16";
    const { model, card } = await openModel(config);
    assertEquals([model.config, card.demonstration], [NANO_CONFIG, true]);
    for (const [name, x] of Object.entries(model.params)) {
      assertEquals(realType(x), "bfloat16", name);
      const { centre, bound } = weightRange(name, x.shape, NANO_CONFIG), values = await x.data<"float32">();
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
      // Four standard errors of the mean of uniform numbers, and of their deviation.
      const error = 4 / Math.sqrt(values.length) + 0.004;
      assertAlmostEquals(mean, centre, bound * error, name);
      assertAlmostEquals(deviation, bound / Math.sqrt(3), bound * error, name);
    }
    const first = await model.params["language_model.layers.0.mlp.up_proj.weight"].array() as number[][];
    const bound = Math.sqrt(3 / 96);
    assert(first.flat().every((x) => Math.abs(x) <= bound));
    assertEquals(first[0].slice(0, 3).map((x) => x.toFixed(5)), ["-0.07080", "-0.14063", "-0.15918"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
