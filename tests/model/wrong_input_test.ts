import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import type { Tensor } from "@tensorflow/tfjs";
import { loadConfig as labConfig, paths } from "@lib/config/mod.ts";
import {
  answerPrompts,
  forward,
  generate,
  type GenerateOptions,
  imageStore,
  openModel,
} from "@lib/model/mod.ts";
import { tf } from "@lib/tensor/mod.ts";
import { memory } from "@lib/tensor/memory.ts";
import { encodeExample } from "@lib/text/mod.ts";
import { changed, fixture } from "./fixture.ts";

const nano = join(paths.root, "data", "nano");

/** A copy of the nano checkpoint with one JSON file changed. */
async function altered(file: string, change: (json: Record<string, unknown>) => void): Promise<string> {
  const dir = await Deno.makeTempDir();
  for await (const { name } of Deno.readDir(nano)) await Deno.copyFile(join(nano, name), join(dir, name));
  const json = JSON.parse(await Deno.readTextFile(join(dir, file)));
  change(json);
  await Deno.writeTextFile(join(dir, file), JSON.stringify(json));
  return dir;
}

Deno.test("a tokenizer and a model that do not belong together are refused, with the ids", async () => {
  const cases: [string, (json: Record<string, unknown>) => void, string][] = [
    [
      "config.json",
      (c) => c.image_token_index = 1000,
      "<image> is 1023 in tokenizer.json and 1000 in config.json",
    ],
    ["config.json", (c) => c.eos_token_id = 5, "<eos> is 1 in tokenizer.json and 5 in config.json"],
    [
      "tokenizer.json",
      (t) =>
        (t.added_tokens as { id: number }[]).push(
          { ...(t.added_tokens as { id: number }[])[0], id: 2000, content: "<far>" } as never,
        ),
      "ids up to 2000, the embedding table rows up to 1023",
    ],
  ];
  for (const [file, change, expected] of cases) {
    const dir = await altered(file, change);
    try {
      await assertRejects(
        () => openModel(labConfig({ LAB_SET: `model.checkpoint=${dir}` })),
        Error,
        expected,
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }
});

Deno.test("image tokens are counted, ids looked up only where the table has them, pixels of one size taken", async () => {
  const { params, config, inputs, prompts } = await fixture("mqa_left");
  const first = (prompts.ids.arraySync() as number[][])[0].indexOf(config.imageTokenId);
  const fewer = { ...prompts, ids: changed(prompts.ids, [0, first], 5) };
  const model = { params, config, dtype: "float32" as const }, settings = { maxNewTokens: 2 };
  const count = `Expected ${config.imageTokens} image tokens (id ${config.imageTokenId}) in row 0`;
  assertThrows(() => generate(model, fewer, settings), Error, count);
  assertThrows(() => forward(params, fewer, config), Error, count);

  const length = prompts.ids.shape[1]!, { vocabSize } = config.text;
  const past = { ...prompts, ids: changed(prompts.ids, [0, length - 1], vocabSize) };
  for (const compiler of ["graph", "xla"] as const) {
    const range = `the index value ${vocabSize} is not in [0, ${vocabSize - 1}]`;
    assertThrows(() => generate(model, past, { ...settings, compiler }), Error, range);
  }

  const { pixelValues } = inputs, pad = (sides: [number, number][]) => tf.pad(pixelValues, sides) as Tensor;
  for (const wrong of [pad([[0, 0], [0, 1], [0, 0], [0, 0]]), pad([[0, 0], [0, 0], [0, 8], [0, 8]])]) {
    assertThrows(
      () => forward(params, { ...inputs, pixelValues: wrong }, config),
      Error,
      "Expected pixelValues",
    );
  }
});

Deno.test("logits that are not finite are an error with the layer and weight where that begins", async () => {
  const { params, config, prompts } = await fixture("mqa_left"), before = memory().tensors;
  const damaged = [
    "vision_tower.encoder.layers.1.mlp.fc1.weight",
    "multi_modal_projector.linear.bias",
    "language_model.layers.0.self_attn.q_proj.weight",
    "language_model.norm.weight",
  ];
  for (const name of damaged) {
    const broken = { ...params, [name]: tf.mul(params[name], NaN) };
    const model = { params: broken, config, dtype: "float32" as const };
    const { message } = assertThrows(() => generate(model, prompts, { maxNewTokens: 2 }), Error) as Error;
    const layer = name.replace(/\.(self_attn|mlp|linear|weight).*$/, "");
    assertStringIncludes(message, `they begin in ${layer}, where "${name}" is not finite`);
    broken[name].dispose();
  }
  const large = {
    ...params,
    "language_model.norm.weight": tf.fill(params["language_model.norm.weight"].shape, 3e38),
  };
  const model = { params: { ...large }, config, dtype: "float32" as const };
  assertThrows(() => generate(model, prompts, { maxNewTokens: 2 }), Error, "whose weights are finite");
  large["language_model.norm.weight"].dispose();
  assertEquals(memory().tensors, before);
});

Deno.test("settings of a generation out of range are one sentence each", async () => {
  const { params, config, prompts } = await fixture("mqa_left"),
    model = { params, config, dtype: "float32" as const };
  const wrong: [Partial<GenerateOptions>, string][] = [
    [{ maxNewTokens: Infinity }, "maxNewTokens must be a whole number from 1 to"],
    [{ maxNewTokens: 1.5 }, "maxNewTokens must be a whole number"],
    [{ maxNewTokens: 0 }, "found 0"],
    [{ maxNewTokens: 10000 }, "found 10000"],
    [
      { temperature: 1, seeds: [[], [], []] },
      "The number of seeds of a row must be a whole number from 1 to 1024, found 0.",
    ],
    [
      { temperature: 1, seeds: [[NaN], [1], [1]] },
      "A seed must be a whole number from -2147483648 to 2147483647, found NaN.",
    ],
    [{ temperature: 1, seeds: [[1], [2 ** 53], [1]] }, "A seed must be"],
    [{ temperature: NaN }, "temperature must be at least 0.000001"],
    [{ temperature: 1e-300 }, "temperature must be at least"],
    [{ temperature: Infinity }, "temperature must be"],
  ];
  const store = imageStore(config.vision.imageSize);
  for (const [options, expected] of wrong) {
    const all = { maxNewTokens: 2, ...options };
    const prompted = (options.seeds ?? []).map((seeds) => ({ imagePath: "", prefix: "", seeds }));
    const { message } = assertThrows(() => generate(model, prompts, all), Error) as Error;
    assertStringIncludes(message, expected);
    assert(!message.includes("\n"));
    await assertRejects(
      () => answerPrompts(model, {} as never, store, prompted, { ...all, batchSize: 1 }),
      Error,
      expected.slice(0, 12),
    );
  }
  for (const batchSize of [0, 1.5, NaN]) {
    await assertRejects(
      () => answerPrompts(model, {} as never, store, [], { maxNewTokens: 1, batchSize }),
      Error,
      "batchSize",
    );
  }
});

Deno.test("a question longer than the model was trained for is refused before anything is allocated", async () => {
  const { tokenizer, model } = await openModel(labConfig({ LAB_SET: `model.checkpoint=${nano}` }));
  const ask = (prefix: string, maxLength?: number) =>
    encodeExample(tokenizer, model.config, { prefix, maxLength });
  assertThrows(() => ask("lesion ".repeat(3000)), Error, "Expected a prompt of at most 512 tokens of text");
  assertThrows(() => ask("lesion ".repeat(3_000_000)), Error, "at most 100000 characters");
  assertEquals(ask("lesion ".repeat(3000), 200).ids.length, 200); // training cuts
  tf.dispose(model.params);
});
