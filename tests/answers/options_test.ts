import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import { loadConfig } from "@lib/config/mod.ts";
import { type AskedItem } from "@lib/evaluation/mod.ts";
import {
  compareAccuracy,
  consistency,
  type RankedItem,
  rankingOf,
  rankOptions,
  SMALL_CHANGES,
  type SmallChange,
} from "@lib/answers/mod.ts";
import { changedStore, consistencyOf } from "@lib/answers/consistency.ts";
import { optionProbabilities } from "@lib/answers/options.ts";
import { openModel } from "@lib/model/mod.ts";
import { captureAnswer } from "@lib/saliency/mod.ts";
import { mean, std } from "@lib/stats/mod.ts";
import { tf } from "@lib/tensor/mod.ts";
import { questionPrefix } from "@lib/text/mod.ts";

const dir = await Deno.makeTempDir({ prefix: "options-" });
globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
const PICTURE = join(dir, "picture.png");
await sharp({ create: { width: 96, height: 96, channels: 3, background: "#404040" } })
  .composite([{
    input: { create: { width: 30, height: 24, channels: 3, background: "#d0d0d0" } },
    left: 40,
    top: 20,
  }])
  .png().toFile(PICTURE);

const item = (id: string, answer: string, choices: string[] | null): AskedItem => ({
  ...{ id, imageId: id, imagePath: PICTURE, answerType: null },
  ...{ question: "what modality is this image?", answer, choices },
});
const config = loadConfig({});

Deno.test("an option's likelihood is that of the model giving it as its answer, in every rotation of the list", async () => {
  const { model, tokenizer, store } = await openModel(config), choices = ["ct", "mri", "x-ray"];
  const items = [
    item("a", "MRI", choices),
    item("b", "x-ray", choices),
    item("c", "pet", choices),
    item("d", "ct", null),
    item("e", "CT", choices),
  ];
  const ranked = await rankOptions({ model }, tokenizer, store, items, config, { rotated: 1 });
  const found = ranked.map(({ id, gold, rotations }) => [id, gold, rotations.length]);
  assertEquals(found, [["a", 1, 3], ["b", 2, 1], ["e", 0, 1]]);
  const direct = async (listed: string[], answer: string) => {
    const prefix = questionPrefix({ question: items[0].question, choices: listed });
    const answerIds = [...tokenizer.encode(answer), tokenizer.eosId];
    const { logprobs } = await captureAnswer(model, tokenizer, store, { imagePath: PICTURE, prefix }, {
      answerIds,
    });
    return -logprobs.reduce((sum, x) => sum + x, 0);
  };
  const turned = ["mri", "x-ray", "ct"], { rotations } = ranked[0];
  for (const [i, choice] of choices.entries()) {
    assertAlmostEquals(rotations[0].nats[i], await direct(choices, choice), 1e-3);
    assertAlmostEquals(rotations[1].nats[i], await direct(turned, choice), 1e-3);
  }
});

const ranked = (id: string, gold: number, ...nats: number[][]): RankedItem => ({
  ...{ id, imageId: id, gold },
  rotations: nats.map((own, shift) => ({ shift, nats: own })),
});

Deno.test("a ranking says how often the likeliest option is right, in every order, and at which place it stood", () => {
  const found = rankingOf([
    ranked("a", 0, [1, 2], [1, 2]), // the same option twice: places 0, then 1
    ranked("b", 1, [1, 2], [2, 1]), // the first place twice: wrong, then right
    ranked("c", 1, [3, 1], [5, 1]),
    ranked("d", 0, [4, 1]), // not rotated
  ])!;
  assertEquals([found.items, found.rotated], [4, 3]);
  assertAlmostEquals(found.right.estimate, 2 / 4);
  assertAlmostEquals(found.circular!.estimate, 2 / 3);
  assertEquals(found.places, [4 / 6, 2 / 6]);
  assertEquals(rankingOf([]), null);
  assertEquals(rankingOf([ranked("d", 0, [4, 1])])!.circular, null);
});

Deno.test("probabilities are of the options alone; confidence, Brier score and calibration error follow from them", () => {
  optionProbabilities([1000, 1000 + Math.log(3)]).forEach((p, i) => assertAlmostEquals(p, [0.75, 0.25][i]));
  const sure = Math.log(4),
    items = Array.from({ length: 10 }, (_, i) => ranked(`${i}`, i < 6 ? 0 : 1, [0, sure]));
  const { confidence, brier, calibrationError } = rankingOf(items)!;
  assertAlmostEquals(confidence, 0.8);
  assertAlmostEquals(brier, 0.6 * 2 * 0.2 ** 2 + 0.4 * 2 * 0.8 ** 2);
  // Two items a group, the first three groups right: |1 - 0.8| three times and |0 - 0.8| twice.
  assertAlmostEquals(calibrationError, (3 * 0.2 + 2 * 0.8) / 5);
});

