/** Answers that are kept: the same as in one call, asked for once. */
import { assert, assertEquals, assertRejects } from "@std/assert";

const results = await Deno.makeTempDir();
Deno.env.set("LAB_RESULTS", results);
const { loadConfig } = await import("@lib/config/mod.ts");
const { answerOrFind } = await import("@lib/answers/kept_answers.ts");
const { answerPrompts, openModel } = await import("@lib/model/mod.ts");
const { phantomStore } = await import("@lib/nano/mod.ts");
const { setMatmulPrecision } = await import("@lib/tensor/mod.ts");

const { model, tokenizer } = await openModel(loadConfig({})), store = phantomStore();
const prompts = Array.from({ length: 70 }, (_, i) => ({
  imagePath: `generic/${4_900_000 + i % 5}`,
  prefix: ["answer en which side is it?", "answer en what modality is this image?"][i % 2],
  seeds: [2 * i, 2 * i + 1],
}));
const settings = { batchSize: 2, temperature: 0.9, maxNewTokens: 3 };

/** The answers, and how many prompts were asked for them. */
async function ask(
  weights: string,
  more: { signal?: AbortSignal; temperature?: number; onProgress?: () => void } = {},
) {
  let tokens = 0;
  const onText = () => void tokens++;
  const options = { ...settings, onText, ...more };
  const answers = await answerOrFind({ model, tokenizer, store, weights }, prompts, options);
  return { answers, asked: tokens > 0 };
}

Deno.test("answers kept in parts equal those of one call, also after a Stop between, and are asked for once", async () => {
  const once = await answerPrompts(model, tokenizer, store, prompts, settings);
  const stop = new AbortController(), reason = new Error("Stop was pressed");
  let done = 0;
  const onProgress = () => void (++done > 32 && stop.abort(reason)); // in the second part
  assertEquals(await assertRejects(() => ask("w", { signal: stop.signal, onProgress })), reason);
  const resumed = await ask("w");
  assertEquals(resumed.answers, once);
  assert(resumed.asked, "the second part was not kept");
  assertEquals(await ask("w"), { answers: once, asked: false });
  assert((await ask("other weights")).asked);
  assert((await ask("w", { temperature: 0.8 })).asked);
  setMatmulPrecision("tf32");
  assert((await ask("w")).asked, "products of another precision give other answers");
  setMatmulPrecision("float32");
  await Deno.remove(results, { recursive: true });
});
