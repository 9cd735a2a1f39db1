import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  config,
  evaluation,
  finishedRun,
  folder,
  grading,
  GRADING_RULE,
  HOSTILE,
  predictions,
  scores,
} from "./grading_run.ts";
import { labReview } from "../cli/lab_review.ts";
import { chrome, openFile, withPage } from "../jupyter/browser.ts";

const toGrade = grading.answersToGrade(predictions, config);

Deno.test("the page is one file without addresses, data in it is data, and it does not say what the judge says", async () => {
  const text = await Deno.readTextFile(await finishedRun());
  assertEquals(text.match(/<\/?script/g)!.length, 4);
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(text)![1];
  assertEquals(text.replace(json, "").match(/https?:|\b(?:src|href)=/g), null);
  const data = JSON.parse(json);
  assertEquals(Object.keys(data).sort(), ["answers", "key", "rule", "scale", "stored", "version"]);
  assertEquals(data.answers, toGrade);
  assertEquals(text.includes("roco_v2__with"), false, "who answered is not in it");
  assertStringIncludes(data.rule, GRADING_RULE);
});

Deno.test({
  name:
    "answers are graded by keys and clicks, downloaded, stored and compared; hostile texts stay texts [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const file = await finishedRun(), grading = join(folder, "downloaded.json");
    await withPage(async (page) => {
      const { press, faults, asked } = await openFile(page, file);
      const articles = page.locator("article"), count = page.locator("#count");
      assertEquals(await articles.count(), 10);
      const hostile = toGrade.findIndex(({ answer }) => answer === HOSTILE);
      assertStringIncludes(
        await articles.nth(hostile).innerText(),
        "</script><script>globalThis.owned = 1</script>",
      );
      assertEquals(await page.evaluate("globalThis.owned"), undefined);
      assertEquals(await page.locator("article script, article img").count(), 0);

      await press("?");
      assert(await page.locator("#keys").isVisible());
      await press("c"); // a key for the help does not grade
      await press("Escape");
      assertEquals(await count.innerText(), "0 of 10 graded: 0 correct, 0 incorrect, 0 cannot tell");
      // By the person's own verdict: what the judge says, q0..q4.
      for (const { id } of toGrade.slice(0, 9)) await press(Number(id.slice(1)) < 5 ? "c" : "i");
      await press("t", "u"); // the last one: nothing comes after it
      assertStringIncludes(await count.innerText(), "9 of 10 graded:");
      await press("k", "k", "n", "t");
      assertStringIncludes(await count.innerText(), "10 of 10 graded:");
      assertStringIncludes(await count.innerText(), "1 cannot tell");
      assertEquals(await articles.nth(9).getAttribute("data-verdict"), "unsure");
      assertEquals(
        await articles.nth(9).getByRole("button", { name: "Cannot tell" }).getAttribute("aria-pressed"),
        "true",
      );
      await articles.nth(0).getByRole("button", { name: "Undo" }).click();
      await articles.nth(0).getByRole("button", { name: "Cannot tell" }).click();
      assertEquals(await page.evaluate("document.activeElement.tagName"), "ARTICLE", "the keyboard follows");
      assert((await articles.nth(1).getAttribute("class"))?.includes("here"), "a grade leads on to the next");
      await page.reload(); // the browser remembers
      assertStringIncludes(await count.innerText(), "10 of 10 graded:");
      const shot = Deno.env.get("LAB_SHOT");
      if (shot) await page.screenshot({ path: shot });
      const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("s")]);
      assertEquals(download.suggestedFilename(), "grading.json");
      await download.saveAs(grading);
      assertEquals(faults, []);
      assertEquals(asked, []);
    });
    const said = await labReview(grading);
    assertStringIncludes(said, "2 that you cannot tell, 0 taken back.");
    assertStringIncludes(
      said,
      "tiny_grading.json; the next run of notebook 06 shows how far the judge agrees.",
    );
    const { personAgreement, personVerdicts, readGrades, scoreTable } = evaluation;
    const person = personVerdicts(await readGrades(config.scale), predictions, config);
    const [judge, exact] = personAgreement(scoreTable(scores), person);
    assertEquals([judge.answers, judge.kappa.estimate > 0.999, exact.kappa.estimate < 0.999], [
      16,
      true,
      true,
    ]);

    const again = await finishedRun();
    await withPage(async (page) => { // the next page shows what was stored, in a browser that remembers nothing
      await page.goto(`file://${again}`);
      assertStringIncludes(await page.locator("#count").innerText(), "10 of 10 graded:");
      assertStringIncludes(await page.locator("#count").innerText(), "2 cannot tell");
    });
  },
});

Deno.test("a run without open answers has a page that says so", async () => {
  const text = await evaluation.gradingPage([], new Map(), config);
  assertStringIncludes(text, "no open answers to grade");
});
