/** The explorer's record: which token's row, how exact, how large. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { loadConfig } from "@lib/config/mod.ts";
import { decodeImage, encodePng } from "@lib/image/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import {
  type CapturedAnswer,
  explorerExample,
  explorerPage,
  prefixLmMask,
  rawAttention,
  rollout,
} from "@lib/saliency/mod.ts";
import { withoutSinks } from "@lib/saliency/directions.ts";
import { tf } from "@lib/tensor/mod.ts";
import {
  explorerTokens,
  keptLayers,
  layerMaps,
  mapsThatFit,
  wholeMaps,
} from "../../lib/saliency/explorer.ts";
import { madeExample, noise, weightsOf } from "./explorer_examples.ts";

const LENGTH = 15, LAYERS = 3, HEADS = 2, PATCHES = 9;

/** 3 x 3 patches, bos, two words, newline and an answer of two tokens; attention that the mask allows. */
function captured(): CapturedAnswer & { relevance: Float32Array; attentions: Float32Array[][] } {
  const prefix = Uint8Array.from({ length: LENGTH }, (_, i) => i < 13 ? 1 : 0);
  const mask = prefixLmMask(prefix, new Uint8Array(LENGTH).fill(1));
  const random = (seed: number) => Float32Array.from(noise(LENGTH * LENGTH, seed), (byte) => byte / 255);
  const layers = (make: (seed: number) => Float32Array) =>
    Array.from({ length: LAYERS }, (_, l) => Array.from({ length: HEADS }, (_, h) => make(10 * l + h + 1)));
  const attention = (seed: number) => {
    const out = random(seed).map((x, i) => mask[i] * (x ** 3 + 1e-4));
    for (let i = 0; i < LENGTH; i++) {
      const row = out.subarray(i * LENGTH, (i + 1) * LENGTH), total = row.reduce((a, b) => a + b, 0);
      row.forEach((x, j) => row[j] = x / total);
    }
    return out;
  };
  const attentions = layers(attention), sinks = [9, 12];
  return {
    answerIds: [7, 8],
    text: "left lung",
    tokens: [...Array(9).fill("<image>"), "<bos>", "which", " side", "\n", "left", " "],
    logprobs: [-1, -2],
    layout: { length: LENGTH, imageStart: 0, rows: 3, columns: 3, response: [13, 14], sinks },
    prefix,
    attentions,
    raw: rawAttention(attentions),
    lastLayer: rawAttention(attentions, { layer: LAYERS - 1 }),
    rollout: rollout(attentions, { dropped: sinks }),
    rolloutWithSinks: rollout(attentions),
    relevance: random(500),
    overAnswer: new Float32Array(18),
  };
}

/** The rows that are to be kept: bos, both words and newline by their own, both answer tokens by the one before. */
const QUERIES = [9, 10, 11, 12, 12, 13];

Deno.test("every map is that of the library, to half of a step of 255 of each token's largest weight", () => {
  const one = captured(), { attentions, layout, relevance } = one, kept = { alone: [0, 1, 2], byHead: [2] };
  const single = attentions.flatMap((heads, layer) => layerMaps(heads, layer, layout, kept));
  const maps = [...wholeMaps(one), ...single];
  const raw = (layer: number | "mean", heads: number | "mean") => rawAttention(attentions, { layer, heads });
  const expected = [
    [maps[0], "left in", raw("mean", "mean")],
    [maps[0], "left out", withoutSinks(raw("mean", "mean"), layout)],
    [maps[1], "left out", rollout(attentions, { dropped: [9, 12] })],
    [maps[2], "left in", rollout(attentions)],
    [maps[3], "left in", relevance],
    ...[0, 1, 2].flatMap((l) => [[maps[4 + l], "left in", raw(l, "mean")] as const]),
    [maps[7], "left in", raw(2, 0)],
    [maps[8], "left out", withoutSinks(raw(2, 1), layout)],
  ] as const;
  assertEquals(maps.map(({ method, layer, head }) => `${method} ${layer} ${head}`), [
    "raw attention mean mean",
    "rollout mean mean",
    "rollout mean mean",
    "gradient × attention mean mean",
    ...[0, 1, 2].map((l) => `raw attention ${l} mean`),
    "raw attention 2 0",
    "raw attention 2 1",
  ]);
  for (const [map, sinks, matrix] of expected) {
    const bytes = Uint8Array.fromBase64(map.bytes), scale = map.scales[sinks]!;
    assertEquals([bytes.length, scale.length], [QUERIES.length * PATCHES, QUERIES.length]);
    QUERIES.forEach((query, t) => {
      const row = matrix.subarray(query * LENGTH, query * LENGTH + PATCHES);
      assertAlmostEquals(scale[t] * 255, Math.max(...row), 1e-5 * Math.max(...row));
      row.forEach((weight, p) =>
        assertAlmostEquals(bytes[t * PATCHES + p] * scale[t], weight, scale[t] * 0.5 + 1e-5 * weight)
      );
    });
  }
  assertEquals([Object.keys(maps[1].scales), Object.keys(maps[2].scales)], [["left out"], ["left in"]]);
  assertEquals(layerMaps(attentions[1], 1, layout, { alone: [2], byHead: [0] }), []);
  assertThrows(() => wholeMaps({ ...one, relevance: undefined }), Error, "gradients");
});

