import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { labReview } from "../cli/lab_review.ts";
import { chrome, openFile, withPage } from "../jupyter/browser.ts";
import { folder, id, runOnce } from "./review_run.ts";

Deno.test({
  name:
    "pairs are accepted, rejected and edited by keys and clicks, downloaded, stored, and honoured [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const { page: file, kept } = await runOnce();
    assertEquals([...kept.keys()], [id(0)]);
    assertStringIncludes(await labReview(), "review.html in a browser");
    const review = join(folder, "downloaded.json");
    await withPage(async (page) => {
      const { press, faults, asked } = await openFile(page, file);
      const articles = page.locator("article"), count = page.locator("#count");
      assertEquals(await articles.count(), 3);
      assertStringIncludes(await articles.nth(2).innerText(), "</script><script>globalThis.owned = 1");
      assertEquals(await page.evaluate("globalThis.owned"), undefined);
      assertEquals(await page.locator("article script, article b, article img[onerror]").count(), 0);
      assertEquals(
        await page.locator("article img").evaluateAll((all) =>
          all.every((one) => (one as unknown as { naturalWidth: number }).naturalWidth === 48)
        ),
        true,
      );

      await press("?");
      assert(await page.locator("#keys").isVisible());
      await press("a"); // a key for the help does not decide
      await press("Escape");
      assertEquals(await count.innerText(), "0 of 3 decided: 0 accepted, 0 rejected, 0 edited");

      await press("e");
      await page.locator("input[name=answer]").fill("right kidney");
      await press("Enter"); // moves on
      await press("a", "k", "k", "j"); // accepts the second and comes back to it
      await press("u");
      assertEquals(await count.innerText(), "1 of 3 decided: 0 accepted, 0 rejected, 1 edited");
      await press("a");
      await press("r");
      await page.keyboard.type("aje: hostile");
      await press("Escape");
      assertEquals(await articles.nth(2).getAttribute("data-verdict"), "");
      await articles.nth(2).getByRole("button", { name: "Reject" }).click();
      await page.keyboard.type("hostile <i>text</i>");
      await press("Enter");
      assertEquals(await count.innerText(), "3 of 3 decided: 1 accepted, 1 rejected, 1 edited");
      assertStringIncludes(await articles.nth(2).innerText(), "rejected: hostile <i>text</i>");
      assertStringIncludes(
        await articles.nth(0).innerText(),
        "The teacher wrote: Which organ is affected? – kidney",
      );

      await page.locator("#filter").selectOption("reject");
      assertEquals(await page.locator("article:visible").count(), 1);
      await page.reload(); // the browser remembers
      assertEquals(await count.innerText(), "3 of 3 decided: 1 accepted, 1 rejected, 1 edited");
      await page.locator("#search").fill("right kidney");
      assertEquals(await page.locator("article:visible").count(), 1);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator("#download").click(),
      ]);
      assertEquals(download.suggestedFilename(), "review.json");
      await download.saveAs(review);
      assertEquals(faults, []);
      assertEquals(asked, []);
    });
    assertStringIncludes(await labReview(review), "1 accepted, 1 rejected, 1 edited, 0 taken back.");

    const after = await runOnce();
    assertEquals([...after.kept.keys()], [id(0), id(1)]);
    assertEquals(after.kept.get(id(0))!.answer, "right kidney");
    assertEquals(JSON.parse(after.dropped.get(id(2))!.verdicts).review, "hostile <i>text</i>");
    await withPage(async (page) => { // the next page shows what was decided, in a browser that remembers nothing
      await page.goto(`file://${after.page}`);
      assertEquals(
        await page.locator("#count").innerText(),
        "3 of 3 decided: 1 accepted, 1 rejected, 1 edited",
      );
    });
  },
});
