import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Page } from "playwright-core";
import { paths } from "../../lib/config/mod.ts";
import { oneLine, visible } from "../../lib/jupyter/mod.ts";
import { chrome, withPage } from "./browser.ts";
import { kernelReady, startLab } from "./lab_server.ts";
import { blanked, PAYLOADS, TRAP } from "./payloads.ts";
import { scratchNotebook } from "./support.ts";

/** What each cell does with a payload `p`; the last one ends the notebook. */
const SINKS: readonly string[] = [
  "await markdown(md`### ${p}\\n\\n> **Note:** ${p}\\n\\n- ${p}\\n\\n| a |\\n|---|\\n| ${p} |\\n\\n**${p}** ${code(p)}`)",
  "await markdown(md`${p}`)",
  "await markdown(md`**teacher**${fence(p)}`)",
  "await print(p)",
  "await table([{ [p]: p, n: 1 }])",
  "await image({ width: 1, height: 1, data: new Uint8Array(3) }, { caption: p, width: 8 })",
  "const move = await progress(1); await move(1, p)",
  "await check(p, 2, 1)",
  "await show({ 'text/html': p })",
  "await show({ 'text/markdown': p })",
  "console.log(p)",
];
const payloads = import.meta.resolve("./payloads.ts");
const CELLS = [
  `import { check, code, fence, image, markdown, md, print, progress, show, table } from "@lib/jupyter/mod.ts";
const { PAYLOADS } = await import(${JSON.stringify(payloads)});`,
  ...SINKS.map((sink) => `for (const p of PAYLOADS) { ${sink} }`),
  "throw new Error(PAYLOADS.join(' ').toWellFormed())", // Deno's kernel loses a message with half a surrogate
];

/** Counts what must not be in a page and says what of the texts is missing in it. */
async function judge(page: Page, requests: readonly string[], texts: readonly string[]): Promise<void> {
  assertEquals(await page.evaluate("globalThis.owned"), undefined);
  assertEquals(requests.filter((url) => url.includes(TRAP)), []);
  const markup =
    '.jp-RenderedHTMLCommon :is(script, svg, [onerror], [onload], [onmouseover], a[href^="javascript"], ' +
    `a[href*="${TRAP}"]:not([href^="#"]), .MathJax, mjx-container)`;
  assertEquals(await page.locator(markup).evaluateAll((all) => all.map(String)), []);
  for (const [i, text] of texts.entries()) {
    for (const payload of PAYLOADS) {
      const wanted = [payload, payload.toWellFormed()].flatMap((
        of,
      ) => [blanked(visible(of)), blanked(oneLine(of))]);
      assert(wanted.some((one) => text.includes(one)), `${CELLS[i + 1]}: ${wanted[0]} is not in ${text}`);
    }
  }
}

Deno.test({
  name:
    "hostile texts in every display are shown whole in a live JupyterLab and in its HTML export, and do nothing " +
    "[needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const { folder, notebook, remove } = await scratchNotebook(CELLS);
    const server = await startLab(folder);
    try {
      await withPage(async (page) => {
        const requests: string[] = [];
        page.on("request", (request) => requests.push(request.url()));
        await page.goto(server.url("x.ipynb"));
        await kernelReady(page);
        await page.locator(".lm-MenuBar-itemLabel", { hasText: "Run" }).click();
        await page.locator(".lm-Menu-itemLabel", { hasText: "Run All Cells" }).first().click();
        const cells = page.locator(".jp-CodeCell");
        await cells.nth(CELLS.length - 1).locator(".jp-OutputArea-output").first().waitFor({
          timeout: 90_000,
        });
        await page.waitForTimeout(1000); // what a script or a formula would still do
        const texts: string[] = [];
        for (let i = 1; i < CELLS.length; i++) {
          await cells.nth(i).scrollIntoViewIfNeeded();
          texts.push(
            blanked((await cells.nth(i).locator(".jp-OutputArea-output").allInnerTexts()).join("\n")),
          );
        }
        await judge(page, requests, texts);
        await page.keyboard.press("Control+s");
        await page.waitForTimeout(1500);
      }, { width: 1280, height: 20_000 });

      const { success, stderr } = await new Deno.Command(join(paths.venv, "bin/jupyter"), {
        args: ["nbconvert", "--to", "html", notebook],
        env: { JUPYTER_CONFIG_DIR: folder, IPYTHONDIR: folder },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      await withPage(async (page) => {
        const requests: string[] = [];
        await page.route(/^https?:/, (route) => route.abort()); // nbconvert's own MathJax
        page.on("request", (request) => requests.push(request.url()));
        await page.goto(`file://${join(folder, "x.html")}`, { waitUntil: "domcontentloaded" });
        const cells = await page.locator(".jp-CodeCell").all();
        const texts = await Promise.all(
          cells.slice(1).map(async (cell) =>
            blanked((await cell.locator(".jp-OutputArea-output").allInnerTexts()).join("\n"))
          ),
        );
        await judge(page, requests, texts);
      });
    } finally {
      await server.stop();
      await remove();
    }
  },
});
