/** Capturing an answer: the forward pass over the whole sequence equals generating it token by token. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { loadConfig } from "@lib/config/mod.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import { encodePng } from "@lib/image/mod.ts";
import { answerPrompts, openModel } from "@lib/model/mod.ts";
import { captureAnswer, gradientMap, prefixLmMask, responseToImage } from "@lib/saliency/mod.ts";
import { type LayerAttention, rawAttention } from "@lib/saliency/matrices.ts";
import { rollout } from "@lib/saliency/rollout.ts";
import { memory } from "@lib/tensor/memory.ts";

async function setUp() {
  const dir = await Deno.makeTempDir();
  const imagePath = join(dir, "phantom.png");
  const { pixels } = drawPhantom(12, "generic"), data = new Uint8Array(pixels.length * 3);
  pixels.forEach((value, i) => data.fill(value, 3 * i, 3 * i + 3));
  await Deno.writeFile(imagePath, await encodePng({ width: 112, height: 112, data }));
  const prompt = { imagePath, prefix: "answer en what modality is used to take this image?" };
  return { prompt, ...await openModel(loadConfig({})), dispose: () => Deno.remove(dir, { recursive: true }) };
}

Deno.test("the captured answer and its log-probabilities are those of greedy generation", async () => {
  const { model, tokenizer, store, prompt, dispose } = await setUp();
  const captured = await captureAnswer(model, tokenizer, store, prompt);
  // Equation 2 as written: of every patch, shares of the answer's tokens.
  const { response } = captured.layout, shares = captured.overAnswer;
  assertEquals(shares.length, 64 * response.length);
  for (let p = 0; p < 64; p++) {
    const own = shares.subarray(p * response.length, (p + 1) * response.length);
    assertAlmostEquals(own.reduce((a, b) => a + b), 1, 1e-5);
  }
  const before = memory().tensors;
  await captureAnswer(model, tokenizer, store, prompt);
  assertThrows(() => gradientMap(captured), Error, "{ gradients: true }");
  const explained = await captureAnswer(model, tokenizer, store, prompt, { gradients: true });
  assertEquals([explained.raw, explained.logprobs], [captured.raw, captured.logprobs]);
  const map = gradientMap(explained);
  assert(map.length === 64 && map.every((x) => x >= 0) && map.some((x) => x > 0));
  assertEquals(memory().tensors, before, "captureAnswer leaves tensors behind");
  const [[greedy]] = await answerPrompts(model, tokenizer, store, [prompt], {
    maxNewTokens: 24,
    batchSize: 1,
  });
  assertEquals(captured.text, greedy.text);
  assert(captured.text.length > 0);
  const withEos = await captureAnswer(model, tokenizer, store, prompt, {
    answerIds: [...captured.answerIds, model.config.eosId],
  });
  assertAlmostEquals(withEos.logprobs.reduce((a, b) => a + b), greedy.logprob, 1e-3);
  assertEquals(withEos.layout.length, captured.layout.length + 1);
  const last = captured.layout.length; // answer tokens stand one after the other, up to the end
  assertEquals(withEos.layout.response, [...response, last]);
  await dispose();
});

Deno.test("attention obeys the prefix mask, rows sum to one, and positions mean what they say", async () => {
  const { model, tokenizer, store, prompt, dispose } = await setUp();
  const attentions: LayerAttention[] = [];
  const captured = await captureAnswer(model, tokenizer, store, prompt, {
    onLayer: (heads, layer) => attentions[layer] = heads,
  });
  const { layout, prefix, tokens } = captured;
  const { length, sinks, response, rows, columns } = layout;
  assertEquals(attentions.length, model.config.text.layers);
  assertEquals(attentions[0].length, model.config.text.heads);
  assertEquals(tokens.slice(0, rows * columns + 1), [...Array(64).fill("<image>"), "<bos>"]);
  assertEquals(sinks.map((i) => tokens[i]), ["<bos>", "\n"]);
  assertEquals(response[0], sinks[1] + 1);
  const mask = prefixLmMask(prefix, new Uint8Array(length).fill(1));
  for (const layer of attentions) {
    for (const head of layer) {
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let j = 0; j < length; j++) {
          sum += head[i * length + j];
          if (!mask[i * length + j]) assert(head[i * length + j] < 1e-6, `position ${i} sees ${j}`);
        }
        assertAlmostEquals(sum, 1, 1e-4);
      }
    }
  }
  const apart = (mine: Float32Array, theirs: Float32Array) =>
    theirs.reduce((most, weight, i) => Math.max(most, Math.abs(weight - mine[i])), 0);
  assert(apart(captured.raw, rawAttention(attentions)) < 1e-6);
  assert(apart(captured.lastLayer, rawAttention(attentions, { layer: attentions.length - 1 })) < 1e-6);
  assert(apart(captured.rollout, rollout(attentions, { dropped: sinks })) < 1e-6);
  assert(apart(captured.rolloutWithSinks, rollout(attentions)) < 1e-6);
  assert(responseToImage(captured.rollout, response[0], layout).some((weight) => weight > 0));
  await dispose();
});

Deno.test("an empty answer is represented by its eos", async () => {
  const { model, tokenizer, store, prompt, dispose } = await setUp();
  const captured = await captureAnswer(model, tokenizer, store, prompt, { answerIds: [] });
  assertEquals([captured.text, captured.answerIds, captured.layout.response.length], ["", [], 1]);
  await dispose();
});