Deno.test("tokens are named by what they are; one of white space alone stays visible", () => {
  assertEquals(explorerTokens(captured()).map(({ text, part }) => `${text} ${part}`), [
    "bos bos",
    "which question",
    "side question",
    "newline newline",
    "left answer",
    "␣ answer",
  ]);
});

Deno.test("layers are kept alone first, evenly spread with the last among them, then by head as many as fit", () => {
  assertEquals(keptLayers(3, 4, 100), { alone: [0, 1, 2], byHead: [0, 1, 2] });
  assertEquals(keptLayers(18, 8, 18 + 17), {
    alone: Array.from({ length: 18 }, (_, l) => l),
    byHead: [8, 17],
  });
  assertEquals(keptLayers(18, 8, 6), { alone: [2, 5, 8, 11, 14, 17], byHead: [] });
  assertEquals(keptLayers(18, 8, 1), { alone: [17], byHead: [] });
  assertEquals(keptLayers(18, 8, 0), { alone: [], byHead: [] });
  assertEquals(keptLayers(2, 1, 100), { alone: [0, 1], byHead: [] });
  const size = { tokens: 64, patches: 1024, models: 3, picture: 2e5 };
  const [one, three] = [1, 3].map((share) => mapsThatFit({ ...size, share }));
  assert(one > three && three >= 0, `${one}, ${three}`);
  assertEquals(mapsThatFit({ ...size, share: 100 }), 0);
});

Deno.test("as many maps fit as a page has room for, also of small pictures, where scales take as much as weights", async () => {
  const words = Array.from({ length: 62 }, (_, i) => `word${i}`);
  for (const side of [8, 32]) {
    const one = await madeExample({ words, side, pictureSide: 112, layers: 2, heads: 2 });
    const largest = Math.max(...one.models[0].maps.map((map) => JSON.stringify(map).length));
    const fitting = mapsThatFit({ tokens: 64, patches: side ** 2, models: 1, picture: 0, share: 1 });
    assert(fitting * largest > 4e6 && fitting * largest < 5e6, `${fitting} of ${largest} characters`);
  }
});

Deno.test("1,024 patches, 64 tokens and three models fill a page of less than 5 MB; more examples share it", async () => {
  const large = { words: Array.from({ length: 62 }, (_, i) => `word${i}`), side: 32, pictureSide: 448 };
  const about = { title: "Large", notice: "" };
  const one = await madeExample({ ...large, layers: 18, heads: 8 });
  assertEquals([one.tokens.length, one.rows * one.columns], [64, 1024]);
  const page = await explorerPage([one], about);
  assert(page.length > 4e6 && page.length < 5e6, `${page.length} bytes`);
  const few = await madeExample({ ...large, layers: 18, heads: 8, share: 3 });
  assert((await explorerPage([few, few, few], about)).length < 5e6);
  await assertRejects(() => explorerPage([one, few], about), Error, "Expected a page of at most 5 MB, found");
  await assertRejects(() => explorerPage([], about), Error, "found none");
});

Deno.test("all models read the last one's answer, and each says its own", async () => {
  const { model, tokenizer, store } = await openModel(loadConfig());
  const name = "multi_modal_projector.linear.weight";
  const moved = tf.mul(model.params[name], -1),
    other = { ...model, params: { ...model.params, [name]: moved } };
  const folder = await Deno.makeTempDir({ prefix: "explorer-" });
  try {
    const grey = noise(112 * 112, 3), imagePath = join(folder, "picture.png");
    const data = new Uint8Array(3 * grey.length).map((_, i) => grey[Math.floor(i / 3)]);
    await Deno.writeFile(imagePath, await encodePng({ width: 112, height: 112, data }));
    const asked = { imageId: "p", imagePath, question: "which side is the lesion on?", answer: "left" };
    const models = [{ name: "other", model: other }, { name: "nano", model }];
    const example = await explorerExample(models, tokenizer, store, asked);
    const alone = await explorerExample([models[0]], tokenizer, store, asked);
    await assertRejects(() => explorerExample([], tokenizer, store, asked), Error, "Expected a model");
    const [first, second] = example.models;
    assertEquals([first.name, second.name, second.says], ["other", "nano", example.answer]);
    assertEquals(first.says, alone.answer);
    assertEquals(example.tokens.filter(({ part }) => part === "answer").length, first.logprobs.length);
    assert(first.logprobs.reduce((a, b) => a + b) < second.logprobs.reduce((a, b) => a + b));
    assert(weightsOf(example, 0, { model: 0 }).join() !== weightsOf(example, 0, { model: 1 }).join());
    assertEquals([example.rows, example.columns, example.layers, example.heads], [8, 8, 3, 4]);
    assertEquals(first.maps.length, 4 + 3 + 12); // all of the nano model
    const shown = join(folder, "shown.png");
    await Deno.writeFile(shown, Uint8Array.fromBase64(example.picture.split(",")[1]));
    assertEquals((await decodeImage(shown)).data, await store.get(imagePath));
  } finally {
    moved.dispose();
    await Deno.remove(folder, { recursive: true });
  }
});
