import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { realType, tf } from "@lib/tensor/mod.ts";
import { memory } from "@lib/tensor/memory.ts";
import { canonicalName, hubName } from "@lib/weights/names.ts";
import { DEMONSTRATION_NOTICE, readCard } from "@lib/weights/card.ts";
import { parseConfig, toHubConfig } from "@lib/weights/config.ts";
import {
  expectedShapes,
  loadCheckpoint,
  type ModelCard,
  type Params,
  readHeader,
  saveCheckpoint,
  writeSafetensors,
} from "@lib/weights/mod.ts";
import { inTempDir, randomParams, rawSafetensors, TINY, valuesOf } from "./make.ts";

const params = randomParams(TINY, 11);
for (const t of Object.values(params)) tf.keep(t);

const rename = (from: Params, name: (canonical: string) => string): Params =>
  Object.fromEntries(Object.entries(from).map(([n, t]) => [name(n), t]));

async function write(dir: string, tensors: Params): Promise<void> {
  await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(toHubConfig(TINY)));
  writeSafetensors(join(dir, "model.safetensors"), tensors);
}

Deno.test("a saved checkpoint loads again, bit for bit, under the hub's names", () =>
  inTempDir(async (dir) => {
    await saveCheckpoint(dir, params, TINY);
    const { params: back, config, card } = await loadCheckpoint(dir);
    assertEquals(config, TINY);
    assertEquals(card, { demonstration: false, notice: null });
    assertEquals(valuesOf(back), valuesOf(params));
    tf.dispose(back);
    const names = [...Deno.readDirSync(dir)].map((e) => e.name).sort();
    assertEquals(names, ["config.json", "model.safetensors", "preprocessor_config.json"]);
  }));

Deno.test("loading ends with the reason of its signal, and what was read until then is freed", () =>
  inTempDir(async (dir) => {
    await saveCheckpoint(dir, params, TINY);
    const reason = new Error("stopped by the test"), before = memory().tensors, stop = new AbortController();
    const loading = loadCheckpoint(dir, { signal: stop.signal });
    stop.abort(reason);
    assertEquals(await assertRejects(() => loading), reason);
    assertEquals(memory().tensors, before);
  }));

Deno.test("every naming that transformers ever wrote loads as the same weights", () =>
  inTempDir(async (dir) => {
    const expected = valuesOf(params);
    const namings: Record<string, (n: string) => string> = {
      hub: hubName,
      "5, built from a configuration": (n) => n.replace(/^language_model\./, "language_model.model."),
      "5, in memory": (n) => `model.${n}`,
      "4.52 to 4.57": (n) => `model.${n}`.replace("model.vision_tower.", "model.vision_tower.vision_model."),
      canonical: (n) => n,
    };
    for (const [title, naming] of Object.entries(namings)) {
      const renamed = rename(params, naming);
      for (const n of Object.keys(params)) assertEquals(canonicalName(naming(n)), n, title);
      await write(dir, renamed);
      const { params: back } = await loadCheckpoint(dir);
      assertEquals(valuesOf(back), expected, title);
      tf.dispose(back);
    }
  }));

Deno.test("tied output layers, pooling heads and buffers are left unread", () =>
  inTempDir(async (dir) => {
    const extra = {
      "lm_head.weight": params["language_model.embed_tokens.weight"],
      "language_model.lm_head.weight": params["language_model.embed_tokens.weight"],
      "vision_tower.vision_model.head.probe": tf.zeros([1, 1, 6]),
      "vision_tower.vision_model.embeddings.position_ids": tf.zeros([1, 4]),
    };
    await write(dir, { ...rename(params, hubName), ...extra });
    const { params: back } = await loadCheckpoint(dir);
    assertEquals(Object.keys(back).sort(), Object.keys(params).sort());
    tf.dispose(back);
  }));

