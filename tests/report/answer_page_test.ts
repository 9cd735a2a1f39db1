import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import {
  type CellAnswers,
  type GridItems,
  itemScores,
  type JudgedCell,
  type JudgeVerdict,
} from "../../lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "../../lib/evaluation/cells.ts";
import { answerPage, wrongAnswers } from "../../lib/report/mod.ts";
import { countAnswers } from "../../lib/report/answer_page.ts";
import { chrome, withPage } from "../jupyter/browser.ts";

const dir = await Deno.makeTempDir({ prefix: "answers-" });
globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
const PICTURE = join(dir, "picture.png");
await sharp({ create: { width: 8, height: 8, channels: 3, background: "#405060" } }).png().toFile(PICTURE);

/** As much of a canvas as the test reads, which has no types of a browser. */
interface HTMLCanvas {
  width: number;
  height: number;
  getContext(kind: "2d"): { getImageData(...box: number[]): { data: Uint8ClampedArray } };
}

const HOSTILE = `</script><img src=x onerror="globalThis.owned = 1">\u202E`;
const item = (id: string, answer: string, questionType: string) => ({
  ...{
    id,
    imageId: `image ${id}`,
    imagePath: PICTURE,
    answer,
    questionType,
    dataset: "roco_v2",
    split: "test",
  },
  ...{ question: `what about ${id}?`, choices: null, answerType: null },
});
const short = [item("a", "liver", "organ"), item("b", "left", "side")],
  open = [item("c", "a mass in the liver", "caption")];
const items = { roco_v2: { short, open } } as unknown as GridItems;
const said = (id: string, texts: string[]) =>
  texts.map((answer, run) => ({ id, run, answer, seed: null, cut: answer === "le" }));
const system = (name: string, a: string[], b: string[], c: string): CellAnswers => ({
  cell: EVALUATED_CELLS.find((cell) => cell.name === name)!,
  ...{ short: [...said("a", a), ...said("b", b)], open: said("c", [c]), blank: [], shuffled: [] },
});
const answers = [
  system("roco_v2__base", ["liver", "lung", "Liver"], [HOSTILE, HOSTILE, "le"], "a cyst"),
  system("roco_v2__with", ["liver", "liver", "liver"], ["right", "right", "right"], "a mass in the liver"),
];
const verdicts = { roco_v2__base: [{ id: "c", run: 0, correct: false, reason: HOSTILE } as JudgeVerdict] };
const scores = itemScores(answers, items, []);
/** What the judge is worth, by the lower end of its kappa. */
const judgedAt = (low: number) =>
  [{ standing: { kappa: { estimate: 0.3, low, high: 0.7 } } }] as unknown as JudgedCell[];
const page = (asked = items, low = 0.1) =>
  answerPage(answers, asked, scores, verdicts, {
    ...{ title: "Answers", notice: HOSTILE, judged: judgedAt(low) },
    regionOf: (imageId) => imageId === "image b" ? null : "abdomen",
    maps: new Map(
      wrongAnswers(answers[1], items, scores, 9).map(({ key }) => [key, new Float32Array([0, 1, 2, 4])]),
    ),
  });

Deno.test("equal answers are counted, the most frequent first, each right or wrong by exact match", async () => {
  const { questions, left } = JSON.parse((await page()).match(/id="data">([^<]*)<\/script>/)![1]);
  assertEquals(left, 0);
  assertEquals(questions.map(({ id, kind }: { id: string; kind: string }) => `${id} ${kind}`), [
    "a short",
    "b short",
    "c open",
  ]);
  assertEquals(questions[0].systems[0].answers, [
    { text: "Liver", count: 1, right: true, cut: false },
    { text: "liver", count: 1, right: true, cut: false },
    { text: "lung", count: 1, right: false, cut: false },
  ]);
  assertEquals(
    questions[1].systems[0].answers.map(({ count, cut }: { count: number; cut: boolean }) => [count, cut]),
    [[2, false], [1, true]],
  );
  assertEquals(questions[1].systems[0].judge, null);
  assertEquals(questions.map(({ region }: { region: string | null }) => region), [
    "abdomen",
    null,
    "abdomen",
  ]);
  const exact = questions[0].systems[0].scores.find(({ scorer }: { scorer: string }) => scorer === "exact");
  assertAlmostEquals(exact.score, 2 / 3); // liver, lung, Liver
  assert(questions[2].systems[1].scores.length > 1, "an open answer has scores by several rules");
  assertEquals(questions[2].systems.map(({ judge }: { judge: unknown }) => judge), [{
    correct: false,
    reason: HOSTILE,
  }, null]);
  assertEquals(countAnswers([]), []);
});

