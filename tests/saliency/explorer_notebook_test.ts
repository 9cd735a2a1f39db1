/** The explorer inside a notebook: a frame of its own in a live JupyterLab. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chrome, withPage } from "../jupyter/browser.ts";
import { kernelReady, startLab } from "../jupyter/lab_server.ts";
import { blanked, PAYLOADS, TRAP } from "../jupyter/payloads.ts";
import { scratchNotebook } from "../jupyter/support.ts";
import { visible } from "@lib/jupyter/mod.ts";

const [examples, payloads] = ["./explorer_examples.ts", "../jupyter/payloads.ts"].map((file) =>
  JSON.stringify(import.meta.resolve(file))
);
const CELL = `import { showPage } from "@lib/jupyter/mod.ts";
import { explorerPage } from "@lib/saliency/mod.ts";
const { madeExample } = await import(${examples});
const { PAYLOADS } = await import(${payloads});
const example = await madeExample({ words: ["which", "side", "left", "lung"], texts: { question: PAYLOADS.join(" ") } });
await showPage(await explorerPage([example], { title: "Made", notice: "" }), "Explorer " + PAYLOADS[2], 700);`;

Deno.test({
  name:
    "in a notebook the explorer is clicked as on its own; it can reach neither the notebook nor a server [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const { folder, remove } = await scratchNotebook([CELL]);
    const server = await startLab(folder);
    try {
      await withPage(async (page) => {
        const requests: string[] = [];
        page.on("request", (request) => requests.push(request.url()));
        await page.goto(server.url("x.ipynb"));
        await kernelReady(page);
        await page.locator(".lm-MenuBar-itemLabel", { hasText: "Run" }).click();
        await page.locator(".lm-Menu-itemLabel", { hasText: "Run All Cells" }).first().click();
        const frame = page.frameLocator('iframe[title^="Explorer"]');
        await frame.locator("#reading p").first().waitFor({ timeout: 90_000 });
        const question = blanked(await frame.locator("#question").innerText());
        for (const payload of PAYLOADS) assertStringIncludes(question, blanked(visible(payload)));
        const before = await frame.locator("#reading").innerText();
        await frame.locator("#tokens li", { hasText: "side" }).click();
        const after = await frame.locator("#reading").innerText();
        assert(before.includes("“left”") && after.includes("“side”"), `${before}\n${after}`);
        await frame.locator(".stage").first().click();
        assertEquals(await frame.locator("#tokens .amount").count(), 3 * 6);
        assertEquals(await frame.locator("body").evaluate("globalThis.origin"), "null");
        assertEquals(await page.evaluate("globalThis.owned"), undefined);
        assertEquals(await frame.locator("body").evaluate("globalThis.owned"), undefined);
        assertEquals(requests.filter((url) => url.includes(TRAP)), []);
      }, { width: 1280, height: 1400 });
    } finally {
      await server.stop();
      await remove();
    }
  },
});
