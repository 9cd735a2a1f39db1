/** An item's answers are its own: not those of the list, the order or the batches that it is asked in. */
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "@lib/config/mod.ts";
import { answerSeed, type AskedItem } from "@lib/evaluation/mod.ts";
import { askModel } from "@lib/answers/ask_model.ts";
import { generate, openModel, promptInputs } from "@lib/model/mod.ts";
import { questionPrefix } from "@lib/text/mod.ts";
import { phantomStore } from "@lib/nano/mod.ts";

const config = loadConfig({ LAB_SET: "model.compiler=graph" }),
  { model, tokenizer } = await openModel(config),
  store = phantomStore();
const QUESTIONS: [string, string[] | null][] = [
  ["which side is it?", null],
  ["where is the lesion?", ["left lung", "right lung", "liver, upper part", "no lesion at all"]],
];
const items = Array.from({ length: 16 }, (_, i): AskedItem => ({
  id: `item ${i}`,
  imageId: `${i % 5}`,
  imagePath: `generic/${4_900_000 + i % 5}`,
  question: QUESTIONS[i % 2][0],
  answer: "",
  choices: QUESTIONS[i % 2][1],
  answerType: null,
}));
const runs = 5, maxNewTokens = 4;

/** Answers by id and run. */
async function ask(list: readonly AskedItem[], batchSize: number, runs: number) {
  const evaluation = { ...config.evaluation, temperature: 1.3, maxNewTokens, batchSize };
  const said = await askModel(model, tokenizer, store, list, { ...config, evaluation }, { runs });
  return new Map(said.map((prediction) => [`${prediction.id}/${prediction.run}`, prediction]));
}

Deno.test("a shorter list, another order and other batches give every item the same answers, and each names its seed", async () => {
  const whole = await ask(items, 20, runs);
  for (const { id, run, seed } of whole.values()) assertEquals(seed, answerSeed(config.seed, id, run));
  assertEquals(new Set([...whole.values()].map(({ seed }) => seed)).size, items.length * runs);
  const distinct = new Set([...whole.values()].map(({ id, answer }) => `${id} ${answer}`)).size;
  assert(distinct > 1.5 * items.length, `runs should differ; ${distinct} answers of ${items.length} items`);
  const same = async (list: readonly AskedItem[], batchSize: number) => {
    const answers = await ask(list, batchSize, runs);
    assertEquals(answers.size, list.length * runs);
    for (const [key, prediction] of answers) assertEquals(prediction, whole.get(key));
  };
  await same(items.filter((_, i) => i % 3 === 1), 20);
  await same(items.toReversed(), 20);
  await same(items, 5);
});

Deno.test("greedy answers too", async () => {
  const whole = await ask(items, 3, 1);
  for (const answer of whole.values()) assertEquals(answer.seed, null);
  for (const [key, answer] of await ask(items.slice(5, 12).toReversed(), 3, 1)) {
    assertEquals(answer, whole.get(key));
  }
});

Deno.test("more padding changes no answer", async () => {
  const some = items.slice(0, 4),
    seeds = some.map(({ id }) => Array.from({ length: runs }, (_, run) => answerSeed(1, id, run)));
  const prompts = some.map((item) => ({ imagePath: item.imagePath, prefix: questionPrefix(item) }));
  const [short, long] = await Promise.all([112, 128].map(async (length) => {
    const inputs = await promptInputs(model, tokenizer, store, prompts, { length });
    return generate(model, inputs, { seeds, temperature: 1.3, maxNewTokens }).ids;
  }));
  assertEquals(short, long);
});
