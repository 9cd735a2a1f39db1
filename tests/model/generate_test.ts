import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "@lib/tensor/mod.ts";
import { generate, generateTokens, type Model, type ModelInputs, weightsOf } from "@lib/model/mod.ts";
import { decode, prefill } from "@lib/model/generate.ts";
import type { KVCache } from "@lib/model/gemma.ts";
import { compiled } from "../../lib/model/generate.ts";
import type { Params } from "@lib/weights/mod.ts";
import { assertNear, changed, type Fixture, fixture, NAMES, waysOf } from "./fixture.ts";

const STEPS = 7;
const model = (f: Fixture, eosId = -1): Model => ({
  params: f.params,
  config: { ...f.config, eosId },
  dtype: "float32",
});
/** k seeds for each of the fixture's rows. */
const seeds = (f: Fixture, first: number, k: number) =>
  Array.from(
    { length: f.prompts.ids.shape[0]! },
    (_, row) => Array.from({ length: k }, (_, j) => 1000 * first + 10 * row + j),
  );
const upTo = (row: number[], end: number) => row.includes(end) ? row.slice(0, row.indexOf(end)) : row;

for (const name of NAMES) {
  for (const [way, run] of waysOf(name, ["mqa_left", "gqa_right"])) {
    Deno.test(`${name}, ${way}: prefill and each decoding step give the logits of transformers' generate`, async () => {
      const { params, config, prompts, record, info } = await fixture(name);
      const [batch, length] = prompts.ids.shape as [number, number], places = length + STEPS;
      const start = run((params: Params, prompts: ModelInputs) =>
        prefill(weightsOf(params), prompts, config, places)
      );
      const step = run((params: Params, cache: KVCache[], ids: Tensor, position: Tensor, real: Tensor) =>
        decode(weightsOf(params), cache, ids, position, real, config)
      );
      const mask = tf.cast(prompts.attentionMask, "float32");
      const real = tf.concat([mask, tf.ones([batch, STEPS])], 1);
      let now = start(params, prompts);
      for (let i = 0; i < STEPS; i++) {
        const recorded = tf.reshape(tf.slice(record["greedy.logits"], [0, i, 0], [-1, 1, -1]), [batch, -1]);
        assertNear(`logits of step ${i}`, now.logits, recorded, 2e-5);
        const ids = tf.tensor1d(info.greedy.ids.map((row) => row[i]), "int32");
        assertEquals([...tf.argMax(now.logits, -1).dataSync()], [...ids.dataSync()]);
        if (i + 1 < STEPS) now = step(params, now.cache, ids, tf.scalar(length + i, "int32"), real);
      }
    });
  }

  Deno.test(`${name}: greedy generation gives transformers' tokens, their log-probabilities, and ends at eos`, async () => {
    const f = await fixture(name), { ids, endId } = f.info.greedy;
    const whole = generate(model(f), f.prompts, { maxNewTokens: STEPS });
    assertEquals(whole.ids, ids);
    assertEquals(whole.ended, ids.map(() => false));
    const logP = tf.logSoftmax(f.record["greedy.logits"]).arraySync() as number[][][];
    ids.forEach((row, b) => {
      row.forEach((id, i) => assert(Math.abs(whole.logprobs[b][i] - logP[b][i][id]) < 5e-5));
    });
    const ended = generate(model(f, endId), f.prompts, { maxNewTokens: STEPS });
    assertEquals(ended.ids, f.info.greedy.endedIds.map((row) => upTo(row, endId)));
    assertEquals(ended.ended, ids.map((row) => row.includes(endId)));
    assert(ended.ended.includes(true), "the fixture should have a row that ends");
    ended.ids.forEach((row, b) =>
      assertEquals(ended.logprobs[b].length, row.length + (ended.ended[b] ? 1 : 0))
    );
  });
}

for (const compiler of ["graph", "xla"] as const) {
  Deno.test(`${compiler}: one loop for all tokens says what a call for each token says, and ends with the last row`, async () => {
    const f = await fixture("mqa_left"), { ids, endId } = f.info.greedy;
    const both = async (more: object, m = model(f)) => {
      const told: number[][][] = [], options = { maxNewTokens: STEPS, compiler, ...more };
      const loop = generate(m, f.prompts, options);
      assertEquals(await generateTokens(m, f.prompts, options, (rows) => void told.push(rows)), loop);
      return { loop, told };
    };
    const { loop, told } = await both({});
    assertEquals(loop.ids, ids);
    assertEquals(told, [1, 2, 3, 4, 5, 6, 7].map((tokens) => ids.map((row) => row.slice(0, tokens))));
    if (compiler === "xla") return;
    await both({ temperature: 1.3, topP: 0.9, seeds: seeds(f, 1, 3) });
    // A model whose answers all end: told of no more tokens than the longest has, its end included.
    const row = ids.findIndex((row) => row.includes(endId));
    const alone = Object.fromEntries(Object.entries(f.prompts).map(([n, x]) => [n, tf.slice(x, row, 1)]));
    const ending = ids[row].slice(0, ids[row].indexOf(endId)), told1: number[][] = [];
    const before = tf.memory().numTensors, single = alone as unknown as ModelInputs;
    await generateTokens(model(f, endId), single, { maxNewTokens: STEPS }, ([own]) => void told1.push(own));
    assertEquals(told1, [...ending.map((_, i) => ending.slice(0, i + 1)), ending]);
    const stopped = () =>
      generateTokens(model(f, endId), single, { maxNewTokens: STEPS }, () => {
        throw new Error("the reader has gone");
      });
    await assertRejects(stopped, Error, "the reader has gone");
    assertEquals(tf.memory().numTensors, before);
  });
}

