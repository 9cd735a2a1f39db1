import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { chrome, withPage } from "./browser.ts";
import { kernelReady, startLab } from "./lab_server.ts";
import { scratchNotebook } from "./support.ts";

const CELL = ".jp-CodeCell";

/** Clicks through Run > Run All Cells, or Kernel > Interrupt Kernel. */
async function menu(page: Page, name: string, item: string): Promise<void> {
  await page.locator(".lm-MenuBar-itemLabel", { hasText: name }).click();
  await page.locator(".lm-Menu-itemLabel", { hasText: item }).first().click();
}

/** Waits until a cell's prompt is a number: it has run. */
const hasRun = (page: Page, cell: number) =>
  page.waitForFunction(
    ([selector, i]) => {
      const d =
        (globalThis as unknown as { document: { querySelectorAll(s: string): { textContent: string }[] } })
          .document;
      return /\[\d+\]/.test(
        d.querySelectorAll(`${selector} .jp-InputPrompt`)[i as number]?.textContent ?? "",
      );
    },
    [CELL, cell] as const,
    { timeout: 60_000 },
  );

const outputOf = async (page: Page, cell: number) =>
  (await page.locator(CELL).nth(cell).locator(".jp-OutputArea-output").allInnerTexts()).join("\n");

/** Opens a notebook of these cells in JupyterLab. */
async function inLab(cells: string[], fn: (page: Page) => Promise<void>): Promise<void> {
  const { folder, remove } = await scratchNotebook(cells);
  const server = await startLab(folder);
  try {
    await withPage(async (page) => {
      await page.goto(server.url("x.ipynb"));
      await kernelReady(page);
      await fn(page);
    }, { width: 1280, height: 6000 });
  } finally {
    await server.stop();
    await remove();
  }
}

Deno.test({
  name: "Run All in JupyterLab puts every output under its own cell [needs Chromium]",
  ignore: !chrome,
  fn: () =>
    inLab(
      Array.from({ length: 20 }, (_, cell) =>
        `for (let i = 0; i < 6; i++) console.log("line ${cell}." + i);\n"value ${cell}"`),
      async (page) => {
        await menu(page, "Run", "Run All Cells");
        await hasRun(page, 19);
        for (let cell = 0; cell < 20; cell++) {
          const lines = Array.from({ length: 6 }, (_, i) =>
            `line ${cell}.${i}`);
          const found = (await outputOf(page, cell)).split("\n").map((line) => line.trim()).filter(Boolean);
          assertEquals(found.sort(), [...lines, `"value ${cell}"`].sort());
        }
      },
    ),
});

Deno.test({
  name: "Stop in JupyterLab ends the running cell, and the kernel keeps its state [needs Chromium]",
  ignore: !chrome,
  fn: () =>
    inLab([
      `import { checkpoint, print, stopSignal } from "@lib/jupyter/mod.ts";\nconst keep = 7;`,
      `const signal = stopSignal();\nawait print("started");\nwhile (true) { await checkpoint(signal); await new Promise((r) => setTimeout(r, 50)); }`,
      `"kept " + keep`,
    ], async (page) => {
      await menu(page, "Run", "Run All Cells");
      await page.locator(CELL).nth(1).locator(".jp-OutputArea-output").getByText("started").waitFor({
        timeout: 60_000,
      });
      await menu(page, "Kernel", "Interrupt Kernel");
      await hasRun(page, 1);
      assert((await outputOf(page, 1)).includes("Stopped, as you asked"));
      assertEquals(await outputOf(page, 2), ""); // it was queued, and was taken back
      await page.locator(CELL).nth(2).locator(".cm-content").click();
      await page.keyboard.press("Control+Enter");
      await hasRun(page, 2);
      assertEquals((await outputOf(page, 2)).trim(), `"kept 7"`);
    }),
});