Deno.test("a mismatch names everything that is missing, unknown, given twice or of another shape", () =>
  inTempDir(async (dir) => {
    const tensors = rename(params, hubName);
    delete tensors["language_model.model.norm.weight"];
    delete tensors["vision_tower.vision_model.encoder.layers.1.mlp.fc2.bias"];
    tensors["multi_modal_projector.linear.weight"] = tf.zeros([6, 8]);
    tensors["language_model.model.layers.2.mlp.up_proj.weight"] = tf.zeros([14, 8]);
    tensors["constructor"] = tf.zeros([1]);
    tensors["model.language_model.embed_tokens.weight"] = params["language_model.embed_tokens.weight"];
    await write(dir, tensors);
    const before = memory().tensors;
    const { message } = await assertRejects(() => loadCheckpoint(dir), Error) as Error;
    for (
      const part of [
        "6 problems",
        'missing "language_model.norm.weight"',
        'missing "vision_tower.encoder.layers.1.mlp.fc2.bias"',
        '"multi_modal_projector.linear.weight": expected [8,6], found [6,8]',
        'unknown "language_model.model.layers.2.mlp.up_proj.weight"',
        'unknown "constructor"',
        '"language_model.embed_tokens.weight" given twice',
      ]
    ) assertStringIncludes(message, part);
    assertEquals(memory().tensors, before);
  }));

Deno.test("an output layer of its own is refused, not left out", () =>
  inTempDir(async (dir) => {
    const table = params["language_model.embed_tokens.weight"], values = table.dataSync().slice();
    values[values.length - 1] *= -1; // the sign lies in the last byte of all
    const own = tf.mul(table, 2), last = tf.tensor(values, table.shape);
    const layers = {
      "lm_head.weight": own,
      "language_model.lm_head.weight": own,
      "model.lm_head.weight": last,
    };
    for (const [name, own] of Object.entries(layers)) {
      await write(dir, { ...rename(params, hubName), [name]: own });
      const { message } = await assertRejects(() => loadCheckpoint(dir), Error) as Error;
      assertStringIncludes(
        message,
        `have an output layer of their own, which is not supported here: "${name}"`,
      );
    }
  }));

Deno.test("images are prepared as preprocessor_config.json says, or it is refused with its keys", () =>
  inTempDir(async (dir) => {
    await saveCheckpoint(dir, params, TINY);
    const path = join(dir, "preprocessor_config.json"), good = JSON.parse(await Deno.readTextFile(path));
    tf.dispose((await loadCheckpoint(dir)).params);
    const wrong: [string, unknown][] = [
      ["image_processor_type", "CLIPImageProcessor"],
      ["size", { height: 12, width: 12 }],
      ["size", { shortest_edge: 9 }],
      ["image_seq_length", 9],
      ["resample", 2],
      ["rescale_factor", 1 / 127.5],
      ["do_normalize", false],
      ["image_mean", [0.48, 0.46, 0.41]],
      ["image_std", [1, 1, 1]],
      ["do_center_crop", true],
    ];
    for (const [key, value] of wrong) {
      await Deno.writeTextFile(path, JSON.stringify({ ...good, [key]: value }));
      await assertRejects(() => loadCheckpoint(dir), Error, `otherwise than this code does: key "${key}`);
    }
    await Deno.remove(path); // transformers 5 writes both into one file
    const processor = join(dir, "processor_config.json");
    await Deno.writeTextFile(processor, JSON.stringify({ image_processor: { ...good, resample: 0 } }));
    await assertRejects(() => loadCheckpoint(dir), Error, 'key "resample"');
    await Deno.writeTextFile(processor, JSON.stringify({ image_processor: good }));
    tf.dispose((await loadCheckpoint(dir)).params);
  }));

Deno.test("model.safetensors is read, as in transformers, also where an index lies beside it", () =>
  inTempDir(async (dir) => {
    await write(dir, rename(params, hubName));
    const index = join(dir, "model.safetensors.index.json");
    await Deno.writeTextFile(index, JSON.stringify({ weight_map: { x: "other.safetensors" } }));
    const { params: back } = await loadCheckpoint(dir);
    assertEquals(valuesOf(back), valuesOf(params));
    tf.dispose(back);
  }));