Deno.test("sampling is repeatable by its seed, gives k answers per prompt in order, and is greedy with topK 1", async () => {
  const f = await fixture("mqa_left"), m = model(f);
  const draw = (seed: number, more = {}) =>
    generate(m, f.prompts, { maxNewTokens: 5, temperature: 1.5, seeds: seeds(f, seed, 4), ...more });
  const a = draw(1);
  assertEquals(a.ids.length, 12);
  assertEquals(draw(1), a);
  assert(JSON.stringify(draw(2).ids) !== JSON.stringify(a.ids), "another seed, other answers");
  assert(
    new Set(a.ids.slice(0, 4).map((r) => r.join())).size > 1,
    "four samples of a hot model should differ",
  );
  const greedy = f.info.greedy.ids.map((row) => row.slice(0, 5));
  const repeated = greedy.flatMap((row) => [row, row, row, row]);
  assertEquals(draw(1, { topK: 1 }).ids, repeated);
  assertEquals(draw(3, { topP: 1e-6 }).ids, repeated);
});

Deno.test("the log-probabilities of samples are those of the whole forward pass over prompt and answer", async () => {
  const f = await fixture("gqa_right"), m = model(f);
  const { ids, logprobs } = generate(m, f.prompts, {
    maxNewTokens: 4,
    temperature: 1.2,
    seeds: seeds(f, 5, 2),
  });
  // Row 1, sample 0, read as one sequence by the prefill of an ever longer prompt.
  const row = 1, length = f.prompts.ids.shape[1]!;
  for (let i = 0; i < 4; i++) {
    const one = (x: Tensor) => tf.slice(x, row, 1),
      extra = tf.tensor2d([ids[2 * row].slice(0, i)], [1, i], "int32");
    const longer = (x: Tensor, fill: Tensor) => i === 0 ? one(x) : tf.concat([one(x), fill], 1);
    const inputs = {
      pixelValues: one(f.prompts.pixelValues),
      ids: longer(f.prompts.ids, extra),
      tokenTypes: longer(f.prompts.tokenTypes, tf.onesLike(extra)),
      attentionMask: longer(f.prompts.attentionMask, tf.onesLike(extra)),
    };
    const { logits } = prefill(weightsOf(f.params), inputs, f.config, length + i);
    const expected = tf.logSoftmax(logits).dataSync()[ids[2 * row][i]];
    assert(
      Math.abs(logprobs[2 * row][i] - expected) < 5e-5,
      `token ${i}: ${logprobs[2 * row][i]}, ${expected}`,
    );
  }
});

Deno.test("another temperature or topP is no other trace, and draws from the distribution that it gives", async () => {
  const f = await fixture("mqa_left"), settings = { maxNewTokens: STEPS, seeds: seeds(f, 7, 40) };
  /** Different first tokens among 40 answers to the first prompt. */
  const different = (temperature: number, topP?: number) => {
    const { ids } = generate(model(f), f.prompts, { ...settings, temperature, topP });
    return new Set(ids.slice(0, 40).map((row) => row[0])).size;
  };
  const traces = () =>
    [...compiled.values()].map(({ start, goOn }) => start.traces.length + goOn.traces.length);
  assertEquals([different(1e-3), different(50, 1e-3)], [1, 1]);
  const before = traces();
  assert(different(50) > 10 && different(50, 0.999) > 10); // nearly uniform
  assertEquals(traces(), before);
});

Deno.test("one trace of the decoding step serves every place and every call", async () => {
  const f = await fixture("mha_text_only"), options = { maxNewTokens: 6, temperature: 0.9 };
  const before = new Set(compiled.keys());
  for (const seed of [1, 2]) {
    generate(model(f), f.prompts, { ...options, seeds: seeds(f, seed, 2) });
  }
  const [key, ...others] = [...compiled.keys()].filter((k) => !before.has(k)),
    { start, goOn } = compiled.get(key)!;
  assertEquals([others.length, start.traces.length, goOn.traces.length], [0, 1, 1]);
});

Deno.test("generation leaves no tensor behind", async () => {
  const f = await fixture("gqa_right"), go = () => generate(model(f), f.prompts, { maxNewTokens: 3 });
  go();
  const before = tf.memory().numTensors;
  go();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("prompts padded on the right and contradictory settings are refused", async () => {
  const f = await fixture("gqa_right"), m = model(f), last = f.prompts.ids.shape[1]! - 1;
  const right = { ...f.prompts, attentionMask: changed(f.prompts.attentionMask, [1, last], 0) };
  assertThrows(() => generate(m, right, { maxNewTokens: 2 }), Error, "padded on the left");
  const wrong = (options: object, message: string) =>
    assertThrows(() => generate(m, f.prompts, { maxNewTokens: 2, ...options }), Error, message);
  wrong({ topK: 3 }, "need a temperature");
  wrong({ seeds: [[1]] }, "need a temperature");
  wrong({ temperature: 1 }, "needs seeds");
  wrong({ temperature: 1, seeds: [[1], [1, 2]] }, "as many seeds as the first, 1");
  wrong({ temperature: 1, seeds: [[1]] }, "the seeds of 2 rows, found those of 1");
  wrong({ temperature: 0 }, "temperature must be at least");
  wrong({ temperature: 1, topP: 0 }, "topP must be in (0, 1]");
  wrong({ temperature: 1, topK: 1.5 }, "topK must be a whole number");
  wrong({ maxNewTokens: 0 }, "maxNewTokens must be a whole number from 1");
});
