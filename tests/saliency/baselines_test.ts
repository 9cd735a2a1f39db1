/** Baselines that need pictures or a model. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadConfig } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { captureAnswer, mapDistance } from "@lib/saliency/mod.ts";
import { rolloutMap } from "@lib/saliency/answer_maps.ts";
import { contrastMap, shuffledDecoder } from "@lib/saliency/baselines.ts";
import { tf } from "@lib/tensor/mod.ts";
import { memory } from "@lib/tensor/memory.ts";
import { phantomStore } from "@lib/nano/mod.ts";

Deno.test("local contrast is the standard deviation of a patch's grey values", async () => {
  // Two by two patches of two by two pixels: even, even, halves of 0 and 30, even.
  const grey = [5, 5, 9, 9, 5, 5, 9, 9, 0, 30, 7, 7, 0, 30, 7, 7];
  const data = Uint8Array.from(grey.flatMap((value) => [value, value, value]));
  const store = { size: 4, get: () => Promise.resolve(data), fill: () => Promise.resolve() };
  assertEquals([...await contrastMap(store, "", 2, 2)], [0, 0, 15, 0]);
});

Deno.test("a shuffled decoder keeps each matrix's values and the tower, gives another map, and leaves no tensor behind", async () => {
  const { model, tokenizer } = await openModel(loadConfig({ LAB_SET: "model.compiler=graph" }));
  const before = memory().tensors, shuffled = shuffledDecoder(model, 1), { params } = shuffled.model;
  const changed = Object.keys(params).filter((name) => params[name] !== model.params[name]);
  assert(changed.length > 0 && changed.every((name) => name.startsWith("language_model.layers.")));
  const sum = (x: typeof params[string]) => tf.tidy(() => tf.sum(tf.abs(x)).dataSync()[0]);
  for (const name of changed) assertAlmostEquals(sum(params[name]) / sum(model.params[name]), 1, 1e-4);
  const prompt = { imagePath: "generic/4900001", prefix: "answer en which side is it?" },
    store = phantomStore();
  const one = await captureAnswer(model, tokenizer, store, prompt), { answerIds } = one;
  const other = await captureAnswer(shuffled.model, tokenizer, store, prompt, { answerIds });
  assert(mapDistance(rolloutMap(one), rolloutMap(other)) > 0.01);
  shuffled.dispose();
  assertEquals(memory().tensors, before);
});