Deno.test("short questions that a system got wrong in every run are those of which maps are wanted, the first so many", () => {
  const wrong = (own: CellAnswers, most: number) => wrongAnswers(own, items, scores, most);
  assertEquals(wrong(answers[1], 9).map(({ key, answer, question }) => [key, answer, question]), [
    ["roco_v2__with short b", "right", "what about b?"],
  ]);
  assertEquals(wrong(answers[0], 9).map(({ key, answer }) => [key, answer]), [[
    "roco_v2__base short b",
    HOSTILE,
  ]]);
  assertEquals(wrong(answers[0], 0), []);
});

Deno.test("a judge that has been shown worthless is not on the page, with no word of its reasons", async () => {
  for (const low of [0, -0.2]) {
    const { questions } = JSON.parse((await page(items, low)).match(/id="data">([^<]*)<\/script>/)![1]);
    const systems = questions.flatMap((question: { systems: { judge: unknown }[] }) => question.systems);
    assert(systems.length > 0 && systems.every(({ judge }: { judge: unknown }) => judge === null));
  }
});

Deno.test("of many questions the first are shown, and the page says how many are left", async () => {
  const many = Array.from({ length: 303 }, (_, i) => ({ ...item("a", "liver", "organ"), id: `${i}` }));
  const text = await page({ roco_v2: { short: many, open } } as unknown as GridItems);
  assertMatch(text, /"left":3\}/);
});

Deno.test("a picture that is not there is named", async () => {
  const gone = { ...short[0], imagePath: join(dir, "gone.png") };
  await assertRejects(
    () => page({ roco_v2: { short: [gone], open } } as unknown as GridItems),
    Error,
    "gone.png",
  );
});

Deno.test({
  name: "[needs Chromium] the page filters by type, system and verdict, searches, and shows texts as texts",
  ignore: chrome === undefined,
  fn: async () => {
    const file = join(dir, "answers.html");
    await Deno.writeTextFile(file, await page());
    await withPage(async (browser) => {
      const errors: string[] = [], elsewhere: string[] = [];
      browser.on("pageerror", (error) => errors.push(error.message));
      browser.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      browser.on(
        "request",
        (request) => /^(file|data):/.test(request.url()) || elsewhere.push(request.url()),
      );
      await browser.goto(`file://${file}`);
      const shown = () => browser.locator("article h2").allTextContents();
      const pick = async (id: string, value: string) => {
        await browser.selectOption(`#${id}`, value);
        const found = await shown();
        await browser.selectOption(`#${id}`, "");
        return found.map((text) => text.slice(11, 12)).join("");
      };
      assertEquals((await shown()).length, 3);
      assertEquals(await pick("type", "organ"), "a");
      assertEquals(await pick("kind", "open"), "c");
      assertEquals([await pick("region", "abdomen"), await pick("region", "(not known)")], ["ac", "b"]);
      await browser.locator("summary").first().click();
      assertMatch((await browser.locator("details span").first().textContent())!, /^exact 0\.67 · /);
      assertEquals(await pick("verdict", "mixed"), "a");
      assertEquals(await pick("verdict", "cut"), "b");
      await browser.selectOption("#system", "ROCOv2, with stage 1");
      assertEquals(await pick("verdict", "wrong"), "b");
      assertEquals(await pick("verdict", "right"), "ac");
      await browser.selectOption("#system", "");
      const map = browser.locator("button.map"), canvas = browser.locator(".picture canvas:visible");
      assertEquals([await map.count(), await canvas.count()], [1, 0]);
      await map.click();
      assertEquals([await map.getAttribute("aria-pressed"), await canvas.count()], ["true", 1]);
      assertMatch((await canvas.getAttribute("aria-label"))!, /^Where ROCOv2, with stage 1 looked/);
      const drawn = await canvas.evaluate((node) => {
        const { width, height, getContext } = node as unknown as HTMLCanvas;
        const { data } = getContext.call(node, "2d").getImageData(0, 0, width, height);
        return [width, height, ...[0, 1, 2, 3].map((i) => data[4 * i + 3])];
      });
      assertEquals(drawn, [2, 2, 0, 47, 95, 191]);
      await map.click();
      assertEquals(await canvas.count(), 0);
      await browser.fill("#search", "LUNG");
      assertEquals(await shown(), ["what about a?"]);
      assertEquals(await browser.textContent("#count"), "1 of 3 questions");
      await browser.fill("#search", "");
      assert((await browser.textContent("main"))!.includes("</script><img src=x"));
      assertEquals(await browser.evaluate(() => "owned" in globalThis), false);
      assertEquals([errors, elsewhere], [[], []]);
      const shot = Deno.env.get("LAB_SHOT");
      if (shot) await browser.screenshot({ path: shot });
    });
  },
});