Deno.test("shards load as one file does, and broken indexes are refused", () =>
  inTempDir(async (dir) => {
    await write(dir, {});
    await Deno.remove(join(dir, "model.safetensors"));
    const names = Object.keys(params), third = Math.ceil(names.length / 3), map: Record<string, string> = {};
    for (let i = 0; i < 3; i++) {
      const file = `model-0000${i + 1}-of-00003.safetensors`;
      const part = Object.fromEntries(
        names.slice(i * third, (i + 1) * third).map((n) => [hubName(n), params[n]]),
      );
      writeSafetensors(join(dir, file), part);
      for (const n of Object.keys(part)) map[n] = file;
    }
    const index = join(dir, "model.safetensors.index.json");
    const save = (weight_map: unknown) =>
      Deno.writeTextFile(index, JSON.stringify({ metadata: {}, weight_map }));
    await save(map);
    const { params: back } = await loadCheckpoint(dir);
    assertEquals(valuesOf(back), valuesOf(params));
    tf.dispose(back);

    await save({ ...map, "language_model.model.extra": "model-00001-of-00003.safetensors" });
    await assertRejects(() => loadCheckpoint(dir), Error, 'do not hold: "language_model.model.extra"');
    await save({ ...map, x: "../outside.safetensors" });
    await assertRejects(() => loadCheckpoint(dir), Error, '"../outside.safetensors"');
    await save({ ...map, x: "model-00009-of-00003.safetensors" });
    await assertRejects(() => loadCheckpoint(dir), Error, 'lacks "model-00009-of-00003.safetensors"');
    await save([]);
    await assertRejects(() => loadCheckpoint(dir), Error, "weight_map");
    await Deno.writeTextFile(index, "{");
    await assertRejects(() => loadCheckpoint(dir), Error, "not valid JSON");
  }));

Deno.test("loading converts to the type that is asked for", () =>
  inTempDir(async (dir) => {
    await saveCheckpoint(dir, params, TINY, { dtype: "bfloat16" });
    const kept = (await loadCheckpoint(dir)).params,
      wide = (await loadCheckpoint(dir, { dtype: "float32" })).params;
    assertEquals([...new Set(Object.values(kept).map(realType))], ["bfloat16"]);
    assertEquals([...new Set(Object.values(wide).map(realType))], ["float32"]);
    assertEquals(valuesOf(kept), valuesOf(wide));
    const worst = Math.max(
      ...Object.keys(params).map((n) => tf.max(tf.abs(tf.sub(params[n], wide[n]))).dataSync()[0]),
    );
    assert(worst > 0 && worst <= 2 ** -9, `rounding moved a weight by ${worst}`);
    tf.dispose([kept, wide]);
  }));

Deno.test("a weight stored in an unsupported type is refused by its name, before anything is read", () =>
  inTempDir(async (dir) => {
    const name = "multi_modal_projector.linear.bias";
    await write(dir, rename(params, hubName));
    const path = join(dir, "model.safetensors"), { tensors, metadata } = readHeader(path);
    const stored = await Deno.readFile(path), data = Math.min(...tensors.map((t) => t.offset));
    const header = Object.fromEntries(tensors.map((t) => {
      const dtype = canonicalName(t.name) === name ? "I32" : t.dtype; // as long as F32
      return [t.name, {
        dtype,
        shape: t.shape,
        data_offsets: [t.offset - data, t.offset - data + t.bytes],
      }];
    }));
    await Deno.writeFile(path, rawSafetensors({ __metadata__: metadata, ...header }, stored.slice(data)));
    const before = memory().tensors;
    const { message } = await assertRejects(() => loadCheckpoint(dir), Error) as Error;
    assertStringIncludes(message, `\n  "${name}": expected F32, BF16 or F16, found I32`);
    assertEquals(message.split("\n").length, 2); // of the other weights nothing
    assertEquals(memory().tensors, before);
  }));

Deno.test("an empty folder, a missing weight file and a broken config.json say so", () =>
  inTempDir(async (dir) => {
    await assertRejects(() => loadCheckpoint(dir), Error, "no config.json");
    await Deno.writeTextFile(join(dir, "config.json"), "{");
    await assertRejects(() => loadCheckpoint(dir), Error, "not valid JSON");
    await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(toHubConfig(TINY)));
    await assertRejects(() => loadCheckpoint(dir), Error, "found neither");
  }));

Deno.test("saving refuses weights of another model before it writes anything", () =>
  inTempDir(async (dir) => {
    const { "language_model.norm.weight": _, ...rest } = params;
    const target = join(dir, "out");
    const { message } = await assertRejects(() =>
      saveCheckpoint(target, { ...rest, x: tf.zeros([1]) }, TINY)
    ) as Error;
    assertStringIncludes(message, 'missing "language_model.norm.weight"');
    assertStringIncludes(message, 'unknown "x"');
    assertEquals([...Deno.readDirSync(dir)], []);
  }));