Deno.test("every small change changes the picture, but little, and the same way again", async () => {
  const store = { ...(await openModel(config)).store }, plain = await store.get(PICTURE);
  for (const change of Object.keys(SMALL_CHANGES) as SmallChange[]) {
    const [once, again] = [
      await changedStore(store, change).get(PICTURE),
      await changedStore(store, change).get(PICTURE),
    ];
    assertEquals([once.length, once.every((x, i) => x === again[i])], [plain.length, true], change);
    const distance = plain.reduce((sum, x, i) => sum + Math.abs(x - once[i]), 0) / plain.length;
    assert(distance > 0.05 && distance < 20, `${change}: ${distance}`);
  }
  assertEquals([...await store.get(PICTURE)], [...plain]);
});

Deno.test("the noise is normal, of five levels", async () => {
  const grey = new Uint8Array(3 * 100 * 100).fill(128);
  const added = Array.from(await SMALL_CHANGES["noise of 5 levels"](grey), (level) => level - 128);
  const within = (levels: number) => mean(added.map((x) => Number(Math.abs(x) <= levels)));
  assert(Math.abs(mean(added)) < 0.1 && Math.abs(std(added) - 5) < 0.1, `${mean(added)}, ${std(added)}`);
  // Rounded to whole levels: 5.5 / 5 and 10.5 / 5 standard deviations.
  assertAlmostEquals(within(5), 0.7287, 0.01);
  assertAlmostEquals(within(10), 0.9643, 0.01);
});

Deno.test("two models are compared on the same items: the second minus the first, with what both said", async () => {
  const { model, tokenizer, store } = await openModel(config),
    projector = "multi_modal_projector.linear.weight";
  const moved = tf.mul(model.params[projector], -1);
  const other = { ...model, params: { ...model.params, [projector]: moved } };
  const compared = async (answers: string[]) => {
    const asked = ["which organ is shown?", "what modality is this image?", "is there a lesion?"];
    const items = asked.map((question, i) => ({
      ...item(`${i}`, answers[i], null),
      ...{ question, questionType: `type ${i}` },
    }));
    const models = [{ name: "first", model }, { name: "second", model: other }] as const;
    return (await compareAccuracy(models, tokenizer, store, items, config))!;
  };
  const said = (await compared(["", "", ""])).items.map(({ first }) => first);
  const { rows, difference, items } = await compared(said);
  const same = mean(items.map(({ first, second }) => Number(first === second)));
  assertEquals(items.map(({ first, answer }) => [first, answer]), said.map((text) => [text, text]));
  assertEquals(rows.map(({ model, items, accuracy }) => [model, items, accuracy]), [
    ["first", 3, 1],
    ["second", 3, same],
  ]);
  assert(same < 1, "a model that sees the negative answers otherwise");
  assertAlmostEquals(difference.estimate, same - 1, 1e-12);
  moved.dispose();
});

Deno.test("consistency counts equal answers, right or wrong, beside the accuracy", () => {
  const items = [item("a", "ct", null), item("b", "mri", null), item("c", "ct", null), item("d", "ct", null)];
  const said = (answers: string[]) =>
    answers.map((answer, i) => ({ id: items[i].id, run: 0, answer, seed: null, cut: false }));
  const found = consistencyOf(
    "10 % brighter",
    items,
    said(["ct", "ct", "ct", "x-ray"]),
    said(["CT ", "ct", "mri", "ct"]),
  );
  assertEquals([found.items, found.same.estimate, found.accuracy, found.changedAccuracy.estimate], [
    4,
    0.5,
    0.5,
    0.5,
  ]);
  let refused = false;
  try {
    consistencyOf("10 % brighter", items, said(["ct"]), said(["ct"]));
  } catch {
    refused = true;
  }
  assert(refused);
});

Deno.test("a system is asked once as it is and once with each change, of a limited run the first items", async () => {
  const opened = await openModel(config);
  const items = Array.from({ length: 3 }, (_, i) => item(`${i}`, "ct", null));
  const found = await consistency(
    { model: opened.model },
    opened.tokenizer,
    opened.store,
    items,
    loadConfig({ LIMIT: "2" }),
  );
  assertEquals(
    found.map(({ change, items }) => [change, items]),
    Object.keys(SMALL_CHANGES).map((change) => [change, 2]),
  );
  assertEquals(await consistency({ model: opened.model }, opened.tokenizer, opened.store, [], config), []);
});

Deno.test("a changed image is made once, whoever is asked about it", async () => {
  let read = 0;
  const data = Uint8Array.from({ length: 3 * 8 * 8 }, (_, i) => i);
  const store = { size: 8, get: () => Promise.resolve((read++, data)), fill: () => Promise.resolve() };
  const get = (change: SmallChange, path: string) => changedStore(store, change).get(path);
  const first = await get("10 % brighter", "a");
  assertEquals(await get("10 % brighter", "a"), first);
  assertEquals(read, 1);
  assert((await get("noise of 5 levels", "a")).some((x, i) => x !== first[i]));
  await get("10 % brighter", "b");
  assertEquals(read, 3);
  assertEquals(await changedStore({ ...store }, "10 % brighter").get("a"), first);
  assertEquals(read, 4, "another store has its own");
});
