import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { contactSheet, samplePage } from "@lib/corpus/mod.ts";
import { decodeImage, encodePng } from "@lib/image/mod.ts";
import { visible } from "@lib/jupyter/mod.ts";
import { type Decision, reviewPage } from "@lib/synthesis/mod.ts";
import { pairSha256 } from "../../lib/synthesis/review_file.ts";
import { chrome, withPage } from "../jupyter/browser.ts";
import { blanked, PAYLOADS, TRAP } from "../jupyter/payloads.ts";
import { captioned, teacherPair } from "./records.ts";

/** Records of which every text attacks, and pairs about them. */
async function hostile(folder: string) {
  const records = await Promise.all(PAYLOADS.map(async (p, i) => {
    const imagePath = join(folder, `${i}\x1b[2J\u202E<img src=x onerror=owned=9>.png`.replaceAll("/", ""));
    await Deno.writeFile(
      imagePath,
      await encodePng({ width: 4, height: 4, data: new Uint8Array(48).fill(99) }),
    );
    const texts = {
      question: p,
      answer: p,
      choices: [p, "no"],
      modality: p,
      region: p,
      contentType: p,
      licence: p,
    };
    return captioned(`${p}/${i}`, p, { ...texts, imagePath, context: { [p]: p } });
  }));
  const pairs = records.map(({ imageId, imagePath }, i) => {
    const p = PAYLOADS[i];
    const verdicts = JSON.stringify({ [p]: i % 2 ? p : "pass" });
    return teacherPair(p, p, {
      id: `${i}${p}`,
      imageId,
      imagePath,
      choices: [p, "no"],
      prompt: p,
      model: p,
      verdicts,
    });
  });
  return { records, pairs };
}

Deno.test({
  name: "hostile records, replies and decisions are shown whole by the pages and do nothing [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "payloads-" });
    try {
      const { records, pairs } = await hostile(folder);
      const decisions = new Map(pairs.map((pair): [string, Decision] => [pair.id, {
        id: pair.id,
        pair: pairSha256(pair),
        verdict: "reject",
        reason: pair.question,
        time: "2026-01-01T00:00:00Z",
      }]));
      const all = PAYLOADS.join(" ");
      const pages = {
        "review.html": await reviewPage(pairs, records, decisions, "tiny"),
        "samples.html": await samplePage(records, { title: all, notice: all, seed: 1, perSplit: 99 }),
      };
      await withPage(async (page) => {
        const requests: string[] = [], faults: string[] = [];
        page.on("request", (request) => requests.push(request.url()));
        page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
        page.on("pageerror", (error) => faults.push(error.message));
        for (const [name, html] of Object.entries(pages)) {
          await Deno.writeTextFile(join(folder, name), html);
          await page.goto(`file://${join(folder, name)}`);
          const text = blanked(await page.locator("body").innerText());
          for (const p of PAYLOADS) assert(text.includes(blanked(visible(p))), `${name}: ${visible(p)}`);
          if (name.startsWith("samples")) {
            for (const button of await page.locator("#grid button").all()) {
              await button.evaluate((one) => (one as unknown as { click(): void }).click());
              const i = Number.parseInt((await page.locator("#id").innerText()).split("/").at(-1)!);
              const fields = blanked(await page.locator("#fields").innerText());
              assert(fields.includes(blanked(visible(PAYLOADS[i]))), fields);
              await page.keyboard.press("Escape");
            }
          }
          // Even what a bug let in could not run: the policy knows the page's own script only.
          await page.evaluate(
            `document.body.append(Object.assign(document.createElement("script"), { text: "owned = 1" }))`,
          );
          assertEquals(await page.evaluate("globalThis.owned"), undefined);
          assertEquals(faults.splice(0).filter((text) => !text.includes("Content Security Policy")), []);
        }
        assertEquals(requests.filter((url) => url.includes(TRAP) || /^https?:/.test(url)), []);
      });
      const sheet = await decodeImage(
        await contactSheet(records.map((r) => ({ title: r.caption!, records: [r] })), { side: 60 }),
      );
      assertEquals(sheet.width, 60 + 28);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