Deno.test("saving over an older checkpoint leaves nothing of it to be read", () =>
  inTempDir(async (dir) => {
    await saveCheckpoint(dir, params, TINY, { card: { demonstration: true, notice: null } });
    await Deno.writeTextFile(
      join(dir, "model.safetensors.index.json"),
      '{"weight_map": {"x": "old.safetensors"}}',
    );
    await saveCheckpoint(dir, params, TINY);
    assertEquals([...Deno.readDirSync(dir)].map((e) => e.name).sort(), [
      "config.json",
      "model.safetensors",
      "preprocessor_config.json",
    ]);
  }));

Deno.test("a card is kept that has a notice alone, or says demonstration alone", () =>
  inTempDir(async (dir) => {
    const back = async (card: ModelCard) => {
      await saveCheckpoint(dir, params, TINY, { card });
      return await readCard(dir);
    };
    const noted = { demonstration: false, notice: "for research" };
    assertEquals(await back(noted), noted);
    const shown = { demonstration: true, notice: null };
    assertEquals(await back(shown), { demonstration: true, notice: DEMONSTRATION_NOTICE });
  }));

Deno.test("tokenizer and card travel with a copy; a demonstration model keeps its notice", () =>
  inTempDir(async (dir) => {
    const from = join(dir, "a"), to = join(dir, "b");
    await saveCheckpoint(from, params, TINY, { card: { demonstration: true, notice: "only a toy" } });
    await Deno.writeTextFile(join(from, "tokenizer.json"), "{}");
    await saveCheckpoint(to, params, TINY, { from });
    assertEquals(await Deno.readTextFile(join(to, "tokenizer.json")), "{}");
    assertEquals((await loadCheckpoint(to)).card, { demonstration: true, notice: "only a toy" });
  }));

Deno.test("the card is read from lab_card.json or the front matter of README.md", () =>
  inTempDir(async (dir) => {
    const card = (name: string, text: string) =>
      Deno.writeTextFile(join(dir, name), text).then(() => readCard(dir));
    assertEquals(await readCard(dir), { demonstration: false, notice: null });
    assertEquals(await card("README.md", "# demonstration: true"), { demonstration: false, notice: null });
    assertEquals(await card("README.md", "---\nlicense: gemma\n---\ndemonstration: true\n"), {
      demonstration: false,
      notice: null,
    });
    assertEquals(await card("README.md", "---\nlicense: apache-2.0\ndemonstration: true\n---\ntext"), {
      demonstration: true,
      notice: DEMONSTRATION_NOTICE,
    });
    assertEquals(
      await card("README.md", '---\r\ndemonstration: true\r\nnotice: "a toy: no more"\r\n---\r\n'),
      {
        demonstration: true,
        notice: "a toy: no more",
      },
    );
    assertEquals(await card("lab_card.json", '{"demonstration": false}'), {
      demonstration: false,
      notice: null,
    });
    await assertRejects(() => card("lab_card.json", '{"demonstration": "yes"}'), Error, "lab_card.json");
    await assertRejects(() => card("lab_card.json", "{"), Error, "lab_card.json");
  }));

Deno.test("PaliGemma-3B has the number of weights that transformers counts", () => {
  const config = parseConfig({
    model_type: "paligemma",
    image_token_index: 257152,
    text_config: {
      hidden_size: 2048,
      intermediate_size: 16384,
      num_attention_heads: 8,
      num_hidden_layers: 18,
      num_key_value_heads: 1,
      vocab_size: 257216,
    },
    vision_config: {
      hidden_size: 1152,
      image_size: 448,
      intermediate_size: 4304,
      num_attention_heads: 16,
      num_hidden_layers: 27,
      patch_size: 14,
    },
  });
  const shapes = Object.values(expectedShapes(config));
  const total = shapes.reduce((n, s) => n + s.reduce((a, b) => a * b, 1), 0);
  // Counted by transformers 5.23.0 on a model without storage, for this configuration.
  assertEquals(total, 2_924_351_216);
  assertEquals(config.imageTokens, 1024);
});
