import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { chrome, withPage } from "../jupyter/browser.ts";

// The results folder is read from the environment when lib/config is loaded.
const results = await Deno.makeTempDir({ prefix: "compare-" });
Deno.env.set("LAB_RESULTS", results);
const { startRun } = await import("../../lib/artifacts/mod.ts");
const { loadConfig } = await import("../../lib/config/mod.ts");
const { run } = await import("../../lib/cli/runs.ts");

const HOSTILE = `</script><img src=x onerror="globalThis.owned = 1"><a href="http://a.test">%{x}</a>`;
const names: string[] = [];
for (const limit of ["2", "3"]) {
  const made = await startRun("05_stage2", loadConfig({ LIMIT: limit }));
  const point = (cell: string, step: number) => ({
    cell,
    step,
    loss: Number(limit) / step,
    learningRate: 0.01,
    validationLoss: step % 2 ? 1 / step : null,
  });
  const cells = [HOSTILE, "roco_v2__with"];
  await made.writeTable("curves", cells.flatMap((cell) => [1, 2, 3].map((step) => point(cell, step))));
  await made.writeTable("other", [{ text: "no curve" }]);
  await made.writeJson("image_gain", [{ cell: "roco_v2__with", gain: 1 / Number(limit) }, { cell: HOSTILE }]);
  await made.writeJson("table1", { rows: [{ dataset: "ROCO", ours: `${limit} %` }], notes: {} });
  await made.writeJson("scaling_law", { fit: null });
  names.push((await made.finish({ notice: "phantoms" })).split("/").at(-1)!);
}

async function comparedPage(...args: string[]): Promise<string> {
  const out = join(results, "page.html"), { log } = console;
  console.log = () => {};
  try {
    await run(["compare", "05", ...args, "--out", out]);
  } finally {
    console.log = log;
  }
  return out;
}
const dataOf = async (path: string) =>
  JSON.parse((await Deno.readTextFile(path)).match(/id="data">([^<]*)<\/script>/)![1]);

Deno.test("a page compares two runs: curves by training and measure, tables row beside row, and what differs", async () => {
  const { runs, measures, curves, tables, differences } = await dataOf(await comparedPage(...names));
  assertEquals(runs.map((one: { run: string }) => one.run), names);
  assertEquals(measures, ["validationLoss", "loss", "learningRate"]);
  assertEquals(curves.length, 2 * 2 * 3);
  assertEquals(
    curves.find((one: { measure: string; run: string; training: string }) =>
      one.measure === "validationLoss" && one.run === names[1] && one.training === "roco_v2__with"
    ),
    {
      run: names[1],
      training: "roco_v2__with",
      measure: "validationLoss",
      steps: [1, 3],
      values: [1, 1 / 3],
    },
  );
  assertEquals(tables.map((one: { name: string }) => one.name), ["image_gain", "table1"]);
  assertEquals(tables[1].rows, [
    { run: names[0], dataset: "ROCO", ours: "2 %" },
    { run: names[1], dataset: "ROCO", ours: "3 %" },
  ]);
  assertEquals(tables[0].rows.map((row: { run: string }) => row.run), [...names, ...names]);
  assertEquals(differences, [{ place: "config.limit", values: ["2", "3"] }]);
});

Deno.test("one run is compared with the current one; a run alone, or none of that name, is a sentence", async () => {
  const { runs } = await dataOf(await comparedPage(names[0]));
  assertEquals(runs.length, 2);
  await assertRejects(
    () => comparedPage(names[1]),
    Error,
    `has no other run than ${names[1]}: name two runs.`,
  );
  await assertRejects(() => comparedPage(names[0], "nothing"), Error, "stage 05_stage2 has no run nothing.");
});

Deno.test({
  name: "in a browser the page draws the curves, asks nothing, and takes texts for texts [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const path = await comparedPage(...names);
    await withPage(async (page) => {
      const asked: string[] = [], errors: string[] = [];
      page.on("request", (request) => void asked.push(request.url().slice(0, 60)));
      page.on("pageerror", (error) => void errors.push(error.message));
      page.on("console", (message) => message.type() === "error" && void errors.push(message.text()));
      const lines = () => page.locator("#chart .scatterlayer .trace").count();
      const legend = () => page.locator("#chart .legendtext").allTextContents();
      await page.goto(`file://${path}`);
      await page.waitForSelector("#chart .scatterlayer .trace");
      assertEquals([asked, errors], [[`file://${path}`.slice(0, 60)], []]);
      assertEquals(await lines(), 2);
      assertStringIncludes((await legend())[0], `${names[0]} · ${HOSTILE}`);
      await page.selectOption("#training", "");
      await page.selectOption("#measure", "learningRate");
      assertEquals(await lines(), 4);
      await page.check("#log");
      assertEquals(await lines(), 4);
      assertMatch(await page.locator("#tables").innerText(), /config\.limit\s+2\s+3/);
      assertEquals(await page.locator("#tables img, #chart a, #tables a").count(), 0);
      assertEquals(await page.evaluate("globalThis.owned"), undefined);
      assertEquals([asked.length, errors], [1, []]);
    });
  },
});

Deno.test("the page names no place of this machine", async () => {
  assert(!(await Deno.readTextFile(await comparedPage(...names))).includes(results));
  await Deno.remove(results, { recursive: true });
});
